//! One live result set: the documents that match and count, in their order, and what its readers show of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use taiinet_document::{DocumentId, Mark, Opened, Timestamp, VerifiedDocument};
use taiinet_query::sort::{Place, Sort};

use super::{
    change::LiveChange,
    past::{Name, Past, Standing, name_of},
};
use crate::Removal;

/// What the documents of one set hold of the heap at most. Where they are so large, there are fewer.
pub(super) const HEAP_BYTES: usize = 64 * 1024 * 1024;
/// Beyond its limit a set knows a quarter of it more, and so many at least, to take the places of what is removed.
const RESERVE: usize = 16;

/// Up to where all that match are known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Horizon {
    /// Up to this place; none: nothing is known.
    UpTo(Option<Place>),
    /// There are no more.
    All,
}

impl Horizon {
    fn hides(&self, place: &Place) -> bool {
        match self {
            Self::All => false,
            Self::UpTo(last) => last.as_ref().is_none_or(|last| place > last),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Set {
    sort: Sort,
    limit: usize,
    pub(super) reserve: usize,
    held: BTreeMap<DocumentId, Held>,
    /// Those that count, in order.
    order: Vec<Row>,
    /// Those that do not count now and may later.
    waiting: BTreeSet<DocumentId>,
    names: BTreeMap<Name, BTreeSet<DocumentId>>,
    ends: BTreeSet<(Timestamp, DocumentId)>,
    heap_bytes: usize,
    pub(super) most_bytes: usize,
    /// What lies beyond it is held only while a search is wanted: it may not be found any more.
    horizon: Horizon,
    /// What was known since a search was wanted, and given up for want of room, lies beyond it.
    ceiling: Horizon,
    is_open: bool,
    is_changed: bool,
    /// What the readers show.
    shown: Vec<Row>,
    /// What counts no more since they were told.
    gone: Vec<Gone>,
    /// What has come since then and lies beyond the horizon.
    beyond: BTreeSet<DocumentId>,
}

#[derive(Debug, Clone)]
struct Row {
    place: Place,
    id: DocumentId,
}

#[derive(Debug)]
struct Held {
    place: Place,
    document: Arc<VerifiedDocument>,
    opened: Option<Arc<Opened>>,
    name: Option<Name>,
}

impl Held {
    fn heap_size(&self) -> usize {
        let opened = self.opened.as_ref().map_or(0, |opened| opened.heap_size());
        size_of::<Self>() + size_of::<VerifiedDocument>() + self.document.heap_size() + opened
    }
}

#[derive(Debug)]
struct Gone {
    row: Row,
    mark: Mark,
    reason: Removal,
    by: Option<DocumentId>,
}

impl Set {
    pub(super) fn new(sort: Sort, limit: u16) -> Self {
        Self {
            sort,
            limit: limit.into(),
            reserve: RESERVE,
            held: BTreeMap::new(),
            order: Vec::new(),
            waiting: BTreeSet::new(),
            names: BTreeMap::new(),
            ends: BTreeSet::new(),
            heap_bytes: 0,
            most_bytes: HEAP_BYTES,
            horizon: Horizon::UpTo(None),
            ceiling: Horizon::All,
            is_open: true,
            is_changed: false,
            shown: Vec::new(),
            gone: Vec::new(),
            beyond: BTreeSet::new(),
        }
    }

    // ---- Questions ----

    pub(super) const fn sort(&self) -> &Sort {
        &self.sort
    }

    /// How many documents it knows at most.
    pub(super) fn capacity(&self) -> usize {
        self.limit + (self.limit / 4).max(self.reserve)
    }

    /// How many it has room for behind a place.
    pub(super) fn room(&self, after: Option<&Place>) -> usize {
        let before = after.map_or(0, |after| self.order.partition_point(|row| row.place <= *after));
        self.capacity().saturating_sub(before)
    }

    /// Whether its reserve is used up, and there may be more.
    pub(super) fn is_short(&self) -> bool {
        self.horizon != Horizon::All && !self.has_enough(self.order.len())
    }

    fn has_enough(&self, count: usize) -> bool {
        count > self.limit || self.heap_bytes > self.most_bytes / 2
    }

    /// The last place up to which it knows all.
    pub(super) fn last(&self) -> Option<Place> {
        match &self.horizon {
            Horizon::UpTo(place) => place.clone(),
            Horizon::All => None,
        }
    }

    /// Whether there may be something to [settle](Self::settle).
    pub(super) const fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Whether there may be more than are shown.
    pub(super) fn has_more(&self, is_loading: bool) -> bool {
        self.order.len() > self.shown.len() || !is_loading && self.horizon != Horizon::All
    }

    /// When the next document expires.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// The documents that it holds under a name.
    pub(super) fn under<'a>(
        &'a self,
        name: &Name,
    ) -> impl Iterator<Item = &'a Arc<VerifiedDocument>> + use<'a> {
        let ids = self.names.get(name).into_iter().flatten();
        ids.filter_map(|id| self.held.get(id)).map(|held| &held.document)
    }

    /// Whether nothing is held.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
            && self.order.is_empty()
            && self.waiting.is_empty()
            && self.names.is_empty()
            && self.ends.is_empty()
            && self.gone.is_empty()
            && self.beyond.is_empty()
            && self.heap_bytes == 0
    }

    // ---- What happens ----

    /// A document that matches has come, or was found. Versions were [reviewed](Self::review) before.
    pub(super) fn take(
        &mut self,
        document: &Arc<VerifiedDocument>,
        opened: Option<&Arc<Opened>>,
        past: &Past,
    ) {
        let id = document.id();
        if self.held.contains_key(&id) || past.is_deleted(document) {
            return;
        }
        let Some(place) = self.sort.place_of(document) else { return };
        let name = name_of(document);
        let counts = match past.standing(name.as_ref(), document) {
            Standing::Counts => true,
            Standing::Waits => false,
            Standing::Over => return,
        };
        self.is_changed = true;
        if counts && !self.is_open && self.horizon.hides(&place) {
            self.beyond.insert(id);
            return;
        }
        self.ends.extend(document.expires_at.map(|end| (end, id)));
        if let Some(name) = &name {
            self.names.entry(name.clone()).or_default().insert(id);
        }
        let (document, opened) = (Arc::clone(document), opened.cloned());
        let held = Held { place, document, opened, name };
        self.heap_bytes += held.heap_size();
        self.held.insert(id, held);
        if counts {
            self.count(id);
        } else {
            self.waiting.insert(id);
        }
    }

    /// The versions of a name are not what they were, since an author has written one of this mark.
    pub(super) fn review(
        &mut self,
        name: &Name,
        author: &VerifiedDocument,
        reason: Removal,
        past: &Past,
    ) {
        let Some(ids) = self.names.get(name).cloned() else { return };
        let current = past.current(name);
        let newest = Mark::from(author);
        for id in ids {
            let Some(held) = self.held.get(&id) else { continue };
            let mark = Mark::from(&*held.document);
            if current.contains(&mark) {
                if self.waiting.remove(&id) {
                    self.count(id);
                }
                continue;
            }
            let by = past.replaced_by(name, &held.document);
            if held.document.author() == author.author() && mark < newest {
                self.release(&id, Some((reason, by)));
            } else if self.waiting.insert(id) {
                self.discount(&id, reason, by);
            }
        }
    }

    /// Its author has withdrawn a document.
    pub(super) fn delete(&mut self, id: &DocumentId, author: &VerifiedDocument) {
        if self.held.get(id).is_some_and(|held| held.document.author() == author.author()) {
            self.release(id, Some((Removal::Deleted, None)));
        }
    }

    /// What has expired by now goes.
    pub(super) fn expire(&mut self, now: Timestamp) {
        while let Some((_, id)) = self.ends.first().copied().filter(|(end, _)| *end <= now) {
            self.release(&id, Some((Removal::Expired, None)));
        }
    }

    /// A search is wanted: what comes is held wherever it stands, since it may be found no more.
    pub(super) const fn open(&mut self) {
        self.is_open = true;
    }

    /// A search has given all up to this place, or all. Whether that is enough.
    pub(super) fn reaches(&mut self, reach: Horizon) -> bool {
        let within = self.order.partition_point(|row| !reach.hides(&row.place));
        let is_enough = reach == Horizon::All || self.ceiling < reach || self.has_enough(within);
        if is_enough {
            self.is_changed = true;
            self.horizon = reach.min(self.ceiling.clone());
            self.ceiling = Horizon::All;
            self.is_open = false;
            let hidden = self.order.partition_point(|row| !self.horizon.hides(&row.place));
            for row in self.order.split_off(hidden) {
                self.release(&row.id, None);
            }
        }
        is_enough
    }

    // ---- How ----

    fn count(&mut self, id: DocumentId) {
        let Some(held) = self.held.get(&id) else { return };
        self.is_changed = true;
        if !self.is_open && self.horizon.hides(&held.place) {
            self.beyond.insert(id);
            self.release(&id, None);
            return;
        }
        let row = Row { place: held.place.clone(), id };
        if let Err(index) = find(&self.order, &row.place) {
            self.order.insert(index, row);
        }
    }

    fn discount(&mut self, id: &DocumentId, reason: Removal, by: Option<DocumentId>) {
        let Some(held) = self.held.get(id) else { return };
        if let Ok(index) = find(&self.order, &held.place) {
            self.is_changed = true;
            let row = self.order.remove(index);
            let mark = Mark::from(&*held.document);
            self.gone.push(Gone { row, mark, reason, by });
        }
    }

    /// Holds a document no more; the readers are told why, if they show it.
    fn release(&mut self, id: &DocumentId, why: Option<(Removal, Option<DocumentId>)>) {
        if let Some((reason, by)) = why {
            self.discount(id, reason, by);
        }
        let Some(held) = self.held.remove(id) else { return };
        self.waiting.remove(id);
        self.heap_bytes = self.heap_bytes.saturating_sub(held.heap_size());
        if let Some(end) = held.document.expires_at {
            self.ends.remove(&(end, *id));
        }
        if let Some(name) = held.name
            && let Some(ids) = self.names.get_mut(&name)
        {
            ids.remove(id);
            if ids.is_empty() {
                self.names.remove(&name);
            }
        }
    }

    /// Of too many the last are given up.
    fn trim(&mut self) {
        let capacity = self.capacity();
        while (self.waiting.len() > capacity || self.heap_bytes > self.most_bytes)
            && let Some(id) = self.waiting.first().copied()
        {
            self.release(&id, None);
        }
        while self.order.len() > capacity
            || self.heap_bytes > self.most_bytes && self.order.len() > 1
        {
            let Some(last) = self.order.pop() else { return };
            self.release(&last.id, None);
            let end = Horizon::UpTo(self.order.last().map(|row| row.place.clone()));
            let bound = if self.is_open { &mut self.ceiling } else { &mut self.horizon };
            *bound = end.min(bound.clone());
        }
    }

    /// What the readers are to be told of all that has happened since: as few changes as make the one list of the
    /// other.
    pub(super) fn settle(&mut self) -> Vec<LiveChange> {
        self.is_changed = false;
        self.trim();
        let mut changes = Vec::new();
        let window = self.order.len().min(self.limit);
        let mut gone = core::mem::take(&mut self.gone);
        // Of several that one has replaced, it takes the place of the newest.
        gone.sort_by_key(|gone| core::cmp::Reverse(gone.mark));
        let replaced: BTreeMap<_, _> =
            gone.iter().filter_map(|gone| Some((gone.row.id, gone.by?))).collect();
        let mut updates = BTreeMap::new();
        for Gone { row, reason, mut by, .. } in gone {
            // What has replaced it may be replaced as well by now.
            while let Some(next) = by.and_then(|by| replaced.get(&by)) {
                by = Some(*next);
            }
            let (Ok(index), Err(_)) =
                (find(&self.shown, &row.place), find(&self.order, &row.place))
            else {
                continue;
            };
            let place = by.and_then(|by| self.held.get(&by)).map(|held| held.place.clone());
            let stands = place.and_then(|place| {
                let index = find(&self.order, &place).ok()?;
                Some((index < window, find(&self.shown, &place).is_ok(), place))
            });
            let reason = match (stands, by) {
                (Some((true, false, place)), _) if !updates.contains_key(&place) => {
                    updates.insert(place, row);
                    continue;
                }
                (Some((false, _, _)), _) => Removal::Outranked,
                (None, Some(by)) if self.beyond.contains(&by) => Removal::Outranked,
                _ => reason,
            };
            self.shown.remove(index);
            changes.push(LiveChange::Remove { index, id: row.id, reason });
        }
        self.beyond.clear();
        changes.extend(updates.into_iter().filter_map(|(place, old)| self.update(&place, &old)));
        let last = window.checked_sub(1).and_then(|last| self.order.get(last));
        while let Some(row) = self.shown.pop_if(|row| last.is_none_or(|l| row.place > l.place)) {
            let (index, reason) = (self.shown.len(), Removal::Outranked);
            changes.push(LiveChange::Remove { index, id: row.id, reason });
        }
        for (index, row) in self.order.iter().take(window).enumerate() {
            if self.shown.get(index).is_some_and(|shown| shown.id == row.id) {
                continue;
            }
            self.shown.insert(index, row.clone());
            if let Some(Held { document, opened, .. }) = self.held.get(&row.id) {
                let (document, opened) = (Arc::clone(document), opened.clone());
                changes.push(LiveChange::Insert { index, document, opened });
            }
        }
        changes
    }

    fn update(&mut self, place: &Place, old: &Row) -> Option<LiveChange> {
        let from = find(&self.shown, &old.place).ok()?;
        let row = self.order.get(find(&self.order, place).ok()?)?.clone();
        let Held { document, opened, .. } = self.held.get(&row.id)?;
        self.shown.remove(from);
        let to = find(&self.shown, place).unwrap_or_else(|to| to);
        self.shown.insert(to, row);
        let (document, opened) = (Arc::clone(document), opened.clone());
        Some(LiveChange::Update { from, to, document, opened, replaces: old.id })
    }

    /// All that is shown, for one who comes later.
    pub(super) fn inserts(&self) -> Vec<LiveChange> {
        let held = self.shown.iter().filter_map(|row| self.held.get(&row.id)).enumerate();
        held.map(|(index, held)| {
            let (document, opened) = (Arc::clone(&held.document), held.opened.clone());
            LiveChange::Insert { index, document, opened }
        })
        .collect()
    }
}

fn find(rows: &[Row], place: &Place) -> Result<usize, usize> {
    rows.binary_search_by(|row| row.place.cmp(place))
}
