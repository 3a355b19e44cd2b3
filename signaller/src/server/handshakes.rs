//! The connections that are in their handshake (TLS, then HTTP): so many at once, and fair to addresses.
//!
//! When there is no place left, the newcomer gets one all the same, and the oldest connection of the
//! most crowded address is cut. So a client that opens many silent connections pushes out its own, and
//! not those of others: an honest client is alone at its address, and its handshake takes a few round trips.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

use crate::{Prefixes, limits};

/// All handshakes at once.
#[derive(Debug)]
pub(super) struct Handshakes {
    most: usize,
    prefixes: Prefixes,
    table: Mutex<Table>,
}

/// Counts up: the smaller of two has come first.
type Number = u64;

/// What is counted together: a site of IPv6 or an address of IPv4. Each connection of a trusted proxy
/// stands for a client of its own, so it is counted alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Crowd {
    Of(IpNet),
    Alone(Number),
}

#[derive(Debug, Default)]
struct Table {
    next: Number,
    slots: BTreeMap<Number, Taken>,
    crowds: BTreeMap<Crowd, Members>,
    /// The most crowded is the last; among those that are equal the one that has waited longest.
    order: BTreeSet<(usize, Reverse<Number>, Crowd)>,
}

#[derive(Debug)]
struct Taken {
    crowd: Crowd,
    /// Within its crowd: of IPv6 a household.
    household: Option<IpNet>,
    cut: CancellationToken,
}

#[derive(Debug, Default)]
struct Members {
    numbers: BTreeSet<Number>,
    households: BTreeMap<Option<IpNet>, BTreeSet<Number>>,
}

/// A handshake's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    handshakes: Arc<Handshakes>,
    number: Number,
    cut: CancellationToken,
}

impl Handshakes {
    /// So many at once, at least one.
    pub(super) fn new(most: usize, prefixes: Prefixes) -> Self {
        Self { most: most.max(1), prefixes, table: Mutex::default() }
    }

    /// A place for a connection of a client from here.
    pub(super) fn enter(self: &Arc<Self>, from: IpAddr) -> Slot {
        let ranges = self.prefixes.ranges(from);
        let widest = ranges.each().last().map_or(ranges.narrow(), |(range, _)| range);
        self.take(|_| (Crowd::Of(widest), Some(ranges.narrow())))
    }

    /// A place for a connection of a trusted proxy.
    pub(super) fn enter_for_another(self: &Arc<Self>) -> Slot {
        self.take(|number| (Crowd::Alone(number), None))
    }

    fn take(self: &Arc<Self>, of: impl FnOnce(Number) -> (Crowd, Option<IpNet>)) -> Slot {
        let cut = CancellationToken::new();
        let mut table = self.table();
        let number = table.next;
        table.next += 1;
        let (crowd, household) = of(number);
        table.insert(number, Taken { crowd, household, cut: cut.clone() });
        while table.slots.len() > self.most {
            let Some(number) = table.most_dispensable() else { break };
            if let Some(taken) = table.remove(number) {
                taken.cut.cancel();
            }
        }
        Slot { handshakes: self.clone(), number, cut }
    }

    /// How many places are taken.
    pub(super) fn taken(&self) -> usize {
        self.table().slots.len()
    }

    /// How long a handshake that begins now may take: less while places run out.
    pub(super) fn patience(&self, usual: Duration) -> Duration {
        if self.taken() > self.most.div_ceil(2) { usual / limits::HURRIED_HANDSHAKE } else { usual }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn insert(&mut self, number: Number, taken: Taken) {
        self.change(taken.crowd, |members| {
            members.numbers.insert(number);
            members.households.entry(taken.household).or_default().insert(number);
        });
        self.slots.insert(number, taken);
    }

    fn remove(&mut self, number: Number) -> Option<Taken> {
        let taken = self.slots.remove(&number)?;
        self.change(taken.crowd, |members| {
            members.numbers.remove(&number);
            if let Some(household) = members.households.get_mut(&taken.household) {
                household.remove(&number);
                if household.is_empty() {
                    members.households.remove(&taken.household);
                }
            }
        });
        Some(taken)
    }

    /// Changes a crowd, and its place in the order with it.
    fn change(&mut self, crowd: Crowd, change: impl FnOnce(&mut Members)) {
        let members = self.crowds.entry(crowd).or_default();
        if let Some(rank) = members.rank() {
            self.order.remove(&(rank.0, rank.1, crowd));
        }
        change(members);
        match members.rank() {
            Some(rank) => {
                self.order.insert((rank.0, rank.1, crowd));
            }
            None => {
                self.crowds.remove(&crowd);
            }
        }
    }

    /// The oldest of the most crowded household of the most crowded site or address.
    fn most_dispensable(&self) -> Option<Number> {
        let (_, _, crowd) = self.order.last()?;
        let households = self.crowds.get(crowd)?.households.values();
        let household = households.max_by_key(|numbers| rank(numbers))?;
        household.first().copied()
    }
}

impl Members {
    fn rank(&self) -> Option<(usize, Reverse<Number>)> {
        rank(&self.numbers)
    }
}

fn rank(numbers: &BTreeSet<Number>) -> Option<(usize, Reverse<Number>)> {
    numbers.first().map(|first| (numbers.len(), Reverse(*first)))
}

impl Slot {
    /// Waits until this place is needed for another.
    pub(super) async fn is_needed(&self) {
        self.cut.cancelled().await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.handshakes.table().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshakes(most: usize) -> Arc<Handshakes> {
        Arc::new(Handshakes::new(most, Prefixes::default()))
    }

    fn enter(handshakes: &Arc<Handshakes>, address: &str) -> Slot {
        handshakes.enter(address.parse().expect("an address"))
    }

    fn is_cut(slot: &Slot) -> bool {
        slot.cut.is_cancelled()
    }

    /// What was measured: 32 addresses, 400 silent connections a second, 68 honest clients in between.
    #[test]
    fn few_addresses_with_many_silent_connections_keep_nobody_out() {
        let handshakes = handshakes(2048);
        let mut silent = Vec::new();
        let mut honest = Vec::new();
        for tick in 0..4000_u32 {
            let [.., last] = (tick % 32).to_be_bytes();
            silent.push(enter(&handshakes, &format!("10.0.0.{last}")));
            if tick % 58 == 0 {
                // A handshake takes as long as eighty silent connections take to come in: 0.2 s.
                let [.., high, low] = tick.to_be_bytes();
                honest.push((tick, enter(&handshakes, &format!("192.0.{high}.{low}"))));
            }
            honest.retain(|(since, slot)| {
                assert!(!is_cut(slot), "an honest client is cut after {} ticks", tick - since);
                tick - since < 80
            });
        }
        assert_eq!(handshakes.taken(), 2048);
        assert!(silent.iter().filter(|slot| is_cut(slot)).count() > 1900);
    }

    #[test]
    fn a_site_of_ipv6_is_one_crowd_and_its_most_crowded_household_pays_first() {
        let handshakes = handshakes(6);
        let lone = enter(&handshakes, "2001:db8:1::1");
        let of_site: Vec<_> = ["2:1::1", "2:2::1", "2:2::2", "2:3::1", "2:4::1"]
            .map(|text| enter(&handshakes, &format!("2001:db8:{text}")))
            .into();
        let newcomer = enter(&handshakes, "192.0.2.1");
        let cut: Vec<_> = of_site.iter().map(is_cut).collect();
        assert_eq!(cut, [false, true, false, false, false], "the oldest of the fullest household");
        let other = enter(&handshakes, "192.0.2.2");
        assert!(is_cut(&of_site[0]), "then the oldest of the site");
        assert!(![&lone, &newcomer, &other].into_iter().any(is_cut));
    }

    #[test]
    fn those_behind_a_proxy_count_alone() {
        let handshakes = handshakes(4);
        let behind: Vec<_> = (0..2).map(|_| handshakes.enter_for_another()).collect();
        let silent = [enter(&handshakes, "192.0.2.1"), enter(&handshakes, "192.0.2.1")];
        let _newcomer = handshakes.enter_for_another();
        assert!(is_cut(&silent[0]) && !is_cut(&silent[1]) && !behind.iter().any(is_cut));
    }

    #[test]
    fn places_come_back_and_patience_with_them() {
        let handshakes = handshakes(4);
        let usual = Duration::from_secs(8);
        let mut slots: Vec<_> = (0..4).map(|_| enter(&handshakes, "192.0.2.1")).collect();
        assert_eq!(handshakes.patience(usual), Duration::from_secs(2));
        slots.truncate(2);
        assert_eq!((handshakes.taken(), handshakes.patience(usual)), (2, usual));
        // One that was cut gives no second place back.
        for _ in 0..4 {
            slots.push(enter(&handshakes, "192.0.2.1"));
        }
        assert_eq!(handshakes.taken(), 4);
        slots.clear();
        assert_eq!(handshakes.taken(), 0);
        let table = handshakes.table();
        assert!(table.crowds.is_empty() && table.order.is_empty());
    }
}
