//! What a live result set is, and what happens to it.

use std::sync::Arc;

use taiinet_document::{DocumentId, Opened, VerifiedDocument};
use taiinet_query::sort::Sort;

use crate::Removal;

/// How many documents a live result set has at most.
pub const LIVE_LIMIT: u16 = 10_000;
/// How many different live result sets there are at most.
pub const LIVE_SETS: usize = 1024;

/// Which documents a live result set has of those that match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveOptions {
    /// In which order. What is sealed is sorted by what everybody can read of it, as in a search.
    pub sort: Sort,
    /// How many of them, from the first one: 1 to [`LIVE_LIMIT`].
    pub limit: u16,
    /// Subscribed to with a key of its own, as [`Wanted::Private`](crate::Wanted::Private).
    pub private: bool,
}

/// The newest hundred.
impl Default for LiveOptions {
    fn default() -> Self {
        Self { sort: Sort::newest(), limit: 100, private: false }
    }
}

/// What happens to a live result set. Applied one after the other to a plain list that is empty in the beginning,
/// the changes make it the set; it never has more than [`LiveOptions::limit`] documents on the way.
#[derive(Debug, Clone)]
pub enum LiveChange {
    /// A document is new in it.
    Insert {
        /// Where it stands from now on; those from there on move one further.
        index: usize,
        /// The document.
        document: Arc<VerifiedDocument>,
        /// What it says, if it was sealed to us.
        opened: Option<Arc<Opened>>,
    },
    /// A new version takes the place of another one.
    Update {
        /// Where the older version stands, which is taken out.
        from: usize,
        /// Where the new one is put in then; the same place if the order of the two is the same.
        to: usize,
        /// The new version.
        document: Arc<VerifiedDocument>,
        /// What it says, if it was sealed to us.
        opened: Option<Arc<Opened>>,
        /// The older version.
        replaces: DocumentId,
    },
    /// A document is in it no more.
    Remove {
        /// Where it stands; those behind it move one up.
        index: usize,
        /// The document.
        id: DocumentId,
        /// Why it is gone.
        reason: Removal,
    },
    /// What is known of the whole is something else.
    State(LiveState),
}

/// What is known of a live result set as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveState {
    /// How far it is.
    pub phase: Phase,
    /// Whether all that match were found, as far as those that were asked know, and none of them has left out
    /// anything: what is not in it comes behind it.
    pub complete: bool,
    /// Whether there may be more that match, beyond the limit.
    pub more: bool,
}

/// The state in which a set begins.
impl Default for LiveState {
    fn default() -> Self {
        Self { phase: Phase::Loading, complete: false, more: false }
    }
}

/// How far a live result set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Nobody has answered yet what there was before; what comes meanwhile is in it.
    Loading,
    /// It is as the neighbours know it.
    Ready,
    /// There is no neighbour now, or there was none and what was missed is still looked for.
    Stale,
}

impl Phase {
    /// `loading`, `ready` or `stale`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Ready => "ready",
            Self::Stale => "stale",
        }
    }
}

/// Why there is no live result set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The limit is none.
    #[error("a live result set has 1 to {LIVE_LIMIT} documents, not {limit}; choose another limit")]
    Limit {
        /// The limit that was wanted.
        limit: u16,
    },
    /// There are as many as there may be.
    #[error("there are too many subscriptions or live result sets; end some first")]
    TooMany,
}
