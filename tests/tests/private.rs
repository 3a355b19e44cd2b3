//! Private messages between real processes.

use std::process::Command;

use serde_json::{Value, json};
use taiinet_tests::{
    Mesh, Peer, Signaller, connected, eventually, generate_key, memory_holds, program,
};

/// Bytes that are nowhere but in a private document, in pieces so that they are not in this program's
/// arguments to others.
fn secret(n: u32) -> String {
    format!("{}-{}-{n:05}", "attack", "at-dawn".repeat(3))
}

fn holds(process_id: u32, text: &str) -> bool {
    memory_holds(process_id, text.as_bytes()).expect("the memory of a child can be read")
}

/// Publishes, and says how it ended.
fn publish(mesh: &Mesh, args: &[&str], document: &Value) -> Peer {
    let mut publisher = mesh.run("publisher", &[&["publish"], args].concat());
    publisher.write(&format!("{document}\n"));
    publisher.end_input();
    publisher
}

#[test]
fn a_private_message_is_read_by_its_recipient_and_is_in_the_memory_of_nobody_else() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let query = r#"{"type": "order"}"#;
    let reader = mesh.subscribe_with("reader", query, &["--private"]);
    // All others take whatever is open, and pass on the rest.
    let relays: Vec<Peer> = (0..3).map(|n| mesh.subscribe(&format!("relay {n}"), "{}")).collect();
    connected(&relays.iter().chain([&reader]).collect::<Vec<_>>());

    let document = json!({ "type": "order", "text": secret(1) });
    publish(&mesh, &["--private", "--public", "type"], &document).succeeds();
    reader.receives_document(&document);
    let open = json!({ "type": "order", "text": "anybody may know" });
    publish(&mesh, &[], &open).succeeds();
    for relay in &relays {
        relay.receives_document(&open);
        assert_eq!(relay.documents(), std::slice::from_ref(&open), "nothing of the other");
    }
    reader.receives_document(&open);
    let privacy: Vec<Value> =
        reader.deliveries().into_iter().map(|mut delivery| delivery["privacy"].take()).collect();
    assert_eq!(privacy, [json!("forward-secret"), Value::Null]);

    for relay in &relays {
        assert!(holds(relay.id(), "anybody may know"), "it would be found where it was");
        assert!(!holds(relay.id(), &secret(1)));
    }
    assert!(!holds(signaller.id(), &secret(1)));
}

#[test]
fn a_message_to_a_name_reaches_a_peer_that_subscribed_to_what_is_open() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("me.key");
    generate_key(&key);
    let key = key.display().to_string();
    let shown = Command::new(program("taiinet-keys")).args(["show", &key, "--json"]).output();
    let shown: Value = serde_json::from_slice(&shown.expect("it runs").stdout).expect("JSON");
    let me = shown["peer_id"].as_str().expect("a name").to_owned();

    let reader = mesh.subscribe_with("reader", "{}", &["--identity", &key]);
    let other = mesh.subscribe("other", "{}");
    connected(&[&reader, &other]);
    let document = json!({ "text": secret(2) });
    publish(&mesh, &["--to", &me], &document).succeeds();
    reader.receives_document(&document);
    assert_eq!(reader.deliveries()[0]["privacy"], "sealed");
    publish(&mesh, &[], &json!({ "n": 1 })).succeeds();
    other.receives_document(&json!({ "n": 1 }));
    assert_eq!(other.documents(), [json!({ "n": 1 })]);
}

#[test]
fn without_anybody_to_seal_to_it_says_so_and_publishes_nothing() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let other = mesh.subscribe("other", "{}");
    other.eventually("joined", |_| other.has_joined().then_some(()));
    let mut publisher =
        publish(&mesh, &["--private", "--wait", "1"], &json!({ "text": secret(3) }));
    assert_eq!(publisher.exit_code(), 1);
    let said = publisher.stderr().join("\n");
    assert!(said.contains("no peer is known that subscribed privately"), "{said}");
    let usage = publish(&mesh, &["--public", "type"], &json!({})).exit_code();
    assert_eq!(usage, 2, "there is nothing to be public of what is open");
    assert_eq!(other.documents(), [] as [Value; 0]);
}

#[test]
fn when_the_subscription_has_ended_nobody_can_be_written_to() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let mut reader = mesh.subscribe_with("reader", "{}", &["--private"]);
    let other = mesh.subscribe("other", "{}");
    connected(&[&reader, &other]);
    publish(&mesh, &["--private"], &json!({ "text": secret(4) })).succeeds();
    reader.receives(1);
    reader.signal("INT");
    eventually("it ended", || (!reader.is_running()).then_some(()));
    let mut late = publish(&mesh, &["--private", "--wait", "1"], &json!({ "text": secret(5) }));
    assert_eq!(late.exit_code(), 1, "{:?}", late.stderr());
}
