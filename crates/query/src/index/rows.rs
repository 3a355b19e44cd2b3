//! The alternatives that are filed in one node, laid out to be passed over quickly.

use super::{
    condition::Condition,
    entry::{Entry, EntryId},
    summary::{Check, Summary},
};

/// So many more conditions are checked without looking at the entry, which is far away in memory.
const MORE: usize = 2;

/// Rows, each an alternative with what is to be checked of it beside where it stands. The first
/// checks lie together: most documents fail them, and then nothing else is read.
#[derive(Debug, Default)]
pub(super) struct Rows {
    first: Vec<Check>,
    rest: Vec<Rest>,
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    /// The entry, and flags.
    entry: u32,
    more: [Check; MORE],
}

/// The checks are all there is, but for what they leave open themselves.
const ALL: u32 = 1 << 31;
/// The query has no other alternative and need not be asked.
const ALONE: u32 = 1 << 30;

impl Rest {
    const fn entry(&self) -> EntryId {
        self.entry & (ALONE - 1)
    }
}

/// A row whose checks a document has passed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    first: Check,
    rest: Rest,
}

impl Row {
    /// For an entry in a node of this depth.
    pub(super) fn new(id: EntryId, entry: &Entry, depth: usize) -> Self {
        let conditions = &entry.alternative.conditions;
        let (passed, ahead) = conditions.split_at(depth.min(conditions.len()));
        // Having come through a cell is not yet being within; having come through a term is having it.
        let passed =
            passed.iter().filter(|condition| matches!(condition, Condition::Within { .. }));
        let left = || ahead.iter().chain(passed.clone());
        let mut checks = left().filter_map(Condition::check).chain(core::iter::repeat(Check::PASS));
        let mut next = || checks.next().unwrap_or(Check::PASS);
        let first = next();
        let more = core::array::from_fn(|_| next());
        let all = left().count() <= 1 + MORE && left().all(Condition::is_exact);
        let flags = if all { ALL } else { 0 } | if entry.later { 0 } else { ALONE };
        Self { first, rest: Rest { entry: id | flags, more } }
    }

    pub(super) const fn entry(&self) -> EntryId {
        self.rest.entry()
    }

    /// Whether its alternative is all of a query.
    pub(super) const fn is_alone(&self) -> bool {
        self.rest.entry & ALONE != 0
    }

    /// Whether it is certain that all conditions hold.
    pub(super) fn holds(&self, summary: &Summary) -> bool {
        self.rest.entry & ALL != 0
            && self.first.holds(summary)
            && self.rest.more.iter().all(|check| check.holds(summary))
    }
}

impl Rows {
    pub(super) const fn new() -> Self {
        Self { first: Vec::new(), rest: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = EntryId> {
        self.rest.iter().map(Rest::entry)
    }

    /// Calls for each row whose checks a document passes.
    pub(super) fn visit(&self, summary: &Summary, found: &mut impl FnMut(Row)) {
        for (at, first) in self.first.iter().enumerate() {
            if first.may_hold(summary)
                && let Some(&rest) = self.rest.get(at)
                && rest.more.iter().all(|check| check.may_hold(summary))
            {
                found(Row { first: *first, rest });
            }
        }
    }

    pub(super) fn push(&mut self, row: Row) {
        self.first.push(row.first);
        self.rest.push(row.rest);
    }

    /// Drops one row of an entry.
    pub(super) fn remove(&mut self, id: EntryId) {
        if let Some(at) = self.rest.iter().position(|rest| rest.entry() == id) {
            self.first.swap_remove(at);
            self.rest.swap_remove(at);
        }
        if self.len() < self.rest.capacity() / 4 {
            self.first.shrink_to(self.len() * 2);
            self.rest.shrink_to(self.len() * 2);
        }
    }

    /// Those of some entries.
    pub(super) fn select(&self, wanted: impl Fn(EntryId) -> bool) -> Self {
        let rows = self.first.iter().zip(&self.rest).filter(|(_, rest)| wanted(rest.entry()));
        let (first, rest) = rows.unzip();
        let mut selected = Self { first, rest };
        selected.first.shrink_to_fit();
        selected.rest.shrink_to_fit();
        selected
    }
}
