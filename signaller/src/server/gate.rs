//! Counts connections, in all and by address, and says who may come in.
//!
//! Without it a single host could take all places (many connections at once), or keep the server busy
//! with handshakes (many one after the other). What counts as an address is a prefix: whoever has one
//! IPv6 address has at least 2⁶⁴ of them.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::prefix::AddressPrefix;
use crate::limits;

/// How many may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateConfig {
    /// Connections at once.
    pub clients: usize,
    /// Connections at once from one address.
    pub clients_per_address: usize,
    /// New connections from one address in a minute.
    pub arrivals_per_minute: u32,
    /// Connections at once that are in their handshake.
    pub handshakes: usize,
    /// How many leading bits of an IPv4 address count as one address.
    pub ipv4_prefix: u8,
    /// How many leading bits of an IPv6 address count as one address.
    pub ipv6_prefix: u8,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            clients: limits::CLIENTS,
            clients_per_address: limits::CLIENTS_PER_ADDRESS,
            arrivals_per_minute: limits::ARRIVALS_PER_MINUTE,
            handshakes: limits::HANDSHAKES,
            ipv4_prefix: limits::IPV4_PREFIX,
            ipv6_prefix: limits::IPV6_PREFIX,
        }
    }
}

/// Why a connection does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turned {
    /// No places left, or too many different addresses.
    Full,
    /// Too many connections at once from its address.
    AddressFull,
    /// Too many connections from its address in this minute, which lasts so long.
    TooOften { wait: Duration },
    /// Twice too many: it is not even told.
    Flood,
    /// Too many handshakes at once.
    Handshakes,
    /// Its address is blocked, or not among those that are allowed.
    Blocked,
}

impl Turned {
    /// All reasons, as metrics name them.
    pub(super) const NAMES: [&str; 6] =
        ["full", "address_full", "too_often", "flood", "handshakes", "blocked"];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::AddressFull => "address_full",
            Self::TooOften { .. } => "too_often",
            Self::Flood => "flood",
            Self::Handshakes => "handshakes",
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
    connections: usize,
    addresses: HashMap<AddressPrefix, Count>,
    swept: Instant,
}

#[derive(Debug)]
struct Count {
    connections: usize,
    arrivals: u32,
    since: Instant,
}

impl Count {
    fn is_over(&self, now: Instant) -> bool {
        self.connections == 0 && now.duration_since(self.since) >= MINUTE
    }
}

/// A place inside, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    gate: Arc<Gate>,
    prefix: AddressPrefix,
}

impl Gate {
    pub(super) fn new(config: GateConfig, now: Instant) -> Self {
        let table = Table { connections: 0, addresses: HashMap::new(), swept: now };
        Self { config, table: Mutex::new(table) }
    }

    /// A place for a connection from here. Each call counts as an arrival.
    pub(super) fn admit(self: &Arc<Self>, from: IpAddr, now: Instant) -> Result<Place, Turned> {
        let bits = match from.to_canonical() {
            IpAddr::V4(_) => self.config.ipv4_prefix,
            IpAddr::V6(_) => self.config.ipv6_prefix,
        };
        let prefix = AddressPrefix::around(from, bits);
        let mut table = self.table();
        table.sweep(now);
        if table.addresses.len() >= limits::ADDRESSES && !table.addresses.contains_key(&prefix) {
            return Err(Turned::Full);
        }
        let full = table.connections >= self.config.clients;
        let count = table.addresses.entry(prefix).or_insert(Count {
            connections: 0,
            arrivals: 0,
            since: now,
        });
        if now.duration_since(count.since) >= MINUTE {
            (count.arrivals, count.since) = (0, now);
        }
        count.arrivals = count.arrivals.saturating_add(1);
        let most = self.config.arrivals_per_minute;
        if count.arrivals > most.saturating_mul(2) {
            return Err(Turned::Flood);
        }
        if count.arrivals > most {
            let wait = MINUTE.saturating_sub(now.duration_since(count.since));
            return Err(Turned::TooOften { wait });
        }
        if count.connections >= self.config.clients_per_address {
            return Err(Turned::AddressFull);
        }
        if full {
            return Err(Turned::Full);
        }
        count.connections += 1;
        table.connections += 1;
        Ok(Place { gate: self.clone(), prefix })
    }

    /// Connections inside.
    pub(super) fn connections(&self) -> usize {
        self.table().connections
    }

    // What is counted holds even if a thread has panicked at it.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Forgets who has not come for a minute.
    fn sweep(&mut self, now: Instant) {
        if now.duration_since(self.swept) >= MINUTE {
            self.swept = now;
            self.addresses.retain(|_, count| !count.is_over(now));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.gate.table();
        table.connections = table.connections.saturating_sub(1);
        if let Some(count) = table.addresses.get_mut(&self.prefix) {
            count.connections = count.connections.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn places_are_counted_in_all_and_by_prefix_and_given_back() {
        let now = Instant::now();
        let config = GateConfig { clients: 3, clients_per_address: 2, ..GateConfig::default() };
        let gate = Arc::new(Gate::new(config, now));
        let admit = |text: &str| gate.admit(address(text), now);
        let (one, _two) = (admit("2001:db8::1"), admit("2001:db8::2"));
        assert_eq!(admit("2001:db8::3").err(), Some(Turned::AddressFull), "one /64 is one address");
        let _three = admit("10.0.0.1");
        assert_eq!(admit("10.0.0.2").err(), Some(Turned::Full));
        assert_eq!(gate.connections(), 3);
        drop(one);
        assert!(admit("2001:db8::9").is_ok());
    }

    #[test]
    fn the_length_of_prefixes_is_configured() {
        let now = Instant::now();
        let limits = GateConfig { clients_per_address: 1, ..GateConfig::default() };
        let config = GateConfig { ipv4_prefix: 24, ipv6_prefix: 48, ..limits };
        let gate = Arc::new(Gate::new(config, now));
        let _held = ["10.0.0.1", "2001:db8:1:1::1"].map(|text| gate.admit(address(text), now));
        for (text, inside) in [
            ("10.0.0.2", false),
            ("::ffff:10.0.0.3", false),
            ("10.0.1.1", true),
            ("2001:db8:1:2::1", false),
            ("2001:db8:2::1", true),
        ] {
            assert_eq!(gate.admit(address(text), now).is_ok(), inside, "{text}");
        }
    }

    #[test]
    fn who_comes_too_often_waits_for_the_minute_to_end() {
        let start = Instant::now();
        let gate = GateConfig { arrivals_per_minute: 2, ..GateConfig::default() };
        let gate = Arc::new(Gate::new(gate, start));
        let at = |second| gate.admit(address("10.0.0.1"), start + Duration::from_secs(second));
        assert!(at(0).is_ok() && at(10).is_ok());
        let wait = |second| Some(Turned::TooOften { wait: Duration::from_secs(second) });
        assert_eq!(at(20).err(), wait(40));
        assert_eq!(at(59).err(), wait(1));
        assert_eq!(at(59).err(), Some(Turned::Flood));
        assert!(gate.admit(address("10.0.0.2"), start).is_ok(), "others do not");
        assert!(at(60).is_ok());
    }

    #[test]
    fn what_is_kept_of_addresses_is_bounded() {
        let start = Instant::now();
        let gate = Arc::new(Gate::new(GateConfig::default(), start));
        let number = |number: usize| IpAddr::from((number as u32).to_be_bytes());
        for n in 0..limits::ADDRESSES {
            assert!(gate.admit(number(n), start).is_ok());
        }
        assert_eq!(gate.admit(number(limits::ADDRESSES), start).err(), Some(Turned::Full));
        assert!(gate.admit(number(1), start).is_ok(), "who is known may come");
        assert!(gate.admit(number(limits::ADDRESSES), start + MINUTE).is_ok());
        assert_eq!(gate.table().addresses.len(), 1);
    }
}
