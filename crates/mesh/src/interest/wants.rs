//! What our subscriptions want, as others are told: routing keys, which say no more than where a document may match.

use std::collections::BTreeMap;

use taiinet_query::{KeySet, Query, RoutingKey};

use crate::{SubscriptionId, limits};

/// The keys of all subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Wants {
    of: BTreeMap<SubscriptionId, Box<[RoutingKey]>>,
    /// By how many subscriptions each is wanted.
    keys: BTreeMap<RoutingKey, u32>,
    /// How often they have changed.
    version: u64,
}

impl Wants {
    pub(super) fn insert(&mut self, subscription: SubscriptionId, query: &Query) {
        let keys: Box<[RoutingKey]> = query.routing_keys().iter().copied().collect();
        for key in &keys {
            let count = self.keys.entry(*key).or_default();
            *count += 1;
            self.version += u64::from(*count == 1);
        }
        self.of.insert(subscription, keys);
    }

    pub(super) fn remove(&mut self, subscription: SubscriptionId) {
        for key in self.of.remove(&subscription).unwrap_or_default() {
            if let Some(count) = self.keys.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    self.keys.remove(&key);
                    self.version += 1;
                }
            }
        }
    }

    /// Changes with them.
    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    /// Whether any document may be wanted.
    pub(crate) fn is_everything(&self) -> bool {
        self.keys.contains_key(&RoutingKey::Any)
    }

    /// As they are sent.
    pub(crate) fn set(&self) -> KeySet {
        KeySet::of(self.keys.keys().copied(), limits::KEYS_BYTES)
    }

    /// Whether a document may be wanted of which a root says what it is about.
    pub(crate) fn matches(&self, about: &taiinet_query::DocumentKeys) -> bool {
        self.keys.keys().any(|key| key.matches(about))
    }
}
