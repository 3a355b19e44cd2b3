//! Peers in networks as there are outside: behind NATs and firewalls, on IPv6 alone, at the end of a bad line.
//!
//! Each pair of networks is measured by `cargo xtask laboratory`, and here where `TAIINET_LONG` is set.
#![cfg(target_os = "linux")]

use std::{process::Command, time::Duration};

use taiinet_tests::{
    Process,
    laboratory::{Access, Encounter, Laboratory, Measured, Trial, Way, missing},
    program,
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
    assert!(measured.is_whole(), "{measured:?}");
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
    if let Some(missing) = missing() {
        eprintln!("SKIPPED: {missing}");
        return;
    }
    let by_tcp = ["--turn", "turn:203.0.113.2:3478?transport=tcp"];
    let laboratory = Laboratory::with(&by_tcp, true);
    for publisher in [Access::Symmetric, Access::UdpBlocked] {
        meets(&laboratory, Access::UdpBlocked, publisher, Way::Turn);
    }
}

/// A router that is asked for a port lets in whom its NAT would not.
#[test]
fn a_port_of_the_router_does_without_turn() {
    if let Some(missing) = missing() {
        eprintln!("SKIPPED: {missing}");
        return;
    }
    let laboratory = Laboratory::with(&[], false);
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
    assert!(measured.is_whole(), "{measured:?}");
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
    let Some(laboratory) = laboratory() else { return };
    let measured = meets(&laboratory, Access::Lossy, Access::PortRestricted, Way::Direct);
    assert!(measured.link > Some(Duration::from_millis(400)), "it is long: {measured:?}");
}

#[test]
fn where_udp_is_blocked_there_is_no_way() {
    let Some(laboratory) = laboratory() else { return };
    let trial = Trial { burst: 1, patience: Duration::from_secs(18) };
    let encounter = Encounter { subscriber: Access::UdpBlocked, publisher: Access::PortRestricted };
    assert_eq!(laboratory.measure(encounter, trial).way, None);
}
