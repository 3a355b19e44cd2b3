//! Which documents were seen, and the recent ones themselves.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::RangeBounds,
    sync::Arc,
};

use taiinet_document::{DocumentId, Timestamp, VerifiedDocument};
use taiinet_identity::PeerId;

use crate::{Time, limits};

/// The seen-cache and the store of recent documents. Ordered maps: nobody can choose ids that make
/// them slow.
///
/// An id enters only after its document's signature held, so a bad copy never suppresses the good
/// one. When there are too many ids, those of the oldest documents go, and with them everything as
/// old is refused from then on: so nothing is ever delivered twice.
///
/// The newest document of one author under one key replaces the older: that is still served to whom it
/// was announced, but offered to nobody else and found by no search.
#[derive(Debug)]
pub(crate) struct Recent {
    seen: BTreeMap<DocumentId, Seen>,
    /// The newest of the kept documents that have a key.
    by_key: BTreeMap<(PeerId, String), (Timestamp, DocumentId)>,
    /// The ids by their documents' time.
    by_age: BTreeMap<Timestamp, Vec<DocumentId>>,
    /// For each step of [`limits::DIGEST_MS`], the XOR of the beginnings of its ids.
    digests: BTreeMap<u64, u64>,
    floor: Timestamp,
    /// The documents that are kept, in the order in which they came.
    order: VecDeque<(Time, DocumentId)>,
    kept_bytes: usize,
    most_bytes: usize,
    most_ids: usize,
}

/// A document that was seen.
#[derive(Debug)]
struct Seen {
    kept: Option<Kept>,
    /// Whether a newer one under its key has come.
    replaced: bool,
}

/// A document that can still be served.
#[derive(Debug)]
struct Kept {
    document: Arc<VerifiedDocument>,
    hops: u8,
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
            by_key: BTreeMap::new(),
            by_age: BTreeMap::new(),
            digests: BTreeMap::new(),
            floor: Timestamp::from_millis(0),
            order: VecDeque::new(),
            kept_bytes: 0,
            most_bytes,
            most_ids: limits::SEEN_IDS,
        }
    }

    pub(crate) fn has_seen(&self, id: &DocumentId) -> bool {
        self.seen.contains_key(id)
    }

    /// Whether a document of this time is as old as those that were forgotten.
    pub(crate) fn is_too_old(&self, created_at: Timestamp) -> bool {
        created_at <= self.floor && self.floor > Timestamp::default()
    }

    /// Remembers a verified document that was not seen before.
    pub(crate) fn insert(&mut self, document: &Arc<VerifiedDocument>, hops: u8, now: Time) {
        let id = document.id();
        self.kept_bytes += document.signed().size();
        self.order.push_back((now, id));
        let kept = Some(Kept { document: Arc::clone(document), hops });
        self.seen.insert(id, Seen { kept, replaced: false });
        self.by_age.entry(document.created_at).or_default().push(id);
        self.digest_mut(document.created_at, &id);
        if let Some(key) = &document.key {
            let this = (document.created_at, id);
            let newest = self.by_key.entry((document.author(), key.clone())).or_insert(this);
            if *newest != this {
                let older = this.min(*newest);
                *newest = this.max(*newest);
                self.replace(older);
            }
        }
        self.forget(now, self.most_ids);
    }

    fn replace(&mut self, (created_at, id): (Timestamp, DocumentId)) {
        if let Some(seen) = self.seen.get_mut(&id) {
            seen.replaced = true;
            self.digest_mut(created_at, &id);
        }
    }

    /// Takes an id into its step's digest, or out of it.
    fn digest_mut(&mut self, created_at: Timestamp, id: &DocumentId) {
        let digest = self.digests.entry(step(created_at)).or_default();
        *digest ^= beginning(id);
        if *digest == 0 {
            self.digests.remove(&step(created_at));
        }
    }

    /// Lets go of a document of which the id is remembered.
    fn drop_kept(&mut self, kept: &Kept) {
        self.kept_bytes -= kept.document.signed().size();
        if let Some(key) = &kept.document.key {
            let name = (kept.document.author(), key.clone());
            if self.by_key.get(&name).is_some_and(|(_, id)| *id == kept.document.id()) {
                self.by_key.remove(&name);
            }
        }
    }

    /// Drops what is too old, or too much.
    pub(crate) fn expire(&mut self, now: Time) {
        self.forget(now, self.most_ids);
    }

    fn forget(&mut self, now: Time, most: usize) {
        let stale = now.before(limits::LIVE_WINDOW);
        while let Some((at, id)) = self.order.front().copied()
            && (self.kept_bytes > self.most_bytes || at <= stale)
        {
            self.order.pop_front();
            if let Some(kept) = self.seen.get_mut(&id).and_then(|seen| seen.kept.take()) {
                self.drop_kept(&kept);
            }
        }
        // Only what is live can come again; older ids are of no use.
        let dead = now.before(limits::LIVE_WINDOW + limits::CLOCK_SKEW).timestamp();
        while let Some(oldest) = self.by_age.first_entry()
            && (self.seen.len() > most || *oldest.key() < dead)
        {
            let created_at = *oldest.key();
            self.floor = self.floor.max(created_at);
            for id in oldest.remove() {
                let Some(seen) = self.seen.remove(&id) else { continue };
                if !seen.replaced {
                    self.digest_mut(created_at, &id);
                }
                if let Some(kept) = seen.kept {
                    self.drop_kept(&kept);
                }
            }
        }
    }

    pub(crate) fn get(&self, id: &DocumentId) -> Option<(Arc<VerifiedDocument>, u8)> {
        let kept = self.seen.get(id)?.kept.as_ref()?;
        Some((Arc::clone(&kept.document), kept.hops))
    }

    /// A document that is kept and not replaced.
    fn offered(&self, id: &DocumentId) -> Option<&Arc<VerifiedDocument>> {
        let seen = self.seen.get(id).filter(|seen| !seen.replaced)?;
        Some(&seen.kept.as_ref()?.document)
    }

    /// The newest documents that are kept, from `since` on.
    pub(crate) fn newest(&self, since: Timestamp) -> impl Iterator<Item = &Arc<VerifiedDocument>> {
        let ids = self.by_age.range(since..).rev().flat_map(|(_, ids)| ids.iter().rev());
        ids.take(limits::FIND_DOCUMENTS).filter_map(|id| self.offered(id))
    }

    /// Whether there is room for a document of this time: see [`limits::FUTURE_GRACE`].
    pub(crate) fn has_room_for(&self, created_at: Timestamp, now: Time) -> bool {
        self.seen.len() < self.most_ids / 2
            || Time::from(created_at) <= now.after(limits::FUTURE_GRACE)
    }

    /// What we have of the time from `since` until `until`, step by step.
    pub(crate) fn digests_until(&self, since: Timestamp, until: Timestamp) -> Vec<u64> {
        let steps = step(since)..step(until);
        steps.take(limits::DIGESTS).map(|step| self.digest(step)).collect()
    }

    /// What we have from `since` on, step by step.
    pub(crate) fn digests(&self, since: Timestamp) -> Vec<u64> {
        let first = step(since);
        let last = self.digests.last_key_value().map_or(first, |(step, _)| step + 1);
        let count = usize::try_from(last.saturating_sub(first)).unwrap_or(usize::MAX);
        (first..).take(count.min(limits::DIGESTS)).map(|step| self.digest(step)).collect()
    }

    fn digest(&self, step: u64) -> u64 {
        self.digests.get(&step).copied().unwrap_or(0)
    }

    /// What we can serve of the steps in which another has something else than we, oldest first. It
    /// cares for documents from `since` on.
    pub(crate) fn differing(&self, since: Timestamp, theirs: &[u64], now: Time) -> Vec<DocumentId> {
        self.differing_in(since.., since, theirs, now)
    }

    /// The same, of the time of which it says what it has.
    pub(crate) fn differing_within(
        &self,
        since: Timestamp,
        theirs: &[u64],
        now: Time,
    ) -> Vec<DocumentId> {
        let end = step(since).saturating_add(theirs.len() as u64);
        let end = Timestamp::from_millis(end.saturating_mul(limits::DIGEST_MS));
        if end <= since {
            return Vec::new();
        }
        self.differing_in(since..end, since, theirs, now)
    }

    fn differing_in(
        &self,
        times: impl RangeBounds<Timestamp>,
        since: Timestamp,
        theirs: &[u64],
        now: Time,
    ) -> Vec<DocumentId> {
        let live = now.before(limits::LIVE_WINDOW).after(limits::LIVE_MARGIN).timestamp();
        let first = step(since);
        let differs = |step: u64| {
            let index = usize::try_from(step - first).unwrap_or(usize::MAX);
            theirs.get(index).copied().unwrap_or(0) != self.digest(step)
        };
        let (mut at, mut at_differs) = (first, differs(first));
        let mut ids = Vec::new();
        for (created_at, documents) in self.by_age.range(times) {
            if *created_at < live {
                continue;
            }
            if step(*created_at) != at {
                at = step(*created_at);
                at_differs = differs(at);
            }
            if at_differs {
                ids.extend(documents.iter().filter(|id| self.offered(id).is_some()));
            }
        }
        ids
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.order.front().map(|(at, _)| at.after(limits::LIVE_WINDOW))
    }
}

const fn step(created_at: Timestamp) -> u64 {
    created_at.as_millis() / limits::DIGEST_MS
}

fn beginning(id: &DocumentId) -> u64 {
    id.as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, NOW};

    #[test]
    fn what_is_forgotten_is_refused_by_its_age_and_so_never_comes_twice() {
        let author = testing::identity(1);
        let mut recent = Recent::default();
        let at = |seconds: u64| NOW.after(core::time::Duration::from_secs(seconds));
        let documents: Vec<_> =
            (0..10).map(|n| testing::document_at(&author, n, 10, at(n.into()))).collect();
        for document in &documents {
            recent.insert(document, 0, at(10));
        }
        assert!(documents.iter().all(|document| recent.has_seen(&document.id())));
        recent.forget(at(10), 6);
        for (index, document) in documents.iter().enumerate() {
            let (seen, refused) =
                (recent.has_seen(&document.id()), recent.is_too_old(document.created_at));
            assert_eq!((seen, refused), (index >= 4, index < 4), "{index}");
        }
    }

    #[test]
    fn documents_are_kept_for_the_live_window_and_their_ids_longer() {
        let author = testing::identity(1);
        let mut recent = Recent::default();
        let document = testing::document(&author, 1, 100);
        recent.insert(&document, 3, NOW);
        assert_eq!(recent.get(&document.id()).map(|(_, hops)| hops), Some(3));
        let late = NOW.after(limits::LIVE_WINDOW);
        assert_eq!(recent.deadline(), Some(late));
        recent.expire(late);
        assert!(recent.get(&document.id()).is_none());
        assert!(recent.has_seen(&document.id()));
        assert_eq!(recent.kept_bytes, 0);
    }

    #[test]
    fn two_that_compare_learn_of_what_differs_and_no_more() {
        let author = testing::identity(1);
        let at = |millis: u64| NOW.after(core::time::Duration::from_millis(millis));
        let documents: Vec<_> = (0..20_u32)
            .map(|n| testing::document_at(&author, n, 10, at(u64::from(n) * 1000)))
            .collect();
        let (mut one, mut other) = (Recent::default(), Recent::default());
        for (index, document) in documents.iter().enumerate() {
            one.insert(document, 0, at(20_000));
            if index != 7 {
                other.insert(document, 0, at(20_000));
            }
        }
        let since = NOW.timestamp();
        let differing = |ours: &Recent, theirs: &Recent, since| {
            ours.differing(since, &theirs.digests(since), at(20_000))
        };
        let told = differing(&one, &other, since);
        assert!(told.contains(&documents[7].id()));
        assert!(told.len() <= 2, "one step of two seconds: {}", told.len());
        assert!(differing(&other, &one, since).len() <= 2);
        assert!(differing(&one, &one, since).is_empty());
        // Who came later cares for less, and an empty one for all from then on.
        assert!(differing(&one, &other, at(12_000).timestamp()).is_empty());
        let rest = one.differing(at(15_000).timestamp(), &[], at(20_000));
        assert_eq!(rest.len(), 5);
        assert!(one.differing(Timestamp::default(), &[u64::MAX; 3], at(20_000)).len() == 20);
    }

    /// Otherwise thousands of documents dated ahead would push out what is written now, and it would be
    /// refused as too old.
    #[test]
    fn documents_dated_ahead_do_not_make_those_of_now_too_old() {
        let author = testing::identity(1);
        let mut recent = Recent { most_ids: 100, ..Recent::default() };
        let ahead = NOW.after(limits::CLOCK_SKEW);
        let mut taken = 0;
        for nonce in 0..1000 {
            let document = testing::document_at(&author, nonce, 1, ahead);
            if recent.has_room_for(document.created_at, NOW) {
                recent.insert(&document, 0, NOW);
                taken += 1;
            }
        }
        assert_eq!(taken, 50);
        for nonce in 1000..2000 {
            let at = NOW.after(core::time::Duration::from_millis(u64::from(nonce)));
            let document = testing::document_at(&author, nonce, 1, at);
            assert!(!recent.is_too_old(document.created_at));
            assert!(recent.has_room_for(document.created_at, at));
            recent.insert(&document, 0, at);
        }
    }

    #[test]
    fn what_was_replaced_is_offered_to_nobody_and_still_served() {
        let author = testing::identity(1);
        let at = |millis: u64| NOW.after(core::time::Duration::from_millis(millis));
        let [old, new] = [0, 5000].map(|millis| testing::keyed(&author, "profile", at(millis)));
        let other = testing::keyed(&author, "other", at(1));
        let since = NOW.timestamp();
        let mut orders = [[&old, &new, &other], [&new, &other, &old]].map(|order| {
            let mut recent = Recent::default();
            for document in order {
                recent.insert(document, 0, at(5000));
            }
            let told = recent.differing(since, &[], at(5000));
            assert_eq!(told, [other.id(), new.id()]);
            assert_eq!(recent.newest(since).count(), 2);
            assert!(recent.has_seen(&old.id()) && recent.get(&old.id()).is_some());
            recent
        });
        assert_eq!(orders[0].digests(since), orders[1].digests(since));
        for recent in &mut orders {
            recent.forget(at(5000), 0);
            assert!(recent.digests.is_empty() && recent.by_key.is_empty());
            assert_eq!(recent.kept_bytes, 0);
        }
    }

    #[test]
    fn what_is_forgotten_leaves_the_digests() {
        let author = testing::identity(1);
        let mut recent = Recent::default();
        for nonce in 0..10 {
            recent.insert(&testing::document_at(&author, nonce, 10, NOW), 0, NOW);
        }
        assert!(recent.digests(NOW.timestamp()).iter().any(|digest| *digest != 0));
        recent.forget(NOW, 0);
        assert!(recent.digests.is_empty() && recent.digests(NOW.timestamp()).is_empty());
    }
}
