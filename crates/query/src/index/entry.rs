//! What is filed: an alternative of a query.

use slab::Slab;

use super::condition::Alternative;

/// An alternative that is filed.
pub(super) type EntryId = u32;

/// The entries, which the tree reads.
pub(super) type Entries = Slab<Entry>;

/// A filed alternative.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) alternative: Alternative,
    /// The query it is of.
    pub(super) query: u32,
    /// Another alternative of the same query.
    pub(super) next: Option<EntryId>,
    /// The query has other alternatives, or must be asked.
    pub(super) later: bool,
}
