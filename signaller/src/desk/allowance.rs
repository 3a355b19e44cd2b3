//! What one peer may do, on whichever connection.

use std::collections::BTreeMap;

use taiinet_identity::PeerId;
use taiinet_mesh::{Budget, Time};

use super::Budgets;
use crate::limits;

/// What is left to one peer.
#[derive(Debug)]
pub(super) struct Allowance {
    pub(super) introductions: Budget,
    pub(super) signals: Budget,
    /// Of its signals, those for each recipient.
    pub(super) to: Shares<PeerId>,
}

impl Allowance {
    pub(super) fn new(budgets: &Budgets, now: Time) -> Self {
        Self {
            introductions: Budget::new(budgets.introductions, now),
            signals: Budget::new(budgets.signals, now),
            to: Shares::new(budgets.signals_to_one, limits::RECIPIENTS),
        }
    }

    /// Whether it is as good as a fresh one.
    pub(super) fn is_full(&self, now: Time) -> bool {
        let Self { introductions, signals, to } = self;
        [introductions, signals].iter().all(|budget| budget.is_full(now)) && to.is_full(now)
    }
}

/// A budget for each name. So many names at most: when there are too many that have spent something,
/// no other gets anything.
#[derive(Debug)]
pub(crate) struct Shares<K> {
    each: (u32, u32),
    most: usize,
    spent: BTreeMap<K, Budget>,
}

impl<K: Ord> Shares<K> {
    pub(crate) const fn new(each: (u32, u32), most: usize) -> Self {
        Self { each, most, spent: BTreeMap::new() }
    }

    /// Takes one of this name's share, if there is one left.
    pub(crate) fn take(&mut self, name: K, now: Time) -> bool {
        if let Some(budget) = self.spent.get_mut(&name) {
            return budget.take(1, now);
        }
        if self.spent.len() >= self.most {
            self.spent.retain(|_, budget| !budget.is_full(now));
            if self.spent.len() >= self.most {
                return false;
            }
        }
        let mut budget = Budget::new(self.each, now);
        let taken = budget.take(1, now);
        self.spent.insert(name, budget);
        taken
    }

    fn is_full(&self, now: Time) -> bool {
        self.spent.values().all(|budget| budget.is_full(now))
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn each_name_has_its_share_and_names_are_bounded() {
        let start = Time::from_millis(1_800_000_000_000);
        let mut shares = Shares::new((2, 1), 3);
        assert!(shares.take(1, start) && shares.take(1, start) && !shares.take(1, start));
        assert!(shares.take(2, start) && shares.take(3, start));
        assert!(!shares.take(4, start), "no room for another");
        let later = start.after(Duration::from_secs(1));
        assert!(shares.take(4, later), "two have theirs back");
        assert!(shares.take(1, later) && !shares.take(1, later));
    }
}
