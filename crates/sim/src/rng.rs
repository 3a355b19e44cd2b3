//! The one source of chance in a world.

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::Spread;

/// A world's generator: seeded, so that the same seed gives the same run.
#[derive(Debug)]
pub(crate) struct Rng(ChaCha12Rng);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    pub(crate) const fn crypto(&mut self) -> &mut ChaCha12Rng {
        &mut self.0
    }

    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.next_u64() % bound }
    }

    /// Whether something of this probability happens. Draws nothing for what never does.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.unit() < probability
    }

    /// A number from 0 to 1, without 1.
    pub(crate) fn unit(&mut self) -> f64 {
        // 53 bits: the precision of a float between 0 and 1.
        (self.0.next_u64() >> 11) as f64 / ((1_u64 << 53) as f64)
    }

    /// Milliseconds out of a range.
    pub(crate) fn within(&mut self, spread: Spread) -> u64 {
        let (min, max) = (millis(spread.min), millis(spread.max));
        min + self.below(max.saturating_sub(min) + 1)
    }
}

pub(crate) fn millis(duration: core::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
