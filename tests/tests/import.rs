//! `taiinet import` over the network: archives keep documents of any age, in real processes.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use taiinet_tests::{Mesh, Peer, Signaller, eventually, generate_key, taiinet};
use tempfile::TempDir;

const YEAR_MILLIS: u64 = 365 * 24 * 3600 * 1000;

/// A directory with a key, gone after the test.
struct Room(TempDir);

impl Room {
    fn new() -> Self {
        let room = Self(tempfile::tempdir().expect("a directory"));
        for key in ["one.key", "other.key"] {
            generate_key(&room.path(key));
        }
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn write(&self, name: &str, lines: &str) -> String {
        fs::write(self.path(name), lines).expect("written");
        self.text(name)
    }

    /// Plain lines as signed ones, by one of the keys.
    fn signed(&self, mesh: &Mesh, key: &str, lines: &str) -> String {
        let (plain, store) = (self.write("unsigned.ndjson", lines), self.text("signing"));
        let (key, out) = (self.text(key), self.text("signed.ndjson"));
        offline(
            &[
                &["import", &plain, "--store", &store, "--network", mesh.network()][..],
                &["--identity", &key, "--time-field", "at"],
            ]
            .concat(),
        );
        offline(&["export", "--store", &store, "--out", &out]);
        out
    }
}

/// Runs a command that needs no network.
fn offline(args: &[&str]) -> String {
    let output = taiinet(args).env_remove("TAIINET_STORE").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("a time")
}

/// Lines with times over the past year, the last of them a day ago.
fn old_lines(numbers: std::ops::Range<u64>) -> String {
    let (from, step) = (now() - YEAR_MILLIS, (YEAR_MILLIS - 86_400_000) / 2_000);
    let line = |n: u64| {
        // Some share a key, and the newest of them counts.
        let key = if n.is_multiple_of(5) { n % 50 } else { n };
        format!(
            "{}\n",
            json!({ "n": n, "id": key, "at": from + n % 2_000 * step, "text": "x".repeat(n as usize % 300) })
        )
    };
    numbers.map(line).collect()
}

fn seed(mesh: &Mesh, store: &Path, args: &[&str]) -> Peer {
    let store = store.display().to_string();
    let seed = mesh.run("seed", &[&["seed", "{}", "--store", &store, "--json"], args].concat());
    seed.eventually("keeps", |seed| seed.stdout().first().cloned());
    seed
}

/// The summary of an import that has ended.
fn summary(import: &Peer) -> Value {
    let line = import.stdout().last().cloned().unwrap_or_default();
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("no summary: {:?}", import.stderr()))
}

fn import(mesh: &Mesh, args: &[&str]) -> Value {
    let mut import = mesh.run("import", &[&["import", "--json"], args].concat());
    import.succeeds();
    summary(&import)
}

/// All that archives of the network give.
fn export(mesh: &Mesh, out: &Path) -> String {
    let path = out.display().to_string();
    let mut export = mesh.run("export", &["export", "{}", "--out", &path]);
    export.succeeds();
    fs::read_to_string(out).expect("a file")
}

fn field(lines: &str, name: &str) -> BTreeSet<String> {
    let value = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")[name].to_string();
    lines.lines().map(value).collect()
}

#[test]
fn import_after_export_is_the_same_database() {
    let (room, signaller) = (Room::new(), Signaller::start());
    let mesh = Mesh::new(&signaller);
    let signed = room.signed(&mesh, "one.key", &old_lines(0..1_000));
    let plain = room.write("plain.ndjson", &old_lines(1_000..2_000));
    let key = room.text("other.key");
    let args = [&signed, &plain, "--identity", &key, "--key-field", "id", "--time-field", "at"];

    let mut first = seed(&mesh, &room.path("first"), &["--index", "n"]);
    let sums = import(&mesh, &args);
    assert_eq!(sums["stored"], 2_000, "{sums}");
    let exported = export(&mesh, &room.path("first.ndjson"));
    // A thousand without a key, eight hundred that are alone under theirs, and the newest of fifty others by fives.
    assert_eq!(exported.lines().count(), 1_000 + 800 + 10);
    let again = import(&mesh, &args);
    let settled = ["known", "superseded"].map(|what| again[what].as_u64().expect("a number"));
    assert_eq!((&again["stored"], settled), (&json!(0), [1_810, 190]), "{again}");
    assert_eq!(export(&mesh, &room.path("again.ndjson")), exported);
    first.signal("TERM");
    first.succeeds();

    let _second = seed(&mesh, &room.path("second"), &[]);
    let sums = import(&mesh, &[&room.text("first.ndjson")]);
    assert_eq!(sums["stored"], 1_810, "{sums}");
    assert!(export(&mesh, &room.path("second.ndjson")) == exported, "it is the same database");
}

#[test]
fn an_archive_that_is_killed_in_the_middle_loses_nothing_that_it_has_taken() {
    let (room, signaller) = (Room::new(), Signaller::start());
    let mesh = Mesh::new(&signaller);
    let (store, key) = (room.path("store"), room.text("one.key"));
    let mut killed = seed(&mesh, &store, &[]);
    let mut import = mesh
        .run("import", &["import", "--json", "--report", "--identity", &key, "--time-field", "at"]);
    let stored = |import: &Peer| {
        let reports = import.stderr();
        let last = reports.iter().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
        last.and_then(|last| last["stored"].as_u64()).unwrap_or_default()
    };
    let mut given = 0;
    eventually("an archive has answered", || {
        import.write(&old_lines(given..given + 300));
        given += 300;
        (stored(&import) > 0).then_some(())
    });
    killed.kill();
    let reported = usize::try_from(stored(&import)).expect("a number");
    let there = offline(&["export", "--store", &store.display().to_string()]);
    assert!(there.lines().count() >= reported, "what it said is on the disk");

    // While no archive is there the import reads no more than it can hold: one has to be back before it takes all.
    let _back = seed(&mesh, &store, &[]);
    import.write(&old_lines(given..given + 2_000));
    given += 2_000;
    import.end_input();
    import.succeeds();
    let sums = summary(&import);
    let settled = ["stored", "known"].map(|what| sums[what].as_u64().expect("a number"));
    assert_eq!(settled[0] + settled[1], given, "{sums}");
    let all = export(&mesh, &room.path("all.ndjson"));
    assert_eq!(all.lines().count(), usize::try_from(given).expect("a number"));
    assert!(field(&there, "id").is_subset(&field(&all, "id")));
}

#[test]
fn what_is_too_old_for_an_archive_it_takes_of_those_that_it_imports_from() {
    let (room, signaller) = (Room::new(), Signaller::start());
    let mesh = Mesh::new(&signaller);
    let (store, file) = (room.path("store"), room.signed(&mesh, "one.key", &old_lines(0..500)));
    let author = field(&fs::read_to_string(&file).expect("a file"), "author");
    let author = author.first().expect("an author").trim_matches('"').to_owned();
    let mut strict = seed(&mesh, &store, &["--max-backdate", "30d"]);
    let mut refused = mesh.run("import", &["import", "--json", &file]);
    assert_eq!(refused.exit_code(), 1);
    let said = refused.stderr().join("\n");
    assert!(said.contains("500 documents are older") && said.contains("--import-from"), "{said}");
    assert_eq!(summary(&refused)["too_old"], 500);
    strict.signal("TERM");
    strict.succeeds();

    let _seed = seed(&mesh, &store, &["--max-backdate", "30d", "--import-from", &author]);
    assert_eq!(import(&mesh, &[&file])["stored"], 500);
}

#[test]
fn what_is_of_now_goes_to_subscribers_as_well() {
    let (room, signaller) = (Room::new(), Signaller::start());
    let mesh = Mesh::new(&signaller);
    let _seed = seed(&mesh, &room.path("store"), &[]);
    let subscriber = mesh.subscribe("subscriber", "{}");
    subscriber.has_neighbour();
    let fresh = format!("{}\n", json!({ "n": 7, "at": now() }));
    let file = room.signed(&mesh, "one.key", &format!("{}{fresh}", old_lines(0..20)));
    assert_eq!(import(&mesh, &[&file])["stored"], 21);
    let delivered = subscriber.receives(1);
    assert_eq!(delivered.len(), 1, "{delivered:?}");
    assert_eq!(delivered[0]["n"], 7);
    assert_eq!(export(&mesh, &room.path("all.ndjson")).lines().count(), 21);
}

#[test]
fn without_an_archive_it_says_so_and_what_to_do() {
    let (room, signaller) = (Room::new(), Signaller::start());
    let mesh = Mesh::new(&signaller);
    let file = room.signed(&mesh, "one.key", &old_lines(0..5));
    let fails = |expected: &str| {
        let mut import = mesh.run("import", &["import", &file, "--timeout", "3"]);
        assert_eq!(import.exit_code(), 1);
        let said = import.stderr().join("\n");
        assert!(
            said.contains("no archive has answered within 3 s") && said.contains(expected),
            "{said}"
        );
    };
    fails("no neighbour");
    let subscriber = mesh.subscribe("subscriber", "{}");
    subscriber.eventually("joined", |_| subscriber.has_joined().then_some(()));
    fails("taiinet seed");
    // One that keeps something else is no help, either.
    let store = room.text("store");
    let seed = mesh.run("seed", &["seed", r#"{"type":"tweet"}"#, "--store", &store, "--json"]);
    seed.eventually("keeps", |seed| seed.stdout().first().cloned());
    let mut import = mesh.run("import", &["import", &file]);
    assert_eq!(import.exit_code(), 1);
    let said = import.stderr().join("\n");
    assert!(said.contains("5 documents are not what") && said.contains("query"), "{said}");
}
