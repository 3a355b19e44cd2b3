//! Signals of our clients that other signallers were to pass on: only they may call a signal
//! undeliverable, and only one of these.

use std::collections::{BTreeMap, VecDeque};

use taiinet_document::Network;
use taiinet_identity::PeerId;
use taiinet_mesh::{
    Time, limits as mesh_limits,
    wire::{Signal, Undeliverable},
};

use crate::limits;

/// The signaller, the network, the sender, the recipient.
type Name = (PeerId, Network, PeerId, PeerId);

#[derive(Debug, Clone, Copy)]
struct Out {
    count: u32,
    last: Time,
}

/// Recent ones. When there are too many the oldest go, and what is said of them is not believed.
#[derive(Debug, Default)]
pub(super) struct Sent {
    out: BTreeMap<Name, Out>,
    order: VecDeque<(Time, Name)>,
}

impl Sent {
    pub(super) fn note(&mut self, member: PeerId, from: PeerId, signal: &Signal, now: Time) {
        let name = (member, signal.network.clone(), from, signal.to);
        let out = self.out.entry(name.clone()).or_insert(Out { count: 0, last: now });
        *out = Out { count: out.count.saturating_add(1), last: now };
        self.order.push_back((now, name));
        self.forget(limits::POOL_FORGOTTEN_FOR_ONE, now);
        while self.order.len() > limits::POOL_SENT {
            self.forget_first();
        }
    }

    /// Whether one of these is out; from now on one less is.
    pub(super) fn take(&mut self, member: PeerId, undeliverable: Undeliverable, now: Time) -> bool {
        let name = (member, undeliverable.network, undeliverable.from, undeliverable.to);
        let Some(out) = self.out.get_mut(&name) else { return false };
        let is_recent = now.since(out.last) <= mesh_limits::SIGNAL_LIFE;
        out.count = out.count.saturating_sub(1);
        if out.count == 0 || !is_recent {
            self.out.remove(&name);
        }
        is_recent
    }

    /// Forgets so many at most of those that are too old to be believed of.
    pub(super) fn forget(&mut self, most: usize, now: Time) {
        for _ in 0..most {
            let first = self.order.front();
            if first.is_none_or(|(at, _)| now.since(*at) <= mesh_limits::SIGNAL_LIFE) {
                break;
            }
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((at, name)) = self.order.pop_front()
            && self.out.get(&name).is_some_and(|out| out.last == at)
        {
            self.out.remove(&name);
        }
    }
}
