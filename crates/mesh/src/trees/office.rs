//! The root's office: who takes it when it is free, and what is written there.

use core::time::Duration;
use std::collections::VecDeque;

use taiinet_identity::PeerId;

use crate::{
    Time, limits,
    membership::Crowd,
    routes::Spreading,
    wire::{Entry, Slot},
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
        let most = u64::try_from(limits::STAND_MOST.as_millis()).unwrap_or(u64::MAX);
        let all = u128::from(apart.saturating_mul(u64::from(peers)).min(most));
        let wait = (u128::from(self.0) * all) >> 64;
        Duration::from_millis(u64::try_from(wait).unwrap_or(u64::MAX))
    }
}

/// What the root has yet to say, and what it knows of its network.
#[derive(Debug)]
pub(super) struct Office {
    pending: VecDeque<Entry>,
    issued_at: Option<Time>,
    next_at: Time,
    load: Load,
    spreading: Spreading,
    /// Since when the other way is better.
    other_since: Option<Time>,
    /// Until then the load is not known, and routes stay routes.
    measures_until: Time,
}

impl Office {
    pub(super) fn new(spreading: Spreading, now: Time) -> Self {
        Self {
            pending: VecDeque::new(),
            issued_at: None,
            next_at: now,
            load: Load { per_second: 0, bytes: 0, since: now },
            spreading,
            other_since: None,
            measures_until: now.after(limits::LOAD_OVER),
        }
    }

    /// Whether nothing was said yet.
    pub(super) const fn is_new(&self) -> bool {
        self.issued_at.is_none()
    }

    /// A document of so many bytes has come.
    pub(super) fn name(&mut self, entry: Entry, bytes: usize, now: Time) {
        self.load.bytes = self.load.bytes.saturating_add(bytes as u64);
        if self.pending.len() >= limits::NAMES_WAITING {
            self.pending.pop_front();
        }
        self.pending.push_back(entry);
        let soonest = self.issued_at.map_or(now, |at| at.after(limits::BEAT));
        self.next_at = self.next_at.min(soonest.max(now));
    }

    /// Whether nothing waits to be named.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) const fn due(&self) -> Time {
        self.next_at
    }

    /// What is to be said now in a network where those below us told of so many, and we met such a crowd.
    pub(super) fn issue(&mut self, told: Crowd, met: Crowd, now: Time) -> (Vec<Entry>, Spreading) {
        let mut room = limits::NAMED_BYTES;
        let mut named = Vec::new();
        while named.len() < limits::NAMES_PER_BULLETIN
            && let Some(entry) = self.pending.pop_front_if(|entry| entry.size() <= room)
        {
            room -= entry.size();
            named.push(entry);
        }
        self.issued_at = Some(now);
        let load = self.load.measure(now);
        if self.spreading == Spreading::Flood || now >= self.measures_until {
            self.turn(decide(self.spreading, told, met, load), now);
        }
        let is_idle = self.pending.is_empty() && self.spreading == Spreading::Flood;
        self.next_at = now.after(if is_idle { limits::BEAT_IDLE } else { limits::BEAT });
        (named, self.spreading)
    }
}

impl Office {
    /// Documents are to spread otherwise, if that is so for a while: whoever changes its parent is counted twice meanwhile.
    fn turn(&mut self, better: Spreading, now: Time) {
        if better == self.spreading {
            self.other_since = None;
        } else if now >= self.other_since.get_or_insert(now).after(limits::TURNS_AFTER) {
            (self.spreading, self.other_since) = (better, None);
        }
    }
}

/// How many bytes of documents are published.
#[derive(Debug)]
struct Load {
    per_second: u64,
    bytes: u64,
    since: Time,
}

impl Load {
    /// A mean over about [`limits::LOAD_OVER`], each second.
    fn measure(&mut self, now: Time) -> u64 {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (elapsed, over) = (millis(now.since(self.since)), millis(limits::LOAD_OVER));
        let all = over.saturating_add(elapsed).max(1);
        let before = self.per_second.saturating_mul(over);
        self.per_second = before.saturating_add(self.bytes.saturating_mul(1000)) / all;
        (self.bytes, self.since) = (0, now);
        self.per_second
    }
}

/// How documents are to spread: they flood where that costs less than routes. What was decided stays until it is wrong
/// by a factor of two.
///
/// What children tell may be one peer's lie about thousands. So how many want everything is judged by those that we
/// met, as soon as they are enough to stand for all; and the network has at least as many.
fn decide(before: Spreading, told: Crowd, met: Crowd, load: u64) -> Spreading {
    let routes = matches!(before, Spreading::Route);
    let Crowd { peers, open } = if met.peers >= limits::CROWD { met } else { told };
    let (all, open, peers) = (told.peers.max(met.peers), u64::from(open), u64::from(peers));
    let is_small = all < if routes { limits::SMALL_NETWORK / 2 } else { limits::SMALL_NETWORK };
    let quiet = limits::QUIET_NETWORK / limits::SLOTS as u64;
    let is_quiet = load < if routes { quiet / 2 } else { quiet };
    let is_open = if routes { open * 3 > peers * 2 } else { open * 3 > peers };
    if is_small || is_quiet || is_open { Spreading::Flood } else { Spreading::Route }
}

#[cfg(test)]
mod tests;
