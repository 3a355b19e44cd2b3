//! Dropping what is of no use any more, a bounded number of looks at a time.

use core::ops::Bound;
use std::collections::BTreeMap;

/// Where the last look at a map ended.
#[derive(Debug)]
pub(crate) struct Sweep<K> {
    at: Option<K>,
}

impl<K> Default for Sweep<K> {
    fn default() -> Self {
        Self { at: None }
    }
}

impl<K: Ord + Copy> Sweep<K> {
    /// Drops what is idle. Looks at `most` entries and goes on from there the next time, so that no call
    /// is long.
    pub(crate) fn run<V>(
        &mut self,
        map: &mut BTreeMap<K, V>,
        most: usize,
        mut is_idle: impl FnMut(&V) -> bool,
    ) {
        let from = self.at.map_or(Bound::Unbounded, Bound::Excluded);
        let (mut idle, mut last, mut count) = (Vec::new(), None, 0);
        for (key, value) in map.range((from, Bound::Unbounded)).take(most) {
            (last, count) = (Some(*key), count + 1);
            if is_idle(value) {
                idle.push(*key);
            }
        }
        self.at = last.filter(|_| count == most);
        for key in idle {
            map.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_at_some_and_goes_on_from_there() {
        let mut map: BTreeMap<u8, bool> = (0..10).map(|key| (key, key % 2 == 0)).collect();
        let mut sweep = Sweep::default();
        for left in [8, 7, 5, 5, 5] {
            let mut looked = 0;
            sweep.run(&mut map, 3, |idle| {
                looked += 1;
                *idle
            });
            assert!(looked <= 3);
            assert_eq!(map.len(), left);
        }
    }
}
