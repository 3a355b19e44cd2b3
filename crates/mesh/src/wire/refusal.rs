//! Why a peer or signaller says no.

use serde::{Deserialize, Serialize};
use taiinet_identity::Signed;

use super::presence::Presence;

/// Why not, and when to ask again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why not.
    pub reason: RefusalReason,
    /// Do not ask again before so many milliseconds.
    pub retry_after_ms: u32,
    /// Whom to ask instead.
    pub instead: Vec<Signed<Presence>>,
}

/// Why a peer or signaller refuses.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    thiserror::Error,
)]
pub enum RefusalReason {
    /// No room for another link, connection or join.
    #[error("it has no room")]
    Full,
    /// A link between the two exists.
    #[error("a link to it exists already")]
    AlreadyLinked,
    /// Another version of the protocol.
    #[error("it speaks another version of the protocol")]
    Version,
    /// Another network, or one that is not served.
    #[error("it does not serve this network")]
    Network,
    /// Too many requests.
    #[error("it was asked too often")]
    TooOften,
    /// The join or presence is not valid: signature, challenge or time.
    #[error("the join is not valid")]
    Invalid,
    /// Shutting down.
    #[error("it is shutting down")]
    Leaving,
    /// A key that is not on its list.
    #[error("it does not admit this key")]
    NotAdmitted,
}
