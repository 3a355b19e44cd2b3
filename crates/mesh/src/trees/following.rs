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
    /// Its last bulletins, for children that missed some.
    recent: VecDeque<(Timestamp, Signed<Bulletin>)>,
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
            recent: VecDeque::new(),
        }
    }

    /// A newer bulletin of it.
    pub(super) fn hears(&mut self, signed: Signed<Bulletin>, bulletin: &Bulletin, now: Time) {
        self.newest = bulletin.issued_at;
        self.heard_at = now;
        self.peers = bulletin.peers;
        self.spreading = Some(bulletin.spreading.into());
        let beat = Duration::from_millis(bulletin.beat_ms.into());
        self.beat = beat.clamp(limits::BEAT, limits::BEAT_IDLE);
        if self.recent.len() >= limits::BULLETINS_KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back((bulletin.issued_at, signed));
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
        self.recent.back().map(|(_, signed)| signed)
    }

    /// Those that came after one, as far as they are kept.
    pub(super) fn since(&self, newest: Timestamp) -> Vec<Signed<Bulletin>> {
        let later = self.recent.iter().filter(|(at, _)| *at > newest);
        later.map(|(_, signed)| signed.clone()).collect()
    }
}
