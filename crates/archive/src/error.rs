//! Why an archive does not do what it is asked.

use crate::{limits, store::StoreError};

/// Why an archive does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Its store does not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store has the documents of another network.
    #[error(
        "the store has documents of the network \"{0}\": choose another directory for this one"
    )]
    Network(String),
    /// More fields to index than [`limits::INDEXED`].
    #[error("{fields} fields are too many: an archive has indexes of {} at most", limits::INDEXED)]
    TooManyIndexes {
        /// How many there are.
        fields: usize,
    },
    /// A field that cannot be sorted by.
    #[error("there can be no index of \"{field}\": {reason}")]
    Index {
        /// Its path.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More than [`limits::WAITING_BYTES`] wait to be committed.
    #[error("too much waits to be committed: commit first")]
    CommitFirst,
}
