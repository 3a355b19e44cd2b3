//! Delegation: a neighbour that gets something anyway supplies us with it, so that no tree need bring it.
//!
//! Peers that want the same are few and far apart in a tree, and each document for them would pass many that want
//! nothing of it. So each seeks a neighbour that wants the same or more, its *supplier*, for each of its keys
//! ([`suppliers`]); what is supplied it does not want of its parents any more. The supplier sends what comes to its
//! *clients* as well ([`clients`]). Where no neighbour will do, a search goes through the tree, and the
//! peer that it finds offers a link ([`seeking`]).
//!
//! Suppliers stand in an order ([`Order`]): a wider key before a narrower one, and of those that want the very same the peer
//! with the lesser hash. So no circle of peers waits for one another, and the first of them has it of the tree.

mod clients;
mod order;
mod seeking;
mod suppliers;

use std::collections::BTreeMap;

use taiinet_identity::PeerId;
use taiinet_query::{DocumentKeys, KeySet, RoutingKey};

use crate::{
    Budget, LinkId, Misbehaviour, SupplyStatus, Time, cx::Cx, interest::Wants, limits,
    notice::Notice, routes::Spreading, trees::Trees, wire::SupplyFrame,
};
use clients::Clients;
use order::{Order, supplies};
use suppliers::{Next, Suppliers};

/// The room of suppliers and their clients.
#[derive(Debug)]
pub(crate) struct Delegation {
    suppliers: Suppliers,
    clients: Clients,
    /// How many links we may still offer to seekers.
    offers: Budget,
    /// Whether neighbours or their wants are new: some may be suppliers.
    looks: bool,
    /// Of our own wants.
    version: Option<u64>,
}

impl Delegation {
    pub(crate) fn new(now: Time) -> Self {
        Self {
            suppliers: Suppliers::default(),
            clients: Clients::default(),
            offers: Budget::new(limits::SEEKER_OFFERS, now),
            looks: false,
            version: None,
        }
    }

    // ---- Questions ----

    /// The clients that a document is for.
    pub(crate) fn clients_that_want(&self, keys: &DocumentKeys) -> impl Iterator<Item = LinkId> {
        self.clients.that_want(keys)
    }

    pub(crate) fn status(&self, wants: &Wants) -> SupplyStatus {
        SupplyStatus {
            wanted: wants.len(),
            supplied: wants.supplied(),
            supplying: self.clients.count(),
        }
    }

    /// About how many bytes of memory it takes to know whom we supply.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.clients.count() * 2 * size_of::<RoutingKey>()
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn deadline(&self, cx: &Cx, wants: &Wants) -> Option<Time> {
        if cx.spreading == Spreading::Flood {
            return self.version.map(|_| cx.now);
        }
        if self.looks || self.version != Some(wants.version()) {
            return Some(cx.now);
        }
        self.suppliers.deadline(wants)
    }

    // ---- What happens ----

    pub(crate) fn frame(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        frame: SupplyFrame,
        (wants, trees): (&mut Wants, &Trees),
    ) -> Result<(), Misbehaviour> {
        let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
        match &frame {
            SupplyFrame::Seek(_) => state.budgets.seek(cx.now)?,
            _ => state.budgets.tree(cx.now)?,
        }
        match frame {
            SupplyFrame::Seek(_) if cx.spreading == Spreading::Flood => {}
            SupplyFrame::Seek(seek) => {
                let Self { clients, offers, .. } = self;
                return seeking::passes(cx, link, seek, (wants, trees, clients), offers);
            }
            SupplyFrame::Supply(key) => self.asked(cx, link, key, wants),
            SupplyFrame::Supplies(key) => {
                if self.suppliers.agrees(&key, link) {
                    wants.set_supplier(key, Some(link));
                } else {
                    cx.send(link, SupplyFrame::Release(key));
                }
            }
            SupplyFrame::Refuse(key) => {
                self.suppliers.refuses(&key, link);
                if wants.supplier(&key) == Some(link) {
                    wants.set_supplier(key, None);
                }
                self.looks = true;
            }
            SupplyFrame::Release(key) => self.clients.remove(link, &key),
        }
        self.mark(cx, link, wants);
        Ok(())
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice, wants: &mut Wants) {
        match notice {
            Notice::LinkDown(down) => {
                self.clients.link_down(down.link);
                self.suppliers.link_down(down.link);
                for key in wants.supplied_by(down.link) {
                    wants.set_supplier(key, None);
                    self.looks = true;
                }
            }
            Notice::Wants(link) => {
                self.suppliers.may_ask_again(*link);
                self.looks = true;
            }
            Notice::WantTheSame { key, peers } => seeking::dials(cx, key, peers, wants),
            Notice::Accepted(accepted) => {
                if let Some((link, _)) = accepted.from {
                    self.suppliers.brings(link);
                }
            }
            Notice::Missed { supplier: Some(link), .. }
                if wants.is_supplied_by(*link) && self.suppliers.misses(*link, cx.now) =>
            {
                self.leave(cx, *link, wants);
            }
            _ => {}
        }
    }

    /// `neighbours` is what they want.
    pub(crate) fn tick(
        &mut self,
        cx: &mut Cx,
        wants: &mut Wants,
        trees: &Trees,
        neighbours: &BTreeMap<LinkId, KeySet>,
    ) {
        if cx.spreading == Spreading::Flood {
            if self.version.take().is_some() {
                self.end(cx, wants);
            }
            return;
        }
        if self.deadline(cx, wants).is_none_or(|due| cx.now < due) {
            return;
        }
        if self.version != Some(wants.version()) {
            self.version = Some(wants.version());
            self.renew(cx, wants);
        }
        self.looks = false;
        while let Some((key, next)) = self.suppliers.next(cx, wants, neighbours) {
            match next {
                Next::Ask(link) => cx.send(link, SupplyFrame::Supply(key)),
                Next::Seek(turn) => seeking::begins(cx, key, turn, trees),
            }
        }
    }

    /// A neighbour would be supplied.
    fn asked(&mut self, cx: &mut Cx, link: LinkId, key: RoutingKey, wants: &Wants) {
        let Some(peer) = cx.links.peer(link) else { return };
        let may = cx.spreading == Spreading::Route
            && supplies(&cx.id(), wants, &peer, &key)
            && self.has_place(cx, (link, &peer), &key, wants)
            && self.clients.insert(link, key);
        let answer = if may { SupplyFrame::Supplies(key) } else { SupplyFrame::Refuse(key) };
        cx.send(link, answer);
    }

    /// Whether it may be a client of ours. Where there are enough, the last in the order of those that want the same gives way
    /// to one that comes before it: it has more others to choose from.
    fn has_place(
        &mut self,
        cx: &mut Cx,
        (link, peer): (LinkId, &PeerId),
        key: &RoutingKey,
        wants: &Wants,
    ) -> bool {
        if self.clients.count_of(link) > 0 || self.clients.links() < limits::SUPPLY_LINKS {
            return true;
        }
        let last = self.clients.last(cx, key).filter(|(order, _)| Order::of(peer, key) < *order);
        let Some((_, last)) = last else { return false };
        self.clients.remove(last, key);
        cx.send(last, SupplyFrame::Refuse(*key));
        self.mark(cx, last, wants);
        true
    }

    /// We want something else than before.
    fn renew(&mut self, cx: &mut Cx, wants: &mut Wants) {
        self.suppliers.renew(cx, wants);
        for (key, supplier) in wants.take_idle() {
            cx.send(supplier, SupplyFrame::Release(key));
            self.mark(cx, supplier, wants);
        }
        let us = cx.id();
        let ended = self.clients.retain(|link, key| {
            cx.links.peer(link).is_some_and(|peer| supplies(&us, wants, &peer, key))
        });
        for (link, key) in ended {
            cx.send(link, SupplyFrame::Refuse(key));
            self.mark(cx, link, wants);
        }
    }

    /// This one is our supplier no more.
    fn leave(&mut self, cx: &mut Cx, supplier: LinkId, wants: &mut Wants) {
        for key in wants.supplied_by(supplier) {
            wants.set_supplier(key, None);
            cx.send(supplier, SupplyFrame::Release(key));
            self.looks = true;
        }
        self.mark(cx, supplier, wants);
    }

    /// All documents go to all.
    fn end(&mut self, cx: &mut Cx, wants: &mut Wants) {
        for (link, key) in self.clients.retain(|_, _| false) {
            cx.send(link, SupplyFrame::Refuse(key));
        }
        for link in cx.links.named(|link| link.supplies > 0) {
            self.leave(cx, link, wants);
        }
        self.suppliers = Suppliers::default();
    }

    /// A link is kept, if another can go, while one end supplies the other.
    fn mark(&self, cx: &mut Cx, link: LinkId, wants: &Wants) {
        let count = wants.supplied_by(link).len().saturating_add(self.clients.count_of(link));
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let Some(state) = cx.links.get_mut(link) else { return };
        let before = core::mem::replace(&mut state.supplies, count);
        if (before == 0) != (count == 0) {
            cx.notify(Notice::Moved);
        }
    }
}

#[cfg(test)]
mod tests;
