//! What a neighbour announced and we lack, and what we asked it for.

use core::{mem, time::Duration};
use std::collections::{BTreeMap, BTreeSet};

use taiinet_document::DocumentId;

use crate::{
    LinkId, Misbehaviour, Time,
    documents::{Recent, tree::asked::Asked},
    limits,
};

/// Documents that a neighbour may be asked for beside others that it was asked for and has not sent.
const ASKED_BESIDE: usize = 32;
/// So many more documents that it announced and does not have any more than such that it sent, and it is
/// not believed for a while.
const GONE: usize = limits::IDS_PER_FRAME;
/// From so many questions on that it has neither answered nor said to be gone, others are asked first.
const OWES: u64 = 4;

/// A document that a neighbour sent.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sent {
    /// Whether we had asked for it.
    pub(crate) asked: bool,
    /// When the neighbour announced it, if it did.
    pub(crate) announced: Option<Time>,
}

/// The promises of one neighbour, with one timer for all that it was asked for.
#[derive(Debug)]
pub(crate) struct Promises {
    /// What it announced and we lack, and when it first did.
    promised: BTreeMap<DocumentId, Time>,
    /// When to ask for it.
    queue: BTreeSet<(Time, DocumentId)>,
    /// What we asked it for, and when it first announced that.
    asked: BTreeMap<DocumentId, Time>,
    asked_until: Time,
    /// What we asked it for and meanwhile have from another: it may still send that.
    moot: BTreeSet<DocumentId>,
    /// How many of all that it was asked for it may still say to be gone.
    unanswered: u64,
    gone: usize,
    distrusted_until: Time,
    /// Something of what it has may have escaped us: when to compare, at the earliest.
    missed: Option<Time>,
}

impl Promises {
    pub(crate) const fn new(now: Time) -> Self {
        Self {
            promised: BTreeMap::new(),
            queue: BTreeSet::new(),
            asked: BTreeMap::new(),
            asked_until: now,
            moot: BTreeSet::new(),
            unanswered: 0,
            gone: 0,
            distrusted_until: now,
            missed: None,
        }
    }

    /// It announced a document that we lack, to be asked for after `wait`.
    pub(crate) fn promise(&mut self, id: DocumentId, wait: Duration, now: Time) {
        if now < self.distrusted_until
            || self.asked.contains_key(&id)
            || self.promised.contains_key(&id)
        {
            return;
        }
        if self.promised.len() >= limits::PROMISED_IDS || self.queue.len() >= limits::PROMISED_IDS {
            // That we do not keep up is no fault of its own.
            self.schedule_compare(now);
            return;
        }
        self.promised.insert(id, now);
        if self.promised.len() >= limits::PROMISED_IDS / 4 {
            // Where so much is missing there may be more than had room.
            self.schedule_compare(now);
        }
        self.queue.insert((now.after(wait), id));
    }

    /// Something of what it has escapes us.
    pub(crate) fn schedule_compare(&mut self, now: Time) {
        self.missed.get_or_insert(now.after(limits::COMPARE_AFTER));
    }

    /// When to compare, once there is room for what comes of it.
    fn compare_at(&self) -> Option<Time> {
        let room = self.promised.len().max(self.queue.len()) < limits::PROMISED_IDS / 2;
        self.missed.filter(|_| room)
    }

    /// Whether to compare now.
    pub(crate) fn compares(&mut self, now: Time) -> bool {
        let due = self.compare_at().is_some_and(|at| at <= now);
        if due {
            self.missed = None;
        }
        due
    }

    /// It sent a document: its promise is kept, whatever becomes of that.
    pub(crate) fn sent(&mut self, id: &DocumentId, now: Time) -> Sent {
        let asked = self.asked.remove(id);
        let asked_for = asked.is_some() || self.moot.remove(id);
        if asked_for {
            self.unanswered = self.unanswered.saturating_sub(1);
            self.gone = self.gone.saturating_sub(1);
            self.progress(now);
        }
        Sent { asked: asked_for, announced: asked.or(self.promised.remove(id)) }
    }

    /// Whether it has left several questions unanswered: it may well leave the next one so, too.
    pub(crate) const fn owes_answers(&self) -> bool {
        self.unanswered >= OWES
    }

    /// When it announced a document that it has not sent, if it did.
    pub(crate) fn announced(&self, id: &DocumentId) -> Option<Time> {
        self.promised.get(id).or_else(|| self.asked.get(id)).copied()
    }

    /// We have a document from another. Whether this one announced it.
    pub(crate) fn settled(&mut self, id: &DocumentId) -> bool {
        let asked = self.asked.remove(id).is_some();
        if asked {
            self.moot.insert(*id);
        }
        self.promised.remove(id).is_some() || asked
    }

    /// It does not have these any more. Gives those of them that are still missing.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`] if it says so of more than it was asked for.
    pub(crate) fn gone(
        &mut self,
        ids: &[DocumentId],
        now: Time,
    ) -> Result<Vec<DocumentId>, Misbehaviour> {
        let left = self.unanswered.checked_sub(ids.len() as u64);
        self.unanswered = left.ok_or(Misbehaviour::Unasked)?;
        let mut missing = Vec::new();
        for id in ids {
            if self.asked.remove(id).is_some() {
                missing.push(*id);
            } else {
                self.moot.remove(id);
            }
        }
        self.progress(now);
        self.gone += ids.len();
        if self.gone >= GONE {
            self.gone = 0;
            self.distrust(now);
        }
        Ok(missing)
    }

    /// It is sending: what we asked for may still come.
    pub(crate) fn progress(&mut self, now: Time) {
        self.asked_until = now.after(limits::PROMISE);
    }

    /// When something of what it was asked for came last.
    pub(crate) const fn progressed(&self) -> Time {
        self.asked_until.before(limits::PROMISE)
    }

    /// Another announcer of this document is gone, or does not have it any more: ask soon.
    pub(crate) fn ask_now(&mut self, id: &DocumentId, now: Time) {
        if self.promised.contains_key(id) {
            self.queue.insert((now, *id));
        }
    }

    /// Nothing waits any more for a push.
    pub(crate) fn ask_all_now(&mut self, now: Time) {
        let queue = mem::take(&mut self.queue);
        self.queue = queue.into_iter().map(|(due, id)| (due.min(now), id)).collect();
    }

    /// Asks for what was announced, is due, still missing and not held by another that was asked.
    pub(crate) fn ask(
        &mut self,
        link: LinkId,
        asked: &mut Asked,
        recent: &Recent,
        now: Time,
    ) -> Option<Vec<DocumentId>> {
        let room = self.room();
        let first = self.asked.is_empty();
        let mut ids = Vec::new();
        let mut later = Vec::new();
        while ids.len() < room
            && let Some((due, id)) = self.queue.first().copied()
            && due <= now
        {
            self.queue.pop_first();
            if recent.has_seen(&id) {
                self.promised.remove(&id);
            }
            let Some(announced) = self.promised.get(&id).copied() else { continue };
            // A neighbour that was asked and sends other things instead does not hold this one back for long.
            if let Some(until) = asked.held_until(&id).filter(|until| now < *until) {
                later.push((until.min(now.after(limits::PROMISE)), id));
                continue;
            }
            asked.insert(id, link, now);
            self.promised.remove(&id);
            self.moot.remove(&id);
            self.asked.insert(id, announced);
            ids.push(id);
        }
        self.queue.extend(later);
        if ids.is_empty() {
            return None;
        }
        self.unanswered = self.unanswered.saturating_add(ids.len() as u64);
        if first {
            self.progress(now);
        }
        Some(ids)
    }

    /// For how many documents it may be asked now.
    fn room(&self) -> usize {
        match self.asked.len() + self.moot.len() {
            0 => limits::IDS_PER_FRAME,
            outstanding => ASKED_BESIDE.saturating_sub(outstanding),
        }
    }

    /// Whether what we asked for has not come in time: nothing it announced is believed for a while.
    /// `unread`: messages from it wait here, and what we asked for may be among them.
    pub(crate) fn broken(&mut self, unread: bool, now: Time) -> Option<Vec<DocumentId>> {
        if now < self.asked_until {
            return None;
        }
        if unread {
            self.progress(now);
            return None;
        }
        // What another brought it need not send.
        self.moot.clear();
        if self.asked.is_empty() {
            return None;
        }
        self.distrust(now);
        Some(mem::take(&mut self.asked).into_keys().collect())
    }

    fn distrust(&mut self, now: Time) {
        self.distrusted_until = now.after(limits::DISTRUST);
        self.promised.clear();
        self.queue.clear();
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        let ask = self.queue.first().filter(|_| self.room() > 0).map(|(due, _)| *due);
        let outstanding = !self.asked.is_empty() || !self.moot.is_empty();
        let until = outstanding.then_some(self.asked_until);
        [ask, until, self.compare_at()].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
