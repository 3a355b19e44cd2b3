//! A budget for each of several names.

use std::collections::BTreeMap;

use taiinet_mesh::{Budget, Time};

/// A budget for each name. There are so many names at most: when all of them have spent something, no
/// other gets anything.
#[derive(Debug)]
pub(crate) struct Shares<K> {
    each: (u32, u32),
    most: usize,
    spent: BTreeMap<K, Budget>,
}

impl<K: Ord + Copy> Shares<K> {
    pub(crate) const fn new(each: (u32, u32), most: usize) -> Self {
        Self { each, most, spent: BTreeMap::new() }
    }

    /// Takes one of this name's share, if there is one left.
    pub(crate) fn take(&mut self, name: K, now: Time) -> bool {
        if let Some(budget) = self.spent.get_mut(&name) {
            return budget.take(1, now);
        }
        if self.spent.len() >= self.most {
            self.forget_full(now);
            if self.spent.len() >= self.most {
                return false;
            }
        }
        let mut budget = Budget::new(self.each, now);
        let taken = budget.take(1, now);
        self.spent.insert(name, budget);
        taken
    }

    /// How many names are counted.
    pub(crate) fn len(&self) -> usize {
        self.spent.len()
    }

    /// Whether nothing is spent.
    pub(crate) fn is_full(&self, now: Time) -> bool {
        self.spent.values().all(|budget| budget.is_full(now))
    }

    /// Forgets the names that have their whole share.
    pub(crate) fn forget_full(&mut self, now: Time) {
        self.spent.retain(|_, budget| !budget.is_full(now));
    }

    /// Forgets a name, of which the share is least spent.
    pub(crate) fn forget_one(&mut self, now: Time) {
        let least = self.spent.iter().max_by_key(|(_, budget)| budget.left(now));
        if let Some(name) = least.map(|(name, _)| *name) {
            self.spent.remove(&name);
        }
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
