//! What a neighbour can do wrong.

use serde::{Deserialize, Serialize};

/// An offence of the peer at the other end of a link. Each is dropped and counted where it happens.
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
pub enum Misbehaviour {
    /// A message that does not decode, or a fragment out of place.
    #[error("sent bytes that are no frame")]
    Undecodable,
    /// A message or frame over its limit.
    #[error("sent a message over the limit")]
    Oversize,
    /// A frame that may not come before the handshake is finished.
    #[error("sent data before it proved who it is")]
    Unproven,
    /// A handshake whose proof does not hold.
    #[error("failed to prove who it is")]
    BadProof,
    /// A frame that has no place at this point.
    #[error("sent a frame out of turn")]
    OutOfTurn,
    /// A document, presence or signal whose signature does not hold.
    #[error("passed on something with an invalid signature")]
    InvalidSignature,
    /// A document, presence or signal of another network.
    #[error("passed on something of another network")]
    WrongNetwork,
    /// A document or presence dated in the future, expired, or too old.
    #[error("passed on something out of its time")]
    OutOfTime,
    /// A document that breaks a limit of its content.
    #[error("passed on a malformed document")]
    MalformedDocument,
    /// More announcements than the limit.
    #[error("announced too much")]
    AnnouncementFlood,
    /// The same document requested again and again.
    #[error("asked for the same document too often")]
    RequestFlood,
    /// More signals than the limit.
    #[error("sent too many signals")]
    SignalFlood,
    /// A document announced, asked for, and never sent.
    #[error("announced a document and did not send it")]
    BrokenPromise,
    /// Acknowledged documents that were never sent.
    #[error("acknowledged what it never got")]
    FalseAck,
    /// More searches than the limit.
    #[error("asked for too many searches")]
    FindFlood,
    /// A search for a query that is none.
    #[error("asked for a query that is not valid")]
    InvalidQuery,
    /// Documents in answer to a search that was not made, that do not match it, or are more than it
    /// asked for.
    #[error("answered what was not asked")]
    Unasked,
}

impl Misbehaviour {
    /// Whether the link is closed at once: it does not speak the protocol, so nothing that follows
    /// can be understood or believed.
    pub const fn is_fatal(self) -> bool {
        matches!(
            self,
            Self::Undecodable
                | Self::Oversize
                | Self::Unproven
                | Self::BadProof
                | Self::OutOfTurn
                | Self::FalseAck
        )
    }

    /// Whether every honest peer would have caught it before it passed it on. What depends on a
    /// clock, or on what somebody else did, is counted but never held against a neighbour.
    pub const fn is_certain(self) -> bool {
        !matches!(self, Self::OutOfTime | Self::BrokenPromise)
    }
}
