//! What a subscriber should get, what it got, and the difference.

use std::collections::{BTreeMap, BTreeSet};

/// The documents of one subscriber, by content. It knows what to expect before the first arrives.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// How often each content is expected, and how often it came.
    contents: BTreeMap<String, Tally>,
    ids: BTreeSet<String>,
    expected: usize,
    delivered: usize,
    twice: usize,
    unexpected: Vec<String>,
}

#[derive(Debug, Default)]
struct Tally {
    expected: usize,
    delivered: usize,
}

impl Ledger {
    /// A ledger that expects these contents.
    pub(crate) fn expecting<'a>(contents: impl Iterator<Item = &'a str>) -> Self {
        let mut ledger = Self::default();
        for content in contents {
            ledger.contents.entry(content.to_owned()).or_default().expected += 1;
            ledger.expected += 1;
        }
        ledger
    }

    /// Enters a delivery.
    pub(crate) fn enter(&mut self, id: String, content: &str) {
        self.delivered += 1;
        if !self.ids.insert(id) {
            self.twice += 1;
            return;
        }
        match self.contents.get_mut(content) {
            Some(tally) if tally.delivered < tally.expected => tally.delivered += 1,
            _ => self.unexpected.push(content.to_owned()),
        }
    }

    pub(crate) fn expected(&self) -> usize {
        self.expected
    }

    pub(crate) fn delivered(&self) -> usize {
        self.delivered
    }

    /// Deliveries of a document that had been delivered before.
    pub(crate) fn twice(&self) -> usize {
        self.twice
    }

    /// Whether nothing is missing any more.
    pub(crate) fn is_complete(&self) -> bool {
        self.contents.values().all(|tally| tally.delivered == tally.expected)
    }

    /// How what came differs from what should have come; empty if it does not.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let lacks = |tally: &Tally| tally.expected - tally.delivered;
        let missing: usize = self.contents.values().map(lacks).sum();
        if let Some((example, _)) = self.contents.iter().find(|(_, tally)| lacks(tally) > 0) {
            faults.push(format!("lacks {}, for example {example}", documents(missing)));
        }
        if let Some(example) = self.unexpected.first() {
            let count = documents(self.unexpected.len());
            faults.push(format!("should not have got {count}, for example {example}"));
        }
        if self.twice > 0 {
            faults.push(format!("got {} more than once", documents(self.twice)));
        }
        faults
    }
}

fn documents(count: usize) -> String {
    format!("{count} {}", if count == 1 { "document" } else { "documents" })
}

/// The value below which `percent` of them lie (nearest rank); none of none.
pub(crate) fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let mut ledger = Ledger::expecting(["a", "b", "b"].into_iter());
        ledger.enter("1".into(), "a");
        ledger.enter("2".into(), "b");
        ledger
    }

    #[test]
    fn exactly_the_expected_is_no_fault() {
        let mut ledger = ledger();
        assert!(!ledger.is_complete());
        assert!(ledger.faults()[0].contains("lacks 1 "), "{:?}", ledger.faults());
        ledger.enter("3".into(), "b");
        assert!(ledger.is_complete());
        assert_eq!(ledger.faults(), [""; 0]);
    }

    #[test]
    fn what_comes_twice_or_unasked_is_a_fault() {
        let mut twice = ledger();
        twice.enter("3".into(), "b");
        twice.enter("3".into(), "b");
        assert_eq!(twice.faults(), ["got 1 document more than once"]);

        for content in ["a", "c"] {
            let mut unasked = ledger();
            unasked.enter("3".into(), "b");
            unasked.enter("4".into(), content);
            assert!(
                unasked.faults()[0].contains("should not have got 1 document,"),
                "{:?}",
                unasked.faults()
            );
        }
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[7], 99), Some(7));
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&hundred, 99), Some(99));
    }
}
