//! Signals end a command also while no one reads what it prints.
#![cfg(unix)]

use std::{
    fs::{File, OpenOptions},
    io::Read,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;
use taiinet_tests::{Mesh, Process, Signaller};

/// More than a pipe and all buffers hold.
const DOCUMENTS: u64 = 400;
/// How long leaving may take on a busy machine; blocked, it would take for ever.
const SOON: Duration = Duration::from_secs(10);

/// A pipe that the test holds open.
fn pipe(path: &Path) -> File {
    let made = Command::new("mkfifo").arg(path).status().expect("mkfifo runs");
    assert!(made.success());
    // For writing too: opening does not wait then.
    OpenOptions::new().read(true).write(true).open(path).expect("a pipe")
}

/// Runs a command whose stdout is this pipe.
fn run_into(mesh: &Mesh, pipe: &Path, args: &[&str]) -> Process {
    let inner = mesh.command(args);
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"exec "$@" >"$PIPE""#, "sh"]).env("PIPE", pipe);
    shell.arg(inner.get_program()).args(inner.get_args());
    for variable in inner.get_envs().filter(|(_, value)| value.is_none()) {
        shell.env_remove(variable.0);
    }
    Process::start(args[0], &mut shell)
}

fn ends_soon(mut process: Process, signal: &str) {
    let told = Instant::now();
    process.signal(signal);
    process.succeeds();
    assert!(told.elapsed() < SOON, "{:?}", told.elapsed());
}

#[test]
fn a_subscriber_whose_output_nobody_reads_leaves_when_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let (ends, counts) = (folder.path().join("ends"), folder.path().join("counts"));
    let (_unread, _unread_too) = (pipe(&ends), pipe(&counts));
    let subscriber = run_into(&mesh, &ends, &["subscribe", "{}", "--report"]);
    let wanted = DOCUMENTS.to_string();
    let counting = ["subscribe", "{}", "--report", "--count", &wanted, "--timeout", "10"];
    let mut counting = run_into(&mesh, &counts, &counting);
    let mut publisher = mesh.publisher("publisher");
    for n in 0..DOCUMENTS {
        publisher.write(&format!("{}\n", json!({ "n": n, "text": "x".repeat(2_000) })));
    }
    subscriber.eventually("all are delivered", |process| {
        (process.report()?["counters"]["delivered"].as_u64()? >= DOCUMENTS).then_some(())
    });
    ends_soon(subscriber, "TERM");

    // What was not read was not printed.
    assert_eq!(counting.exit_code(), 1);
    let said = counting.stderr().join("\n");
    assert!(said.contains(&format!("of {DOCUMENTS} documents were written")), "{said}");
}

#[test]
fn a_search_whose_output_nobody_reads_leaves_when_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let mut publisher = mesh.publisher("publisher");
    let subscriber = mesh.subscribe("subscriber", "{}");
    for n in 0..100 {
        publisher.write(&format!("{}\n", json!({ "n": n, "text": "x".repeat(5_000) })));
    }
    subscriber.receives(100);

    let path = folder.path().join("found");
    let mut unread = pipe(&path);
    let find = run_into(&mesh, &path, &["find", "{}"]);
    // It prints, and will not get far.
    unread.read_exact(&mut [0]).expect("a byte");
    ends_soon(find, "INT");
}
