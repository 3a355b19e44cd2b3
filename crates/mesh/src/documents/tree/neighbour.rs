//! What stands between this peer and one neighbour: what each owes, promised, asked and took.

use core::{mem, time::Duration};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use taiinet_document::DocumentId;

use crate::{Budget, LinkId, Misbehaviour, Time, documents::Recent, limits, wire::DocumentFrame};

/// The state of one active link in the broadcast.
#[derive(Debug)]
pub(crate) struct Neighbour {
    /// Whether documents are pushed to it; otherwise they are announced.
    pub(crate) eager: bool,
    /// Whether it dozes: then others serve us rather than it.
    pub(super) dozing: bool,
    /// Whether we do: then nothing is gathered, because the time to hand it on may come late.
    unbatched: bool,
    /// First copies it brought.
    pub(crate) received: u64,
    /// Further copies it brought.
    pub(crate) duplicates: u64,
    /// Ids to announce to it.
    owed: VecDeque<DocumentId>,
    announce_at: Option<Time>,
    /// What it announced and we lack, and when to ask for it.
    promised: BTreeSet<DocumentId>,
    queue: BTreeSet<(Time, DocumentId)>,
    announcements: Budget,
    distrusted_until: Time,
    /// Something of what it has may have escaped us: when to compare, at the earliest.
    missed: Option<Time>,
    /// How far the last comparison came in telling what it lacks.
    compare_cursor: usize,
    /// What we asked it for; one timer for all of it.
    asked: BTreeSet<DocumentId>,
    asked_until: Time,
    /// What it asked us for and waits for room in its lane.
    requested: VecDeque<DocumentId>,
    servings: BTreeMap<DocumentId, u8>,
    /// When we pruned it last; none if it was grafted since.
    pruned: Option<Time>,
}

impl Neighbour {
    pub(super) fn new(now: Time) -> Self {
        Self {
            eager: true,
            dozing: false,
            unbatched: false,
            received: 0,
            duplicates: 0,
            owed: VecDeque::new(),
            announce_at: None,
            promised: BTreeSet::new(),
            queue: BTreeSet::new(),
            announcements: Budget::new(limits::ANNOUNCEMENTS, now),
            distrusted_until: now,
            missed: None,
            compare_cursor: 0,
            asked: BTreeSet::new(),
            asked_until: now,
            requested: VecDeque::new(),
            servings: BTreeMap::new(),
            pruned: None,
        }
    }

    /// From now on nothing is gathered, or it is again.
    pub(super) fn set_unbatched(&mut self, unbatched: bool, now: Time) {
        self.unbatched = unbatched;
        if unbatched {
            self.announce_at = self.announce_at.map(|at| at.min(now));
            let queue = mem::take(&mut self.queue);
            self.queue = queue.into_iter().map(|(due, id)| (due.min(now), id)).collect();
        }
    }

    /// How long something is gathered.
    const fn gather(&self, usually: Duration) -> Duration {
        if self.unbatched { Duration::ZERO } else { usually }
    }

    /// Notes an id to be announced; when too many wait, the oldest gives way.
    pub(super) fn owe(&mut self, id: DocumentId, now: Time) {
        if self.owed.len() >= limits::OWED_IDS {
            self.owed.pop_front();
        }
        self.owed.push_back(id);
        let at = now.after(self.gather(limits::ANNOUNCE_EVERY));
        self.announce_at.get_or_insert(at);
    }

    pub(super) fn announce(&mut self, now: Time) -> Option<DocumentFrame> {
        if self.announce_at.is_none_or(|at| now < at) {
            return None;
        }
        let count = self.owed.len().min(limits::IDS_PER_FRAME);
        let ids: Vec<DocumentId> = self.owed.drain(..count).collect();
        let more = !self.owed.is_empty();
        self.announce_at = more.then(|| now.after(self.gather(limits::ANNOUNCE_EVERY)));
        (!ids.is_empty()).then_some(DocumentFrame::Have(ids))
    }

    /// Its lane has no room for announcements now.
    pub(super) fn hold_announcements(&mut self, now: Time) {
        if let Some(at) = &mut self.announce_at {
            *at = (*at).max(now.after(limits::ANNOUNCE_EVERY));
        }
    }

    pub(super) fn may_announce(&mut self, ids: usize, now: Time) -> bool {
        self.announcements.take(ids, now)
    }

    /// It announced a document that we lack.
    pub(super) fn promise(&mut self, id: DocumentId, patience: Duration, now: Time) {
        if now < self.distrusted_until || self.asked.contains(&id) || self.promised.contains(&id) {
            return;
        }
        if self.promised.len() >= limits::PROMISED_IDS || self.queue.len() >= limits::PROMISED_IDS {
            // That we do not keep up is no fault of its own.
            self.schedule_compare(now);
            return;
        }
        self.promised.insert(id);
        if self.promised.len() >= limits::PROMISED_IDS / 4 {
            // Where so much is missing there may be more than had room.
            self.schedule_compare(now);
        }
        // A dozer announces at once; others that have it too get the time to say so.
        let patience = if self.dozing { patience + limits::DOZE_GRAFT_AFTER } else { patience };
        self.queue.insert((now.after(self.gather(patience)), id));
    }

    /// Something of what it has escapes us.
    pub(super) fn schedule_compare(&mut self, now: Time) {
        self.missed.get_or_insert(now.after(limits::COMPARE_AFTER));
    }

    /// When to compare, once there is room for what comes of it.
    fn compare_at(&self) -> Option<Time> {
        let room = self.promised.len().max(self.queue.len()) < limits::PROMISED_IDS / 2;
        self.missed.filter(|_| room)
    }

    /// Whether to compare now.
    pub(super) fn compares(&mut self, now: Time) -> bool {
        let due = self.compare_at().is_some_and(|at| at <= now);
        if due {
            self.missed = None;
        }
        due
    }

    /// It lacks some of these, and there may be no room to announce them all: the next comparison goes on
    /// where this one ended, for else it would be told of the same ones each time.
    pub(super) fn announce_missing(&mut self, ids: &[DocumentId], now: Time) {
        let count = limits::OWED_IDS.saturating_sub(self.owed.len()).min(ids.len());
        let start = if count < ids.len() { self.compare_cursor % ids.len() } else { 0 };
        for id in ids.iter().cycle().skip(start).take(count) {
            self.owe(*id, now);
        }
        self.compare_cursor = start + count;
    }

    /// A document came, from it or from another. True if it had announced it.
    pub(super) fn fulfilled(&mut self, id: &DocumentId, now: Time) -> bool {
        let asked = self.asked.remove(id);
        if asked {
            self.progress(now);
        }
        self.promised.remove(id) || asked
    }

    /// It is sending: what we asked for may still come.
    pub(crate) fn progress(&mut self, now: Time) {
        self.asked_until = now.after(limits::PROMISE);
    }

    /// Another announcer of this document is gone: ask soon.
    pub(super) fn ask_now(&mut self, id: &DocumentId, now: Time) {
        if self.promised.contains(id) {
            self.queue.insert((now, *id));
        }
    }

    /// Asks for what was announced, is due, still missing and not asked for elsewhere.
    pub(super) fn ask(
        &mut self,
        link: LinkId,
        asked: &mut BTreeMap<DocumentId, (LinkId, Time)>,
        recent: &Recent,
        now: Time,
    ) -> Option<Vec<DocumentId>> {
        if !self.asked.is_empty() {
            return None;
        }
        let mut ids = Vec::new();
        let mut later = Vec::new();
        while ids.len() < limits::IDS_PER_FRAME
            && let Some((due, id)) = self.queue.first().copied()
            && due <= now
        {
            self.queue.pop_first();
            if !self.promised.contains(&id) || recent.has_seen(&id) {
                self.promised.remove(&id);
                continue;
            }
            // Whoever was asked and sends other things instead does not hold this one back for long.
            let elsewhere = asked.get(&id).map(|(_, at)| at.after(limits::HOLD_BACK));
            if let Some(until) = elsewhere.filter(|until| now < *until) {
                later.push((until.min(now.after(limits::PROMISE)), id));
                continue;
            }
            asked.insert(id, (link, now));
            self.promised.remove(&id);
            self.asked.insert(id);
            ids.push(id);
        }
        self.queue.extend(later);
        if ids.is_empty() {
            return None;
        }
        self.progress(now);
        // While we doze, others need not rely on us in turn.
        let eager = self.eager || !self.unbatched;
        self.graft();
        self.eager = eager;
        Some(ids)
    }

    /// What we asked for has not come in time: nothing it announced is believed for a while.
    pub(super) fn broken(&mut self, now: Time) -> Option<BTreeSet<DocumentId>> {
        if self.asked.is_empty() || now < self.asked_until {
            return None;
        }
        self.distrusted_until = now.after(limits::DISTRUST);
        self.promised.clear();
        self.queue.clear();
        Some(mem::take(&mut self.asked))
    }

    /// It asks for a document that we have.
    pub(super) fn request(&mut self, id: DocumentId) -> Result<(), Misbehaviour> {
        if self.requested.len() >= limits::REQUESTED_IDS {
            return Err(Misbehaviour::RequestFlood);
        }
        if self.servings.len() >= limits::SERVINGS_REMEMBERED {
            self.servings.clear();
        }
        let servings = self.servings.entry(id).or_insert(0);
        if *servings >= limits::SERVINGS {
            return Err(Misbehaviour::RequestFlood);
        }
        *servings += 1;
        self.requested.push_back(id);
        Ok(())
    }

    pub(super) fn requested(&self) -> Option<DocumentId> {
        self.requested.front().copied()
    }

    pub(super) fn served(&mut self) {
        self.requested.pop_front();
    }

    /// It brought what we had: no more pushes over this link, either way. Copies that were on their
    /// way already do not call for another prune.
    pub(super) fn prune(&mut self, now: Time) -> Option<DocumentFrame> {
        if self.pruned.is_some_and(|at| now < at.after(limits::PRUNE_EVERY)) {
            return None;
        }
        self.pruned = Some(now);
        self.eager = false;
        Some(DocumentFrame::Prune)
    }

    /// One end misses documents that the other has: push over this link.
    pub(super) fn graft(&mut self) {
        self.eager = true;
        self.pruned = None;
    }

    pub(super) fn deadline(&self, behind: bool) -> Option<Time> {
        let asks = if self.asked.is_empty() {
            self.queue.first().map(|(due, _)| *due)
        } else {
            Some(self.asked_until)
        };
        let unless_behind =
            if behind { None } else { [asks, self.compare_at()].into_iter().flatten().min() };
        [unless_behind, self.announce_at].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
