//! Documents published in one process and received by query in others.

use std::{collections::BTreeSet, process::Command};

use serde_json::{Value, json};
use taiinet_tests::{Mesh, Signaller, connected, earthquakes, generate_key, program, taiinet};

#[test]
fn documents_are_delivered_by_query_each_once() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let queries = [
        "{}",
        r#"{"magnitude":{"$gte":4.5}}"#,
        r#"{"place":{"$regex":"alaska","$options":"i"},"depth_km":{"$lt":50}}"#,
        r#"{"$or":[{"network":{"$in":["us","hv"]}},{"felt":{"$exists":true}}]}"#,
    ];
    let subscribers: Vec<_> = queries.iter().map(|query| mesh.subscribe(query, query)).collect();
    connected(&subscribers.iter().collect::<Vec<_>>());

    let file = earthquakes().display().to_string();
    mesh.run("publisher", &["publish", &file]).succeeds();

    for (query, subscriber) in queries.iter().zip(&subscribers) {
        let matching = taiinet(["match", query, &file]).output().expect("taiinet match runs");
        let matching: BTreeSet<String> = String::from_utf8_lossy(&matching.stdout)
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON").to_string())
            .collect();
        assert!(matching.len() > 50, "{query}: {}", matching.len());
        let received = subscriber.receives(matching.len());
        assert_eq!(received.len(), matching.len(), "{query}: each once");
        let received: BTreeSet<String> = received.iter().map(Value::to_string).collect();
        assert_eq!(received, matching, "{query}");
    }
}

#[test]
fn another_network_of_the_same_signaller_sees_nothing() {
    let signaller = Signaller::start();
    let (ours, theirs) = (Mesh::new(&signaller), Mesh::new(&signaller));
    let our_subscriber = ours.subscribe("ours", "{}");
    let their_subscriber = theirs.subscribe("theirs", "{}");

    let mut our_publisher = ours.publisher("our publisher");
    let mut their_publisher = theirs.publisher("their publisher");
    our_publisher.publish(&json!({ "for": "us" }));
    our_subscriber.receives_document(&json!({ "for": "us" }));
    their_publisher.publish(&json!({ "for": "them" }));
    their_subscriber.receives_document(&json!({ "for": "them" }));

    assert_eq!(our_subscriber.documents(), [json!({ "for": "us" })]);
    assert_eq!(their_subscriber.documents(), [json!({ "for": "them" })]);
    let strangers = [our_subscriber.peer_id(), our_publisher.peer_id()];
    let neighbours = their_subscriber.neighbours();
    assert!(strangers.iter().flatten().all(|id| !neighbours.contains(id)), "{neighbours:?}");
}

#[test]
fn the_author_is_the_identity_that_was_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("me.key");
    generate_key(&key);
    let key = key.display().to_string();
    let shown = Command::new(program("taiinet-keys")).args(["show", &key, "--json"]).output();
    let shown: Value = serde_json::from_slice(&shown.expect("it runs").stdout).expect("JSON");

    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let by_author = json!({ "_author": shown["peer_id"] }).to_string();
    let subscriber = mesh.subscribe("subscriber", &by_author);
    subscriber.eventually("joined", |_| subscriber.has_joined().then_some(()));
    let mut other = mesh.publisher("somebody else");
    other.publish(&json!({ "text": "not mine" }));
    let mut publisher = mesh.run("publisher", &["publish", "--identity", &key]);
    publisher.publish(&json!({ "text": "mine" }));
    publisher.end_input();
    publisher.succeeds();

    subscriber.receives(1);
    let deliveries = subscriber.deliveries();
    assert_eq!(deliveries.len(), 1, "{deliveries:?}");
    assert_eq!(deliveries[0]["author"], shown["peer_id"]);
    assert_eq!(deliveries[0]["data"], json!({ "text": "mine" }));
    let times = ["created_at", "received_at"].map(|name| deliveries[0][name].as_u64());
    assert!(times[0] > Some(1_700_000_000_000) && times[1] >= times[0], "{times:?}");
}

#[test]
fn a_count_ends_a_subscription() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let mut subscriber =
        mesh.run("subscriber", &["subscribe", r#"{"n":{"$gt":1}}"#, "--count", "2"]);
    let mut publisher = mesh.publisher("publisher");
    publisher.has_neighbour();
    for n in 0..5 {
        publisher.publish(&json!({ "n": n }));
    }
    subscriber.succeeds();
    assert_eq!(subscriber.stdout(), [r#"{"n":2}"#, r#"{"n":3}"#]);
}

#[test]
fn large_and_odd_documents_arrive_as_they_were() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let subscriber = mesh.subscribe("subscriber", "{}");
    let mut publisher = mesh.publisher("publisher");
    let documents = [
        json!({ "text": "x".repeat(200_000) }),
        json!({ "integer": i64::MAX, "small": i64::MIN, "float": 0.1, "whole": 1.0 }),
        json!({ "unicode": "ü\u{0}\u{1f30d}\u{202e}", "": "no name", "a.b": "a dot", "$x": 1 }),
        json!({ "list": [[], {}, null, true, [1, "x", { "deep": [] }]] }),
        json!({}),
    ];
    for document in &documents {
        publisher.publish(document);
    }
    let mut received = subscriber.receives(documents.len());
    let order = |value: &Value| value.to_string();
    received.sort_by_key(order);
    let mut sent = documents.to_vec();
    sent.sort_by_key(order);
    assert_eq!(received, sent);
}
