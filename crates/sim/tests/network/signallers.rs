//! A mesh lives on when its signallers die, and does not storm them when they return.

use taiinet_mesh::{Disconnect, wire::RefusalReason};
use taiinet_sim::{Audit, DeskConfig, JoinWork, PeerSpec, World, WorldConfig};

use crate::common::{describe, meshed, network, seconds, seeds};

fn all_joined(world: &World) -> bool {
    world
        .alive()
        .iter()
        .all(|peer| world.status(*peer).signallers.iter().all(|signaller| signaller.joined))
}

#[test]
fn traffic_goes_on_without_a_signaller_and_peers_rejoin_spread_over_time() {
    let count = 40;
    let mut setting = meshed(1, count);
    setting.world.run_for(seconds(10));
    assert!(all_joined(&setting.world));
    let signaller = setting.signaller;
    setting.world.crash_signaller(signaller);
    let died = setting.world.now();
    for number in 0..50 {
        let by = setting.peers[number % count];
        setting.world.publish(by, &format!(r#"{{"number": {number}}}"#)).expect("there is room");
        setting.world.run_for(seconds(1));
    }
    assert!(setting.world.is_connected(), "{}", describe(&setting.world));
    assert_eq!(Audit::of(&setting.world, |_| true).missing, &[]);
    let lost = setting.world.alive().iter().all(|peer| {
        setting.world.events(*peer).iter().any(|(at, event)| {
            *at >= died && matches!(event, taiinet_mesh::Event::SignallerLost { .. })
        })
    });
    assert!(lost, "every peer says why it has no signaller");

    let before = setting.world.joins(signaller).len();
    setting.world.restart_signaller(signaller);
    let back = setting.world.now();
    assert!(setting.world.run_until(seconds(60), all_joined));
    let joins: Vec<u64> = setting.world.joins(signaller)[before..]
        .iter()
        .map(|at| u64::try_from(at.since(back).as_millis()).expect("soon"))
        .collect();
    assert!(joins.len() >= count);
    // No herd: of the joins, spread over many seconds, no half second sees more than a quarter.
    let busiest = joins
        .iter()
        .map(|start| joins.iter().filter(|at| (*start..start + 500).contains(*at)).count())
        .max();
    assert!(busiest <= Some(count / 4), "{busiest:?} joins in half a second: {joins:?}");
    let span = joins.iter().max().copied().unwrap_or(0) - joins.iter().min().copied().unwrap_or(0);
    assert!(span > 8_000, "all joined within {span} ms");
    setting.sound();
}

#[test]
fn lost_neighbours_are_replaced_through_the_mesh_when_no_signaller_is_there() {
    replaced(10..13, seconds(2));
}

/// Presences expire; neighbours keep each other's fresh.
#[test]
fn also_when_no_signaller_was_there_for_long() {
    replaced(13..14, seconds(20 * 60));
}

fn replaced(usual: std::ops::Range<u64>, alone: std::time::Duration) {
    for seed in seeds(usual) {
        let mut setting = meshed(seed, 24);
        // Time for some shuffles.
        setting.world.run_for(seconds(40));
        let signaller = setting.signaller;
        setting.world.crash_signaller(signaller);
        setting.world.run_for(alone);
        for place in 0..6 {
            setting.world.crash(setting.peers[place * 4]);
        }
        let healed = setting.world.run_until(seconds(40), |world| {
            world.is_connected() && world.graph().values().all(|neighbours| neighbours.len() >= 3)
        });
        assert!(healed, "seed {seed}: {}", describe(&setting.world));
        setting.sound();
    }
}

#[test]
fn with_several_signallers_one_is_enough() {
    let mut world = World::new(20, WorldConfig::default());
    let signallers: Vec<_> = (0..3).map(|_| world.add_signaller(DeskConfig::default())).collect();
    world.crash_signaller(signallers[0]);
    world.crash_signaller(signallers[2]);
    let peers = world.add_peers(10, &PeerSpec::new(network(), &signallers));
    assert!(world.run_until(seconds(30), World::is_connected), "{}", describe(&world));
    let why = world.status(peers[0]).signallers;
    assert!(why.iter().filter(|signaller| signaller.failure.is_some()).count() >= 2, "{why:?}");
}

#[test]
fn lost_signals_and_failed_dials_only_delay_the_mesh() {
    let config = WorldConfig { signal_loss: 0.15, dial_failure: 0.2, ..WorldConfig::default() };
    for seed in seeds(30..33) {
        let mut setting = crate::common::started_with(seed, 15, config.clone());
        let connected = setting.world.run_until(seconds(90), World::is_connected);
        assert!(connected, "seed {seed}: {}", describe(&setting.world));
        setting.sound();
    }
}

#[test]
fn a_draining_signaller_sends_its_peers_away_without_harm() {
    let mut setting = meshed(40, 8);
    setting.world.run_for(seconds(5));
    setting.world.drain_signaller(setting.signaller);
    setting.world.run_for(seconds(20));
    assert!(setting.world.is_connected());
    setting.sound();
}

#[test]
fn peers_do_the_work_that_a_signaller_asks_for() {
    let mut world = World::new(50, WorldConfig::default());
    let work = JoinWork { bits: 15, from_clients: 0 };
    let signaller = world.add_signaller(DeskConfig { work, ..DeskConfig::default() });
    world.add_peers(6, &PeerSpec::new(network(), &[signaller]));
    assert!(world.run_until(seconds(30), World::is_connected), "{}", describe(&world));
    // Also after minutes, when joins are renewed.
    world.run_for(seconds(400));
    assert!(all_joined(&world) && world.violations().is_empty());
}

#[test]
fn nobody_does_more_work_than_a_peer_should() {
    let mut world = World::new(51, WorldConfig::default());
    let work = JoinWork { bits: 60, from_clients: 0 };
    let signaller = world.add_signaller(DeskConfig { work, ..DeskConfig::default() });
    let peer = world.add_peer(PeerSpec::new(network(), &[signaller]));
    world.run_for(seconds(10));
    let why = world.status(peer).signallers[0].failure.clone();
    assert_eq!(why, Some(taiinet_mesh::Disconnect::WorkTooHard { bits: 60 }));
}

/// A clock that is off by more than others take keeps a peer alone, whether its join holds (a late one) or
/// not; its status has the cause, by how much, and loses it when the clock is set.
#[test]
fn a_peer_whose_clock_is_off_hears_by_how_much() {
    for clock_error in [-300_000, 300_000, -3_600_000, 40_000] {
        let mut world = World::new(52, WorldConfig::default());
        let signaller = world.add_signaller(DeskConfig::default());
        let spec = PeerSpec::new(network(), &[signaller]);
        let right = world.add_peers(3, &spec);
        let wrong = world.add_peer(PeerSpec { clock_error, ..spec });
        world.run_for(seconds(20));
        let status = &world.status(wrong).signallers[0];
        let ahead = status.clock_ahead_ms.expect("it was told");
        assert!((ahead - clock_error).abs() < 2_000, "{ahead} for {clock_error}");
        let fits = clock_error.unsigned_abs() <= 120_000;
        assert_eq!(world.neighbours(wrong).is_empty(), !fits, "{clock_error}: {status:?}");
        if !status.joined {
            let refused = Some(Disconnect::Refused(RefusalReason::Clock));
            assert_eq!(status.failure, refused, "{clock_error}");
        }
        for peer in right {
            assert_eq!(world.status(peer).signallers[0].clock_ahead_ms, None);
        }
        assert!(world.violations().is_empty());
    }
}
