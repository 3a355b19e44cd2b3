//! Archives are found through the mesh by peers that have enough neighbours already.

use crate::common::{describe, network, seconds, seeds};
use taiinet_mesh::wire::Kept;
use taiinet_sim::{DeskConfig, PeerIndex, PeerSpec, World, WorldConfig};

/// Peers that have been a mesh for a while when archives come, which keep these.
fn joined_late(
    seed: u64,
    count: usize,
    kept: &[&str],
) -> (World, PeerSpec, Vec<PeerIndex>, Vec<PeerIndex>) {
    let mut world = World::new(seed, WorldConfig::default());
    let signaller = world.add_signaller(DeskConfig::default());
    let spec = PeerSpec::new(network(), &[signaller]);
    let peers = world.add_peers(count, &spec);
    assert!(world.run_until(seconds(30), World::is_connected), "{}", describe(&world));
    world.run_for(seconds(60));
    let keeps = |query: &&str| PeerSpec {
        max_links: 64,
        archive: Some(Kept { queries: vec![(*query).to_owned()], ..Kept::default() }),
        ..spec.clone()
    };
    let archives = kept.iter().map(|query| world.add_peer(keeps(query))).collect();
    (world, spec, peers, archives)
}

/// How many of these have how many of the archives as neighbours.
fn counts(world: &World, peers: &[PeerIndex], archives: &[PeerIndex]) -> Vec<usize> {
    let graph = world.graph();
    let count = |peer: &PeerIndex| archives.iter().filter(|one| graph[peer].contains(one)).count();
    peers.iter().map(count).collect()
}

#[test]
fn every_peer_is_soon_linked_to_an_archive_of_each_kind() {
    for seed in seeds(0..2) {
        let kinds = [r#"{"type":"tweet"}"#, r#"{"type":"quake"}"#];
        let (mut world, _, peers, archives) = joined_late(seed, 40, &kinds);
        let has_both =
            |world: &World| counts(world, &peers, &archives).iter().all(|count| *count == 2);
        let found = world.run_until(seconds(120), has_both);
        assert!(found, "seed {seed}: {:?}", counts(&world, &peers, &archives));
        // And it stays so, while views change at random.
        for _ in 0..6 {
            world.run_for(seconds(30));
            let counts = counts(&world, &peers, &archives);
            assert!(counts.iter().filter(|count| **count < 2).count() <= 2, "{seed}: {counts:?}");
        }
        assert!(world.is_connected(), "{}", describe(&world));
        // Nobody has more links for it than it may.
        let graph = world.graph();
        assert!(peers.iter().all(|peer| graph[peer].len() <= 10));
    }
}

#[test]
fn of_many_that_keep_the_same_two_are_enough_and_where_one_dies_another_takes_its_place() {
    // With the seed 2 a peer is full of neighbours that have others below them.
    for seed in [2, 7] {
        let (mut world, _, peers, mut archives) = joined_late(seed, 50, &["{}"; 4]);
        let two = |world: &World, archives: &[PeerIndex]| {
            counts(world, &peers, archives).iter().all(|count| *count >= 2)
        };
        let found = world.run_until(seconds(120), |world| two(world, &archives));
        assert!(found, "{seed}: {:?}", counts(&world, &peers, &archives));
        // Others are neighbours by chance, or have chosen us.
        let links: usize = counts(&world, &peers, &archives).iter().sum();
        assert!(links <= 3 * peers.len(), "{seed}: {:?}", counts(&world, &peers, &archives));
        world.crash(archives.remove(0));
        let found = world.run_until(seconds(120), |world| two(world, &archives));
        assert!(found, "{seed}: {:?}", counts(&world, &peers, &archives));
    }
}

/// How long a peer's first search takes that has just met a neighbour.
fn search(world: &mut World, spec: PeerSpec) -> (PeerIndex, core::time::Duration) {
    let late = world.add_peer(spec);
    let has_neighbour = |world: &World| !world.neighbours(late).is_empty();
    assert!(world.run_until(seconds(20), has_neighbour));
    let began = world.elapsed();
    let find = world.find(late, "{}", 10).expect("room for one");
    let ended = world.run_until(seconds(20), |world| world.found(late, find).done.is_some());
    assert!(ended, "it has not ended");
    (late, world.elapsed() - began)
}

/// A command that looks for something lives for seconds: it must not have ended before it knows who remembers.
#[test]
fn a_search_waits_until_an_archive_is_a_neighbour_and_not_where_there_is_none() {
    for seed in seeds(0..4) {
        let (mut world, spec, _, archives) = joined_late(seed, 40, &["{}"]);
        world.run_for(seconds(60));
        let (late, took) = search(&mut world, spec);
        assert!(world.neighbours(late).contains(&archives[0]), "seed {seed}: after {took:?}");
        assert!(took < seconds(4), "seed {seed}: {took:?}");

        let (mut world, spec, ..) = joined_late(seed, 40, &[]);
        let (_, took) = search(&mut world, spec);
        assert!(took < seconds(1), "seed {seed}: {took:?}, though nobody remembers");
    }
}
