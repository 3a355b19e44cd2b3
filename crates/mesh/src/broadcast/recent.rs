//! Which documents were seen, and the recent ones themselves.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use taiinet_document::{DocumentId, Timestamp, VerifiedDocument};

use crate::{Time, limits};

/// The seen-cache and the store of recent documents. Ordered maps: nobody can choose ids that make
/// them slow.
///
/// An id enters only after its document's signature held, so a bad copy never suppresses the good
/// one. When there are too many ids, those of the oldest documents go, and with them everything as
/// old is refused from then on: so nothing is ever delivered twice.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    seen: BTreeMap<DocumentId, Option<Kept>>,
    /// The ids by their documents' time.
    by_age: BTreeMap<Timestamp, Vec<DocumentId>>,
    floor: Timestamp,
    /// The documents that are kept, in the order in which they came.
    order: VecDeque<(Time, DocumentId)>,
    kept_bytes: usize,
}

/// A document that can still be served.
#[derive(Debug)]
struct Kept {
    document: Arc<VerifiedDocument>,
    hops: u8,
}

impl Recent {
    pub(crate) fn has_seen(&self, id: &DocumentId) -> bool {
        self.seen.contains_key(id)
    }

    /// Whether a document of this time is as old as those that were forgotten.
    pub(crate) fn is_too_old(&self, created_at: Timestamp) -> bool {
        created_at <= self.floor && self.floor > Timestamp::default()
    }

    /// Remembers a verified document that was not seen before.
    pub(crate) fn insert(&mut self, document: &Arc<VerifiedDocument>, hops: u8, now: Time) {
        let id = document.id();
        self.kept_bytes += document.signed().size();
        self.order.push_back((now, id));
        self.seen.insert(id, Some(Kept { document: Arc::clone(document), hops }));
        self.by_age.entry(document.created_at).or_default().push(id);
        self.forget(now, limits::SEEN_IDS);
    }

    /// Drops what is too old, or too much.
    pub(crate) fn expire(&mut self, now: Time) {
        self.forget(now, limits::SEEN_IDS);
    }

    fn forget(&mut self, now: Time, most: usize) {
        let stale = now.before(limits::LIVE_WINDOW);
        while let Some((at, id)) = self.order.front().copied()
            && (self.kept_bytes > limits::STORE_BYTES || at <= stale)
        {
            self.order.pop_front();
            if let Some(kept) = self.seen.get_mut(&id).and_then(Option::take) {
                self.kept_bytes -= kept.document.signed().size();
            }
        }
        // Only what is live can come again; older ids are of no use.
        let dead = now.before(limits::LIVE_WINDOW + limits::CLOCK_SKEW).timestamp();
        while let Some(oldest) = self.by_age.first_entry()
            && (self.seen.len() > most || *oldest.key() < dead)
        {
            self.floor = self.floor.max(*oldest.key());
            for id in oldest.remove() {
                if let Some(Some(kept)) = self.seen.remove(&id) {
                    self.kept_bytes -= kept.document.signed().size();
                }
            }
        }
    }

    pub(crate) fn get(&self, id: &DocumentId) -> Option<(Arc<VerifiedDocument>, u8)> {
        let kept = self.seen.get(id)?.as_ref()?;
        Some((Arc::clone(&kept.document), kept.hops))
    }

    /// The ids that were verified since then, oldest first.
    pub(crate) fn since(&self, since: Time) -> impl Iterator<Item = DocumentId> {
        let start = self.order.partition_point(|(at, _)| *at < since);
        self.order.range(start..).map(|(_, id)| *id)
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.order.front().map(|(at, _)| at.after(limits::LIVE_WINDOW))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, NOW};

    #[test]
    fn what_is_forgotten_is_refused_by_its_age_and_so_never_comes_twice() {
        let author = testing::identity(1);
        let mut recent = Recent::default();
        let at = |seconds: u64| NOW.after(core::time::Duration::from_secs(seconds));
        let documents: Vec<_> =
            (0..10).map(|n| testing::document_at(&author, n, 10, at(n.into()))).collect();
        for document in &documents {
            recent.insert(document, 0, at(10));
        }
        assert!(documents.iter().all(|document| recent.has_seen(&document.id())));
        recent.forget(at(10), 6);
        for (index, document) in documents.iter().enumerate() {
            let (seen, refused) =
                (recent.has_seen(&document.id()), recent.is_too_old(document.created_at));
            assert_eq!((seen, refused), (index >= 4, index < 4), "{index}");
        }
    }

    #[test]
    fn documents_are_kept_for_the_live_window_and_their_ids_longer() {
        let author = testing::identity(1);
        let mut recent = Recent::default();
        let document = testing::document(&author, 1, 100);
        recent.insert(&document, 3, NOW);
        assert_eq!(recent.get(&document.id()).map(|(_, hops)| hops), Some(3));
        assert_eq!(recent.since(NOW).count(), 1);
        let late = NOW.after(limits::LIVE_WINDOW);
        assert_eq!(recent.deadline(), Some(late));
        recent.expire(late);
        assert!(recent.get(&document.id()).is_none());
        assert!(recent.has_seen(&document.id()));
        assert_eq!((recent.kept_bytes, recent.since(NOW).count()), (0, 0));
    }
}
