//! The transport: what the native driver does with links, on a virtual network.

use std::collections::VecDeque;

use taiinet_mesh::{
    ChannelBinding, Dial, Input, LinkFailure, LinkId, Negotiation, limits, wire::codec,
};

use super::World;
use crate::{
    Node, PeerIndex,
    behaviour::{self, Hand},
    channel::{self, End, EndId, Owner},
    frames,
    queue::Event,
    rng::millis,
};

/// How many bytes have to leave before that is reported: so few that no node ever waits for it.
const REPORTED_AT: usize = limits::TRANSPORT_WINDOW / 8;

impl World {
    pub(super) fn new_end(&mut self, end: End) -> EndId {
        self.ends.insert(end)
    }

    pub(super) fn violated(&mut self, peer: PeerIndex, what: &str) {
        let elapsed = self.elapsed();
        self.violations.push(format!("at {elapsed:?} {peer:?} {what}"));
    }

    /// Whether a peer is closing a link at whose other end there is a peer of this name, not a puppet that
    /// bears it.
    pub(super) fn is_closing_on(&self, peer: PeerIndex, other: &taiinet_identity::PeerId) -> bool {
        let ends = self.peers[peer.0].links.values().filter_map(|end| self.ends.get(*end));
        let twins = ends.filter(|end| end.closing).filter_map(|end| self.ends.get(end.twin?));
        let peers = twins.filter_map(|twin| match twin.owner {
            Owner::Peer(peer, _) => Some(peer),
            _ => None,
        });
        peers.map(|peer| self.id(peer)).any(|id| id == *other)
    }

    // ---- What peers want ----

    pub(super) fn dial(&mut self, peer: PeerIndex, link: LinkId, dial: Dial) {
        if self.peers[peer.0].links.contains_key(&link) {
            self.violated(peer, "dials a link that it has");
            return;
        }
        let socket = matches!(dial, Dial::Signaller { .. });
        let end = self.new_end(End::new(Owner::Peer(peer, link), socket));
        self.peers[peer.0].links.insert(link, end);
        let at = self.now + self.rng.within(self.config.setup).max(1);
        let (kind, event) = match dial {
            Dial::Offer { .. } => ("offer", Event::Described(end)),
            Dial::Answer { offer, .. } => {
                if let Some(state) = self.ends.get_mut(end) {
                    state.remote = Some(offer);
                }
                ("answer", Event::Described(end))
            }
            // Peers have no addresses of others: only signallers dial so.
            Dial::Direct { url } | Dial::Signaller { url } => {
                let signaller = self.signaller_at(&url);
                let nowhere = || LinkFailure::Unreachable(format!("there is no {url}"));
                let event = signaller
                    .map_or_else(|| Event::Ends(end, nowhere()), |at| Event::Reaches(end, at));
                ("socket", event)
            }
        };
        self.trace.note(self.now, peer.0, kind, end.0, &[]);
        self.queue.push(at, event);
    }

    pub(super) fn negotiate(&mut self, peer: PeerIndex, link: LinkId, part: Negotiation) {
        let Some(end) = self.peers[peer.0].links.get(&link).copied() else { return };
        match part {
            Negotiation::Description(text) => self.learns(end, text),
            Negotiation::Candidate(_) => self.candidates_passed += 1,
        }
    }

    pub(super) fn peer_sends(&mut self, peer: PeerIndex, link: LinkId, bytes: Vec<u8>) {
        // A link that went down in the same moment is no fault of the core's.
        let Some(end) = self.peers[peer.0].links.get(&link).copied() else { return };
        self.trace.note(self.now, peer.0, "send", end.0, &bytes);
        if bytes.len() > limits::WIRE_BYTES {
            self.violated(peer, "sends a message over the limit");
        }
        let Some(state) = self.ends.get(end) else { return };
        let excess = state.in_transport > limits::TRANSPORT_WINDOW + limits::CONTROL_LANE_BYTES;
        let (open, closing) = (state.open, state.closing);
        if !open || closing {
            self.violated(peer, if closing { "sends after it closed" } else { "sends too early" });
            return;
        }
        if excess {
            self.violated(peer, "sends more than the transport's window");
        }
        for bytes in self.filtered(peer, link, end, bytes) {
            self.send(end, bytes);
        }
    }

    /// What a peer's behaviour makes of a message; it is counted as the peer's.
    fn filtered(
        &mut self,
        peer: PeerIndex,
        link: LinkId,
        end: EndId,
        bytes: Vec<u8>,
    ) -> Vec<Vec<u8>> {
        let Some(state) = self.ends.get_mut(end) else { return Vec::new() };
        if state.socket {
            return vec![bytes];
        }
        let node = &mut self.peers[peer.0];
        let size = bytes.len();
        let left = match node.behaviours.as_deref() {
            None | Some([]) => vec![bytes],
            Some(behaviours) => {
                let (identity, ring, rng) = (&node.identity, &mut self.ring, &mut self.rng);
                let mut hand = Hand { identity, ring, rng };
                let filtered = behaviour::filter(behaviours, &mut hand, bytes);
                for frame in filtered.pretended {
                    let bytes = codec::message(&[frame]);
                    self.queue.push(self.now + 1, Event::Hears(peer, link, bytes));
                }
                // To the core, just what it sent leaves.
                let left: usize = filtered.messages.iter().map(Vec::len).sum();
                let dropped = size.saturating_sub(left);
                state.in_transport =
                    (state.in_transport + dropped).saturating_sub(left.saturating_sub(size));
                self.queue.push(self.now, Event::Sent(end, dropped));
                filtered.messages
            }
        };
        for bytes in &left {
            node.traffic.messages += 1;
            node.traffic.bytes += bytes.len() as u64;
            for frame in frames::encoded(bytes) {
                let (kind, size) = (frames::kind(frame), frame.len() as u64);
                *self.by_kind.entry(kind).or_default() += size;
                if frames::is_document(kind) {
                    node.traffic.document_bytes += size;
                }
            }
        }
        left
    }

    // ---- Negotiation ----

    pub(super) fn described(&mut self, end: EndId) {
        let fingerprint = self.rng.bytes();
        let Some(state) = self.ends.get_mut(end) else { return };
        let text = channel::description(end, state.remote.is_none(), &fingerprint);
        state.local = Some(text.clone());
        self.described.insert(text.clone(), end);
        match state.owner {
            Owner::Peer(peer, link) => {
                self.queue.push(self.now + 2, Event::Candidate(end));
                let part = Negotiation::Description(text);
                self.input(peer, Input::Negotiation { link, part });
            }
            Owner::Puppet(puppet) => self.puppet_described(puppet, end, text),
            Owner::Signaller(_) | Owner::Member(..) => {}
        }
        self.connect(end);
    }

    pub(super) fn trickled(&mut self, end: EndId) {
        if let Some(End { owner: Owner::Peer(peer, link), closing: false, .. }) = self.ends.get(end)
        {
            let (peer, link) = (*peer, *link);
            let part = Negotiation::Candidate(channel::candidate(end));
            self.input(peer, Input::Negotiation { link, part });
        }
    }

    /// An end learns the other's description.
    pub(super) fn learns(&mut self, end: EndId, description: String) {
        if let Some(state) = self.ends.get_mut(end) {
            state.remote.get_or_insert(description);
            self.connect(end);
        }
    }

    /// Opens the channel if both ends have each other's description as it was made.
    fn connect(&mut self, one: EndId) {
        let Some(other) = self.partner(one) else { return };
        let fails = self.rng.happens(self.config.dial_failure)
            || !self.reach(self.node_of(one), self.node_of(other));
        let (at_one, at_other) = (
            self.now + self.rng.within(self.config.setup).max(1),
            self.now + self.rng.within(self.config.setup).max(1),
        );
        let distance = self.distance(one, other);
        for (end, twin, opens, other_opens) in
            [(one, other, at_one, at_other), (other, one, at_other, at_one)]
        {
            if fails {
                let cause = LinkFailure::Unreachable("no candidate pair worked".to_owned());
                self.queue.push(self.now + millis(self.config.gives_up), Event::Ends(end, cause));
            } else if let Some(state) = self.ends.get_mut(end) {
                state.twin = Some(twin);
                state.distance = distance;
                if !self.config.early_lost {
                    state.arrives = other_opens;
                }
                self.queue.push(opens, Event::Opens(end));
            }
        }
    }

    fn partner(&self, one: EndId) -> Option<EndId> {
        let state = self.ends.get(one).filter(|state| state.twin.is_none())?;
        let other = self.described.get(state.remote.as_ref()?).copied()?;
        let twin = self.ends.get(other).filter(|state| state.twin.is_none())?;
        (twin.remote == state.local && state.local.is_some()).then_some(other)
    }

    pub(super) fn opens(&mut self, end: EndId) {
        let alive = |twin: &EndId| self.ends.contains(*twin);
        let Some(state) = self.ends.get(end) else { return };
        if !state.twin.as_ref().is_some_and(alive) {
            let cause = LinkFailure::Unreachable("the other end went away".to_owned());
            self.queue.push(self.now + millis(self.config.gives_up), Event::Ends(end, cause));
            return;
        }
        let binding = match (&state.local, &state.remote) {
            (Some(local), Some(remote)) => ChannelBinding::of_descriptions(local, remote),
            _ => None,
        };
        let Some(state) = self.ends.get_mut(end).filter(|state| !state.closing) else { return };
        let Some(binding) = binding else { return };
        state.open = true;
        match state.owner {
            Owner::Peer(peer, link) => {
                self.trace.note(self.now, peer.0, "up", end.0, binding.as_bytes());
                self.input(peer, Input::LinkUp { link, binding });
            }
            Owner::Puppet(puppet) => self.puppet_opened(puppet, end, binding),
            Owner::Signaller(_) | Owner::Member(..) => {}
        }
    }

    // ---- Traffic ----

    /// Gives a message to an end's transport.
    pub(super) fn send(&mut self, end: EndId, bytes: Vec<u8>) {
        if let Some(tapped) = &mut self.tapped {
            tapped.push(bytes.clone());
        }
        let Some(state) = self.ends.get_mut(end) else { return };
        state.in_transport += bytes.len();
        match &mut state.stalled {
            Some((_, waiting)) => waiting.push_back(bytes),
            None => self.transmit(end, bytes),
        }
    }

    /// How long a message from this end travels, in milliseconds.
    fn latency(&mut self, end: EndId) -> u64 {
        let distance = self.ends.get(end).and_then(|state| state.distance);
        match (distance, &self.config.regions) {
            (Some(distance), Some(regions)) => {
                distance + self.rng.below(regions.jitter_ms().saturating_add(1))
            }
            _ => self.rng.within(self.config.latency).max(1),
        }
    }

    /// How far apart the regions of two ends are.
    fn distance(&self, one: EndId, other: EndId) -> Option<u64> {
        let regions = self.config.regions.as_ref()?;
        let region = |end| match self.node_of(end)? {
            Node::Peer(peer) => Some(self.peers[peer.0].spec.region),
            _ => None,
        };
        regions.distance(region(one)?, region(other)?)
    }

    /// Microseconds at which so many bytes more will have left the node that holds an end.
    fn uplinked(&mut self, owner: Owner, bytes: usize) -> u64 {
        let (Owner::Peer(peer, _), Some(uplink)) = (owner, self.config.uplink) else { return 0 };
        let leaves = &mut self.peers[peer.0].leaves;
        let carries = (bytes as u64).saturating_mul(1000) / uplink.max(1);
        *leaves = (*leaves).max(self.now * 1000) + carries;
        *leaves
    }

    fn transmit(&mut self, end: EndId, bytes: Vec<u8>) {
        let size = bytes.len();
        let Some(owner) = self.ends.get(end).map(|state| state.owner) else { return };
        let uplinked = self.uplinked(owner, size);
        let mut latency = self.latency(end);
        while self.rng.happens(self.config.link_loss) {
            latency += millis(self.config.retransmission).max(1);
        }
        let Some(state) = self.ends.get_mut(end) else { return };
        let carries = (size as u64).saturating_mul(1000) / self.config.bandwidth.max(1);
        state.leaves = (state.leaves.max(self.now * 1000) + carries).max(uplinked);
        let left = state.leaves / 1000;
        state.arrives = state.arrives.max(left + latency);
        let (arrives, twin, socket) = (state.arrives, state.twin, state.socket);
        let twin = twin.filter(|twin| self.ends.contains(*twin));
        // What is never acknowledged never counts as sent.
        if twin.is_some() || socket {
            self.queue.push(left, Event::Sent(end, size));
        }
        if let Some(twin) = twin {
            self.queue.push(arrives, Event::Arrives(twin, bytes));
        }
    }

    pub(super) fn arrives(&mut self, end: EndId, bytes: Vec<u8>) {
        let Some(state) = self.ends.get(end).filter(|state| state.open && !state.closing) else {
            return;
        };
        match state.owner {
            Owner::Peer(peer, link) => {
                self.trace.note(self.now, peer.0, "message", end.0, &bytes);
                self.input(peer, Input::Message { link, bytes });
            }
            Owner::Puppet(puppet) => self.puppet_hears(puppet, end, &bytes),
            Owner::Signaller(signaller) => self.desk_hears(signaller, end, bytes),
            Owner::Member(signaller, link) => {
                self.member_input(signaller, Input::Message { link, bytes });
            }
        }
    }

    /// Bytes left. They are reported in lots, as a driver with many links would.
    pub(super) fn sent(&mut self, end: EndId, bytes: usize) {
        let Some(state) = self.ends.get_mut(end) else { return };
        state.unreported += bytes;
        if state.unreported < REPORTED_AT || state.closing {
            return;
        }
        let owner = state.owner;
        let bytes = core::mem::take(&mut state.unreported);
        state.in_transport = state.in_transport.saturating_sub(bytes);
        match owner {
            Owner::Peer(peer, link) => self.input(peer, Input::Sent { link, bytes }),
            Owner::Member(signaller, link) => {
                self.member_input(signaller, Input::Sent { link, bytes });
            }
            Owner::Puppet(_) | Owner::Signaller(_) => {}
        }
    }

    // ---- Ends ----

    /// Closes an end when what was given to it is sent.
    pub(super) fn close(&mut self, end: EndId) {
        let latency = self.latency(end);
        let Some(state) = self.ends.get_mut(end).filter(|state| !state.closing) else { return };
        state.closing = true;
        let left = (state.leaves / 1000).max(self.now);
        let there = state.arrives.max(left + latency);
        let (twin, stalled) = (state.twin, state.stalled.is_some());
        let here = if stalled { self.now + 1000 } else { left + 1 };
        self.queue.push(here, Event::Ends(end, LinkFailure::Local));
        if let Some(twin) = twin
            && !stalled
        {
            self.queue.push(there, Event::Ends(twin, LinkFailure::Remote));
        }
    }

    pub(super) fn ends(&mut self, end: EndId, cause: LinkFailure) {
        let Some(state) = self.forget(end) else { return };
        match state.owner {
            Owner::Peer(peer, link) => {
                self.trace.note(self.now, peer.0, "down", end.0, cause.to_string().as_bytes());
                self.peers[peer.0].links.remove(&link);
                self.input(peer, Input::LinkDown { link, cause });
            }
            Owner::Puppet(puppet) => self.puppet_ended(puppet, end, cause),
            Owner::Signaller(signaller) => self.desk_lost(signaller, end),
            Owner::Member(signaller, link) => self.member_lost(signaller, link, cause),
        }
    }

    /// Removes an end without a word to its owner.
    pub(super) fn forget(&mut self, end: EndId) -> Option<End> {
        let state = self.ends.remove(end)?;
        if let Some(local) = &state.local {
            self.described.remove(local);
        }
        Some(state)
    }

    pub(super) fn gives_up(&mut self, end: EndId, stall: u64) {
        let still =
            |state: &End| state.stalled.as_ref().is_some_and(|(number, _)| *number == stall);
        if self.ends.get(end).is_some_and(still) {
            let lost = LinkFailure::Unreachable("the path was lost".to_owned());
            self.ends(end, lost);
        }
    }

    /// Its path is lost, for now: what is sent waits.
    pub(super) fn stall(&mut self, end: EndId) {
        let Some(state) = self.ends.get_mut(end) else { return };
        if state.stalled.is_some() {
            return;
        }
        state.stalls += 1;
        state.stalled = Some((state.stalls, VecDeque::new()));
        let at = self.now + millis(self.config.path_lost);
        self.queue.push(at, Event::GivesUp(end, state.stalls));
    }

    /// Its path is back: what waited goes.
    pub(super) fn resume(&mut self, end: EndId) {
        let waiting = self.ends.get_mut(end).and_then(|state| state.stalled.take());
        for bytes in waiting.into_iter().flat_map(|(_, waiting)| waiting) {
            self.transmit(end, bytes);
        }
    }

    // ---- Places ----

    pub(super) fn node_of(&self, end: EndId) -> Option<Node> {
        Some(match self.ends.get(end)?.owner {
            Owner::Peer(peer, _) => Node::Peer(peer),
            Owner::Puppet(puppet) => Node::Puppet(puppet),
            Owner::Signaller(signaller) | Owner::Member(signaller, _) => Node::Signaller(signaller),
        })
    }

    /// Whether two nodes can reach each other: those in no group reach all.
    pub(super) fn reach(&self, one: Option<Node>, other: Option<Node>) -> bool {
        let group = |node: Option<Node>| self.groups.get(&node?);
        match (group(one), group(other)) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
    }
}
