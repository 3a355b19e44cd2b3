//! Why something was not done.

use core::time::Duration;

use taiinet_document::{DocumentError, SealError};
use taiinet_identity::EnvelopeError;

#[cfg(doc)]
use crate::Event;
use crate::limits;

/// Why a document was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Too many documents of ours wait for a neighbour to take them; try again after
    /// [`Event::Taken`].
    #[error("too many documents wait to be taken by a neighbour; try again when some are")]
    Busy,
    /// The document belongs to another network.
    #[error("the document belongs to another network")]
    WrongNetwork,
    /// The document is expired, too old or dated in the future: no peer would accept it.
    #[error("the document is expired, too old or dated in the future; no peer would accept it")]
    OutOfTime,
    /// It would not be the newest version under its key.
    #[error(transparent)]
    VersionAhead(#[from] VersionAhead),
    /// No peer is known that subscribed privately to it, or none was named.
    #[error("no peer is known that subscribed privately to this")]
    NoRecipient,
    /// The document cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The document breaks a limit.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The document was signed by another identity, or for another network.
    #[error("only documents of this peer and this network can be published")]
    Foreign,
}

impl From<EnvelopeError> for PublishError {
    fn from(error: EnvelopeError) -> Self {
        Self::Seal(error.into())
    }
}

/// The newest version under a key is dated further ahead of our clock than [`limits::VERSION_LEAD`]: an earlier one
/// would be replaced at once, and a later one refused by many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the newest version under this key is dated {} s ahead of this clock, and only {} s can be followed: \
     set the clock if it is wrong, or try again later",
    by.as_secs(), limits::VERSION_LEAD.as_secs()
)]
pub struct VersionAhead {
    /// How far.
    pub by: Duration,
}

/// Too many subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a peer has at most {} subscriptions, {} of them private",
    limits::SUBSCRIPTIONS,
    limits::PRIVATE_SUBSCRIPTIONS
)]
pub struct TooManySubscriptions;

/// Why no archive is asked to keep documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// There are more than go into one request.
    #[error(
        "at most {} documents are kept at once, and {} bytes of several",
        limits::KEEP_DOCUMENTS,
        limits::KEEP_BYTES
    )]
    TooLarge,
    /// Too many requests wait for an archive.
    #[error(
        "at most {} requests to keep documents wait at once; await earlier ones first",
        limits::KEEPS
    )]
    Busy,
}

/// Too many searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a peer searches for at most {} queries at once; await earlier ones first", limits::FINDS)]
pub struct TooManyFinds;
