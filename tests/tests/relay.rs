//! Links that a signaller relays between real processes.

use serde_json::{Value, json};
use taiinet_tests::{Mesh, Peer, Signaller, eventually};

const ONLY: [&str; 2] = ["--signaller-relay", "only"];

fn relaying() -> Signaller {
    Signaller::start_at("127.0.0.1:0", &["--relay", "--stun", "off", "--metrics", "127.0.0.1:0"])
}

fn links(peer: &Peer) -> Vec<Value> {
    let report = peer.report().unwrap_or_default();
    let links = report["links"].as_array().cloned().unwrap_or_default();
    links.into_iter().filter(|link| link["state"] == "active").collect()
}

#[test]
fn two_peers_that_reach_nothing_but_their_signaller_get_each_document_once() {
    let signaller = relaying();
    let mesh = Mesh::new(&signaller);
    let subscriber = mesh.subscribe_with("subscriber", "{}", &ONLY);
    let mut publisher = mesh.run("publisher", &[&["publish", "--report"], &ONLY[..]].concat());
    publisher.has_neighbour();
    let count = 300;
    for number in 0..count {
        publisher.publish(&json!({ "number": number, "text": "x".repeat(500) }));
    }
    subscriber.receives(count);
    publisher.publish(&json!({ "number": "last" }));
    subscriber.receives_document(&json!({ "number": "last" }));
    let documents = subscriber.documents();
    for number in 0..count {
        let copies = documents.iter().filter(|document| document["number"] == number).count();
        assert_eq!(copies, 1, "of number {number}");
    }
    assert_eq!(documents.len(), count + 1);

    let shown = links(&subscriber);
    assert!(shown.len() == 1 && shown[0]["relayed"] == true, "{shown:?}");
    let report = subscriber.report().expect("a report");
    assert_eq!(report["signallers"][0]["relays"], true, "{report}");
    eventually("the signaller counts", || {
        let metric = |name| signaller.metric(name).unwrap_or_default();
        let carried = metric("relayed_bytes_total") > 100_000.0;
        (carried && metric("relayed_links") >= 1.0).then_some(())
    });
    publisher.end_input();
    publisher.succeeds();
    eventually("nothing is left of the link", || {
        (signaller.metric("relayed_links")? == 0.0).then_some(())
    });
}

#[test]
fn where_no_signaller_relays_there_is_no_link_and_one_is_told_why() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let one = mesh.subscribe_with("one", "{}", &ONLY);
    let other = mesh.subscribe_with("other", "{}", &ONLY);
    eventually("both have joined", || (one.has_joined() && other.has_joined()).then_some(()));
    let report = one.report().expect("a report");
    assert_eq!(report["signallers"][0]["relays"], false, "{report}");
    // A peer that may be linked directly has its link; those two have none.
    let third = mesh.subscribe("third", "{}");
    let fourth = mesh.subscribe("fourth", "{}");
    third.has_neighbour();
    fourth.has_neighbour();
    eventually("it is told what is missing", || {
        let report = one.report()?;
        let advice = report["advice"].as_str()?;
        advice.contains("--relay").then_some(())
    });
    assert!(one.neighbours().is_empty() && other.neighbours().is_empty());
}

/// Peers that have a direct path need no relay, and ask for none.
#[test]
fn nothing_is_relayed_where_a_direct_link_can_be_had() {
    let signaller = relaying();
    let mesh = Mesh::new(&signaller);
    let peers = mesh.subscribers(4, "3");
    for peer in &peers {
        assert!(links(peer).iter().all(|link| link["relayed"] == false));
    }
    assert_eq!(signaller.metric("relayed_links_total"), Some(0.0));
}
