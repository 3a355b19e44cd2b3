//! A rate as people write it.

use std::{fmt, str::FromStr};

/// Bytes a second, never less than [`Rate::LEAST`]: `2MB/s`, `500kB/s`, `1MiB/s`, `20Mbit/s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u64);

/// Why a text is no [`Rate`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// It is none.
    #[error("`{0}` is no rate: write 500kB/s, 2MB/s or 20Mbit/s")]
    Unreadable(String),
    /// Links would be of no use.
    #[error("`{0}` is too little for links: at least {least}", least = Rate::LEAST)]
    TooLittle(String),
}

/// From the longest name on, since short ones end long ones.
const UNITS: [(&str, f64); 12] = [
    ("Gbit/s", 125_000_000.0),
    ("Mbit/s", 125_000.0),
    ("kbit/s", 125.0),
    ("GiB/s", 1_073_741_824.0),
    ("MiB/s", 1_048_576.0),
    ("KiB/s", 1024.0),
    ("kiB/s", 1024.0),
    ("GB/s", 1_000_000_000.0),
    ("MB/s", 1_000_000.0),
    ("kB/s", 1000.0),
    ("KB/s", 1000.0),
    ("B/s", 1.0),
];

impl Rate {
    /// Below it, what a handful of links need to stay up would be a large part: 64 KiB/s.
    pub const LEAST: Self = Self(64 * 1024);
    /// More than any line.
    const MOST: f64 = 1e15;

    /// Bytes a second.
    pub const fn bytes_per_second(self) -> u64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let unreadable = || RateError::Unreadable(text.to_owned());
        let trimmed = text.trim();
        let unit = |(name, factor): &(&str, f64)| Some((trimmed.strip_suffix(name)?, *factor));
        let (number, factor) = UNITS.iter().find_map(unit).ok_or_else(unreadable)?;
        let number = number.trim();
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number: f64 = number.parse().ok().filter(|_| is_plain).ok_or_else(unreadable)?;
        let bytes = (number * factor).round();
        if bytes > Self::MOST {
            return Err(unreadable());
        }
        let rate = Self(bytes as u64);
        if rate < Self::LEAST { Err(RateError::TooLittle(text.to_owned())) } else { Ok(rate) }
    }
}

/// In the largest unit of which it is a whole number.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WHOLE: [(u64, &str); 5] = [
            (1_000_000_000, "GB/s"),
            (1_000_000, "MB/s"),
            (1_048_576, "MiB/s"),
            (1024, "KiB/s"),
            (1000, "kB/s"),
        ];
        match WHOLE.iter().find(|(unit, _)| self.0.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}B/s", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("2MB/s", 2_000_000),
            (" 2 MB/s ", 2_000_000),
            ("1.5MB/s", 1_500_000),
            ("64KiB/s", 65_536),
            ("500kB/s", 500_000),
            ("1MiB/s", 1_048_576),
            ("20Mbit/s", 2_500_000),
            ("1Gbit/s", 125_000_000),
            ("65536B/s", 65_536),
        ] {
            assert_eq!(text.parse().map(Rate::bytes_per_second), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "2",
            "2MB",
            "MB/s",
            "-2MB/s",
            "1e9B/s",
            "infB/s",
            "NaNB/s",
            "2MB/s/s",
            "9e99GB/s",
            "99999999999GB/s",
        ] {
            assert!(matches!(text.parse::<Rate>(), Err(RateError::Unreadable(_))), "{text}");
        }
        let slow = "56kbit/s".parse::<Rate>().expect_err("too slow");
        assert!(slow.to_string().contains("at least 64KiB/s"), "{slow}");
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read(bytes in 65_536_u64..1_000_000_000_000) {
            let rate = Rate(bytes);
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }

        #[test]
        fn no_text_is_a_panic(text in "\\PC{0,20}") {
            let _ = text.parse::<Rate>();
        }
    }
}
