//! How many documents of ours were taken, and how many were lost.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the documents that were published by this peer; see
/// [`TaiiNet::outcome`](crate::TaiiNet::outcome).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PublishCounts {
    /// So many were taken by a neighbour, or are in the network if that was [waited for](crate::Until::Network).
    pub taken: u64,
    /// So many became too old before any neighbour took them.
    pub lost: u64,
    /// So many were taken by a neighbour, and became too old before the network's root named them, which was waited for.
    pub unconfirmed: u64,
}

/// The counts behind [`PublishCounts`]: the driver writes, handles read, also after the end.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    taken: AtomicU64,
    lost: AtomicU64,
    unconfirmed: AtomicU64,
}

impl Tally {
    pub(crate) fn count_taken(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_unconfirmed(&self) {
        self.unconfirmed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> PublishCounts {
        PublishCounts {
            taken: self.taken.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
            unconfirmed: self.unconfirmed.load(Ordering::Relaxed),
        }
    }
}
