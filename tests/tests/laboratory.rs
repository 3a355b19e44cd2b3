//! Peers in networks as there are outside: behind NATs and firewalls, on IPv6 alone, at the end of a bad line.
//!
//! Each pair of networks is measured by `cargo xtask laboratory`, and here where `TAIINET_LONG` is set.
#![cfg(target_os = "linux")]

use std::{process::Command, time::Duration};

use taiinet_tests::{
    Process,
    laboratory::{Access, Change, Encounter, Laboratory, Measured, Trial, Way, missing},
    program,
};

/// The laboratory, whose signaller relays, or nothing where there can be none.
fn laboratory() -> Option<Laboratory> {
    laboratory_with(&["--relay"], true)
}

/// One whose signaller has these options, with or without a TURN server.
fn laboratory_with(signaller: &[&str], turn: bool) -> Option<Laboratory> {
    if let Some(missing) = missing() {
        eprintln!("SKIPPED: {missing}");
        return None;
    }
    Some(Laboratory::with(signaller, turn))
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
fn where_udp_is_blocked_turn_by_tcp_gets_through() {
    let by_tcp = ["--turn", "turn:203.0.113.2:3478?transport=tcp"];
    let Some(laboratory) = laboratory_with(&by_tcp, true) else { return };
    for publisher in [Access::Symmetric, Access::UdpBlocked] {
        meets(&laboratory, Access::UdpBlocked, publisher, Way::Turn);
    }
}

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

/// Also one that a signaller relays, by a connection of which nothing more is heard.
#[test]
fn a_relayed_subscriber_goes_on_in_another_network() {
    goes_on(Access::UdpBlocked, Change::Moves, false);
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
            let is_bad = [subscriber, publisher].contains(&Access::Lossy);
            if measured.way == Some(Way::Turn) && !is_bad {
                let in_time = measured.link.is_some_and(|link| link <= Duration::from_millis(1500));
                assert!(in_time, "{measured:?}");
            }
        }
    }
    for (access, change) in Change::everywhere() {
        for publishes in [false, true] {
            let recovery = laboratory.measure_change(access, change, publishes);
            eprintln!("{recovery:?}");
            assert!(recovery.documents.is_whole(), "{recovery:?}");
            let in_time = recovery.after.is_some_and(|after| after <= Duration::from_secs(5));
            assert!(in_time, "{recovery:?}");
        }
    }
}

/// A router that is asked for a port lets in whom its NAT would not.
#[test]
fn a_port_of_the_router_does_without_turn() {
    let Some(laboratory) = laboratory_with(&[], false) else { return };
    let (here, there) = (laboratory.home(Access::Symmetric), laboratory.home(Access::Symmetric));
    let mut command = Command::new(program("natpmp-router"));
    // The first home's.
    command.args(["192.168.1.1", "198.18.0.6"]);
    let router = here.router().expect("a router").enter(&command);
    let router = Process::start("router", &mut { router });
    router.eventually("listens", |router| (!router.stdout().is_empty()).then_some(()));
    let trial = Trial { burst: 10, ..Trial::default() };
    let measured = laboratory.measure_between(&here, &there, trial);
    eprintln!("{measured:?}");
    assert_eq!(measured.way, Some(Way::Direct), "{measured:?}");
    assert!(measured.burst.is_whole(), "{measured:?}");
    router.eventually("has its port back", |router| {
        router.stdout().iter().any(|line| line.starts_with("unmapped")).then_some(())
    });
}

#[test]
fn ipv6_alone_is_enough() {
    let Some(laboratory) = laboratory() else { return };
    meets(&laboratory, Access::Ipv6Only, Access::Ipv6Only, Way::Direct);
}

#[test]
fn a_bad_line_loses_nothing() {
    // A signaller that relays would do so when a handshake loses enough to take three seconds.
    let Some(laboratory) = laboratory_with(&[], false) else { return };
    let measured = meets(&laboratory, Access::Lossy, Access::PortRestricted, Way::Direct);
    assert!(measured.link > Some(Duration::from_millis(400)), "it is long: {measured:?}");
}

#[test]
fn where_udp_is_blocked_there_is_no_way_without_help() {
    let Some(laboratory) = laboratory_with(&[], true) else { return };
    let trial = Trial { burst: 1, patience: Duration::from_secs(18) };
    let encounter = Encounter { subscriber: Access::UdpBlocked, publisher: Access::PortRestricted };
    assert_eq!(laboratory.measure(encounter, trial).way, None);
}
