//! Standard output and standard error that cannot be written while a peer runs.
#![cfg(target_os = "linux")]

use std::{
    fs::File,
    io::pipe,
    process::{Command, Stdio},
};

use serde_json::json;
use taiinet_tests::{Mesh, Signaller, taiinet};

/// The device that is always full.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").expect("Linux has it").into()
}

/// What nobody reads any more.
fn dead() -> Stdio {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// The exit code; a panic would be 101. All that is logged goes to stderr as well.
fn run(mut command: Command, stdout: Stdio, stderr: Stdio) -> Option<i32> {
    command.env("RUST_LOG", "debug").stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    command.status().expect("it runs").code()
}

#[test]
fn documents_are_published_whatever_can_be_said_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("documents").display().to_string();
    std::fs::write(&file, "no document\n{\"n\":1}\n").expect("written");
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let subscriber = mesh.subscribe("subscriber", "{}");
    let publish = ["publish", "--skip-invalid", &file];
    let reporting = ["publish", "--skip-invalid", "--report", &file];
    let json = ["publish", "--skip-invalid", "--json", &file];
    let mut count = 0;
    for (args, stdout, stderr, code) in [
        (&publish[..], full(), full(), 0),
        (&publish, dead(), dead(), 0),
        (&reporting, full(), full(), 0),
        (&reporting, dead(), dead(), 0),
        (&json, full(), full(), 1),
        (&json, dead(), dead(), 0),
    ] {
        assert_eq!(run(mesh.command(args), stdout, stderr), Some(code), "{args:?}");
        count += 1;
        assert_eq!(subscriber.receives(count).last(), Some(&json!({ "n": 1 })));
    }
}

#[test]
fn what_others_publish_is_received_whatever_can_be_said_of_it() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let mut publisher = mesh.publisher("publisher");
    publisher.publish(&json!({ "n": 1 }));
    for (args, stdout, stderr, code) in [
        (&["find", "{}"][..], Stdio::null(), full(), 0),
        (&["find", "{}"], full(), full(), 1),
        (&["find", "{}"], dead(), dead(), 0),
        (&["peers", "--once"], Stdio::null(), full(), 0),
        (&["peers", "--once", "--json"], full(), full(), 1),
        (&["peers", "--once", "--json"], dead(), dead(), 0),
    ] {
        assert_eq!(run(mesh.command(args), stdout, stderr), Some(code), "{args:?}");
    }
}

#[test]
fn the_exit_code_of_the_doctor_is_right_though_nobody_reads_on() {
    let signaller = Signaller::start();
    for (url, stdout, code) in [
        (signaller.url(), dead(), 0),
        (signaller.url(), full(), 1),
        ("ws://127.0.0.1:9", dead(), 1),
    ] {
        let doctor = taiinet(["doctor", "--bind", "127.0.0.1", "--signaller", url]);
        assert_eq!(run(doctor, stdout, full()), Some(code), "{url}");
    }
}
