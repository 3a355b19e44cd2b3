//! Links that a signaller relays, where no direct one can be had.

use taiinet_mesh::{
    Disconnect, LinkState, LinkStatus, SignallerRelay, limits, wire::RefusalReason,
};
use taiinet_sim::{
    Audit, DeskConfig, PeerIndex, PeerSpec, Relaying, SignallerIndex, World, WorldConfig,
};

use crate::common::{Setting, describe, network, seconds, seeds};

fn relaying(relaying: Relaying) -> DeskConfig {
    DeskConfig { relaying: Some(relaying), ..DeskConfig::default() }
}

/// So many peers, of which no two have a direct path, at a signaller that relays.
fn apart(seed: u64, count: usize, quotas: Relaying) -> Setting {
    let mut world = World::new(seed, WorldConfig { dial_failure: 1.0, ..WorldConfig::default() });
    let signaller = world.add_signaller(relaying(quotas));
    let peers = world.add_peers(count, &PeerSpec::new(network(), &[signaller]));
    for peer in &peers {
        world.subscribe(*peer, "{}");
    }
    Setting { world, signaller, peers }
}

fn active(world: &World, peer: PeerIndex) -> Vec<LinkStatus> {
    let mut links = world.status(peer).links;
    links.retain(|link| link.state == LinkState::Active);
    links
}

fn say(setting: &mut Setting, number: usize) {
    let by = setting.peers[number % setting.peers.len()];
    setting.world.publish(by, &format!(r#"{{"number": {number}}}"#)).expect("there is room");
}

fn circuits(world: &World, signaller: SignallerIndex) -> usize {
    world.desk_status(signaller).expect("it runs").circuits
}

#[test]
fn two_that_have_no_direct_path_are_linked_all_the_same() {
    for seed in seeds(1..4) {
        let mut setting = apart(seed, 2, Relaying::default());
        let linked = setting.world.run_until(seconds(6), World::is_connected);
        assert!(linked, "within some seconds: {}", describe(&setting.world));
        for peer in setting.peers.clone() {
            let links = active(&setting.world, peer);
            assert!(links.len() == 1 && links[0].relayed, "{links:?}");
            assert!(setting.world.status(peer).signallers[0].relays);
        }
        for number in 0..50 {
            say(&mut setting, number);
            setting.world.run_for(core::time::Duration::from_millis(50));
        }
        setting.arrives(seconds(10), |_| true);
        let status = setting.world.desk_status(setting.signaller).expect("it runs");
        assert_eq!((status.circuits, status.circuits_opened), (1, 1));
        assert!(status.circuit_bytes > 5_000, "{status:?}");
        // It stays, for as long as there is nothing better.
        setting.world.run_for(seconds(300));
        assert!(setting.world.is_connected());
        setting.sound();
    }
}

#[test]
fn a_direct_link_takes_over_and_nothing_is_lost_or_comes_twice() {
    for seed in seeds(1..5) {
        let mut setting = apart(seed, 2, Relaying::default());
        assert!(setting.world.run_until(seconds(6), World::is_connected));
        let direct = |world: &World| {
            world.alive().iter().all(|peer| {
                let links = active(world, *peer);
                links.len() == 1 && !links[0].relayed
            })
        };
        let mut number = 0;
        setting.world.set_dial_failure(0.0);
        while !direct(&setting.world) {
            say(&mut setting, number);
            number += 1;
            setting.world.run_for(core::time::Duration::from_millis(60));
            assert!(number < 10_000, "no direct link: {}", describe(&setting.world));
            assert!(setting.world.is_connected(), "there is a link at every moment");
        }
        for _ in 0..50 {
            say(&mut setting, number);
            number += 1;
        }
        setting.arrives(seconds(5), |_| true);
        assert_eq!(circuits(&setting.world, setting.signaller), 0, "nothing is left of it");
        for peer in setting.peers.clone() {
            let told =
                setting.world.events(peer).iter().filter(|(_, event)| {
                    matches!(event, taiinet_mesh::Event::PeerDisconnected { .. })
                });
            assert_eq!(told.count(), 0, "the neighbour was there all the time");
        }
        setting.sound();
    }
}

#[test]
fn many_without_direct_paths_hang_together_with_few_links_each() {
    for seed in seeds(1..2) {
        let count = 12;
        let mut setting = apart(seed, count, Relaying::default());
        let linked = setting.world.run_until(seconds(60), World::is_connected);
        assert!(linked, "{}", describe(&setting.world));
        setting.world.run_for(seconds(30));
        for number in 0..count {
            say(&mut setting, number);
        }
        setting.arrives(seconds(20), |_| true);
        for peer in setting.peers.clone() {
            let links = active(&setting.world, peer);
            assert!((1..=limits::CIRCUITS).contains(&links.len()), "{}", links.len());
        }
        setting.sound();
    }
}

#[test]
fn one_that_is_cut_off_is_carried_to_the_others_which_need_no_relay() {
    let mut world = World::new(7, WorldConfig::default());
    let signaller = world.add_signaller(relaying(Relaying::default()));
    let spec = PeerSpec::new(network(), &[signaller]);
    let peers = world.add_peers(9, &spec);
    for peer in &peers {
        world.subscribe(*peer, "{}");
    }
    // No UDP at home: a signaller is all that it reaches.
    let others = peers[1..].iter().map(|peer| taiinet_sim::Node::Peer(*peer)).collect();
    world.partition(&[vec![taiinet_sim::Node::Peer(peers[0])], others]);
    let mut setting = Setting { world, signaller, peers };
    let all = |world: &World| world.is_connected();
    assert!(setting.world.run_until(seconds(40), all), "{}", describe(&setting.world));
    let home = setting.peers[0];
    assert!(active(&setting.world, home).iter().all(|link| link.relayed));
    setting.world.run_for(seconds(60));
    let most = circuits(&setting.world, signaller);
    assert!((1..=limits::CIRCUITS).contains(&most), "{most} links are relayed");
    for peer in &setting.peers[1..] {
        let links = active(&setting.world, *peer);
        let direct = links.iter().filter(|link| !link.relayed).count();
        assert!(direct >= limits::CIRCUITS_ENOUGH, "{links:?}");
    }
    for number in 0..18 {
        say(&mut setting, number);
    }
    setting.arrives(seconds(10), |_| true);

    // Back on a network that lets everything through, it has enough direct links, and no relay.
    setting.world.heal();
    let free = |world: &World| circuits(world, signaller) == 0;
    assert!(setting.world.run_until(seconds(240), free), "{}", describe(&setting.world));
    setting.still_works();
    setting.sound();
}

#[test]
fn nothing_is_relayed_that_a_peer_or_signaller_does_not_want() {
    use SignallerRelay::{LastResort, Never};
    for (one, other, relays) in
        [(Never, LastResort, true), (Never, Never, true), (LastResort, LastResort, false)]
    {
        let mut world = World::new(3, WorldConfig { dial_failure: 1.0, ..WorldConfig::default() });
        let quotas = relays.then(Relaying::default);
        let signaller =
            world.add_signaller(DeskConfig { relaying: quotas, ..DeskConfig::default() });
        let spec = |signaller_relay| PeerSpec {
            signaller_relay,
            ..PeerSpec::new(network(), &[signaller])
        };
        let peers = [world.add_peer(spec(one)), world.add_peer(spec(other))];
        world.run_for(seconds(120));
        let status = world.desk_status(signaller).expect("it runs");
        assert_eq!((status.circuits_opened, status.circuit_bytes), (0, 0), "{one:?} {other:?}");
        assert!(!world.is_connected());
        assert_eq!(world.status(peers[0]).signallers[0].relays, relays);
        if (one, other, relays) == (Never, LastResort, true) {
            let no = Disconnect::Refused(RefusalReason::NoRelay);
            let told = world.events(peers[1]).iter().any(|(_, event)| {
                matches!(event, taiinet_mesh::Event::DialFailed { cause, .. } if *cause == no)
            });
            assert!(told, "it says no: {:?}", world.events(peers[1]));
        }
        assert_eq!(world.violations(), &[] as &[String]);
    }
}

#[test]
fn peers_that_want_nothing_else_are_linked_by_relays_alone() {
    let mut world = World::new(11, WorldConfig::default());
    let signaller = world.add_signaller(relaying(Relaying::default()));
    let spec = PeerSpec {
        signaller_relay: SignallerRelay::Only,
        ..PeerSpec::new(network(), &[signaller])
    };
    let mut peers = world.add_peers(8, &spec);
    // One that would rather be linked directly finds nobody who answers its offers.
    peers.push(world.add_peer(PeerSpec::new(network(), &[signaller])));
    for peer in &peers {
        world.subscribe(*peer, "{}");
    }
    let mut setting = Setting { world, signaller, peers };
    let linked = setting.world.run_until(seconds(3), |world| {
        world.components().first().is_some_and(|first| first.len() >= 8)
    });
    assert!(linked, "at once: {}", describe(&setting.world));
    setting.world.run_for(seconds(60));
    assert!(setting.world.is_connected(), "{}", describe(&setting.world));
    for peer in setting.peers.clone() {
        assert!(active(&setting.world, peer).iter().all(|link| link.relayed));
    }
    setting.still_works();
    setting.sound();
}

#[test]
fn a_signaller_that_goes_takes_its_links_along_and_brings_them_back() {
    let mut setting = apart(5, 4, Relaying::default());
    assert!(setting.world.run_until(seconds(20), World::is_connected));
    setting.world.crash_signaller(setting.signaller);
    let lost = |world: &World| world.components().len() == 4;
    assert!(setting.world.run_until(seconds(10), lost), "{}", describe(&setting.world));
    say(&mut setting, 1);
    setting.world.restart_signaller(setting.signaller);
    assert!(setting.world.run_until(seconds(90), World::is_connected));
    setting.arrives(seconds(20), |_| true);
    setting.sound();
}

/// What is more than a quota waits at its sender, and is not lost; nothing waits at the signaller.
#[test]
fn a_quota_slows_down_and_loses_nothing() {
    let rate = 32 * 1024;
    for quotas in [
        Relaying { bytes_per_peer: rate, ..Relaying::default() },
        Relaying { bytes_per_second: rate, ..Relaying::default() },
    ] {
        let mut setting = apart(9, 2, quotas);
        assert!(setting.world.run_until(seconds(6), World::is_connected));
        let text = "x".repeat(10_000);
        let began = setting.world.now();
        for number in 0..60 {
            let content = format!(r#"{{"number": {number}, "text": "{text}"}}"#);
            setting.world.publish(setting.peers[0], &content).expect("there is room");
        }
        setting.arrives(seconds(60), |_| true);
        let took = setting.world.now().since(began).as_secs();
        // 600 kB, of which a burst goes at once.
        assert!((9..40).contains(&took), "{took} s");
        let status = setting.world.desk_status(setting.signaller).expect("it runs");
        assert_eq!(status.circuits_opened, 1, "the link has held: {status:?}");
        setting.sound();
    }
}

/// As between two tabs of one computer: both ask at the same moment.
#[test]
fn of_two_that_ask_each_other_at_once_one_is_heard() {
    for seed in seeds(20..30) {
        let mut setting = apart(seed, 2, Relaying::default());
        setting.world.run_for(seconds(30));
        let status = setting.world.desk_status(setting.signaller).expect("it runs");
        assert_eq!(status.circuits, 1, "{status:?}");
        assert!(setting.world.is_connected());
        assert!(Audit::of(&setting.world, |_| true).is_clean());
        setting.sound();
    }
}
