//! What can be seen of a world from outside.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_document::DocumentId;
use taiinet_identity::PeerId;
use taiinet_mesh::{Counters, Event, Status, Time, wire::FrameKind};
use taiinet_query::Query;

use super::{Delivered, Life, Published, Traffic, World};
use crate::PeerIndex;

impl World {
    /// All peers, dead or alive.
    pub fn peers(&self) -> Vec<PeerIndex> {
        (0..self.peers.len()).map(PeerIndex).collect()
    }

    /// The peers that take part.
    pub fn alive(&self) -> Vec<PeerIndex> {
        self.peers().into_iter().filter(|peer| self.is_alive(*peer)).collect()
    }

    /// Whether a peer takes part.
    pub fn is_alive(&self, peer: PeerIndex) -> bool {
        self.peers[peer.0].life == Life::Alive
    }

    /// A peer's name.
    pub fn id(&self, peer: PeerIndex) -> PeerId {
        self.peers[peer.0].identity.peer_id()
    }

    /// The peer of this name.
    pub fn peer_of(&self, id: &PeerId) -> Option<PeerIndex> {
        self.names.get(id).copied()
    }

    /// A peer's private key, for attacks that assume it stolen.
    pub fn stolen_identity(&self, peer: PeerIndex) -> taiinet_identity::Identity {
        self.peers[peer.0].identity.clone()
    }

    /// What a peer says of itself.
    pub fn status(&self, peer: PeerIndex) -> Status {
        self.peers[peer.0].peer.status(self.time_of(peer))
    }

    /// How many documents of a peer's own no neighbour has taken yet.
    pub fn untaken(&self, peer: PeerIndex) -> usize {
        self.peers[peer.0].peer.untaken()
    }

    /// How often a peer's deadline has come.
    pub fn time_outs(&self, peer: PeerIndex) -> u64 {
        self.peers[peer.0].time_outs
    }

    /// The one moment at which a peer wants to be called next.
    pub fn deadline(&self, peer: PeerIndex) -> Option<Time> {
        self.peers[peer.0].peer.poll_timeout()
    }

    /// What was delivered to a peer, in order.
    pub fn deliveries(&self, peer: PeerIndex) -> &[Delivered] {
        &self.peers[peer.0].deliveries
    }

    /// How many bytes peers have sent, by the kind of frame.
    pub const fn bytes_by_kind(&self) -> &BTreeMap<FrameKind, u64> {
        &self.by_kind
    }

    /// What a peer's application heard of and none of its subscriptions matches: it may replace or delete what one did.
    pub fn changes(&self, peer: PeerIndex) -> &[DocumentId] {
        &self.peers[peer.0].changes
    }

    /// What a peer told its application, in order.
    pub fn events(&self, peer: PeerIndex) -> &[(Time, Event)] {
        &self.peers[peer.0].events
    }

    /// What a peer subscribed to.
    pub fn queries(&self, peer: PeerIndex) -> impl Iterator<Item = &Query> {
        self.peers[peer.0].subscribed.iter().map(|subscribed| &subscribed.query)
    }

    /// How often a peer was restarted.
    pub fn lives(&self, peer: PeerIndex) -> u32 {
        self.peers[peer.0].lives
    }

    /// All documents that were published, in order.
    pub fn published(&self) -> &[Published] {
        &self.published
    }

    /// The active neighbours of a living peer that are living peers.
    pub fn neighbours(&self, peer: PeerIndex) -> BTreeSet<PeerIndex> {
        let ids = self.peers[peer.0].peer.neighbour_ids();
        ids.filter_map(|id| self.peer_of(&id)).filter(|other| self.is_alive(*other)).collect()
    }

    /// The neighbours of each peer, as both ends see it, among the living.
    pub fn graph(&self) -> BTreeMap<PeerIndex, BTreeSet<PeerIndex>> {
        let one_sided: BTreeMap<PeerIndex, BTreeSet<PeerIndex>> =
            self.alive().into_iter().map(|peer| (peer, self.neighbours(peer))).collect();
        let mutual = |one: &PeerIndex, other: &PeerIndex| {
            one_sided.get(other).is_some_and(|neighbours| neighbours.contains(one))
        };
        one_sided
            .iter()
            .map(|(peer, neighbours)| {
                (*peer, neighbours.iter().copied().filter(|other| mutual(peer, other)).collect())
            })
            .collect()
    }

    /// The parts of the mesh that hang together, the largest first.
    pub fn components(&self) -> Vec<BTreeSet<PeerIndex>> {
        self.components_among(|_| true)
    }

    /// The parts that hang together by links between these, the largest first.
    pub fn components_among(&self, which: impl Fn(PeerIndex) -> bool) -> Vec<BTreeSet<PeerIndex>> {
        let mut graph = self.graph();
        graph.retain(|peer, _| which(*peer));
        let mut left: BTreeSet<PeerIndex> = graph.keys().copied().collect();
        let mut components = Vec::new();
        while let Some(first) = left.pop_first() {
            let mut component = BTreeSet::from([first]);
            let mut edge = vec![first];
            while let Some(peer) = edge.pop() {
                for other in graph.get(&peer).into_iter().flatten() {
                    if left.remove(other) {
                        component.insert(*other);
                        edge.push(*other);
                    }
                }
            }
            components.push(component);
        }
        components.sort_by_key(|component| core::cmp::Reverse(component.len()));
        components
    }

    /// Whether all living peers hang together.
    pub fn is_connected(&self) -> bool {
        self.components().len() <= 1
    }

    /// How many peers have so many neighbours.
    pub fn degrees(&self) -> BTreeMap<usize, usize> {
        let mut degrees = BTreeMap::new();
        for neighbours in self.graph().values() {
            *degrees.entry(neighbours.len()).or_default() += 1;
        }
        degrees
    }

    /// The counters of all living peers, summed.
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for peer in self.alive() {
            let counters = self.peers[peer.0].peer.counters();
            sum.published += counters.published;
            sum.delivered += counters.delivered;
            sum.received += counters.received;
            sum.duplicates += counters.duplicates;
            sum.sent += counters.sent;
            sum.announced += counters.announced;
            sum.grafted += counters.grafted;
            sum.unknown += counters.unknown;
            sum.asked += counters.asked;
            sum.resent += counters.resent;
            sum.exchanges += counters.exchanges;
            for (misbehaviour, count) in &counters.rejected {
                *sum.rejected.entry(*misbehaviour).or_default() += count;
            }
        }
        sum
    }

    /// The counters of one peer, in its present life.
    pub fn counters_of(&self, peer: PeerIndex) -> &Counters {
        self.peers[peer.0].peer.counters()
    }

    /// What a peer has sent to others, in all its lives.
    pub fn traffic(&self, peer: PeerIndex) -> Traffic {
        self.peers[peer.0].traffic
    }

    /// Whether a peer is hostile.
    pub fn is_hostile(&self, peer: PeerIndex) -> bool {
        self.peers[peer.0].behaviours.is_some()
    }

    /// How many links between two honest peers ended for misbehaviour, where that is counted
    /// ([`Keep::Totals`](crate::Keep::Totals)).
    pub const fn honest_cut(&self) -> u64 {
        self.honest_cut
    }

    /// What was delivered since the last call, in order, where it is not kept
    /// ([`Keep::Totals`](crate::Keep::Totals)).
    pub fn take_delivered(&mut self) -> Vec<(PeerIndex, Delivered)> {
        core::mem::take(&mut self.delivered)
    }

    /// What peers did that no driver would stand for; empty in a sound world.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// How many trickled candidates reached the other end.
    pub const fn candidates_passed(&self) -> u64 {
        self.candidates_passed
    }

    /// A hash over everything that went into and came out of the peers.
    pub fn trace_hash(&self) -> [u8; 32] {
        self.trace.hash()
    }

    /// How many things that is.
    pub const fn trace_entries(&self) -> u64 {
        self.trace.entries()
    }
}
