//! The time that the core is told.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use taiinet_mesh::Time;

/// How far the wall clock must be ahead before it is followed: the machine slept (then the
/// monotonic clock stood still), or its clock was set.
const JUMP: Duration = Duration::from_secs(5);

/// Wall time that never runs backwards: anchored at the wall clock when the peer starts, carried on
/// by the monotonic clock, moved forward when the wall clock has run ahead of it.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// Milliseconds since the Unix epoch at `start`; only grows.
    anchor: AtomicU64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), anchor: AtomicU64::new(wall_millis()) }
    }

    pub(crate) fn now(&self) -> Time {
        self.at(self.anchor.load(Ordering::Relaxed))
    }

    /// Follows the wall clock if it has run ahead; says whether it had.
    pub(crate) fn catch_up(&self) -> bool {
        self.catch_up_to(wall_millis())
    }

    fn catch_up_to(&self, wall: u64) -> bool {
        let ahead = Time::from_millis(wall).since(self.now());
        if ahead < JUMP {
            return false;
        }
        let ahead = u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX);
        let anchor = self.anchor.load(Ordering::Relaxed).saturating_add(ahead);
        self.anchor.fetch_max(anchor, Ordering::Relaxed);
        true
    }

    fn at(&self, anchor: u64) -> Time {
        Time::from_millis(anchor).after(self.start.elapsed())
    }
}

fn wall_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_a_jump_of_the_wall_clock_forwards_and_never_goes_back() {
        let clock = Clock::new();
        let before = clock.now();
        assert!(!clock.catch_up_to(before.as_millis() + 1_000), "a second is no jump");
        assert!(clock.catch_up_to(before.as_millis() + 3_600_000));
        let after = clock.now();
        assert!(after.since(before) >= Duration::from_secs(3_590));
        assert!(!clock.catch_up_to(before.as_millis()));
        assert!(clock.now() >= after);
        assert!(!clock.catch_up_to(0));
    }
}
