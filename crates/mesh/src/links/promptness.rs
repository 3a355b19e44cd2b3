//! Whether a neighbour answers what is looked for. One that does not would have each search of ours last as long as
//! a search may.

use crate::{Time, limits};

/// How a neighbour answers.
#[derive(Debug, Default)]
pub(crate) struct Promptness {
    /// Searches in a row that were over before it answered.
    missed: u8,
    rests_until: Option<Time>,
}

impl Promptness {
    /// It has answered in time.
    pub(crate) fn answered(&mut self) {
        *self = Self::default();
    }

    /// A search has waited for it in vain. Whether it rests from now on.
    pub(crate) fn missed(&mut self, now: Time) -> bool {
        self.missed = self.missed.saturating_add(1);
        let rests = self.missed >= limits::FINDS_MISSED && !self.rests(now);
        if rests {
            self.rests_until = Some(now.after(limits::FIND_REST));
        }
        rests
    }

    /// Whether it is asked only where nobody else is there.
    pub(crate) fn rests(&self, now: Time) -> bool {
        self.rests_until.is_some_and(|until| until > now)
    }
}
