//! The one generator of a peer: seeded, concrete, the same on every target.

use core::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng};

/// A peer's generator.
#[derive(Debug)]
pub(crate) struct Rng(ChaCha12Rng);

impl Rng {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha12Rng::from_seed(seed))
    }

    /// For cryptography.
    pub(crate) const fn crypto(&mut self) -> &mut ChaCha12Rng {
        &mut self.0
    }

    pub(crate) fn nonce(&mut self) -> [u8; 32] {
        let mut nonce = [0; 32];
        self.0.fill_bytes(&mut nonce);
        nonce
    }

    /// Another generator, for a part that goes its own way.
    pub(crate) fn split(&mut self) -> Self {
        Self::new(self.nonce())
    }

    pub(crate) fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // The bias of a 64-bit remainder is far below anything that matters here.
        if bound == 0 { 0 } else { (self.0.next_u64() % bound as u64) as usize }
    }

    /// One of these at random.
    pub(crate) fn choose<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// Keeps `count` of these, chosen at random, in random order.
    pub(crate) fn sample<T>(&mut self, from: &mut Vec<T>, count: usize) {
        let count = count.min(from.len());
        for index in 0..count {
            let other = index + self.below(from.len() - index);
            from.swap(index, other);
        }
        from.truncate(count);
    }

    /// Between three and five quarters of `duration`, so that many peers do not act at once.
    pub(crate) fn jitter(&mut self, duration: Duration) -> Duration {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 2);
        let spread = millis / 2;
        let offset = if spread == 0 { 0 } else { self.0.next_u64() % spread };
        Duration::from_millis(millis - millis / 4 + offset)
    }
}

/// Waits that double from a first to a longest one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    range: (Duration, Duration),
    next: Duration,
}

impl Backoff {
    pub(crate) const fn new(range: (Duration, Duration)) -> Self {
        Self { range, next: range.0 }
    }

    /// The next wait, with jitter.
    pub(crate) fn wait(&mut self, rng: &mut Rng) -> Duration {
        let wait = self.next;
        self.next = wait.saturating_mul(2).min(self.range.1);
        rng.jitter(wait)
    }

    pub(crate) const fn reset(&mut self) {
        self.next = self.range.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_to_its_bound_and_starts_again() {
        let mut rng = Rng::new([1; 32]);
        let mut backoff = Backoff::new((Duration::from_secs(1), Duration::from_secs(8)));
        let waits: Vec<f32> = (0..6).map(|_| backoff.wait(&mut rng).as_secs_f32()).collect();
        for (wait, middle) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 8.0, 8.0]) {
            assert!(
                (middle * 0.75..=middle * 1.25).contains(wait),
                "{wait} is not around {middle}"
            );
        }
        backoff.reset();
        assert!(backoff.wait(&mut rng) <= Duration::from_millis(1250));
    }

    #[test]
    fn a_sample_has_no_twins() {
        let mut rng = Rng::new([2; 32]);
        let mut numbers: Vec<u32> = (0..100).collect();
        rng.sample(&mut numbers, 30);
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 30);
    }
}
