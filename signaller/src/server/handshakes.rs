//! The connections that are in their handshake (TLS, then HTTP): so many at once, and fair to addresses.
//!
//! When there is no place left, the newcomer gets one all the same, and the oldest connection of the
//! most crowded address is cut. So a client that opens many silent connections pushes out its own, and
//! not those of others: an honest client is alone at its address, and its handshake takes a few round trips.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::crowds::{Crowds, GivesWay, Seat};
use crate::{Prefixes, addresses::Ranges, limits};

/// All handshakes at once.
#[derive(Debug)]
pub(super) struct Handshakes {
    most: AtomicUsize,
    prefixes: Prefixes,
    crowds: Mutex<Crowds>,
}

/// A handshake's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    handshakes: Arc<Handshakes>,
    seat: Seat,
}

impl Handshakes {
    /// So many at once, at least one.
    pub(super) fn new(most: usize, prefixes: Prefixes) -> Self {
        let crowds = Mutex::new(Crowds::new(GivesWay::Oldest));
        Self { most: AtomicUsize::new(most.max(1)), prefixes, crowds }
    }

    /// So many from now on, at least one.
    pub(super) fn renew(&self, most: usize) {
        self.most.store(most.max(1), Relaxed);
    }

    /// A place for a connection of a client from here.
    pub(super) fn enter(self: &Arc<Self>, from: IpAddr) -> Slot {
        self.take(Some(self.prefixes.ranges(from)))
    }

    /// A place for a connection of a trusted proxy.
    pub(super) fn enter_for_another(self: &Arc<Self>) -> Slot {
        self.take(None)
    }

    fn take(self: &Arc<Self>, from: Option<Ranges>) -> Slot {
        let mut crowds = self.crowds();
        let seat = crowds.enter(from);
        // More than one only if there may be fewer than before.
        while crowds.len() > self.most.load(Relaxed) {
            crowds.take_away();
        }
        Slot { handshakes: self.clone(), seat }
    }

    /// How many places are taken.
    pub(super) fn taken(&self) -> usize {
        self.crowds().len()
    }

    /// Whether places run out.
    fn is_hurried(&self) -> bool {
        self.taken() > self.most.load(Relaxed).div_ceil(2)
    }

    fn crowds(&self) -> MutexGuard<'_, Crowds> {
        self.crowds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Is cancelled when this place is needed for another.
    pub(super) const fn needed(&self) -> &CancellationToken {
        self.seat.needed()
    }

    /// How long its handshake may take: less while places run out.
    pub(super) fn patience(&self, usual: Duration) -> Duration {
        if self.is_hurried() { usual / limits::HURRIED_HANDSHAKE } else { usual }
    }

    /// Whether places run out.
    pub(super) fn is_hurried(&self) -> bool {
        self.handshakes.is_hurried()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.handshakes.crowds().leave(&self.seat);
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
        slot.needed().is_cancelled()
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
        assert_eq!(slots[0].patience(usual), Duration::from_secs(2));
        slots.truncate(2);
        assert_eq!((handshakes.taken(), slots[0].patience(usual)), (2, usual));
        // One that was cut gives no second place back.
        for _ in 0..4 {
            slots.push(enter(&handshakes, "192.0.2.1"));
        }
        assert_eq!(handshakes.taken(), 4);
        slots.clear();
        assert_eq!(handshakes.taken(), 0);
        assert!(handshakes.crowds().is_bare());
    }
}
