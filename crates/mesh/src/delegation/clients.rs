//! The neighbours that we supply.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_query::{DocumentKeys, RoutingKey};

use super::order::Order;
use crate::{LinkId, cx::Cx, limits};

#[derive(Debug, Default)]
pub(super) struct Clients(BTreeMap<LinkId, BTreeSet<RoutingKey>>);

impl Clients {
    pub(super) fn that_want(&self, keys: &DocumentKeys) -> impl Iterator<Item = LinkId> {
        let wants = |supplied: &BTreeSet<RoutingKey>| supplied.iter().any(|key| key.matches(keys));
        self.0.iter().filter(move |(_, supplied)| wants(supplied)).map(|(link, _)| *link)
    }

    /// Those that want this very key.
    pub(super) fn of(&self, key: &RoutingKey) -> impl Iterator<Item = LinkId> {
        self.0.iter().filter(|(_, supplied)| supplied.contains(key)).map(|(link, _)| *link)
    }

    /// How many neighbours are clients.
    pub(super) fn links(&self) -> usize {
        self.0.len()
    }

    /// The last in the order of those that are supplied with this key and that we need the link to for nothing else.
    pub(super) fn last(&self, cx: &Cx, key: &RoutingKey) -> Option<(Order, LinkId)> {
        let for_this_alone =
            |link: &LinkId| cx.links.get(*link).is_some_and(|link| link.supplies == 1);
        let clients = self.of(key).filter(for_this_alone);
        clients.filter_map(|link| Some((Order::of(&cx.links.peer(link)?, key), link))).max()
    }

    pub(super) fn count(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    pub(super) fn count_of(&self, link: LinkId) -> usize {
        self.0.get(&link).map_or(0, BTreeSet::len)
    }

    /// A neighbour is supplied with this from now on, if there is room.
    pub(super) fn insert(&mut self, link: LinkId, key: RoutingKey) -> bool {
        if self.count_of(link) >= limits::CLIENT_KEYS {
            return false;
        }
        self.0.entry(link).or_default().insert(key);
        true
    }

    pub(super) fn remove(&mut self, link: LinkId, key: &RoutingKey) {
        if let Some(supplied) = self.0.get_mut(&link) {
            supplied.remove(key);
            if supplied.is_empty() {
                self.0.remove(&link);
            }
        }
    }

    pub(super) fn link_down(&mut self, link: LinkId) {
        self.0.remove(&link);
    }

    /// Keeps those that may be kept, and gives the others.
    pub(super) fn retain(
        &mut self,
        may_keep: impl Fn(LinkId, &RoutingKey) -> bool,
    ) -> Vec<(LinkId, RoutingKey)> {
        let mut ended = Vec::new();
        self.0.retain(|link, supplied| {
            supplied.retain(|key| {
                let keeps = may_keep(*link, key);
                if !keeps {
                    ended.push((*link, *key));
                }
                keeps
            });
            !supplied.is_empty()
        });
        ended
    }
}
