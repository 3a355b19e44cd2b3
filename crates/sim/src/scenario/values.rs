//! Numbers in scenario files, each of which is checked where it stands.

use serde::Deserialize;

/// A number that says what would have been right when it is not.
macro_rules! number {
    ($(#[$about:meta])* $name:ident($inner:ty), $range:expr, $expected:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Deserialize)]
        #[serde(try_from = "Any")]
        pub struct $name($inner);

        impl $name {
            /// The number.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl TryFrom<Any> for $name {
            type Error = String;

            fn try_from(any: Any) -> Result<Self, String> {
                let number = any.number();
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "what was lost shows in the next line"
                )]
                let kept = number as $inner;
                if ($range).contains(&number) && kept as f64 == number {
                    Ok(Self(kept))
                } else {
                    Err(format!("{number} is not {}", $expected))
                }
            }
        }

        impl $name {
            /// One that is known to be right.
            #[allow(dead_code, reason = "not of every kind is one known here")]
            pub(super) const fn of(number: $inner) -> Self {
                Self(number)
            }
        }
    };
}

/// TOML tells `1` from `1.0`; nobody who writes a scenario should have to.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "expected a number")]
pub(crate) enum Any {
    Integer(i64),
    Float(f64),
}

impl Any {
    const fn number(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

number!(
    /// A share of peers, or a probability.
    Share(f64), 0.0..=1.0, "a share: from 0 to 1"
);
number!(
    /// A share of which there is at least something.
    SomeShare(f64), 0.000_01..=1.0, "a share of something: from 0.00001 to 1"
);
number!(
    /// Seconds on the virtual clock.
    Seconds(f64), 0.0..=86_400.0, "a time in seconds: from 0 to 86400"
);
number!(
    /// Milliseconds.
    Millis(u16), 0.0..=10_000.0, "a time in milliseconds: a whole number from 0 to 10000"
);
number!(
    /// So many a second.
    Rate(f64), 0.01..=10_000.0, "a number a second: from 0.01 to 10000"
);
number!(
    /// How many peers there are.
    Peers(usize), 2.0..=60_000.0, "a number of peers: a whole number from 2 to 60000"
);
number!(
    /// How many of something there are.
    Count(usize), 1.0..=1_000_000.0, "a number: a whole one from 1 to 1000000"
);
number!(
    /// Links of a peer.
    Links(usize), 1.0..=100.0, "a number of links: a whole one from 1 to 100"
);
number!(
    /// Bytes of a document.
    Bytes(usize), 1.0..=60_000.0, "a number of bytes that fits into a document: a whole one from 1 to 60000"
);
number!(
    /// Bytes a second.
    BytesPerSecond(u64), 1_000.0..=1e12, "a number of bytes a second: a whole one from 1000"
);
number!(
    /// How much steeper than evenly: the exponent of Zipf's law.
    Exponent(f64), 0.0..=4.0, "an exponent: from 0 to 4"
);
number!(
    /// How many peers live in one region, against the others.
    Weight(f64), 0.001..=1_000_000.0, "a weight: more than 0"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_need_no_point_and_halves_are_no_counts() {
        assert_eq!(Share::try_from(Any::Integer(1)), Ok(Share(1.0)));
        assert_eq!(Peers::try_from(Any::Float(3.0)), Ok(Peers(3)));
        assert!(Peers::try_from(Any::Float(2.5)).is_err_and(|why| why.contains("whole")));
        assert!(Share::try_from(Any::Float(1.5)).is_err_and(|why| why.contains("from 0 to 1")));
        assert!(Seconds::try_from(Any::Float(f64::NAN)).is_err());
    }
}
