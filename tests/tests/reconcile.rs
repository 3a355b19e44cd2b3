//! Archives that were away, in real processes: what they missed comes, and what is gone stays so.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};
use taiinet_tests::{Mesh, Peer, Signaller, generate_key};

/// An archive of everything, which says when it has reconciled.
fn seed(mesh: &Mesh, name: &str, store: &Path) -> Peer {
    let store = store.display().to_string();
    let mut command = mesh.command(&["seed", "{}", "--json", "--store", &store]);
    let peer = Peer::start(name, command.env("RUST_LOG", "taiinet=debug"));
    peer.eventually("keeps", |peer| (!peer.stdout().is_empty()).then_some(()));
    peer
}

/// Waits until it has asked the archive of another what it lacks, and got that.
fn reconciles(peer: &Peer) {
    let reconciled = |line: &String| line.contains("reconciled with the archive of");
    peer.eventually("reconciles", |peer| peer.stderr().iter().any(reconciled).then_some(()));
}

/// Runs a command of the author's to its end.
fn author(mesh: &Mesh, key: &Path, args: &[&str], lines: &str) {
    let key = key.display().to_string();
    let mut peer = mesh.run("author", &[args, &["--identity", &key]].concat());
    peer.write(lines);
    peer.end_input();
    peer.succeeds();
}

/// What a newcomer finds: each document and its id.
fn found(mesh: &Mesh) -> Vec<(Value, String)> {
    let mut finder = mesh.run("finder", &["find", "{}", "--json", "--limit", "1000"]);
    finder.succeeds();
    let parse = |line: &String| {
        let found: Value = serde_json::from_str(line).expect("JSON");
        (found["data"].clone(), found["id"].as_str().expect("an id").to_owned())
    };
    finder.stdout().iter().map(parse).collect()
}

fn documents(mesh: &Mesh) -> BTreeSet<String> {
    let found = found(mesh);
    let documents: BTreeSet<String> = found.iter().map(|(data, _)| data.to_string()).collect();
    assert_eq!(documents.len(), found.len(), "each once");
    documents
}

fn texts(documents: &[Value]) -> BTreeSet<String> {
    documents.iter().map(ToString::to_string).collect()
}

#[test]
fn an_archive_that_was_away_gets_what_it_missed_and_what_is_gone_does_not_come_back() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let folder = tempfile::tempdir().expect("a folder");
    let [key, one, other] = ["author.key", "one", "other"].map(|name| folder.path().join(name));
    generate_key(&key);

    // What both have.
    let mut a = seed(&mesh, "A", &one);
    let withdrawn: Vec<Value> = (0..3).map(|n| json!({ "withdrawn": n })).collect();
    let stays = json!({ "stays": true });
    let lines: String = withdrawn.iter().chain([&stays]).map(|line| format!("{line}\n")).collect();
    author(&mesh, &key, &["publish"], &lines);
    for name in ["replaced", "deleted"] {
        author(&mesh, &key, &["publish", "--key", name], "{\"version\":1}\n");
    }
    let before = found(&mesh);
    assert_eq!(before.len(), 6, "{before:?}");
    let mut b = seed(&mesh, "B", &other);
    reconciles(&b);
    a.kill();
    let at_b: BTreeSet<_> =
        found(&mesh).into_iter().map(|(data, id)| (data.to_string(), id)).collect();
    let at_a = before.iter().map(|(data, id)| (data.to_string(), id.clone())).collect();
    assert_eq!(at_b, at_a, "an archive that begins with nothing gets all");
    b.kill();

    // While B is away.
    let mut a = seed(&mesh, "A", &one);
    let ids = before.iter().filter(|(data, _)| withdrawn.contains(data)).map(|(_, id)| id.as_str());
    author(&mesh, &key, &["delete", "--id", &ids.collect::<Vec<_>>().join(",")], "");
    author(&mesh, &key, &["delete", "--key", "deleted"], "");
    author(&mesh, &key, &["publish", "--key", "replaced"], "{\"version\":2}\n");
    let missed: Vec<Value> = (0..150).map(|n| json!({ "missed": n })).collect();
    let lines: String = missed.iter().map(|line| format!("{line}\n")).collect();
    author(&mesh, &key, &["publish"], &lines);
    let expected = texts(&[&missed[..], &[stays, json!({ "version": 2 })]].concat());
    assert_eq!(documents(&mesh), expected);
    // What is live is forgotten; on the disk it is all the same.
    a.signal("TERM");
    a.succeeds();

    let mut a = seed(&mesh, "A", &one);
    let mut b = seed(&mesh, "B", &other);
    reconciles(&b);
    reconciles(&a);
    a.kill();
    assert_eq!(documents(&mesh), expected, "at B, which has met A");
    b.signal("TERM");
    b.succeeds();

    let _a = seed(&mesh, "A", &one);
    assert_eq!(documents(&mesh), expected, "at A, which has met B as it was");
}
