//! Documents on their way through here: what was done with each, so that it is done once.

use core::time::Duration;
use std::collections::BTreeSet;

use taiinet_document::DocumentId;
use taiinet_query::DocumentKeys;

use super::plan::Step;
use crate::{
    LinkId, Time,
    lately::Lately,
    limits,
    trees::Slots,
    wire::{IdPrefix, Slot, Way},
};

/// What was done with a document.
#[derive(Debug, Default)]
pub(super) struct Passage {
    /// Where it is on its way up, until a root has named it.
    pub(super) climb: Option<Climb>,
    /// In which trees it went up from here,
    climbed: Slots,
    /// and down.
    went_down: Slots,
    /// It is for everyone, and has no way of its own.
    pub(super) floods: bool,
    /// Where it goes as well.
    pub(super) also: Option<DocumentKeys>,
    /// The neighbours that it came from or went to.
    pub(super) links: BTreeSet<LinkId>,
}

/// A document on its way up that no root has named yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Climb {
    pub(super) slot: Slot,
    /// Whether it is our own.
    pub(super) ours: bool,
    /// How often it was sent up.
    pub(super) tries: u8,
    /// When it is sent over another neighbour, unless it is named by then.
    pub(super) due: Time,
}

impl Passage {
    pub(super) const fn went_up(&self, slot: Slot) -> bool {
        self.climbed.contains(slot)
    }

    pub(super) const fn went_down(&self, slot: Slot) -> bool {
        self.went_down.contains(slot)
    }

    /// It goes up a tree from here.
    pub(super) const fn goes_up(&mut self, slot: Slot) -> bool {
        self.climbed.insert(slot)
    }

    /// It goes down a tree from here, unless it has: to these children, but for those that have had to do with it.
    pub(super) fn begins_down(
        &mut self,
        slot: Slot,
        children: impl FnOnce() -> Vec<LinkId>,
    ) -> impl Iterator<Item = (LinkId, Step)> {
        let mut children = if self.goes_down(slot) { children() } else { Vec::new() };
        children.retain(|child| !self.links.contains(child));
        children.into_iter().map(move |child| (child, Step::Push(Way::Down(slot))))
    }

    pub(super) const fn goes_down(&mut self, slot: Slot) -> bool {
        self.went_down.insert(slot)
    }
}

/// Those of the last while.
#[derive(Debug)]
pub(super) struct Passages {
    of: Lately<DocumentId, Passage>,
    /// Those that no root has named.
    climbing: BTreeSet<(Time, DocumentId)>,
    /// What roots have named, whether it was here or not: it does not go up any more.
    named: Lately<IdPrefix, ()>,
}

impl Default for Passages {
    fn default() -> Self {
        Self {
            of: Lately::new(limits::PASSAGES, limits::PASSAGE_LASTS),
            climbing: BTreeSet::new(),
            named: Lately::new(limits::PASSAGES, limits::PASSAGE_LASTS),
        }
    }
}

impl Passages {
    /// That of a document, which may be new here.
    pub(super) fn enter(&mut self, id: DocumentId, now: Time) -> &mut Passage {
        let climbing = &mut self.climbing;
        self.of.enter(id, Passage::default, now, |id, passage| {
            if let Some(climb) = passage.climb {
                climbing.remove(&(climb.due, id));
            }
        })
    }

    /// Whether a root has named it.
    pub(super) fn is_named(&self, id: &IdPrefix) -> bool {
        self.named.things().contains_key(id)
    }

    pub(super) fn get(&self, id: &DocumentId) -> Option<&Passage> {
        self.of.things().get(id)
    }

    pub(super) fn get_mut(&mut self, id: &DocumentId) -> Option<&mut Passage> {
        self.of.get_mut(id)
    }

    /// It is on its way up, and to be named before this is due.
    pub(super) fn climbs(&mut self, id: DocumentId, climb: Climb) {
        if let Some(passage) = self.of.get_mut(&id) {
            let before = passage.climb.replace(climb);
            if let Some(before) = before {
                self.climbing.remove(&(before.due, id));
            }
            self.climbing.insert((climb.due, id));
        }
    }

    fn settle(&mut self, id: &DocumentId) -> Option<Climb> {
        let climb = self.of.get_mut(id)?.climb.take()?;
        self.climbing.remove(&(climb.due, *id));
        Some(climb)
    }

    /// A root has named it. Gives how it was on its way up.
    pub(super) fn named(&mut self, prefix: &IdPrefix, now: Time) -> Vec<Climb> {
        self.named.enter(*prefix, || (), now, |_, ()| {});
        let known = self.of.things().range(prefix.range()).map(|(id, _)| *id);
        let known: Vec<DocumentId> = known.collect();
        known.iter().filter_map(|id| self.settle(id)).collect()
    }

    /// The next that was to be named by now, and was not.
    pub(super) fn overdue(&mut self, now: Time) -> Option<(DocumentId, Climb)> {
        let (due, id) = self.climbing.first().copied().filter(|(due, _)| *due <= now)?;
        self.climbing.remove(&(due, id));
        let climb = self.of.get_mut(&id)?.climb.take()?;
        Some((id, climb))
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.climbing.first().map(|(due, _)| *due)
    }
}

/// How long to wait for a root's word on what is sent up, by how deep we stand.
pub(super) fn patience(ours: bool, depth: u8) -> Duration {
    if ours {
        limits::NAMED_AFTER
    } else {
        limits::RELAYED_AFTER + for_each_hop(limits::NAMED_PER_HOP, depth)
    }
}

/// So much for each link to the root, as far as those count.
pub(super) fn for_each_hop(wait: Duration, depth: u8) -> Duration {
    wait * u32::from(depth.min(limits::HOPS_WAITED_FOR))
}
