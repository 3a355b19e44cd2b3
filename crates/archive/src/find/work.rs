//! How much a search may still do.

use taiinet_query::Fuel;

/// Reading a row of an index.
const ROW: u64 = 1_000;
/// Decoding a document.
const DOCUMENT: u64 = 3_000;
/// Reading a document that does not stand next to the one before.
const ELSEWHERE: u64 = 17_000;
/// For each byte of it.
const BYTE: u64 = 8;
/// What the first document of a page may take in any case.
const FIRST: u64 = 4_000_000;

/// The work that is left, in units of [`Fuel`].
pub(super) struct Work {
    budget: u64,
    left: u64,
    /// Of work that had to be done although nothing was left.
    over: u64,
}

impl Work {
    pub(super) const fn new(budget: u64) -> Self {
        Self { budget, left: budget, over: 0 }
    }

    pub(super) const fn spent(&self) -> u64 {
        (self.budget - self.left).saturating_add(self.over)
    }

    pub(super) const fn is_spent(&self) -> bool {
        self.left < ROW
    }

    /// How many rows may be read to find out how to go on.
    pub(super) const fn affordable(&self) -> usize {
        (self.left / (4 * ROW)) as usize
    }

    const fn take(&mut self, units: u64) {
        self.over = self.over.saturating_add(units.saturating_sub(self.left));
        self.left = self.left.saturating_sub(units);
    }

    pub(super) const fn row(&mut self) {
        self.take(ROW);
    }

    pub(super) const fn elsewhere(&mut self) {
        self.take(ELSEWHERE);
    }

    pub(super) const fn document(&mut self, bytes: usize) {
        self.take(DOCUMENT + BYTE * bytes as u64);
    }

    /// What matching one document may take.
    pub(super) fn fuel(&self, is_first: bool) -> Fuel {
        Fuel::new(if is_first { self.left.max(FIRST) } else { self.left })
    }

    /// Takes what was used of it.
    pub(super) fn used(&mut self, is_first: bool, fuel: &Fuel) {
        let had = if is_first { self.left.max(FIRST) } else { self.left };
        self.take(had.saturating_sub(fuel.left()));
    }

    /// A document could not be judged: what was left is gone.
    pub(super) const fn exhaust(&mut self) {
        self.left = 0;
    }
}
