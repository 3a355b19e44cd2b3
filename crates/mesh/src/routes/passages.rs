//! Documents on their way through here: what was done with each, so that it is done once.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use taiinet_document::DocumentId;
use taiinet_query::DocumentKeys;

use crate::{
    LinkId, Time, limits,
    trees::Slots,
    wire::{IdPrefix, Slot},
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

    /// It goes up a tree from here, unless it has.
    pub(super) fn goes_up(&mut self, slot: Slot) -> bool {
        let is_first = !self.climbed.contains(slot);
        self.climbed.set(slot, true);
        is_first
    }

    /// It goes down a tree from here, unless it has.
    pub(super) fn goes_down(&mut self, slot: Slot) -> bool {
        let is_first = !self.went_down.contains(slot);
        self.went_down.set(slot, true);
        is_first
    }
}

/// Those of the last while.
#[derive(Debug, Default)]
pub(super) struct Passages {
    of: BTreeMap<DocumentId, Passage>,
    /// In the order in which they came.
    order: VecDeque<(Time, DocumentId)>,
    /// Those that no root has named.
    climbing: BTreeSet<(Time, DocumentId)>,
    named: NamedLately,
}

/// What roots have named in the last while, whether it was here or not: it does not go up any more.
#[derive(Debug, Default)]
struct NamedLately {
    ids: BTreeSet<IdPrefix>,
    order: VecDeque<(Time, IdPrefix)>,
}

impl NamedLately {
    fn insert(&mut self, id: IdPrefix, now: Time) {
        let stale = now.before(limits::PASSAGE_LASTS);
        while let Some((at, oldest)) = self.order.front().copied()
            && (at <= stale || self.order.len() >= limits::PASSAGES)
        {
            self.order.pop_front();
            self.ids.remove(&oldest);
        }
        if self.ids.insert(id) {
            self.order.push_back((now, id));
        }
    }
}

impl Passages {
    /// That of a document, which may be new here.
    pub(super) fn enter(&mut self, id: DocumentId, now: Time) -> &mut Passage {
        let stale = now.before(limits::PASSAGE_LASTS);
        while let Some((at, oldest)) = self.order.front().copied()
            && (at <= stale || self.order.len() >= limits::PASSAGES)
        {
            self.order.pop_front();
            self.settle(&oldest);
            self.of.remove(&oldest);
        }
        self.of.entry(id).or_insert_with(|| {
            self.order.push_back((now, id));
            Passage::default()
        })
    }

    /// Whether a root has named it.
    pub(super) fn is_named(&self, id: &IdPrefix) -> bool {
        self.named.ids.contains(id)
    }

    pub(super) fn get(&self, id: &DocumentId) -> Option<&Passage> {
        self.of.get(id)
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

    fn settle(&mut self, id: &DocumentId) {
        if let Some(climb) = self.of.get_mut(id).and_then(|passage| passage.climb.take()) {
            self.climbing.remove(&(climb.due, *id));
        }
    }

    /// A root has named it.
    pub(super) fn named(&mut self, prefix: &IdPrefix, now: Time) {
        self.named.insert(*prefix, now);
        let known = self.of.range(prefix.range()).map(|(id, _)| *id);
        for id in known.collect::<Vec<_>>() {
            self.settle(&id);
        }
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

/// How long a relay waits for a root's word, by how deep it stands.
pub(super) fn patience(ours: bool, depth: u8) -> Duration {
    if ours {
        limits::NAMED_AFTER
    } else {
        limits::RELAYED_AFTER + limits::NAMED_PER_HOP * u32::from(depth.min(12))
    }
}
