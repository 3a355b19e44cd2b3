//! The keys of authors and others, once they have verified something.

use std::collections::BTreeMap;

use taiinet_document::{Inspected, VerifiedDocument};
use taiinet_identity::{PeerId, PublicKey};

use crate::{Misbehaviour, limits, rng::Rng};

/// Keeps keys that have verified something: the next time they need not be decompressed.
#[derive(Debug)]
pub(crate) struct Keyring {
    keys: BTreeMap<PeerId, PublicKey>,
    rng: Rng,
}

impl Keyring {
    pub(crate) const fn new(rng: Rng) -> Self {
        Self { keys: BTreeMap::new(), rng }
    }

    /// Checks a document's signature.
    ///
    /// # Errors
    /// [`Misbehaviour::InvalidSignature`]
    pub(crate) fn verify(&mut self, document: Inspected) -> Result<VerifiedDocument, Misbehaviour> {
        let author = document.author();
        let known = self.keys.get(&author).copied();
        let key = known.or_else(|| author.public_key().ok());
        let key = key.ok_or(Misbehaviour::InvalidSignature)?;
        let verified = document.verify(&key).map_err(|_| Misbehaviour::InvalidSignature)?;
        if known.is_none() {
            self.remember(key);
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
