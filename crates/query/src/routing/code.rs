//! Values as bits, of which a term has a prefix.

use super::hash::absorb;
use crate::encoding::{BOOL, NUMBER, SEVERAL};

/// The beginning of the hashes of values.
const WHOLE: u64 = u64::from_be_bytes(*b"taiinetv");

/// The code of a whole key, in the upper bits; keys with one code may differ.
///
/// Of a number its bits as a posit (the standard of 2022, 64 bits, rounded down): they have the order of the
/// numbers, and spread those that are met over few bits, whatever their size, so that few prefixes tell what
/// is greater than a number, and what is between two. Of a boolean a bit, of others a hash.
pub(super) fn of(key: &[u8]) -> u64 {
    match key {
        [NUMBER, rest @ ..] => number(rest),
        [BOOL, value, ..] => u64::from(*value & 1) << 63,
        [SEVERAL, ..] => 0,
        _ => absorb(WHOLE, key),
    }
}

/// The least code of the numbers that have a key from this on.
pub(super) fn first_number(start: &[u8]) -> u64 {
    match start {
        [NUMBER, rest @ ..] if !rest.is_empty() => number(rest),
        _ => 0,
    }
}

/// The greatest code of the numbers that have a lesser key.
pub(super) fn last_number(end: &[u8]) -> u64 {
    match end {
        // Something greater than that float, which is within itself.
        [NUMBER, rest @ ..] if rest.len() > 8 => number(rest),
        [NUMBER, rest @ ..] => posit(word(rest).saturating_sub(1)),
        _ => u64::MAX,
    }
}

fn number(encoded: &[u8]) -> u64 {
    posit(word(encoded))
}

/// Eight bytes, zeros where there are no more.
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    for (to, from) in word.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_be_bytes(word)
}

/// The posit of a float, both as bits that are ordered like the numbers.
fn posit(ordered: u64) -> u64 {
    const SIGN: u64 = 1 << 63;
    const FRACTION_BITS: u32 = 52;
    const EXPONENT_BITS: u32 = 2;
    let magnitude = if ordered & SIGN == 0 { !ordered } else { ordered & !SIGN };
    let fraction = magnitude & ((1 << FRACTION_BITS) - 1);
    let exponent = ((magnitude & !SIGN) >> FRACTION_BITS) as i64 - 1023;
    let (regime, rest) = (exponent >> EXPONENT_BITS, (exponent & 3) as u64);
    let body = match regime {
        62.. => SIGN - 1,
        ..-62 => 0,
        _ => {
            let ones = |count: i64| (1_u128 << count) - 1;
            let (bits, length) =
                if regime < 0 { (1, 1 - regime) } else { (ones(regime + 1) << 1, regime + 2) };
            let all =
                (bits << EXPONENT_BITS | u128::from(rest)) << FRACTION_BITS | u128::from(fraction);
            // Left in 63 bits; what does not fit is cut off.
            let length = length as u32 + EXPONENT_BITS + FRACTION_BITS;
            (all << (128 - length) >> 65) as u64
        }
    };
    if ordered & SIGN == 0 { SIGN - body } else { SIGN + body }
}

#[cfg(test)]
mod tests;
