//! Which clients have named which routing keys of what they want, so that those that want the same can be introduced.
//!
//! It is known of the clients of this signaller alone, for as long as they are connected, and nobody is told the keys.

use std::collections::BTreeMap;

use taiinet_document::Network;
use taiinet_query::RoutingKey;

use super::api::ClientId;

#[derive(Debug, Default)]
pub(super) struct Rendezvous(BTreeMap<(Network, RoutingKey), Vec<ClientId>>);

impl Rendezvous {
    pub(super) fn insert(&mut self, network: &Network, key: RoutingKey, client: ClientId) {
        self.0.entry((network.clone(), key)).or_default().push(client);
    }

    pub(super) fn remove(&mut self, network: &Network, key: RoutingKey, client: ClientId) {
        let place = (network.clone(), key);
        let Some(clients) = self.0.get_mut(&place) else { return };
        clients.retain(|other| *other != client);
        if clients.is_empty() {
            self.0.remove(&place);
        }
    }

    /// Those that have named this one, whose order means nothing.
    pub(super) fn at(&mut self, network: &Network, key: &RoutingKey) -> Option<&mut Vec<ClientId>> {
        self.0.get_mut(&(network.clone(), *key))
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
