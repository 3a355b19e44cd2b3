//! Whether the roots name what we publish: evidence that is ours alone.

use std::collections::BTreeMap;

use crate::{Time, limits, owed::Owed, wire::Slot};

/// A root that leaves out more than a third of what we publish is the second choice for a while.
#[derive(Debug, Default)]
pub(super) struct Roots(BTreeMap<Slot, Root>);

#[derive(Debug, Default)]
struct Root {
    owed: Owed,
    rests_until: Option<Time>,
}

impl Roots {
    /// The root of this tree has named a document of ours in time.
    pub(super) fn named(&mut self, slot: Slot) {
        if let Some(root) = self.0.get_mut(&slot) {
            root.owed.brought();
        }
    }

    /// It has not.
    pub(super) fn omitted(&mut self, slot: Slot, now: Time) {
        let root = self.0.entry(slot).or_default();
        if root.owed.missed() {
            *root =
                Root { owed: Owed::default(), rests_until: Some(now.after(limits::OWED_RESTS)) };
        }
    }

    /// Whether another is to be tried first.
    pub(super) fn rests(&self, slot: Slot, now: Time) -> bool {
        let root = self.0.get(&slot);
        root.and_then(|root| root.rests_until).is_some_and(|until| now < until)
    }
}
