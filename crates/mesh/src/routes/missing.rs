//! Documents that a root has named and that have not come: ours to want, or asked of us by a child.

use core::time::Duration;
use std::collections::BTreeMap;

use crate::{
    LinkId, Time, limits,
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
    tries: u8,
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
pub(super) struct Missing(BTreeMap<IdPrefix, Missed>);

impl Missing {
    fn entry(&mut self, id: IdPrefix, slot: Slot, due: Time) -> Option<&mut Missed> {
        if !self.0.contains_key(&id) && self.0.len() >= limits::MISSING {
            return None;
        }
        Some(self.0.entry(id).or_insert_with(|| Missed {
            slot,
            ours: false,
            supplier: None,
            waiters: BTreeMap::new(),
            asked: Vec::new(),
            due,
            tries: 0,
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
        if let Some(missed) = self.entry(id, slot, now.after(wait)) {
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
        if let Some(missed) = self.entry(id, slot, now) {
            missed.waiters.insert(link, hops);
        }
    }

    /// It has come. Gives what was done about it, if it was missed.
    pub(super) fn came(&mut self, id: &IdPrefix) -> Option<Missed> {
        self.0.remove(id)
    }

    /// What was asked for often enough is given up.
    pub(super) fn give_up(&mut self, now: Time) {
        self.0.retain(|_, missed| {
            let tries = if missed.ours { limits::ASK_TRIES } else { 1 };
            missed.due > now || missed.tries < tries
        });
    }

    /// The next that is due to be asked for, once more.
    pub(super) fn overdue(&mut self, now: Time) -> Option<(IdPrefix, &mut Missed)> {
        let (id, missed) = self.0.iter_mut().find(|(_, missed)| missed.due <= now)?;
        missed.tries += 1;
        missed.due = now.after(if missed.ours { limits::ASK_EVERY } else { limits::ASK_KEPT });
        Some((*id, missed))
    }

    /// A link is gone.
    pub(super) fn link_down(&mut self, link: LinkId) {
        for missed in self.0.values_mut() {
            missed.waiters.remove(&link);
            missed.asked.retain(|asked| *asked != link);
        }
    }

    /// How many of ours have been missed for a while.
    pub(super) fn for_long(&self) -> usize {
        self.0.values().filter(|missed| missed.ours && missed.tries > limits::ASK_ALONE).count()
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.0.values().map(|missed| missed.due).min()
    }
}
