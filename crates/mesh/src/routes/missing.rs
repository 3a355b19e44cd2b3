//! Documents that a root has named and that have not come: ours to want, or asked of us by a child.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::{
    Budget, LinkId, Time, limits,
    wire::{IdPrefix, Slot},
};

/// A document that is missed.
#[derive(Debug)]
pub(super) struct Missed {
    pub(super) slot: Slot,
    /// Whether we want it ourselves.
    ours: bool,
    /// Who was to supply us; none, if the tree was to bring it.
    supplier: Option<LinkId>,
    /// The neighbours that asked us for it, and how far they may have us ask.
    waiters: BTreeMap<LinkId, u8>,
    /// The neighbours that were asked.
    pub(super) asked: Vec<LinkId>,
    due: Time,
    /// No sooner for others.
    again_at: Time,
    tries: u8,
    /// Whether a neighbour has asked since we have.
    is_open: bool,
}

impl Missed {
    /// It could not be asked for now: that does not count.
    pub(super) fn put_off(&mut self, now: Time) {
        self.asked.clear();
        // Of what others ask for, it does: they ask again, or elsewhere.
        if self.ours {
            self.tries = self.tries.saturating_sub(1);
        }
        self.due = now.after(limits::ASK_LATER);
    }

    /// If we have asked for it ourselves: of which tree it is, and who was to supply it, if anyone was.
    pub(super) fn owed_by(&self) -> Option<(Slot, Option<LinkId>)> {
        (self.ours && self.tries > 0).then_some((self.slot, self.supplier))
    }

    /// The neighbours that wait for it.
    pub(super) fn into_waiters(self) -> Vec<LinkId> {
        self.waiters.into_keys().collect()
    }

    /// How many neighbours are asked at once: more, as one after the other could not help. What others ask for is never
    /// asked of more than one, so that no question branches.
    pub(super) const fn at_once(&self) -> usize {
        if self.ours && self.tries > limits::ASK_ALONE { limits::ASK_WIDELY } else { 1 }
    }

    /// Whether this neighbour may have it: it was not asked, and does not ask.
    pub(super) fn may_have(&self, link: LinkId) -> bool {
        !self.asked.contains(&link) && !self.waiters.contains_key(&link)
    }

    /// Whether a neighbour has asked for it.
    pub(super) fn is_for_others(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// How many links a question may go from here.
    pub(super) fn hops(&self) -> u8 {
        if self.ours { limits::ASK_HOPS } else { self.waiters.values().copied().max().unwrap_or(0) }
    }
}

#[derive(Debug, Default)]
pub(super) struct Missing {
    of: BTreeMap<IdPrefix, Missed>,
    /// How often what the root of each tree has named may yet be asked for in vain.
    trusts: BTreeMap<Slot, Budget>,
}

impl Missing {
    fn entry(&mut self, id: IdPrefix, slot: Slot, due: Time, now: Time) -> Option<&mut Missed> {
        if !self.of.contains_key(&id) && self.of.len() >= limits::MISSING {
            return None;
        }
        Some(self.of.entry(id).or_insert_with(|| Missed {
            slot,
            ours: false,
            supplier: None,
            waiters: BTreeMap::new(),
            asked: Vec::new(),
            due,
            again_at: now,
            tries: 0,
            is_open: false,
        }))
    }

    /// We want it; it may still come by itself for so long.
    pub(super) fn want(
        &mut self,
        id: IdPrefix,
        (slot, supplier): (Slot, Option<LinkId>),
        wait: Duration,
        now: Time,
    ) {
        if let Some(missed) = self.entry(id, slot, now.after(wait), now) {
            (missed.ours, missed.supplier) = (true, supplier);
        }
    }

    /// A neighbour wants it.
    pub(super) fn wanted_by(
        &mut self,
        link: LinkId,
        id: IdPrefix,
        (slot, hops): (Slot, u8),
        now: Time,
    ) {
        let Some(missed) = self.entry(id, slot, now, now) else { return };
        missed.waiters.insert(link, hops);
        // So another neighbour is asked than before: what lies behind one may be lost each time.
        if !missed.ours && missed.tries < limits::ASK_RELAYED && now >= missed.again_at {
            (missed.is_open, missed.due) = (true, now);
        }
    }

    /// It has come. Gives what was done about it, if it was missed.
    pub(super) fn came(&mut self, id: &IdPrefix, now: Time) -> Option<Missed> {
        let missed = self.of.remove(id)?;
        if let Some(trust) = self.trusts.get_mut(&missed.slot).filter(|_| missed.ours) {
            trust.give_back(limits::ASK_TRIES.into(), now);
        }
        Some(missed)
    }

    /// What was asked for often enough is given up.
    pub(super) fn give_up(&mut self, now: Time) {
        self.of.retain(|_, missed| {
            let goes_on = missed.is_open || missed.ours && missed.tries < limits::ASK_TRIES;
            missed.due > now || goes_on
        });
    }

    /// The next that is due to be asked for, once more. One of ours passes its turn where too much was asked for in vain that
    /// the same root has named.
    pub(super) fn overdue(&mut self, now: Time) -> Option<(IdPrefix, &mut Missed)> {
        let trusts = &mut self.trusts;
        let mut is_next = |missed: &mut Missed| {
            if missed.due > now {
                return false;
            }
            missed.tries += 1;
            missed.is_open = false;
            missed.again_at = now.after(limits::ASK_EVERY);
            missed.due = if missed.ours { missed.again_at } else { now.after(limits::ASK_KEPT) };
            let new = || Budget::new(limits::ASKS_IN_VAIN, now);
            !missed.ours || trusts.entry(missed.slot).or_insert_with(new).take(1, now)
        };
        let (id, missed) =
            self.of.iter_mut().find_map(|(id, missed)| is_next(missed).then_some((id, missed)))?;
        Some((*id, missed))
    }

    /// A link is gone.
    pub(super) fn link_down(&mut self, link: LinkId) {
        for missed in self.of.values_mut() {
            missed.waiters.remove(&link);
            missed.asked.retain(|asked| *asked != link);
        }
    }

    /// How many of ours have been missed for a while.
    pub(super) fn for_long(&self) -> usize {
        self.of.values().filter(|missed| missed.ours && missed.tries > limits::ASK_ALONE).count()
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.of.values().map(|missed| missed.due).min()
    }
}
