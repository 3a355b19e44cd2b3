//! Documents of our own that no neighbour has taken yet.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use taiinet_document::{DocumentId, VerifiedDocument};

use crate::{Time, limits};

/// Holds each document of ours until a neighbour has taken it, so that one that was published while
/// nobody was there, or on a link that died, is offered again.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: BTreeMap<DocumentId, Arc<VerifiedDocument>>,
    bytes: usize,
    /// When each becomes too old, in order of publication; those taken drop out at the front.
    ends: VecDeque<(Time, DocumentId)>,
}

impl Outbox {
    /// Whether another document has room.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < limits::OUTBOX_DOCUMENTS && self.bytes < limits::OUTBOX_BYTES
    }

    pub(crate) fn insert(&mut self, document: Arc<VerifiedDocument>) {
        self.bytes += document.signed().size();
        let end = Time::from(document.created_at).after(limits::LIVE_WINDOW);
        self.ends.push_back((end, document.id()));
        self.waiting.insert(document.id(), document);
    }

    /// A neighbour has it. True if it was waiting.
    pub(crate) fn taken(&mut self, id: &DocumentId) -> bool {
        let Some(document) = self.waiting.remove(id) else { return false };
        self.bytes -= document.signed().size();
        while let Some((_, first)) = self.ends.front()
            && !self.waiting.contains_key(first)
        {
            self.ends.pop_front();
        }
        true
    }

    pub(crate) fn contains(&self, id: &DocumentId) -> bool {
        self.waiting.contains_key(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// All that wait, oldest first.
    pub(crate) fn documents(&self) -> impl Iterator<Item = Arc<VerifiedDocument>> + use<> {
        let mut documents: Vec<_> = self.waiting.values().cloned().collect();
        documents.sort_by_key(|document| (document.created_at, document.id()));
        documents.into_iter()
    }

    /// Takes out what is so old that every peer would refuse it now.
    pub(crate) fn expired(&mut self, now: Time) -> Vec<DocumentId> {
        let mut dead = Vec::new();
        while let Some((end, id)) = self.ends.front().copied()
            && end <= now
        {
            self.ends.pop_front();
            if self.taken(&id) {
                dead.push(id);
            }
        }
        dead
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.ends.front().map(|(end, _)| *end)
    }
}
