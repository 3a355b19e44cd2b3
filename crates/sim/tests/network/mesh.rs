//! A mesh forms, and stays within its bounds.

use crate::common::{describe, network, seconds, seeds, started};
use taiinet_mesh::{Disconnect, Event};
use taiinet_sim::World;

fn forms(seed: u64, count: usize) {
    let mut setting = started(seed, count);
    setting.connect();
    // Views fill up, and no peer takes more than it may.
    let world = &mut setting.world;
    let wanted = count.saturating_sub(1).min(3);
    let filled = world.run_until(seconds(30), |world| {
        world.graph().values().all(|neighbours| neighbours.len() >= wanted)
    });
    assert!(filled, "{}", describe(world));
    world.run_for(seconds(30));
    assert!(world.is_connected());
    assert!(world.degrees().keys().all(|degree| *degree <= 10), "{:?}", world.degrees());
    // A hello into a channel that was not yet open at the other end is made good, not waited out.
    let late = |event: &Event| {
        let (Event::DialFailed { cause, .. } | Event::PeerDisconnected { cause, .. }) = event
        else {
            return false;
        };
        *cause == Disconnect::HandshakeTimeout
    };
    for peer in world.peers() {
        assert!(!world.events(peer).iter().any(|(_, event)| late(event)), "{peer:?}");
    }
    assert!(world.candidates_passed() > 0, "trickled candidates reach the other end");
    setting.sound();
}

#[test]
fn six_peers_find_one_another() {
    seeds(0..8).for_each(|seed| forms(seed, 6));
}

#[test]
fn thirty_peers_hang_together() {
    seeds(0..2).for_each(|seed| forms(seed, 30));
}

#[test]
fn a_hundred_peers_hang_together() {
    forms(1, 100);
}

#[test]
fn six_peers_are_not_all_linked_to_all_when_told_to_keep_few() {
    let mut world = World::new(3, taiinet_sim::WorldConfig::default());
    let signaller = world.add_signaller(taiinet_sim::DeskConfig::default());
    let spec = taiinet_sim::PeerSpec {
        target_links: 2,
        max_links: 3,
        ..taiinet_sim::PeerSpec::new(network(), &[signaller])
    };
    world.add_peers(12, &spec);
    assert!(world.run_until(seconds(30), World::is_connected), "{}", describe(&world));
    world.run_for(seconds(60));
    assert!(world.degrees().keys().all(|degree| *degree <= 3), "{:?}", world.degrees());
}
