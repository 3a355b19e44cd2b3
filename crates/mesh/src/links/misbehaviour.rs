//! What a neighbour can do wrong.

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use crate::limits;

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
    /// A document that was over so long ago that no clock can be so wrong.
    #[error("passed on a document that was long over")]
    LongOver,
    /// A document that breaks a limit of its content.
    #[error("passed on a malformed document")]
    MalformedDocument,
    /// More documents of its own than an author may write.
    #[error("wrote more than its quota")]
    AuthorFlood,
    /// More shuffles and comparisons than the limit.
    #[error("exchanged views and digests too often")]
    ExchangeFlood,
    /// Changed its state, or what it would have us push, more often than the limit.
    #[error("changed its mind too often")]
    StateFlood,
    /// More documents than its window holds, though we have not acknowledged the earlier ones.
    #[error("sent more documents than its window holds")]
    OverWindow,
    /// More announcements than the limit.
    #[error("announced too much")]
    AnnouncementFlood,
    /// More work than the limit, and no end of it.
    #[error("asked for more work than a link may make")]
    WorkFlood,
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
    /// asked for; an answer about documents that were not sent to be kept.
    #[error("answered what was not asked")]
    Unasked,
    /// A message that does not open in its session: a carrier of the link may have changed it.
    #[error("sent what does not open in its session")]
    BadSession,
    /// More documents to be kept, or more of them at once, than the limit.
    #[error("asked for more to be kept than a link may")]
    KeepFlood,
}

impl Misbehaviour {
    /// Each there is.
    pub const ALL: [Self; 25] = [
        Self::Undecodable,
        Self::Oversize,
        Self::Unproven,
        Self::BadProof,
        Self::OutOfTurn,
        Self::InvalidSignature,
        Self::WrongNetwork,
        Self::OutOfTime,
        Self::LongOver,
        Self::MalformedDocument,
        Self::AuthorFlood,
        Self::ExchangeFlood,
        Self::StateFlood,
        Self::OverWindow,
        Self::AnnouncementFlood,
        Self::WorkFlood,
        Self::RequestFlood,
        Self::SignalFlood,
        Self::BrokenPromise,
        Self::FalseAck,
        Self::FindFlood,
        Self::InvalidQuery,
        Self::Unasked,
        Self::BadSession,
        Self::KeepFlood,
    ];

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
                | Self::OverWindow
                | Self::WorkFlood
                | Self::FalseAck
                | Self::BadSession
        )
    }

    /// What it costs the offender in points, of which [`limits::BLACKLISTED_AT`] lead to the blacklist.
    ///
    /// Nothing, unless it is certain that every honest peer would have caught it before it passed it
    /// on: what depends on a clock, or on what another peer did, is no proof of ill will.
    pub const fn weight(self) -> u32 {
        match self {
            // Not the protocol at all.
            Self::Undecodable
            | Self::Oversize
            | Self::Unproven
            | Self::BadProof
            | Self::OutOfTurn
            | Self::OverWindow
            | Self::FalseAck => 50,
            // Checked by everyone before anything else is done with it.
            Self::InvalidSignature
            | Self::WrongNetwork
            | Self::MalformedDocument
            | Self::InvalidQuery
            | Self::Unasked
            | Self::KeepFlood => 10,
            // An honest peer keeps well below; one may come close.
            Self::AuthorFlood
            | Self::ExchangeFlood
            | Self::StateFlood
            | Self::AnnouncementFlood
            | Self::RequestFlood
            | Self::SignalFlood
            | Self::WorkFlood
            | Self::FindFlood => 2,
            Self::OutOfTime | Self::LongOver | Self::BrokenPromise | Self::BadSession => 0,
        }
    }

    /// What it costs the link that it came over, of [`limits::LINK_TOLERANCE`]. A neighbour that costs
    /// more is of no use, though perhaps through no fault of its own: the link is closed, and that is
    /// all.
    pub const fn link_cost(self) -> usize {
        match self {
            Self::LongOver => 1,
            Self::BrokenPromise => 40,
            _ => 0,
        }
    }
}
