//! What archives are asked to keep, and what became of it.

use serde::{Deserialize, Serialize};
use taiinet_document::SignedDocument;

/// Asks a neighbour that has an archive to keep documents, whatever their age. They go no further from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// Comes back with the answer; of each that is outstanding another one.
    pub request: u32,
    /// At most [`crate::limits::KEEP_DOCUMENTS`], of [`crate::limits::KEEP_BYTES`] in all if there are several.
    pub documents: Vec<SignedDocument>,
}

/// The answer to a [`Keep`], once all that is kept of it is on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Took {
    /// The request that this answers.
    pub request: u32,
    /// What became of each document, in the order in which they were sent.
    pub outcomes: Vec<Outcome>,
}

/// What became of a document that an archive was asked to keep: a number, of which a later version may have more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum Outcome {
    /// It is kept.
    Stored,
    /// It was there already.
    Known,
    /// A newer version has taken its place, or it was deleted.
    Superseded,
    /// It has expired.
    Expired,
    /// It is older than what is taken.
    TooOld,
    /// There is no room for what is so old.
    NoRoom,
    /// It is none of those that are kept.
    Unwanted,
    /// It is not kept, for another reason.
    Refused,
}

impl Outcome {
    /// Whether it is as good as kept: that another archive is asked would change nothing.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Stored | Self::Known | Self::Superseded | Self::Expired)
    }
}

impl From<u8> for Outcome {
    fn from(number: u8) -> Self {
        match number {
            0 => Self::Stored,
            1 => Self::Known,
            2 => Self::Superseded,
            3 => Self::Expired,
            4 => Self::TooOld,
            5 => Self::NoRoom,
            6 => Self::Unwanted,
            // Whatever a later version says, it did not say that it keeps it.
            _ => Self::Refused,
        }
    }
}

impl From<Outcome> for u8 {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Stored => 0,
            Outcome::Known => 1,
            Outcome::Superseded => 2,
            Outcome::Expired => 3,
            Outcome::TooOld => 4,
            Outcome::NoRoom => 5,
            Outcome::Unwanted => 6,
            Outcome::Refused => 7,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::codec::{decode, encode};

    #[test]
    fn an_outcome_of_a_later_version_is_a_refusal() {
        for number in 0..=7 {
            let outcome = Outcome::from(number);
            assert_eq!(encode(&outcome), [number]);
            assert_eq!(decode(&[number]), Ok(outcome));
            assert_eq!(outcome.is_settled(), number < 4);
        }
        for number in 8..=255 {
            assert_eq!(decode(&[number]), Ok(Outcome::Refused));
        }
    }
}
