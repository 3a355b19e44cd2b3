//! What comes out.

use std::sync::Arc;

use taiinet_document::{
    Differences, Inquiry, Opened, ShortId, SignedDocument, Timestamp, VerifiedBytes,
    VerifiedDocument,
};
use taiinet_identity::{PeerId, Signed};
use taiinet_query::{
    SharedQuery,
    sort::{Place, Sort},
};

#[cfg(doc)]
use crate::{Direct, Input, limits};
use crate::{
    Event, FindId, KeepId, LinkId, Negotiation, SubscriptionId,
    wire::{IceServer, Outcome, Signal, Undeliverable},
};

/// What a message is for: the most urgent of what is in it. All lanes but the media's are one ordered and
/// reliable channel; live media never share a message with anything else, so that a driver may give them a
/// channel of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Lane {
    /// What keeps the link and the mesh going.
    Control,
    /// Live media; reserved, nothing is sent in it yet.
    Media,
    /// Documents as they are published.
    Documents,
    /// Documents that were asked for: answers to searches.
    History,
}

/// What the core wants done.
#[derive(Debug, Clone)]
pub enum Output {
    /// Open a link; report [`Input::LinkUp`] or [`Input::LinkDown`].
    Dial {
        /// Its name from now on.
        link: LinkId,
        /// What kind of link, and where it leads.
        dial: Dial,
    },
    /// Give this to the transport of a link being dialled: the other end sent it.
    Negotiate {
        /// The link that is being made.
        link: LinkId,
        /// What the other end says.
        part: Negotiation,
    },
    /// Send a message; report [`Input::Sent`] when the transport has passed it on.
    Send {
        /// The link to send on.
        link: LinkId,
        /// What it is for.
        lane: Lane,
        /// The message, at most [`limits::WIRE_BYTES`].
        bytes: Vec<u8>,
    },
    /// Close a link when what was given to it is sent, within a second or so; then report
    /// [`Input::LinkDown`].
    Close {
        /// The link to close.
        link: LinkId,
    },
    /// Hand a document to the application; comes once for each document.
    Deliver(Delivery),
    /// Two versions of one document bear the same time; which of them counts is by chance.
    Conflict(Conflict),
    /// Something that an application may want to know.
    Event(Event),
    /// A document that a search found; comes once for each document of a search, in the order that was asked for.
    Found {
        /// The search, as [`Peer::find`](crate::Peer::find) named it.
        find: FindId,
        /// The document, verified.
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
    Undeliverable {
        /// The neighbour. Whether the signal went to this one is not checked.
        from: PeerId,
        /// What tells the signal from others.
        undeliverable: Undeliverable,
    },
    /// A neighbour looks for something, and an [archive](crate::Config::archive) is to answer it
    /// ([`Peer::answer`](crate::Peer::answer)).
    Asked {
        /// The link to the neighbour.
        link: LinkId,
        /// What it looks for.
        question: Question,
    },
    /// Something that an [archive](crate::Config::archive) is to do so that it, or a neighbour's, gets what it lacks;
    /// it goes on with [`Peer::reconciled`](crate::Peer::reconciled).
    Reconcile {
        /// The link to the neighbour.
        link: LinkId,
        /// What to do.
        what: Reconcile,
    },
    /// A document that was not here before, for an [archive](crate::Config::archive).
    Accepted(Arc<VerifiedDocument>),
    /// A neighbour wants an [archive](crate::Config::archive) to keep documents, of whatever age; when those that it
    /// keeps are on the disk, it says what became of each ([`Peer::took`](crate::Peer::took)).
    Offered {
        /// The link to the neighbour.
        link: LinkId,
        /// The number that the answer bears.
        request: u32,
        /// The documents, verified; at most [`limits::KEEP_DOCUMENTS`].
        documents: Vec<VerifiedBytes>,
    },
    /// What has become of documents that archives were asked to keep.
    Took {
        /// As [`Peer::keep`](crate::Peer::keep) named them.
        keep: KeepId,
        /// Of each document in the order in which they were given; none if no archive has answered in time.
        outcomes: Option<Vec<Outcome>>,
    },
    /// A search has given as many as are wanted for now, or all that there are.
    FindDone {
        /// The search.
        find: FindId,
        /// Whether that was all: each neighbour that was asked has answered, and there was one, and none
        /// has left out anything.
        complete: bool,
        /// From where to go on. If there is none the search is over; else it rests until it goes on
        /// ([`Peer::find_more`](crate::Peer::find_more)) or is ended ([`Peer::find_end`](crate::Peer::find_end)).
        cursor: Option<Place>,
        /// How many neighbours have answered.
        sources: usize,
    },
}

/// How a link is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dial {
    /// A WebRTC link, of which this end makes the offer.
    Offer {
        /// The peer that the offer goes to.
        to: PeerId,
        /// STUN and TURN servers to use.
        ice_servers: Vec<IceServer>,
    },
    /// A WebRTC link, of which the other end made this offer.
    Answer {
        /// The peer that made the offer.
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

/// A document that matches subscriptions of this peer; or one that matches none, and may replace or delete what
/// did.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The document, verified.
    pub document: Arc<VerifiedDocument>,
    /// What it says, if it was sealed to us.
    pub opened: Option<Arc<Opened>>,
    /// The subscriptions that it matches. None for a deletion, and for a version that matches none: the older one
    /// may have.
    pub subscriptions: Vec<SubscriptionId>,
    /// How many links it crossed, as far as one can tell; 0 for our own.
    pub hops: u8,
    /// The neighbour it came from; none for our own.
    pub via: Option<PeerId>,
}

/// What a neighbour asks an archive.
#[derive(Debug, Clone)]
pub struct Question {
    /// The number that the answer bears.
    pub request: u32,
    /// What is to match.
    pub query: SharedQuery,
    /// In which order the documents are wanted.
    pub sort: Sort,
    /// Only those behind this place.
    pub after: Option<Place>,
    /// How many at most.
    pub limit: usize,
    /// How many bytes of them at most ([`SignedDocument::size`]).
    pub bytes: usize,
}

/// What an archive answers.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Documents in the order that was asked for.
    pub documents: Vec<SignedDocument>,
    /// Up to where these are all that match; none if there are no more. Greater than where it was to begin, and
    /// not less than the place of the last document.
    pub until: Option<Place>,
    /// Whether something that may match was left out.
    pub left_out: bool,
    /// What it took, in units of [`taiinet_query::Fuel`]: the neighbour's link pays for it.
    pub work: u64,
}

/// What an archive is to do so that it, or a neighbour's, gets what it lacks.
#[derive(Debug, Clone)]
pub enum Reconcile {
    /// Begin to get from this neighbour what is lacking.
    Pull {
        /// The neighbour.
        peer: PeerId,
        /// It says that it has nothing from before.
        since: Timestamp,
        /// For the fingerprints.
        salt: [u8; 32],
    },
    /// The neighbour's answer to [`Reconciled::Inquire`].
    Differs(Differences),
    /// One of the documents of [`Reconciled::Want`]: take it, if it is wanted.
    Brings(Arc<VerifiedDocument>),
    /// No more of these comes.
    Given,
    /// The link is gone: forget what goes on with it.
    End,
    /// The neighbour does not answer: nothing more is asked of it now. What it asks is another matter.
    GiveUp,
    /// The neighbour asks what differs: answer [`Reconciled::Differences`].
    Compare {
        /// The number that the answer bears.
        request: u32,
        /// What the neighbour has.
        inquiry: Inquiry,
    },
    /// The neighbour asks for documents: answer [`Reconciled::Documents`].
    Pick {
        /// The number that the answer bears.
        request: u32,
        /// Ascending, [`limits::WANTED_IDS`] at most.
        ids: Vec<ShortId>,
        /// How many bytes of them at most ([`SignedDocument::size`]).
        bytes: usize,
    },
}

/// What an archive says to that.
#[derive(Debug, Clone)]
pub enum Reconciled {
    /// Ask the neighbour what differs.
    Inquire(Inquiry),
    /// Ask the neighbour for these: ascending, [`limits::WANTED_IDS`] at most.
    Want(Vec<ShortId>),
    /// That is all for this time.
    Done {
        /// Whether much was asked and nothing was new: then it is not asked again so soon.
        fruitless: bool,
    },
    /// The answer to [`Reconcile::Compare`].
    Differences {
        /// Its number.
        request: u32,
        /// What differs.
        differences: Differences,
        /// How many rows were read for that: the neighbour's link pays for them.
        looked: usize,
    },
    /// The answer to [`Reconcile::Pick`].
    Documents {
        /// Its number.
        request: u32,
        /// Those that are there.
        documents: Vec<SignedDocument>,
        /// How many were looked for.
        looked: usize,
    },
}

/// Two versions of one document that bear the same time. Only those that everyone can read are looked at.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// The subscriptions that one of them matches; never empty.
    pub subscriptions: Vec<SubscriptionId>,
    /// The version that counts: that of the greater id.
    pub winner: Arc<VerifiedDocument>,
    /// The other.
    pub loser: Arc<VerifiedDocument>,
}
