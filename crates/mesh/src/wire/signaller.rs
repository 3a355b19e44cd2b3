//! What stands on the wire between a peer and a signaller: a message is one of these.

use serde::{Deserialize, Serialize};
#[cfg(doc)]
use taiinet_identity::Domain;
use taiinet_identity::{PeerId, Signature, Signed};

use super::{presence::Presence, refusal::RefusalReason, signal::Signal};
use crate::limits;

/// From a peer to a signaller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToSignaller {
    /// The first frame.
    Knock {
        /// The protocol's version.
        version: u16,
        /// Fresh for each connection; the signaller signs it.
        nonce: [u8; 32],
    },
    /// Join (again): a presence that answers this connection's challenge.
    Join {
        /// Who joins.
        presence: Signed<Presence>,
        /// The answer to [`Welcome::work`], if that asks for any ([`crate::work`]).
        work: u64,
    },
    /// Introduce me to up to so many peers of my network.
    Introduce {
        /// How many.
        want: u8,
    },
    /// Pass this on: the same bytes are the [`FromSignaller::Signal`] that the recipient gets.
    Signal(Signed<Signal>),
    /// Are you there?
    Ping(u32),
    /// I leave; forget my presence.
    Leave,
}

/// From a signaller to a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromSignaller {
    /// The answer to a knock.
    Welcome(Welcome),
    /// The join holds until the presence expires.
    Joined,
    /// Peers of your network.
    Introduced {
        /// Their presences, as they signed them.
        presences: Vec<Signed<Presence>>,
        /// Do not ask again before so many milliseconds.
        retry_after_ms: u32,
    },
    /// A signal for you: the same bytes as the [`ToSignaller::Signal`] that its sender sent.
    Signal(Signed<Signal>),
    /// The peer that your signal was for is not here.
    Unreachable(PeerId),
    /// Something you asked for is refused; after `Full`, `Version`, `Invalid` and `Leaving` the
    /// connection closes.
    Refused {
        /// Why.
        reason: RefusalReason,
        /// Do not try again before so many milliseconds.
        retry_after_ms: u32,
    },
    /// I am.
    Pong(u32),
    /// TURN servers and what to show them, good for a while; comes after each join that holds.
    Turn(Vec<IceServer>),
    /// Further signallers: their presences in the pool ([`super::POOL`]), with their addresses.
    Signallers(Vec<Signed<Presence>>),
}

/// A server that helps two peers to find a path to each other, or to pass on what they say (RFC 8489,
/// RFC 8656).
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:HOST:PORT`, or `turn:…` or `turns:…` (RFC 7064, RFC 7065).
    pub url: String,
    /// For TURN.
    pub username: String,
    /// For TURN.
    pub credential: String,
}

impl core::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "IceServer({})", self.url)
    }
}

impl IceServer {
    /// A STUN server, `stun:HOST:PORT`.
    pub fn stun(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// Whether it has the form of one, and is not too long.
    pub fn is_well_formed(&self) -> bool {
        let kind = ["stun:", "turn:", "turns:"].iter().any(|kind| self.url.starts_with(kind));
        let fits = |text: &str| text.len() <= limits::ICE_SERVER_BYTES;
        kind && fits(&self.url) && fits(&self.username) && fits(&self.credential)
    }
}

/// A signaller's answer to a knock: who it is, proven, and what a join must answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The signaller.
    pub signaller: PeerId,
    /// Fresh for each connection.
    pub challenge: [u8; 32],
    /// Over [`Welcome::transcript`], in [`Domain::Welcome`].
    pub signature: Signature,
    /// STUN servers as `stun:HOST:PORT`; an empty host is the one of the signaller's own address.
    pub ice_servers: Vec<String>,
    /// How many zero bits the work for a join must begin with; none is asked for if 0.
    pub work: u8,
}

impl Welcome {
    /// What a signaller signs: the peer's nonce and its own challenge.
    pub fn transcript(nonce: &[u8; 32], challenge: &[u8; 32]) -> [u8; 64] {
        let mut transcript = [0; 64];
        transcript[..32].copy_from_slice(nonce);
        transcript[32..].copy_from_slice(challenge);
        transcript
    }
}
