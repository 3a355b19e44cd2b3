//! What can go wrong: crashes, departures, partitions, loss.

use std::collections::BTreeSet;

use taiinet_mesh::LinkFailure;

use super::{Life, World};
use crate::{
    Node, PeerIndex, SignallerIndex,
    channel::{End, EndId},
    queue::Event,
    rng::millis,
};

impl World {
    /// Kills a peer (SIGKILL): it falls silent.
    pub fn crash(&mut self, peer: PeerIndex) {
        self.peers[peer.0].life = Life::Crashed;
        let links = core::mem::take(&mut self.peers[peer.0].links);
        if let Some(wake) = self.peers[peer.0].wake.take() {
            self.wakes.remove(&(wake, Node::Peer(peer)));
        }
        self.die(links.into_values());
    }

    /// A peer says goodbye and leaves.
    pub fn leave(&mut self, peer: PeerIndex) {
        let now = self.now();
        let node = &mut self.peers[peer.0];
        if node.life == Life::Alive {
            node.peer.leave(now);
            node.life = Life::Left;
            self.dirty.insert(Node::Peer(peer));
        }
    }

    /// Restarts a peer that crashed or left: the same identity and queries, nothing else kept.
    pub fn restart(&mut self, peer: PeerIndex) {
        self.crash(peer);
        let (identity, spec) =
            (self.peers[peer.0].identity.clone(), self.peers[peer.0].spec.clone());
        let fresh = self.start(&identity, &spec);
        let node = &mut self.peers[peer.0];
        node.peer = fresh;
        node.life = Life::Alive;
        node.dozing = false;
        node.frozen = None;
        node.lives += 1;
        for subscribed in &node.subscribed {
            subscribed.begin(&mut node.peer);
        }
        self.dirty.insert(Node::Peer(peer));
    }

    /// Kills a signaller's process; its clients' connections are reset.
    pub fn crash_signaller(&mut self, signaller: SignallerIndex) {
        let ends = self.desks[signaller.0].stop();
        self.die(ends);
    }

    /// Restarts a signaller that crashed: the same identity, nothing else kept.
    pub fn restart_signaller(&mut self, signaller: SignallerIndex) {
        let (seed, now) = (self.rng.bytes(), self.now());
        self.desks[signaller.0].start(seed, now);
        self.dirty.insert(Node::Signaller(signaller));
    }

    /// The ends of a dead node vanish; only sockets tell the other side.
    fn die(&mut self, ends: impl IntoIterator<Item = EndId>) {
        for end in ends.into_iter().collect::<BTreeSet<_>>() {
            let Some(End { twin, socket, stalled: None, .. }) = self.forget(end) else { continue };
            let Some(twin) = twin else { continue };
            if socket {
                let at = self.now + self.rng.within(self.config.latency).max(1);
                self.queue.push(at, Event::Ends(twin, LinkFailure::Remote));
            } else if let Some(notice) = self.config.death_noticed {
                let cause = LinkFailure::Unreachable("the other end died".to_owned());
                self.queue.push(self.now + millis(notice).max(1), Event::Ends(twin, cause));
            }
        }
    }

    /// Cuts the network: nothing passes between nodes of different groups. Nodes in no group reach
    /// all. Links across the cut stall, as a reliable transport's do; new ones fail.
    pub fn partition(&mut self, groups: &[Vec<Node>]) {
        self.groups = groups
            .iter()
            .enumerate()
            .flat_map(|(group, nodes)| nodes.iter().map(move |node| (*node, group)))
            .collect();
        self.follow_groups();
    }

    /// Mends the network.
    pub fn heal(&mut self) {
        self.groups.clear();
        self.follow_groups();
    }

    /// What has a peer's packets in hand has forgotten it, as a router does that gets another address: nothing passes
    /// any more over the channels that it has, and new ones open. Nobody is told.
    pub fn lose_paths(&mut self, peer: PeerIndex) {
        let ends: BTreeSet<EndId> = self.peers[peer.0].links.values().copied().collect();
        for end in ends {
            let twin = self.ends.get(end).and_then(|state| state.twin);
            for end in [Some(end), twin].into_iter().flatten() {
                self.stall(end);
            }
        }
    }

    fn follow_groups(&mut self) {
        let twins: Vec<(EndId, EndId)> =
            self.ends.iter().filter_map(|(end, state)| Some((end, state.twin?))).collect();
        for (end, twin) in twins {
            if !self.ends.contains(twin) || self.reach(self.node_of(end), self.node_of(twin)) {
                self.resume(end);
            } else {
                self.stall(end);
            }
        }
    }

    /// Changes the probability that a message has to be sent again.
    pub const fn set_link_loss(&mut self, probability: f64) {
        self.config.link_loss = probability;
    }

    /// Changes the probability that a signal vanishes.
    pub const fn set_signal_loss(&mut self, probability: f64) {
        self.config.signal_loss = probability;
    }

    /// Changes the probability that a channel does not open.
    pub const fn set_dial_failure(&mut self, probability: f64) {
        self.config.dial_failure = probability;
    }
}
