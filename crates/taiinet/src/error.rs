//! What can go wrong.

use taiinet_document::{DocumentError, JsonError, NetworkError, SealError};
use taiinet_mesh::{
    BlacklistError, KeepError, TooManyFinds, TooManySubscriptions, VersionAhead, limits,
};
use taiinet_query::QueryError;
use taiinet_session::{Indiscreet, LiveError};
use taiinet_webrtc::RootsError;

use crate::{address::AddressError, blacklist::BlacklistFileError};

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The builder was not given a network.
    #[error("no network: name the one to take part in with `network`")]
    NoNetwork,
    /// The name of the network is not valid.
    #[error("network: {0}")]
    Network(#[from] NetworkError),
    /// The address of a signaller is not valid.
    #[error("signaller `{given}`: {cause}")]
    Signaller {
        /// The address as it was given.
        given: String,
        /// What is wrong with it.
        cause: AddressError,
    },
    /// The extra certificate authorities are none.
    #[error("extra_roots: {0}")]
    Roots(#[from] RootsError),
    /// There are too many signallers.
    #[error("signallers: at most {}", limits::SIGNALLERS)]
    TooManySignallers,
    /// The numbers of links do not go together.
    #[error(
        "links: the target {target} and the most {max} must be 1 ≤ target ≤ most ≤ {}",
        limits::MAX_LINKS
    )]
    Links {
        /// How many neighbours to look for.
        target: usize,
        /// How many to accept at most.
        max: usize,
    },
    /// The operating system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The blacklist's file cannot be used.
    #[error(transparent)]
    Blacklist(#[from] BlacklistFileError),
    /// The archive cannot be opened.
    #[cfg(feature = "archive")]
    #[error("archive: {0}")]
    Archive(#[from] crate::archive::ArchiveStartError),
    /// A peer cannot be blacklisted.
    #[error(transparent)]
    NotBlacklisted(#[from] BlacklistError),
    /// The query is not valid.
    #[error("query: {0}")]
    Query(#[from] QueryError),
    /// The peer has as many subscriptions as it may have.
    #[error("{0}; drop some first")]
    TooManySubscriptions(#[from] TooManySubscriptions),
    /// The subscription cannot be discreet.
    #[error(transparent)]
    Indiscreet(#[from] Indiscreet),
    /// A live result set cannot be had.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// The peer searches for as much as it may.
    #[error(transparent)]
    TooManyFinds(#[from] TooManyFinds),
    /// The peer has as much under way to archives as it may: several imports at once.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// No archive has answered.
    #[error("no archive of the network has taken them within {} s", waited.as_secs_f64())]
    NoArchive {
        /// How long one was waited for.
        waited: core::time::Duration,
    },
    /// The document breaks a limit.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The document would not be the newest version under its key, for the clock of this peer or of another is wrong.
    #[error(transparent)]
    VersionAhead(#[from] VersionAhead),
    /// No peer is known that the document could be sealed to.
    #[error(
        "no peer is known that subscribed privately to this: wait for one, or name peers to send it to"
    )]
    NoRecipient,
    /// The document cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The document is not JSON.
    #[error("the document: {0}")]
    Json(#[from] JsonError),
    /// The document is JSON, but not an object.
    #[error("a document is an object like {{\"name\": …}}, not {found}")]
    NotADocument {
        /// The type that it is.
        found: &'static str,
    },
    /// No neighbour took documents of ours before they were too old to be accepted, or expired.
    #[error(
        "{documents} of the documents found no neighbour before they were too old ({} s) or expired; \
         publish them again",
        limits::LIVE_WINDOW.as_secs()
    )]
    Lost {
        /// How many documents.
        documents: u64,
    },
    /// Documents that were to be published [until the network has them](crate::Until::Network) were taken by a
    /// neighbour, and the network's root has not named them before they were too old. They may have spread all the same.
    #[error(
        "{documents} of the documents went to a neighbour, and the network has not confirmed them within {} s; \
         they may have spread all the same: look for them, or publish them again",
        limits::LIVE_WINDOW.as_secs()
    )]
    Unconfirmed {
        /// How many documents.
        documents: u64,
    },
    /// The peer was closed.
    #[error("the peer is closed")]
    Closed,
}
