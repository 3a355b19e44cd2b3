//! The rooted trees: one root that all follow, whatever becomes of it, and receipts for what is published.

use std::collections::BTreeSet;

use taiinet_identity::PeerId;
use taiinet_mesh::{Event, TreeStatus};
use taiinet_sim::{Node, PeerIndex, PeerSpec, World};

use crate::common::{Setting, meshed, network, seconds, started};

/// The place of a peer in the first of the trees; in the other it is the same.
fn tree(world: &World, peer: PeerIndex) -> Option<TreeStatus> {
    world.status(peer).trees.into_iter().find(|tree| tree.slot == 0)
}

/// The roots that the living follow, those of peers without a root left out.
fn roots(world: &World) -> BTreeSet<PeerId> {
    let alive = world.alive().into_iter();
    alive.filter_map(|peer| tree(world, peer)).map(|tree| tree.root).collect()
}

/// Whether all of the living follow the same living root, each but the root with a parent.
fn agree(world: &World) -> bool {
    let mut root = None;
    world.alive().into_iter().all(|peer| {
        let Some(tree) = tree(world, peer) else { return false };
        let is_root = tree.root == world.id(peer);
        let same = *root.get_or_insert(tree.root) == tree.root;
        same && (is_root || tree.parent.is_some())
            && world.peer_of(&tree.root).is_some_and(|root| world.is_alive(root))
    })
}

fn size(world: &World, peer: PeerIndex) -> u32 {
    tree(world, peer).map_or(0, |tree| tree.peers)
}

fn named(world: &World, peer: PeerIndex) -> usize {
    world.events(peer).iter().filter(|(_, event)| matches!(event, Event::Named { .. })).count()
}

#[test]
fn all_follow_one_root_that_knows_how_many_they_are() {
    let Setting { mut world, peers, .. } = meshed(1, 60);
    assert!(world.run_until(seconds(15), agree), "roots: {:?}", roots(&world));
    let all_counted = |world: &World| peers.iter().all(|peer| size(world, *peer) == 60);
    assert!(world.run_until(seconds(40), all_counted), "{}", size(&world, peers[0]));
    assert_eq!(world.violations(), &[] as &[String]);
}

#[test]
fn authors_hear_that_the_network_has_what_they_published() {
    let Setting { mut world, peers, .. } = meshed(2, 40);
    assert!(world.run_until(seconds(15), agree));
    for peer in &peers {
        world.publish(*peer, r#"{"n": 1}"#).expect("there is room");
    }
    let told = |world: &World| peers.iter().all(|peer| named(world, *peer) == 1);
    assert!(world.run_until(seconds(5), told));
    world.run_for(seconds(10));
    assert!(told(&world), "each once");
    assert_eq!(world.violations(), &[] as &[String]);
}

/// One of two alone, whose network is as small as one can be: whoever of them becomes its root names what waited.
#[test]
fn what_waited_long_for_a_neighbour_is_named_when_one_has_come() {
    for seed in 10..14 {
        let Setting { mut world, signaller, peers } = started(seed, 1);
        world.subscribe(peers[0], "{}");
        for _ in 0..4 {
            world.publish(peers[0], r#"{"n": 1}"#).expect("there is room");
            world.run_for(seconds(40));
        }
        assert_eq!(named(&world, peers[0]), 0, "there is no network yet");
        let second = world.add_peer(PeerSpec::new(network(), &[signaller]));
        world.subscribe(second, "{}");
        assert!(world.run_until(seconds(60), agree), "roots: {:?}", roots(&world));
        assert!(world.run_until(seconds(6), |world| named(world, peers[0]) == 4), "seed {seed}");
    }
}

#[test]
fn another_root_takes_over_and_names_what_was_published_meanwhile() {
    let Setting { mut world, peers, .. } = meshed(3, 40);
    assert!(world.run_until(seconds(15), agree));
    let first = *roots(&world).first().expect("one");
    let root = world.peer_of(&first).expect("a peer");
    world.crash(root);
    let author = peers.iter().copied().find(|peer| *peer != root).expect("another");
    for _ in 0..20 {
        world.publish(author, r#"{"n": 1}"#).expect("there is room");
        world.run_for(seconds(1));
    }
    let moved = |world: &World| agree(world) && !roots(world).contains(&first);
    assert!(world.run_until(seconds(20), moved), "roots: {:?}", roots(&world));
    assert!(world.run_until(seconds(10), |world| named(world, author) == 20));
    // It comes back, and is one of them: sooner or later it may be root again, but there is one.
    world.restart(root);
    world.run_for(seconds(40));
    assert!(world.run_until(seconds(6), agree), "roots: {:?}", roots(&world));
    assert_eq!(world.violations(), &[] as &[String]);
}

#[test]
fn a_root_that_leaves_is_replaced_without_a_word_from_anyone_else() {
    let Setting { mut world, .. } = meshed(4, 20);
    assert!(world.run_until(seconds(15), agree));
    let first = *roots(&world).first().expect("one");
    world.leave(world.peer_of(&first).expect("a peer"));
    let moved = |world: &World| agree(world) && !roots(world).contains(&first);
    assert!(world.run_until(seconds(25), moved), "roots: {:?}", roots(&world));
}

/// Two parts have a root each; when they meet, the better ranked stays.
#[test]
fn parts_that_meet_again_have_one_root() {
    let Setting { mut world, peers, .. } = meshed(5, 40);
    assert!(world.run_until(seconds(15), agree));
    let half = |from: usize| peers[from..from + 20].iter().map(|peer| Node::from(*peer)).collect();
    world.partition(&[half(0), half(20)]);
    let apart = |world: &World| roots(world).len() == 2;
    assert!(world.run_until(seconds(60), apart), "roots: {:?}", roots(&world));
    world.run_for(seconds(20));
    world.heal();
    assert!(world.run_until(seconds(120), agree), "roots: {:?}", roots(&world));
}
