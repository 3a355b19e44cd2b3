//! Frames of searches, and of what archives are asked to keep.

use serde::{Deserialize, Serialize};
use taiinet_document::SignedDocument;

use super::keep::{Keep, Took};

/// How a neighbour is searched, and an archive is given something to be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FindFrame {
    /// Send me documents that match a query.
    Find(Find),
    /// Some of what you asked for.
    Found(Found),
    /// Keep some documents.
    Keep(Keep),
    /// What became of what you asked me to keep.
    Took(Took),
}

/// Asks a neighbour for its documents that match, in an order, from a place in it on. A neighbour keeps nothing of
/// it when it has answered: whoever wants more asks again, from where the answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Find {
    /// Comes back with the answer; counts up.
    pub request: u32,
    /// A query in its canonical form, as JSON text of at most
    /// [`crate::limits::FIND_QUERY_BYTES`].
    pub query: String,
    /// The order ([`taiinet_query::sort::Sort`]) in its canonical form; nothing for the newest first.
    pub sort: String,
    /// Only documents behind this place ([`taiinet_query::sort::Place`]); nothing for all.
    pub after: Vec<u8>,
    /// How many documents at most.
    pub limit: u16,
}

/// A part of the answer to a [`Find`]: documents as their authors signed them, in the order that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The request that this answers.
    pub request: u32,
    /// Some documents, or none.
    pub documents: Vec<SignedDocument>,
    /// What there is beyond it.
    pub rest: Rest,
    /// With [`Rest::More`] the place up to which all that match were sent; else nothing.
    pub until: Vec<u8>,
}

/// What there is beyond a part of an answer: a number, of which a later version may have more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum Rest {
    /// Another part, which follows.
    Follows,
    /// Nothing follows.
    Finished {
        /// Whether something that may match was left out, since it is not here any more, or would have taken too much
        /// work.
        left_out: bool,
    },
    /// Nothing follows, and there is more behind [`Found::until`], or may be.
    More {
        /// As in [`Self::Finished`], of what comes before that.
        left_out: bool,
    },
}

impl From<u8> for Rest {
    fn from(number: u8) -> Self {
        match number {
            0 => Self::Follows,
            1 => Self::Finished { left_out: false },
            3 => Self::More { left_out: false },
            4 => Self::More { left_out: true },
            // Whatever a later version says, nothing follows, and that it was all it did not say.
            _ => Self::Finished { left_out: true },
        }
    }
}

impl From<Rest> for u8 {
    fn from(rest: Rest) -> Self {
        match rest {
            Rest::Follows => 0,
            Rest::Finished { left_out: false } => 1,
            Rest::Finished { left_out: true } => 2,
            Rest::More { left_out: false } => 3,
            Rest::More { left_out: true } => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::codec::{decode, encode};

    #[test]
    fn a_rest_of_a_later_version_is_an_end_that_was_not_all() {
        let left_out = true;
        for (number, rest) in [
            (0, Rest::Follows),
            (1, Rest::Finished { left_out: false }),
            (2, Rest::Finished { left_out }),
            (3, Rest::More { left_out: false }),
            (4, Rest::More { left_out }),
        ] {
            assert_eq!(encode(&rest), [number]);
            assert_eq!(decode(&[number]), Ok(rest));
        }
        assert_eq!(decode(&[200]), Ok(Rest::Finished { left_out }));
    }
}
