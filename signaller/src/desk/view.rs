//! Who is here, for the operator.

use core::cmp::Reverse;

use taiinet_mesh::Time;

use super::{Desk, client::Stage};
use crate::{
    limits,
    view::{DeskView, NetworkView},
};

impl Desk {
    /// Looks at all that are here: for an operator that asks, not for each round.
    pub fn view(&self, with_names: bool, now: Time) -> DeskView {
        let mut view = DeskView::default();
        for stage in self.clients.stages() {
            match stage {
                Stage::Connected { .. } => view.connecting += 1,
                Stage::Challenged { .. } => view.joining += 1,
                Stage::Joined { .. } => view.joined += 1,
            }
        }
        let mut networks: Vec<_> = self.clients.sizes().collect();
        networks.sort_unstable_by_key(|(network, peers)| (Reverse(*peers), *network));
        networks.truncate(limits::SHOWN_NETWORKS);
        view.networks = networks
            .into_iter()
            .map(|(network, peers)| NetworkView {
                peers,
                name: with_names.then(|| network.clone()),
                some: if with_names { self.clients.some_names(network) } else { Vec::new() },
            })
            .collect();
        if let Some(pool) = &self.pool {
            view.members = pool.view(with_names, now);
        }
        view
    }
}
