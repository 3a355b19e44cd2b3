//! Devices that doze, sleep and wake: no peer is blamed, nothing is lost, and they are back soon.

use std::time::Duration;

use taiinet_identity::PeerId;
use taiinet_mesh::{Disconnect, Event, LinkState, limits};
use taiinet_sim::{Node, PeerIndex, World};

use crate::common::{Setting, describe, meshed, seconds, seeds};

/// Links lost other than by agreement, since `since`.
fn lost(world: &World, peer: PeerIndex, since: taiinet_mesh::Time) -> Vec<&Event> {
    let lost = |event: &Event| {
        matches!(event, Event::PeerDisconnected { cause, .. }
            if !matches!(cause, Disconnect::Refused(_) | Disconnect::Local))
    };
    let events = world.events(peer).iter().filter(|(at, event)| *at >= since && lost(event));
    events.map(|(_, event)| event).collect()
}

/// For so many seconds each peer in turn publishes a document a second.
fn talk(setting: &mut Setting, by: &[PeerIndex], count: usize) {
    for number in 0..count {
        let content = format!(r#"{{"number": {number}}}"#);
        setting.world.publish(by[number % by.len()], &content).expect("there is room");
        setting.world.run_for(seconds(1));
    }
}

fn doze(setting: &mut Setting, dozers: &[PeerIndex]) {
    for dozer in dozers {
        setting.world.doze(*dozer, true);
    }
    // Their timers are as late as they get.
    setting.world.run_for(seconds(61));
}

fn dozes_for_ten_minutes(seed: u64, count: usize, every: usize) {
    let mut setting = meshed(seed, count);
    setting.world.run_for(seconds(10));
    let everybody = setting.peers.clone();
    let dozers: Vec<_> = everybody.iter().copied().step_by(every).collect();
    let since = setting.world.now();
    doze(&mut setting, &dozers);
    let quiet: Vec<u64> = dozers.iter().map(|peer| setting.world.time_outs(*peer)).collect();
    // Ten minutes: with traffic, without any, and with traffic again.
    talk(&mut setting, &everybody, 120);
    setting.arrives(seconds(3), |_| true);
    setting.world.run_for(seconds(300));
    talk(&mut setting, &everybody, 120);
    setting.arrives(seconds(3), |_| true);
    for peer in &everybody {
        let lost = lost(&setting.world, *peer, since);
        assert!(lost.is_empty(), "seed {seed}: {peer:?} {lost:?}");
    }
    let rejected = setting.world.counters().rejected;
    assert!(rejected.is_empty(), "seed {seed}: {rejected:?}");
    for (dozer, before) in dozers.iter().zip(quiet) {
        let time_outs = setting.world.time_outs(*dozer) - before;
        assert!(time_outs < 40, "seed {seed}: {dozer:?} had {time_outs} time-outs in ten minutes");
    }
    setting.sound();
}

#[test]
fn dozers_keep_their_links_and_get_everything() {
    seeds(0..2).for_each(|seed| dozes_for_ten_minutes(seed, 12, 3));
}

#[test]
fn nothing_but_dozers_is_a_mesh_as_well() {
    seeds(10..11).for_each(|seed| dozes_for_ten_minutes(seed, 6, 1));
}

#[test]
fn others_route_around_a_dozer() {
    for seed in seeds(20..22) {
        let mut setting = meshed(seed, 12);
        setting.world.run_for(seconds(10));
        let dozers: Vec<_> = setting.peers.iter().copied().take(3).collect();
        doze(&mut setting, &dozers);
        let awake: Vec<_> = setting.peers.iter().copied().skip(3).collect();
        // Now and then one changes a neighbour: then it has one less for a moment.
        let has_enough = |world: &World| {
            let wakeful = |peer: &PeerIndex| {
                world.status(*peer).links.iter().filter(|link| !link.dozing).count()
            };
            awake.iter().all(|peer| wakeful(peer) >= limits::TARGET_LINKS)
        };
        let enough = setting.world.run_until(seconds(3), has_enough);
        assert!(enough, "seed {seed}: {}", describe(&setting.world));
        for peer in &awake {
            let links = setting.world.status(*peer).links;
            assert_eq!(links.iter().filter(|link| link.dozing).count(), {
                let neighbours = setting.world.neighbours(*peer);
                neighbours.iter().filter(|other| dozers.contains(other)).count()
            });
        }
        // The tree finds its new shape, then holds it.
        talk(&mut setting, &awake, 10);
        let since = setting.world.now();
        talk(&mut setting, &awake, 60);
        let names: Vec<_> = dozers.iter().map(|peer| setting.world.id(*peer)).collect();
        let deliveries = awake.iter().flat_map(|peer| setting.world.deliveries(*peer));
        let recent = deliveries.filter(|delivered| delivered.at >= since);
        let (by_dozers, by_others): (Vec<_>, Vec<_>) =
            recent.partition(|delivered| delivered.from.is_some_and(|from| names.contains(&from)));
        assert!(by_others.len() >= 60 * 8, "{}", by_others.len());
        assert!(by_dozers.len() < 12, "seed {seed}: {} came from dozers", by_dozers.len());
        // Awake again, they are neighbours like any.
        for dozer in &dozers {
            setting.world.doze(*dozer, false);
        }
        setting.world.run_for(seconds(1));
        for peer in &awake {
            assert!(setting.world.status(*peer).links.iter().all(|link| !link.dozing));
        }
        setting.still_works();
        setting.sound();
    }
}

#[test]
fn a_dozer_that_freezes_holds_nobody_up_and_comes_back() {
    for seed in seeds(30..33) {
        let mut setting = meshed(seed, 10);
        setting.world.run_for(seconds(10));
        let dozer = setting.peers[4];
        let others: Vec<_> = setting.peers.iter().copied().filter(|peer| *peer != dozer).collect();
        doze(&mut setting, &[dozer]);
        let frozen_at = setting.world.now();
        setting.world.freeze(dozer);
        let name = setting.world.id(dozer);
        let knows = |world: &World, peer: &PeerIndex| {
            let links = world.status(*peer).links;
            links.iter().any(|link| link.peer == name && link.state == LinkState::Active)
        };
        let neighbours: Vec<_> =
            others.iter().copied().filter(|peer| knows(&setting.world, peer)).collect();
        assert!(!neighbours.is_empty());
        for number in 0..180 {
            let by = others[number % others.len()];
            let id = setting.world.publish(by, "{}").expect("there is room");
            setting.world.run_for(seconds(1));
            let late = |peer: &&PeerIndex| {
                !setting.world.deliveries(**peer).iter().any(|delivered| delivered.id == id)
            };
            let late: Vec<_> = others.iter().filter(late).collect();
            if !late.is_empty() {
                let arrived = |world: &World| {
                    let has = |peer: &PeerIndex| {
                        world.deliveries(*peer).iter().any(|delivered| delivered.id == id)
                    };
                    others.iter().all(has)
                };
                assert!(setting.world.run_until(seconds(4), arrived), "seed {seed}: {number}");
            }
            let since = setting.world.now().since(frozen_at);
            let still = neighbours.iter().any(|peer| knows(&setting.world, peer));
            assert!(still || since > seconds(60), "seed {seed}: dropped after {since:?}");
            assert!(!still || since < limits::DOZE_SILENCE + seconds(5), "seed {seed}: {since:?}");
        }
        let rejected = setting.world.counters().rejected;
        assert!(rejected.is_empty(), "seed {seed}: {rejected:?}");
        // It thaws, without a word of what happened.
        setting.world.thaw(dozer);
        let back = |world: &World| world.graph()[&dozer].len() >= 2;
        assert!(setting.world.run_until(seconds(65), back), "{}", describe(&setting.world));
        let window = setting.world.now().before(limits::LIVE_WINDOW - seconds(20));
        setting.arrives(seconds(20), |published| published.at >= window);
        setting.world.doze(dozer, false);
        setting.still_works();
        setting.sound();
    }
}

/// A peer is away for a time and wakes up; `asleep`: it did not run meanwhile.
fn is_back_soon(seed: u64, count: usize, away: Duration, asleep: bool) {
    let mut setting = meshed(seed, count);
    setting.world.run_for(seconds(10));
    let sleeper = setting.peers[1];
    let others: Vec<_> = setting.peers.iter().copied().filter(|peer| *peer != sleeper).collect();
    let mut rest: Vec<Node> = others.iter().copied().map(Node::Peer).collect();
    rest.push(Node::Signaller(setting.signaller));
    let neighbours = setting.world.neighbours(sleeper);
    let old: Vec<PeerId> = neighbours.iter().map(|peer| setting.world.id(*peer)).collect();
    setting.world.partition(&[vec![Node::Peer(sleeper)], rest]);
    if asleep {
        setting.world.freeze(sleeper);
    }
    let steps = usize::try_from(away.as_millis() / 500).expect("short");
    for number in 0..steps {
        let by = others[number % others.len()];
        setting.world.publish(by, &format!(r#"{{"number": {number}}}"#)).expect("room");
        setting.world.run_for(Duration::from_millis(500));
    }
    setting.world.heal();
    setting.world.wake(sleeper);
    let woken = setting.world.now();
    // What it takes for neighbours right after the wake may be long gone.
    setting.world.run_for(limits::WAKE_PROBE + Duration::from_millis(200));
    if asleep {
        // Its old neighbours are not to blame, and may be tried again at once.
        let failed = setting.world.status(sleeper).failed;
        let blamed = |(peer, cause): &(PeerId, Disconnect)| {
            old.contains(peer) && matches!(cause, Disconnect::Silent | Disconnect::Link(_))
        };
        assert!(!failed.iter().any(blamed), "seed {seed}: {failed:?}");
    }
    let back = |world: &World| !world.graph()[&sleeper].is_empty();
    let is_back = setting.world.run_until(Duration::from_millis(2_800), back);
    assert!(is_back, "seed {seed}: {:?}\n{:?}", setting.world.status(sleeper), {
        let events = setting.world.events(sleeper).iter();
        events.filter(|(at, _)| *at >= woken).collect::<Vec<_>>()
    });
    // Those that keep the documents drop them when they are as old as the live window; when the news
    // reach the sleeper takes a moment.
    let window = woken.before(limits::LIVE_WINDOW).after(seconds(20));
    setting.arrives(seconds(10), |published| published.at >= window);
    if away < limits::SILENCE {
        let lost = lost(&setting.world, sleeper, woken);
        assert!(lost.is_empty(), "seed {seed}: it lost what it had: {lost:?}");
    }
    let rejected = setting.world.counters().rejected;
    assert!(rejected.is_empty(), "seed {seed}: {rejected:?}");
    setting.sound();
}

#[test]
fn back_within_five_seconds_after_three() {
    seeds(40..43).for_each(|seed| is_back_soon(seed, 12, seconds(3), true));
    seeds(43..45).for_each(|seed| is_back_soon(seed, 12, seconds(3), false));
}

#[test]
fn back_within_five_seconds_after_half_a_minute() {
    seeds(50..54).for_each(|seed| is_back_soon(seed, 12, seconds(30), true));
    seeds(54..58).for_each(|seed| is_back_soon(seed, 12, seconds(30), false));
}

/// Where there are only those that it lost.
#[test]
fn back_within_five_seconds_among_few() {
    seeds(90..96).for_each(|seed| is_back_soon(seed, 4, seconds(30), true));
    seeds(96..98).for_each(|seed| is_back_soon(seed, 2, seconds(30), true));
}

#[test]
fn back_within_five_seconds_after_ten_minutes() {
    seeds(60..61).for_each(|seed| is_back_soon(seed, 12, seconds(600), true));
    seeds(62..63).for_each(|seed| is_back_soon(seed, 12, seconds(600), false));
}

/// A hidden tab that was frozen and shown again: it was never told to wake, and the others were patient.
/// What they said meanwhile is read before they are judged.
#[test]
fn a_page_that_is_shown_again_does_not_take_its_own_silence_for_that_of_others() {
    for seed in seeds(70..73) {
        let mut setting = meshed(seed, 8);
        setting.world.run_for(seconds(10));
        let sleeper = setting.peers[3];
        setting.world.doze(sleeper, true);
        setting.world.run_for(seconds(1));
        setting.world.freeze(sleeper);
        setting.world.run_for(seconds(40));
        let since = setting.world.now();
        setting.world.thaw(sleeper);
        setting.world.doze(sleeper, false);
        setting.world.run_for(seconds(10));
        for peer in setting.peers.clone() {
            let lost = lost(&setting.world, peer, since);
            assert!(lost.is_empty(), "seed {seed}: {peer:?} {lost:?}");
        }
        setting.still_works();
    }
}

/// A process that was stopped, and goes on: its first time-out does not cost it a signaller that is
/// still there.
#[test]
fn a_peer_that_oversleeps_asks_before_it_judges() {
    for seed in seeds(80..83) {
        let mut setting = meshed(seed, 8);
        setting.world.run_for(seconds(10));
        let sleeper = setting.peers[3];
        setting.world.freeze(sleeper);
        setting.world.run_for(seconds(60));
        let since = setting.world.now();
        setting.world.thaw(sleeper);
        let back = |world: &World| !world.graph()[&sleeper].is_empty();
        assert!(setting.world.run_until(seconds(10), back), "{}", describe(&setting.world));
        setting.world.run_for(seconds(5));
        let lost = setting
            .world
            .events(sleeper)
            .iter()
            .any(|(at, event)| *at >= since && matches!(event, Event::SignallerLost { .. }));
        assert!(!lost, "seed {seed}: {:?}", setting.world.events(sleeper));
        setting.still_works();
        setting.sound();
    }
}

/// A peer has another address, or its router has; `told` by its system, or by silence alone. Documents go on in
/// both directions, each once, and nobody is blamed. (Here not even the signaller's system says that it knows nothing
/// of the connection.)
fn is_somewhere_else(seed: u64, count: usize, told: bool, limit: Duration) {
    let mut setting = meshed(seed, count);
    setting.world.run_for(seconds(10));
    let (moved, other) = (setting.peers[1], setting.peers[0]);
    for (number, by) in [moved, other].into_iter().enumerate() {
        setting.world.publish(by, &format!(r#"{{"before": {number}}}"#)).expect("room");
    }
    setting.world.lose_paths(moved);
    if told {
        setting.world.wake(moved);
    }
    setting.world.run_for(seconds(1));
    for (number, by) in [moved, other].into_iter().enumerate() {
        setting.world.publish(by, &format!(r#"{{"after": {number}}}"#)).expect("room");
    }
    setting.arrives(limit - seconds(1), |_| true);
    let rejected = setting.world.counters().rejected;
    assert!(rejected.is_empty(), "seed {seed}: {rejected:?}");
    setting.still_works();
    setting.sound();
}

#[test]
fn a_peer_that_moves_is_back_within_five_seconds() {
    seeds(100..104).for_each(|seed| is_somewhere_else(seed, 12, true, seconds(5)));
    seeds(104..107).for_each(|seed| is_somewhere_else(seed, 2, true, seconds(5)));
}

#[test]
fn a_peer_that_is_cut_off_and_not_told_is_back_within_seven_seconds() {
    seeds(110..114).for_each(|seed| is_somewhere_else(seed, 12, false, seconds(7)));
    seeds(114..117).for_each(|seed| is_somewhere_else(seed, 2, false, seconds(7)));
}

/// A wake by mistake (a VPN, a container) costs a ping: no link is lost or made.
#[test]
fn a_wake_for_nothing_changes_nothing() {
    for seed in seeds(120..123) {
        let mut setting = meshed(seed, 12);
        setting.world.run_for(seconds(20));
        let peer = setting.peers[1];
        let since = setting.world.now();
        for _ in 0..6 {
            setting.world.wake(peer);
            setting.world.run_for(seconds(2));
        }
        let events = setting.world.events(peer).iter().filter(|(at, _)| *at >= since);
        let changes = events.filter(|(_, event)| {
            matches!(event, Event::SignallerLost { .. })
                || matches!(event, Event::PeerDisconnected { cause, .. }
                    if !matches!(cause, Disconnect::Refused(_) | Disconnect::Local))
        });
        assert_eq!(changes.count(), 0, "seed {seed}");
    }
}
