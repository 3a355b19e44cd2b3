//! A picture of a peer.

use std::collections::BTreeMap;

use taiinet_identity::PeerId;

use crate::{
    Blacklisted, Disconnect, LinkId, Misbehaviour, Spreading, Time,
    wire::{IceServer, Kept},
};
#[cfg(doc)]
use crate::{Input, limits};

/// A picture of a peer at one moment.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Its links to other peers, by age.
    pub links: Vec<LinkStatus>,
    /// How documents spread in the network, as its root says.
    pub spreading: Spreading,
    /// How many bytes of memory it takes to know what others want.
    pub interest_bytes: usize,
    /// How far neighbours supply it with what it wants, beside the trees.
    pub supply: SupplyStatus,
    /// Its place in each of the network's trees that has a root.
    pub trees: Vec<TreeStatus>,
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
    /// The peers that are blacklisted now.
    pub blacklist: Vec<Blacklisted>,
    /// What it did so far.
    pub counters: Counters,
}

/// A link as [`Status`] shows it.
#[derive(Debug, Clone)]
pub struct LinkStatus {
    /// The name by which inputs and outputs call the link.
    pub link: LinkId,
    /// The peer at the other end.
    pub peer: PeerId,
    /// How far it is.
    pub state: LinkState,
    /// Whether the other end opened it.
    pub incoming: bool,
    /// Whether we push documents to it (eager) or announce them (lazy).
    pub eager: bool,
    /// Whether a signaller relays it, since no direct one could be had.
    pub relayed: bool,
    /// What the archive at the other end says that it keeps, if there is one.
    pub archive: Option<Kept>,
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
    /// How often it broke a rule of the protocol.
    pub rejected: u64,
    /// What it has against it, in points: [`limits::BLACKLISTED_AT`] lead to the blacklist.
    pub points: u32,
    /// Bytes waiting to be sent.
    pub queued_bytes: usize,
}

/// What neighbours supply each other with, as [`Status`] shows it. It counts routing keys
/// ([`taiinet_query::RoutingKey`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SupplyStatus {
    /// How many the peer wants.
    pub wanted: usize,
    /// How many of these a neighbour supplies.
    pub supplied: usize,
    /// How many it supplies neighbours with.
    pub supplying: usize,
}

/// A peer's place in one of the network's trees, as [`Status`] shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeStatus {
    /// Which of the trees it is: below [`crate::limits::SLOTS`].
    pub slot: u8,
    /// The root.
    pub root: PeerId,
    /// The neighbour on the way to it; none for the root itself, and while none has been found.
    pub parent: Option<PeerId>,
    /// How many links lead to the root.
    pub depth: u8,
    /// For how many neighbours this peer is the parent.
    pub children: usize,
    /// How many peers there are in the network, as the root says.
    pub peers: u32,
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
    /// Whether it relays links between peers that cannot be linked directly. It says so before our join holds.
    pub relays: bool,
    /// Why it was lost, or could not be reached, last.
    pub failure: Option<Disconnect>,
    /// How many milliseconds our clock was ahead of its own (behind, if less than nothing) at our last
    /// join; none if the two agreed, or it said nothing. It is the signaller's word, and no more.
    pub clock_ahead_ms: Option<i64>,
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
    /// Documents whose content only a later version can read: they were passed on, or found for us, and
    /// not delivered here.
    pub unknown: u64,
    /// Key exchanges that looking into sealed documents has taken, at most.
    pub exchanges: u64,
    /// Work that it took to find the recipients of what is to be sealed, in units of
    /// [`taiinet_query::Fuel`].
    pub matching_work: u64,
    /// Documents that matched a subscription.
    pub delivered: u64,
    /// Documents received and verified, first copies.
    pub received: u64,
    /// Of these, those that matched a subscription of ours, and were delivered. The others came because of how
    /// documents spread, for an archive behind us, for a discreet subscription, or since they delete or announce something.
    pub wanted: u64,
    /// Of those received, the ones that matched no subscription when they came, and were pushed to other
    /// neighbours at once. One that was only announced to them is not counted.
    pub passed_on: u64,
    /// Further copies.
    pub duplicates: u64,
    /// Documents sent over links, all copies.
    pub sent: u64,
    /// Announced ids received.
    pub announced: u64,
    /// Documents asked for after an announcement.
    pub grafted: u64,
    /// Documents asked for that a root had named and that had not come.
    pub asked: u64,
    /// Documents that were sent up the tree once more, since no root had named them.
    pub resent: u64,
    /// What was refused, by reason.
    pub rejected: BTreeMap<Misbehaviour, u64>,
}

impl Counters {
    /// How many of the documents received matched no subscription of ours, passed on or not.
    pub const fn unwanted(&self) -> u64 {
        self.received.saturating_sub(self.wanted)
    }
}
