//! What became of documents, counted.

use taiinet::Outcome;
use taiinet_terminal::{line, say};

use crate::exit::Exit;

/// What becomes of a line's document: it is under way, or what is wrong with it.
pub(super) type Taken = Result<Result<(), String>, Exit>;

/// How many documents there were of each kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// On the disk.
    pub(super) stored: u64,
    pub(super) known: u64,
    pub(super) superseded: u64,
    pub(super) expired: u64,
    pub(super) too_old: u64,
    pub(super) no_room: u64,
    pub(super) unkept: u64,
    /// Not taken for another reason.
    pub(super) refused: u64,
    /// Lines that were passed over.
    pub(super) invalid: u64,
}

impl Tally {
    /// All but those that were passed over.
    pub(super) const fn all(&self) -> u64 {
        let Self {
            stored,
            known,
            superseded,
            expired,
            too_old,
            no_room,
            unkept,
            refused,
            invalid: _,
        } = self;
        *stored + *known + *superseded + *expired + *too_old + *no_room + *unkept + *refused
    }

    pub(super) const fn count(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Stored => &mut self.stored,
            Outcome::Known => &mut self.known,
            Outcome::Superseded => &mut self.superseded,
            Outcome::Expired => &mut self.expired,
            Outcome::TooOld => &mut self.too_old,
            Outcome::NoRoom => &mut self.no_room,
            Outcome::Unwanted => &mut self.unkept,
            Outcome::Refused => &mut self.refused,
        } += 1;
    }

    /// For tests: how much is on a disk.
    pub(super) fn tell(&self) {
        say(line(&format!("{{\"stored\":{}}}", self.stored)));
    }
}
