//! Signallers that form a pool, as real processes.

use std::time::{Duration, Instant};

use serde_json::json;
use taiinet_tests::{Mesh, Peer, Signaller, connected, eventually};

/// Three signallers, of which each knew only the one before it.
fn pool() -> [Signaller; 3] {
    let first = Signaller::start_at("127.0.0.1:0", &["--pool", "--metrics", "127.0.0.1:0"]);
    let peer_of = |other: &Signaller| {
        Signaller::start_at(
            "127.0.0.1:0",
            &["--peer", &other.named_url(), "--metrics", "127.0.0.1:0"],
        )
    };
    let second = peer_of(&first);
    let third = peer_of(&second);
    let all = [first, second, third];
    for signaller in &all {
        eventually("the pool is whole", || {
            (signaller.metric("pool_members")? == 2.0).then_some(())
        });
    }
    all
}

/// The signallers at which a peer's join holds.
fn joined(peer: &Peer) -> Vec<String> {
    let report = peer.report().unwrap_or_default();
    let signallers = report["signallers"].as_array().cloned().unwrap_or_default();
    let joined = signallers.iter().filter(|signaller| signaller["joined"] == true);
    joined.filter_map(|signaller| Some(signaller["url"].as_str()?.to_owned())).collect()
}

#[test]
fn peers_of_different_signallers_meet_and_move_on_when_theirs_is_killed() {
    let mut signallers = pool();
    let network = Mesh::new(&signallers[0]);
    // Each knows one signaller only; the others it must learn of.
    let peers: Vec<Peer> = (0..6)
        .map(|number| {
            let here = network.at(&[&signallers[number % 3]]);
            here.subscribe_with(&format!("peer {number}"), "{}", &["--links", "2,4"])
        })
        .collect();
    connected(&peers.iter().collect::<Vec<_>>());
    let mut publisher = network.at(&[&signallers[2]]).publisher("publisher");
    publisher.publish(&json!({ "n": 0 }));
    for peer in &peers {
        peer.receives_document(&json!({ "n": 0 }));
    }

    let gone = signallers[0].plain_url();
    signallers[0].kill();
    let killed = Instant::now();
    for peer in &peers {
        peer.eventually("is with another signaller", |_| {
            joined(peer).iter().any(|url| *url != gone).then_some(())
        });
    }
    assert!(killed.elapsed() < Duration::from_secs(5), "it took {:?}", killed.elapsed());
    publisher.publish(&json!({ "n": 1 }));
    for peer in &peers {
        peer.receives_document(&json!({ "n": 1 }));
    }

    // Who comes now knows the one that is gone and one that is not.
    let late = network.at(&[&signallers[0], &signallers[1]]).subscribe("late", "{}");
    late.has_neighbour();
    publisher.publish(&json!({ "n": 2 }));
    late.receives_document(&json!({ "n": 2 }));
}

#[test]
fn a_signaller_that_joins_the_pool_later_knows_the_peers_of_all() {
    let signallers = pool();
    let network = Mesh::new(&signallers[0]);
    let peers: Vec<Peer> = (0..3)
        .map(|number| network.at(&[&signallers[number]]).subscribe(&format!("peer {number}"), "{}"))
        .collect();
    connected(&peers.iter().collect::<Vec<_>>());
    let newcomer = Signaller::start_at(
        "127.0.0.1:0",
        &["--peer", &signallers[1].named_url(), "--metrics", "127.0.0.1:0"],
    );
    eventually("it knows all", || {
        (newcomer.metric("pool_members")? == 3.0 && newcomer.metric("pool_presences")? >= 3.0)
            .then_some(())
    });
    // Whoever comes by it is introduced to peers that never heard of it.
    let late = network.at(&[&newcomer]).subscribe("late", "{}");
    late.has_neighbour();
}

#[test]
fn a_key_that_is_not_the_one_of_the_address_is_no_member() {
    let [first, second, _third] = pool();
    let wrong = format!("{}#{}", first.plain_url(), second.key());
    let lonely = Signaller::start_at(
        "127.0.0.1:0",
        &["--peer", &wrong, "--metrics", "127.0.0.1:0", "--log", "debug"],
    );
    // It has tried.
    lonely.eventually("said why", |process| {
        process.stderr().iter().any(|line| line.contains("link down")).then_some(())
    });
    assert_eq!(lonely.metric("pool_members"), Some(0.0));
}

#[test]
fn a_signaller_that_asks_for_work_gets_it() {
    let signaller =
        Signaller::start_at("127.0.0.1:0", &["--join-work", "18", "--join-work-from", "0"]);
    let mesh = Mesh::new(&signaller);
    let (one, other) = (mesh.subscribe("one", "{}"), mesh.subscribe("other", "{}"));
    connected(&[&one, &other]);
}
