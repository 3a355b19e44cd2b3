//! How long peers that come while it is measured wait for the first document that they want.

use std::collections::BTreeMap;

use super::quantile::quantile;

/// One that has got none yet.
#[derive(Debug)]
struct Waiting {
    came_at: u64,
    /// When the first was published that it could have got.
    since: Option<u64>,
}

/// Times are milliseconds from the begin.
#[derive(Debug, Default)]
pub(super) struct Newcomers {
    waiting: BTreeMap<usize, Waiting>,
    /// How many waited for so long.
    waited: BTreeMap<u64, u64>,
}

impl Newcomers {
    pub(super) fn came(&mut self, peer: usize, now: u64) {
        self.waiting.insert(peer, Waiting { came_at: now, since: None });
    }

    /// A document is published that it wants.
    pub(super) fn may_get(&mut self, peer: usize, now: u64) {
        if let Some(waiting) = self.waiting.get_mut(&peer) {
            waiting.since.get_or_insert(now);
        }
    }

    /// It gets one that was published then.
    pub(super) fn gets(&mut self, peer: usize, published_at: u64, now: u64) {
        let Some(waiting) = self.waiting.get(&peer) else { return };
        let Some(since) = waiting.since.filter(|_| published_at >= waiting.came_at) else { return };
        *self.waited.entry(now.saturating_sub(since)).or_default() += 1;
        self.waiting.remove(&peer);
    }

    pub(super) fn died(&mut self, peer: usize) {
        self.waiting.remove(&peer);
    }

    /// How many there were, and how long 99 of 100 waited at most. One that has got none waits still.
    pub(super) fn waited(&self, now: u64) -> (u64, Option<u64>) {
        let mut waited = self.waited.clone();
        for since in self.waiting.values().filter_map(|waiting| waiting.since) {
            *waited.entry(now.saturating_sub(since)).or_default() += 1;
        }
        (waited.values().sum(), quantile(&waited, 99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_waits_from_the_first_that_it_could_have_got() {
        let mut all = Newcomers::default();
        all.may_get(1, 50);
        all.came(1, 100);
        all.gets(1, 90, 110);
        assert_eq!(all.waited(5000), (0, None), "nothing new was published");
        all.may_get(1, 300);
        all.may_get(1, 700);
        all.gets(1, 700, 900);
        all.gets(1, 900, 1000);
        assert_eq!(all.waited(5000), (1, Some(600)), "it missed one");
        all.came(2, 1000);
        all.may_get(2, 2000);
        assert_eq!(all.waited(5000), (2, Some(3000)), "it waits in vain");
        all.died(2);
        assert_eq!(all.waited(5000), (1, Some(600)));
    }
}
