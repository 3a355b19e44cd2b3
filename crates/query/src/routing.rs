//! What a query and a document have in common by hashes alone, so that peers that know neither can tell
//! where a document may be wanted. See [the crate's page](crate#routing-keys).

mod bytes;
mod cell;
mod choose;
mod code;
mod cover;
mod document;
mod hash;
mod key;
mod set;
mod term;

use core::slice;

pub use self::{
    document::DocumentKeys,
    key::{Pair, RoutingKey},
    set::KeySet,
    term::Term,
};
use crate::Query;

impl Query {
    /// The keys of which each document that it matches stands under one. Not each document that does
    /// matches.
    pub fn routing_keys(&self) -> RoutingKeys {
        let Some(cells) = choose::chosen(self.clause()) else {
            return RoutingKeys(vec![RoutingKey::Any]);
        };
        let mut keys: Vec<RoutingKey> = cells.iter().map(cell::Cells::key).collect();
        keys.sort_unstable();
        keys.dedup();
        RoutingKeys(keys)
    }
}

/// The keys of a query: at most [`ROUTING_KEYS`](crate::limits::ROUTING_KEYS), or
/// [`EQUALITY_KEYS`](crate::limits::EQUALITY_KEYS) if it asks for plain equality only. They are sorted, and none
/// covers another. If there are none the query matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoutingKeys(Vec<RoutingKey>);

impl RoutingKeys {
    /// The keys.
    pub fn iter(&self) -> slice::Iter<'_, RoutingKey> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none: the query matches nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any document may match.
    pub fn is_any(&self) -> bool {
        self.0.contains(&RoutingKey::Any)
    }

    /// Whether a document stands under one of them.
    pub fn matches(&self, document: &DocumentKeys) -> bool {
        self.iter().any(|key| key.matches(document))
    }
}

impl<'k> IntoIterator for &'k RoutingKeys {
    type Item = &'k RoutingKey;
    type IntoIter = slice::Iter<'k, RoutingKey>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests;
