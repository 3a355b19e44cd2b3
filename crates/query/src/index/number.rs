//! Numbers and texts as unsigned integers in the same order, so that any range is a pair of them.
//!
//! A finite `f64` keeps its exact place: its bits, with the sign turned into order (as in IEEE 754's
//! totalOrder). An integer that is no `f64` (beyond 2⁵³) lies between two neighbouring places.

use crate::{
    ast::Order,
    order::as_int,
};

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

/// The places that a comparison with the number at `place` allows, both ends included.
pub(super) fn allowed(order: Order, place: u64) -> (u64, u64) {
    match order {
        Order::Gt => (place.saturating_add(1), u64::MAX),
        Order::Gte => (place, u64::MAX),
        Order::Lt => (0, place.saturating_sub(1)),
        Order::Lte => (0, place),
    }
}
