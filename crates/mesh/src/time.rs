//! The core's notion of time.

use core::time::Duration;

use serde::{Deserialize, Serialize};
use taiinet_document::Timestamp;

use crate::limits;

/// A moment in milliseconds since the Unix epoch, as the driver tells it.
///
/// It never runs backwards: a driver anchors its monotonic clock at the wall clock once. All
/// arithmetic saturates, because some of the operands come from the wire.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Time(u64);

impl Time {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This moment and `duration` more.
    #[must_use]
    pub const fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// This moment less `duration`.
    #[must_use]
    pub const fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long ago `earlier` was; zero if it is yet to come.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Whether what was signed then, and holds for so long, may hold now, as far as clocks differ.
    pub(crate) fn is_of_late(self, issued_at: Timestamp, lasts: Duration) -> bool {
        let issued = Self::from(issued_at);
        issued <= self.after(limits::CLOCK_SKEW)
            && issued >= self.before(limits::CLOCK_SKEW + lasts)
    }

    /// The same moment as documents carry it.
    pub const fn timestamp(self) -> Timestamp {
        Timestamp::from_millis(self.0)
    }
}

impl From<Timestamp> for Time {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp.as_millis())
    }
}

const fn millis(duration: Duration) -> u64 {
    let millis = duration.as_millis();
    if millis > u64::MAX as u128 { u64::MAX } else { millis as u64 }
}
