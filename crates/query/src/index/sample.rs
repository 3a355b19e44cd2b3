//! A guess at how much of a range's line lies within it.

/// So many ends of ranges are kept.
const KEPT: usize = 256;

/// A random sample of the ends of the ranges that queries ask for (Vitter, "Random Sampling with a
/// Reservoir", 1985). It only decides how queries are filed, never what they match, so that it
/// keeps ends of queries that were removed.
#[derive(Debug, Default)]
pub(super) struct Sample {
    ends: Vec<u64>,
    seen: u64,
}

impl Sample {
    /// Takes note of a range; an end at the line's own end says nothing.
    pub(super) fn add(&mut self, lo: u64, hi: u64) {
        for end in [lo, hi].into_iter().filter(|end| !matches!(*end, 0 | u64::MAX)) {
            self.seen += 1;
            if self.ends.len() < KEPT {
                self.ends.push(end);
            } else {
                // The same on every run: a multiplicative hash of the count serves as the dice.
                let dice = self.seen.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
                let at = (dice * self.seen.min(u64::from(u32::MAX))) >> 32;
                if let Some(kept) = usize::try_from(at).ok().and_then(|at| self.ends.get_mut(at)) {
                    *kept = end;
                }
            }
        }
    }

    /// The part of the line within, between 0 and 1.
    pub(super) fn part(&self, lo: u64, hi: u64) -> f64 {
        let within = self.ends.iter().filter(|end| (lo..=hi).contains(end)).count();
        (within as f64 + 1.0) / (self.ends.len() as f64 + 4.0)
    }
}
