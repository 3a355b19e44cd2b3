//! A queue in which no source stands in the way of others.
//!
//! Fair queueing (J. Nagle, RFC 970): each source has a line of its own, and the lines take turns; when
//! there is no more room, the longest line loses its last. Here it is done twice, for ranges of addresses
//! and for the senders of each: a sender with many names, or many addresses of one range, gains nothing.

use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ipnet::IpNet;
use taiinet_identity::PeerId;

/// What waits, by the range of addresses and the peer that it comes from.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    ranges: BTreeMap<IpNet, Senders<T>>,
    by_weight: BTreeSet<(usize, IpNet)>,
    weight: usize,
    most: usize,
    /// The range whose turn was last.
    last: Option<IpNet>,
}

#[derive(Debug)]
struct Senders<T> {
    lines: BTreeMap<PeerId, Line<T>>,
    weight: usize,
    last: Option<PeerId>,
}

#[derive(Debug)]
struct Line<T> {
    items: VecDeque<(usize, T)>,
    weight: usize,
}

impl<T> FairQueue<T> {
    /// An empty one, for items that weigh no more than `most` together.
    pub(super) const fn new(most: usize) -> Self {
        Self { ranges: BTreeMap::new(), by_weight: BTreeSet::new(), weight: 0, most, last: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Puts an item at the end of its sender's line. Gives what is dropped for it, which may be itself.
    pub(super) fn push(&mut self, range: IpNet, sender: PeerId, weight: usize, item: T) -> Vec<T> {
        let fresh = || Senders { lines: BTreeMap::new(), weight: 0, last: None };
        let senders = self.ranges.entry(range).or_insert_with(fresh);
        let fresh = || Line { items: VecDeque::new(), weight: 0 };
        let line = senders.lines.entry(sender).or_insert_with(fresh);
        line.items.push_back((weight, item));
        line.weight += weight;
        self.by_weight.remove(&(senders.weight, range));
        senders.weight += weight;
        self.by_weight.insert((senders.weight, range));
        self.weight += weight;
        let mut dropped = Vec::new();
        while self.weight > self.most {
            let Some(item) = self.drop_one() else { break };
            dropped.push(item);
        }
        dropped
    }

    /// The last of the longest line of the range with most.
    fn drop_one(&mut self) -> Option<T> {
        let (_, range) = *self.by_weight.last()?;
        let lines = self.ranges.get(&range)?.lines.iter();
        let (sender, _) = lines.max_by_key(|(_, line)| line.weight)?;
        let sender = *sender;
        self.take(range, sender, VecDeque::pop_back)
    }

    /// The first of the line whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        let range = after(&self.ranges, self.last)?;
        self.last = Some(range);
        let senders = self.ranges.get_mut(&range)?;
        let sender = after(&senders.lines, senders.last)?;
        senders.last = Some(sender);
        self.take(range, sender, VecDeque::pop_front)
    }

    fn take(
        &mut self,
        range: IpNet,
        sender: PeerId,
        which: impl Fn(&mut VecDeque<(usize, T)>) -> Option<(usize, T)>,
    ) -> Option<T> {
        let senders = self.ranges.get_mut(&range)?;
        let line = senders.lines.get_mut(&sender)?;
        let (weight, item) = which(&mut line.items)?;
        line.weight -= weight;
        if line.items.is_empty() {
            senders.lines.remove(&sender);
        }
        self.by_weight.remove(&(senders.weight, range));
        senders.weight -= weight;
        self.weight -= weight;
        if senders.lines.is_empty() {
            self.ranges.remove(&range);
        } else {
            self.by_weight.insert((senders.weight, range));
        }
        Some(item)
    }
}

/// The key that follows, as in a ring.
fn after<K: Ord + Copy, V>(map: &BTreeMap<K, V>, last: Option<K>) -> Option<K> {
    let from = last.map_or(Bound::Unbounded, Bound::Excluded);
    let mut rest = map.range((from, Bound::Unbounded));
    rest.next().or_else(|| map.first_key_value()).map(|(key, _)| *key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(last: u8) -> IpNet {
        IpNet::from(core::net::IpAddr::from([192, 0, 2, last]))
    }

    fn peer(number: u8) -> PeerId {
        PeerId::from_bytes([number; 32])
    }

    #[test]
    fn ranges_take_turns_and_so_do_the_senders_of_each() {
        let mut queue = FairQueue::new(100);
        for (at, from, item) in
            [(1, 1, "a1"), (1, 1, "a2"), (1, 2, "b1"), (1, 1, "a3"), (2, 3, "c1"), (2, 3, "c2")]
        {
            assert!(queue.push(range(at), peer(from), 1, item).is_empty());
        }
        let order: Vec<_> = core::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, ["a1", "c1", "b1", "c2", "a2", "a3"]);
        assert!(queue.is_empty());
    }

    #[test]
    fn the_range_that_has_most_loses_and_many_names_at_one_address_gain_nothing() {
        let mut queue = FairQueue::new(10);
        let mut dropped = Vec::new();
        for name in 0..100 {
            dropped.extend(queue.push(range(1), peer(name), 1, (1, name)));
        }
        assert_eq!(dropped.len(), 90);
        for item in 0..5 {
            let lost = queue.push(range(2), peer(200), 1, (2, item));
            assert!(lost.iter().all(|(at, _)| *at == 1), "{lost:?}");
        }
        // Of two with as much as each other none can push the other out.
        let lost = queue.push(range(2), peer(200), 1, (2, 5));
        assert_eq!(lost, [(2, 5)]);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_or_is_dropped_and_the_counts_are_right(
            steps in proptest::collection::vec((0..4_u8, 0..4_u8, 0..20_usize, any::<bool>()), 0..200),
        ) {
            let mut queue = FairQueue::new(50);
            let (mut pushed, mut gone) = (0, 0);
            for (at, from, weight, pops) in steps {
                if pops {
                    gone += usize::from(queue.pop().is_some());
                } else {
                    pushed += 1;
                    gone += queue.push(range(at), peer(from), weight, ()).len();
                }
                let held = |senders: &Senders<()>| {
                    let lines = senders.lines.values();
                    lines.map(|line| line.items.iter().map(|(weight, ())| weight).sum::<usize>()).sum::<usize>()
                };
                prop_assert!(queue.weight <= 50);
                prop_assert_eq!(queue.ranges.values().map(held).sum::<usize>(), queue.weight);
                prop_assert_eq!(queue.by_weight.len(), queue.ranges.len());
                prop_assert!(queue.ranges.values().all(|senders| held(senders) == senders.weight));
            }
            gone += core::iter::from_fn(|| queue.pop()).count();
            prop_assert_eq!(pushed, gone);
            prop_assert_eq!(queue.weight, 0);
        }
    }
}
