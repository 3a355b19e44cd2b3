//! Which documents were seen, and the recent ones themselves.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use taiinet_document::{DocumentId, Timestamp, VerifiedDocument};

use crate::{Time, limits};

#[derive(Debug)]
struct Kept {
    document: Arc<VerifiedDocument>,
    hops: u8,
}

/// The seen-cache and the store of recent documents. Ordered maps: nobody can choose ids that make
/// them slow.
///
/// An id enters only after its document's signature held, so a bad copy never suppresses the good
/// one. When there are too many ids, those of the oldest documents go, and with them everything as
/// old is refused from then on: so nothing is ever delivered twice.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    seen: BTreeSet<DocumentId>,
    by_age: BTreeSet<(Timestamp, DocumentId)>,
    floor: Timestamp,
    kept: BTreeMap<DocumentId, Kept>,
    order: VecDeque<(Time, DocumentId)>,
    kept_bytes: usize,
}

impl Recent {
    pub(crate) fn has_seen(&self, id: &DocumentId) -> bool {
        self.seen.contains(id)
    }

    /// Whether a document of this time is as old as those that were forgotten.
    pub(crate) fn is_too_old(&self, created_at: Timestamp) -> bool {
        created_at <= self.floor && self.floor > Timestamp::default()
    }

    /// Remembers a verified document that was not seen before.
    pub(crate) fn insert(&mut self, document: &Arc<VerifiedDocument>, hops: u8, now: Time) {
        let id = document.id();
        self.seen.insert(id);
        self.by_age.insert((document.created_at, id));
        // Only what is live can come again; older ids are of no use.
        let dead = now.before(limits::LIVE_WINDOW + limits::CLOCK_SKEW).timestamp();
        while let Some((created_at, oldest)) = self.by_age.first().copied()
            && (self.by_age.len() > limits::SEEN_IDS || created_at < dead)
        {
            self.by_age.pop_first();
            self.seen.remove(&oldest);
            self.floor = self.floor.max(created_at);
        }
        self.kept_bytes += document.signed().size();
        self.order.push_back((now, id));
        self.kept.insert(id, Kept { document: Arc::clone(document), hops });
        self.forget(now);
    }

    /// Drops kept documents that are too old, or too many.
    pub(crate) fn forget(&mut self, now: Time) {
        let stale = now.before(limits::LIVE_WINDOW);
        while let Some((at, id)) = self.order.front().copied()
            && (self.kept_bytes > limits::STORE_BYTES || at <= stale)
        {
            self.order.pop_front();
            if let Some(kept) = self.kept.remove(&id) {
                self.kept_bytes -= kept.document.signed().size();
            }
        }
    }

    pub(crate) fn get(&self, id: &DocumentId) -> Option<(Arc<VerifiedDocument>, u8)> {
        self.kept.get(id).map(|kept| (Arc::clone(&kept.document), kept.hops))
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
