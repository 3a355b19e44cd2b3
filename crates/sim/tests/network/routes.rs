//! Documents in a large network: each goes to those that want it, and to few others.

use std::{collections::BTreeSet, time::Duration};

use taiinet_document::{Content, Deletion, DocumentId};
use taiinet_mesh::{Counters, PublishOptions, Spreading};
use taiinet_sim::{Audit, PeerIndex, World};

use crate::common::{Setting, seconds, started};

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
