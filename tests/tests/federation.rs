//! Signallers that form a pool, as real processes.

use std::time::{Duration, Instant};

use serde_json::json;
use taiinet_tests::{Mesh, Peer, Signaller, connected, eventually, generate_key};

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

    // A peer that comes now knows the one that is gone and one that is not.
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
    // A peer that comes by it is introduced to peers that never heard of it.
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

/// Each of three in its turn: no link is lost over it.
#[test]
fn the_end_of_no_signaller_ends_a_link() {
    for victim in 0..3 {
        let mut signallers = pool();
        let network = Mesh::new(&signallers[0]);
        let peers: Vec<Peer> = (0..6)
            .map(|number| {
                let here = network.at(&[&signallers[number % 3]]);
                // Each is to be linked to each, so that no peer has a reason to change a neighbour.
                here.subscribe_with(&format!("peer {number}"), "{}", &["--links", "5,10"])
            })
            .collect();
        for peer in &peers {
            peer.eventually("is linked to all", |_| (peer.neighbours().len() == 5).then_some(()));
        }
        let gone = signallers[victim].plain_url();
        signallers[victim].kill();
        let killed = Instant::now();
        for peer in &peers {
            peer.eventually("is with another signaller", |_| {
                joined(peer).iter().any(|url| *url != gone).then_some(())
            });
        }
        assert!(killed.elapsed() < Duration::from_secs(5), "it took {:?}", killed.elapsed());
        // Longer than silence goes unnoticed.
        while killed.elapsed() < Duration::from_secs(9) {
            for peer in &peers {
                assert_eq!(peer.neighbours().len(), 5, "without signaller {victim}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Members that are named, over TLS with an authority of their own; and one that is not.
#[test]
fn a_pool_over_tls_lets_in_those_that_are_named_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("signed");
    std::fs::write(path("cert.pem"), certificate.pem()).expect("written");
    std::fs::write(path("key.pem"), key.serialize_pem()).expect("written");
    let names = ["one", "two", "stranger"];
    for name in names {
        generate_key(&folder.path().join(name));
    }
    let start = |name: &str, args: &[&str]| {
        let (identity, cert, key) = (path(name), path("cert.pem"), path("key.pem"));
        let tls = ["--identity", &identity, "--tls-cert", &cert, "--tls-key", &key];
        let watched = ["--metrics", "127.0.0.1:0", "--log", "debug"];
        Signaller::start_at("127.0.0.1:0", &[&tls[..], &watched[..], args].concat())
    };
    // The keys of each: a first start says them.
    let keys = names.map(|name| start(name, &[]).key().to_owned());
    let ca = path("cert.pem");
    let named = ["--allow-member", &keys[0], "--allow-member", &keys[1], "--pool-ca", &ca];
    let one = start("one", &[&["--pool"][..], &named[..]].concat());
    let url = one.named_url();
    assert!(url.starts_with("wss://"), "{url}");
    let two = start("two", &[&["--peer", &url][..], &named[..]].concat());
    for member in [&one, &two] {
        // Each counts the other in its own time.
        eventually("the two are a pool", || (member.metric("pool_members")? == 1.0).then_some(()));
    }
    let stranger = start("stranger", &["--peer", &url, "--pool-ca", &ca]);
    // Without the authority there is no TLS, whatever the key.
    let distrustful = start("two", &["--peer", &url]);
    for outside in [&stranger, &distrustful] {
        outside.eventually("has tried", |process| {
            process.stderr().iter().any(|line| line.contains("link down")).then_some(())
        });
        assert_eq!(outside.metric("pool_members"), Some(0.0));
    }
    assert_eq!(one.metric("pool_members"), Some(1.0));
}

/// What a peer learnt of the pool it knows in its next run, when the one that told it is gone.
#[test]
fn signallers_that_were_learnt_are_remembered() {
    let mut signallers = pool();
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("me.key");
    generate_key(&key);
    let file = folder.path().join("me.key.signallers");
    let key = key.display().to_string();
    let network = Mesh::new(&signallers[0]);
    {
        let first = network.subscribe_with("first run", "{}", &["--identity", &key]);
        first.eventually("learns of the others", |_| {
            let text = std::fs::read_to_string(&file).ok()?;
            (text.lines().count() >= 2).then_some(())
        });
    }
    signallers[0].kill();
    let again = network.subscribe_with("second run", "{}", &["--identity", &key]);
    again.eventually("joins one that it was told of", |_| again.has_joined().then_some(()));
}
