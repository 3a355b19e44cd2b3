//! Documents of our own that no neighbour has taken yet.

use std::collections::{BTreeMap, VecDeque};

use taiinet_document::{DocumentId, SignedDocument, Timestamp, VerifiedDocument};

use crate::{Time, limits};

/// Holds each document of ours until a neighbour has taken it, so that one that was published while
/// no neighbour was there, or on a link that died, is offered again. Kept as signed bytes: what is
/// decoded may take a hundred times the room.
#[derive(Debug, Default)]
pub(crate) struct Untaken {
    waiting: BTreeMap<DocumentId, (Timestamp, SignedDocument)>,
    /// What they hold of the heap.
    bytes: usize,
    /// When each becomes too old, in order of publication; those taken drop out at the front.
    ends: VecDeque<(Time, DocumentId)>,
}

impl Untaken {
    /// Whether another document has room.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < limits::UNTAKEN_DOCUMENTS && self.bytes < limits::UNTAKEN_BYTES
    }

    pub(crate) fn insert(&mut self, document: &VerifiedDocument) {
        self.bytes += heap_size(document.signed());
        let end = Time::from(document.created_at).after(limits::LIVE_WINDOW);
        self.ends.push_back((end, document.id()));
        let waits = (document.created_at, document.signed().clone());
        self.waiting.insert(document.id(), waits);
    }

    /// A neighbour has it. True if it was waiting.
    pub(crate) fn taken(&mut self, id: &DocumentId) -> bool {
        let Some((_, document)) = self.waiting.remove(id) else { return false };
        self.bytes -= heap_size(&document);
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
    pub(crate) fn documents(&self) -> impl Iterator<Item = SignedDocument> + use<> {
        let mut documents: Vec<_> = self.waiting.values().cloned().collect();
        documents.sort_by_key(|(created_at, document)| (*created_at, document.id()));
        documents.into_iter().map(|(_, document)| document)
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

/// What one that waits holds of the heap.
fn heap_size(document: &SignedDocument) -> usize {
    size_of::<(DocumentId, Timestamp, SignedDocument)>() + document.heap_size()
}
