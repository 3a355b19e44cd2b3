//! Links that others open by our address, as signallers do among themselves.

use core::net::IpAddr;
use std::collections::BTreeMap;

use taiinet_identity::PeerId;

use super::{link::NOBODY, protection::Protection, session::Purpose};
use crate::{Disconnect, LinkId, Output, cx::Cx, limits, wire::RefusalReason};

impl Cx {
    /// A peer has dialled us from an address. Where strangers are too many, the one goes that has been one
    /// for longest.
    pub(crate) fn accept(&mut self, from: IpAddr) -> Option<LinkId> {
        if !self.topology.is_full() {
            return None;
        }
        while let Some(oldest) = self.crowding(from) {
            self.close(oldest, Disconnect::Crowded);
        }
        let state = self.links.open(NOBODY, true, 0, self.now);
        state.from = Some(from);
        state.protection = Protection::Awaited(Purpose::Pool);
        Some(state.id)
    }

    /// The stranger that has to go before another comes from an address: of those from there, or of
    /// those from the address that has most.
    fn crowding(&self, from: IpAddr) -> Option<LinkId> {
        let strangers = self.links.iter().filter(|link| link.incoming && !link.is_admitted());
        let mut by_address: BTreeMap<Option<IpAddr>, Vec<LinkId>> = BTreeMap::new();
        for link in strangers {
            by_address.entry(link.from).or_default().push(link.id);
        }
        let there = by_address
            .get(&Some(from))
            .filter(|there| there.len() >= limits::STRANGERS_PER_ADDRESS);
        let all: usize = by_address.values().map(Vec::len).sum();
        let most = || by_address.values().max_by_key(|links| links.len());
        let crowd = there.or_else(|| most().filter(|_| all >= limits::STRANGERS))?;
        crowd.first().copied()
    }

    /// Dials an address, at which this peer is said to be.
    pub(crate) fn dial_address(&mut self, peer: Option<PeerId>, url: String) -> LinkId {
        let state = self.links.open(peer.unwrap_or(NOBODY), false, 0, self.now);
        state.protection = Protection::ToOpen(Purpose::Pool, url.clone());
        let link = state.id;
        self.out.push_back(Output::Dial { link, dial: crate::Dial::Direct { url } });
        link
    }

    /// Parts with a neighbour that the operator does not want.
    pub(crate) fn expel(&mut self, peer: PeerId) {
        if let Some(link) = self.links.find(|link| link.peer == peer && link.is_proven()) {
            self.refuse(link, RefusalReason::NotAdmitted);
        }
    }
}
