//! How much of something a neighbour may do in a time: a token bucket.

use crate::Time;

/// So much at once, and so much more each second.
#[derive(Debug)]
pub struct Budget {
    burst: u64,
    per_second: u64,
    /// In thousandths.
    left: u64,
    filled: Time,
}

impl Budget {
    /// A full one.
    pub fn new((burst, per_second): (u32, u32), now: Time) -> Self {
        let burst = u64::from(burst) * 1000;
        Self { burst, per_second: u64::from(per_second), left: burst, filled: now }
    }

    /// How much is left, in thousandths.
    pub fn left(&self, now: Time) -> u64 {
        let elapsed = u64::try_from(now.since(self.filled).as_millis()).unwrap_or(u64::MAX);
        let refill = elapsed.saturating_mul(self.per_second);
        self.left.saturating_add(refill).min(self.burst)
    }

    /// Whether nothing of it is spent.
    pub fn is_full(&self, now: Time) -> bool {
        self.left(now) >= self.burst
    }

    /// Whether so much is left.
    pub fn has(&self, count: usize, now: Time) -> bool {
        (count as u64).saturating_mul(1000) <= self.left(now)
    }

    /// Takes `count` if so much is left.
    pub fn take(&mut self, count: usize, now: Time) -> bool {
        if !self.has(count, now) {
            return false;
        }
        self.left = self.left(now) - (count as u64).saturating_mul(1000);
        self.filled = now;
        true
    }

    /// Gives back what was taken for nothing.
    pub fn give_back(&mut self, count: usize, now: Time) {
        let more = (count as u64).saturating_mul(1000);
        self.left = self.left(now).saturating_add(more).min(self.burst);
        self.filled = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_a_steady_rate() {
        let at = Time::from_millis;
        let mut budget = Budget::new((10, 5), at(0));
        assert!(budget.take(10, at(0)));
        assert!(!budget.take(1, at(100)));
        assert!(budget.take(1, at(200)));
        assert!(!budget.take(11, at(1_000_000)), "never more than the burst");
        assert!(budget.take(10, at(1_000_000)));
        budget.give_back(3, at(1_000_000));
        assert!(budget.take(3, at(1_000_000)) && !budget.take(1, at(1_000_000)));
        budget.give_back(300, at(1_000_000));
        assert!(!budget.take(11, at(1_000_000)), "never more than the burst");
    }
}
