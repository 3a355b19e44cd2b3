//! The clock of the commands.

use std::time::{SystemTime, UNIX_EPOCH};

use taiinet::Time;

/// What time it is.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
