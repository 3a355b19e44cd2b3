//! The root's office: who takes it when it is free, and what is written there.

use core::time::Duration;
use std::collections::VecDeque;

use taiinet_identity::PeerId;

use crate::{
    Time, limits,
    wire::{ShortId, Slot},
};

/// The order among those that would be root of a tree: the least is. Anyone can try keys until one ranks well; so a
/// root is never trusted, and its harm is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(u64);

impl Rank {
    pub(super) fn of(slot: Slot, peer: &PeerId) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"taiinet/1 root").update(&[slot.0]).update(peer.as_bytes());
        let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    /// How long a peer of this rank waits before it takes the office in a network of so many peers, so that
    /// the best usually does so [`limits::STAND_APART`] before the next.
    pub(super) fn wait(self, peers: u32) -> Duration {
        let apart = u64::try_from(limits::STAND_APART.as_millis()).unwrap_or(u64::MAX);
        let all = u128::from(apart.saturating_mul(u64::from(peers)));
        let wait = (u128::from(self.0) * all) >> 64;
        Duration::from_millis(u64::try_from(wait).unwrap_or(u64::MAX))
    }
}

/// What the root has yet to say.
#[derive(Debug)]
pub(super) struct Office {
    pending: VecDeque<ShortId>,
    issued_at: Option<Time>,
    next_at: Time,
}

impl Office {
    pub(super) const fn new(now: Time) -> Self {
        Self { pending: VecDeque::new(), issued_at: None, next_at: now }
    }

    /// Whether nothing was said yet.
    pub(super) const fn is_new(&self) -> bool {
        self.issued_at.is_none()
    }

    /// A document has come.
    pub(super) fn name(&mut self, id: ShortId, now: Time) {
        if self.pending.len() >= limits::NAMES_WAITING {
            self.pending.pop_front();
        }
        self.pending.push_back(id);
        let soonest = self.issued_at.map_or(now, |at| at.after(limits::BEAT));
        self.next_at = self.next_at.min(soonest.max(now));
    }

    pub(super) const fn due(&self) -> Time {
        self.next_at
    }

    /// What is to be named now. The next bulletin follows within [`limits::BEAT_IDLE`].
    pub(super) fn issue(&mut self, now: Time) -> Vec<ShortId> {
        let count = self.pending.len().min(limits::NAMES_PER_BULLETIN);
        let named = self.pending.drain(..count).collect();
        self.issued_at = Some(now);
        let wait = if self.pending.is_empty() { limits::BEAT_IDLE } else { limits::BEAT };
        self.next_at = now.after(wait);
        named
    }
}
