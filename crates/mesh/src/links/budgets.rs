//! What the other end of a link may still do, and what we may still have it do.

use crate::{Budget, Misbehaviour, Time, limits};

/// The budgets of one link.
#[derive(Debug)]
pub(crate) struct Budgets {
    /// How much more of what may be no fault of its own we bear.
    tolerance: Budget,
    /// Shuffles and comparisons.
    exchanges: Budget,
    /// How often it says in what state it is, or in what it would have us.
    states: Budget,
    /// What it says of the rooted trees.
    trees: Budget,
    /// Searches for suppliers that it passes us,
    seeks: Budget,
    /// and that we pass to it.
    our_seeks: Budget,
    /// Signals that it passes us.
    signals: Budget,
    /// Signals that we pass to it.
    passed_on: Budget,
    /// What it passes us for our clients.
    relays: Budget,
    /// Searches that it asks of us.
    finds: Budget,
    /// Searches that we ask of it.
    our_finds: Budget,
    /// What it may still send in answer to all of these, whether or not they are over: frames or, where
    /// there are more, documents; and their bytes.
    answers: (usize, usize),
}

/// Of what a neighbour allows us we use half, so that no difference of clocks makes it too much.
const fn half((burst, per_second): (u32, u32)) -> (u32, u32) {
    (burst / 2, per_second / 2)
}

fn within(budget: &mut Budget, flood: Misbehaviour, now: Time) -> Result<(), Misbehaviour> {
    if budget.take(1, now) { Ok(()) } else { Err(flood) }
}

impl Budgets {
    /// All of them full.
    pub(crate) fn new(now: Time) -> Self {
        Self {
            tolerance: Budget::new(limits::LINK_TOLERANCE, now),
            exchanges: Budget::new(limits::EXCHANGES, now),
            states: Budget::new(limits::STATES, now),
            trees: Budget::new(limits::TREE_FRAMES, now),
            seeks: Budget::new(limits::SEEKS, now),
            our_seeks: Budget::new(half(limits::SEEKS), now),
            signals: Budget::new(limits::SIGNALS, now),
            passed_on: Budget::new(half(limits::SIGNALS), now),
            relays: Budget::new(limits::RELAYED, now),
            finds: Budget::new(limits::FIND_REQUESTS, now),
            our_finds: Budget::new(half(limits::FIND_REQUESTS), now),
            answers: (0, 0),
        }
    }

    /// An archive is asked more.
    pub(crate) fn are_archives(&mut self, ours: bool, theirs: bool, now: Time) {
        if ours {
            self.finds = Budget::new(limits::ARCHIVE_REQUESTS, now);
        }
        if theirs {
            self.our_finds = Budget::new(half(limits::ARCHIVE_REQUESTS), now);
        }
    }

    /// Whether we still bear this, which may be no fault of its own.
    pub(crate) fn tolerates(&mut self, misbehaviour: Misbehaviour, now: Time) -> bool {
        self.tolerance.take(misbehaviour.link_cost(), now)
    }

    /// It shuffles or compares.
    ///
    /// # Errors
    /// [`Misbehaviour::ExchangeFlood`]
    pub(crate) fn exchange(&mut self, now: Time) -> Result<(), Misbehaviour> {
        within(&mut self.exchanges, Misbehaviour::ExchangeFlood, now)
    }

    /// It says in what state it is, or in what it would have us.
    ///
    /// # Errors
    /// [`Misbehaviour::StateFlood`]
    pub(crate) fn state(&mut self, now: Time) -> Result<(), Misbehaviour> {
        within(&mut self.states, Misbehaviour::StateFlood, now)
    }

    /// It says something of the rooted trees.
    ///
    /// # Errors
    /// [`Misbehaviour::StateFlood`]
    pub(crate) fn tree(&mut self, now: Time) -> Result<(), Misbehaviour> {
        within(&mut self.trees, Misbehaviour::StateFlood, now)
    }

    /// It passes us a search for a supplier.
    ///
    /// # Errors
    /// [`Misbehaviour::StateFlood`]
    pub(crate) fn seek(&mut self, now: Time) -> Result<(), Misbehaviour> {
        within(&mut self.seeks, Misbehaviour::StateFlood, now)
    }

    /// Whether it is to get another search for a supplier from us.
    pub(crate) fn may_seek(&mut self, now: Time) -> bool {
        self.our_seeks.take(1, now)
    }

    /// It passes us a signal.
    ///
    /// # Errors
    /// [`Misbehaviour::SignalFlood`]
    pub(crate) fn signal(&mut self, now: Time) -> Result<(), Misbehaviour> {
        within(&mut self.signals, Misbehaviour::SignalFlood, now)
    }

    /// Whether it is to get another signal from us, so that we keep well below what it allows us,
    /// whatever others would have us pass on.
    pub(crate) fn may_pass_on(&mut self, now: Time) -> bool {
        self.passed_on.take(1, now)
    }

    /// It passes us something for our clients.
    ///
    /// # Errors
    /// [`Misbehaviour::SignalFlood`]
    pub(crate) fn relay(&mut self, now: Time) -> Result<(), Misbehaviour> {
        within(&mut self.relays, Misbehaviour::SignalFlood, now)
    }

    /// It asks us to search.
    ///
    /// # Errors
    /// [`Misbehaviour::FindFlood`]
    pub(crate) fn find(&mut self, now: Time) -> Result<(), Misbehaviour> {
        within(&mut self.finds, Misbehaviour::FindFlood, now)
    }

    /// Whether we may ask it to search for so many documents.
    pub(crate) fn may_ask_to_find(&mut self, documents: usize, now: Time) -> bool {
        let may = self.our_finds.take(1, now);
        if may {
            let (parts, bytes) = self.answers;
            // An empty frame ends the answer.
            let parts = parts.saturating_add(documents).saturating_add(1);
            self.answers = (parts, bytes.saturating_add(limits::FOUND_BYTES));
        }
        may
    }

    /// It answers with a frame of so many documents and bytes.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`] if that is more than it was asked for in all.
    pub(crate) fn answer(&mut self, documents: usize, bytes: usize) -> Result<(), Misbehaviour> {
        let (parts, left) = self.answers;
        let parts = parts.checked_sub(documents.max(1)).ok_or(Misbehaviour::Unasked)?;
        let left = left.checked_sub(bytes).ok_or(Misbehaviour::Unasked)?;
        self.answers = (parts, left);
        Ok(())
    }
}
