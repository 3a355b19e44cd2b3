//! How long things take, counted by the tasks of connections as they go.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::{BOUNDS, Histogram};

/// A [`Histogram`] that many count in.
#[derive(Debug, Default)]
pub(super) struct Timing {
    counts: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Timing {
    /// One more took so long.
    pub(super) fn observe(&self, took: Duration) {
        if let Some(count) = self.counts.get(Histogram::bucket(took)) {
            count.fetch_add(1, Relaxed);
        }
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// What was counted so far.
    pub(super) fn histogram(&self) -> Histogram {
        Histogram {
            counts: self.counts.each_ref().map(|count| count.load(Relaxed)),
            sum: Duration::from_micros(self.micros.load(Relaxed)),
        }
    }
}
