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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl GateConfig {
    /// A count that begins, of a range that may have so many times as much as an address.
    fn fresh(&self, share: u32, now: Time) -> Count {
        let (burst, rate) = self.frames_per_address;
        let frames = (burst.saturating_mul(share), rate.saturating_mul(share));
        Count { connections: 0, arrivals: 0, since: now, frames: Budget::new(frames, now) }
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
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    config: GateConfig,
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
        let addresses = AddressCounts::default();
        let table = Table { config, crowds, kept: 0, addresses, swept: now };
        Self { table: Mutex::new(table) }
    }

    /// So many may come in from now on; those that are here stay. What counts as one address stays as it was.
    pub(super) fn renew(&self, config: GateConfig) {
        let mut table = self.table();
        let prefixes = table.config.prefixes;
        table.config = GateConfig { prefixes, ..config };
    }

    /// Lets a connection from here say what it wants, if it is `listed` and could get a place now. Each call
    /// counts as an arrival.
    pub(super) fn admit(
        self: &Arc<Self>,
        from: IpAddr,
        listed: impl FnOnce() -> bool,
        now: Time,
    ) -> Result<Arrival, Turned> {
        let mut table = self.table();
        let config = table.config;
        let ranges = config.prefixes.ranges(from);
        table.sweep(now);
        let Table { addresses, .. } = &mut *table;
        let is_known = addresses.has(ranges);
        if addresses.len() >= limits::ADDRESSES && !is_known {
            return Err(Turned::Full);
        }
        let most = config.arrivals_per_minute;
        // A flood is counted no further: a site that floods adds no more of its households.
        let flood = most.saturating_mul(2);
        if !addresses.all(ranges, |count, share| count.arrivals(now) < flood.saturating_mul(share))
        {
            return Err(Turned::Flood);
        }
        addresses.update(ranges, |share| config.fresh(share, now), |count| count.arrive(now));
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
        let each = config.clients_per_address;
        if !addresses
            .all(ranges, |count, share| count.connections < each.saturating_mul(share as usize))
        {
            return Err(Turned::AddressFull);
        }
        if !listed() {
            return Err(Turned::Blocked);
        }
        if !table.has_room_for(ranges, config.clients) {
            return Err(Turned::Full);
        }
        table.addresses.update(
            ranges,
            |share| config.fresh(share, now),
            |count| count.connections += 1,
        );
        Ok(Arrival { gate: self.clone(), ranges, sits: Sits::No })
    }

    /// What a range begins with that may have so many times as much as an address.
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
    fn make_room_for(&mut self, ranges: Ranges) -> Result<(), Turned> {
        let clients = self.config.clients;
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
    /// A place for a client, and what is cancelled when the place is needed for another.
    pub(super) fn take_place(mut self) -> Result<(Place, CancellationToken), Turned> {
        let mut table = self.gate.table();
        table.make_room_for(self.ranges)?;
        let seat = table.crowds.enter(Some(self.ranges));
        drop(table);
        let needed = seat.needed().clone();
        self.sits = Sits::Here(seat);
        Ok((Place(self), needed))
    }

    /// A place for another signaller, which is never taken away.
    pub(super) fn take_place_in_pool(mut self) -> Result<Place, Turned> {
        let mut table = self.gate.table();
        table.make_room_for(self.ranges)?;
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
            let config = table.config;
            let fresh = |share| config.fresh(share, now);
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
mod tests;
