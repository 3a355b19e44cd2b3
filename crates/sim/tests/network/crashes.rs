//! Peers that die, alone or many at once, take no other's documents with them.

use std::time::Duration;

use taiinet_sim::{PeerIndex, Published, World};

use crate::common::{Setting, describe, meshed, seconds, seeds};

/// What the living published, and what the dead had handed on.
fn by_the_living(world: &World) -> impl Fn(&Published) -> bool + use<> {
    let alive = world.alive();
    move |published| alive.contains(&published.by)
}

fn publish_a_round(setting: &mut Setting, by: &[PeerIndex], round: usize) {
    for peer in by {
        if setting.world.is_alive(*peer) {
            let _ = setting.world.publish(*peer, &format!(r#"{{"round": {round}}}"#));
        }
    }
    setting.world.run_for(Duration::from_millis(100));
}

fn survives(seed: u64, count: usize, victims: usize) {
    let mut setting = meshed(seed, count);
    let by: Vec<_> = setting.peers.iter().copied().step_by(3).collect();
    for round in 0..20 {
        publish_a_round(&mut setting, &by, round);
    }
    // Those that come first in some order unrelated to age.
    for place in 0..victims {
        setting.world.crash(setting.peers[(place * 7 + 2) % count]);
    }
    for round in 20..60 {
        publish_a_round(&mut setting, &by, round);
    }
    let world = &mut setting.world;
    let healed = world.run_until(seconds(30), |world| world.is_connected());
    assert!(healed, "seed {seed}: {}", describe(world));
    let counts = by_the_living(world);
    setting.arrives(seconds(30), counts);
    let world = &mut setting.world;
    // No peer still holds on to the dead, and views are full again.
    world.run_for(seconds(15));
    for peer in world.alive() {
        for link in world.status(peer).links {
            let other = world.peer_of(&link.peer).expect("there are only peers here");
            assert!(world.is_alive(other) || link.state != taiinet_mesh::LinkState::Active);
        }
        assert!(world.neighbours(peer).len() >= 3, "{peer:?}\n{}", describe(world));
    }
    setting.sound();
}

#[test]
fn a_fifth_of_thirty_dies_at_once_during_publishing() {
    seeds(0..2).for_each(|seed| survives(seed, 30, 6));
}

#[test]
fn half_of_forty_die_at_once_during_publishing() {
    seeds(10..11).for_each(|seed| survives(seed, 40, 20));
}

#[test]
fn a_publisher_that_dies_has_handed_over_what_was_taken() {
    for seed in seeds(20..24) {
        let mut setting = meshed(seed, 10);
        setting.world.run_for(seconds(5));
        let publisher = setting.peers[0];
        for number in 0..50 {
            let _ = setting.world.publish(publisher, &format!(r#"{{"number": {number}}}"#));
            setting.world.run_for(Duration::from_millis(10));
        }
        setting.world.crash(publisher);
        let taken: Vec<_> = setting
            .world
            .events(publisher)
            .iter()
            .filter_map(|(_, event)| match event {
                taiinet_mesh::Event::Taken { id } => Some(*id),
                _ => None,
            })
            .collect();
        assert!(taken.len() > 20, "only {} of 50 were taken", taken.len());
        setting.arrives(seconds(30), |published| taken.contains(&published.id));
        setting.sound();
    }
}

#[test]
fn what_an_isolated_peer_publishes_is_held_and_comes_with_its_return() {
    for seed in seeds(30..34) {
        let mut setting = meshed(seed, 12);
        setting.world.run_for(seconds(5));
        let lonely = setting.peers[4];
        // All its neighbours die; a document is published before it can have noticed.
        for neighbour in setting.world.neighbours(lonely) {
            setting.world.crash(neighbour);
        }
        setting.world.publish(lonely, r#"{"hello": "is anybody there"}"#).expect("there is room");
        let last_words = setting.world.published().len();
        setting.world.run_for(seconds(8));
        let _ = setting.world.publish(lonely, r#"{"hello": "still nobody"}"#);
        assert!(last_words > 0);
        let counts = by_the_living(&setting.world);
        setting.arrives(seconds(40), counts);
        let taken = |world: &World| world.untaken(lonely) == 0;
        assert!(setting.world.run_until(seconds(5), taken), "neighbours have taken all of it");
        setting.sound();
    }
}

#[test]
fn a_peer_without_any_neighbour_holds_its_documents_until_one_comes() {
    let mut setting = crate::common::started(40, 1);
    let first = setting.peers[0];
    setting.world.run_for(seconds(5));
    for number in 0..10 {
        let content = format!(r#"{{"number": {number}}}"#);
        setting.world.publish(first, &content).expect("there is room");
    }
    setting.world.run_for(seconds(20));
    assert_eq!(setting.world.untaken(first), 10);
    let spec = taiinet_sim::PeerSpec::new(crate::common::network(), &[setting.signaller]);
    let second = setting.world.add_peer(spec);
    setting.world.subscribe(second, "{}");
    let arrived = |world: &World| world.deliveries(second).len() == 10;
    assert!(setting.world.run_until(seconds(60), arrived), "{}", describe(&setting.world));
    assert!(setting.world.run_until(seconds(5), |world| world.untaken(first) == 0));
}

#[test]
fn a_peer_that_leaves_says_so_and_is_taken_back_when_it_returns() {
    let mut setting = meshed(50, 10);
    setting.world.run_for(seconds(5));
    let leaver = setting.peers[3];
    let (old, before) = (setting.world.neighbours(leaver), setting.world.now());
    setting.world.leave(leaver);
    // Its neighbours know at once, not after a time of silence.
    setting.world.run_for(seconds(1));
    for neighbour in old {
        let told = setting.world.events(neighbour).iter().any(|(at, event)| {
            *at >= before
                && matches!(event, taiinet_mesh::Event::PeerDisconnected {
                    peer, cause: taiinet_mesh::Disconnect::Bye
                } if *peer == setting.world.id(leaver))
        });
        assert!(told, "{neighbour:?}: {:?}", setting.world.events(neighbour));
    }
    setting.world.restart(leaver);
    let back = setting.world.run_until(seconds(20), |world| world.neighbours(leaver).len() >= 3);
    assert!(back, "{}", describe(&setting.world));
    setting.sound();
}

#[test]
fn a_killed_peer_that_restarts_at_once_is_taken_back() {
    for seed in seeds(60..63) {
        let mut setting = meshed(seed, 8);
        setting.world.run_for(seconds(5));
        let peer = setting.peers[2];
        setting.world.restart(peer);
        let back = setting.world.run_until(seconds(30), |world| {
            world.neighbours(peer).len() >= 3 && world.is_connected()
        });
        assert!(back, "seed {seed}: {}", describe(&setting.world));
        let by = setting.peers[5];
        setting.world.publish(by, r#"{"to": "all"}"#).expect("there is room");
        setting.arrives(seconds(10), |_| true);
        setting.sound();
    }
}

#[test]
fn wave_after_wave_of_churn_leaves_a_whole_mesh() {
    let mut setting = meshed(70, 24);
    for wave in 0..12 {
        let peer = setting.peers[(wave * 5) % 24];
        let other = setting.peers[(wave * 7 + 3) % 24];
        if wave % 3 == 0 {
            setting.world.leave(peer);
        } else {
            setting.world.crash(peer);
        }
        setting.world.run_for(seconds(4));
        setting.world.restart(peer);
        if setting.world.is_alive(other) {
            let _ = setting.world.publish(other, &format!(r#"{{"wave": {wave}}}"#));
        }
        setting.world.run_for(seconds(4));
    }
    let whole = setting.world.run_until(seconds(30), World::is_connected);
    assert!(whole, "{}", describe(&setting.world));
    setting.sound();
}
