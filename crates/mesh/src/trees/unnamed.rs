//! Documents that no root has named yet.

use core::time::Duration;

use taiinet_document::DocumentId;

use crate::{Time, lately::Lately, wire::IdPrefix};

/// Those that came in the last while, as many as there is room for: the oldest give way.
#[derive(Debug)]
pub(super) struct Unnamed(Lately<IdPrefix, DocumentId>);

impl Unnamed {
    pub(super) const fn new(most: usize, lasts: Duration) -> Self {
        Self(Lately::new(most, lasts))
    }

    pub(super) fn insert(&mut self, id: DocumentId, now: Time) {
        self.0.enter(IdPrefix::from(&id), || id, now, |_, _| {});
    }

    /// A root has named it. Which it is, if it is one of these.
    pub(super) fn take(&mut self, short: &IdPrefix) -> Option<DocumentId> {
        self.0.take(short)
    }

    /// Those that came before then, the oldest first.
    pub(super) fn before(&self, then: Time) -> impl Iterator<Item = DocumentId> {
        let before = self.0.in_order().take_while(move |(at, _)| *at < then);
        before.map(|(_, id)| *id)
    }

    /// All of them, the oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = DocumentId> {
        self.0.in_order().map(|(_, id)| *id)
    }
}
