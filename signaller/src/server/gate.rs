//! Counts connections and their frames, in all and by address, and says which may come in.
//!
//! Without it a single host could take all places (many connections at once), or keep the server busy
//! with handshakes (many one after the other) and with frames. What counts as an address are its ranges:
//! a client with one IPv6 address has at least 2⁶⁴ of them.
//!
//! When all places are taken, a client gets one all the same if another address has more of them than its
//! own, and more than [`limits::SPARED`]: of the most crowded address, the connection that came last gives
//! way. So the places fall to as many addresses as there are, and not to the first that take many. A
//! connection has no place, and takes none away, before its request for a WebSocket has come.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use taiinet_mesh::{Budget, Time};
use tokio_util::sync::CancellationToken;

use super::crowds::{Crowds, GivesWay, Seat};
use crate::{
    Prefixes,
    addresses::{AddressCounts, Ranges},
    limits,
};

/// How many may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateConfig {
    /// WebSockets at once.
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
    /// No place is left and nobody has too many, too many are giving way, or too many different addresses.
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
    /// Places of other signallers: the pool bounds them.
    kept: usize,
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

/// A connection that may say what it wants, and is counted for its address until it is dropped.
#[derive(Debug)]
pub(super) struct Arrival {
    gate: Arc<Gate>,
    ranges: Ranges,
    sits: Sits,
}

#[derive(Debug)]
enum Sits {
    /// Nowhere yet.
    No,
    Here(Seat),
    /// Where it stays until it leaves by itself.
    Kept,
}

/// A place inside, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arrival);

impl Gate {
    pub(super) fn new(config: GateConfig, now: Time) -> Self {
        let crowds = Crowds::new(GivesWay::Youngest);
        let table = Table { crowds, kept: 0, addresses: AddressCounts::default(), swept: now };
        Self { config, table: Mutex::new(table) }
    }

    /// Lets a connection from here say what it wants, if it is `listed` and could get a place now. Each call
    /// counts as an arrival.
    pub(super) fn admit(
        self: &Arc<Self>,
        from: IpAddr,
        listed: impl FnOnce() -> bool,
        now: Time,
    ) -> Result<Arrival, Turned> {
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
        if !table.has_room_for(ranges, self.config.clients) {
            return Err(Turned::Full);
        }
        table.addresses.update(
            ranges,
            |share| self.fresh(share, now),
            |count| count.connections += 1,
        );
        Ok(Arrival { gate: self.clone(), ranges, sits: Sits::No })
    }

    /// What a range begins with that may have so many times as much as an address.
    fn fresh(&self, share: u32, now: Time) -> Count {
        let (burst, rate) = self.config.frames_per_address;
        let frames = (burst.saturating_mul(share), rate.saturating_mul(share));
        Count { connections: 0, arrivals: 0, since: now, frames: Budget::new(frames, now) }
    }

    /// Connections inside.
    pub(super) fn connections(&self) -> usize {
        self.table().taken()
    }

    // What is counted holds even if a thread has panicked at it.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn taken(&self) -> usize {
        self.crowds.len() + self.kept
    }

    /// Whether there is a place for a newcomer from here, among so many.
    fn has_room_for(&self, ranges: Ranges, clients: usize) -> bool {
        // Those that give way take memory until they have gone.
        let may_give = || self.crowds.leaving() < limits::GIVING_WAY_AT_ONCE;
        self.taken() < clients || may_give() && self.crowds.has_too_many_for(ranges, limits::SPARED)
    }

    /// Sees to it that there is.
    fn make_room_for(&mut self, ranges: Ranges, clients: usize) -> Result<(), Turned> {
        if !self.has_room_for(ranges, clients) {
            return Err(Turned::Full);
        }
        if self.taken() >= clients {
            self.crowds.take_away_for(ranges, limits::SPARED);
        }
        Ok(())
    }

    /// Forgets addresses that have not come for a minute.
    fn sweep(&mut self, now: Time) {
        if now.since(self.swept) >= MINUTE {
            self.swept = now;
            self.addresses.sweep(usize::MAX, |count| count.is_over(now));
        }
    }
}

impl Arrival {
    /// A place for a client, and what is cancelled when the place is needed for somebody else.
    pub(super) fn take_place(mut self) -> Result<(Place, CancellationToken), Turned> {
        let mut table = self.gate.table();
        table.make_room_for(self.ranges, self.gate.config.clients)?;
        let seat = table.crowds.enter(Some(self.ranges));
        drop(table);
        let needed = seat.needed().clone();
        self.sits = Sits::Here(seat);
        Ok((Place(self), needed))
    }

    /// A place for another signaller, which is never taken away.
    pub(super) fn take_place_in_pool(mut self) -> Result<Place, Turned> {
        let mut table = self.gate.table();
        table.make_room_for(self.ranges, self.gate.config.clients)?;
        table.kept += 1;
        drop(table);
        self.sits = Sits::Kept;
        Ok(Place(self))
    }
}

impl Place {
    /// Takes so many WebSocket frames from what is left to the address, if so much is left.
    pub(super) fn take_frames(&self, frames: usize, now: Time) -> bool {
        let Arrival { gate, ranges, .. } = &self.0;
        let mut table = gate.table();
        let has = table.addresses.all(*ranges, |count, _| count.frames.has(frames, now));
        if has {
            let fresh = |share| gate.fresh(share, now);
            table.addresses.update(*ranges, fresh, |count| {
                count.frames.take(frames, now);
            });
        }
        has
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut table = self.gate.table();
        match &self.sits {
            Sits::No => {}
            Sits::Here(seat) => table.crowds.leave(seat),
            Sits::Kept => table.kept = table.kept.saturating_sub(1),
        }
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

    type Held = (Place, CancellationToken);

    fn admit(gate: &Arc<Gate>, from: IpAddr, now: Time) -> Result<Held, Turned> {
        gate.admit(from, || true, now)?.take_place()
    }

    /// Who has to give way.
    fn gone(held: &[Held]) -> Vec<bool> {
        held.iter().map(|(_, needed)| needed.is_cancelled()).collect()
    }

    fn count_gone(held: &[Held]) -> usize {
        gone(held).into_iter().filter(|gone| *gone).count()
    }

    /// So many places, as many as there are.
    fn full(clients: usize, from: &str) -> (Arc<Gate>, Vec<Held>) {
        let each = GateConfig { clients_per_address: clients, ..GateConfig::default() };
        let arrivals_per_minute = 2 * clients as u32;
        let config = GateConfig { clients, arrivals_per_minute, ..each };
        let gate = Arc::new(Gate::new(config, start()));
        let places = (0..clients).map(|_| admit(&gate, address(from), start()).expect("a place"));
        let places = places.collect();
        (gate, places)
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
        let held: Vec<Held> =
            (0..40).flat_map(crowd).map(|text| admit(&text).expect("a place")).collect();
        assert_eq!(admit("10.0.0.1").err(), Some(Turned::AddressFull));
        let honest: Vec<Held> = (0..200)
            .map(|of| admit(&format!("192.0.2.{of}")).expect("a place of one that has many"))
            .collect();
        assert_eq!((count_gone(&held), count_gone(&honest), gate.connections()), (200, 0, 1000));
        for crowd in held.chunks(25) {
            assert_eq!(count_gone(crowd), 5, "each crowd gives as many");
        }
        drop((held, honest));
        assert_eq!(gate.connections(), 0);
    }

    /// Whoever shares an address with others cannot have those closed that were there before.
    #[test]
    fn of_the_most_crowded_the_last_gives_way_and_few_are_spared() {
        let (gate, held) = full(limits::SPARED + 2, "10.0.0.1");
        let enter = |text: &str| admit(&gate, address(text), start());
        let newcomers = ["10.0.0.2", "10.0.0.3", "10.0.0.4"].map(enter);
        let expected = [vec![false; limits::SPARED], vec![true; 2]].concat();
        assert_eq!(gone(&held), expected);
        assert_eq!(newcomers.map(|place| place.err()), [None, None, Some(Turned::Full)]);
    }

    #[test]
    fn nobody_gives_way_to_its_equals() {
        let config = GateConfig { clients: 40, ..GateConfig::default() };
        let gate = Arc::new(Gate::new(config, start()));
        let enter = |from: usize| admit(&gate, address(&format!("10.0.0.{from}")), start());
        let held: Vec<Held> = (0..40).map(|n| enter(n % 2).expect("a place")).collect();
        assert_eq!([0, 1].map(|from| enter(from).err()), [Some(Turned::Full); 2]);
        assert_eq!(count_gone(&held), 0);
    }

    /// Connections cost little: a client has said at least that it wants a WebSocket.
    #[test]
    fn a_connection_that_has_asked_for_nothing_takes_no_place_away() {
        let (gate, held) = full(20, "10.0.0.1");
        let arrive = |of: usize| gate.admit(address(&format!("192.0.2.{of}")), || true, start());
        let mut arrivals: Vec<_> = (0..100).map(arrive).collect();
        assert!(arrivals.iter().all(Result::is_ok));
        assert_eq!((count_gone(&held), gate.connections()), (0, 20));
        let asks = arrivals.pop().expect("one").expect("it came in");
        let _inside = asks.take_place().expect("a place");
        assert_eq!((count_gone(&held), gate.connections()), (1, 20));
    }

    #[test]
    fn in_a_site_of_ipv6_a_household_gives_way_to_one_that_has_less() {
        let (gate, held) = full(limits::SPARED + 1, "2001:db8:1:1::1");
        let enter = |text: &str| admit(&gate, address(text), start());
        let newcomers = ["2001:db8:1:2::1", "2001:db8:1:3::1"].map(enter);
        assert_eq!(count_gone(&held), 1);
        assert_eq!(newcomers.map(|place| place.err()), [None, Some(Turned::Full)]);
    }

    #[test]
    fn a_signaller_of_the_pool_keeps_its_place() {
        let config = GateConfig { clients: 20, ..GateConfig::default() };
        let gate = Arc::new(Gate::new(config, start()));
        let arrive = |from: &str| gate.admit(address(from), || true, start());
        let members: Vec<Place> = (0..11)
            .map(|_| arrive("10.0.0.1").and_then(Arrival::take_place_in_pool).expect("a place"))
            .collect();
        let clients: Vec<Held> =
            (0..9).map(|_| admit(&gate, address("10.0.0.1"), start()).expect("a place")).collect();
        let newcomers = ["10.0.0.2", "10.0.0.3"].map(|text| admit(&gate, address(text), start()));
        assert_eq!(count_gone(&clients), 1, "a client gives way");
        assert_eq!(newcomers.map(|place| place.err()), [None, Some(Turned::Full)]);
        assert_eq!(gate.connections(), 19);
        drop((members, clients));
        assert_eq!(gate.connections(), 0);
    }

    /// Each of them takes memory until it has gone.
    #[test]
    fn no_more_than_so_many_give_way_at_once() {
        let most = limits::GIVING_WAY_AT_ONCE;
        let (gate, mut held) = full(2 * most, "10.0.0.1");
        let enter = |of: usize| admit(&gate, IpAddr::from((of as u32).to_be_bytes()), start());
        let honest: Vec<_> = (0..most).map(enter).collect();
        assert!(honest.iter().all(Result::is_ok));
        assert_eq!(enter(most).err(), Some(Turned::Full));
        assert_eq!(count_gone(&held), most);
        held.pop();
        assert!(enter(most).is_ok(), "one of them has gone");
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
        let place = |text: &str| admit(&gate, address(text), now).expect("a place").0;
        let (one, two) = (place("192.0.2.1"), place("192.0.2.1"));
        assert!(one.take_frames(6, now) && !two.take_frames(6, now) && two.take_frames(4, now));
        assert!(place("192.0.2.2").take_frames(10, now), "others have their own");
        assert!(one.take_frames(5, now.after(Duration::from_secs(1))));
    }
}
