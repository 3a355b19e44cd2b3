//! Documents of our own that have a key, and versions that we wrote of others': what an author says under a key holds until it says something
//! else, so it is kept, as long as the peer runs, for those that search when it has left the live window.

use std::collections::BTreeMap;

use taiinet_document::{Content, DocumentId, Mark, VerifiedDocument};

use super::kept::{Kept, Name, name_of};
use crate::{Time, limits};

/// The newest document of ours under each key.
#[derive(Debug, Default)]
pub(super) struct Own {
    by_name: BTreeMap<Name, Box<Kept>>,
    bytes: usize,
}

impl Own {
    pub(super) const fn new() -> Self {
        Self { by_name: BTreeMap::new(), bytes: 0 }
    }

    /// Keeps a document of ours, if it has a key and is the newest under it. A deletion is kept as well: what it
    /// deletes may come again from another instance of ours. Private subscriptions are announced again anyhow.
    pub(super) fn insert(&mut self, document: &VerifiedDocument) {
        let Some(name) = name_of(document) else { return };
        let older = self.by_name.get(&name).is_none_or(|kept| kept.mark() < Mark::from(document));
        if !older || matches!(document.content(), Content::Subscription(_)) {
            return;
        }
        self.remove(&name);
        let kept = Box::new(Kept::new(document, 0));
        self.bytes += kept.heap_size();
        self.by_name.insert(name, kept);
        self.make_room();
    }

    fn remove(&mut self, name: &Name) {
        if let Some(kept) = self.by_name.remove(name) {
            self.bytes -= kept.heap_size();
        }
    }

    /// Drops what is worthless.
    pub(super) fn expire(&mut self, now: Time) {
        let bytes = &mut self.bytes;
        self.by_name.retain(|_, kept| {
            let expired = kept.is_expired(now);
            *bytes -= if expired { kept.heap_size() } else { 0 };
            !expired
        });
    }

    /// Drops the oldest of what is too much.
    fn make_room(&mut self) {
        while self.by_name.len() > limits::OWN_DOCUMENTS || self.bytes > limits::OWN_BYTES {
            let oldest = self.by_name.iter().min_by_key(|(_, kept)| kept.mark());
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { return };
            self.remove(&name);
        }
    }

    /// That of this name.
    pub(super) fn get(&self, id: &DocumentId) -> Option<&Kept> {
        self.by_name.values().find(|kept| kept.mark().id == *id).map(AsRef::as_ref)
    }

    /// What we said last under a name.
    pub(super) fn of(&self, name: &Name) -> Option<&Kept> {
        self.by_name.get(name).map(AsRef::as_ref)
    }

    /// All, the newest first.
    pub(super) fn newest(&self) -> Vec<&Kept> {
        let mut all: Vec<&Kept> = self.by_name.values().map(AsRef::as_ref).collect();
        all.sort_by_key(|kept| core::cmp::Reverse(kept.mark()));
        all
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use core::time::Duration;

    use taiinet_document::{Deletion, Document, Map, Subscription};
    use taiinet_identity::RecipientId;

    use super::*;
    use crate::testing::{self, NOW};

    fn at(seconds: u64) -> Time {
        NOW.after(Duration::from_secs(seconds))
    }

    fn keyed(key: &str, seconds: u64, life: Option<u64>, content: Content) -> VerifiedDocument {
        let document = Document {
            network: testing::network(),
            created_at: at(seconds).timestamp(),
            nonce: 1,
            expires_at: life.map(|life| at(seconds + life).timestamp()),
            key: Some(key.into()),
            next_key: None,
            content,
        };
        VerifiedDocument::sign(&testing::identity(1), document).unwrap()
    }

    fn open(bytes: usize) -> Content {
        Content::Open(Map::from([("text".to_owned(), "x".repeat(bytes).into())]))
    }

    fn times(own: &Own) -> Vec<u64> {
        let created = |kept: &Kept| kept.mark().created_at.as_millis();
        let since = |at: u64| (at - NOW.as_millis()) / 1000;
        own.newest().into_iter().map(|kept| since(created(kept))).collect()
    }

    #[test]
    fn the_newest_under_each_key_is_kept_until_it_expires() {
        let mut own = Own::default();
        own.insert(&testing::document(&testing::identity(1), 1, 10));
        assert!(times(&own).is_empty(), "one without a key is not");
        own.insert(&keyed("a", 2, None, open(1)));
        own.insert(&keyed("a", 1, None, open(1)));
        own.insert(&keyed("b", 3, Some(10), open(1)));
        assert_eq!(times(&own), [3, 2]);
        own.insert(&keyed("a", 4, None, open(1)));
        assert_eq!(times(&own), [4, 3]);
        own.expire(at(13));
        assert_eq!(times(&own), [4]);
        // A deletion is what is said now; an announcement is made again by itself.
        own.insert(&keyed("a", 5, None, Content::Deleted(Deletion::Key)));
        own.insert(&keyed("a", 4, None, open(1)));
        let subscription =
            Subscription { query: "{}".to_owned(), recipient: RecipientId::from_bytes([7; 32]) };
        own.insert(&keyed("s", 6, None, Content::Subscription(subscription)));
        assert_eq!(times(&own), [5]);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut own = Own::default();
        for number in 0..limits::OWN_DOCUMENTS as u64 + 3 {
            own.insert(&keyed(&format!("key {number}"), number, None, open(1)));
        }
        assert_eq!(own.by_name.len(), limits::OWN_DOCUMENTS);
        assert_eq!(times(&own).last(), Some(&3), "the oldest have gone");
        for number in 0..30 {
            own.insert(&keyed(&format!("large {number}"), 5000 + number, None, open(200_000)));
        }
        assert!(own.bytes <= limits::OWN_BYTES);
        let large = times(&own).into_iter().take_while(|at| *at >= 5000).count();
        assert_eq!(large, limits::OWN_BYTES / 200_000, "the newest");
    }
}
