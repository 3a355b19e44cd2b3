//! Signals that passed, so that none passes twice.

use std::collections::{BTreeSet, VecDeque};

use taiinet_identity::PeerId;
use taiinet_mesh::{
    Time, limits as mesh_limits,
    wire::{Signal, codec},
};

use crate::limits;

/// The contents of recent signals. When there are too many the oldest go: then an old one may pass
/// again, and the recipient, which remembers offers, drops it.
#[derive(Debug, Default)]
pub(super) struct Replays {
    seen: BTreeSet<Vec<u8>>,
    order: VecDeque<(Time, Vec<u8>)>,
}

impl Replays {
    /// Whether one of this content has passed before.
    pub(super) fn has(&self, sender: PeerId, body: &Signal) -> bool {
        self.seen.contains(&name(sender, body))
    }

    /// Whether one of this content has passed before; from now on it has.
    pub(super) fn is_one(&mut self, sender: PeerId, body: &Signal, now: Time) -> bool {
        let name = name(sender, body);
        if !self.seen.insert(name.clone()) {
            return true;
        }
        self.order.push_back((now, name));
        self.forget(limits::POOL_FORGOTTEN_FOR_ONE, now);
        while self.order.len() > limits::POOL_REPLAYS {
            self.forget_first();
        }
        false
    }

    /// Forgets so many at most of those that would be refused by their age.
    pub(super) fn forget(&mut self, most: usize, now: Time) {
        let life = mesh_limits::SIGNAL_LIFE + mesh_limits::CLOCK_SKEW;
        for _ in 0..most {
            if self.order.front().is_none_or(|(at, _)| now.since(*at) <= life) {
                break;
            }
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, name)) = self.order.pop_front() {
            self.seen.remove(&name);
        }
    }
}

/// The content is what counts: there may be several valid signatures of it.
fn name(sender: PeerId, body: &Signal) -> Vec<u8> {
    codec::encode(&(sender, body.to, body.sent_at, tag(&body.sealed)))
}

/// The beginning of what is sealed: an encapsulated key, fresh for each signal.
fn tag(sealed: &[u8]) -> &[u8] {
    sealed.get(..32).unwrap_or(sealed)
}
