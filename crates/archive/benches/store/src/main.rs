//! An archive beside a bare `redb`, bare signature checks and SQLite: the same documents, in the same commits, each in a
//! process of its own.
//!
//! `cargo xtask bench store`, or here `cargo run --release [-- DOCUMENTS [DIRECTORY]]`; 200,000 documents without a
//! number, 20,000 with `--quick`.
//!
//! Documents are like short messages: some 330 bytes signed, by 1,000 authors; one in ten has a key. `likes` and `type`
//! are indexed, in SQLite also author and time, and each index ends with time and id, as the archive's do. SQLite
//! runs with its WAL and `synchronous=full`, redb with quick repair: all three are durable after each commit.

mod archive;
mod bare;
mod documents;
mod measure;
mod sqlite;

use std::{env, path::PathBuf, process::Command};

use measure::Measured;

fn main() {
    let mut arguments = env::args().skip(1);
    let first = arguments.next();
    if let Some("part") = first.as_deref() {
        let part = arguments.next().expect("a part");
        let count = arguments.next().expect("a count").parse().expect("a number");
        let directory = PathBuf::from(arguments.next().expect("a directory"));
        return match part.as_str() {
            "verify" => bare::verify(count),
            "redb" => bare::redb(count, &directory),
            "archive" => archive::import(count, &directory),
            "archive-read" => archive::read(&directory),
            "sqlite" => sqlite::import(count, &directory),
            other => panic!("no such part: {other}"),
        };
    }
    let count: usize = match first.as_deref() {
        None => 200_000,
        Some("--quick") => 20_000,
        Some(count) => count.parse().expect("a number of documents"),
    };
    let directory =
        arguments.next().map_or_else(|| env::temp_dir().join("bench-store"), PathBuf::from);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a directory");
    let run = |part: &str| -> Measured {
        eprintln!("{part} …");
        let output = Command::new(env::current_exe().expect("a path"))
            .args(["part", part, &count.to_string()])
            .arg(&directory)
            .output()
            .expect("runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.is_empty() {
            panic!("{part}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Measured::parse(&text)
    };
    let verify = run("verify");
    let redb = run("redb");
    // It ends without closing, as if it had been killed.
    let archive = run("archive").and(run("archive-read"));
    let sqlite = run("sqlite");
    measure::print(count, &verify, &redb, &archive, &sqlite);
    let _ = std::fs::remove_dir_all(&directory);
}
