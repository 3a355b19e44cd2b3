//! Some of a network's trees.

use crate::wire::Slot;

/// Some of the trees, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Slots(u8);

impl Slots {
    const fn bit(slot: Slot) -> u8 {
        match 1_u8.checked_shl(slot.0 as u32) {
            Some(bit) => bit,
            None => 0,
        }
    }

    /// Whether it is one of them from now on.
    pub(crate) const fn set(&mut self, slot: Slot, is_one: bool) {
        if is_one {
            self.0 |= Self::bit(slot);
        } else {
            self.0 &= !Self::bit(slot);
        }
    }

    /// It is one of them from now on. Whether it was not.
    pub(crate) const fn insert(&mut self, slot: Slot) -> bool {
        let is_new = !self.contains(slot);
        self.set(slot, true);
        is_new
    }

    pub(crate) const fn contains(self, slot: Slot) -> bool {
        self.0 & Self::bit(slot) != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Slot> {
        (0..8).map(Slot).filter(move |slot| self.contains(*slot))
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
