//! `taiinet blacklist`: a peer that is added by hand gets no link, and nothing of its own is taken.

use std::{fs, process::Command};

use serde_json::{Value, json};
use taiinet_tests::{Mesh, Process, Signaller, connected, generate_key, program, taiinet};

/// The exit code, stdout and stderr of a command.
fn run(args: &[&str]) -> (i32, String, String) {
    let mut process = Process::start("taiinet", &mut taiinet(args));
    process.end_input();
    (process.exit_code(), process.stdout().join("\n"), process.stderr().join("\n"))
}

fn listed(list: &str) -> Vec<Value> {
    let (code, out, said) = run(&["blacklist", "list", "--json", "--blacklist", list]);
    assert_eq!(code, 0, "{said}");
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_listed_peer_gets_no_link_until_it_is_unblocked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (key, list) = (path("bad.key"), path("black.json"));
    generate_key(key.as_ref());
    let shown = Command::new(program("taiinet-keys")).args(["show", &key, "--json"]).output();
    let shown: Value = serde_json::from_slice(&shown.expect("it runs").stdout).expect("JSON");
    let bad_id = shown["peer_id"].as_str().expect("a name").to_owned();

    let (code, _, said) = run(&["blacklist", "add", &bad_id, "--blacklist", &list]);
    assert_eq!(code, 0, "{said}");
    let on_it = listed(&list);
    assert_eq!(on_it.len(), 1, "{on_it:?}");
    assert_eq!((&on_it[0]["peer"], &on_it[0]["until"]), (&json!(bad_id), &Value::Null));

    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let ours = mesh.subscribe_with("ours", "{}", &["--blacklist", &list]);
    let between = mesh.subscribe("between", "{}");
    let mut bad = mesh.run("bad", &["publish", "--identity", &key, "--report"]);
    connected(&[&ours, &between, &bad]);
    let mut other = mesh.publisher("somebody else");
    bad.publish(&json!({ "by": "bad" }));
    between.receives_document(&json!({ "by": "bad" }));
    other.publish(&json!({ "by": "another" }));
    ours.receives_document(&json!({ "by": "another" }));
    assert_eq!(ours.documents(), [json!({ "by": "another" })]);
    assert!(!ours.neighbours().contains(&bad_id), "{:?}", ours.neighbours());
    let shown = ours.report().expect("a report")["blacklist"].clone();
    assert_eq!(shown[0]["peer"], json!(bad_id), "{shown}");
    drop((ours, between, other));

    // Without it there would be a link: it reads the list when it starts.
    let (code, _, said) = run(&["blacklist", "unblock", &bad_id, "--blacklist", &list]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(listed(&list), Vec::<Value>::new());
    let mut peers =
        mesh.run("peers", &["peers", "--once", "--json", "--wait", "60", "--blacklist", &list]);
    peers.succeeds();
    let status: Value = serde_json::from_str(&peers.stdout().join("")).expect("JSON");
    assert_eq!(status["links"][0]["peer"], json!(bad_id), "{status}");
}

#[test]
fn the_list_is_beside_the_key_file_and_ends_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("me.key").display().to_string();
    generate_key(key.as_ref());
    let peer = "tn1";
    let (code, _, said) = run(&["blacklist", "add", peer, "--identity", &key]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("tn1"), "{said}");

    let other = folder.path().join("other.key").display().to_string();
    generate_key(other.as_ref());
    let shown = Command::new(program("taiinet-keys")).args(["show", &other, "--json"]).output();
    let shown: Value = serde_json::from_slice(&shown.expect("it runs").stdout).expect("JSON");
    let peer = shown["peer_id"].as_str().expect("a name");
    let beside = format!("{key}.blacklist");
    let add = ["blacklist", "add", peer, "--identity", &key, "--for"];
    assert_eq!(run(&[&add[..], &["7d"]].concat()).0, 0);
    let until = listed(&beside)[0]["until"].as_u64();
    assert!(until > Some(1_700_000_000_000), "{until:?}");
    // A second time is no second entry, and what is over is not listed.
    assert_eq!(run(&[&add[..], &["0s"]].concat()).0, 0);
    assert_eq!(listed(&beside), Vec::<Value>::new());
}

#[test]
fn wrong_inputs_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (key, list, damaged) = (path("me.key"), path("black.json"), path("damaged.json"));
    generate_key(key.as_ref());
    let shown = Command::new(program("taiinet-keys")).args(["show", &key, "--json"]).output();
    let shown: Value = serde_json::from_slice(&shown.expect("it runs").stdout).expect("JSON");
    let peer = shown["peer_id"].as_str().expect("a name");
    fs::write(&damaged, "{\"peers\": [").expect("written");

    let network = ["--network", "n", "--signaller", "ws://127.0.0.1:1"];
    for (args, code, named) in [
        (vec!["blacklist", "add", peer], 2, "--blacklist FILE"),
        (vec!["blacklist", "list"], 2, "--blacklist FILE"),
        (vec!["blacklist", "add", "nobody", "--blacklist", &list], 2, "nobody"),
        (vec!["blacklist", "add", peer, "--for", "ages", "--blacklist", &list], 2, "ages"),
        (vec!["blacklist", "lift", peer, "--blacklist", &list], 1, "is not on"),
        (vec!["blacklist", "list", "--blacklist", &damaged], 1, "damaged.json"),
        (vec!["blacklist", "add", peer, "--blacklist", &damaged], 1, "damaged.json"),
        ([&["peers", "--once", "--blacklist", &damaged][..], &network].concat(), 1, "damaged.json"),
    ] {
        let (ended, _, said) = run(&args);
        assert_eq!(ended, code, "{args:?}: {said}");
        assert!(said.contains(named), "{args:?}: {said}");
    }
    assert_eq!(
        fs::read_to_string(&damaged).expect("it is there"),
        "{\"peers\": [",
        "left as it was"
    );
    assert!(!folder.path().join("black.json").exists());
}
