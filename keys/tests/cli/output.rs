//! Standard output and standard error that cannot be written: full, or without a reader.

use std::{
    fs::File,
    io::pipe,
    process::{Output, Stdio},
};

use crate::common::{Folder, PASSPHRASE};

/// The device that is always full. Nothing is named by `--out` here: root could lose it.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").expect("Linux has it").into()
}

/// What nobody reads any more.
fn dead() -> Stdio {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// Commands with a result on standard output.
fn commands(peer_id: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["--help"],
        vec!["--version"],
        vec!["help", "generate"],
        vec!["completions", "bash"],
        vec!["generate", "--out", "-"],
        vec!["generate", "--out", "new.key", "--force"],
        vec!["generate", "--out", "new.key", "--force", "--json"],
        vec!["show", "me.key"],
        vec!["show", "me.key", "--json"],
        vec!["show", "others-can-read.key"],
        vec!["sign", "letter", "--key", "me.key"],
        vec!["verify", "letter", "--signature", "letter.sig", "--from", peer_id],
        vec!["verify", "letter", "--signature", "letter.sig", "--from", peer_id, "--json"],
        vec!["seal", "letter", "--to", peer_id],
        vec!["seal", "letter", "--to", peer_id, "--armor"],
        vec!["open", "letter.age", "--identity", "me.key"],
        vec!["import", "me.key", "--out", "-"],
        vec!["export", "me.key", "--format", "openssh", "--out", "-"],
    ]
}

fn folder() -> (Folder, String) {
    let folder = Folder::new();
    let peer_id = folder.generate("me.key");
    folder.write("letter", "dear all\n");
    folder.run(&["sign", "letter", "--key", "me.key", "--out", "letter.sig"]).ok();
    folder.run(&["seal", "letter", "--to", &peer_id, "--out", "letter.age"]).ok();
    let plain = ["export", "me.key", "--format", "pkcs8", "--no-passphrase", "--out"];
    let plain = folder.run(&[&plain[..], &["-"]].concat()).ok();
    folder.write("others-can-read.key", plain);
    (folder, peer_id)
}

/// The exit code; a panic would be 101.
fn run(folder: &Folder, args: &[&str], out: Stdio, err: Stdio) -> (Option<i32>, Output) {
    let mut command = folder.command(args);
    command.env("TAIINET_PASSPHRASE", PASSPHRASE).stdout(out).stderr(err);
    let output = command.output().expect("it runs");
    (output.status.code(), output)
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure_and_no_panic() {
    let (folder, peer_id) = folder();
    for args in commands(&peer_id) {
        let (code, output) = run(&folder, &args, full(), Stdio::piped());
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(code, Some(1), "{args:?}: {said}");
        assert!(said.contains("No space left") && !said.contains("panicked"), "{args:?}: {said}");
        assert_eq!(run(&folder, &args, full(), full()).0, Some(1), "{args:?}");
    }
}

/// A reader that has seen enough, as `head` has, is no failure.
#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let (folder, peer_id) = folder();
    for args in commands(&peer_id) {
        // Whether a file that is streamed was taken whole matters to who sends it.
        let is_streamed = matches!(args[0], "seal" | "open");
        let wanted = Some(i32::from(is_streamed));
        assert_eq!(run(&folder, &args, dead(), full()).0, wanted, "{args:?}");
    }
}

#[test]
fn what_cannot_be_said_changes_nothing() {
    let (folder, peer_id) = folder();
    let wrong = vec![
        vec!["nonsense"],
        vec![],
        vec!["show", "absent.key"],
        vec!["generate", "--out", "me.key"],
        vec!["generate", "--out", "-", "--json"],
    ];
    for args in [commands(&peer_id), wrong].concat() {
        let (wanted, output) = run(&folder, &args, Stdio::piped(), Stdio::piped());
        for err in [full(), dead()] {
            let (code, other) = run(&folder, &args, Stdio::piped(), err);
            assert_eq!(code, wanted, "{args:?}");
            assert_eq!(other.stdout.is_empty(), output.stdout.is_empty(), "{args:?}");
        }
    }
}
