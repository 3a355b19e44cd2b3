//! What our subscriptions want, as others are told: routing keys, which say no more than where a document may match.

use std::collections::BTreeMap;

use taiinet_query::{DocumentKeys, KeySet, Query, RoutingKey};

use crate::{LinkId, SubscriptionId, limits, wire::Kept};

/// The keys of all subscriptions, and which neighbours supply us with what stands under them.
#[derive(Debug, Default)]
pub(crate) struct Wants {
    of: BTreeMap<SubscriptionId, Box<[RoutingKey]>>,
    /// By how many subscriptions each is wanted.
    keys: BTreeMap<RoutingKey, u32>,
    /// These no tree need bring.
    suppliers: BTreeMap<RoutingKey, LinkId>,
    /// How often the keys have changed,
    version: u64,
    /// and how often one of them has got a supplier, or lost it.
    supplies: u64,
}

impl Wants {
    /// Those of a peer that has subscribed to nothing yet, and of the archive behind it, if there is one. Where that does
    /// not say what it keeps, it keeps everything.
    pub(super) fn of_archive(archive: Option<&Kept>) -> Self {
        let mut wants = Self::default();
        if let Some(kept) = archive {
            let queries: Result<Vec<Query>, _> =
                kept.queries.iter().map(|query| query.parse()).collect();
            let queries = queries.ok().filter(|queries| !queries.is_empty());
            for query in queries.unwrap_or_else(|| vec![Query::all()]) {
                wants.count(&query);
            }
        }
        wants
    }

    pub(super) fn insert(&mut self, subscription: SubscriptionId, query: &Query) {
        let keys = self.count(query);
        self.of.insert(subscription, keys);
    }

    fn count(&mut self, query: &Query) -> Box<[RoutingKey]> {
        let keys: Box<[RoutingKey]> = query.routing_keys().iter().copied().collect();
        for key in &keys {
            let count = self.keys.entry(*key).or_default();
            *count += 1;
            if *count == 1 {
                self.version += 1;
            }
        }
        keys
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

    // ---- Keys ----

    /// Changes with them.
    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &RoutingKey> {
        self.keys.keys()
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn has(&self, key: &RoutingKey) -> bool {
        self.keys.contains_key(key)
    }

    /// Whether any document may be wanted.
    pub(crate) fn is_everything(&self) -> bool {
        self.has(&RoutingKey::Any)
    }

    /// As they are sent to neighbours.
    pub(crate) fn set(&self) -> KeySet {
        KeySet::of(self.keys().copied(), limits::KEYS_BYTES)
    }

    /// Whether a document may be wanted of which a root says what it is about.
    pub(crate) fn matches(&self, about: &DocumentKeys) -> bool {
        self.keys().any(|key| key.matches(about))
    }

    // ---- Suppliers ----

    /// Changes with the keys that have none.
    pub(crate) const fn registered_version(&self) -> u64 {
        self.version + self.supplies
    }

    /// Those that have none, as they are sent up the trees.
    pub(crate) fn registered(&self) -> KeySet {
        let registered = self.keys().filter(|key| !self.suppliers.contains_key(key));
        KeySet::of(registered.copied(), limits::KEYS_BYTES)
    }

    pub(crate) fn supplier(&self, key: &RoutingKey) -> Option<LinkId> {
        self.suppliers.get(key).copied()
    }

    /// Whether a neighbour supplies any.
    pub(crate) fn is_supplied_by(&self, supplier: LinkId) -> bool {
        self.suppliers.values().any(|link| *link == supplier)
    }

    /// The keys that a neighbour supplies.
    pub(crate) fn supplied_by(&self, supplier: LinkId) -> Vec<RoutingKey> {
        let by = self.suppliers.iter().filter(|(_, link)| **link == supplier);
        by.map(|(key, _)| *key).collect()
    }

    /// How many have none.
    pub(crate) fn unsupplied(&self) -> usize {
        self.len().saturating_sub(self.supplied())
    }

    /// How many keys have a supplier.
    pub(crate) fn supplied(&self) -> usize {
        self.suppliers.len()
    }

    /// From now on this neighbour supplies us with what stands under a key, or none does.
    pub(crate) fn set_supplier(&mut self, key: RoutingKey, supplier: Option<LinkId>) {
        let before = match supplier {
            Some(supplier) => self.suppliers.insert(key, supplier),
            None => self.suppliers.remove(&key),
        };
        self.supplies += u64::from(before.is_some() != supplier.is_some());
    }

    /// Takes the suppliers of what is not wanted any more.
    pub(crate) fn take_idle(&mut self) -> Vec<(RoutingKey, LinkId)> {
        let Self { keys, suppliers, .. } = self;
        suppliers.extract_if(.., |key, _| !keys.contains_key(key)).collect()
    }

    /// The neighbour that is to supply us with such a document; none, if a tree is to bring it.
    pub(crate) fn supplier_of(&self, about: &DocumentKeys) -> Option<LinkId> {
        let mut supplier = None;
        for key in self.keys().filter(|key| key.matches(about)) {
            supplier = Some(self.supplier(key)?);
        }
        supplier
    }
}
