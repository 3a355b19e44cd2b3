//! A duration as people write it: `10s`, `500ms`, `2m`.

use std::{fmt, str::FromStr, time::Duration};

use taiinet_daemon::serde_as_text;

/// A duration, not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period(Duration);

impl From<Duration> for Period {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<Period> for Duration {
    fn from(period: Period) -> Self {
        period.0
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match humantime::parse_duration(text) {
            Ok(duration) if !duration.is_zero() => Ok(Self(duration)),
            _ => Err("expected a time, such as 10s or 500ms".to_owned()),
        }
    }
}

serde_as_text!(Period);

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}
