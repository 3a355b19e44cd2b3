//! The store in a file: processes that are killed while they write, full disks, damaged files.
#![cfg(feature = "redb")]

mod damage;
mod documents;
mod full;

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use documents::{Documents, NOW};
use taiinet_archive::{Archive, Config, MemoryStore, RedbStore, Store};

/// Documents of a commit.
const COMMIT: usize = 50;
/// Small, so that indexes are merged once in some ten commits.
const GATHERED_ROWS: usize = 3_000;

fn config() -> Config {
    let mut config =
        Config::new("test".parse().expect("a name"), vec![taiinet_query::Query::all()]);
    config.indexed = ["likes", "tags"].map(|path| path.parse().expect("a path")).to_vec();
    config.gathered_rows = GATHERED_ROWS;
    config
}

/// What a child does: it writes from this commit on, and says after each that it is durable.
#[test]
#[ignore = "what the other tests start and kill"]
fn child() {
    let (Ok(directory), Ok(from)) = (env::var("ARCHIVE_DIRECTORY"), env::var("ARCHIVE_FROM"))
    else {
        return;
    };
    let store = RedbStore::open(Path::new(&directory)).expect("opens");
    let mut archive = Archive::open(store, config()).expect("opens");
    let mut documents = Documents::default();
    documents.skip(from.parse::<usize>().expect("a number") * COMMIT);
    loop {
        write(&mut archive, &mut documents);
        // The line that a parent waits for.
        writeln!(std::io::stdout(), "durable").expect("writes");
    }
}

fn write<S: Store>(archive: &mut Archive<S>, documents: &mut Documents) {
    for _ in 0..COMMIT {
        archive.admit(&documents.next(), NOW).expect("admits");
    }
    archive.commit().expect("commits");
}

/// Starts a child and kills it after so long. Returns how many commits it has said to be durable.
fn kill_after(directory: &Path, from: usize, life: Duration) -> usize {
    let mut child = Command::new(env::current_exe().expect("a path"))
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env("ARCHIVE_DIRECTORY", directory)
        .env("ARCHIVE_FROM", from.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (send, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    let mut durable = 0;
    // The moment is what is random here, not how long something takes: at least one commit was made.
    let mut end = None;
    loop {
        let left = end.map_or(Duration::from_secs(60), |end: Instant| {
            end.saturating_duration_since(Instant::now())
        });
        match lines.recv_timeout(left) {
            Ok(line) if line.ends_with("durable") => {
                durable += 1;
                end = end.or(Some(Instant::now() + life));
            }
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) if end.is_some() => break,
            Err(error) => panic!("the child does nothing: {error}"),
        }
    }
    child.kill().expect("kills");
    child.wait().expect("ends");
    reader.join().expect("ends");
    durable + lines.try_iter().filter(|line| line.ends_with("durable")).count()
}

fn everything<S: Store>(archive: &Archive<S>) -> Vec<Vec<u8>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let export = archive.export(after.as_ref(), 1_000, 1 << 20, NOW).expect("reads");
        all.extend(export.documents);
        match export.rest {
            Some(place) => after = Some(place),
            None => return all,
        }
    }
}

fn kill_repeatedly(times: u64, seed: u64) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut reference = Archive::open(MemoryStore::new(), config()).expect("opens");
    let mut documents = Documents::default();
    let mut commits = 0;
    let mut slowest = Duration::ZERO;
    for round in 0..times {
        let life = Duration::from_micros(documents::mix(seed + round) % 400_000);
        let durable = kill_after(directory.path(), commits, life);
        for _ in 0..durable {
            write(&mut reference, &mut documents);
        }
        commits += durable;
        let start = Instant::now();
        let store = RedbStore::open(directory.path()).expect("opens");
        let mut archive = Archive::open(store, config()).expect("opens");
        slowest = slowest.max(start.elapsed());
        let found = everything(&archive);
        if found != everything(&reference) {
            // The last commit was made, and the child had no time to say so.
            write(&mut reference, &mut documents);
            commits += 1;
            assert!(found == everything(&reference), "what was acknowledged is not what is there");
        }
        let report = archive.check().expect("checks");
        assert!(report.is_clean(), "after {commits} commits: {report:?}");
        assert_eq!(
            archive.stats().expect("says").documents,
            reference.stats().expect("says").documents
        );
    }
    println!("{times} kills, {commits} commits, opened again within {slowest:?}");
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill() {
    kill_repeatedly(5, 1);
}

/// Minutes of work: with `cargo xtask test --long`.
#[test]
fn nothing_acknowledged_is_lost_by_a_hundred_kills() {
    if env::var_os("TAIINET_LONG").is_none() {
        return;
    }
    kill_repeatedly(100, 1_000);
}

/// A second process is told that the first has it.
#[test]
fn a_store_is_of_one_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = RedbStore::open(directory.path()).expect("opens");
    let second = RedbStore::open(directory.path()).err();
    assert!(second.is_some_and(|error| error.to_string().contains("another process")));
    drop(first);
    RedbStore::open(directory.path()).expect("opens");
}
