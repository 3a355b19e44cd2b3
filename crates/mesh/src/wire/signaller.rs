//! What stands on the wire between a peer and a signaller: a message is one of these.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use taiinet_document::Timestamp;
use taiinet_identity::{PeerId, Signature, Signed};
use taiinet_query::RoutingKey;

use super::{
    address::is_ice_url,
    circuit::CircuitFrame,
    codec::decode,
    kind::{Cost, UNKNOWN, VERIFICATION, cost},
    presence::Presence,
    refusal::RefusalReason,
    signal::Signal,
};
use crate::{Misbehaviour, limits};

/// Reads a frame that is one message; none: it is of a later version, and skipped. Its first byte is the
/// number of its kind.
fn read<T: DeserializeOwned>(bytes: &[u8], known: u8) -> Result<Option<T>, Misbehaviour> {
    match bytes.first() {
        Some(kind) if (known..0x80).contains(kind) && bytes.len() <= limits::FRAME_BYTES => {
            Ok(None)
        }
        _ => decode(bytes).map(Some),
    }
}

impl ToSignaller {
    /// How many kinds this version knows.
    const KINDS: u8 = 7;

    /// Reads a message of a peer; none: it is of a later version, and skipped.
    ///
    /// # Errors
    /// [`Misbehaviour::Undecodable`], [`Misbehaviour::Oversize`].
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, Misbehaviour> {
        read(bytes, Self::KINDS)
    }
}

/// What it takes a peer to deal with each kind of [`FromSignaller`]; presences that are verified are spent
/// besides.
const COSTS: [Cost; FromSignaller::KINDS as usize] = [
    // Welcome (a signature), Joined, Introduced.
    cost(VERIFICATION + 20, 1),
    cost(20, 1),
    cost(20, 10),
    // Signal (verified and opened), Unreachable, Refused, Pong.
    cost(150, 2),
    cost(20, 1),
    cost(5, 1),
    cost(1, 1),
    // Turn, Signallers, Clock.
    cost(20, 10),
    cost(20, 10),
    cost(1, 1),
    // Relays, Circuit (what it carries is charged to its link; one that opens is charged besides).
    cost(1, 1),
    cost(10, 2),
    // IntroducedFor.
    cost(20, 10),
];

impl FromSignaller {
    /// How many kinds this version knows.
    const KINDS: u8 = 13;

    /// What it costs to deal with an encoded message, of whatever kind, in the units of
    /// [`WORK`](limits::WORK).
    pub(crate) fn cost_of(bytes: &[u8]) -> u64 {
        let cost = bytes.first().and_then(|kind| COSTS.get(usize::from(*kind)));
        cost.copied().unwrap_or(UNKNOWN).of(bytes.len())
    }

    /// Reads a message of a signaller; none: it is of a later version, and skipped.
    ///
    /// # Errors
    /// [`Misbehaviour::Undecodable`], [`Misbehaviour::Oversize`].
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, Misbehaviour> {
        read(bytes, Self::KINDS)
    }
}

/// From a peer to a signaller, in a session ([`crate::session`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToSignaller {
    /// Join (again): a presence that names the session of this connection.
    Join {
        /// The presence of the client that joins.
        presence: Signed<Presence>,
        /// The answer to [`Welcome::work`], if that asks for any ([`crate::work`]).
        work: u64,
    },
    /// Introduce me to up to so many peers of my network.
    Introduce {
        /// How many.
        want: u8,
    },
    /// Are you there?
    Ping(u32),
    /// Pass this on: the same bytes are the [`FromSignaller::Signal`] that the recipient gets.
    Signal(Signed<Signal>),
    /// I leave; forget my presence.
    Leave,
    /// Of a link that is relayed, or is to be ([`FromSignaller::Relays`]).
    Circuit(CircuitFrame),
    /// Introduce me to up to so many of your clients in my network that have named the same key.
    IntroduceFor {
        /// How many.
        want: u8,
        /// A key of what I want.
        key: RoutingKey,
    },
}

/// From a signaller to a peer, in a session ([`crate::session`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromSignaller {
    /// The first: who it is.
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
    /// Something you asked for is refused; after any reason but `TooOften` the connection closes.
    Refused {
        /// Why the signaller refuses.
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
    /// What its clock says; comes before the answer to a join that was signed at quite another time.
    Clock(Timestamp),
    /// I relay links, so many at once for you; comes before the answer to a first join. A signaller that does not
    /// say it relays none.
    Relays(u8),
    /// Of a link that is relayed, or is to be.
    Circuit(CircuitFrame),
    /// Other clients that have named the key of [`ToSignaller::IntroduceFor`].
    IntroducedFor {
        /// The key.
        key: RoutingKey,
        /// Their presences, as they signed them.
        presences: Vec<Signed<Presence>>,
    },
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

    /// Whether this is the URL of a server: `stun:HOST:PORT` (RFC 7064), `turn:HOST:PORT?transport=udp` or
    /// `turns:…` (RFC 7065). Port and transport (`udp`, `tcp`) may be left out; nothing else may stand in it.
    pub fn is_url(text: &str) -> bool {
        is_ice_url(text)
    }

    /// Whether it has the form of one, and is not too long. None of its parts may have anything but
    /// printable ASCII in it: they come from strangers, and are shown to people.
    pub fn is_well_formed(&self) -> bool {
        let fits = |text: &str| {
            text.len() <= limits::ICE_SERVER_BYTES
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        Self::is_url(&self.url) && fits(&self.username) && fits(&self.credential)
    }
}

/// A signaller's first word in a session: who it is, proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The signaller.
    pub signaller: PeerId,
    /// Over [`Session::hash`](crate::session::Session::hash), in
    /// [`Domain::Welcome`](taiinet_identity::Domain::Welcome).
    pub signature: Signature,
    /// STUN servers as `stun:HOST:PORT`; an empty host is the one of the signaller's own address.
    pub ice_servers: Vec<String>,
    /// How many zero bits the work for a join must begin with; none is asked for if 0.
    pub work: u8,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{
        testing,
        wire::{CircuitPart, codec::encode},
    };

    #[test]
    fn frames_of_a_later_version_are_skipped_and_those_of_this_one_are_not() {
        let circuit =
            CircuitFrame { peer: PeerId::from_bytes([7; 32]), part: CircuitPart::Took(1) };
        let key = testing::routing_key(r#"{"a":1}"#);
        let frame = ToSignaller::Circuit(circuit.clone());
        assert_eq!(ToSignaller::read(&encode(&frame)), Ok(Some(frame)));
        let frame = ToSignaller::IntroduceFor { want: 4, key };
        let last = encode(&frame);
        assert_eq!(last[0], ToSignaller::KINDS - 1);
        assert_eq!(ToSignaller::read(&last), Ok(Some(frame)));
        assert_eq!(ToSignaller::read(&[ToSignaller::KINDS, 1, 2, 3]), Ok(None));
        let frame = FromSignaller::Circuit(circuit);
        assert_eq!(FromSignaller::read(&encode(&frame)), Ok(Some(frame)));
        let frame = FromSignaller::IntroducedFor { key, presences: Vec::new() };
        let last = encode(&frame);
        assert_eq!(last[0], FromSignaller::KINDS - 1);
        assert_eq!(FromSignaller::read(&last), Ok(Some(frame)));
        assert_eq!(FromSignaller::read(&[0x7f]), Ok(None));
        for bytes in [&[][..], &[0x80], &[0xff; 9], &[0]] {
            assert_eq!(ToSignaller::read(bytes), Err(Misbehaviour::Undecodable), "{bytes:?}");
        }
        let long = vec![0x7f; limits::FRAME_BYTES + 1];
        assert_eq!(FromSignaller::read(&long), Err(Misbehaviour::Oversize));
    }
}
