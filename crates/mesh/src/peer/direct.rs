//! Links by address, as signallers make them among themselves, and what they pass on for clients.

use core::net::IpAddr;
use std::collections::BTreeMap;

use taiinet_identity::{PeerId, Signed};

use super::Peer;
use crate::{
    ChannelBinding, Dial, Disconnect, LinkId, Misbehaviour, Output, Time,
    budget::Budget,
    frame::{Astray, Frame, Presence, RefusalReason, Signal},
    limits,
    link::{Link, NOBODY},
};

impl Peer {
    /// Another member of the pool has dialled us, from an address (or what counts as one:
    /// [`crate::Direct`]). Gives the link's name, or none if there is no pool: then close the
    /// connection. Where strangers are too many the one goes that has been one for longest.
    pub fn accept_link(
        &mut self,
        from: IpAddr,
        binding: ChannelBinding,
        now: Time,
    ) -> Option<LinkId> {
        if self.left || self.config.direct.is_none() {
            return None;
        }
        while let Some(oldest) = self.crowding(from) {
            self.close(oldest, None, Disconnect::Crowded, now);
        }
        let link = self.new_link();
        let mut state = Link::new(link, NOBODY, true, 0, now);
        state.from = Some(from);
        self.links.insert(link, state);
        self.link_up(link, binding, now);
        Some(link)
    }

    /// The stranger that has to go before another comes from an address: of those from there, or of
    /// those from the address that has most.
    fn crowding(&self, from: IpAddr) -> Option<LinkId> {
        let strangers = self.links.values().filter(|link| link.incoming && !link.is_admitted());
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

    /// Whether a peer is a neighbour that keeps up with what it is sent.
    pub fn has_room_for(&self, peer: PeerId) -> bool {
        self.links.values().any(|link| link.peer == peer && link.takes_more())
    }

    /// Parts with a neighbour that the operator does not want.
    pub fn expel(&mut self, peer: PeerId, now: Time) {
        let mut links = self.links.values();
        if let Some(link) = links.find(|link| link.peer == peer && link.is_proven()) {
            self.refuse(link.id, RefusalReason::NotAdmitted, now);
        }
    }

    /// Dials the addresses that are due.
    pub(super) fn tick_seeds(&mut self, now: Time) {
        let linked = |links: &BTreeMap<LinkId, Link>, peer: &PeerId| {
            links.values().any(|link| link.peer == *peer)
        };
        while self.seeds.deadline().is_some_and(|due| due <= now) {
            let links = &self.links;
            let due = self.seeds.due(|peer| linked(links, peer), &mut self.rng, now);
            if let Some(address) = due {
                let peer = address.pinned.unwrap_or(NOBODY);
                let link = self.dial_address(peer, address.url.clone(), now);
                self.seeds.dialled(&address, link);
            }
        }
    }

    pub(super) fn dial_address(&mut self, peer: PeerId, url: String, now: Time) -> LinkId {
        let link = self.new_link();
        self.links.insert(link, Link::new(link, peer, false, 0, now));
        self.outputs.push_back(Output::Dial { link, dial: Dial::Direct { url } });
        link
    }

    /// Whether this one may be a neighbour.
    pub(super) fn allows(&self, peer: &PeerId, now: Time) -> bool {
        let allowed = self.config.direct.as_ref().and_then(|direct| direct.allowed.as_ref());
        allowed.is_none_or(|allowed| allowed.contains(peer)) && self.is_welcome(peer, now)
    }

    /// Of two links to one peer: whether the new one is to go. Where both ends dial at once, both
    /// must choose alike.
    pub(super) fn loses_glare(&self, new: LinkId, older: LinkId, now: Time) -> bool {
        let (Some(new), Some(older)) = (self.links.get(&new), self.links.get(&older)) else {
            return false;
        };
        self.config.direct.is_some()
            && new.incoming != older.incoming
            && now.since(older.since()) < limits::GLARE
            && new.incoming == (self.identity.peer_id() < new.peer)
    }

    /// Remembers where a member of the pool is.
    pub(super) fn learn_address(&mut self, presence: &Presence, peer: PeerId, now: Time) {
        if let Some(address) = presence.reachable_at()
            && self.config.direct.is_some()
        {
            self.seeds.learn(address, peer, presence.issued_at, now);
        }
    }

    pub(super) fn send_to(&mut self, peer: PeerId, frame: &Frame, now: Time) -> bool {
        let mut links = self.links.values();
        let link = links.find(|link| link.peer == peer && link.takes_more()).map(|link| link.id);
        if let Some(link) = link {
            self.control(link, frame, now);
        }
        link.is_some()
    }

    pub(super) fn relayed(
        &mut self,
        link: LinkId,
        signal: Signed<Signal>,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        let from = self.of_pool(link, now)?;
        self.outputs.push_back(Output::Relayed { from, signal });
        Ok(())
    }

    pub(super) fn went_astray(
        &mut self,
        link: LinkId,
        astray: Astray,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        let from = self.of_pool(link, now)?;
        self.outputs.push_back(Output::Astray { from, astray });
        Ok(())
    }

    fn of_pool(&mut self, link: LinkId, now: Time) -> Result<PeerId, Misbehaviour> {
        let Some(state) = self.links.get(&link).filter(|_| self.config.direct.is_some()) else {
            return Err(Misbehaviour::OutOfTurn);
        };
        let budget =
            self.signal_budgets.entry(link).or_insert_with(|| Budget::new(limits::RELAYED, now));
        if budget.take(1, now) { Ok(state.peer) } else { Err(Misbehaviour::SignalFlood) }
    }
}
