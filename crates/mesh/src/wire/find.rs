//! Frames of searches.

use serde::{Deserialize, Serialize};
use taiinet_document::{SignedDocument, Timestamp};

/// How a neighbour is searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FindFrame {
    /// Send me recent documents that match a query.
    Find(Find),
    /// Some of what you asked for.
    Found(Found),
}

/// Asks a neighbour for its recent documents that match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Find {
    /// Comes back with the answer; counts up.
    pub request: u32,
    /// A query in its canonical form, as JSON text of at most
    /// [`crate::limits::FIND_QUERY_BYTES`].
    pub query: String,
    /// How many documents at most, the newest.
    pub limit: u16,
    /// Only documents created then or later.
    pub since: Timestamp,
}

/// A part of the answer to a [`Find`]: documents as their authors signed them, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The request that this answers.
    pub request: u32,
    /// Some documents, or none.
    pub documents: Vec<SignedDocument>,
    /// What there is beyond it.
    pub rest: Rest,
}

/// What there is beyond a part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rest {
    /// Another part, which follows.
    Follows,
    /// Nothing: that was all.
    Nothing,
    /// Nothing follows, and there may be more: beyond the limit of the one that asked, or of the one that was asked.
    LeftOut,
}
