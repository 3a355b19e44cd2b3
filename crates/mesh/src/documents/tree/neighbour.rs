//! What stands between this peer and one neighbour: what each owes, promised, asked and took.

mod feeding;
mod promises;
mod serving;

use core::time::Duration;
use std::collections::VecDeque;

use taiinet_document::DocumentId;

pub(crate) use feeding::Feeding;
use promises::Promises;
pub(crate) use promises::Sent;
use serving::Serving;

use super::groups::Groups;
use crate::{Budget, Time, limits, wire::DocumentFrame};

/// The state of one active link in the broadcast.
#[derive(Debug)]
pub(crate) struct Neighbour {
    /// What is pushed over the link.
    pub(crate) feeding: Feeding,
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
    announcements: Budget,
    /// What it announced, and what we ask it for.
    pub(super) promises: Promises,
    /// What it asks us for.
    pub(super) serving: Serving,
}

impl Neighbour {
    pub(super) fn new(now: Time) -> Self {
        Self {
            feeding: Feeding::new(now),
            dozing: false,
            unbatched: false,
            received: 0,
            duplicates: 0,
            owed: VecDeque::new(),
            announce_at: None,
            announcements: Budget::new(limits::ANNOUNCEMENTS, now),
            promises: Promises::new(now),
            serving: Serving::default(),
        }
    }

    /// From now on nothing is gathered, or it is again.
    pub(super) fn set_unbatched(&mut self, unbatched: bool, now: Time) {
        self.unbatched = unbatched;
        if unbatched {
            self.announce_at = self.announce_at.map(|at| at.min(now));
            self.promises.ask_all_now(now);
        }
    }

    /// How long something is gathered.
    const fn gather(&self, usually: Duration) -> Duration {
        if self.unbatched { Duration::ZERO } else { usually }
    }

    // ---- What is pushed ----

    /// The groups that it pushes, by its deeds. None relies on a neighbour that dozes.
    pub(super) const fn proven(&self) -> Groups {
        if self.dozing { Groups::NONE } else { self.feeding.proven() }
    }

    /// Whether a push from it may be on its way.
    pub(super) const fn is_feeding(&self) -> bool {
        !self.dozing && self.feeding.is_active()
    }

    // ---- What we announce ----

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
        self.serving.announced(count);
        (!ids.is_empty()).then_some(DocumentFrame::Have(ids))
    }

    /// Its lane has no room for announcements now.
    pub(super) fn hold_announcements(&mut self, now: Time) {
        if let Some(at) = &mut self.announce_at {
            *at = (*at).max(now.after(limits::HOLD_ANNOUNCEMENTS));
        }
    }

    /// How many ids more there is room for without another giving way.
    pub(crate) fn announcement_room(&self) -> usize {
        limits::OWED_IDS.saturating_sub(self.owed.len())
    }

    // ---- What it announces ----

    pub(super) fn may_announce(&mut self, ids: usize, now: Time) -> bool {
        self.announcements.take(ids, now)
    }

    /// It announced a document that we lack, and that may still be pushed for so long.
    pub(super) fn promise(&mut self, id: DocumentId, wait: Duration, now: Time) {
        // A dozer announces at once, as does who means to serve nothing; others that have it too get the time to say so.
        let wait = if self.is_last_choice() { wait + limits::DOZE_GRAFT_AFTER } else { wait };
        self.promises.promise(id, self.gather(wait), now);
    }

    /// Whether others are asked first.
    pub(super) const fn is_last_choice(&self) -> bool {
        self.dozing || self.promises.owes_answers()
    }

    pub(super) fn deadline(&self, behind: bool) -> Option<Time> {
        let unless_behind = if behind { None } else { self.promises.deadline() };
        [unless_behind, self.announce_at, self.feeding.deadline()].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
