//! What one room tells the others.

use core::time::Duration;
use std::{collections::BTreeMap, sync::Arc};

use taiinet_document::{Content, DocumentId, Timestamp, VerifiedDocument};
use taiinet_identity::{PeerId, Signed, Verified};
use taiinet_query::{DocumentKeys, RoutingKey};

use crate::{
    Disconnect, LinkId, Misbehaviour,
    membership::Source,
    routes::Step,
    sync::Part,
    wire::{Entry, Joined, Presence, Signal, Slot, Way},
};

/// Something that happened in one room and that others may have to act on. [`Peer`](crate::Peer)
/// carries each to the rooms that it concerns, in the order in which they were told.
#[derive(Debug)]
pub(crate) enum Notice {
    // ---- Links ----
    /// A peer has proven who it is, and may become a neighbour.
    Proven { link: LinkId, peer: PeerId },
    /// A link has become active.
    NeighbourUp(NeighbourUp),
    /// A link is gone.
    LinkDown(LinkDown),
    /// A neighbour is in the middle of sending a large frame.
    Sending(LinkId),
    /// A neighbour has taken these documents from us.
    Taken(Vec<DocumentId>),
    /// A neighbour begins or ceases to doze.
    Dozes { link: LinkId, dozing: bool },
    /// We do.
    WeDoze(bool),
    /// A neighbour is not believed any more.
    Suspect(LinkId),
    /// Other links than before lead up or down a tree.
    Moved,
    /// Something wrong came over a link that is none to a peer.
    Offended { link: LinkId, misbehaviour: Misbehaviour },
    /// We are back on a network or awake.
    Woke,
    /// Nothing is heard of any neighbour: perhaps it is us who are cut off.
    AllSilent,
    /// We have slept: every peer is to be asked whether it is still there. `again`: also those that were
    /// asked already.
    Probe { again: bool },

    // ---- Other peers ----
    /// A peer or signaller tells of peers.
    Heard { via: LinkId, source: Source, presences: Vec<Signed<Presence>> },
    /// No link is to be made to this one, unless it is heard of again.
    Forget(PeerId),
    /// No link is to be made to this one before the time is over.
    Rest { peer: PeerId, wait: Duration },
    /// There is no way to ask this one for a link, and why.
    NoWay { peer: PeerId, cause: Disconnect },
    /// A search begins: an archive should be a neighbour.
    Searches,
    /// No archive will become a neighbour soon.
    NoArchive,
    /// So many candidates are wanted from each signaller that may be asked.
    Introduce { want: u8 },
    /// And some that want the same.
    IntroduceFor { key: RoutingKey },
    /// A signaller says that these want the same: it has told of them just before.
    WantTheSame { key: RoutingKey, peers: Vec<PeerId> },
    /// A link to this candidate is wanted, for the sake of suppliers.
    DialForSupply(PeerId),
    /// A link to this candidate is wanted.
    Dial(Candidacy),

    // ---- Negotiations ----
    /// A signal for us has come over a link to a signaller.
    Signalled { via: LinkId, signal: Verified<Signal> },
    /// A signal is to be sent over a link to a signaller.
    Signal { via: LinkId, signal: Signed<Signal> },
    /// The peer that a signal was for cannot be reached over this link.
    Unreachable { peer: PeerId, via: LinkId },
    /// A signaller has taken our join: signals pass over it.
    RouteFound,
    /// Signals do not pass over this link any more.
    RouteLost(LinkId),

    // ---- Documents ----
    /// A document is new here, and verified.
    Accepted(Accepted),
    /// This part of what we have is to be compared with a neighbour's.
    Compare { link: LinkId, part: Part },
    /// Something of what a neighbour has may have escaped us: it is to be compared once there is room.
    CompareLater(LinkId),
    /// A neighbour has said what it wants.
    Wants(LinkId),
    /// What a root has named has not come: this neighbour was to supply us, or the tree was to bring it.
    Missed { slot: Slot, supplier: Option<LinkId> },
    /// A root has named documents.
    Named(Named),
    /// A document that is here goes to these as well.
    Pass { id: DocumentId, steps: BTreeMap<LinkId, Step>, also: Option<DocumentKeys> },
    /// Another copy of a document has come, on a way that it may not have gone.
    Again { link: LinkId, id: DocumentId, way: Way, also: Option<DocumentKeys> },
    /// A document that was here has come up to the root of another tree than before.
    Climbed(Climbed),
    /// A neighbour may lack these.
    Missing { link: LinkId, ids: Vec<DocumentId> },
}

/// A new neighbour.
#[derive(Debug)]
pub(crate) struct NeighbourUp {
    pub(crate) link: LinkId,
    pub(crate) peer: PeerId,
    pub(crate) session: u64,
    /// From when on it cares for documents.
    pub(crate) since: Timestamp,
}

/// A link that is gone.
#[derive(Debug)]
pub(crate) struct LinkDown {
    pub(crate) link: LinkId,
    pub(crate) peer: PeerId,
    pub(crate) session: u64,
    pub(crate) incoming: bool,
    /// Whether a signaller relayed it.
    pub(crate) relayed: bool,
    /// Whether it did not count among the links that we want.
    pub(crate) extra: bool,
    /// Whether it led to a neighbour.
    pub(crate) active: bool,
    /// Whether it may well be that the other end is there, and we at another place.
    pub(crate) blameless: bool,
    pub(crate) cause: Disconnect,
}

/// A candidate that was picked.
#[derive(Debug)]
pub(crate) struct Candidacy {
    pub(crate) peer: PeerId,
    /// The signaller that it joined.
    pub(crate) joined: Option<Joined>,
    /// Where it can be dialled, if it has an address.
    pub(crate) address: Option<String>,
    /// The links over which we heard of it.
    pub(crate) heard_from: Vec<LinkId>,
    /// Whether it seeks a supplier.
    pub(crate) sought: bool,
}

/// A document that was not seen before.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) document: Arc<VerifiedDocument>,
    /// How many links it crossed.
    pub(crate) hops: u8,
    /// The link that it came over, and the peer at the other end; none for our own.
    pub(crate) from: Option<(LinkId, PeerId)>,
    /// On which way it came; none if it floods, or begins here.
    pub(crate) way: Option<Way>,
    /// Where it goes as well: to those that wanted what it replaces or deletes.
    pub(crate) also: Option<DocumentKeys>,
    /// Another version of the same moment.
    pub(crate) conflict: Option<DocumentId>,
}

impl Accepted {
    /// The keys of which those that want it have one.
    pub(crate) fn keys(&self) -> DocumentKeys {
        keys_of(&self.document, self.also.as_ref())
    }
}

/// The keys of a document that goes where others are wanted, too. Of a deletion it is these alone. Of what may
/// replace another, as far as nobody has said where that was wanted, it is everything.
pub(crate) fn keys_of(document: &VerifiedDocument, also: Option<&DocumentKeys>) -> DocumentKeys {
    match (document.content(), also) {
        (Content::Deleted(_), Some(also)) => also.clone(),
        (_, Some(also)) => DocumentKeys::of(document).union(also),
        (_, None) if document.key.is_some() => DocumentKeys::EVERYTHING,
        (_, None) => DocumentKeys::of(document),
    }
}

/// A document that has come up to the root of a tree once more.
#[derive(Debug)]
pub(crate) struct Climbed {
    pub(crate) slot: Slot,
    pub(crate) document: Arc<VerifiedDocument>,
    pub(crate) keys: DocumentKeys,
}

/// Documents that a root has named.
#[derive(Debug)]
pub(crate) struct Named {
    /// The tree.
    pub(crate) slot: Slot,
    /// How many links lead to its root.
    pub(crate) depth: u8,
    pub(crate) entries: Vec<Entry>,
}
