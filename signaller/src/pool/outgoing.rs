//! What clients have us pass on to other signallers.
//!
//! Another signaller takes so much of us and holds what is over it against us
//! ([`taiinet_mesh::limits::RELAYED`]); what our clients send must never get us there. So no more than half
//! of it goes, and what waits meanwhile waits in lines that take turns.

use core::ops::Bound;
use std::collections::{BTreeMap, VecDeque};

use taiinet_identity::{PeerId, Signed};
use taiinet_mesh::{
    Budget, Peer, Time,
    wire::{Signal, Undeliverable},
};

use super::{fair_queue::FairQueue, output::PoolOutput, replays::Replays, sent::Sent};
use crate::{addresses::Ranges, limits};

/// A signal that waits: what it says, and as it came.
#[derive(Debug)]
struct Waiting {
    body: Signal,
    signal: Signed<Signal>,
}

fn undeliverable(from: PeerId, body: Signal) -> PoolOutput {
    PoolOutput::Undeliverable { network: body.network, from, to: body.to }
}

/// The way to one other signaller.
#[derive(Debug)]
struct Lane {
    signals: Budget,
    answers: Budget,
    waiting: FairQueue<Waiting>,
}

impl Lane {
    fn new(now: Time) -> Self {
        Self {
            signals: Budget::new(limits::POOL_SIGNALS, now),
            answers: Budget::new(limits::POOL_UNDELIVERABLE, now),
            waiting: FairQueue::new(limits::POOL_WAITING_BYTES),
        }
    }
}

/// The ways to all other signallers.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    lanes: BTreeMap<PeerId, Lane>,
    passed: Replays,
    sent: Sent,
    /// When it is looked again whether something may go.
    due: Option<Time>,
    /// The member whose turn was last.
    last: Option<PeerId>,
    /// Signals that went, so far.
    count: u64,
}

impl Outgoing {
    /// Whether a signal of this content went before.
    pub(super) fn has_passed(&self, sender: PeerId, body: &Signal) -> bool {
        self.passed.has(sender, body)
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) const fn deadline(&self) -> Option<Time> {
        self.due
    }

    /// Puts a client's signal in line for another signaller. What is dropped for it goes to `outputs`.
    pub(super) fn push(
        &mut self,
        member: PeerId,
        from: Ranges,
        body: Signal,
        signal: Signed<Signal>,
        outputs: &mut VecDeque<PoolOutput>,
        now: Time,
    ) {
        let weight = body.sealed.len() + limits::POOL_WAITING_EACH;
        let lane = self.lanes.entry(member).or_insert_with(|| Lane::new(now));
        let (range, sender) = (from.widest(), signal.signer());
        let dropped = lane.waiting.push(range, sender, weight, Waiting { body, signal });
        let told = |lost: Waiting| undeliverable(lost.signal.signer(), lost.body);
        outputs.extend(dropped.into_iter().map(told));
        self.due.get_or_insert(now);
    }

    /// Sends what may go, some at a time. Each is verified now that it is its turn, so no more are than go.
    pub(super) fn run(&mut self, peer: &mut Peer, outputs: &mut VecDeque<PoolOutput>, now: Time) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        let Self { lanes, passed, sent, last, count, .. } = self;
        let after = last.map_or(Bound::Unbounded, Bound::Excluded);
        let mut order: Vec<PeerId> =
            lanes.range((after, Bound::Unbounded)).map(|(member, _)| *member).collect();
        order.extend(lanes.keys().take(lanes.len() - order.len()));
        let mut left = limits::POOL_AT_ONCE;
        for member in order {
            let Some(lane) = lanes.get_mut(&member) else { continue };
            while left > 0
                && lane.signals.has(1, now)
                && let Some(Waiting { body, signal }) = lane.waiting.pop()
            {
                (left, *last) = (left - 1, Some(member));
                let sender = signal.signer();
                if passed.has(sender, &body) {
                    continue;
                }
                if !peer.has_room_for(member) {
                    outputs.push_back(undeliverable(sender, body));
                    continue;
                }
                lane.signals.take(1, now);
                let Ok(signal) = signal.verify() else {
                    outputs.push_back(PoolOutput::Forged { network: body.network, from: sender });
                    continue;
                };
                peer.relay(member, signal.signed().clone(), now);
                passed.is_one(sender, &body, now);
                sent.note(member, sender, &body, now);
                *count += 1;
            }
        }
        let waits = lanes.values().any(|lane| !lane.waiting.is_empty());
        self.due = waits.then(|| now.after(limits::POOL_PACE));
    }

    /// Says to another signaller that a signal of its client is undeliverable; nothing if that was said
    /// too often.
    pub(super) fn answer(
        &mut self,
        peer: &mut Peer,
        member: PeerId,
        undeliverable: Undeliverable,
        now: Time,
    ) {
        let lane = self.lanes.entry(member).or_insert_with(|| Lane::new(now));
        if lane.answers.take(1, now) {
            peer.undeliverable(member, undeliverable, now);
        }
    }

    /// Whether another signaller may call this signal undeliverable: one that was sent to it, and not
    /// long ago.
    pub(super) fn believes(
        &mut self,
        member: PeerId,
        undeliverable: Undeliverable,
        now: Time,
    ) -> bool {
        self.sent.take(member, undeliverable, now)
    }

    /// Forgets some of what is over, and all of those that are no members any more.
    pub(super) fn expire(&mut self, is_member: impl Fn(&PeerId) -> bool, now: Time) {
        self.passed.forget(limits::POOL_FORGOTTEN, now);
        self.sent.forget(limits::POOL_FORGOTTEN, now);
        self.lanes.retain(|member, _| is_member(member));
    }
}
