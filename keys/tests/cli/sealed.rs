//! Sealing files to peers and opening them, through the real command.

use std::{
    io::Write,
    process::{Child, Stdio},
};

use crate::common::{Folder, PASSPHRASE, fixture_text, has, ran};

const LETTER: &str = "dear all\n";
/// age's own pieces, and their tags.
const PIECE: usize = 64 * 1024;
const SEALED_PIECE: usize = PIECE + 16;

/// A folder with a key, a letter and the letter sealed to the key; and the key's peer id.
fn sealed() -> (Folder, String) {
    let folder = Folder::new();
    let peer_id = folder.generate("me.key");
    folder.write("letter", LETTER);
    folder.run(&["seal", "letter", "--to", &peer_id, "--out", "letter.age"]).ok();
    (folder, peer_id)
}

#[test]
fn each_recipient_opens_it_and_nobody_else() {
    let (folder, me) = sealed();
    let friend = folder.generate("friend.key");
    folder.generate("other.key");
    let seal = ["seal", "letter", "--to", &me, "--to", &friend, "--out", "both.age"];
    assert_eq!(folder.run(&seal).ok(), "");
    for key in ["me.key", "friend.key"] {
        assert_eq!(folder.run(&["open", "--identity", key, "both.age"]).ok(), LETTER);
    }
    let open = ["open", "--identity", "other.key", "both.age"];
    folder.run(&open).fails(1, "was not sealed to this key");
    folder.run(&[&open[..], &["--out", "opened"]].concat()).fails(1, "nothing was written");
    let ran = folder.run(&[&open[..], &["--out", "opened", "--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&ran.out).expect("json");
    assert_eq!((ran.code, &json["opened"]), (Some(1), &false.into()));
    assert!(!folder.names().contains(&"opened".to_owned()));
}

#[test]
fn files_and_pipes_bytes_and_text() {
    let (folder, me) = sealed();
    let shown = folder.run(&["show", &me, "--json"]).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("json");
    let did = shown["did_key"].as_str().expect("a did:key");
    assert!(folder.read("letter.age").starts_with(b"age-encryption.org/v1\n"));

    let text = folder.pipe(LETTER.as_bytes(), &["seal", "--to", did, "--armor"]).ok();
    assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{text}");
    let opened = folder.pipe(text.as_bytes(), &["open", "--identity", "me.key"]).ok();
    assert_eq!(opened, LETTER);
    let bytes = folder.read("letter.age");
    let opened = folder.pipe(&bytes, &["open", "-", "--key", "me.key", "--out", "-"]).ok();
    assert_eq!(opened, LETTER);

    let open = ["open", "--identity", "me.key", "letter.age", "--out", "opened", "--json"];
    let json: serde_json::Value = serde_json::from_str(&folder.run(&open).ok()).expect("json");
    assert_eq!((&json["opened"], &json["by"]), (&true.into(), &me.clone().into()));
    assert_eq!(json["bytes"], LETTER.len());
    assert_eq!(folder.read("opened"), LETTER.as_bytes());
    let seal = ["seal", "letter", "--to", &me, "--out", "again.age", "--json"];
    let json: serde_json::Value = serde_json::from_str(&folder.run(&seal).ok()).expect("json");
    assert_eq!((&json["to"][0], &json["out"]), (&me.into(), &"again.age".into()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = std::fs::metadata(folder.path().join("opened")).expect("a file");
        assert_eq!(file.permissions().mode() & 0o7777, 0o600, "it was a secret");
    }
}

#[test]
fn nothing_is_overwritten_without_force() {
    let (folder, me) = sealed();
    folder.write("precious", "precious");
    std::fs::create_dir(folder.path().join("folder")).expect("a folder");
    let before = folder.names();
    for args in [
        &["seal", "letter", "--to", &me, "--out", "precious"][..],
        &["seal", "letter", "--to", &me, "--out", "folder"],
        &["open", "--identity", "me.key", "letter.age", "--out", "precious"],
        // The passphrase comes after the look.
        &["open", "--identity", "absent.key", "letter.age", "--out", "precious"],
    ] {
        folder.run(args).fails(1, "exists already");
        folder.run(args).fails(1, "--force");
    }
    folder.run(&["seal", "letter", "--to", &me, "--out", "folder", "--force"]).fails(1, "folder: ");
    folder.run(&["seal", "letter", "--to", &me, "--out", "no/such/f"]).fails(1, "cannot write");
    assert_eq!(folder.read("precious"), b"precious");
    folder
        .run(&["open", "--identity", "me.key", "letter.age", "--out", "precious", "--force"])
        .ok();
    assert_eq!(folder.read("precious"), LETTER.as_bytes());
    assert_eq!(folder.names(), before, "no temporary file stays");
    // In its own place.
    folder.run(&["seal", "letter", "--to", &me, "--out", "letter", "--force"]).ok();
    assert_eq!(folder.run(&["open", "--identity", "me.key", "letter"]).ok(), LETTER);
}

/// The old file stays until the whole of the new one was verified.
#[test]
fn what_was_altered_or_cut_off_leaves_no_file() {
    let (folder, me) = sealed();
    let content = "x".repeat(3 * PIECE + 100);
    folder.write("large", &content);
    folder.run(&["seal", "large", "--to", &me, "--out", "large.age"]).ok();
    let whole = folder.read("large.age");
    let last = whole.len() - 100 - 16;
    let mut bad = vec![
        ("cut in the header", whole[..100].to_vec(), 0),
        ("cut at a piece", whole[..last].to_vec(), 3),
        ("cut in the last piece", whole[..whole.len() - 1].to_vec(), 3),
        ("longer", [&whole[..], b"x"].concat(), 3),
    ];
    for (name, at, verified) in [
        ("the header", 60, 0),
        ("the first piece", last - 3 * SEALED_PIECE, 0),
        ("a middle piece", last - SEALED_PIECE - 1, 1),
        ("the last piece", last, 3),
    ] {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        bad.push((name, altered, verified));
    }
    folder.write("opened", "precious");
    for (name, bytes, verified) in bad {
        folder.write("bad.age", &bytes);
        let open = ["open", "--identity", "me.key", "bad.age"];
        let into = |out: &[&str]| folder.run(&[&open[..], out].concat());
        into(&["--out", "new"]).fails(1, "nothing was written");
        into(&["--out", "opened", "--force"]).fails(1, "nothing was written");
        assert_eq!(folder.read("opened"), b"precious", "{name}");

        let piped = folder.run(&open);
        assert_eq!(piped.code, Some(1), "{name}");
        assert_eq!(piped.out.len(), verified * PIECE, "{name}");
        let discard = piped.err.contains("discard what went to standard output");
        assert_eq!(discard, verified > 0, "{name}: {}", piped.err);
    }
    let names = folder.names();
    assert_eq!(
        names,
        ["bad.age", "large", "large.age", "letter", "letter.age", "me.key", "opened"]
    );
}

#[test]
fn other_files_are_named() {
    let (folder, me) = sealed();
    let open = |name: &str| folder.run(&["open", "--identity", "me.key", name]);
    open("letter").fails(1, "letter: this is no sealed file");
    open("me.key").fails(1, "by a passphrase (scrypt)");
    open(&fixture_text("age-to-a-key.txt")).fails(1, "was not sealed to this key");
    open("absent").fails(1, "absent: cannot be read");
    open(".").fails(1, ".: cannot be read: is a directory");
    let seal = |name: &str| folder.run(&["seal", name, "--to", &me]);
    seal("absent").fails(1, "absent: cannot be read");
    seal(".").fails(1, ".: cannot be read: is a directory");
    let wrong = ["open", "--identity", "me.key", "letter.age", "--out", "opened"];
    folder.run_with("wrong", &wrong).fails(1, "does not open this key file");
    assert_eq!(folder.names(), ["letter", "letter.age", "me.key"]);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let (folder, me) = sealed();
    for (args, said) in [
        (&["seal", "letter"][..], "--to"),
        (&["seal", "letter", "--to", &me[..60]], "checksum"),
        (&["seal", "letter", "--to", &me, "--to", "age1qqq"], "not a peer id"),
        (&["seal", "letter", "--to", &me, "--json"], "standard output"),
        (&["open", "letter.age"], "--identity"),
        (&["open", "letter.age", "--identity", "me.key", "--json"], "standard output"),
        (&["open", "--identity", "-"], "more than once"),
        (&["open", "--identity", "me.key", "--passphrase-file", "-"], "more than once"),
    ] {
        let ran = folder.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {ran:?}");
        assert!(ran.err.contains(said), "{args:?}: {ran:?}");
    }
    if !has("script") {
        return;
    }
    // Bytes never reach a terminal (which `script` makes).
    let bin = crate::common::BIN;
    let mut command = std::process::Command::new("script");
    command.args(["-qec", &format!("{bin} seal letter --to {me}"), "/dev/null"]);
    folder.settle(&mut command);
    let ran = ran(command.output());
    assert!(ran.code == Some(2) && ran.out.contains("--armor"), "{ran:?}");
}

/// Any `age` seals to the `age1…` that `show` prints.
#[test]
fn agrees_with_age() {
    let (folder, me) = sealed();
    let shown = folder.run(&["show", "me.key", "--json"]).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("json");
    let recipient = shown["age_recipient"].as_str().expect("an age1…");
    assert!(folder.run(&["show", &me]).ok().contains(recipient));
    let to: age::x25519::Recipient = recipient.parse().expect("an age1…");
    folder.write("theirs.age", age::encrypt(&to, LETTER.as_bytes()).expect("sealed"));
    folder.write("theirs.txt", age::encrypt_and_armor(&to, LETTER.as_bytes()).expect("sealed"));
    for name in ["theirs.age", "theirs.txt"] {
        assert_eq!(folder.run(&["open", "--identity", "me.key", name]).ok(), LETTER);
    }
}

/// 50 MiB pass through, and no more than a little of it is ever in memory.
#[cfg(target_os = "linux")]
#[test]
fn files_of_any_length_pass_through() {
    const LEN: usize = 50 * 1024 * 1024;
    let folder = Folder::new();
    let me = folder.run(&["generate", "--out", "me.key", "--no-passphrase"]).ok();
    let content: Vec<u8> = (0..LEN).map(|at| (at / 7 % 251) as u8).collect();
    for form in [None, Some("--armor")] {
        let mut args = vec!["seal", "--to", me.trim(), "--out", "large.age", "--force"];
        args.extend(form);
        let seal = most_memory(&folder, &args, &content);
        let open = ["open", "--identity", "me.key", "--out", "large", "--force"];
        let open = most_memory(&folder, &open, &folder.read("large.age"));
        assert!(folder.read("large") == content);
        assert!(seal < 16 * 1024 && open < 16 * 1024, "{form:?}: {seal} KiB, {open} KiB");
    }
}

/// What a run had in memory at most, in KiB, when all but the last of its input was read.
#[cfg(target_os = "linux")]
fn most_memory(folder: &Folder, args: &[&str], input: &[u8]) -> u64 {
    let mut command = folder.command(args);
    command.env("TAIINET_PASSPHRASE", PASSPHRASE).stdin(Stdio::piped());
    let mut child: Child = command.spawn().expect("the command runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    let (most, last) = input.split_at(input.len() - 1);
    pipe.write_all(most).expect("it is read");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    pipe.write_all(last).expect("it is read");
    drop(pipe);
    assert!(child.wait().expect("it ends").success());
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
