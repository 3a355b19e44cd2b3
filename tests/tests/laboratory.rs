//! Peers in networks as there are outside: behind NATs and firewalls, on IPv6 alone, at the end of a bad line.
//!
//! Each pair of networks is measured by `cargo xtask laboratory`, and here where `TAIINET_LONG` is set.
#![cfg(target_os = "linux")]

use std::time::Duration;

use taiinet_tests::laboratory::{
    Access, Change, Encounter, Laboratory, Measured, Trial, Way, missing,
};

/// The laboratory, or nothing where there can be none.
fn laboratory() -> Option<Laboratory> {
    if let Some(missing) = missing() {
        eprintln!("SKIPPED: {missing}");
        return None;
    }
    Some(Laboratory::new())
}

fn meet(laboratory: &Laboratory, subscriber: Access, publisher: Access) -> Measured {
    let trial = Trial { burst: 100, ..Trial::default() };
    let measured = laboratory.measure(Encounter { subscriber, publisher }, trial);
    eprintln!("{measured:?}");
    measured
}

/// Two meet this way, and every document comes once.
fn meets(laboratory: &Laboratory, subscriber: Access, publisher: Access, way: Way) -> Measured {
    let measured = meet(laboratory, subscriber, publisher);
    assert_eq!(measured.way, Some(way), "{measured:?}");
    assert!(measured.burst.is_whole(), "{measured:?}");
    measured
}

#[test]
fn cones_meet_without_help() {
    let Some(laboratory) = laboratory() else { return };
    for (subscriber, publisher) in [
        (Access::FullCone, Access::PortRestricted),
        (Access::PortRestricted, Access::PortRestricted),
        (Access::Symmetric, Access::FullCone),
    ] {
        meets(&laboratory, subscriber, publisher, Way::Direct);
    }
}

#[test]
fn symmetric_nats_meet_through_turn() {
    let Some(laboratory) = laboratory() else { return };
    meets(&laboratory, Access::Symmetric, Access::Symmetric, Way::Turn);
}

/// A server that is reached by TCP does for an end without UDP.
#[test]
fn where_udp_is_blocked_the_signaller_relays() {
    let Some(laboratory) = laboratory() else { return };
    meets(&laboratory, Access::UdpBlocked, Access::PortRestricted, Way::Signaller);
}

/// Documents go on within five seconds, and each comes once: those of before, of the time between and of after.
fn goes_on(access: Access, change: Change, publishes: bool) {
    let Some(laboratory) = laboratory() else { return };
    let recovery = laboratory.measure_change(access, change, publishes);
    eprintln!("{recovery:?}");
    assert!(recovery.documents.is_whole(), "{recovery:?}");
    assert!(recovery.after.is_some_and(|after| after <= Duration::from_secs(5)), "{recovery:?}");
}

#[test]
fn a_subscriber_goes_on_in_another_network() {
    goes_on(Access::PortRestricted, Change::Moves, false);
}

#[test]
fn a_publisher_goes_on_in_another_network() {
    goes_on(Access::Symmetric, Change::Moves, true);
}

#[test]
fn a_subscriber_goes_on_when_its_router_has_another_address() {
    goes_on(Access::FullCone, Change::AnotherLine, false);
}

/// All pairs of networks, in both orders, and all changes: what `cargo xtask laboratory` writes down.
#[test]
fn the_whole_laboratory() {
    if std::env::var_os("TAIINET_LONG").is_none() {
        return;
    }
    let Some(laboratory) = laboratory() else { return };
    for subscriber in Access::ALL {
        for publisher in Access::ALL {
            let measured = meet(&laboratory, subscriber, publisher);
            assert!(measured.way.is_some() && measured.burst.is_whole(), "{measured:?}");
        }
    }
    for change in Change::ALL {
        for publishes in [false, true] {
            let recovery = laboratory.measure_change(Access::PortRestricted, change, publishes);
            assert!(recovery.after.is_some() && recovery.documents.is_whole(), "{recovery:?}");
        }
    }
}
