//! Links by address, as signallers make them among themselves, and what they pass on for clients.

use taiinet_identity::{PeerId, Signed};

use super::Peer;
use crate::{
    ChannelBinding, Dial, LinkId, Misbehaviour, Output, Time,
    budget::Budget,
    frame::{Astray, Frame, Presence, Signal},
    limits,
    link::{Link, NOBODY},
    signallers::is_address,
};

impl Peer {
    /// Another member of the pool has dialled us ([`crate::Direct`]). Gives the link's name, or none if
    /// there is no room for another stranger: then close the connection.
    pub fn accept_link(&mut self, binding: ChannelBinding, now: Time) -> Option<LinkId> {
        let strangers = self.links.values().filter(|link| link.incoming && !link.is_admitted());
        if self.left || self.config.direct.is_none() || strangers.count() >= limits::PENDING_LINKS {
            return None;
        }
        let link = self.new_link();
        self.links.insert(link, Link::new(link, NOBODY, true, 0, now));
        self.link_up(link, binding, now);
        Some(link)
    }

    /// Dials the addresses that are due.
    pub(super) fn tick_seeds(&mut self, now: Time) {
        let linked = |links: &std::collections::BTreeMap<LinkId, Link>, peer: &PeerId| {
            links.values().any(|link| link.peer == *peer)
        };
        while self.seeds.deadline().is_some_and(|due| due <= now) {
            let links = &self.links;
            let due = self.seeds.due(|peer| linked(links, peer), &mut self.rng, now);
            if let Some(address) = due {
                let peer = address.pinned.unwrap_or(NOBODY);
                let link = self.dial_address(peer, address.url.clone(), now);
                self.seeds.dialled(&address.url, link);
            }
        }
    }

    pub(super) fn dial_address(&mut self, peer: PeerId, url: String, now: Time) -> LinkId {
        let link = self.new_link();
        self.links.insert(link, Link::new(link, peer, false, 0, now));
        self.outputs.push_back(Output::Dial { link, dial: Dial::Direct { url } });
        link
    }

    /// Whether the operator lets this one be a neighbour.
    pub(super) fn allows(&self, peer: &PeerId) -> bool {
        let allowed = self.config.direct.as_ref().and_then(|direct| direct.allowed.as_ref());
        allowed.is_none_or(|allowed| allowed.contains(peer))
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
        if let Some(address) = presence.address.as_deref()
            && self.config.direct.is_some()
            && is_address(address)
        {
            self.seeds.learn(address, peer, now);
        }
    }

    pub(super) fn send_to(&mut self, peer: PeerId, frame: &Frame, now: Time) -> bool {
        let mut links = self.links.values();
        let link = links.find(|link| link.peer == peer && link.is_active()).map(|link| link.id);
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
        self.of_pool(link, now)?;
        self.outputs.push_back(Output::Astray(astray));
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
