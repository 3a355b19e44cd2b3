//! Frames of negotiations: what it takes to make a new link through an old one.

use serde::{Deserialize, Serialize};
use taiinet_document::{Network, Timestamp};
use taiinet_identity::{Domain, PeerId, Signable, Signed};

use super::refusal::RefusalReason;
use crate::{Misbehaviour, limits};

/// How signals pass over links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignalFrame {
    /// A sealed part of a negotiation, for you or for a neighbour of yours.
    Signal(Signed<Signal>),
    /// I am not linked to the peer that your signal was for.
    Unreachable(PeerId),
}

/// A part of a negotiation. A carrier of it sees sender, recipient, time and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The network of both.
    pub network: Network,
    /// The peer that it is sealed to.
    pub to: PeerId,
    /// When it was made; worthless after [`crate::limits::SIGNAL_LIFE`].
    pub sent_at: Timestamp,
    /// A [`SignalBody`], sealed to `to`.
    #[serde(with = "taiinet_identity::bytes")]
    pub sealed: Vec<u8>,
}

impl Signable for Signal {
    const DOMAIN: Domain = Domain::Signal;
}

impl Signal {
    /// What a signed one says, **unverified**, if it is no larger than one may be.
    ///
    /// # Errors
    /// [`Misbehaviour::Oversize`], [`Misbehaviour::Undecodable`].
    pub fn peek(signed: &Signed<Self>) -> Result<Self, Misbehaviour> {
        let body = signed.peek().map_err(|_| Misbehaviour::Undecodable)?;
        if body.sealed.len() > limits::SEALED_BYTES {
            return Err(Misbehaviour::Oversize);
        }
        Ok(body)
    }
}

/// What is sealed inside a [`Signal`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalBody {
    /// The negotiation this belongs to, chosen at random by the peer that offers.
    pub session: u64,
    /// The part.
    pub part: SignalPart,
}

/// A part of a negotiation between two peers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignalPart {
    /// A session description that offers a link.
    Offer(String),
    /// The session description that takes the offer.
    Answer(String),
    /// An ICE candidate that came up after the description.
    Candidate(String),
    /// The offer is not taken.
    Refuse {
        /// Why the offer is refused.
        reason: RefusalReason,
        /// Do not offer again before so many milliseconds.
        retry_after_ms: u32,
    },
}
