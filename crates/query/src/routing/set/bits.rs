//! Bits in bytes, the most significant first, and sorted numbers in few of them.

use core::iter;

/// Writes bits.
#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// How many bits of the last byte are free.
    free: u8,
}

impl Writer {
    /// So many bits of a number.
    pub(super) fn bits(&mut self, number: u128, count: u8) {
        for at in (0..count).rev() {
            self.bit(number >> at & 1 == 1);
        }
    }

    fn bit(&mut self, bit: bool) {
        if self.free == 0 {
            self.bytes.push(0);
            self.free = 8;
        }
        self.free -= 1;
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << self.free;
        }
    }

    /// Numbers of so many bits that are sorted, each once, in Rice's code: how much each is greater than the
    /// one before, and one less, as a quotient in ones and a zero, then [`low_bits`] of it.
    pub(super) fn sorted(&mut self, numbers: &[u128], width: u8) {
        let low = low_bits(numbers.len(), width);
        for gap in gaps(numbers) {
            (0..gap >> low).for_each(|_| self.bit(true));
            self.bit(false);
            self.bits(gap, low);
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// How many bits [`Writer::sorted`] takes.
pub(super) fn sorted_bits(numbers: &[u128], width: u8) -> usize {
    let low = low_bits(numbers.len(), width);
    gaps(numbers).map(|gap| (gap >> low) as usize + 1 + usize::from(low)).sum()
}

/// So many that there is about one quotient a number.
fn low_bits(numbers: usize, width: u8) -> u8 {
    width.saturating_sub(numbers.next_power_of_two().trailing_zeros() as u8)
}

fn gaps(numbers: &[u128]) -> impl Iterator<Item = u128> {
    let next = iter::once(0).chain(numbers.iter().map(|number| number + 1));
    numbers.iter().zip(next).map(|(number, least)| number - least)
}

/// Reads bits.
pub(super) struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// So many bits as a number; none if there are not as many.
    pub(super) fn bits(&mut self, count: u8) -> Option<u128> {
        (0..count).try_fold(0, |number, _| Some(number << 1 | u128::from(self.bit()?)))
    }

    fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1 == 1;
        self.at += 1;
        Some(bit)
    }

    /// So many numbers of so many bits, as [`Writer::sorted`] writes them.
    pub(super) fn sorted(&mut self, count: usize, width: u8) -> Option<Vec<u128>> {
        let low = low_bits(count, width);
        let mut numbers = Vec::new();
        let mut least = 0;
        for _ in 0..count {
            let mut high = 0_u128;
            while self.bit()? {
                high += 1;
            }
            let number = least + (high << low | self.bits(low)?);
            (number >> width == 0).then(|| numbers.push(number))?;
            least = number + 1;
        }
        Some(numbers)
    }

    /// Whether nothing is left but zeros in the last byte.
    pub(super) fn is_done(&mut self) -> bool {
        let last = self.at.div_ceil(8) == self.bytes.len();
        last && iter::from_fn(|| self.bit()).all(|bit| !bit)
    }
}
