//! Signallers that form a pool.

use std::collections::BTreeSet;

use taiinet_mesh::{Direct, Event, SignallerAddress};
use taiinet_sim::{Node, PeerIndex, PeerSpec, SignallerIndex, World, WorldConfig};

use crate::common::{describe, network, seconds, seeds};

/// A pool of so many, each of which knew only one that was there before.
fn pool(seed: u64, count: usize) -> (World, Vec<SignallerIndex>) {
    let mut world = World::new(seed, WorldConfig::default());
    let mut members = Vec::new();
    for number in 0..count {
        let known: Vec<_> = members.get(number / 2).copied().into_iter().collect();
        members.push(world.add_member(&known));
    }
    let all = members.clone();
    let linked = world.run_until(seconds(10), |world| {
        all.iter().all(|member| linked(world, *member) == count - 1)
    });
    assert!(
        linked,
        "{:?}",
        members.iter().map(|member| world.desk_status(*member)).collect::<Vec<_>>()
    );
    (world, members)
}

fn linked(world: &World, member: SignallerIndex) -> usize {
    world.desk_status(member).map_or(0, |status| status.members)
}

fn known(world: &World, member: SignallerIndex) -> usize {
    world.desk_status(member).map_or(0, |status| status.joined + status.remote)
}

/// Peers that know one signaller each, in turn.
fn spread(world: &mut World, members: &[SignallerIndex], count: usize) -> Vec<PeerIndex> {
    let spec = |at: usize| PeerSpec::new(network(), &[members[at % members.len()]]);
    let peers: Vec<_> = (0..count).map(|number| world.add_peer(spec(number))).collect();
    for peer in &peers {
        world.subscribe(*peer, "{}");
    }
    peers
}

fn sound(world: &World) {
    assert_eq!(world.violations(), &[] as &[String]);
}

#[test]
fn members_find_each_other_from_any_first_acquaintance() {
    for (seed, count) in seeds(0..3).zip([3, 8, 20]) {
        let (world, _) = pool(seed, count);
        sound(&world);
    }
}

#[test]
fn peers_of_different_signallers_are_introduced_and_negotiate_across_the_pool() {
    for seed in seeds(10..13) {
        let (mut world, members) = pool(seed, 3);
        // One at the first, one at the last, which never turn to any other: they are told of none.
        for member in &members {
            let only_here = |frame| match frame {
                taiinet_mesh::wire::FromSignaller::Signallers(_) => Vec::new(),
                frame => vec![frame],
            };
            world.tamper(*member, Box::new(only_here));
        }
        let peers = spread(&mut world, &[members[0], members[2]], 2);
        assert!(world.run_until(seconds(10), World::is_connected), "{}", describe(&world));
        assert_eq!(world.neighbours(peers[0]), BTreeSet::from([peers[1]]));
        let relayed: u64 = members
            .iter()
            .filter_map(|member| world.desk_status(*member))
            .map(|status| status.relayed)
            .sum();
        assert!(relayed >= 2, "an offer and an answer at least: {relayed}");
        let refused: Vec<_> = members
            .iter()
            .filter_map(|member| world.desk_status(*member))
            .filter(|status| !status.refused_of_pool.is_empty())
            .collect();
        assert!(refused.is_empty(), "{refused:?}");
        sound(&world);
    }
}

#[test]
fn a_peer_learns_of_the_other_signallers_and_is_with_one_of_them_soon_after_its_own_died() {
    for seed in seeds(20..23) {
        let (mut world, members) = pool(seed, 3);
        let peers = spread(&mut world, &members, 9);
        assert!(world.run_until(seconds(20), World::is_connected), "{}", describe(&world));
        for peer in &peers {
            let learned = world
                .events(*peer)
                .iter()
                .filter(|(_, event)| matches!(event, Event::SignallerLearned { .. }))
                .count();
            assert_eq!(learned, 2, "of both others");
        }
        world.run_for(seconds(20));
        for victim in 0..3 {
            let before = world.now();
            let links = world.graph();
            world.crash_signaller(members[victim]);
            let joined = |world: &World| {
                peers.iter().all(|peer| {
                    world.status(*peer).signallers.iter().any(|signaller| signaller.joined)
                })
            };
            assert!(world.run_until(seconds(5), joined), "seed {seed}: without {victim}");
            world.run_for(seconds(5));
            let lost = |peer: &PeerIndex| {
                world.events(*peer).iter().any(|(at, event)| *at >= before && matches!(event, Event::PeerDisconnected { cause, .. } if !matches!(cause, taiinet_mesh::Disconnect::Refused(_))))
            };
            assert!(!peers.iter().any(lost), "no link was lost over it");
            assert!(world.is_connected() && !links.is_empty());
            world.restart_signaller(members[victim]);
            let all = members.clone();
            assert!(
                world.run_until(seconds(30), |world| all
                    .iter()
                    .all(|member| linked(world, *member) == 2)),
                "it is back in the pool"
            );
        }
        sound(&world);
    }
}

#[test]
fn a_new_member_knows_all_peers_within_seconds() {
    let (mut world, members) = pool(30, 3);
    spread(&mut world, &members, 30);
    world.run_for(seconds(30));
    let everybody = known(&world, members[0]);
    assert!(everybody >= 30);
    let newcomer = world.add_member(&[members[2]]);
    assert!(
        world.run_until(seconds(3), |world| known(world, newcomer) >= everybody),
        "{} of {everybody}",
        known(&world, newcomer)
    );
    sound(&world);
}

#[test]
fn a_member_that_has_left_is_forgotten_by_all() {
    let (mut world, members) = pool(31, 3);
    let peers = spread(&mut world, &members, 6);
    world.run_for(seconds(10));
    for peer in &peers[1..] {
        world.leave(*peer);
    }
    world.run_for(seconds(1));
    // A newcomer to the network is introduced to the one that is left and no other.
    let late = world.add_peer(PeerSpec::new(network(), &[members[1]]));
    world.run_for(seconds(5));
    assert_eq!(world.neighbours(late), BTreeSet::from([peers[0]]));
    let tried =
        world.events(late).iter().any(|(_, event)| matches!(event, Event::DialFailed { .. }));
    assert!(!tried, "{:?}", world.events(late));
    sound(&world);
}

#[test]
fn a_divided_pool_grows_together_again() {
    for seed in seeds(40..42) {
        let (mut world, members) = pool(seed, 4);
        let (left, right) = (vec![members[0], members[1]], vec![members[2], members[3]]);
        let mut groups: Vec<Vec<Node>> = [&left, &right]
            .map(|side| side.iter().map(|member| Node::Signaller(*member)).collect())
            .to_vec();
        world.partition(&groups);
        world.run_for(seconds(30));
        assert!(members.iter().all(|member| linked(&world, *member) == 1));
        // Peers come on both sides meanwhile.
        for (side, group) in [&left, &right].into_iter().zip(&mut groups) {
            let spec = PeerSpec::new(network(), side);
            group.extend(world.add_peers(3, &spec).into_iter().map(Node::Peer));
        }
        world.partition(&groups);
        world.run_for(seconds(20));
        assert_eq!(world.components().len(), 2, "{}", describe(&world));
        world.heal();
        let whole = |world: &World| members.iter().all(|member| linked(world, *member) == 3);
        assert!(
            world.run_until(seconds(60), whole),
            "{:?}",
            members.iter().map(|member| linked(&world, *member)).collect::<Vec<_>>()
        );
        assert!(world.run_until(seconds(60), World::is_connected), "{}", describe(&world));
        sound(&world);
    }
}

#[test]
fn a_signaller_not_on_the_list_or_not_of_the_key_in_the_address_is_no_member() {
    let mut world = World::new(50, WorldConfig::default());
    let friend = world.add_member(&[]);
    let friend_id = world.signaller_id(friend);
    let picky = world
        .add_member_as(Direct { allowed: Some(BTreeSet::from([friend_id])), ..Direct::default() });
    let stranger = world.add_member(&[picky]);
    let address = |pinned| SignallerAddress { url: picky.url(), pinned: Some(pinned) };
    // It looks for the friend where the picky one is.
    let misled =
        world.add_member_as(Direct { seeds: vec![address(friend_id)], ..Direct::default() });
    world.run_for(seconds(30));
    for lonely in [stranger, misled, friend] {
        assert_eq!(linked(&world, lonely), 0, "{lonely:?}");
    }
    // Nor does it take an open one for the friend.
    let open = world.add_member(&[]);
    let seeds = vec![SignallerAddress { url: open.url(), pinned: Some(friend_id) }];
    let looking = world.add_member_as(Direct { seeds, ..Direct::default() });
    world.run_for(seconds(10));
    assert_eq!((linked(&world, looking), linked(&world, open)), (0, 0));
    let welcome = world.add_member_as(Direct {
        seeds: vec![address(world.signaller_id(picky))],
        ..Direct::default()
    });
    world.run_for(seconds(10));
    assert_eq!(linked(&world, welcome), 0, "it is not on the list either");
    sound(&world);
}

#[test]
fn a_pool_of_one_serves_as_if_it_were_alone() {
    let mut world = World::new(51, WorldConfig::default());
    let alone = world.add_member(&[]);
    spread(&mut world, &[alone], 10);
    assert!(world.run_until(seconds(20), World::is_connected), "{}", describe(&world));
    sound(&world);
}
