//! What one live result set looks for, and when.

use core::time::Duration;

use taiinet_mesh::{FindId, Time};
use taiinet_query::sort::Place;

use super::change::Phase;

/// How many documents are asked for at once.
const PAGE: u16 = 1000;
/// How long it takes until it is looked again where nobody has answered, or not in full: at first, and at last.
const AGAIN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));
/// How long a search waits for others to end.
const BUSY: Duration = Duration::from_millis(200);

/// See the module.
#[derive(Debug)]
pub(super) struct Seek {
    state: State,
    /// When all is looked for again.
    again_at: Option<Time>,
    /// How often in a row it was not answered in full.
    failures: u32,
    /// Whether it was ever answered.
    was_answered: bool,
    /// Whether what was missed without a neighbour is to be looked for.
    is_behind: bool,
    /// Whether that is so since the search that is under way has begun.
    has_missed: bool,
    is_alone: bool,
}

#[derive(Debug)]
enum State {
    Rests,
    /// From this place on, not before this time.
    Wanted {
        after: Option<Place>,
        at: Option<Time>,
    },
    Runs {
        after: Option<Place>,
        find: FindId,
    },
}

impl Seek {
    /// All is wanted.
    pub(super) const fn new() -> Self {
        Self {
            state: State::Wanted { after: None, at: None },
            again_at: None,
            failures: 0,
            was_answered: false,
            is_behind: false,
            has_missed: false,
            is_alone: true,
        }
    }

    pub(super) const fn phase(&self) -> Phase {
        match (self.was_answered, self.is_alone || self.is_behind) {
            (false, _) => Phase::Loading,
            (true, true) => Phase::Stale,
            (true, false) => Phase::Ready,
        }
    }

    /// The search that is under way.
    pub(super) const fn find(&self) -> Option<FindId> {
        match self.state {
            State::Runs { find, .. } => Some(find),
            State::Rests | State::Wanted { .. } => None,
        }
    }

    pub(super) const fn wants(&self) -> bool {
        matches!(self.state, State::Wanted { .. })
    }

    /// When it is to be looked at.
    pub(super) fn deadline(&self) -> Option<Time> {
        match self.state {
            State::Rests => self.again_at,
            State::Wanted { at, .. } => at,
            State::Runs { .. } => None,
        }
    }

    /// Whether there is no neighbour. Then all is wanted again; whether that is new.
    pub(super) fn meet(&mut self, is_alone: bool) -> bool {
        let was_alone = core::mem::replace(&mut self.is_alone, is_alone);
        if was_alone || !is_alone {
            return false;
        }
        self.is_behind = true;
        self.has_missed = true;
        let rested = matches!(self.state, State::Rests);
        if rested || matches!(self.state, State::Wanted { .. }) {
            self.state = State::Wanted { after: None, at: None };
        }
        rested
    }

    /// Whether a search is wanted now that was not: of all, or from there on where more are needed.
    pub(super) fn look(&mut self, needed: Option<Option<Place>>, now: Time) -> bool {
        if !matches!(self.state, State::Rests) {
            return false;
        }
        let after = if self.again_at.is_some_and(|at| at <= now) {
            None
        } else if let Some(after) = needed {
            after
        } else {
            return false;
        };
        self.state = State::Wanted { after, at: None };
        true
    }

    /// From where to begin to look now, and for how many.
    pub(super) fn begin(
        &self,
        now: Time,
        room: impl FnOnce(Option<&Place>) -> usize,
    ) -> Option<(Option<Place>, u16)> {
        match &self.state {
            State::Wanted { after, at } if at.is_none_or(|at| at <= now) => {
                let room = u16::try_from(room(after.as_ref())).unwrap_or(PAGE);
                Some((after.clone(), room.clamp(1, PAGE)))
            }
            _ => None,
        }
    }

    /// A search has begun; or there is no room for it.
    pub(super) fn sought(&mut self, find: Option<FindId>, now: Time) {
        let State::Wanted { after, at } = &mut self.state else { return };
        match find {
            Some(find) => {
                self.has_missed &= after.is_some();
                self.state = State::Runs { after: after.take(), find };
            }
            None => *at = Some(now.after(BUSY)),
        }
    }

    fn pause(&mut self) -> Duration {
        let pause = AGAIN.0.saturating_mul(1 << self.failures.min(16)).min(AGAIN.1);
        self.failures = self.failures.saturating_add(1);
        pause
    }

    /// Nobody has answered.
    pub(super) fn fails(&mut self, now: Time) {
        let State::Runs { after, .. } = &mut self.state else { return };
        let after = if self.is_behind { None } else { after.take() };
        let at = Some(now.after(self.pause()));
        self.state = State::Wanted { after, at };
    }

    /// It goes on behind this place; after a pause if it has given nothing.
    pub(super) fn goes_on(&mut self, after: Option<Place>, is_empty: bool, now: Time) {
        let at = is_empty.then(|| now.after(self.pause()));
        self.state = State::Wanted { after, at };
    }

    /// It has given enough. Whether another is wanted at once.
    pub(super) fn ends(&mut self, in_full: bool, now: Time) -> bool {
        let again = self.has_missed;
        self.state = if again { State::Wanted { after: None, at: None } } else { State::Rests };
        self.was_answered = true;
        self.is_behind = again;
        self.again_at = None;
        if in_full {
            self.failures = 0;
        } else {
            self.again_at = Some(now.after(self.pause()));
        }
        again
    }
}
