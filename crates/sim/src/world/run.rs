//! The loop: the next event or time-out, then whatever follows from it.

use core::time::Duration;

use taiinet_mesh::{Disconnect, Input, Output};
use taiinet_signaller::Desk;

use super::{Delivered, Life, World};
use crate::{Keep, Node, PeerIndex, SignallerIndex, queue::Event, rng::millis};

/// How often [`World::run_until`] looks at its condition.
const LOOK_EVERY: u64 = 50;
/// How often a dozer's timers come.
const MINUTE: u64 = 60_000;
/// How many time-outs a node may handle at one moment before it counts as spinning.
const TICKS: u32 = 16;

impl World {
    /// Lets so much time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now.saturating_add(millis(duration));
        while self.step(end) {}
    }

    /// Lets time pass until a condition holds, or until `limit` has passed. Whether it holds.
    pub fn run_until(&mut self, limit: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let end = self.now.saturating_add(millis(limit));
        self.settle();
        loop {
            if condition(self) {
                return true;
            }
            if self.now >= end {
                return false;
            }
            let look = (self.now + LOOK_EVERY).min(end);
            while self.step(look) {}
        }
    }

    /// The next moment at which something happens; false if that is after `end`, and it is `end` now.
    fn step(&mut self, end: u64) -> bool {
        self.settle();
        let wake = self.wakes.first().map(|(at, _)| *at);
        let next = [self.queue.next_at(), wake].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= end) else {
            self.now = end;
            return false;
        };
        self.now = self.now.max(next);
        while let Some(event) = self.queue.pop(self.now) {
            self.happen(event);
        }
        while let Some((at, node)) = self.wakes.first().copied()
            && at <= self.now
        {
            self.wakes.pop_first();
            self.time_out(node);
        }
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Described(end) => self.described(end),
            Event::Candidate(end) => self.trickled(end),
            Event::Reaches(end, signaller) => self.reaches(end, signaller),
            Event::Opens(end) => self.opens(end),
            Event::Arrives(end, bytes) => self.arrives(end, bytes),
            Event::Hears(peer, link, bytes) => {
                if self.peers[peer.0].links.contains_key(&link) {
                    self.input(peer, Input::Message { link, bytes });
                }
            }
            Event::Sent(end, bytes) => self.sent(end, bytes),
            Event::Ends(end, cause) => self.ends(end, cause),
            Event::GivesUp(end, stall) => self.gives_up(end, stall),
        }
    }

    fn time_out(&mut self, node: Node) {
        match node {
            Node::Peer(peer) => {
                let now = self.time_of(peer);
                let node = &mut self.peers[peer.0];
                node.wake = None;
                if node.life == Life::Alive {
                    node.peer.handle_timeout(now);
                    node.time_outs += 1;
                    node.ticks = if node.ticks.0 == self.now {
                        (self.now, node.ticks.1 + 1)
                    } else {
                        (self.now, 1)
                    };
                }
            }
            Node::Signaller(signaller) => self.desk_time_out(signaller),
            Node::Puppet(_) => {}
        }
        self.dirty.insert(node);
    }

    /// Performs all outputs of the nodes that something happened to.
    pub(super) fn settle(&mut self) {
        while let Some(node) = self.dirty.pop_first() {
            match node {
                Node::Peer(peer) => self.settle_peer(peer),
                Node::Signaller(signaller) => self.settle_desk(signaller),
                Node::Puppet(_) => {}
            }
        }
    }

    fn settle_peer(&mut self, peer: PeerIndex) {
        if self.peers[peer.0].life == Life::Crashed {
            return;
        }
        if self.peers[peer.0].frozen.is_some() {
            if let Some(wake) = self.peers[peer.0].wake.take() {
                self.wakes.remove(&(wake, Node::Peer(peer)));
            }
            return;
        }
        let now = self.time_of(peer);
        while let Some(output) = self.peers[peer.0].peer.poll_output(now) {
            self.perform(peer, output);
        }
        let node = &mut self.peers[peer.0];
        let error = node.spec.clock_error;
        let deadline = node.peer.poll_timeout();
        let deadline = deadline.map(|at| at.as_millis().saturating_sub_signed(error));
        let spinning = node.ticks.0 == self.now && node.ticks.1 >= TICKS;
        let earliest = if spinning { self.now + 1 } else { self.now };
        if spinning
            && deadline.is_some_and(|deadline| deadline <= self.now)
            && node.ticks.1 == TICKS
        {
            let text = format!("{peer:?} is due again and again at the same moment");
            self.violations.push(text);
        }
        let node = &mut self.peers[peer.0];
        // A dozer's timers come with the full minute.
        let comes = |at: u64| if node.dozing { at.next_multiple_of(MINUTE) } else { at };
        let wake = deadline.map(|deadline| comes(deadline.max(earliest)));
        if wake != node.wake {
            if let Some(old) = node.wake {
                self.wakes.remove(&(old, Node::Peer(peer)));
            }
            node.wake = wake;
            if let Some(wake) = wake {
                self.wakes.insert((wake, Node::Peer(peer)));
            }
        }
    }

    /// No peer that keeps the rules ever ends a link to another, or to a signaller that keeps them, for
    /// misbehaviour, whatever befalls them: that holds in every run.
    fn assert_innocent(&mut self, peer: PeerIndex, event: &taiinet_mesh::Event) {
        use taiinet_mesh::Event;
        if self.is_hostile(peer) {
            return;
        }
        let (cause, other) = match event {
            Event::PeerDisconnected { peer: other, cause }
            | Event::DialFailed { peer: other, cause }
                if self.is_closing_on(peer, other)
                    && !self.peer_of(other).is_some_and(|other| self.is_hostile(other)) =>
            {
                (cause, format!("{:?}", self.peer_of(other)))
            }
            Event::SignallerLost { url, cause, .. } => match self.signaller_at(url) {
                Some(signaller) if !self.desks[signaller.0].is_hostile => (cause, url.clone()),
                _ => return,
            },
            _ => return,
        };
        if !matches!(cause, Disconnect::Misbehaved(_)) {
            return;
        }
        if self.config.keep == Keep::Totals {
            self.honest_cut += 1;
            self.violations.push(format!("{peer:?} ends its link to {other}: {cause:?}"));
        } else {
            panic!("at {:?} {peer:?} ends its link to {other}: {cause:?}", self.elapsed());
        }
    }

    /// The same of signallers that form a pool: all of them here are desks.
    pub(super) fn assert_innocent_pool(&self, signaller: SignallerIndex) {
        let ended = self.desks[signaller.0].desk.as_ref().map_or(0, Desk::misbehaved);
        assert_eq!(ended, 0, "at {:?} {signaller:?} ends a link in its pool", self.elapsed());
    }

    fn perform(&mut self, peer: PeerIndex, output: Output) {
        match output {
            Output::Dial { link, dial } => self.dial(peer, link, dial),
            Output::Negotiate { link, part } => self.negotiate(peer, link, part),
            Output::Send { link, bytes, .. } => self.peer_sends(peer, link, bytes),
            Output::Close { link } => {
                if let Some(end) = self.peers[peer.0].links.get(&link).copied() {
                    self.trace.note(self.now, peer.0, "close", end.0, &[]);
                    self.close(end);
                }
            }
            // It only replaces or deletes others.
            Output::Deliver(delivery) if delivery.subscriptions.is_empty() => {
                let id = delivery.document.id();
                self.trace.note(self.now, peer.0, "change", delivery.hops.into(), id.as_bytes());
                self.peers[peer.0].changes.push(id);
            }
            Output::Conflict(conflict) => {
                let id = conflict.winner.id();
                self.trace.note(self.now, peer.0, "conflict", 0, id.as_bytes());
            }
            Output::Deliver(delivery) => {
                let id = delivery.document.id();
                self.trace.note(self.now, peer.0, "deliver", delivery.hops.into(), id.as_bytes());
                let at = self.now();
                let node = &mut self.peers[peer.0];
                let delivered = Delivered {
                    id,
                    author: delivery.document.author(),
                    hops: delivery.hops,
                    from: delivery.via,
                    at,
                    life: node.lives,
                    opened: delivery.opened,
                };
                match self.config.keep {
                    Keep::Everything => node.deliveries.push(delivered),
                    Keep::Totals => self.delivered.push((peer, delivered)),
                }
            }
            Output::Found { find, document, .. } => {
                let id = document.id();
                self.trace.note(self.now, peer.0, "found", 0, id.as_bytes());
                self.peers[peer.0].found.entry(find).or_default().documents.push(id);
            }
            // Those that say that they have an archive have nothing in it.
            Output::Asked { link, question } => {
                let nothing = taiinet_mesh::Answer {
                    documents: Vec::new(),
                    until: None,
                    left_out: false,
                    work: 0,
                };
                let now = self.time_of(peer);
                self.peers[peer.0].peer.answer(link, question.request, nothing, now);
            }
            Output::Accepted(_)
            | Output::Reconcile { .. }
            | Output::Offered { .. }
            | Output::Took { .. } => {}
            Output::FindDone { find, complete, .. } => {
                let at = self.now();
                self.trace.note(self.now, peer.0, "find done", u64::from(complete), &[]);
                self.peers[peer.0].found.entry(find).or_default().done = Some((at, complete));
            }
            // Only among signallers, whose desks take them.
            Output::Relayed { .. } | Output::Undeliverable { .. } => {
                self.violated(peer, "passes on what only signallers do");
            }
            Output::Event(event) => {
                let at = self.now();
                self.assert_innocent(peer, &event);
                if self.trace.is_kept() {
                    let text = format!("{event:?}");
                    self.trace.note(self.now, peer.0, "event", 0, text.as_bytes());
                    self.peers[peer.0].events.push((at, event));
                }
            }
        }
    }
}
