//! The rules without any index: a list, filtered again and again.

use taiinet_archive::{Ask, Config};
use taiinet_document::{Content, Mark, Sharing, Timestamp, VerifiedDocument};
use taiinet_identity::PeerId;

pub(crate) struct Naive {
    config: Config,
    known: Vec<Known>,
}

#[derive(Clone)]
struct Known {
    document: VerifiedDocument,
    /// It has expired, was deleted, or is not wanted; it goes on replacing older versions.
    hidden: bool,
}

impl Known {
    fn mark(&self) -> Mark {
        (&self.document).into()
    }

    fn is_deletion(&self) -> bool {
        matches!(self.document.content, Content::Deleted(_))
    }

    /// The owner and the name of its key.
    fn of(&self) -> Option<(PeerId, &str)> {
        let key = self.document.key.as_ref()?;
        Some((key.owner(self.document.author()), key.name()))
    }

    fn is_owners(&self) -> bool {
        self.of().is_some_and(|(owner, _)| owner == self.document.author())
    }
}

impl Naive {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, known: Vec::new() }
    }

    /// How old what comes may be.
    fn oldest(&self, now: Timestamp) -> u64 {
        let back = self.config.max_backdate.map_or(u64::MAX, |back| back.as_millis() as u64);
        now.as_millis().saturating_sub(back)
    }

    pub(crate) fn admit(&mut self, document: &VerifiedDocument, now: Timestamp) {
        if document.created_at.as_millis() < self.oldest(now)
            || document.expires_at.is_some_and(|expires| expires <= now)
        {
            return;
        }
        let query = &self.config.queries[0];
        let is_theirs = |peer| query.authors().is_none_or(|authors| authors.contains(&peer));
        let (author, owner) = (document.author(), document.owner());
        let may_concern = is_theirs(author) || document.key.is_some() && is_theirs(owner);
        let wanted = match &document.content {
            Content::Deleted(_) => may_concern,
            _ => query.matches_document(document),
        };
        let is_known = self.known.iter().any(|known| known.document.id() == document.id());
        if (wanted || document.key.is_some() && may_concern) && !is_known {
            self.known.push(Known { document: document.clone(), hidden: !wanted });
        }
        self.settle();
    }

    /// Whether it is there and nothing has taken its place.
    pub(crate) fn holds(&self, document: &VerifiedDocument) -> bool {
        let known = self.known.iter().find(|known| known.document.id() == document.id());
        known.is_some_and(|known| !known.hidden && self.is_current(known))
    }

    fn is_deleted(&self, document: &VerifiedDocument) -> bool {
        let is_about = |deletion: &Known| match &deletion.document.content {
            Content::Deleted(deleted) => {
                deletion.document.author() == document.author()
                    && deletion.mark() > document.into()
                    && deleted.documents().any(|id| *id == document.id())
            }
            _ => false,
        };
        !matches!(document.content, Content::Deleted(_)) && self.known.iter().any(is_about)
    }

    fn owners_newest(&self, of: (PeerId, &str)) -> Option<&Known> {
        let owners = self.known.iter().filter(|known| known.of() == Some(of) && known.is_owners());
        owners.max_by_key(|known| known.mark())
    }

    fn may_write(&self, of: (PeerId, &str), author: PeerId) -> bool {
        let newest = self.owners_newest(of);
        let writers = newest.and_then(|newest| newest.document.key.as_ref()?.writers());
        writers.is_some_and(|writers| writers.contains(&author))
    }

    /// Takes out what will never count again.
    fn settle(&mut self) {
        let all = self.known.clone();
        for known in &mut self.known {
            known.hidden |= Self { config: self.config.clone(), known: all.clone() }
                .is_deleted(&known.document);
        }
        let all = self.known.clone();
        self.known.retain(|known| {
            let Some(of) = known.of() else { return !known.hidden };
            !all.iter().any(|other| {
                other.of() == Some(of)
                    && other.mark() > known.mark()
                    && (other.document.author() == known.document.author() || other.is_owners())
            })
        });
    }

    pub(crate) fn expire(&mut self, now: Timestamp) {
        let oldest = self.oldest(now);
        self.known.retain_mut(|known| {
            let expired = known.document.expires_at.is_some_and(|expires| expires <= now);
            let past = known.document.created_at.as_millis() < oldest;
            let alone =
                known.document.key.as_ref().is_none_or(|key| *key.sharing() == Sharing::Own);
            if known.is_deletion() && !known.hidden {
                return !(expired || alone && past);
            }
            known.hidden |= expired;
            !known.hidden || known.document.key.is_some() && !(alone && past)
        });
    }

    fn counts(&self, known: &Known, now: Timestamp) -> bool {
        if known.hidden
            || known.is_deletion()
            || known.document.expires_at.is_some_and(|expires| expires <= now)
        {
            return false;
        }
        self.is_current(known)
    }

    fn is_current(&self, known: &Known) -> bool {
        let Some(of) = known.of() else { return true };
        let writes =
            |known: &Known| known.is_owners() || self.may_write(of, known.document.author());
        !writes(known)
            || !self
                .known
                .iter()
                .any(|other| other.of() == Some(of) && other.mark() > known.mark() && writes(other))
    }
}

impl Naive {
    /// The document under a key.
    pub(crate) fn head(&self, owner: PeerId, name: &str, now: Timestamp) -> Option<Vec<u8>> {
        let of = (owner, name);
        self.owners_newest(of)?;
        let versions = self.known.iter().filter(|known| {
            known.of() == Some(of)
                && (known.is_owners() || self.may_write(of, known.document.author()))
        });
        let newest = versions.max_by_key(|known| known.mark())?;
        self.counts(newest, now).then(|| wire(&newest.document))
    }
}

fn wire(document: &VerifiedDocument) -> Vec<u8> {
    postcard::to_allocvec(document.signed()).expect("encodes")
}

/// All that is to be found, in order.
pub(crate) fn expected(naive: &Naive, ask: &Ask, now: Timestamp) -> Vec<Vec<u8>> {
    let mut found: Vec<_> = (naive.known.iter())
        .filter(|known| naive.counts(known, now))
        .map(|known| &known.document)
        .filter(|document| ask.query.matches_document(document))
        .filter(|document| ask.since.is_none_or(|since| document.created_at >= since))
        .filter(|document| ask.until.is_none_or(|until| document.created_at <= until))
        .filter_map(|document| Some((ask.sort.place_of(document)?, document)))
        .collect();
    found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    found.into_iter().map(|(_, document)| wire(document)).collect()
}
