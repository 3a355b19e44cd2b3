//! Which documents were seen, and the recent ones themselves: as signed bytes with a small header, never
//! decoded. What is decoded takes a hundred times the room, if its author wants that.

use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry};

use taiinet_document::{
    Before, Content, DocumentId, Key, Mark, Timestamp, VerifiedDocument, Versions,
};
use taiinet_identity::PeerId;
use taiinet_query::DocumentKeys;

use super::{
    kept::{Kept, Name, name_of},
    own::Own,
};
use crate::{Time, limits, wire::IdPrefix};

/// The seen-cache and the store of recent documents. The maps are ordered, so that no author can choose
/// ids that make them slow.
///
/// An id enters only after its document's signature held, so a bad copy never suppresses the good
/// one. When there are too many ids, those of the oldest documents go, and with them everything as
/// old is refused from then on: so nothing is ever delivered twice.
///
/// A version that another replaces ([`Versions`]), and a document that its author has deleted, is still served to
/// the neighbours that it was announced to, but offered to no other and found by no search; nor does
/// anyone look at it for these, so that no author hides what is current behind what it replaced.
#[derive(Debug)]
pub(crate) struct Recent {
    seen: BTreeMap<DocumentId, Option<Box<Kept>>>,
    /// The newest of the kept documents that have a key.
    versions: BTreeMap<Name, Versions>,
    /// What the kept deletions name, with their author, and when they were made. One takes nothing away that is later,
    /// and no other deletion.
    deleted: BTreeMap<(DocumentId, PeerId), BTreeSet<Mark>>,
    /// All that were seen and are neither replaced nor deleted, in the order of their time.
    current: BTreeSet<Mark>,
    /// The others that were seen.
    replaced: BTreeSet<Mark>,
    floor: Timestamp,
    /// The documents that are kept, in the order in which they came.
    order: VecDeque<(Time, DocumentId)>,
    /// What they hold of the heap.
    kept_bytes: usize,
    most_bytes: usize,
    most_ids: usize,
    own: Own,
}

#[cfg(test)]
impl Default for Recent {
    fn default() -> Self {
        Self::new(limits::STORE_BYTES)
    }
}

impl Recent {
    /// Keeps so many bytes of documents.
    pub(crate) const fn new(most_bytes: usize) -> Self {
        Self {
            seen: BTreeMap::new(),
            versions: BTreeMap::new(),
            deleted: BTreeMap::new(),
            current: BTreeSet::new(),
            replaced: BTreeSet::new(),
            floor: Timestamp::from_millis(0),
            order: VecDeque::new(),
            kept_bytes: 0,
            most_bytes,
            most_ids: limits::SEEN_IDS,
            own: Own::new(),
        }
    }

    pub(crate) fn has_seen(&self, id: &DocumentId) -> bool {
        self.seen.contains_key(id)
    }

    /// Whether one was seen whose id begins so.
    pub(crate) fn has_seen_prefix(&self, prefix: &IdPrefix) -> bool {
        self.seen.range(prefix.range()).next().is_some()
    }

    /// One that can be served whose id begins so.
    pub(crate) fn id_of(&self, prefix: &IdPrefix) -> Option<DocumentId> {
        let mut of = self.seen.range(prefix.range());
        of.find_map(|(id, kept)| kept.is_some().then_some(*id))
    }

    /// Whether what replaces or deletes it is kept.
    pub(crate) fn is_replaced(&self, document: &VerifiedDocument) -> bool {
        let is_deletion = matches!(document.content(), Content::Deleted(_));
        if !is_deletion && self.is_deleted(document.into(), &document.author()) {
            return true;
        }
        let Some((key, name)) = document.key.as_ref().zip(name_of(document)) else { return false };
        self.versions.get(&name).is_some_and(|versions| {
            versions.replaced_by(document.author(), Mark::from(document), key).is_some()
        })
    }

    /// What a version of this author's must be later than, as far as the recent ones tell.
    pub(crate) fn before(&self, author: PeerId, key: &Key) -> Before {
        let versions = self.versions.get(&(key.owner(author), key.name().into()));
        versions.map_or_else(Before::default, |versions| versions.before(author, key))
    }

    /// The keys of what a document of ours replaces or deletes: those that wanted that are to hear of it. None if
    /// it does neither; everything, where we do not know what that was.
    pub(crate) fn victims_keys(&self, document: &VerifiedDocument) -> Option<DocumentKeys> {
        let keys = |kept: Option<&Kept>| {
            let document = kept.and_then(|kept| kept.decode().ok());
            document.map_or(DocumentKeys::EVERYTHING, |document| DocumentKeys::of(&document))
        };
        let victims = match document.content() {
            Content::Deleted(deletion) => deletion.documents().copied().collect(),
            _ => Vec::new(),
        };
        let deleted = victims.iter().map(|id| keys(self.find(id)));
        let replaced = name_of(document).map(|name| {
            let version = self.versions.get(&name).and_then(Versions::document);
            let version = version.and_then(|mark| self.get(&mark.id));
            keys(version.or_else(|| self.own.of(&name)))
        });
        deleted.chain(replaced).reduce(|all, keys| all.union(&keys))
    }

    fn is_deleted(&self, victim: Mark, author: &PeerId) -> bool {
        let deletions = self.deleted.get(&(victim.id, *author));
        deletions.and_then(BTreeSet::last).is_some_and(|last| *last > victim)
    }

    /// Whether a document of this time is as old as those that were forgotten.
    pub(crate) fn is_too_old(&self, created_at: Timestamp) -> bool {
        created_at <= self.floor && self.floor > Timestamp::default()
    }

    /// Remembers a verified document that was not seen before. Gives the version of the same document and the same
    /// moment, if there is one: which of the two counts is by chance.
    pub(crate) fn insert(
        &mut self,
        document: &VerifiedDocument,
        hops: u8,
        now: Time,
    ) -> Option<DocumentId> {
        let kept = Box::new(Kept::new(document, hops));
        let mark = kept.mark();
        self.kept_bytes += kept.heap_size();
        self.order.push_back((now, mark.id));
        self.replaced.insert(mark);
        for victim in kept.victims() {
            self.deleted.entry((*victim, document.author())).or_default().insert(mark);
        }
        let theirs = |id: &DocumentId| {
            let kept = self.get(id)?;
            let takes = !kept.is_deletion() && kept.mark() < mark;
            (takes && kept.signed().author() == document.author()).then_some(kept)
        };
        let deleted: Vec<_> = kept.victims().iter().filter_map(theirs).map(Kept::mark).collect();
        let mut conflict = None;
        let name = kept.name().cloned();
        self.seen.insert(mark.id, Some(kept));
        match document.key.as_ref().zip(name) {
            Some((key, name)) => {
                let versions = self.versions.entry(name).or_default();
                let before: BTreeSet<_> = versions.current().collect();
                let at_once = |other: &Mark| other.created_at == mark.created_at;
                conflict = versions.document().filter(at_once).map(|other| other.id);
                versions.insert(document.author(), mark, key);
                let after: BTreeSet<_> = versions.current().collect();
                self.sort(before.difference(&after).copied(), false);
                self.sort(after.difference(&before).copied(), true);
            }
            None => self.sort([mark], true),
        }
        self.sort(deleted, false);
        self.forget(now, self.most_ids);
        conflict
    }

    /// These count from now on, if they are not deleted, or do not.
    fn sort(&mut self, marks: impl IntoIterator<Item = Mark>, counts: bool) {
        for mark in marks {
            let deleted = self.get(&mark.id).is_some_and(|kept| {
                !kept.is_deletion() && self.is_deleted(mark, &kept.signed().author())
            });
            let (from, to) = if counts && !deleted {
                (&mut self.replaced, &mut self.current)
            } else {
                (&mut self.current, &mut self.replaced)
            };
            if from.remove(&mark) {
                to.insert(mark);
            }
        }
    }

    /// Keeps one of our own for longer: see [`Own`].
    pub(crate) fn keep_own(&mut self, document: &VerifiedDocument) {
        self.own.insert(document);
    }

    /// Lets go of a document of which the id is remembered.
    fn drop_kept(&mut self, kept: &Kept) {
        self.kept_bytes -= kept.heap_size();
        let author = kept.signed().author();
        if let Some(name) = kept.name()
            && let Some(versions) = self.versions.get_mut(name)
        {
            versions.remove(&author, kept.mark());
            if versions.is_empty() {
                self.versions.remove(name);
            }
        }
        for victim in kept.victims() {
            if let Entry::Occupied(mut deletions) = self.deleted.entry((*victim, author)) {
                deletions.get_mut().remove(&kept.mark());
                if deletions.get().is_empty() {
                    deletions.remove();
                }
            }
        }
    }

    /// Drops what is too old, or too much.
    pub(crate) fn expire(&mut self, now: Time) {
        self.forget(now, self.most_ids);
        self.own.expire(now);
    }

    fn forget(&mut self, now: Time, most: usize) {
        let stale = now.before(limits::LIVE_WINDOW);
        while let Some((at, id)) = self.order.front().copied()
            && (self.kept_bytes > self.most_bytes || at <= stale)
        {
            self.order.pop_front();
            if let Some(kept) = self.seen.get_mut(&id).and_then(Option::take) {
                self.drop_kept(&kept);
            }
        }
        // Only what is live can come again; older ids are of no use.
        let dead = now.before(limits::LIVE_WINDOW + limits::CLOCK_SKEW).timestamp();
        while let Some(mark) = self.oldest()
            && (self.seen.len() > most || mark.created_at < dead)
        {
            self.current.remove(&mark);
            self.replaced.remove(&mark);
            self.floor = self.floor.max(mark.created_at);
            if let Some(kept) = self.seen.remove(&mark.id).flatten() {
                self.drop_kept(&kept);
            }
        }
    }

    fn oldest(&self) -> Option<Mark> {
        self.current.first().into_iter().chain(self.replaced.first()).min().copied()
    }

    /// A document that can still be served.
    pub(crate) fn get(&self, id: &DocumentId) -> Option<&Kept> {
        self.seen.get(id)?.as_deref()
    }

    /// The same, decoded.
    pub(crate) fn decoded(&self, id: &DocumentId) -> Option<VerifiedDocument> {
        self.get(id)?.decode().ok()
    }

    /// A document that can be found.
    pub(crate) fn find(&self, id: &DocumentId) -> Option<&Kept> {
        self.get(id).or_else(|| self.own.get(id))
    }

    /// The documents that are not replaced, the newest first, or those before a mark: the recent ones, and our own.
    /// None stands for one that is live and was given up for want of room, or for all that are older than so many.
    pub(crate) fn newest(
        &self,
        before: Option<Mark>,
        now: Time,
    ) -> impl Iterator<Item = (Mark, Option<&Kept>)> {
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        let own = self.own.newest().into_iter();
        let own: Vec<_> = own.filter(|kept| before.is_none_or(|end| kept.mark() < end)).collect();
        let own_ids: BTreeSet<_> = own.iter().map(|kept| kept.mark().id).collect();
        let live = now.before(limits::LIVE_WINDOW).timestamp();
        // Those that are not kept any more are many after a flood, and to pass over them takes time, too.
        let most = 2 * limits::FIND_DOCUMENTS;
        let marks = self.current.range((Bound::Unbounded, end)).rev().take(most + 1).enumerate();
        let recent = marks.filter_map(move |(number, mark)| {
            if number == most {
                return Some((*mark, None));
            }
            let kept = self.get(&mark.id);
            (kept.is_some() || mark.created_at >= live && !own_ids.contains(&mark.id))
                .then_some((*mark, kept))
        });
        let elsewhere = own.into_iter().filter(|kept| self.get(&kept.mark().id).is_none());
        merge(recent, elsewhere.map(|kept| (kept.mark(), Some(kept))))
    }

    /// All that were seen and are not replaced, from one place in their order up to another.
    pub(crate) fn between(&self, from: Mark, until: Mark) -> impl DoubleEndedIterator<Item = Mark> {
        let range = (from < until).then(|| self.current.range(from..until));
        range.into_iter().flatten().copied()
    }

    /// Whether there is room for a document of this time: see [`limits::FUTURE_GRACE`].
    pub(crate) fn has_room_for(&self, created_at: Timestamp, now: Time) -> bool {
        self.seen.len() < self.most_ids / 2
            || Time::from(created_at) <= now.after(limits::FUTURE_GRACE)
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.order.front().map(|(at, _)| at.after(limits::LIVE_WINDOW))
    }

    /// As if a document with any id had been seen, and was not kept.
    #[cfg(test)]
    pub(crate) fn pretend(&mut self, mark: Mark) {
        self.seen.insert(mark.id, None);
        self.current.insert(mark);
    }
}

/// Two of which each has the newest first, as one.
fn merge<T>(
    one: impl Iterator<Item = (Mark, T)>,
    other: impl Iterator<Item = (Mark, T)>,
) -> impl Iterator<Item = (Mark, T)> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    core::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some((a, _)), Some((b, _))) if a < b => other.next(),
        (Some(_), _) => one.next(),
        (None, _) => other.next(),
    })
}

#[cfg(test)]
mod tests;
