//! What goes in.

use core::time::Duration;

use taiinet_document::{Key, Timestamp};
use taiinet_identity::PeerId;
use taiinet_query::sort::{Place, Sort};

use crate::{ChannelBinding, LinkId, limits};
#[cfg(doc)]
use crate::{Counters, Direct, Output};

/// What the driver tells the core.
#[derive(Debug, Clone)]
pub enum Input {
    /// The channel of a dialled link is open.
    LinkUp {
        /// The name that [`Output::Dial`] gave it.
        link: LinkId,
        /// What identifies the channel to both ends.
        binding: ChannelBinding,
    },
    /// The transport has a description or candidate for the other end of a link being dialled.
    Negotiation {
        /// The link that is being made.
        link: LinkId,
        /// What the other end needs.
        part: Negotiation,
    },
    /// A message arrived on a link.
    Message {
        /// The link that it came over.
        link: LinkId,
        /// The message, whole.
        bytes: Vec<u8>,
    },
    /// The transport has passed on so many bytes of what it was given: room for more.
    Sent {
        /// The link that has sent.
        link: LinkId,
        /// How many bytes of [`Output::Send`] that was.
        bytes: usize,
    },
    /// A link closed, failed or could not be opened. Comes once for each [`Output::Dial`],
    /// whichever end closed it.
    LinkDown {
        /// The link that is down.
        link: LinkId,
        /// Why it is.
        cause: LinkFailure,
    },
    /// Whether the application is behind with its deliveries. While it is, documents are taken but
    /// not acknowledged, so neighbours stop sending when their windows are full.
    Behind(bool),
    /// The device is back on a network or awake: try again at once whatever waits for a back-off, and
    /// ask every neighbour whether it is still there, and dial again those that do not answer. Comes before what
    /// else happened meanwhile. Also where the device has another address, or may have.
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
    /// Somebody is there, and is not what was dialled, or not to be trusted.
    #[error("{what}; {cure}")]
    Mistaken {
        /// What is wrong.
        what: String,
        /// What the user, or the operator of the other end, can do about it.
        cure: String,
    },
}

/// Who may read a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Audience {
    /// Everyone in the network.
    #[default]
    Everyone,
    /// The peers that subscribed privately to it, as far as this peer has heard. Where those are more
    /// than an envelope has room for, or their queries too expensive, each peer gets its turn, and
    /// [`Counters::left_out`] counts the rest.
    Subscribers,
    /// These peers: by their private subscriptions that it matches (forward-secret), or else by their
    /// identity keys.
    Peers(Vec<PeerId>),
}

/// How documents are looked for.
#[derive(Debug, Clone)]
pub struct FindOptions {
    /// In which order.
    pub sort: Sort,
    /// Only those behind this place in the order: where another search ended.
    pub after: Option<Place>,
    /// How many documents at most; more by [`Peer::find_more`](crate::Peer::find_more).
    pub limit: u16,
    /// How long to wait for a neighbour and for answers; [`limits::FIND_TIMEOUT`] at most.
    pub wait: Duration,
}

impl FindOptions {
    /// The newest first, so many of them.
    pub fn newest(limit: u16) -> Self {
        Self { sort: Sort::newest(), after: None, limit, wait: limits::FIND_TIMEOUT }
    }
}

/// What an author may add to a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishOptions {
    /// Who may read it.
    pub audience: Audience,
    /// The names of fields that every peer may read, also if it is not for everyone.
    pub public: Vec<String>,
    /// From when on the document is worthless.
    pub expires_at: Option<Timestamp>,
    /// The newest version under one key replaces the older.
    pub key: Option<Key>,
}
