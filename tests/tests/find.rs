//! `taiinet find`: what neighbours have is found by peers that come later, in real processes.

use serde_json::{Value, json};
use taiinet_tests::{Mesh, Signaller, connected};

#[test]
fn a_peer_that_comes_late_finds_what_others_were_delivered() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let subscribers = ["one", "other"].map(|name| mesh.subscribe(name, "{}"));
    connected(&subscribers.iter().collect::<Vec<_>>());
    let mut publisher = mesh.publisher("publisher");
    for n in 0..12 {
        let document = json!({ "n": n, "even": n % 2 == 0 });
        publisher.publish(&document);
        // So that no two are of the same millisecond.
        for subscriber in &subscribers {
            subscriber.receives_document(&document);
        }
    }
    // Its author is gone; the documents are not.
    publisher.end_input();
    publisher.succeeds();

    let mut finder = mesh.run("finder", &["find", r#"{"even":true}"#, "--limit", "4"]);
    finder.succeeds();
    let found: Vec<Value> =
        finder.stdout().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let expected = [10, 8, 6, 4].map(|n| json!({ "n": n, "even": true }));
    assert_eq!(found, expected, "the newest first");

    let mut finder = mesh.run("finder", &["find", "{}", "--json"]);
    finder.succeeds();
    let delivered = subscribers[0].deliveries();
    for line in finder.stdout() {
        let found: Value = serde_json::from_str(&line).expect("JSON");
        let same = |delivery: &&Value| delivery["id"] == found["id"];
        let delivery = delivered.iter().find(same).expect("it was delivered to others");
        for field in ["data", "author", "created_at"] {
            assert_eq!(found[field], delivery[field], "{field}");
        }
    }
    assert_eq!(finder.stdout().len(), 12);

    let mut finder = mesh.run("finder", &["find", r#"{"no":"such"}"#]);
    finder.succeeds();
    assert_eq!(finder.stdout(), [""; 0]);
}

#[test]
fn without_a_neighbour_nobody_can_be_asked() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let mut finder = mesh.run("finder", &["find", "{}", "--timeout", "0.5"]);
    assert_eq!(finder.exit_code(), 1);
    assert!(finder.stderr().join("\n").contains("no neighbour"), "{:?}", finder.stderr());
}
