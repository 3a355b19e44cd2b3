//! Shared documents: an owner opens a key, others write versions under it, and the right is taken back; in real
//! processes.

use std::{collections::BTreeSet, path::PathBuf};

use serde_json::{Value, json};
use taiinet_tests::{Mesh, Peer, Signaller, generate_key};

/// One that publishes a document at a time, as a peer with a key.
struct Author<'a> {
    mesh: &'a Mesh,
    name: &'a str,
    key: PathBuf,
}

impl<'a> Author<'a> {
    fn new(mesh: &'a Mesh, name: &'a str, folder: &tempfile::TempDir) -> Self {
        let key = folder.path().join(format!("{name}.key"));
        generate_key(&key);
        Self { mesh, name, key }
    }

    fn runs(&self, args: &[&str], input: Option<Value>) -> Value {
        let key = self.key.display().to_string();
        let mut peer = self.mesh.run(self.name, &[args, &["--json", "--identity", &key]].concat());
        if let Some(document) = input {
            peer.publish(&document);
            peer.end_input();
        }
        peer.succeeds();
        serde_json::from_str(peer.stdout().last().expect("a summary")).expect("JSON")
    }

    /// Publishes it under the key `list`.
    fn publishes(&self, n: u32, args: &[&str]) -> Value {
        self.runs(&[&["publish", "--key", "list"], args].concat(), Some(json!({ "n": n })))
    }

    /// Its name.
    fn id(&self) -> String {
        let other = self.runs(&["publish"], Some(json!({ "hello": self.name })));
        other["peer_id"].as_str().expect("a name").to_owned()
    }
}

/// The lines of a subscriber's that are documents under a key.
fn versions(subscriber: &Peer) -> Vec<Value> {
    let all = subscriber.deliveries();
    all.into_iter().filter(|line| line["key"] == "list").collect()
}

fn version(subscriber: &Peer, n: u32) -> Value {
    subscriber.receives_document(&json!({ "n": n }));
    let all = versions(subscriber);
    all.into_iter().find(|version| version["data"]["n"] == n).expect("it was just there")
}

#[test]
fn a_key_is_opened_written_under_and_closed_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let subscriber = mesh.subscribe("subscriber", "{}");
    let watcher = mesh.run("watcher", &["watch", r#"{"n":{"$exists":true}}"#, "--json"]);
    let [ann, bob] = ["ann", "bob"].map(|name| Author::new(&mesh, name, &folder));
    let [ann_id, bob_id] = [&ann, &bob].map(Author::id);
    let found = || {
        let mut finder = mesh.run("finder", &["find", r#"{"n":{"$exists":true}}"#, "--json"]);
        finder.succeeds();
        let lines = finder.stdout();
        let lines = lines.iter().map(|line| serde_json::from_str(line).expect("JSON"));
        let lines = lines.filter(|line: &Value| line["data"].is_object());
        lines.map(|line| line["data"]["n"].as_u64().expect("a number")).collect::<BTreeSet<_>>()
    };

    // Nobody has let Bob write: his is a document of its own.
    bob.publishes(1, &["--of", &ann_id]);
    let his = version(&subscriber, 1);
    assert_eq!((&his["author"], &his["owner"]), (&json!(bob_id), &json!(ann_id)));

    ann.publishes(2, &["--writers", &bob_id]);
    let opened = version(&subscriber, 2);
    assert_eq!(opened["writers"], json!([bob_id]));
    assert_eq!(opened["owner"], Value::Null, "she is its author");

    bob.publishes(3, &["--of", &ann_id]);
    let written = version(&subscriber, 3);
    assert_eq!((&written["author"], &written["owner"]), (&json!(bob_id), &json!(ann_id)));
    assert_eq!(written["replaces"], opened["id"], "it is a version of hers");
    assert!(written["created_at"].as_u64() > opened["created_at"].as_u64());
    watcher.eventually("an update of the list", |watcher| {
        let lines = watcher.stdout();
        let mut lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.any(|line| line["update"]["data"]["n"] == 3).then_some(())
    });
    assert_eq!(found(), [3].into(), "the newest counts");

    // The right is taken back, and with it the document is what the same version says.
    ann.publishes(4, &[]);
    let closed = version(&subscriber, 4);
    assert_eq!((&closed["replaces"], &closed["writers"]), (&written["id"], &Value::Null));
    bob.publishes(5, &["--of", &ann_id]);
    assert_eq!(version(&subscriber, 5)["replaces"], Value::Null, "a document of its own");
    assert_eq!(found(), [4, 5].into());

    // Nor can he delete hers. Where she lets everyone, he can.
    bob.runs(&["delete", "--key", "list", "--of", &ann_id], None);
    ann.publishes(6, &["--writers", "anyone"]);
    let anyone = version(&subscriber, 6);
    assert_eq!((&anyone["replaces"], &anyone["writers"]), (&closed["id"], &json!("anyone")));
    assert_eq!(found(), [6].into());
    bob.runs(&["delete", "--key", "list", "--of", &ann_id], None);
    subscriber.eventually("the list is deleted", |subscriber| {
        let lines = subscriber.stdout();
        let mut lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let is_gone = |line: Value| {
            line["removed"]["id"] == anyone["id"] && line["removed"]["reason"] == "deleted"
        };
        lines.any(is_gone).then_some(())
    });
    assert_eq!(found(), [].into());
}
