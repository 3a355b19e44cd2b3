//! Numbers and texts as unsigned integers in the same order, so that any range is a pair of them.
//!
//! A finite `f64` keeps its exact place: its bits, with the sign turned into order (as in IEEE 754's
//! totalOrder). An integer that is no `f64` (beyond 2⁵³) lies between two neighbouring places.

use core::cmp::Ordering;

use crate::{ast::Order, order::as_int};

/// The place of a float. NaN, which no document holds, comes before all others as in
/// [`crate::order`].
pub(super) fn place(float: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    if float.is_nan() {
        return 0;
    }
    // Both zeros are one number.
    let bits = (float + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The places just below and above an integer, both the same if it is a float.
pub(super) fn around(int: i64) -> (u64, u64) {
    let near = int as f64;
    let at = place(near);
    match as_int(near) {
        Some(same) if same == int => (at, at),
        Some(lower) if lower < int => (at, at + 1),
        // Also where rounding went up to 2⁶³, beyond every integer.
        _ => (at - 1, at),
    }
}

/// The first places of a text: its first eight bytes. Different texts can share a place.
pub(super) fn text_place(text: &str) -> u64 {
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    u64::from_be_bytes(bytes)
}

/// The places that a comparison allows, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) lo: u64,
    pub(super) hi: u64,
    /// `lo` stands for "greater than the number just below". What lies between the two is allowed.
    pub(super) after: bool,
    /// The same for `hi` and "less than".
    pub(super) before: bool,
}

impl Range {
    const LINE: Self = Self { lo: 0, hi: u64::MAX, after: false, before: false };

    /// Compared with the number at `place`.
    pub(super) const fn new(order: Order, place: u64) -> Self {
        match order {
            Order::Gt => Self { lo: place.saturating_add(1), after: true, ..Self::LINE },
            Order::Gte => Self { lo: place, ..Self::LINE },
            Order::Lt => Self { hi: place.saturating_sub(1), before: true, ..Self::LINE },
            Order::Lte => Self { hi: place, ..Self::LINE },
        }
    }

    /// No less than is allowed when compared with something between two places.
    pub(super) const fn widened(order: Order, below: u64, above: u64) -> Self {
        match order {
            Order::Gt | Order::Gte => Self { lo: below, ..Self::LINE },
            Order::Lt | Order::Lte => Self { hi: above, ..Self::LINE },
        }
    }

    /// What both allow.
    pub(super) fn intersect(self, other: Self) -> Self {
        let (lo, after) = match self.lo.cmp(&other.lo) {
            Ordering::Greater => (self.lo, self.after),
            Ordering::Less => (other.lo, other.after),
            Ordering::Equal => (self.lo, self.after && other.after),
        };
        let (hi, before) = match self.hi.cmp(&other.hi) {
            Ordering::Less => (self.hi, self.before),
            Ordering::Greater => (other.hi, other.before),
            Ordering::Equal => (self.hi, self.before && other.before),
        };
        Self { lo, hi, after, before }
    }
}
