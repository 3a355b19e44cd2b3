//! Why a peer or signaller says no.

use serde::{Deserialize, Serialize};
use taiinet_identity::Signed;

use super::presence::Presence;

/// Why not, and when to ask again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why it refuses.
    pub reason: RefusalReason,
    /// Do not ask again before so many milliseconds.
    pub retry_after_ms: u32,
    /// Peers to ask instead.
    pub instead: Vec<Signed<Presence>>,
}

/// Why a peer or signaller refuses. On the wire a number, in the order of the variants; a later version may
/// have more.
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
#[serde(from = "u8", into = "u8")]
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
    /// The join or presence is not valid: signature or challenge.
    #[error("the join is not valid")]
    Invalid,
    /// Shutting down.
    #[error("it is shutting down")]
    Leaving,
    /// A key that is not on its list.
    #[error("it does not admit this key")]
    NotAdmitted,
    /// An address that is none of its own was dialled.
    #[error("it is not known by this address")]
    Address,
    /// The times of a join do not hold: one of the two clocks is off.
    #[error("its clock and this device's differ too much")]
    Clock,
    /// The peer that a link was to be relayed to is not here.
    #[error("it is not at the signaller that would relay the link")]
    Absent,
    /// A signaller that relays no links, or a peer that wants none relayed.
    #[error("it relays no links")]
    NoRelay,
    /// A reason of a later version, by its number.
    #[error("for a reason that this version does not know ({0})")]
    Unknown(u8),
}

/// The reasons that this version knows, by number.
const REASONS: [RefusalReason; 12] = [
    RefusalReason::Full,
    RefusalReason::AlreadyLinked,
    RefusalReason::Version,
    RefusalReason::Network,
    RefusalReason::TooOften,
    RefusalReason::Invalid,
    RefusalReason::Leaving,
    RefusalReason::NotAdmitted,
    RefusalReason::Address,
    RefusalReason::Clock,
    RefusalReason::Absent,
    RefusalReason::NoRelay,
];

impl From<u8> for RefusalReason {
    fn from(number: u8) -> Self {
        REASONS.get(usize::from(number)).copied().unwrap_or(Self::Unknown(number))
    }
}

impl From<RefusalReason> for u8 {
    fn from(reason: RefusalReason) -> Self {
        match reason {
            RefusalReason::Full => 0,
            RefusalReason::AlreadyLinked => 1,
            RefusalReason::Version => 2,
            RefusalReason::Network => 3,
            RefusalReason::TooOften => 4,
            RefusalReason::Invalid => 5,
            RefusalReason::Leaving => 6,
            RefusalReason::NotAdmitted => 7,
            RefusalReason::Address => 8,
            RefusalReason::Clock => 9,
            RefusalReason::Absent => 10,
            RefusalReason::NoRelay => 11,
            RefusalReason::Unknown(number) => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_a_reason_and_keeps_its_number() {
        for number in 0..=u8::MAX {
            assert_eq!(u8::from(RefusalReason::from(number)), number);
        }
        assert!(REASONS.iter().all(|reason| !matches!(reason, RefusalReason::Unknown(_))));
    }
}
