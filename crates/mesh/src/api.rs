//! The words between the core and its driver: what goes in, what comes out.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use taiinet_document::{
    DocumentError, DocumentId, Network, Opened, SealError, Timestamp, VerifiedDocument,
};
use taiinet_identity::{EnvelopeError, PeerId, Signed};

use crate::{
    Blacklisted, ChannelBinding, Misbehaviour, Quota, Time,
    frame::{Astray, IceServer, RefusalReason, Signal},
    limits,
};

/// Names a link of this peer. The core chooses it when it dials; it is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub(crate) u64);

impl LinkId {
    /// For drivers' own tests; a core gives out its ids itself.
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number behind it.
    pub const fn raw(self) -> u64 {
        self.0
    }
}

impl core::fmt::Display for LinkId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Names a subscription of this peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub(crate) u64);

/// Names a search of this peer ([`crate::Peer::find`]); it is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindId(pub(crate) u32);

/// A signaller's address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignallerAddress {
    /// `ws://…` or `wss://…`.
    pub url: String,
    /// The key it must prove, if the address named one (`wss://…#tn1…`).
    pub pinned: Option<PeerId>,
}

impl SignallerAddress {
    /// Whether this is the URL of a signaller's address: `ws://HOST` or `wss://HOST`, with a port and a
    /// path or without, and nothing else.
    pub fn is_url(text: &str) -> bool {
        crate::signallers::is_address(text)
    }
}

/// How a peer takes part.
#[derive(Debug, Clone)]
pub struct Config {
    /// The network to take part in.
    pub network: Network,
    /// Where to be introduced to others.
    pub signallers: Vec<SignallerAddress>,
    /// Signallers that others have told of in an earlier run ([`crate::Peer::learned_signallers`]), each
    /// with its key.
    pub learned: Vec<SignallerAddress>,
    /// How many active links to keep.
    pub target_links: usize,
    /// How many active links to have at most.
    pub max_links: usize,
    /// How many bytes of recent documents to keep for neighbours that missed them.
    pub store_bytes: usize,
    /// How much one author may write; all peers of a network must agree.
    pub quota: Quota,
    /// Who was blacklisted in an earlier run.
    pub blacklist: Vec<Blacklisted>,
    /// For the pool of signallers: peers are reached by their addresses, without introductions.
    pub direct: Option<Direct>,
}

/// How a peer takes part in a network whose peers have addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Direct {
    /// Where others reach us, as `wss://…`; if none, only we dial.
    pub address: Option<String>,
    /// Whom to dial first; all others are learned from them.
    pub seeds: Vec<SignallerAddress>,
    /// Who may be a neighbour; anybody, if none.
    pub allowed: Option<BTreeSet<PeerId>>,
}

impl Config {
    /// A peer of `network` with the usual numbers and no signaller yet.
    pub const fn new(network: Network) -> Self {
        Self {
            network,
            signallers: Vec::new(),
            learned: Vec::new(),
            target_links: limits::TARGET_LINKS,
            max_links: limits::MAX_LINKS,
            store_bytes: limits::STORE_BYTES,
            quota: Quota { documents: limits::AUTHOR_DOCUMENTS, bytes: limits::AUTHOR_BYTES },
            blacklist: Vec::new(),
            direct: None,
        }
    }
}

/// What the driver tells the core.
#[derive(Debug, Clone)]
pub enum Input {
    /// The channel of a dialled link is open.
    LinkUp {
        /// Which.
        link: LinkId,
        /// What identifies the channel to both ends.
        binding: ChannelBinding,
    },
    /// The transport has a description or candidate for the other end of a link being dialled.
    Negotiation {
        /// Which link.
        link: LinkId,
        /// What the other end needs.
        part: Negotiation,
    },
    /// A message arrived on a link.
    Message {
        /// Which link.
        link: LinkId,
        /// The message, whole.
        bytes: Vec<u8>,
    },
    /// The transport has passed on so many bytes of what it was given: room for more.
    Sent {
        /// Which link.
        link: LinkId,
        /// How many bytes of [`Output::Send`] that was.
        bytes: usize,
    },
    /// A link closed, failed or could not be opened. Comes once for each [`Output::Dial`], whoever
    /// closed it.
    LinkDown {
        /// Which link.
        link: LinkId,
        /// Why.
        cause: LinkFailure,
    },
    /// Whether the application is behind with its deliveries. While it is, documents are taken but
    /// not acknowledged, so neighbours stop sending when their windows are full.
    Behind(bool),
    /// The device is back on a network or awake: try again at once whatever waits for a back-off, and
    /// ask everybody whether they are still there. Comes before what else happened meanwhile.
    Wake,
    /// Whether this peer dozes, as a browser's hidden tab does: its timers come late, once a minute or
    /// so. Neighbours are told, so that they are patient with it and route around it; what else
    /// happens drives its clock.
    Doze(bool),
}

/// A part of a negotiation, opaque to the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Negotiation {
    /// The session description (SDP): the offer, or the answer to it.
    Description(String),
    /// An ICE candidate that came up after the description.
    Candidate(String),
}

/// Why a transport gave up a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkFailure {
    /// Closed by us.
    #[error("closed here")]
    Local,
    /// Closed by the other end.
    #[error("closed by the other end")]
    Remote,
    /// No path was found, or the path was lost.
    #[error("no path to the other end: {0}")]
    Unreachable(String),
    /// The description or candidate of the other end was not usable, or the transport broke.
    #[error("the transport failed: {0}")]
    Transport(String),
}

/// What the core wants done.
#[derive(Debug, Clone)]
pub enum Output {
    /// Open a link; report [`Input::LinkUp`] or [`Input::LinkDown`].
    Dial {
        /// Its name from now on.
        link: LinkId,
        /// How.
        dial: Dial,
    },
    /// Give this to the transport of a link being dialled: the other end sent it.
    Negotiate {
        /// Which link.
        link: LinkId,
        /// What the other end says.
        part: Negotiation,
    },
    /// Send a message; report [`Input::Sent`] when the transport has passed it on.
    Send {
        /// Which link.
        link: LinkId,
        /// The message, at most [`limits::MESSAGE_BYTES`].
        bytes: Vec<u8>,
    },
    /// Close a link when what was given to it is sent, within a second or so; then report
    /// [`Input::LinkDown`].
    Close {
        /// Which link.
        link: LinkId,
    },
    /// Hand a document to the application; comes once for each document.
    Deliver(Delivery),
    /// Something that an application may want to know.
    Event(Event),
    /// A document that a search found; comes once for each document of a search.
    Found {
        /// Which search.
        find: FindId,
        /// The document.
        document: Arc<VerifiedDocument>,
        /// What it says, if it was sealed to us.
        opened: Option<Arc<Opened>>,
    },
    /// A neighbour in the pool passes on a signal for one of our clients ([`Direct`]).
    Relayed {
        /// The neighbour.
        from: PeerId,
        /// The signal; nothing of it is checked.
        signal: Signed<Signal>,
    },
    /// A signal that we passed on ([`crate::Peer::relay`]) did not find its recipient, says a
    /// neighbour in the pool.
    Astray {
        /// The neighbour. Whether the signal went to this one is not checked.
        from: PeerId,
        /// Which signal.
        astray: Astray,
    },
    /// A search is over: nothing more of it comes.
    FindDone {
        /// Which.
        find: FindId,
        /// Whether each neighbour that was asked has answered, and there was one; or there was no
        /// need for more, because the limit was reached.
        complete: bool,
    },
}

/// How a link is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dial {
    /// A WebRTC link, of which this end makes the offer.
    Offer {
        /// To whom.
        to: PeerId,
        /// STUN and TURN servers to use.
        ice_servers: Vec<IceServer>,
    },
    /// A WebRTC link, of which the other end made this offer.
    Answer {
        /// To whom.
        to: PeerId,
        /// The offer (SDP).
        offer: String,
        /// STUN and TURN servers to use.
        ice_servers: Vec<IceServer>,
    },
    /// A WebSocket to a signaller; each message is one binary message.
    Signaller {
        /// `ws://…` or `wss://…`.
        url: String,
    },
    /// A WebSocket to another signaller's pool ([`Direct`]).
    Direct {
        /// Its address, `ws://…` or `wss://…`.
        url: String,
    },
}

/// A document that matches subscriptions of this peer.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The document.
    pub document: Arc<VerifiedDocument>,
    /// What it says, if it was sealed to us.
    pub opened: Option<Arc<Opened>>,
    /// Whose queries it matches; never empty.
    pub subscriptions: Vec<SubscriptionId>,
    /// How many links it crossed, as far as anybody can tell; 0 for our own.
    pub hops: u8,
    /// The neighbour it came from; none for our own.
    pub from: Option<PeerId>,
}

/// Something that an application may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A neighbour was won.
    PeerConnected {
        /// Who.
        peer: PeerId,
        /// Over which link.
        link: LinkId,
    },
    /// A neighbour was lost.
    PeerDisconnected {
        /// Who.
        peer: PeerId,
        /// Why.
        cause: Disconnect,
    },
    /// A link could not be made.
    DialFailed {
        /// To whom.
        peer: PeerId,
        /// Why.
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
        /// Why.
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
        /// Which document.
        id: DocumentId,
    },
    /// A document of ours found no neighbour before it was too old to be accepted by any.
    Lost {
        /// Which document.
        id: DocumentId,
    },
    /// A peer misbehaved so much that it is blacklisted; whoever keeps the list keeps it anew
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
    /// Too many had dialled us and not proven who they are.
    #[error("too many strangers came at once")]
    Crowded,
    /// It does not keep up with what it is sent.
    #[error("it does not keep up")]
    Overloaded,
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

/// Who may read a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Audience {
    /// Everyone in the network.
    #[default]
    Everyone,
    /// Whoever subscribed privately to what it matches, as far as this peer has heard. Where that are
    /// more than an envelope has room for, or their queries too dear, each peer gets its turn, and
    /// [`Counters::left_out`] counts the rest.
    Subscribers,
    /// These peers: by their private subscriptions that it matches (forward-secret), or else by their
    /// identity keys.
    Peers(Vec<PeerId>),
}

/// What an author may add to a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishOptions {
    /// Who may read it.
    pub audience: Audience,
    /// The names of fields that everybody may read, also if it is not for everyone.
    pub public: Vec<String>,
    /// From when on the document is worthless.
    pub expires_at: Option<Timestamp>,
    /// The newest document of one author under one key replaces the older.
    pub key: Option<String>,
}

/// Why a document was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Too many documents of ours wait for a neighbour to take them; try again after
    /// [`Event::Taken`].
    #[error("too many documents wait to be taken by a neighbour; try again when some are")]
    Busy,
    /// The document belongs to another network.
    #[error("the document belongs to another network")]
    WrongNetwork,
    /// The document is expired, too old or dated in the future: no peer would accept it.
    #[error("the document is expired, too old or dated in the future; no peer would accept it")]
    OutOfTime,
    /// Nobody is known who subscribed privately to it, or nobody was named.
    #[error("nobody is known who subscribed privately to this")]
    NoRecipient,
    /// The document cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The document breaks a limit.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The document was signed by another identity, or for another network.
    #[error("only documents of this peer and this network can be published")]
    Foreign,
}

impl From<EnvelopeError> for PublishError {
    fn from(error: EnvelopeError) -> Self {
        Self::Seal(error.into())
    }
}

/// Too many subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a peer has at most {} subscriptions, {} of them private",
    limits::SUBSCRIPTIONS,
    limits::PRIVATE_SUBSCRIPTIONS
)]
pub struct TooManySubscriptions;

/// Too many searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a peer searches for at most {} queries at once; await earlier ones first", limits::FINDS)]
pub struct TooManyFinds;

/// A picture of a peer at one moment.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Its links to other peers, by age.
    pub links: Vec<LinkStatus>,
    /// The signallers it knows.
    pub signallers: Vec<SignallerStatus>,
    /// STUN and TURN servers that signallers named.
    pub ice_servers: Vec<IceServer>,
    /// How many candidates for links it knows.
    pub candidates: usize,
    /// How many private subscriptions of others and our own it could seal to.
    pub private: usize,
    /// Peers that no link could be made to, and why.
    pub failed: Vec<(PeerId, Disconnect)>,
    /// Who is blacklisted now.
    pub blacklist: Vec<Blacklisted>,
    /// What it did so far.
    pub counters: Counters,
}

/// A link as [`Status`] shows it.
#[derive(Debug, Clone)]
pub struct LinkStatus {
    /// Its name.
    pub link: LinkId,
    /// The peer at the other end.
    pub peer: PeerId,
    /// How far it is.
    pub state: LinkState,
    /// Whether the other end opened it.
    pub incoming: bool,
    /// Whether we push documents to it (eager) or announce them (lazy).
    pub eager: bool,
    /// Whether the other end says that it dozes ([`Input::Doze`]).
    pub dozing: bool,
    /// Since when it is in this state.
    pub since: Time,
    /// The last measured round trip.
    pub round_trip_ms: Option<u64>,
    /// Documents sent.
    pub documents_sent: u64,
    /// Documents received, first copies only.
    pub documents_received: u64,
    /// Further copies received of documents we had.
    pub duplicates: u64,
    /// Offences.
    pub rejected: u64,
    /// What it has against it, in points: [`limits::BLACKLISTED_AT`] lead to the blacklist.
    pub points: u32,
    /// Bytes waiting to be sent.
    pub queued_bytes: usize,
}

/// How far a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkState {
    /// Being negotiated.
    Dialling,
    /// Open; the peers prove who they are.
    Handshake,
    /// In use.
    Active,
}

/// A signaller as [`Status`] shows it.
#[derive(Debug, Clone)]
pub struct SignallerStatus {
    /// Its address.
    pub url: String,
    /// Its key, once it has proven it.
    pub signaller: Option<PeerId>,
    /// Whether our join holds.
    pub joined: bool,
    /// Why it was lost, or could not be reached, last.
    pub failure: Option<Disconnect>,
}

/// What a peer did so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Documents of our own.
    pub published: u64,
    /// Private subscriptions that our documents matched and had no room for, or whose queries would have
    /// taken too much work to evaluate ([`limits::MATCH_WORK`]).
    pub left_out: u64,
    /// Sealed documents that were passed on and that we did not look into, since that would have taken
    /// too much work ([`limits::OPENINGS`]).
    pub unopened: u64,
    /// Documents that matched a subscription.
    pub delivered: u64,
    /// Documents received and verified, first copies.
    pub received: u64,
    /// Further copies.
    pub duplicates: u64,
    /// Documents sent over links, all copies.
    pub sent: u64,
    /// Announced ids received.
    pub announced: u64,
    /// Documents asked for after an announcement.
    pub grafted: u64,
    /// What was refused, by reason.
    pub rejected: BTreeMap<Misbehaviour, u64>,
}
