//! Mutations without a guide: the same for the same seed, on every machine.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng};

/// Numbers at which things go wrong.
const ODD: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x3fff,
    0x4000,
    0xffff,
    u32::MAX as u64,
    1 << 40,
    i64::MAX as u64,
    u64::MAX,
];

/// Alters inputs at random.
#[derive(Debug)]
pub struct Mutator(ChaCha8Rng);

impl Mutator {
    /// With a seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u64() % (bound.max(1) as u64)).unwrap_or_default()
    }

    /// A new input from one of these.
    pub fn next(&mut self, from: &[Vec<u8>], most: usize) -> Vec<u8> {
        let mut input = from.get(self.below(from.len())).cloned().unwrap_or_default();
        for _ in 0..=self.below(6) {
            let other = from.get(self.below(from.len())).map_or(&[][..], Vec::as_slice);
            self.mutate(&mut input, other);
        }
        input.truncate(most);
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(input.len() + 1);
        let end = (at + self.below(16)).min(input.len());
        match self.below(9) {
            0 => self.with_byte(input, at, |byte, random| byte ^ (1 << (random % 8))),
            1 => self.with_byte(input, at, |_, random| random),
            2 => self
                .with_byte(input, at, |byte, random| byte.wrapping_add(random % 8).wrapping_sub(4)),
            3 => input.insert(at, self.0.next_u64().to_le_bytes()[0]),
            4 => drop(input.drain(at..end)),
            5 => {
                let again = input[at..end].to_vec();
                input.splice(at..at, again);
            }
            6 => {
                let number = ODD[self.below(ODD.len())];
                let number = if self.below(2) == 0 { varint(number) } else { fixed(number) };
                let end = (at + number.len() * self.below(2)).min(input.len());
                input.splice(at..end, number);
            }
            7 => input.truncate(at),
            _ => {
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
        }
    }

    fn with_byte(&mut self, input: &mut [u8], at: usize, change: impl Fn(u8, u8) -> u8) {
        let random = self.0.next_u64().to_le_bytes()[0];
        if let Some(byte) = input.get_mut(at) {
            *byte = change(*byte, random);
        }
    }
}

fn fixed(number: u64) -> Vec<u8> {
    let bytes = number.to_le_bytes();
    let count = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
    bytes[..count].to_vec()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
    bytes
}
