//! Documents that we were sent and refused for good, so that they are not asked for again.

use std::collections::{BTreeSet, VecDeque};

use taiinet_document::DocumentId;

/// How many are remembered.
const UNWANTED: usize = 8 * 1024;

/// An id is a hash over the author and what it signed, so one that was refused for its author is to be
/// refused in every copy, whatever the signature.
#[derive(Debug, Default)]
pub(super) struct Unwanted {
    ids: BTreeSet<DocumentId>,
    order: VecDeque<DocumentId>,
}

impl Unwanted {
    pub(super) fn contains(&self, id: &DocumentId) -> bool {
        self.ids.contains(id)
    }

    /// Whether it is new.
    pub(super) fn insert(&mut self, id: DocumentId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        if self.order.len() >= UNWANTED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        self.order.push_back(id);
        true
    }

    pub(super) fn clear(&mut self) {
        self.ids.clear();
        self.order.clear();
    }
}
