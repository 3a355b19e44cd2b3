//! The wall clock, read once, carried on by the monotonic one.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use taiinet_mesh::Time;

/// A clock that never runs backwards.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    wall: Time,
    started: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Self { wall: Time::from_millis(millis), started: Instant::now() }
    }

    pub(super) fn now(&self) -> Time {
        self.wall.after(self.started.elapsed())
    }

    pub(super) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// How long until `time`.
    pub(super) fn until(&self, time: Time) -> Duration {
        time.since(self.now())
    }
}
