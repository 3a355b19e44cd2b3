//! How long something took, counted in a few buckets.

use core::time::Duration;

/// The upper bounds of the buckets, besides one without end. Each is about five times the one before: enough to
/// tell a desk that is idle from one that is busy, and one that is busy from one that cannot keep up.
pub const BOUNDS: [Duration; 8] = [
    Duration::from_micros(100),
    Duration::from_micros(500),
    Duration::from_micros(2_500),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// How many took how long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many fell into each bucket, and not into one before it; the last is without end.
    pub counts: [u64; BOUNDS.len() + 1],
    /// How long all took together.
    pub sum: Duration,
}

impl Histogram {
    /// One more took so long.
    pub fn observe(&mut self, took: Duration) {
        if let Some(count) = self.counts.get_mut(Self::bucket(took)) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(took);
    }

    /// Where one that took so long is counted.
    pub fn bucket(took: Duration) -> usize {
        BOUNDS.partition_point(|bound| *bound < took)
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_once_and_on_a_bound_below_it() {
        let mut histogram = Histogram::default();
        let times = [Duration::ZERO, BOUNDS[0], BOUNDS[0] + Duration::from_nanos(1), BOUNDS[7]];
        for took in times {
            histogram.observe(took);
        }
        histogram.observe(Duration::MAX);
        assert_eq!(histogram.counts, [2, 1, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!((histogram.count(), histogram.sum), (5, Duration::MAX));
    }
}
