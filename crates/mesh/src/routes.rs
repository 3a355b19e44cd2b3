//! Where a document goes: to the root of one tree, from there to those that want it, and to no one else.
//!
//! In a small network, or one where most want everything, documents flood ([`crate::documents`]); the root says
//! which ([`Spreading`]). Where they do not, a document climbs from its author to the root, from parent to parent, and
//! goes down wherever a child or those below it want it (the keys that each tells its parent). A neighbour that wants
//! it beside the tree hears that it is here. What becomes of it shows in the root's bulletins:
//! - What is not named in time is sent up once more, over another neighbour, by its author on the other tree
//!   ([`passages`], [`roots`]).
//! - What is named, wanted and has not come is asked for, towards the root ([`missing`]).
//!
//! What is for everyone floods in any case: what is sealed, what announces subscriptions, and what this version
//! cannot read.

mod missing;
mod passages;
mod plan;
mod roots;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use taiinet_document::{DocumentId, VerifiedDocument};
use taiinet_query::{DocumentKeys, KeySet};

use crate::{
    Budget, LinkId, Misbehaviour, Time,
    cx::Cx,
    delegation::Delegation,
    interest::Wants,
    limits,
    notice::{Accepted, Climbed, Named, Notice, keys_of},
    trees::Trees,
    wire::{Ask, IdPrefix, RouteFrame, Slot, Way},
};
use missing::{Missed, Missing};
use passages::{Climb, Passage, Passages, for_each_hop, patience};
pub use plan::Spreading;
pub(crate) use plan::{Plan, Step};
use roots::Roots;

/// The room of routes.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// What neighbours want for themselves; each that has not said so wants everything.
    wants: BTreeMap<LinkId, KeySet>,
    /// Neighbours of an earlier version, which know nothing of trees and routes: they get everything.
    plain: BTreeSet<LinkId>,
    /// Which version of our own wants they were told and when, and when they are told anew.
    told: Option<u64>,
    told_at: Time,
    tell_at: Option<Time>,
    passages: Passages,
    roots: Roots,
    missing: Missing,
    /// How often neighbours were sent what they asked for.
    answered: BTreeMap<(LinkId, IdPrefix), u8>,
    /// How much we may ask of each.
    asking: BTreeMap<LinkId, Budget>,
}

impl Routes {
    // ---- Questions ----

    /// How many bytes of the heap what neighbours want takes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.wants.values().map(KeySet::heap_bytes).sum()
    }

    /// What neighbours want for themselves.
    pub(crate) const fn neighbours(&self) -> &BTreeMap<LinkId, KeySet> {
        &self.wants
    }

    /// How many documents that roots have named, and that we want, have not come for a while.
    pub(crate) fn missed(&self) -> usize {
        self.missing.for_long()
    }

    /// Whether a root has named it lately.
    pub(crate) fn is_named(&self, id: &DocumentId) -> bool {
        self.passages.is_named(&id.into())
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let missing = self.missing.deadline().filter(|_| !self.asking.is_empty());
        [self.tell_at, self.passages.deadline(), missing].into_iter().flatten().min()
    }

    // ---- What happens ----

    pub(crate) fn frame(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        frame: RouteFrame,
    ) -> Result<(), Misbehaviour> {
        let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
        state.budgets.tree(cx.now)?;
        match frame {
            RouteFrame::Wants(keys) => {
                self.wants.insert(link, keys);
                cx.notify(Notice::Wants(link));
            }
            RouteFrame::Ask(ask) => self.asked(cx, link, &ask),
        }
        Ok(())
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice, wants: &Wants) {
        match notice {
            Notice::NeighbourUp(up) => {
                if !cx.links.get(up.link).is_some_and(|link| link.has_trees) {
                    self.plain.insert(up.link);
                    self.wants.remove(&up.link);
                    self.asking.remove(&up.link);
                    return;
                }
                self.wants.insert(up.link, KeySet::EVERYTHING);
                self.asking.insert(up.link, Budget::new(limits::ASKS, cx.now));
                if self.told.is_some() && cx.spreading == Spreading::Route {
                    cx.send(up.link, RouteFrame::Wants(wants.set()));
                }
            }
            Notice::LinkDown(down) => {
                self.wants.remove(&down.link);
                self.plain.remove(&down.link);
                self.asking.remove(&down.link);
                self.missing.link_down(down.link);
                self.answered.retain(|(link, _), _| *link != down.link);
            }
            Notice::Named(named) => self.named(cx, named, wants),
            _ => {}
        }
    }

    pub(crate) fn tick(&mut self, cx: &mut Cx, wants: &Wants, trees: &Trees) {
        self.tell(cx, wants);
        self.climb_again(cx, trees);
        self.ask(cx, trees);
    }

    /// Tells neighbours what we want, once that matters, and when it has changed.
    fn tell(&mut self, cx: &mut Cx, wants: &Wants) {
        self.tell_at = None;
        if cx.spreading == Spreading::Flood {
            self.told = None;
            return;
        }
        if self.told == Some(wants.version()) {
            return;
        }
        let at = self.told_at.after(limits::KEYS_EVERY);
        if cx.now < at {
            self.tell_at = Some(at);
            return;
        }
        (self.told, self.told_at) = (Some(wants.version()), cx.now);
        let keys = wants.set();
        for link in self.wants.keys().copied().collect::<Vec<_>>() {
            cx.send(link, RouteFrame::Wants(keys.clone()));
        }
    }

    // ---- Documents ----

    /// What is to be done with a document that is new here.
    pub(crate) fn plan(
        &mut self,
        cx: &mut Cx,
        accepted: &Accepted,
        (trees, delegation): (&Trees, &Delegation),
    ) -> Plan {
        let Accepted { document, from, way, .. } = accepted;
        let prefix = IdPrefix::from(&document.id());
        let missed = self.missing.came(&prefix, cx.now);
        // It exists, and was not brought: a root could name what there is not, to have us leave who is honest.
        if cx.spreading == Spreading::Route
            && let Some((slot, supplier)) = missed.as_ref().and_then(Missed::owed_by)
        {
            cx.notify(Notice::Missed { slot, supplier });
        }
        let waiters = missed.map(Missed::into_waiters).unwrap_or_default();
        if cx.spreading == Spreading::Flood {
            return Plan::Flood;
        }
        let keys = accepted.keys();
        if keys.is_everything() {
            return Plan::Flood;
        }
        self.passages.enter(document.id(), cx.now).also.clone_from(&accepted.also);
        let from = from.map(|(link, _)| link);
        let mut steps = self.passes(cx, document.id(), &keys, (from, *way), trees);
        for waiter in waiters {
            steps.insert(waiter, Step::Push(Way::Aside));
        }
        for client in delegation.clients_that_want(&keys) {
            let has_it = |passage: &Passage| passage.links.contains(&client);
            if !self.passages.get(&document.id()).is_some_and(has_it) {
                steps.insert(client, Step::Push(Way::Aside));
            }
        }
        // Once is enough: a further copy changes nothing for those beside the tree.
        let links = self.passages.get_mut(&document.id()).map(|passage| &mut passage.links);
        if let Some(links) = links {
            for (link, wants) in &self.wants {
                if !links.contains(link) && !steps.contains_key(link) && wants.matches(&keys) {
                    // Our own goes to them at once: no other peer decides whether it is heard of.
                    let step = if from.is_none() { Step::Push(Way::Aside) } else { Step::Announce };
                    steps.insert(*link, step);
                }
            }
            links.extend(steps.keys());
        }
        let others = self.plain.iter().filter(|link| Some(**link) != from);
        steps.extend(others.map(|link| (*link, Step::Plain)));
        Plan::Route(steps)
    }

    /// A further copy has come. Whether it may go on from here on a way that it has not gone.
    pub(crate) fn goes_on(&self, cx: &Cx, id: &DocumentId, way: Way, trees: &Trees) -> bool {
        if cx.spreading == Spreading::Flood {
            return false;
        }
        let passage = self.passages.get(id);
        passage.is_none_or(|passage| match way {
            _ if passage.floods => false,
            Way::Up(slot) => !passage.went_up(slot) || !passage.went_down(slot),
            Way::Down(slot) => !passage.went_down(slot),
            Way::Aside => !passage.went_down(trees.slot_for(id)),
        })
    }

    /// It does.
    pub(crate) fn comes_again(
        &mut self,
        cx: &mut Cx,
        document: &VerifiedDocument,
        (link, way, also): (LinkId, Way, Option<DocumentKeys>),
        trees: &Trees,
    ) -> BTreeMap<LinkId, Step> {
        let passage = self.passages.enter(document.id(), cx.now);
        if passage.also.is_none() {
            passage.also = also;
        }
        let keys = keys_of(document, passage.also.as_ref());
        if keys.is_everything() {
            // It floods, and that is all.
            passage.floods = true;
            return BTreeMap::new();
        }
        let is_named = self.is_named(&document.id());
        if let Way::Up(slot) = way
            && trees.is_root(slot)
            && !is_named
            && self.passages.enter(document.id(), cx.now).goes_up(slot)
        {
            let (document, keys) = (Arc::new(document.clone()), keys.clone());
            cx.notify(Notice::Climbed(Climbed { slot, document, keys }));
        }
        self.passes(cx, document.id(), &keys, (Some(link), Some(way)), trees)
    }

    /// Up and down the trees, where it has not gone before.
    fn passes(
        &mut self,
        cx: &Cx,
        id: DocumentId,
        keys: &DocumentKeys,
        (from, way): (Option<LinkId>, Option<Way>),
        trees: &Trees,
    ) -> BTreeMap<LinkId, Step> {
        let mut steps = BTreeMap::new();
        let is_named = self.passages.is_named(&(&id).into());
        let passage = self.passages.enter(id, cx.now);
        passage.links.extend(from);
        let (slot, climbs) = match way {
            // It begins here, or comes from a peer that floods.
            None => {
                let slot = trees.slot_for(&id);
                let other = trees.other(slot).filter(|_| self.roots.rests(slot, cx.now));
                (other.unwrap_or(slot), true)
            }
            Some(Way::Up(slot)) => (slot, true),
            Some(Way::Down(slot)) => (slot, false),
            Some(Way::Aside) => (trees.slot_for(&id), false),
        };
        steps.extend(passage.begins_down(slot, || trees.children_that_want(slot, keys)));
        if climbs && trees.is_root(slot) {
            passage.goes_up(slot);
        }
        // Where there is no way up now, it may come again when there is.
        if climbs && !is_named && !passage.went_up(slot) {
            let parent = trees.parent(slot);
            if let Some(parent) = parent {
                passage.goes_up(slot);
                steps.insert(parent, Step::Push(Way::Up(slot)));
            }
            let ours = from.is_none();
            let due = cx.now.after(patience(ours, trees.depth(slot)));
            let tries = u8::from(parent.is_some());
            self.passages.climbs(id, Climb { slot, ours, tries, due });
        }
        if let Some(passage) = self.passages.get_mut(&id) {
            passage.links.extend(steps.keys());
        }
        steps
    }

    /// Of a document that does not flood, where it goes as well.
    pub(crate) fn also(&self, id: &DocumentId) -> Option<Option<&DocumentKeys>> {
        let passage = self.passages.get(id).filter(|passage| !passage.floods)?;
        Some(passage.also.as_ref())
    }

    /// A document that is here goes to some more.
    fn pass(&self, cx: &mut Cx, id: DocumentId, steps: BTreeMap<LinkId, Step>) {
        cx.notify(Notice::Pass { id, steps, also: self.also(&id).flatten().cloned() });
    }

    // ---- What the root says ----

    fn named(&mut self, cx: &Cx, named: &Named, wants: &Wants) {
        // The bulletin that a newcomer is given first may name what is older than what it came for.
        let is_newcomer = cx.now < cx.started.after(limits::BEAT_IDLE);
        let misses = cx.spreading == Spreading::Route || !is_newcomer;
        for entry in &named.entries {
            for climb in self.passages.named(&entry.id, cx.now) {
                if climb.ours && climb.tries == 1 {
                    self.roots.named(climb.slot);
                }
            }
            if misses && !cx.store.has_seen_prefix(&entry.id) && wants.matches(&entry.about) {
                let soon = limits::ASK_AFTER + for_each_hop(limits::ASK_PER_HOP, named.depth);
                let (wait, supplier) = match cx.spreading {
                    Spreading::Route => (soon, wants.supplier_of(&entry.about)),
                    // It may come of a neighbour that has announced it.
                    Spreading::Flood => (soon + limits::MISSED_LATER, None),
                };
                self.missing.want(entry.id, (named.slot, supplier), wait, cx.now);
            }
        }
    }

    /// Sends up once more what no root has named: our own on both trees, what others sent up on the same.
    fn climb_again(&mut self, cx: &mut Cx, trees: &Trees) {
        while let Some((id, climb)) = self.passages.overdue(cx.now) {
            let most = if climb.ours { limits::CLIMBS_OURS } else { limits::CLIMBS };
            if climb.tries >= most || cx.spreading == Spreading::Flood {
                continue;
            }
            if climb.ours && climb.tries == 1 {
                self.roots.omitted(climb.slot, cx.now);
            }
            // The other tree has not been tried before.
            let other = trees.other(climb.slot).filter(|_| climb.ours && climb.tries > 0);
            let other = other.map(|other| (other, climb.tries - 1));
            let mut goes = false;
            for (slot, turn) in other.into_iter().chain([(climb.slot, climb.tries)]) {
                goes |= self.climbs_once_more(cx, id, (slot, turn), trees);
            }
            let tries = climb.tries.saturating_add(u8::from(goes));
            let due = cx.now.after(patience(climb.ours, trees.depth(climb.slot)));
            self.passages.climbs(id, Climb { tries, due, ..climb });
        }
    }

    /// Sends it up a tree over the next neighbour. Whether there is one, or no need of one.
    fn climbs_once_more(
        &mut self,
        cx: &mut Cx,
        id: DocumentId,
        (slot, turn): (Slot, u8),
        trees: &Trees,
    ) -> bool {
        let next = trees.way_up(slot, turn);
        let mut steps = self.begins_down(cx, id, slot, trees);
        if let Some(link) = next {
            cx.counters.resent += 1;
            steps.insert(link, Step::Push(Way::Up(slot)));
        }
        if let Some(passage) = self.passages.get_mut(&id) {
            if next.is_some() {
                passage.goes_up(slot);
            }
            passage.links.extend(steps.keys());
        }
        self.pass(cx, id, steps);
        next.is_some() || trees.is_root(slot)
    }

    /// A document goes up another tree than before: it goes to our children there that want it, too.
    fn begins_down(
        &mut self,
        cx: &Cx,
        id: DocumentId,
        slot: Slot,
        trees: &Trees,
    ) -> BTreeMap<LinkId, Step> {
        let Some(passage) = self.passages.get_mut(&id) else { return BTreeMap::new() };
        let also = passage.also.clone();
        let children = || {
            let Some(document) = cx.store.decoded(&id) else { return Vec::new() };
            trees.children_that_want(slot, &keys_of(&document, also.as_ref()))
        };
        passage.begins_down(slot, children).collect()
    }

    // ---- What is missed ----

    /// Asks for what was named and has not come.
    fn ask(&mut self, cx: &mut Cx, trees: &Trees) {
        self.missing.give_up(cx.now);
        for _ in 0..limits::ASKS_AT_ONCE {
            let Some((id, missed)) = self.missing.overdue(cx.now) else { break };
            if cx.store.has_seen_prefix(&id) {
                self.missing.came(&id, cx.now);
                continue;
            }
            // Where documents flood neighbours announce them, and what is named may be older than what one came for: it
            // is noticed that it does not come, and no more.
            if cx.spreading == Spreading::Flood && !missed.is_for_others() {
                continue;
            }
            let hops = missed.hops();
            if hops == 0 {
                continue;
            }
            let now = cx.now;
            let may_ask =
                |link: &LinkId, budget: &Budget| missed.may_have(*link) && budget.has(1, now);
            let others = self.asking.iter().filter(|(link, budget)| may_ask(link, budget));
            let mut links: Vec<LinkId> = others.map(|(link, _)| *link).collect();
            cx.rng.sample(&mut links, usize::MAX);
            // First the parent, then the others by chance.
            let parent = trees.parent(missed.slot);
            links.sort_by_key(|link| Some(*link) != parent);
            links.truncate(missed.at_once());
            if links.is_empty() {
                missed.put_off(now);
                continue;
            }
            let ask = Ask { slot: missed.slot, id, hops: hops - 1 };
            for link in links {
                missed.asks(link);
                if let Some(budget) = self.asking.get_mut(&link) {
                    budget.take(1, now);
                }
                cx.counters.asked += 1;
                cx.send(link, RouteFrame::Ask(ask.clone()));
            }
        }
    }

    /// A neighbour asks for what a root has named.
    fn asked(&mut self, cx: &mut Cx, link: LinkId, ask: &Ask) {
        if let Some(id) = cx.store.id_of(&ask.id) {
            // A neighbour that asks again has not taken it, and shall not have us send it without end.
            if self.answered.len() >= limits::ANSWERED {
                self.answered.clear();
            }
            let times = self.answered.entry((link, ask.id)).or_default();
            *times = times.saturating_add(1);
            if *times > limits::SERVINGS {
                return;
            }
            let steps = BTreeMap::from([(link, Step::Push(Way::Aside))]);
            self.pass(cx, id, steps);
        } else if ask.hops > 0 && self.passages.is_named(&ask.id) {
            let hops = ask.hops.min(limits::ASK_HOPS);
            self.missing.wanted_by(link, ask.id, (ask.slot, hops), cx.now);
        }
    }
}

#[cfg(test)]
mod tests;
