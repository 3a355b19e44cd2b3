//! What the operator changes while the desk is open.

use taiinet_document::Network;
use taiinet_mesh::Time;

use super::{Budgets, Desk, DeskConfig};

impl Desk {
    /// Serves by this configuration from now on, and closes clients and parts with members that it does not
    /// serve any more; what is left of a client's budgets stays. What counts as one address, the STUN servers,
    /// what links are relayed, whether there is a pool, and where this signaller is in it, stay as they were at
    /// the start.
    pub fn renew(&mut self, config: DeskConfig, now: Time) {
        let before = core::mem::take(&mut self.config);
        let DeskConfig { prefixes, ice_servers, pool, relaying, .. } = before;
        if let (Some(members), Some(direct)) = (&mut self.pool, &config.pool) {
            members.renew(direct.clone(), now);
        }
        let budgets = relaying.iter().fold(config.budgets, Budgets::relaying);
        self.config = DeskConfig { prefixes, ice_servers, pool, relaying, budgets, ..config };
        self.recheck(now);
    }

    /// Whether this network is among those served.
    pub(super) fn serves(&self, network: &Network) -> bool {
        self.config.networks.is_empty() || self.config.networks.contains(network)
    }
}
