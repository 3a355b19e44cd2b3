//! What stands on the wire between peers, and between a peer and a signaller.
//!
//! A *message* is what a transport carries whole: at most [`crate::limits::MESSAGE_BYTES`]. It holds one or
//! more frames, each preceded by its length as a varint ([`codec`]). A frame too large for a message
//! is cut into [`Frame::Fragment`]s. Frames are postcard; the order of the variants is the format.

pub mod codec;

use serde::{Deserialize, Serialize};
use taiinet_document::{DocumentId, Network, SignedDocument, Timestamp};
use taiinet_identity::{Domain, PeerId, Signable, Signature, Signed};

use crate::{ChannelBinding, Misbehaviour, limits};

/// The version of the protocol that this crate speaks.
pub const VERSION: u16 = 1;
/// The network in which signallers are peers of one another. No signaller lets others join it.
pub const POOL: &str = "taiinet/signallers";

/// A frame between two peers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    /// The first frame both ways: who I say I am.
    Hello(Hello),
    /// The second frame both ways: the proof of it, over both hellos and the channel binding.
    Proof(Signature),
    /// The third frame both ways: I take you as a neighbour.
    Neighbour(Neighbour),
    /// I do not take you as a neighbour (now); the link closes.
    Refuse(Refusal),
    /// I am leaving; the link closes.
    Bye,
    /// Are you there? The number comes back.
    Ping(u32),
    /// I am.
    Pong(u32),
    /// Some peers of mine; tell me some of yours.
    Shuffle(Vec<Signed<Presence>>),
    /// Some peers of mine, in answer.
    ShuffleReply(Vec<Signed<Presence>>),
    /// A document, pushed or requested.
    Push(Push),
    /// Documents I have verified and did not push to you.
    Have(Vec<DocumentId>),
    /// Send me these, and push to me what comes.
    Graft(Vec<DocumentId>),
    /// I get these documents from another neighbour sooner: announce instead of pushing.
    Prune,
    /// Whether I have more links than I need: where both ends have, one link less does no harm, and
    /// leaves room for who comes new.
    Surplus(bool),
    /// So many more bytes of documents from you were taken ([`SignedDocument::size`]).
    Ack(u32),
    /// A sealed part of a negotiation, for you or for a neighbour of yours.
    Signal(Signed<Signal>),
    /// I am not linked to the peer that your signal was for.
    Unreachable(PeerId),
    /// A piece of a larger frame.
    Fragment(Fragment),
    /// Whether I doze: my timers come once a minute, so be patient, and rather use others.
    Doze(bool),
    /// Send me recent documents that match a query.
    Find(Find),
    /// Some of what you asked for.
    Found(Found),
    /// Between signallers: a signal for a client of yours, from a client of mine.
    Relay(Signed<Signal>),
    /// Between signallers: the peer that your client's signal was for is not here.
    Astray(Astray),
    /// What I have; announce what I lack of it.
    Compare(Compare),
}

/// A signal that did not find its recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Astray {
    /// The network of both.
    pub network: Network,
    /// Whose signal it was.
    pub from: PeerId,
    /// For whom.
    pub to: PeerId,
}

/// Who a peer says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol's version.
    pub version: u16,
    /// The network it wants to speak in.
    pub network: Network,
    /// Its name, yet to be proven.
    pub peer: PeerId,
    /// Fresh for each link.
    pub nonce: [u8; 32],
}

impl Hello {
    /// What a [`Frame::Proof`] signs, in [`Domain::Hello`]: the hello of the end that offered the
    /// link, the hello of the end that answered, the channel, and whose proof it is, so that neither
    /// can be passed off as the other's.
    pub fn proof_content(
        offerer: &Self,
        answerer: &Self,
        binding: ChannelBinding,
        by_offerer: bool,
    ) -> Vec<u8> {
        let mut content = codec::encode(offerer);
        content.extend_from_slice(&codec::encode(answerer));
        content.extend_from_slice(binding.as_bytes());
        content.push(u8::from(by_offerer));
        content
    }
}

/// An offer to be neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// The sender's presence, for others to hear of it.
    pub presence: Option<Signed<Presence>>,
    /// From when on the sender cares for documents, by their `created_at`.
    pub since: Timestamp,
    /// What the sender has of them: for each [`crate::limits::DIGEST_MS`] from the one that holds
    /// `since`, the XOR of the first eight bytes (big-endian) of the ids. Where two ends differ,
    /// each announces what it has.
    pub digests: Vec<u64>,
}

/// What the sender has of a past time, now and then, so that what went astray is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compare {
    /// Its beginning.
    pub since: Timestamp,
    /// As in [`Neighbour`]; they end where the time does.
    pub digests: Vec<u64>,
}

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

/// A document on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// How many links it crossed before this one, as far as anybody can tell: a hint.
    pub hops: u8,
    /// The document as its author signed it.
    pub document: SignedDocument,
}

/// Asks a neighbour for its recent documents that match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Find {
    /// Comes back with the answer; counts up.
    pub request: u32,
    /// A query in its canonical form, as JSON text of at most
    /// [`crate::limits::FIND_QUERY_BYTES`].
    pub query: String,
    /// How many documents at most, the newest.
    pub limit: u16,
    /// Only documents created then or later.
    pub since: Timestamp,
}

/// A part of the answer to a [`Find`]: documents as their authors signed them, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The request that this answers.
    pub request: u32,
    /// Some documents, or none.
    pub documents: Vec<SignedDocument>,
    /// Whether nothing more follows.
    pub last: bool,
}

/// A piece of a larger frame; pieces of one frame follow one another, control frames may stand
/// between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// Whether this is the last piece.
    pub last: bool,
    /// The piece.
    #[serde(with = "bytes")]
    pub bytes: Vec<u8>,
}

/// "I am here": what a peer signs to join a signaller and to be introduced to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The network it is in.
    pub network: Network,
    /// The signaller it joined, with that signaller's challenge.
    pub joined: Option<Joined>,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// From when on it is worthless; at most [`crate::limits::PRESENCE_LIFE`] later.
    pub expires_at: Timestamp,
    /// Where a signaller can be reached, as `wss://…`; none for a peer.
    pub address: Option<String>,
}

impl Signable for Presence {
    const DOMAIN: Domain = Domain::Presence;
}

impl Presence {
    /// What a signed one says, **unverified**, if it is no larger than one may be: whoever keeps it
    /// or passes it on asks this first.
    ///
    /// # Errors
    /// [`Misbehaviour::Oversize`], [`Misbehaviour::Undecodable`].
    pub fn peek(signed: &Signed<Self>) -> Result<Self, Misbehaviour> {
        if signed.size() > limits::PRESENCE_BYTES {
            return Err(Misbehaviour::Oversize);
        }
        let body = signed.peek().map_err(|_| Misbehaviour::Undecodable)?;
        let address = body.address.as_ref().map_or(0, String::len);
        if address > limits::ADDRESS_BYTES { Err(Misbehaviour::Oversize) } else { Ok(body) }
    }

    /// Where it can be reached, if that is an address that a signaller may have.
    pub fn reachable_at(&self) -> Option<&str> {
        self.address.as_deref().filter(|url| crate::signallers::is_address(url))
    }
}

/// Binds a join to one signaller and one connection, so that it cannot be replayed elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The signaller.
    pub signaller: PeerId,
    /// The challenge it gave on this connection.
    pub challenge: [u8; 32],
}

/// A part of a negotiation. Who carries it sees from, to, time and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The network of both.
    pub network: Network,
    /// For whom.
    pub to: PeerId,
    /// When it was made; worthless after [`crate::limits::SIGNAL_LIFE`].
    pub sent_at: Timestamp,
    /// A [`SignalBody`], sealed to `to`.
    #[serde(with = "bytes")]
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
    /// The negotiation this belongs to, chosen at random by the one who offers.
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
        /// Why.
        reason: RefusalReason,
        /// Do not offer again before so many milliseconds.
        retry_after_ms: u32,
    },
}

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
    /// Further signallers: their presences in the pool ([`POOL`]), with their addresses.
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

    /// Whether it has the form of one, and is not too long. None of its parts may have anything but
    /// printable ASCII in it: they come from strangers, and are shown to people.
    pub fn is_well_formed(&self) -> bool {
        let kind = ["stun:", "turn:", "turns:"].iter().any(|kind| self.url.starts_with(kind));
        let fits = |text: &str| {
            text.len() <= limits::ICE_SERVER_BYTES
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
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

/// Byte vectors as byte strings: one copy instead of a loop over elements; the same wire format.
mod bytes {
    use core::fmt;

    use serde::{Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl<'de> de::Visitor<'de> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        from.deserialize_bytes(Bytes)
    }
}
