//! What a neighbour owed us and did not bring: evidence against it that is ours alone, and makes us take another one.

use crate::limits;

/// Two points for each document that it owed, one less for each that it brings.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Owed(u8);

impl Owed {
    pub(crate) const fn brought(&mut self) {
        self.0 = self.0.saturating_sub(1);
    }

    /// Whether it is enough.
    pub(crate) const fn missed(&mut self) -> bool {
        self.0 = self.0.saturating_add(2);
        self.0 >= limits::OWED
    }
}
