//! Keys of an index as bits, of which a routing key takes a prefix.

use crate::encoding::{NUMBER, STRING};

/// The lengths in bits of the prefixes of a number's code. The last of a time in milliseconds are of 64.
const NUMBER_LEVELS: [u16; 33] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    27, 28, 32, 36, 40, 44, 48,
];
/// The same of a string: its first byte in four steps, then whole bytes.
const STRING_LEVELS: [u16; 21] =
    [2, 4, 6, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 192, 256];

/// The lengths that prefixes of a code can have besides none, shortest first. The next one is never in
/// another word of the [`Code`] than the bits before it begin or end in.
pub(super) const fn levels(tag: u8) -> &'static [u16] {
    match tag {
        NUMBER => &NUMBER_LEVELS,
        STRING => &STRING_LEVELS,
        _ => &[],
    }
}

/// The bits that prefixes are taken of, in the order of the keys; keys with one code may differ.
///
/// Of a string what follows its tag. Of a number its bits as a posit (the standard of 2022, 64 bits, rounded
/// down): they spread the numbers that are met over few bits, whatever their size, so that few prefixes tell
/// what is greater than a number, and what is between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Code([u64; 4]);

impl Code {
    pub(super) const LEAST: Self = Self([0; 4]);
    pub(super) const GREATEST: Self = Self([u64::MAX; 4]);

    /// Of a key, or of the start of a range of them.
    pub(super) fn of(key: &[u8]) -> Self {
        match key.split_first() {
            Some((&NUMBER, rest)) if !rest.is_empty() => Self([posit(word(rest, 0)), 0, 0, 0]),
            Some((&STRING, rest)) => Self([0, 8, 16, 24].map(|at| word(rest, at))),
            _ => Self::LEAST,
        }
    }

    /// The greatest code of the keys with a tag that are less than this, the end of a range.
    pub(super) fn before(tag: u8, end: &[u8]) -> Self {
        let Some((_, rest)) = end.split_first().filter(|(first, _)| **first == tag) else {
            return Self::GREATEST;
        };
        let Self([first, ..]) = Self::of(end);
        match tag {
            // Something greater than that float, which is within itself.
            NUMBER if rest.len() > 8 => Self([first, u64::MAX, u64::MAX, u64::MAX]),
            NUMBER => Self([posit(word(rest, 0).saturating_sub(1)), u64::MAX, u64::MAX, u64::MAX]),
            // The key that this follows has the same code.
            _ if rest.ends_with(&[0, 0]) || rest.len() > 32 => Self::of(end),
            _ => Self::of(end).less_one(),
        }
    }

    fn less_one(mut self) -> Self {
        for word in self.0.iter_mut().rev() {
            let (less, borrowed) = word.overflowing_sub(1);
            *word = less;
            if !borrowed {
                break;
            }
        }
        self
    }

    /// The least code that begins with so many of these bits.
    pub(super) fn first_with(mut self, bits: u16) -> Self {
        self.each(bits, |word, mask| *word &= mask);
        self
    }

    /// The greatest.
    pub(super) fn last_with(mut self, bits: u16) -> Self {
        self.each(bits, |word, mask| *word |= !mask);
        self
    }

    /// Gives each word with ones where the first bits of the code are.
    fn each(&mut self, bits: u16, change: impl Fn(&mut u64, u64)) {
        for (before, word) in (0..).step_by(64).zip(&mut self.0) {
            let kept = u32::from(bits).saturating_sub(before).min(64);
            change(word, u64::MAX.checked_shl(64 - kept).unwrap_or(0));
        }
    }

    /// At most 64 of the bits, as a number. There are zeros behind the last.
    pub(super) fn slice(&self, from: u16, to: u16) -> u64 {
        let length = u32::from(to.saturating_sub(from)).min(64);
        let (at, within) = (usize::from(from / 64), u32::from(from % 64));
        let word = |at: usize| self.0.get(at).copied().unwrap_or(0);
        let next = word(at + 1).checked_shr(64 - within).unwrap_or(0);
        (word(at) << within | next).checked_shr(64 - length).unwrap_or(0)
    }

    /// The same code with other bits from one place to another within a word.
    pub(super) fn with(self, from: u16, to: u16, bits: u64) -> Self {
        let mut code = self.first_with(from);
        if let Some(word) = code.0.get_mut(usize::from(from / 64)) {
            *word |=
                bits.checked_shl(64 - u32::from(from % 64) - u32::from(to - from)).unwrap_or(0);
        }
        code
    }

    /// The bytes of so many bits, without a last one that is not whole.
    pub(super) fn bytes(&self, bits: u16) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.0.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.truncate(usize::from(bits / 8));
        bytes
    }
}

/// Eight bytes, zeros where there are no more.
fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    for (to, from) in word.iter_mut().zip(bytes.iter().skip(at)) {
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
