//! The clock of the commands.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    time(text)
        .ok_or_else(|| format!("`{text}` is no time: write 7d, 2026-11-27 or 2026-11-27T12:00:00Z"))
}

/// A moment for a user to read, in UTC.
pub(crate) fn written(time: Timestamp) -> String {
    // The latest that a document can have is in the year 10889, beyond what RFC 3339 can say.
    let time = Duration::from_millis(time.as_millis().min(253_402_300_799_999));
    humantime::format_rfc3339_millis(UNIX_EPOCH + time).to_string()
}

/// A time by RFC 3339, or a date alone, which is meant in UTC; what was before 1970 counts as its beginning.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    if !text.contains(['T', 't', ' ']) {
        return time(&format!("{text}T00:00:00Z"));
    }
    // Behind the time of a day a sign begins how far that is ahead of UTC.
    let (local, ahead) = match text.get(19..).and_then(|rest| rest.find(['+', '-'])) {
        Some(at) => {
            let (local, ahead) = text.split_at_checked(19 + at)?;
            (local, offset(ahead)?)
        }
        None => (text, 0),
    };
    let time = humantime::parse_rfc3339_weak(local).ok()?;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    Some(Timestamp::from_millis(millis.saturating_add_signed(-ahead)))
}

/// `+02:00` in milliseconds.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str, most: i64| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| is_number && *number <= most)
    };
    let minutes = number(hours, 23)? * 60 + number(minutes, 59)?;
    Some(if sign == "-" { -minutes } else { minutes } * 60_000)
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
        for same in ["2026-11-27T02:30:00.5+02:30", "2026-11-26T18:00:00.500-06:00"] {
            assert_eq!(millis(same), Ok(1_795_737_600_500), "{same}");
        }
        let ago = millis("1h").expect("a duration");
        assert!(now().as_millis() - ago - 3_600_000 < 10_000);
        for wrong in [
            "",
            "yesterday",
            "2026-13-01",
            "-5d",
            "2026-11-27T12:00:00+2:00",
            "2026-11-27T12:00:00+é",
            "2026-11-27T12:00:00+24:00",
        ] {
            assert!(millis(wrong).is_err_and(|error| error.contains("7d")), "{wrong}");
        }
    }
}
