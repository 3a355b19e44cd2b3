//! What an application may want to know.

use taiinet_document::DocumentId;
use taiinet_identity::PeerId;

use crate::{
    Blacklisted, Incompatible, LinkFailure, LinkId, Misbehaviour, Time, limits, wire::RefusalReason,
};

/// Something that an application may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A neighbour was won.
    PeerConnected {
        /// The neighbour.
        peer: PeerId,
        /// The link to it.
        link: LinkId,
    },
    /// A neighbour was lost.
    PeerDisconnected {
        /// The former neighbour.
        peer: PeerId,
        /// Why the link ended.
        cause: Disconnect,
    },
    /// A link could not be made.
    DialFailed {
        /// The peer that was to be reached.
        peer: PeerId,
        /// Why it was not.
        cause: Disconnect,
    },
    /// A signaller accepted our join.
    SignallerJoined {
        /// Its address.
        url: String,
        /// Its key.
        signaller: PeerId,
    },
    /// A signaller was lost, refused us, or could not be reached.
    SignallerLost {
        /// Its address.
        url: String,
        /// Why the connection ended.
        cause: Disconnect,
        /// When it will be tried again.
        retry_at: Time,
    },
    /// A signaller told of another.
    SignallerLearned {
        /// Its address.
        url: String,
        /// Its key, which signed the address.
        signaller: PeerId,
    },
    /// A neighbour has taken a document of ours: it will not be lost with us.
    Taken {
        /// The document, by the hash of its signed bytes.
        id: DocumentId,
    },
    /// The root of the network's tree has named a document of ours: it has spread beyond our neighbours.
    Named {
        /// The document, by the hash of its signed bytes.
        id: DocumentId,
    },
    /// A document of ours found no neighbour before it was too old to be accepted by any.
    Lost {
        /// The document, by the hash of its signed bytes.
        id: DocumentId,
    },
    /// A peer misbehaved so much that it is blacklisted; a driver that keeps the list writes it again
    /// ([`crate::Peer::blacklist_to_keep`]).
    Blacklisted(Blacklisted),
    /// Something from a neighbour was refused.
    Rejected {
        /// The neighbour, if it had proven who it is.
        peer: Option<PeerId>,
        /// What it did.
        misbehaviour: Misbehaviour,
    },
}

/// Why a link ended or never came to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disconnect {
    /// The transport gave up.
    #[error(transparent)]
    Link(#[from] LinkFailure),
    /// The other end said no.
    #[error("refused: {0}")]
    Refused(RefusalReason),
    /// The other end said goodbye.
    #[error("it left")]
    Bye,
    /// Nothing was heard for too long.
    #[error("it fell silent")]
    Silent,
    /// The link was not open in time.
    #[error("no link within {} s", limits::DIAL_TIMEOUT.as_secs())]
    DialTimeout,
    /// The handshake was not finished in time.
    #[error("no handshake within {} s", limits::HANDSHAKE_TIMEOUT.as_secs())]
    HandshakeTimeout,
    /// No signaller or neighbour could pass our offer on.
    #[error("nobody could pass on the offer")]
    NoRoute,
    /// The signaller asks for more work than a peer does for a join.
    #[error(
        "it asks for {bits} bits of work, more than the {} that are done for a join",
        limits::WORK_BITS
    )]
    WorkTooHard {
        /// How much.
        bits: u8,
    },
    /// The signaller is another than the one that its address names (`wss://…#tn1…`).
    #[error("it has the key {shown}, and its address names {named}")]
    AnotherKey {
        /// The key in the address.
        named: PeerId,
        /// The key that it says is its own.
        shown: PeerId,
    },
    /// Too many peers had dialled us and not proven who they are.
    #[error("too many strangers came at once")]
    Crowded,
    /// It does not keep up with what it is sent.
    #[error("it does not keep up")]
    Overloaded,
    /// It speaks another version of the protocol, or is in another network, by no fault of either.
    #[error(transparent)]
    Incompatible(#[from] Incompatible),
    /// It broke the protocol.
    #[error(transparent)]
    Misbehaved(#[from] Misbehaviour),
    /// The peer was blacklisted by hand.
    #[error("it is blacklisted")]
    Blacklisted,
    /// We did not need the link any more.
    #[error("closed here")]
    Local,
}
