//! What a query and a document have in common by hashes alone, so that peers that know neither can tell
//! where a document may be wanted. See [the crate's page](crate#routing-keys).

mod cell;
mod choose;
mod code;
mod cover;
mod document;
mod filter;
mod key;
mod term;

use core::slice;

pub use self::{
    document::DocumentKeys,
    filter::KeyFilter,
    key::RoutingKey,
    term::{Pair, Term, WireKey},
};
use crate::{Query, limits::ROUTING_KEYS};

impl Query {
    /// The keys of which each document that it matches stands under one. Not each document that does
    /// matches.
    pub fn routing_keys(&self) -> RoutingKeys {
        let keys =
            choose::keys(self.clause(), ROUTING_KEYS).unwrap_or_else(|| vec![RoutingKey::ANY]);
        RoutingKeys(choose::tidy(keys))
    }
}

/// The keys of a query: at most [`ROUTING_KEYS`], sorted, none of which covers another. If there are none the
/// query matches nothing.
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
        self.0.contains(&RoutingKey::ANY)
    }

    /// Whether a document stands under one of them.
    pub fn matches(&self, document: &DocumentKeys) -> bool {
        self.iter().any(|key| key.wire().matches(document))
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
