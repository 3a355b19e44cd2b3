//! Documents in a large network: each goes to those that want it, and to few others.

use std::{cell::Cell, collections::BTreeSet, rc::Rc, time::Duration};

use taiinet_document::{Content, Deletion, DocumentId};
use taiinet_mesh::{
    Counters, PublishOptions, Spreading, limits,
    wire::{FromSignaller, Kept},
};
use taiinet_sim::{Audit, PeerIndex, PeerSpec, World};

use crate::common::{Setting, network, seconds, started};

/// How many peers are enough for routes.
const PEERS: usize = 90;
/// Each of them wants one topic of so many.
const TOPICS: usize = 15;

/// A large network, in which nothing was published yet.
fn large(seed: u64) -> Setting {
    let mut setting = started(seed, PEERS);
    for (number, peer) in setting.peers.clone().into_iter().enumerate() {
        setting.world.subscribe(peer, &format!(r#"{{"topic": {}}}"#, number % TOPICS));
    }
    setting.connect();
    setting
}

/// Peers publish four documents a second, by turns, on topics by turns.
fn busy(setting: &mut Setting, count: u64, from: usize) -> Vec<DocumentId> {
    let text = "x".repeat(400);
    let mut ids = Vec::new();
    for number in from.. {
        if ids.len() as u64 >= count {
            break;
        }
        let by = setting.peers[number * 7 % PEERS];
        if setting.world.is_alive(by) {
            let content = format!(r#"{{"topic": {}, "text": "{text}"}}"#, number % TOPICS);
            ids.push(setting.world.publish(by, &content).expect("there is room"));
        }
        setting.world.run_for(Duration::from_millis(250));
    }
    ids
}

fn all_route(world: &World) -> bool {
    world.alive().iter().all(|peer| world.status(*peer).spreading == Spreading::Route)
}

/// A large network that has been busy for long enough.
fn routed(seed: u64) -> Setting {
    let mut setting = large(seed);
    busy(&mut setting, 80, 0);
    assert!(setting.world.run_until(seconds(10), all_route), "they still flood");
    setting.world.run_for(seconds(3));
    setting
}

/// How many documents peers have received, for each that their applications wanted.
fn carried(world: &World, peers: &[PeerIndex]) -> u64 {
    peers.iter().map(|peer| world.status(*peer).counters.received).sum()
}

#[test]
fn documents_go_to_those_that_want_them_and_to_few_others() {
    let mut setting = routed(1);
    let since = setting.world.now();
    let before = carried(&setting.world, &setting.peers);
    busy(&mut setting, 60, 100);
    setting.arrives(seconds(10), |published| published.at >= since);
    let carried = carried(&setting.world, &setting.peers) - before;
    for peer in &setting.peers {
        let Counters { received, wanted, passed_on, delivered, .. } =
            setting.world.status(*peer).counters;
        assert!(wanted > 0 && wanted <= delivered && wanted + passed_on <= received);
    }
    let passed_on = |peer: &PeerIndex| setting.world.status(*peer).counters.passed_on;
    assert!(setting.peers.iter().map(passed_on).sum::<u64>() > 0, "somebody is on the way");
    // Six want each; one of these may be its author. All others that carry it are on its way.
    let wanted = 60 * PEERS as u64 / TOPICS as u64;
    assert!(carried < 4 * wanted, "{carried} copies for {wanted} deliveries");
    assert!(carried >= wanted - 60, "{carried} copies for {wanted} deliveries");
    setting.sound();
}

#[test]
fn the_change_from_flooding_to_routes_loses_and_doubles_nothing() {
    let mut setting = large(2);
    busy(&mut setting, 120, 0);
    setting.arrives(seconds(15), |_| true);
    assert!(all_route(&setting.world), "it never came to routes");
    // And back: nobody publishes for a while.
    let floods = |world: &World| {
        world.alive().iter().all(|peer| world.status(*peer).spreading == Spreading::Flood)
    };
    assert!(setting.world.run_until(seconds(120), floods), "it never came back");
    busy(&mut setting, 10, 200);
    setting.arrives(seconds(15), |_| true);
    setting.sound();
}

#[test]
fn who_subscribes_late_gets_what_is_published_from_then_on() {
    let mut setting = routed(3);
    let late = setting.peers[4];
    setting.world.subscribe(late, r#"{"topic": "late"}"#);
    setting.world.run_for(seconds(3));
    let since = setting.world.now();
    for by in [1, 20, 40, 60, 80] {
        setting.world.publish(setting.peers[by], r#"{"topic": "late"}"#).expect("there is room");
    }
    setting.arrives(seconds(8), |published| published.at >= since);
    assert!(setting.world.deliveries(late).iter().filter(|got| got.at >= since).count() == 5);
}

#[test]
fn documents_arrive_though_a_tenth_of_the_peers_dies_and_the_root_with_them() {
    let mut setting = routed(4);
    let root = setting.world.status(setting.peers[0]).trees[0].root;
    let root = setting.world.peer_of(&root).expect("a peer");
    let dead: BTreeSet<PeerIndex> =
        setting.peers.iter().copied().step_by(10).chain([root]).collect();
    for peer in dead {
        setting.world.crash(peer);
    }
    let since = setting.world.now();
    busy(&mut setting, 60, 300);
    setting.arrives(seconds(30), |published| published.at >= since);
    setting.sound();
}

/// The peers that a document was delivered to, for whatever subscription.
fn reached(setting: &Setting, id: DocumentId) -> BTreeSet<PeerIndex> {
    let world = &setting.world;
    let has = |peer: &PeerIndex| {
        let delivered = world.deliveries(*peer).iter().map(|got| got.id);
        delivered.chain(world.changes(*peer).iter().copied()).any(|got| got == id)
    };
    setting.peers.iter().copied().filter(has).collect()
}

fn that_want(setting: &Setting, topic: usize, but: PeerIndex) -> BTreeSet<PeerIndex> {
    let peers = setting.peers.iter().copied().enumerate();
    let wanting = peers.filter(|(number, peer)| number % TOPICS == topic && *peer != but);
    wanting.map(|(_, peer)| peer).collect()
}

#[test]
fn what_replaces_or_deletes_reaches_those_that_wanted_what_was_there() {
    let mut setting = routed(5);
    let author = setting.peers[50];
    let options = || PublishOptions { key: Some("story".into()), ..PublishOptions::default() };
    let publish = |setting: &mut Setting, topic: usize| {
        let content = format!(r#"{{"topic": {topic}}}"#);
        let id = setting.world.publish_with(author, &content, options()).expect("there is room");
        setting.world.run_for(seconds(6));
        id
    };
    // Nobody knows what its author may have said under the key before: that goes to all.
    let first = publish(&mut setting, 1);
    assert!(reached(&setting, first).is_superset(&that_want(&setting, 1, author)));
    // The next version goes to those that want it, and those that wanted the first.
    let before = carried(&setting.world, &setting.peers);
    let second = publish(&mut setting, 2);
    assert!(reached(&setting, second).is_superset(&that_want(&setting, 2, author)));
    assert!(reached(&setting, second).is_superset(&that_want(&setting, 1, author)));
    let deletion = Content::Deleted(Deletion::Key);
    let deletion = setting.world.publish_content(author, deletion, options());
    let deletion = deletion.expect("there is room");
    setting.world.run_for(seconds(6));
    assert!(reached(&setting, deletion).is_superset(&that_want(&setting, 2, author)));
    let carried = carried(&setting.world, &setting.peers) - before;
    assert!(carried < PEERS as u64, "two documents for 18 went to {carried}");
    let audit = Audit::of(&setting.world, |_| true);
    assert!(audit.missing.is_empty(), "{audit:?}");
}

// ---- Suppliers ----

/// How many of the keys that peers want a neighbour supplies, and how many keys they want.
fn supplied(world: &World) -> (usize, usize) {
    let status = world.alive().into_iter().map(|peer| world.status(peer).supply);
    status.fold((0, 0), |(supplied, wanted), supply| {
        (supplied + supply.supplied, wanted + supply.wanted)
    })
}

fn most_are_supplied(world: &World) -> bool {
    let (supplied, wanted) = supplied(world);
    2 * supplied > wanted
}

/// A large network in which peers have found suppliers.
fn supplying(seed: u64) -> Setting {
    let mut setting = routed(seed);
    busy(&mut setting, 120, 100);
    assert!(most_are_supplied(&setting.world), "{:?}", supplied(&setting.world));
    setting.arrives(seconds(10), |_| true);
    setting
}

#[test]
fn peers_that_want_the_same_find_each_other_and_supply_each_other() {
    let mut setting = supplying(6);
    let since = setting.world.now();
    let before = carried(&setting.world, &setting.peers);
    busy(&mut setting, 60, 300);
    setting.arrives(seconds(10), |published| published.at >= since);
    let carried = carried(&setting.world, &setting.peers) - before;
    let wanted = 60 * PEERS as u64 / TOPICS as u64;
    assert!(carried < 5 * wanted / 2, "{carried} copies for {wanted} deliveries");
    // The links for that are no more than there may be, and those at random are still there.
    for peer in &setting.peers {
        let status = setting.world.status(*peer);
        assert!(status.links.len() <= limits::MAX_LINKS, "{}", status.links.len());
    }
    setting.sound();
}

#[test]
fn signallers_introduce_peers_that_want_the_same_where_these_tell_them_so() {
    for introduce_by_interest in [false, true] {
        let mut setting = routed(8);
        let spec =
            PeerSpec { introduce_by_interest, ..PeerSpec::new(network(), &[setting.signaller]) };
        let pair = setting.world.add_peers(2, &spec);
        setting.connect();
        setting.world.run_for(seconds(20));
        let told = Rc::new(Cell::new(0));
        let count = Rc::clone(&told);
        let tamper = move |frame| {
            if let FromSignaller::IntroducedFor { presences, .. } = &frame {
                count.set(count.get() + presences.len());
            }
            vec![frame]
        };
        setting.world.tamper(setting.signaller, Box::new(tamper));
        for peer in &pair {
            setting.world.subscribe(*peer, r#"{"topic": "rare"}"#);
        }
        busy(&mut setting, 80, 100);
        assert_eq!(told.get() > 0, introduce_by_interest, "{told:?}");
        if introduce_by_interest {
            let supplying = |peer: &PeerIndex| setting.world.status(*peer).supply.supplying;
            assert_eq!(pair.iter().map(supplying).sum::<usize>(), 1);
            assert!(setting.world.neighbours(pair[0]).contains(&pair[1]));
        }
        setting.sound();
    }
}

#[test]
fn documents_arrive_though_suppliers_die() {
    let mut setting = supplying(7);
    let supplies = |world: &World, peer: &PeerIndex| world.status(*peer).supply.supplying > 0;
    let world = &setting.world;
    let suppliers: Vec<PeerIndex> =
        setting.peers.iter().copied().filter(|peer| supplies(world, peer)).collect();
    assert!(suppliers.len() >= 10, "{}", suppliers.len());
    for peer in suppliers.iter().step_by(2).take(8) {
        setting.world.crash(*peer);
    }
    let since = setting.world.now();
    busy(&mut setting, 60, 400);
    setting.arrives(seconds(30), |published| published.at >= since);
    setting.sound();
}

// ---- Discreet subscriptions ----

#[test]
fn who_subscribes_discreetly_gets_everything_and_is_delivered_what_it_wants() {
    let mut setting = routed(9);
    let spec = PeerSpec::new(network(), &[setting.signaller]);
    let discreet = setting.world.add_peer(spec);
    // Nobody else wants it, so that it could come for no other reason.
    let subscription = setting.world.subscribe_discreetly(discreet, r#"{"topic": "secret"}"#);
    setting.connect();
    setting.world.run_for(seconds(3));
    assert_eq!(setting.world.status(discreet).supply.wanted, 1, "one key says all");
    let publish = |setting: &mut Setting| {
        let secret = setting.peers[40];
        let secret = setting.world.publish(secret, r#"{"topic": "secret"}"#);
        let before = setting.world.status(discreet).counters;
        busy(setting, 30, 100);
        setting.world.run_for(seconds(6));
        let after = setting.world.status(discreet).counters;
        let [wanted, received] = [after.wanted - before.wanted, after.received - before.received];
        (secret.expect("there is room"), wanted, received)
    };
    let (secret, wanted, received) = publish(&mut setting);
    let delivered: Vec<DocumentId> =
        setting.world.deliveries(discreet).iter().map(|got| got.id).collect();
    assert_eq!((delivered, wanted), (vec![secret], 1));
    assert!(received >= 31, "it received {received} of 31");
    // It wants nothing any more, and carries a few for others at most.
    setting.world.unsubscribe(discreet, subscription);
    setting.world.run_for(seconds(3));
    let (_, wanted, received) = publish(&mut setting);
    assert_eq!(wanted, 0);
    assert!(received < 20, "it still received {received} of 31");
    setting.sound();
}

// ---- Archives ----

#[test]
fn an_archive_gets_all_that_it_keeps_and_what_it_has_is_not_unwanted() {
    let mut setting = large(8);
    let spec = PeerSpec::new(network(), &[setting.signaller]);
    let keeps = |query: &str| PeerSpec {
        archive: Some(Kept { queries: vec![query.to_owned()], ..Kept::default() }),
        ..spec.clone()
    };
    let one = setting.world.add_peer(keeps(r#"{"topic": 3}"#));
    let all = setting.world.add_peer(keeps("{}"));
    busy(&mut setting, 80, 0);
    assert!(setting.world.run_until(seconds(10), all_route), "they still flood");
    setting.world.run_for(seconds(3));
    let counters = |setting: &Setting, peer| setting.world.status(peer).counters;
    let before = [one, all].map(|peer| counters(&setting, peer));
    busy(&mut setting, 60, 200);
    setting.world.run_for(seconds(6));
    let after = [one, all].map(|peer| counters(&setting, peer));
    let wanted = [0, 1].map(|which| after[which].wanted - before[which].wanted);
    assert_eq!(wanted, [60 / TOPICS as u64, 60]);
    assert_eq!(after[1].unwanted(), before[1].unwanted());
}
