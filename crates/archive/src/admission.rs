//! What becomes of a document that is offered.

use taiinet_document::{DocumentId, Timestamp};

/// What becomes of a document that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is kept; it is durable after the next commit.
    Stored,
    /// It is there already.
    Known,
    /// It is not given to anyone: a newer version has taken its place, or a deletion.
    Superseded {
        /// The newer version, or the deletion.
        by: DocumentId,
    },
    /// It is not kept.
    Refused(Refusal),
}

/// Why a document is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Of another network.
    #[error("it is of another network")]
    Network,
    /// No query matches it.
    #[error("no query of this archive matches it")]
    Unwanted,
    /// It has expired.
    #[error("it has expired")]
    Expired,
    /// Its time has not come yet.
    #[error("its time is in the future")]
    Future,
    /// Older than what is taken.
    #[error("it is older than what is taken")]
    TooOld {
        /// The time of the oldest that are.
        oldest: Timestamp,
    },
    /// There is no room for it: everything of its author, or of all, is newer.
    #[error("there is no room for what is so old")]
    Quota,
}
