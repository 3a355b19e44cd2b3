//! Frames of searches.

use serde::{Deserialize, Serialize};
use taiinet_document::{SignedDocument, Timestamp};

/// How a neighbour is searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FindFrame {
    /// Send me recent documents that match a query.
    Find(Find),
    /// Some of what you asked for.
    Found(Found),
}

/// Asks a neighbour for its recent documents that match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Find {
    /// Comes back with the answer; counts up.
    pub request: u32,
    /// A query in its canonical form, as JSON text of at most
    /// [`crate::limits::FIND_QUERY_BYTES`].
    pub query: String,
    /// How many documents at most, the newest.
    pub limit: u16,
    /// Only documents created then or later.
    pub since: Timestamp,
}

/// A part of the answer to a [`Find`]: documents as their authors signed them, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The request that this answers.
    pub request: u32,
    /// Some documents, or none.
    pub documents: Vec<SignedDocument>,
    /// What there is beyond it.
    pub rest: Rest,
}

/// What there is beyond a part of an answer: a number, of which a later version may have more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum Rest {
    /// Another part, which follows.
    Follows,
    /// Nothing: that was all.
    Nothing,
    /// Nothing follows, and there may be more: beyond the limit of the one that asked, or of the one that was asked.
    LeftOut,
}

impl From<u8> for Rest {
    fn from(number: u8) -> Self {
        match number {
            0 => Self::Follows,
            1 => Self::Nothing,
            // Whatever a later version says, nothing follows, and that it was all it did not say.
            _ => Self::LeftOut,
        }
    }
}

impl From<Rest> for u8 {
    fn from(rest: Rest) -> Self {
        match rest {
            Rest::Follows => 0,
            Rest::Nothing => 1,
            Rest::LeftOut => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::codec::{decode, encode};

    #[test]
    fn a_rest_of_a_later_version_is_an_end_that_was_not_all() {
        for (number, rest) in [(0, Rest::Follows), (1, Rest::Nothing), (2, Rest::LeftOut)] {
            assert_eq!(encode(&rest), [number]);
            assert_eq!(decode(&[number]), Ok(rest));
        }
        assert_eq!(decode(&[200]), Ok(Rest::LeftOut));
    }
}
