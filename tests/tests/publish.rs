//! `taiinet publish`: what is published, what is not, and what it says of that.

use std::fs;

use serde_json::{Value, json};
use taiinet_tests::{Mesh, Peer, Signaller, generate_key, program};

const COUNT: u64 = 500;

fn summary(publisher: &Peer) -> Value {
    let line = publisher.stdout().last().cloned().unwrap_or_default();
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("no summary: {line}"))
}

#[test]
fn a_document_that_cannot_be_published_is_named_and_the_others_are_published() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("documents.ndjson").display().to_string();
    let large = json!({ "text": "x".repeat(300_000) });
    fs::write(&file, format!("{{\"n\":1}}\n{large}\n{{\"n\":3}}\n")).expect("written");
    let place = format!("{file}:2: ");

    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let subscriber = mesh.subscribe("subscriber", "{}");
    let mut publisher = mesh.run("publisher", &["publish", "--json", &file]);
    assert_eq!(publisher.exit_code(), 1);
    let said = publisher.stderr().join("\n");
    assert!(said.contains(&place) && said.contains("262144"), "{said}");
    let sums = summary(&publisher);
    assert_eq!((&sums["published"], &sums["untaken"]), (&json!(1), &json!(0)), "{said}");
    assert_eq!(subscriber.receives(1), [json!({ "n": 1 })]);

    let mut publisher = mesh.run("publisher", &["publish", "--json", "--skip-invalid", &file]);
    publisher.succeeds();
    let said = publisher.stderr().join("\n");
    assert!(said.contains(&format!("warning: {place}")), "{said}");
    let sums = summary(&publisher);
    assert_eq!((&sums["published"], &sums["untaken"]), (&json!(2), &json!(0)), "{said}");
    assert_eq!(subscriber.receives(3)[1..], [json!({ "n": 1 }), json!({ "n": 3 })]);
}

#[test]
fn what_was_taken_is_counted_though_the_input_has_not_ended() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let subscriber = mesh.subscribe("subscriber", "{}");
    subscriber.eventually("joined", |_| subscriber.has_joined().then_some(()));
    let lines: String = (0..COUNT).map(|n| format!("{{\"n\":{n}}}\n")).collect();

    let mut timed = mesh.run("publisher", &["publish", "--json", "--timeout", "10"]);
    timed.write(&lines);
    assert_eq!(timed.exit_code(), 1);
    let mut interrupted = mesh.run("publisher", &["publish", "--json", "--report"]);
    interrupted.write(&lines);
    subscriber.receives(2 * COUNT as usize);
    // What has come is said to be taken within 20 ms: by the next report but one the publisher has heard of it.
    let before = interrupted.reports();
    interrupted
        .eventually("goes on", |publisher| (publisher.reports() >= before + 2).then_some(()));
    interrupted.signal("INT");
    assert_eq!(interrupted.exit_code(), 1);

    for (publisher, what) in [(timed, "not done within 10 s"), (interrupted, "interrupted")] {
        let said = publisher.stderr().join("\n");
        assert!(said.contains(&format!("{what}: the input has not ended")), "{said}");
        let sums = summary(&publisher);
        assert_eq!((&sums["published"], &sums["untaken"]), (&json!(COUNT), &json!(0)), "{said}");
    }
}

/// The two are a network without a root, at first: none stands within 2.5 s of their meeting.
#[test]
fn it_may_wait_until_the_network_has_what_is_published() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let subscriber = mesh.subscribe("subscriber", "{}");
    subscriber.eventually("joined", |_| subscriber.has_joined().then_some(()));
    let mut publisher =
        mesh.run("publisher", &["publish", "--json", "--until", "network", "--report"]);
    publisher.write("{\"n\":1}\n{\"n\":2}\n");
    publisher.end_input();
    publisher.succeeds();
    let sums = summary(&publisher);
    assert_eq!((&sums["published"], &sums["unconfirmed"]), (&json!(2), &json!(0)), "{sums}");
    assert_eq!(sums.get("untaken"), None);
    assert!(sums["seconds"].as_f64().is_some_and(|seconds| seconds > 2.5), "{sums}");
    assert_eq!(subscriber.receives(2).len(), 2);
}

#[test]
fn without_a_neighbour_the_reason_says_so() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let mut publisher = mesh.run("publisher", &["publish", "--json", "--timeout", "1"]);
    publisher.write("{}\n");
    assert_eq!(publisher.exit_code(), 1);
    let said = publisher.stderr().join("\n");
    assert!(said.contains("not done within 1 s: no neighbour yet"), "{said}");
    assert_eq!(summary(&publisher)["published"], 0);
}

/// Both commands read passphrases alike.
#[test]
fn a_passphrase_is_the_first_line_of_its_file_or_of_stdin() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (key, plain, file) = (path("me.key"), path("plain.key"), path("passphrase"));
    generate_key(plain.as_ref());
    fs::write(&file, "correct horse\nnot this line\n").expect("written");
    let mut import = std::process::Command::new(program("taiinet-keys"));
    import.args(["import", &plain, "--out", &key, "--passphrase-file", &file]);
    let import = import.env("TAIINET_WORK_FACTOR", "10").output().expect("taiinet-keys runs");
    assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));

    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let subscriber = mesh.subscribe("subscriber", "{}");
    let publish = ["publish", "--identity", &key, "--passphrase-file"];
    let mut by_file = mesh.run("publisher", &[&publish[..], &[&file]].concat());
    by_file.write("{\"n\":1}\n");
    by_file.end_input();
    by_file.succeeds();
    // What follows the first line of stdin are the documents.
    let mut by_stdin = mesh.run("publisher", &[&publish[..], &["-"]].concat());
    by_stdin.write("correct horse\n{\"n\":2}\n");
    by_stdin.end_input();
    by_stdin.succeeds();
    subscriber.receives(2);
    let authors: Vec<Value> = subscriber.deliveries().iter().map(|d| d["author"].clone()).collect();
    assert_eq!(authors[0], authors[1]);

    fs::write(&file, "x".repeat(5000)).expect("written");
    let mut refused = mesh.run("publisher", &[&publish[..], &[&file]].concat());
    assert_eq!(refused.exit_code(), 1);
    let said = refused.stderr().join("\n");
    assert!(said.contains("passphrase:") && said.contains("too long"), "{said}");
}
