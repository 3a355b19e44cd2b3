//! Whether this machine is still where it was: which addresses it has, and from which of them it speaks to the
//! world.
//!
//! It is asked again and again: that is the same on every system, and takes some 50 µs a second.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use taiinet_webrtc::{local_addresses, source_address};
use tokio::time::Instant;

/// How often the system is asked; less often where it takes so long to answer that it would take more than
/// [`SHARE`] of the time.
const EVERY: Duration = Duration::from_secs(1);
const SHARE: u32 = 1000;
/// How often a change makes us ask all neighbours, at most: interfaces come and go, for containers and VPNs.
const WAKE_EVERY: Duration = Duration::from_secs(5);

/// What the system says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Picture {
    addresses: BTreeSet<IpAddr>,
    /// The addresses from which we would speak to others, by IPv4 and IPv6; none without a route.
    sources: [Option<IpAddr>; 2],
}

/// Where this machine is.
#[derive(Debug)]
pub(crate) struct Whereabouts {
    known: Picture,
    look_at: Instant,
    /// Whether neighbours are to be asked, and when they were.
    changed: bool,
    woke_at: Option<Instant>,
}

/// What has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Addresses that are gone.
    pub(crate) gone: BTreeSet<IpAddr>,
    /// Whether it is worth while to ask all neighbours whether they hear us.
    pub(crate) wakes: bool,
}

impl Whereabouts {
    pub(crate) fn new() -> Self {
        let known = Picture::take();
        Self { known, look_at: Instant::now() + EVERY, changed: false, woke_at: None }
    }

    /// When to look again.
    pub(crate) const fn look_at(&self) -> Instant {
        self.look_at
    }

    /// Looks whether anything has changed.
    pub(crate) fn look(&mut self) -> Moved {
        let began = Instant::now();
        let picture = Picture::take();
        let now = Instant::now();
        self.look_at = now + EVERY.max((now - began) * SHARE);
        self.moved(picture, now)
    }

    fn moved(&mut self, new: Picture, now: Instant) -> Moved {
        let old = std::mem::replace(&mut self.known, new);
        let new = &self.known;
        let gone: BTreeSet<IpAddr> = old.addresses.difference(&new.addresses).copied().collect();
        let connected = new.sources.iter().any(Option::is_some);
        // One more address means nothing while we speak from where we did: a VPN for other destinations, a
        // container, IPv6's temporary addresses.
        let speaks_anew =
            old.sources.iter().zip(&new.sources).any(|(old, new)| new.is_some() && old != new);
        let local_only = !connected && !new.addresses.is_subset(&old.addresses);
        self.changed |= speaks_anew || local_only || (!gone.is_empty() && connected);
        let wakes = self.changed && self.woke_at.is_none_or(|at| now - at >= WAKE_EVERY);
        if wakes {
            self.changed = false;
            self.woke_at = Some(now);
        }
        Moved { gone, wakes }
    }
}

impl Picture {
    fn take() -> Self {
        // Somebody out there, by either family (RFC 5737, RFC 3849): nothing is sent.
        let others: [IpAddr; 2] = [
            Ipv4Addr::new(192, 0, 2, 1).into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        ];
        let sources = others.map(|other| source_address((other, 9).into()).ok());
        Self { addresses: local_addresses(), sources }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(addresses: &[&str], sources: [Option<&str>; 2]) -> Picture {
        let parse = |text: &str| text.parse().expect("an address");
        Picture {
            addresses: addresses.iter().map(|text| parse(text)).collect(),
            sources: sources.map(|text| text.map(parse)),
        }
    }

    fn known(picture: Picture) -> (Whereabouts, Instant) {
        let now = Instant::now();
        (Whereabouts { known: picture, look_at: now, changed: false, woke_at: None }, now)
    }

    #[test]
    fn another_address_and_a_network_that_is_back_are_worth_asking() {
        let wifi = at(&["192.168.1.2"], [Some("192.168.1.2"), None]);
        let (mut here, now) = known(wifi.clone());
        assert_eq!(here.moved(wifi.clone(), now), Moved::default());

        let moved = here.moved(at(&["10.0.0.7"], [Some("10.0.0.7"), None]), now);
        let old = "192.168.1.2".parse().expect("an address");
        assert_eq!(moved, Moved { gone: BTreeSet::from([old]), wakes: true });

        // Without a network there is nobody to ask; with the same address again there is.
        let later = now + WAKE_EVERY;
        let (mut here, _) = known(wifi.clone());
        assert!(!here.moved(at(&["192.168.1.2"], [None, None]), later).wakes);
        assert!(here.moved(wifi, later).wakes);
    }

    #[test]
    fn further_addresses_are_not_and_what_flaps_is_so_now_and_then() {
        let home = at(&["192.168.1.2"], [Some("192.168.1.2"), None]);
        let (mut here, now) = known(home.clone());
        let with_vpn = at(&["192.168.1.2", "10.8.0.2"], [Some("192.168.1.2"), None]);
        assert_eq!(here.moved(with_vpn, now), Moved::default());

        let through_vpn = at(&["192.168.1.2", "10.8.0.2"], [Some("10.8.0.2"), None]);
        let mut wakes = 0;
        for second in 0..20 {
            let picture = if second % 2 == 0 { &through_vpn } else { &home };
            let moved = here.moved(picture.clone(), now + Duration::from_secs(second));
            wakes += u32::from(moved.wakes);
        }
        assert_eq!(wakes, 4, "every five seconds");
        // What was held back is asked, though nothing changes any more.
        let quiet = here.known.clone();
        assert!(here.moved(quiet.clone(), now + Duration::from_secs(20)).wakes);
        assert!(!here.moved(quiet, now + Duration::from_secs(40)).wakes);
    }

    #[test]
    fn a_machine_without_a_way_out_minds_its_own_addresses() {
        let (mut here, now) = known(at(&["10.0.0.1"], [None, None]));
        assert!(here.moved(at(&["10.0.0.1", "10.0.0.2"], [None, None]), now).wakes);
    }

    #[test]
    fn the_system_is_asked_and_that_is_cheap() {
        let (picture, began) = (Picture::take(), std::time::Instant::now());
        for _ in 0..100 {
            assert_eq!(Picture::take().sources, picture.sources);
        }
        let each = began.elapsed() / 100;
        eprintln!("{each:?} for each look at {} addresses", picture.addresses.len());
        assert!(each < Duration::from_millis(20), "{each:?}");
    }
}
