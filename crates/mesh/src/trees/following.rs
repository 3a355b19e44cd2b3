//! The root that is followed, and what it said last.

use core::time::Duration;
use std::collections::VecDeque;

use taiinet_document::Timestamp;
use taiinet_identity::{PeerId, Signed};

use super::office::Rank;
use crate::{Time, limits, routes::Spreading, wire::Bulletin};

#[derive(Debug)]
pub(super) struct Following {
    pub(super) root: PeerId,
    pub(super) rank: Rank,
    /// When its newest bulletin was signed.
    pub(super) newest: Timestamp,
    /// When that came.
    pub(super) heard_at: Time,
    /// Since when it is followed.
    pub(super) since: Time,
    beat: Duration,
    /// How large it says that the network is.
    pub(super) peers: u32,
    spreading: Option<Spreading>,
    /// The newest up to which none is missing.
    pub(super) whole: Timestamp,
    /// Its last bulletins in their order, for children that missed some.
    recent: VecDeque<Kept>,
}

#[derive(Debug)]
struct Kept {
    at: Timestamp,
    after: Timestamp,
    signed: Signed<Bulletin>,
}

impl Following {
    pub(super) const fn new(root: PeerId, rank: Rank, now: Time) -> Self {
        Self {
            root,
            rank,
            newest: Timestamp::from_millis(0),
            heard_at: now,
            since: now,
            beat: limits::BEAT_IDLE,
            peers: 0,
            spreading: None,
            whole: Timestamp::from_millis(0),
            recent: VecDeque::new(),
        }
    }

    /// Whether a bulletin that it signed then is of use: a newer one, or one that is missing; none counts that it signed sooner
    /// after another than a root has reason to.
    pub(super) fn lacks(&self, at: Timestamp) -> bool {
        let apart = |one: Timestamp, other: Timestamp| {
            Time::from(one.max(other)) >= Time::from(one.min(other)).after(limits::BEAT_LEAST)
        };
        // One that was given up counts still, or there would be room for ever more before the next.
        let is_after = self.recent.is_empty() || at > self.whole && apart(self.whole, at);
        is_after && self.recent.iter().all(|kept| apart(kept.at, at))
    }

    /// Whether one is missing.
    pub(super) fn has_gap(&self) -> bool {
        self.whole < self.newest
    }

    /// A bulletin of it that was lacking.
    pub(super) fn hears(&mut self, signed: Signed<Bulletin>, bulletin: &Bulletin, now: Time) {
        if bulletin.issued_at > self.newest {
            self.hears_newer(bulletin, now);
        }
        let kept = Kept { at: bulletin.issued_at, after: bulletin.after, signed };
        let place = self.recent.partition_point(|other| other.at < kept.at);
        self.recent.insert(place, kept);
        if self.recent.len() > limits::BULLETINS_KEPT
            && let Some(oldest) = self.recent.pop_front()
        {
            self.whole = self.whole.max(oldest.at);
        }
        for kept in &self.recent {
            if kept.after <= self.whole {
                self.whole = self.whole.max(kept.at);
            }
        }
    }

    fn hears_newer(&mut self, bulletin: &Bulletin, now: Time) {
        if self.recent.is_empty() {
            self.whole = bulletin.issued_at;
        }
        self.newest = bulletin.issued_at;
        self.heard_at = now;
        self.peers = bulletin.peers;
        self.spreading = Some(bulletin.spreading.into());
        let beat = Duration::from_millis(bulletin.beat_ms.into());
        self.beat = beat.clamp(limits::BEAT, limits::BEAT_IDLE);
    }

    /// How documents are to spread.
    pub(super) const fn spreading(&self) -> Option<Spreading> {
        self.spreading
    }

    /// From then on newer bulletins are wanted of whoever has them.
    pub(super) fn starves_at(&self) -> Time {
        self.heard_at.after(self.beat * 17 / 10)
    }

    /// From then on it counts as gone.
    pub(super) fn gone_at(&self) -> Time {
        self.heard_at.after(self.beat * 3)
    }

    /// Its newest bulletin.
    pub(super) fn latest(&self) -> Option<&Signed<Bulletin>> {
        self.recent.back().map(|kept| &kept.signed)
    }

    /// Those that came after one, as far as they are kept.
    pub(super) fn since(&self, newest: Timestamp) -> Vec<Signed<Bulletin>> {
        let later = self.recent.iter().filter(|kept| kept.at > newest);
        later.map(|kept| kept.signed.clone()).collect()
    }
}
