//! The clock of the commands.

use std::time::{SystemTime, UNIX_EPOCH};

use taiinet::{Time, Timestamp};

/// What time it is.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A moment as a user writes it: how long ago (`7d`), or a time (RFC 3339, or a date alone).
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(now().before(ago).timestamp());
    }
    let full =
        if text.contains(['T', 't', ' ']) { text.to_owned() } else { format!("{text}T00:00:00Z") };
    let time = humantime::parse_rfc3339_weak(&full).map_err(|_| {
        format!("`{text}` is no time: write 7d, 2026-11-27 or 2026-11-27T12:00:00Z")
    })?;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_so_long_ago_or_a_time() {
        let millis = |text| moment(text).map(Timestamp::as_millis);
        for same in ["2026-11-27", "2026-11-27T00:00:00Z", "2026-11-27 00:00:00"] {
            assert_eq!(millis(same), Ok(1_795_737_600_000), "{same}");
        }
        let ago = millis("1h").expect("a duration");
        assert!(now().as_millis() - ago - 3_600_000 < 10_000);
        for wrong in ["", "yesterday", "2026-13-01", "-5d"] {
            assert!(millis(wrong).is_err_and(|error| error.contains("7d")), "{wrong}");
        }
    }
}
