//! Counts connections and their frames, in all and by address, and says which may come in.
//!
//! Without it a single host could take all places (many connections at once), or keep the server busy
//! with handshakes (many one after the other) and with frames. What counts as an address are its ranges:
//! a client with one IPv6 address has at least 2⁶⁴ of them.
//!
//! When all places are taken, a newcomer gets one all the same if others have more places than those at its
//! address: of the most crowded address, the connection that has been quiet for longest gives way. So the
//! places fall to as many addresses as there are, and not to the first that take many.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use taiinet_mesh::{Budget, Time};
use tokio_util::sync::CancellationToken;

use super::crowds::{Crowds, Seat};
use crate::{
    Prefixes,
    addresses::{AddressCounts, Ranges},
    limits,
};

/// How many may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateConfig {
    /// Connections at once.
    pub clients: usize,
    /// Connections at once from one address; a site of IPv6 may have [`limits::SITE_SHARE`] times as many.
    pub clients_per_address: usize,
    /// New connections from one address in a minute; likewise.
    pub arrivals_per_minute: u32,
    /// Connections at once that are in their handshake.
    pub handshakes: usize,
    /// WebSocket frames from one connection: so many at once, and so many more each second.
    pub frames: (u32, u32),
    /// WebSocket frames from all connections of one address; a site may send more, likewise.
    pub frames_per_address: (u32, u32),
    /// What counts as one address.
    pub prefixes: Prefixes,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            clients: limits::CLIENTS,
            clients_per_address: limits::CLIENTS_PER_ADDRESS,
            arrivals_per_minute: limits::ARRIVALS_PER_MINUTE,
            handshakes: limits::HANDSHAKES,
            frames: limits::WEBSOCKET_FRAMES,
            frames_per_address: limits::WEBSOCKET_FRAMES_PER_ADDRESS,
            prefixes: Prefixes::default(),
        }
    }
}

/// Why a connection does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turned {
    /// No places left that somebody else has too many of, or too many different addresses.
    Full,
    /// Too many connections at once from its address.
    AddressFull,
    /// Too many connections from its address in this minute, which lasts so long.
    TooOften { wait: Duration },
    /// Twice too many: it is not even told.
    Flood,
    /// Its address is blocked, or not among those that are allowed.
    Blocked,
}

impl Turned {
    /// All reasons, as metrics name them.
    pub(super) const NAMES: [&str; 5] = ["full", "address_full", "too_often", "flood", "blocked"];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::AddressFull => "address_full",
            Self::TooOften { .. } => "too_often",
            Self::Flood => "flood",
            Self::Blocked => "blocked",
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);

/// The counts.
#[derive(Debug)]
pub(super) struct Gate {
    config: GateConfig,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    crowds: Crowds,
    addresses: AddressCounts<Count>,
    swept: Time,
}

/// What is counted of a range of addresses.
#[derive(Debug)]
struct Count {
    connections: usize,
    arrivals: u32,
    since: Time,
    frames: Budget,
}

impl Count {
    fn is_over(&self, now: Time) -> bool {
        self.connections == 0 && now.since(self.since) >= MINUTE
    }

    /// How many have come in this minute.
    fn arrivals(&self, now: Time) -> u32 {
        if now.since(self.since) >= MINUTE { 0 } else { self.arrivals }
    }

    fn arrive(&mut self, now: Time) {
        if now.since(self.since) >= MINUTE {
            (self.arrivals, self.since) = (0, now);
        }
        self.arrivals = self.arrivals.saturating_add(1);
    }
}

/// A place inside, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    gate: Arc<Gate>,
    ranges: Ranges,
    seat: Seat,
    heard: Time,
}

impl Gate {
    pub(super) fn new(config: GateConfig, now: Time) -> Self {
        let table =
            Table { crowds: Crowds::default(), addresses: AddressCounts::default(), swept: now };
        Self { config, table: Mutex::new(table) }
    }

    /// A place for a connection from here, if it is `listed`: that is asked before anybody gives way. Each
    /// call counts as an arrival.
    pub(super) fn admit(
        self: &Arc<Self>,
        from: IpAddr,
        listed: impl FnOnce() -> bool,
        now: Time,
    ) -> Result<Place, Turned> {
        let ranges = self.config.prefixes.ranges(from);
        let mut table = self.table();
        table.sweep(now);
        let Table { addresses, .. } = &mut *table;
        let is_known = addresses.has(ranges);
        if addresses.len() >= limits::ADDRESSES && !is_known {
            return Err(Turned::Full);
        }
        let most = self.config.arrivals_per_minute;
        // A flood is counted no further: a site that floods adds no more of its households.
        let flood = most.saturating_mul(2);
        if !addresses.all(ranges, |count, share| count.arrivals(now) < flood.saturating_mul(share))
        {
            return Err(Turned::Flood);
        }
        addresses.update(ranges, |share| self.fresh(share, now), |count| count.arrive(now));
        let mut wait = None;
        addresses.all(ranges, |count, share| {
            let is_often = count.arrivals(now) > most.saturating_mul(share);
            let rest = MINUTE.saturating_sub(now.since(count.since));
            wait = wait.max(is_often.then_some(rest));
            true
        });
        if let Some(wait) = wait {
            return Err(Turned::TooOften { wait });
        }
        let each = self.config.clients_per_address;
        if !addresses
            .all(ranges, |count, share| count.connections < each.saturating_mul(share as usize))
        {
            return Err(Turned::AddressFull);
        }
        if !listed() {
            return Err(Turned::Blocked);
        }
        let seat = table.crowds.enter(Some(ranges));
        if table.crowds.len() > self.config.clients {
            if !table.crowds.has_larger_than_of(&seat) {
                table.crowds.leave(&seat);
                return Err(Turned::Full);
            }
            table.crowds.take_away();
        }
        table.addresses.update(
            ranges,
            |share| self.fresh(share, now),
            |count| count.connections += 1,
        );
        Ok(Place { gate: self.clone(), ranges, seat, heard: now })
    }

    /// What a range begins with that may have so many times as much as an address.
    fn fresh(&self, share: u32, now: Time) -> Count {
        let (burst, rate) = self.config.frames_per_address;
        let frames = (burst.saturating_mul(share), rate.saturating_mul(share));
        Count { connections: 0, arrivals: 0, since: now, frames: Budget::new(frames, now) }
    }

    /// Connections inside.
    pub(super) fn connections(&self) -> usize {
        self.table().crowds.len()
    }

    // What is counted holds even if a thread has panicked at it.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Forgets addresses that have not come for a minute.
    fn sweep(&mut self, now: Time) {
        if now.since(self.swept) >= MINUTE {
            self.swept = now;
            self.addresses.sweep(usize::MAX, |count| count.is_over(now));
        }
    }
}

impl Place {
    /// Is cancelled when the place is needed for somebody else.
    pub(super) fn needed(&self) -> CancellationToken {
        self.seat.needed().clone()
    }

    /// Takes so many WebSocket frames from what is left to the address, if so much is left.
    pub(super) fn take_frames(&mut self, frames: usize, now: Time) -> bool {
        let mut table = self.gate.table();
        if now.since(self.heard) >= limits::HEARD_AGAIN {
            self.heard = now;
            table.crowds.renew(&mut self.seat);
        }
        let has = table.addresses.all(self.ranges, |count, _| count.frames.has(frames, now));
        if has {
            let fresh = |share| self.gate.fresh(share, now);
            table.addresses.update(self.ranges, fresh, |count| {
                count.frames.take(frames, now);
            });
        }
        has
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.gate.table();
        table.crowds.leave(&self.seat);
        let leave = |count: &mut Count| count.connections = count.connections.saturating_sub(1);
        // What has come in this minute still counts.
        table.addresses.release(self.ranges, leave, |_| false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn admit(gate: &Arc<Gate>, from: IpAddr, now: Time) -> Result<Place, Turned> {
        gate.admit(from, || true, now)
    }

    fn start() -> Time {
        Time::from_millis(1_800_000_000_000)
    }

    #[test]
    fn places_are_counted_in_all_and_by_prefix_and_given_back() {
        let now = start();
        let config = GateConfig { clients: 3, clients_per_address: 2, ..GateConfig::default() };
        let gate = Arc::new(Gate::new(config, now));
        let admit = |text: &str| admit(&gate, address(text), now);
        let (one, _two) = (admit("2001:db8::1"), admit("2001:db8::2"));
        assert_eq!(admit("2001:db8::3").err(), Some(Turned::AddressFull), "one /64 is one address");
        let _three = admit("10.0.0.1");
        assert_eq!(admit("10.0.0.1").err(), Some(Turned::Full));
        assert_eq!(gate.connections(), 3);
        drop(one);
        assert!(admit("2001:db8::9").is_ok());
    }

    /// Forty addresses that keep to all limits can take all places; whoever comes from another gets one.
    #[test]
    fn few_addresses_with_many_connections_keep_nobody_out() {
        let now = start();
        let config = GateConfig { clients: 1000, clients_per_address: 25, ..GateConfig::default() };
        let gate = Arc::new(Gate::new(config, now));
        let admit = |text: &str| admit(&gate, address(text), now);
        let crowd = |of: usize| (0..25).map(move |_| format!("10.0.0.{of}"));
        let held: Vec<Place> =
            (0..40).flat_map(crowd).map(|text| admit(&text).expect("a place")).collect();
        assert_eq!(admit("10.0.0.1").err(), Some(Turned::AddressFull));
        let honest: Vec<Place> = (0..200)
            .map(|of| admit(&format!("192.0.2.{of}")).expect("a place of one that has many"))
            .collect();
        let gone =
            |places: &[Place]| places.iter().filter(|one| one.needed().is_cancelled()).count();
        assert_eq!((gone(&held), gone(&honest), gate.connections()), (200, 0, 1000));
        for crowd in held.chunks(25) {
            assert_eq!(gone(crowd), 5, "each crowd gives as many");
        }
        drop((held, honest));
        assert_eq!(gate.connections(), 0);
    }

    #[test]
    fn the_one_that_has_been_quiet_for_longest_gives_way_and_nobody_for_its_equals() {
        let config = GateConfig { clients: 4, ..GateConfig::default() };
        let gate = Arc::new(Gate::new(config, start()));
        let later = start().after(Duration::from_secs(60));
        let enter = |text: &str| admit(&gate, address(text), later);
        let mut places =
            [0; 3].map(|_| admit(&gate, address("10.0.0.1"), start()).expect("a place"));
        assert!(places[0].take_frames(1, later), "it says something");
        let _lone = enter("10.0.0.2");
        let newcomers = [enter("10.0.0.3"), enter("10.0.0.4"), enter("10.0.0.5")];
        assert_eq!(places.map(|place| place.needed().is_cancelled()), [false, true, true]);
        assert_eq!(
            newcomers.map(|place| place.err()),
            [None, None, Some(Turned::Full)],
            "each has one by then"
        );
    }

    #[test]
    fn the_length_of_prefixes_is_configured() {
        let now = start();
        let limits = GateConfig { clients_per_address: 1, ..GateConfig::default() };
        let config = GateConfig { prefixes: Prefixes { ipv4: 24, ipv6: 48 }, ..limits };
        let gate = Arc::new(Gate::new(config, now));
        let _held = ["10.0.0.1", "2001:db8:1:1::1"].map(|text| admit(&gate, address(text), now));
        for (text, inside) in [
            ("10.0.0.2", false),
            ("::ffff:10.0.0.3", false),
            ("10.0.1.1", true),
            ("2001:db8:1:2::1", false),
            ("2001:db8:2::1", true),
        ] {
            assert_eq!(admit(&gate, address(text), now).is_ok(), inside, "{text}");
        }
    }

    #[test]
    fn an_address_that_comes_too_often_waits_for_the_minute_to_end() {
        let start = start();
        let gate = GateConfig { arrivals_per_minute: 2, ..GateConfig::default() };
        let gate = Arc::new(Gate::new(gate, start));
        let at =
            |second| admit(&gate, address("10.0.0.1"), start.after(Duration::from_secs(second)));
        assert!(at(0).is_ok() && at(10).is_ok());
        let wait = |second| Some(Turned::TooOften { wait: Duration::from_secs(second) });
        assert_eq!(at(20).err(), wait(40));
        assert_eq!(at(59).err(), wait(1));
        assert_eq!(at(59).err(), Some(Turned::Flood));
        assert!(admit(&gate, address("10.0.0.2"), start).is_ok(), "others do not");
        assert!(at(60).is_ok());
    }

    #[test]
    fn what_is_kept_of_addresses_is_bounded() {
        let start = start();
        let gate = Arc::new(Gate::new(GateConfig::default(), start));
        let number = |number: usize| IpAddr::from((number as u32).to_be_bytes());
        for n in 0..limits::ADDRESSES {
            assert!(admit(&gate, number(n), start).is_ok());
        }
        assert_eq!(admit(&gate, number(limits::ADDRESSES), start).err(), Some(Turned::Full));
        assert!(admit(&gate, number(1), start).is_ok(), "a known address may come");
        assert!(admit(&gate, number(limits::ADDRESSES), start.after(MINUTE)).is_ok());
        assert_eq!(gate.table().addresses.len(), 1);
    }

    #[test]
    fn a_site_of_ipv6_has_more_than_a_household_but_not_without_end() {
        let now = start();
        let config = GateConfig { clients_per_address: 2, ..GateConfig::default() };
        let gate = Arc::new(Gate::new(config, now));
        let places: Vec<_> = (0..100)
            .map(|household| admit(&gate, address(&format!("2001:db8:1:{household:x}::1")), now))
            .collect();
        let inside = places.iter().filter(|place| place.is_ok()).count();
        assert_eq!(inside, 2 * limits::SITE_SHARE as usize);
        assert!(admit(&gate, address("2001:db8:2::1"), now).is_ok(), "another site");
    }

    /// A client with a site can come from 65,536 households of it.
    #[test]
    fn a_site_that_floods_does_not_fill_the_table() {
        let now = start();
        let config = GateConfig { arrivals_per_minute: 3, ..GateConfig::default() };
        let gate = Arc::new(Gate::new(config, now));
        for household in 0..5000 {
            let _ = admit(&gate, address(&format!("2001:db8:1:{household:x}::1")), now);
        }
        assert_eq!(gate.table().addresses.len(), 1 + 2 * 3 * limits::SITE_SHARE as usize);
    }

    #[test]
    fn frames_are_counted_of_all_connections_of_an_address_together() {
        let now = start();
        let config = GateConfig { frames_per_address: (10, 5), ..GateConfig::default() };
        let gate = Arc::new(Gate::new(config, now));
        let place = |text: &str| admit(&gate, address(text), now).expect("a place");
        let (mut one, mut two) = (place("192.0.2.1"), place("192.0.2.1"));
        assert!(one.take_frames(6, now) && !two.take_frames(6, now) && two.take_frames(4, now));
        assert!(place("192.0.2.2").take_frames(10, now), "others have their own");
        assert!(one.take_frames(5, now.after(Duration::from_secs(1))));
    }
}
