//! Keys, as they are sent.

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{document::DocumentKeys, term::Term};

/// What documents have in common that a query may match. On the wire 1, 9 or 17 bytes, in one form only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum RoutingKey {
    /// Nothing: any document stands under it.
    Any,
    /// A term.
    One(Term),
    /// Two terms.
    Two(Pair),
}

/// Two terms of which neither covers the other, the lesser one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Pair(Term, Term);

impl Pair {
    /// Both terms, the lesser one first.
    pub const fn terms(self) -> [Term; 2] {
        [self.0, self.1]
    }
}

impl RoutingKey {
    /// The key of documents with both terms.
    pub fn both(a: Term, b: Term) -> Self {
        if a.covers(b) {
            Self::One(b)
        } else if b.covers(a) {
            Self::One(a)
        } else {
            Self::Two(Pair(a.min(b), a.max(b)))
        }
    }

    /// Whether all documents under the other key stand under this one too. That may be so where it says no,
    /// if the documents that there are happen to be such.
    pub fn covers(&self, other: &Self) -> bool {
        self.terms().all(|own| other.terms().any(|its| own.covers(its)))
    }

    /// The key that covers this one with terms of no higher level ([`Term::widened`]).
    #[must_use]
    pub fn widened(&self, level: u8) -> Self {
        match self {
            Self::Any => Self::Any,
            Self::One(term) => Self::One(term.widened(level)),
            Self::Two(Pair(a, b)) => Self::both(a.widened(level), b.widened(level)),
        }
    }

    /// Whether a document stands under it. Then the queries that it was made for need not match, but what
    /// they match stands under one of their keys.
    pub fn matches(&self, document: &DocumentKeys) -> bool {
        self.terms().all(|term| document.has(term))
    }

    /// Its terms, the lesser one first.
    pub fn terms(&self) -> impl Iterator<Item = Term> + use<> {
        let (a, b) = match self {
            Self::Any => (None, None),
            Self::One(term) => (Some(*term), None),
            Self::Two(Pair(a, b)) => (Some(*a), Some(*b)),
        };
        a.into_iter().chain(b)
    }
}

/// Two terms in the wrong order, or of which one covers the other, are an error.
impl<'de> Deserialize<'de> for RoutingKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "RoutingKey")]
        enum Raw {
            Any,
            One(Term),
            Two(Term, Term),
        }
        match Raw::deserialize(deserializer)? {
            Raw::Any => Ok(Self::Any),
            Raw::One(term) => Ok(Self::One(term)),
            Raw::Two(a, b) if a < b && !a.covers(b) => Ok(Self::Two(Pair(a, b))),
            Raw::Two(..) => Err(de::Error::custom(
                "the terms of a key are sorted, and neither covers the other",
            )),
        }
    }
}
