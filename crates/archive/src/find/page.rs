//! What is asked, and what is answered.

use taiinet_document::Timestamp;
use taiinet_query::{
    Query,
    sort::{Place, Sort},
};

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What it must match.
    pub query: Query,
    /// In which order it is wanted.
    pub sort: Sort,
    /// Not created before this.
    pub since: Option<Timestamp>,
    /// Not created after this.
    pub until: Option<Timestamp>,
    /// Only what comes after this in the order: the cursor of a page of the same query and order.
    pub after: Option<Place>,
    /// How many documents at most; never more than [`crate::limits::PAGE_DOCUMENTS`].
    pub limit: usize,
    /// How many bytes of documents, but one document at least.
    pub bytes: usize,
}

/// Some of what was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Signed documents as on the wire, in order.
    pub documents: Vec<Vec<u8>>,
    /// Whether there is more.
    pub rest: Rest,
    /// How much work it took, in units of [`taiinet_query::Fuel`].
    pub work: u64,
    /// How many documents were passed over because matching one took more than all the work that was allowed. If
    /// there are any, what was found is not complete.
    pub unjudged: usize,
}

/// Whether there is more than a page holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// That was all.
    Finished,
    /// There may be more after this.
    More(Place),
    /// The work was spent before anything could be said: no index leads to this order, and the query leaves too many
    /// documents. Order by time or by an indexed field, narrow the query, or allow more work.
    TooCostly,
}
