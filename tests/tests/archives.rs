//! Archives as readers have them, in real processes: several of them, one that dies, and one that is killed.

use std::path::Path;

use serde_json::{Value, json};
use taiinet_tests::{Mesh, Peer, Signaller, eventually, generate_key, taiinet};

/// A running `taiinet seed` with this store.
fn seed(mesh: &Mesh, name: &str, query: &str, store: &Path) -> Peer {
    let store = store.display().to_string();
    let peer = mesh.run(name, &["seed", query, "--store", &store, "--index", "n", "--json"]);
    peer.eventually("keeps", |process| process.stdout().first().cloned());
    peer
}

/// Writes so many lines into a file: `n` from 0 on, a second apart, the last of them an hour ago.
fn write_lines(file: &Path, count: u64) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = u64::try_from(now.expect("after 1970").as_millis()).expect("a time");
    let at = |n| now - 3_600_000 - (count - n) * 1000;
    let lines = (0..count).map(|n| format!("{}\n", json!({ "n": n, "at": at(n) })));
    std::fs::write(file, lines.collect::<String>()).expect("written");
}

/// Puts the documents of a file into a store that no peer has open.
fn import(mesh: &Mesh, file: &Path, key: &Path, store: &Path) {
    let mut import = taiinet(["import", "--network", mesh.network(), "--time-field", "at"]);
    import.args(["--index", "n"]).arg(file).arg("--store").arg(store).arg("--identity").arg(key);
    let output = import.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn numbers(lines: &[Value]) -> Vec<u64> {
    lines.iter().filter_map(|line| line["data"]["n"].as_u64()).collect()
}

/// What `taiinet find` prints, and its last word.
fn find(mesh: &Mesh, args: &[&str]) -> (Vec<Value>, Value) {
    let mut finder = mesh.run("finder", &[&["find"], args, &["--json"]].concat());
    finder.succeeds();
    let parse = |line: &String| serde_json::from_str::<Value>(line).expect("JSON");
    let found = finder.stdout().iter().map(parse).collect();
    let words: Vec<Value> =
        finder.stderr().iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    (found, words.last().expect("it says whether that was all")["found"].clone())
}

/// The whole history, once it is complete.
fn history(mesh: &Mesh, name: &str) -> (Peer, Vec<Value>) {
    let reader = mesh.subscribe_with(name, "{}", &["--backlog", "all"]);
    let ready = reader.eventually("is ready", |_| {
        reader.deliveries().into_iter().find(|line| line.get("ready").is_some())
    });
    assert_eq!(ready["ready"]["complete"], true, "{ready}");
    let lines = reader.deliveries();
    (reader, lines)
}

/// The publisher is gone before any reader is there, and so is what the archives' peers held in memory.
#[test]
fn two_archives_that_hold_half_each_give_one_history_in_one_order() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let folder = tempfile::tempdir().expect("a folder");
    let kept = [(r#"{"even":true}"#, "even"), (r#"{"even":false}"#, "odd")];
    let seeds = || kept.map(|(query, name)| seed(&mesh, name, query, &folder.path().join(name)));
    let mut first = seeds();
    let mut publisher = mesh.publisher("publisher");
    for n in 0..60 {
        publisher.publish(&json!({ "n": n, "even": n % 2 == 0 }));
    }
    publisher.end_input();
    publisher.succeeds();
    // Each has what it is to keep, on its disk, when it is killed.
    eventually("all are kept", || {
        let (found, _) = find(&mesh, &["{}", "--limit", "100"]);
        (found.len() == 60).then_some(())
    });
    for archive in &mut first {
        archive.signal("TERM");
        archive.succeeds();
    }
    drop(first);

    let mut archives = seeds();
    let (_reader, lines) = history(&mesh, "late");
    let mut all = numbers(&lines);
    let times: Vec<_> = lines.iter().filter_map(|line| line["created_at"].as_u64()).collect();
    assert!(times.is_sorted(), "the oldest first, whichever archive has it");
    all.sort_unstable();
    assert_eq!(all, (0..60).collect::<Vec<_>>(), "each once");

    // Page by page, in another order.
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ["{}", "--sort", "n:desc", "--limit", "25"];
        let after = ["--cursor", &cursor];
        let (lines, end) =
            find(&mesh, &[&page[..], if cursor.is_empty() { &[] } else { &after }].concat());
        found.extend(numbers(&lines));
        match end["cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break assert_eq!(end["complete"], true, "{end}"),
        }
    }
    assert_eq!(found, (0..60).rev().collect::<Vec<_>>());

    // Without one of them its half is missing, and the rest is served.
    archives[0].kill();
    let (found, _) = find(&mesh, &["{}", "--sort", "n", "--limit", "100"]);
    assert_eq!(numbers(&found), (0..60).filter(|n| n % 2 == 1).collect::<Vec<_>>());
}

#[test]
fn an_archive_that_is_killed_amid_a_history_is_replaced_where_it_ended() {
    const COUNT: u64 = 10_000;
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("author.key");
    generate_key(&key);
    let file = folder.path().join("lines.ndjson");
    write_lines(&file, COUNT);
    let names = ["one", "other"];
    for name in names {
        // The same lines, the same key and the same times: the same documents.
        import(&mesh, &file, &key, &folder.path().join(name));
    }
    let mut archives = names.map(|name| seed(&mesh, name, "{}", &folder.path().join(name)));
    let reader = mesh.subscribe_with("reader", "{}", &["--backlog", "all"]);
    reader.eventually("has some", |process| (process.stdout().len() > 1000).then_some(()));
    archives[0].kill();
    let had = reader.stdout().len();
    let ready = reader.eventually("is ready", |process| {
        let lines = process.stdout();
        lines.into_iter().find(|line| line.starts_with(r#"{"ready""#))
    });
    eprintln!("{had} of {COUNT} had come when it was killed; {ready}");
    let numbers = numbers(&reader.deliveries());
    // Not by `assert_eq`: nobody would read what it prints.
    let wrong = numbers.iter().zip(0..).position(|(is, expected)| *is != expected);
    assert_eq!((wrong, numbers.len() as u64), (None, COUNT), "in order, each once");
}

/// What an archive has told a reader was on its disk, or is in the hands of somebody else.
#[test]
fn an_archive_that_is_killed_while_documents_come_has_them_when_it_is_back() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let mut archive = seed(&mesh, "archive", "{}", &store);
    let mut publisher = mesh.publisher("publisher");
    publisher.has_neighbour();
    for round in 0..4_u64 {
        for n in 0..200 {
            publisher.publish(&json!({ "n": round * 200 + n }));
        }
        archive.kill();
        archive = seed(&mesh, "archive", "{}", &store);
    }
    publisher.end_input();
    publisher.succeeds();
    // The publisher is gone: the archive alone knows. It compares what it has with its neighbours when it comes back.
    let (_reader, lines) = history(&mesh, "late");
    let mut all = numbers(&lines);
    all.sort_unstable();
    assert_eq!(all, (0..800).collect::<Vec<_>>());
}
