//! The keys of authors and others, once they have verified something.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use taiinet_document::{DocumentId, Inspected, VerifiedDocument};
use taiinet_identity::{PeerId, PublicKey};

use crate::{Misbehaviour, limits, rng::Rng};

/// Keeps keys that have verified something: the next time they need not be decompressed.
#[derive(Debug)]
pub(crate) struct Keyring {
    keys: BTreeMap<PeerId, PublicKey>,
    rng: Rng,
    shared: Option<SharedVerification>,
}

/// How many documents a [`SharedVerification`] remembers.
const SHARED: usize = 4096;

/// For simulators, in which thousands of peers in one process get the same bytes: a document that one of them has
/// verified is taken as verified by all that hold a clone of this, and they share its memory. Nothing but
/// [`Config::verified`](crate::Config::verified) leads here, and no driver sets it.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
pub struct SharedVerification(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    verified: BTreeMap<DocumentId, Arc<VerifiedDocument>>,
    order: VecDeque<DocumentId>,
}

impl SharedVerification {
    /// The same document, signature and all, if it was verified before.
    fn get(&self, document: &Inspected) -> Option<Arc<VerifiedDocument>> {
        let shared = self.0.lock().ok()?;
        let verified = shared.verified.get(&document.id())?;
        (verified.signed() == document.signed()).then(|| Arc::clone(verified))
    }

    fn insert(&self, document: &Arc<VerifiedDocument>) {
        let Ok(mut shared) = self.0.lock() else { return };
        if shared.verified.insert(document.id(), Arc::clone(document)).is_none() {
            shared.order.push_back(document.id());
        }
        if shared.order.len() > SHARED
            && let Some(oldest) = shared.order.pop_front()
        {
            shared.verified.remove(&oldest);
        }
    }
}

impl Keyring {
    pub(crate) const fn new(rng: Rng, shared: Option<SharedVerification>) -> Self {
        Self { keys: BTreeMap::new(), rng, shared }
    }

    /// Checks a document's signature.
    ///
    /// # Errors
    /// [`Misbehaviour::InvalidSignature`]
    pub(crate) fn verify(
        &mut self,
        document: Inspected,
    ) -> Result<Arc<VerifiedDocument>, Misbehaviour> {
        if let Some(verified) = self.shared.as_ref().and_then(|shared| shared.get(&document)) {
            return Ok(verified);
        }
        let author = document.author();
        let known = self.keys.get(&author).copied();
        let key = known.or_else(|| author.public_key().ok());
        let key = key.ok_or(Misbehaviour::InvalidSignature)?;
        let verified = document.verify(&key).map_err(|_| Misbehaviour::InvalidSignature)?;
        if known.is_none() {
            self.remember(key);
        }
        let verified = Arc::new(verified);
        if let Some(shared) = &self.shared {
            shared.insert(&verified);
        }
        Ok(verified)
    }

    fn remember(&mut self, key: PublicKey) {
        if self.keys.len() >= limits::AUTHOR_KEYS {
            let victim = self.keys.keys().nth(self.rng.below(self.keys.len())).copied();
            if let Some(victim) = victim {
                self.keys.remove(&victim);
            }
        }
        self.keys.insert(key.peer_id(), key);
    }
}

#[cfg(test)]
mod tests {
    use taiinet_document::SignedDocument;

    use super::*;
    use crate::testing::{self, NOW};

    fn keyring(shared: Option<&SharedVerification>) -> Keyring {
        Keyring::new(Rng::new([1; 32]), shared.cloned())
    }

    #[test]
    fn what_is_shared_is_the_very_same_document_and_no_forgery_of_it() {
        let document = testing::keyed(&testing::identity(2), "key", NOW);
        let good = || document.signed().clone().inspect().expect("good");
        let mut bytes = document.signed().to_wire();
        bytes[PeerId::LEN + 5] ^= 1;
        let forged = SignedDocument::from_wire(&bytes).expect("only the signature was changed");
        assert_eq!(forged.id(), document.id());
        let forged = || forged.clone().inspect().expect("it decodes");
        let shared = SharedVerification::default();
        for _ in 0..2 {
            assert_eq!(
                keyring(Some(&shared)).verify(forged()),
                Err(Misbehaviour::InvalidSignature)
            );
            let [one, other] =
                [(); 2].map(|()| keyring(Some(&shared)).verify(good()).expect("good"));
            assert!(Arc::ptr_eq(&one, &other));
        }
        let [one, other] = [(); 2].map(|()| keyring(None).verify(good()).expect("good"));
        assert!(!Arc::ptr_eq(&one, &other), "nothing is shared that is not told to");
    }
}
