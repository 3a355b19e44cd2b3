//! Documents that a root has named and that have not come: ours to want, or asked of us by a child.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::{
    Budget, LinkId, Time, limits,
    trees::Slots,
    wire::{IdPrefix, Slot},
};

/// A document that is missed.
#[derive(Debug)]
pub(super) struct Missed {
    pub(super) slot: Slot,
    /// The trees whose roots have named it while it was missed.
    named: Slots,
    /// Whether we want it ourselves.
    ours: bool,
    /// Who was to supply us; none, if the tree was to bring it.
    supplier: Option<LinkId>,
    /// The neighbours that asked us for it, and how far they may have us ask.
    waiters: BTreeMap<LinkId, u8>,
    /// The neighbours that were asked.
    asked: Vec<LinkId>,
    has_asked: bool,
    due: Time,
    /// No sooner for others.
    again_at: Time,
    tries: u8,
    /// Whether a neighbour has asked since we have.
    is_open: bool,
}

impl Missed {
    /// It could not be asked for now: that does not count. Of what others ask for, they remind us.
    pub(super) fn put_off(&mut self, now: Time) {
        self.asked.clear();
        self.tries = self.tries.saturating_sub(1);
        if self.ours {
            self.due = now.after(limits::ASK_LATER);
        }
    }

    /// Its turn has come.
    fn turn(&mut self, now: Time) {
        self.tries += 1;
        self.is_open = false;
        self.again_at = now.after(limits::ASK_EVERY);
        self.due = if self.ours { self.again_at } else { now.after(limits::ASK_KEPT) };
    }

    /// This neighbour is asked.
    pub(super) fn asks(&mut self, link: LinkId) {
        self.asked.push(link);
        self.has_asked = true;
    }

    /// If we have asked for it ourselves: of which tree it is, and who was to supply it, if anyone was.
    pub(super) fn owed_by(&self) -> Option<(Slot, Option<LinkId>)> {
        (self.ours && self.has_asked).then_some((self.slot, self.supplier))
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
    trusts: Trusts,
}

/// How often what the root of each tree has named may yet be asked for in vain.
#[derive(Debug, Default)]
struct Trusts(BTreeMap<Slot, Budget>);

impl Trusts {
    fn of(&mut self, slot: Slot, now: Time) -> &mut Budget {
        self.0.entry(slot).or_insert_with(|| Budget::new(limits::ASKS_IN_VAIN, now))
    }

    /// Whether one of these roots has some left. What none has named is not ours.
    fn any(&mut self, slots: Slots, now: Time) -> bool {
        slots.is_empty() || slots.iter().any(|slot| self.of(slot, now).has(1, now))
    }

    /// Takes some of one that has.
    fn take(&mut self, slots: Slots, now: Time) {
        slots.iter().any(|slot| self.of(slot, now).take(1, now));
    }

    fn give_back(&mut self, slots: Slots, now: Time) {
        slots.iter().for_each(|slot| self.of(slot, now).give_back(limits::ASK_TRIES.into(), now));
    }
}

const SLOTS: u8 = limits::SLOTS as u8;

impl Missing {
    fn entry(&mut self, id: IdPrefix, slot: Slot, due: Time, now: Time) -> Option<&mut Missed> {
        // Neither tree takes the room of the other, whatever its root names.
        let share = |missed: &&Missed| missed.slot.0 % SLOTS == slot.0 % SLOTS;
        if !self.of.contains_key(&id)
            && self.of.values().filter(share).count() >= limits::MISSING / limits::SLOTS
        {
            return None;
        }
        Some(self.of.entry(id).or_insert_with(|| Missed {
            slot,
            named: Slots::default(),
            ours: false,
            supplier: None,
            waiters: BTreeMap::new(),
            asked: Vec::new(),
            has_asked: false,
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
            missed.named.insert(slot);
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
        self.trusts.give_back(missed.named, now);
        Some(missed)
    }

    /// What was asked for often enough is given up.
    pub(super) fn give_up(&mut self, now: Time) {
        self.of.retain(|_, missed| {
            let goes_on = missed.is_open || missed.ours && missed.tries < limits::ASK_TRIES;
            missed.due > now || goes_on
        });
    }

    /// The next that is due to be asked for, once more. One of ours passes its turn if too much was asked for in vain that the
    /// same roots have named: also where neighbours wait for it, or each question would go on for all its hops.
    pub(super) fn overdue(&mut self, now: Time) -> Option<(IdPrefix, &mut Missed)> {
        let mut next: Option<(Time, IdPrefix)> = None;
        for (id, missed) in self.of.iter_mut().filter(|(_, missed)| missed.due <= now) {
            if !self.trusts.any(missed.named, now) {
                missed.turn(now);
            } else if next.is_none_or(|(due, _)| missed.due < due) {
                next = Some((missed.due, *id));
            }
        }
        let (_, id) = next?;
        let missed = self.of.get_mut(&id)?;
        if missed.ours {
            self.trusts.take(missed.named, now);
        }
        missed.turn(now);
        Some((id, missed))
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
