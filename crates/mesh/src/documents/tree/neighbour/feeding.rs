//! Which groups are pushed over one link, each direction for itself: the receiver decides.

use core::time::Duration;

use crate::{
    Time,
    documents::tree::groups::{Group, Groups, PerGroup},
    wire::DocumentFrame,
};

/// After so many more late copies than first ones from one neighbour, of one group, it is to announce; twice
/// as many each time that this proved wrong, up to the second.
pub(super) const LATE_COPIES: (u8, u8) = (2, 32);
/// How soon half of what was added to that is forgiven.
const FORGIVEN_EVERY: Duration = Duration::from_secs(60);
/// A neighbour that announces sooner than another pushes, so often more than not, is to push as well. Twice as
/// often each time that this was so, and each time that it then did not push, up to the second: two
/// that are about as soon would else be changed for each other again and again, with two copies meanwhile.
pub(super) const TIMES_SOONER: (u8, u8) = (4, 128);
/// So often at most where it did push: a feeder that is late on purpose can raise that of others.
const TIMES_SOONER_AGAIN: u8 = 32;
/// A neighbour that brought none of so many new documents is not relied on to push.
const IDLE: u32 = 32;
/// The neighbour is told what it is to push at most so often; the last state counts.
pub(super) const TELL_EVERY: Duration = Duration::from_millis(50);

/// What is remembered of one group.
#[derive(Debug, Clone, Copy)]
struct Record {
    /// How many more late copies than first ones there were, and how many are borne.
    late: u8,
    borne: u8,
    /// How often it announced sooner than another pushed, and how often it must to push as well.
    sooner: u8,
    often: u8,
}

/// The state of both directions.
#[derive(Debug)]
pub(crate) struct Feeding {
    /// What we push; the rest we announce.
    pushed: Groups,
    /// What the neighbour is to push.
    wanted: Groups,
    /// And what it believes, because we told it.
    told: Groups,
    /// When it may be told again.
    tell_at: Time,
    /// Of which groups that it is to push it has pushed something new: not its word, but its deed.
    proven: Groups,
    records: PerGroup<Record>,
    /// How many new documents others brought since it last did.
    idle: u32,
    /// How often it did not push what it was relied on for, lately: in that time it must be sooner more
    /// often to be relied on again.
    lapses: u8,
    forgive_at: Time,
}

impl Feeding {
    pub(super) fn new(now: Time) -> Self {
        let record = Record { late: 0, borne: LATE_COPIES.0, sooner: 0, often: TIMES_SOONER.0 };
        Self {
            pushed: Groups::ALL,
            wanted: Groups::ALL,
            told: Groups::ALL,
            tell_at: now,
            proven: Groups::NONE,
            records: PerGroup::all(record),
            idle: 0,
            lapses: 0,
            forgive_at: now.after(FORGIVEN_EVERY),
        }
    }

    /// The neighbour says what is to be pushed to it.
    pub(crate) const fn set_pushed(&mut self, groups: Groups) {
        self.pushed = groups;
    }

    /// What is pushed to the neighbour.
    pub(crate) const fn pushed(&self) -> Groups {
        self.pushed
    }

    pub(crate) const fn wants(&self, group: Group) -> bool {
        self.wanted.contains(group)
    }

    /// What the neighbour pushes, by its deeds.
    pub(crate) const fn proven(&self) -> Groups {
        self.proven
    }

    /// Whether a push from it may be on its way.
    pub(super) const fn is_active(&self) -> bool {
        !self.wanted.is_empty() && self.idle < IDLE
    }

    /// It pushed something new.
    pub(crate) fn pushes(&mut self, group: Group) {
        self.idle = 0;
        let late = &mut self.records.get_mut(group).late;
        *late = late.saturating_sub(1);
        if self.wanted.contains(group) {
            self.proven.insert(group);
        }
    }

    /// Another brought something new.
    pub(crate) const fn idles(&mut self) {
        self.idle = self.idle.saturating_add(1);
    }

    /// It pushed what we had. If it does so more often than not it is to announce instead, if others are
    /// proven to push of this group (`others`): the last one that does is never sent away.
    pub(crate) fn is_late(&mut self, group: Group, others: bool, now: Time) {
        self.forgive(now);
        if !self.wanted.contains(group) {
            // It does not know yet.
            return;
        }
        let record = self.records.get_mut(group);
        record.late = record.late.saturating_add(1).min(record.borne);
        if others && record.late >= record.borne {
            record.late = 0;
            self.wanted.remove(group);
            self.proven.remove(group);
        }
    }

    /// It announced what another pushed: `much` sooner, or not. If that happens again and again it is to
    /// push as well; the slower of the two is late then.
    pub(crate) fn is_sooner(&mut self, group: Group, much: bool, now: Time) {
        self.forgive(now);
        let often = self.often(self.records.get(group));
        let record = self.records.get_mut(group);
        record.sooner = if much {
            record.sooner.saturating_add(1).min(often)
        } else {
            record.sooner.saturating_sub(1)
        };
        if much && record.sooner >= often && !self.wanted.contains(group) {
            record.often = record.often.saturating_mul(2).min(TIMES_SOONER_AGAIN);
            (record.late, record.sooner) = (0, 0);
            self.wanted.insert(group);
        }
    }

    /// How near it is to be found sooner: in 255ths.
    pub(crate) fn sooner(&self, group: Group) -> u8 {
        let record = self.records.get(group);
        let share = u16::from(record.sooner) * 255 / u16::from(self.often(record));
        u8::try_from(share).unwrap_or(u8::MAX)
    }

    fn often(&self, record: Record) -> u8 {
        record.often.saturating_mul(1 << self.lapses.min(5)).min(TIMES_SOONER.1)
    }

    /// What it is to push had to be asked for: it is not relied on until it pushes again.
    pub(crate) const fn lapses(&mut self, group: Group) {
        if self.wanted.contains(group) {
            self.lapses = self.lapses.saturating_add(1);
            self.proven.remove(group);
        }
    }

    /// From now on it is to push of these groups as well.
    pub(crate) fn graft(&mut self, groups: Groups) {
        // A neighbour that had to be asked back is not sent away as soon again.
        for record in self.records.of_mut(groups & !self.wanted) {
            record.borne = record.borne.saturating_mul(2).min(LATE_COPIES.1);
            record.late = 0;
            record.sooner = 0;
        }
        self.wanted = self.wanted | groups;
    }

    /// From now on it is to announce.
    pub(crate) const fn prune(&mut self) {
        self.wanted = Groups::NONE;
        self.proven = Groups::NONE;
    }

    fn forgive(&mut self, now: Time) {
        if now < self.forgive_at {
            return;
        }
        // It is long ago, perhaps, that it was last looked at.
        let more = now.since(self.forgive_at).as_secs() / FORGIVEN_EVERY.as_secs();
        let halvings = u32::try_from(more.saturating_add(1)).map_or(7, |times| times.min(7));
        self.forgive_at = now.after(FORGIVEN_EVERY);
        self.lapses >>= halvings;
        for record in self.records.of_mut(Groups::ALL) {
            record.borne = (record.borne >> halvings).max(LATE_COPIES.0);
            record.often = (record.often >> halvings).max(TIMES_SOONER.0);
        }
    }

    /// What it is to be told now.
    pub(crate) fn tell(&mut self, now: Time) -> Option<DocumentFrame> {
        if self.deadline().is_none_or(|at| now < at) {
            return None;
        }
        self.told = self.wanted;
        self.tell_at = now.after(TELL_EVERY);
        Some(DocumentFrame::Feed(self.wanted.bits()))
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        (self.told != self.wanted).then_some(self.tell_at)
    }
}

#[cfg(test)]
mod tests;
