//! How much work the other end of a link may make for us.
//!
//! Each frame has a cost ([`crate::wire::cost_of`]), and what it makes us do beyond that is spent where it is
//! done: signatures of presences, documents looked at for a comparison or a search, queries evaluated. What
//! one frame can make us do has a bound of its own, so no debt takes long to pay. What we asked for ourselves, the
//! answers to our searches, has the bounds of what was asked, and costs its sender nothing.
//!
//! Frames are dealt with while anything of the budget is left; what they cost more is a debt. While there
//! is a debt, messages wait for the time that pays for it: so a link that asks for too much is slowed. One that
//! goes on all the same, until more waits than [`limits::WAITING_BYTES`], is cut.

use std::collections::VecDeque;

use crate::{Time, limits};

/// The work of one link, and the messages that wait for it.
#[derive(Debug)]
pub(crate) struct Work {
    /// In thousandths of a unit; negative: a debt.
    left: i64,
    filled: Time,
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
}

/// What is to be done with a message that came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Deal with it.
    Now(Vec<u8>),
    /// It waits; look again at [`Work::deadline`].
    Waits,
    /// There is no room for it to wait.
    TooMuch,
}

impl Work {
    pub(crate) fn new(now: Time) -> Self {
        Self { left: burst(), filled: now, waiting: VecDeque::new(), waiting_bytes: 0 }
    }

    fn refill(&mut self, now: Time) {
        let elapsed = i64::try_from(now.since(self.filled).as_millis()).unwrap_or(i64::MAX);
        let earned = elapsed.saturating_mul(i64::from(limits::WORK.1));
        self.left = self.left.saturating_add(earned).min(burst());
        self.filled = now;
    }

    /// A message has come.
    pub(crate) fn arrives(&mut self, message: Vec<u8>, now: Time) -> Arrival {
        self.refill(now);
        if self.waiting.is_empty() && self.left > 0 {
            return Arrival::Now(message);
        }
        if self.waiting_bytes.saturating_add(message.len()) > limits::WAITING_BYTES {
            return Arrival::TooMuch;
        }
        self.waiting_bytes += message.len();
        self.waiting.push_back(message);
        Arrival::Waits
    }

    /// The next message that has waited long enough.
    pub(crate) fn next(&mut self, now: Time) -> Option<Vec<u8>> {
        self.refill(now);
        let message = if self.left > 0 { self.waiting.pop_front()? } else { return None };
        self.waiting_bytes -= message.len();
        Some(message)
    }

    /// Whether anything that came waits: what judges a link by what has come does not know all of it.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes so many units, with a debt if need be.
    pub(crate) fn spend(&mut self, units: u64, now: Time) {
        self.refill(now);
        let units = i64::try_from(units).unwrap_or(i64::MAX).saturating_mul(1000);
        // No frame is so expensive that its debt would take minutes to pay.
        self.left = self.left.saturating_sub(units).max(-burst());
    }

    /// How many units are left; none while there is a debt.
    #[cfg(test)]
    pub(crate) const fn left(&self) -> i64 {
        self.left / 1000
    }

    /// When a message that waits can be dealt with.
    pub(crate) fn deadline(&self) -> Option<Time> {
        if self.waiting.is_empty() {
            return None;
        }
        let debt = u64::try_from(1_i64.saturating_sub(self.left)).unwrap_or(0);
        let wait = debt.div_ceil(u64::from(limits::WORK.1).max(1));
        Some(self.filled.after(core::time::Duration::from_millis(wait)))
    }
}

fn burst() -> i64 {
    i64::from(limits::WORK.0) * 1000
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::testing::NOW;

    #[test]
    fn a_link_that_asks_for_too_much_is_slowed_in_order_and_then_cut() {
        let mut work = Work::new(NOW);
        assert_eq!(work.arrives(vec![1], NOW), Arrival::Now(vec![1]));
        work.spend(u64::from(limits::WORK.0) + u64::from(limits::WORK.1), NOW);
        assert_eq!(work.arrives(vec![2], NOW), Arrival::Waits);
        assert_eq!(work.arrives(vec![3], NOW), Arrival::Waits);
        assert_eq!(work.next(NOW), None);
        // The debt is that of one second.
        let paid = work.deadline().expect("something waits");
        assert!(paid > NOW.after(Duration::from_millis(999)), "{paid:?}");
        assert!(paid <= NOW.after(Duration::from_millis(1001)), "{paid:?}");
        assert_eq!(work.next(paid), Some(vec![2]));
        // What comes later comes after.
        assert_eq!(work.arrives(vec![4], paid), Arrival::Waits);
        assert_eq!(work.next(paid), Some(vec![3]));
        assert_eq!(work.next(paid), Some(vec![4]));
        assert_eq!(work.deadline(), None);
        work.spend(u64::MAX, paid);
        let much = vec![0; limits::WAITING_BYTES];
        assert_eq!(work.arrives(much, paid), Arrival::Waits);
        assert_eq!(work.arrives(vec![0], paid), Arrival::TooMuch);
    }

    #[test]
    fn no_debt_is_for_ever() {
        let mut work = Work::new(NOW);
        work.spend(u64::MAX, NOW);
        assert_eq!(work.arrives(vec![1], NOW), Arrival::Waits);
        let paid = work.deadline().expect("something waits");
        assert!(paid < NOW.after(Duration::from_secs(60)), "{paid:?}");
        assert_eq!(work.next(paid), Some(vec![1]));
    }
}
