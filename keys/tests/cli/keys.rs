//! Making, showing and protecting keys, through the real command.

use std::fs;

use crate::common::{BIN, Folder, PASSPHRASE, feed, fixture, fixture_text, has, ran};

#[test]
fn a_new_key_is_an_age_file_for_its_owner_only() {
    let folder = Folder::new();
    let ran = folder.run(&["generate", "--out", "me.key"]);
    assert!(ran.err.contains("wrote me.key"), "{ran:?}");
    let peer_id = ran.ok().trim().to_owned();
    assert!(peer_id.starts_with("tn1") && peer_id.len() == 61, "{peer_id}");
    assert!(folder.read("me.key").starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----\n"));
    assert_eq!(folder.peer_id("me.key", PASSPHRASE), peer_id);
    assert_eq!(folder.names(), ["me.key"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path().join("me.key")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
    // Each key is another.
    assert_ne!(folder.generate("other.key"), peer_id);
}

#[test]
fn without_a_passphrase_only_if_said_so() {
    let folder = Folder::new();
    let ran = ran(folder.command(&["generate", "--out", "me.key", "--no-passphrase"]).output());
    assert!(ran.err.contains("without a passphrase"), "{ran:?}");
    ran.ok();
    assert!(folder.read("me.key").starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
    let empty = folder.run_with("", &["generate", "--out", "other.key"]);
    empty.fails(1, "the passphrase is empty");
    assert_eq!(folder.names(), ["me.key"]);
}

#[test]
fn nothing_is_overwritten_without_force() {
    let folder = Folder::new();
    folder.generate("me.key");
    folder.write("sig", "precious");
    folder.write("letter", "hello");
    let before = folder.read("me.key");
    let imported = fixture_text("openssh");
    for args in [
        &["generate", "--out", "me.key"][..],
        // Long searches and passphrases come after the look.
        &["generate", "--out", "me.key", "--vanity", "qqqqqqqqqqqq"],
        &["import", &imported, "--out", "me.key"],
        &["export", &imported, "--format", "openssh", "--out", "me.key"],
        &["sign", "letter", "--key", "me.key", "--out", "sig"],
    ] {
        folder.run(args).fails(1, "exists already");
        folder.run(args).fails(1, "--force");
    }
    assert_eq!(folder.read("me.key"), before);
    assert_eq!(folder.read("sig"), b"precious");

    let old = folder.peer_id("me.key", PASSPHRASE);
    let new = folder.run(&["generate", "--out", "me.key", "--force"]).ok();
    assert_ne!(new.trim(), old);
    assert_eq!(folder.peer_id("me.key", PASSPHRASE), new.trim());
    assert_eq!(folder.names(), ["letter", "me.key", "sig"]);
}

#[test]
fn where_nothing_can_be_written_is_said_before_a_long_search() {
    let folder = Folder::new();
    folder.write("letter", "hello");
    fs::create_dir(folder.path().join("folder")).expect("a folder");
    for (out, reason) in [
        ("missing/me.key", "missing/me.key"),
        ("letter/me.key", "letter/me.key"),
        // As root, a folder's mode forbids nothing: one where even root cannot write.
        ("/proc/me.key", "/proc/me.key"),
        ("folder", "folder"),
    ] {
        // This search would not end in a lifetime.
        let args = ["generate", "--force", "--out", out, "--vanity", "qqqqqqqqqqqq"];
        folder.run(&args).fails(1, reason);
    }
    assert_eq!(folder.names(), ["folder", "letter"]);
}

#[test]
fn a_wrong_passphrase_loses_nothing() {
    let folder = Folder::new();
    folder.generate("me.key");
    folder.write("letter", "hello");
    let before = folder.read("me.key");
    for args in [
        &["show", "me.key"][..],
        &["sign", "letter", "--key", "me.key", "--out", "sig"],
        &["passphrase", "me.key", "--remove"],
        &["passphrase", "me.key", "--new-passphrase-file", "letter"],
        &["export", "me.key", "--format", "openssh", "--out", "id"],
        &["import", "me.key", "--out", "id"],
    ] {
        folder.run_with("wrong", args).fails(1, "the passphrase does not open this key file");
    }
    assert_eq!(folder.read("me.key"), before);
    assert_eq!(folder.names(), ["letter", "me.key"]);
}

#[test]
fn damaged_and_foreign_files_are_named() {
    let folder = Folder::new();
    folder.generate("me.key");
    let whole = folder.read("me.key");
    folder.write("cut.key", &whole[..whole.len() / 2]);
    folder.write("binary", [0xff; 100]);
    folder.write("empty", "");
    folder.write("utf-16", b"\xff\xfe-\0");
    folder.write("huge", vec![b'a'; 1_000_000]);
    for (name, said) in [
        ("cut.key", "damaged"),
        ("binary", "no key file"),
        ("empty", "is empty"),
        ("utf-16", "this is UTF-16"),
        ("huge", "far too long"),
        ("absent", "No such file"),
        (".", "cannot read the key file"),
        (&fixture_text("openssh-rsa"), "another algorithm"),
        (&fixture_text("openssh-ecdsa-passphrase"), "another algorithm"),
        (&fixture_text("openssh.pub"), "an OpenSSH public key"),
        (&fixture_text("rsa.pem"), "an RSA key"),
        (&fixture_text("age-to-a-key.txt"), "no passphrase opens"),
    ] {
        let ran = folder.run(&["show", name]);
        ran.fails(1, said);
        assert!(ran.err.starts_with(&format!("error: {name}: ")), "{ran:?}");
    }
}

#[test]
fn shows_the_same_for_key_and_peer_id() {
    let folder = Folder::new();
    let peer_id = folder.generate("me.key");
    let json = |args: &[&str]| -> serde_json::Value {
        serde_json::from_str(&folder.run(args).ok()).expect("json")
    };
    let of_key = json(&["show", "me.key", "--json"]);
    let of_id = json(&["show", &peer_id, "--json"]);
    let of_did = json(&["show", of_key["did_key"].as_str().expect("a did:key"), "--json"]);
    assert_eq!(of_id, of_did);
    for field in ["peer_id", "did_key", "ed25519", "x25519"] {
        assert_eq!(of_key[field], of_id[field], "{field}");
    }
    assert_eq!(of_key["passphrase"], true);
    assert_eq!(of_id.get("passphrase"), None);
    let text = folder.run(&["show", &peer_id]).ok();
    for value in [&of_id["peer_id"], &of_id["did_key"], &of_id["x25519"]["hex"]] {
        assert!(text.contains(value.as_str().expect("text")), "{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours where there is no terminal");
    let typo = format!("{}q", &peer_id[..60]);
    folder.run(&["show", if typo == peer_id { "tn1" } else { &typo }]).fails(1, "mistyped");
    // From standard input.
    let piped = folder.pipe(&folder.read("me.key"), &["show", "-"]).ok();
    assert!(piped.contains(&peer_id));
}

#[test]
fn the_passphrase_comes_from_a_file_too() {
    let folder = Folder::new();
    folder.write("pw", format!("{PASSPHRASE}\r\nnot this line\n"));
    let made = folder.command(&["generate", "--out", "me.key", "--passphrase-file", "pw"]).output();
    let peer_id = ran(made).ok().trim().to_owned();
    assert_eq!(folder.peer_id("me.key", PASSPHRASE), peer_id);
    // It goes before the environment.
    folder.run_with("wrong", &["show", "me.key", "--passphrase-file", "pw"]).ok();
    let command = folder.command(&["show", "me.key", "--passphrase-file", "-"]);
    feed(command, PASSPHRASE.as_bytes()).ok();
    folder.run(&["show", "me.key", "--passphrase-file", "absent"]).fails(1, "absent");
    folder.write("long", "a".repeat(5000));
    folder.run(&["show", "me.key", "--passphrase-file", "long"]).fails(1, "too long");
}

#[test]
fn passphrase_is_set_changed_and_removed() {
    let folder = Folder::new();
    let peer_id = folder.generate("me.key");
    let change = |old: &str, new: &str| {
        let mut command = folder.command(&["passphrase", "me.key"]);
        command.env("TAIINET_PASSPHRASE", old).env("TAIINET_NEW_PASSPHRASE", new);
        ran(command.output())
    };
    change(PASSPHRASE, "second").ok();
    assert_eq!(folder.peer_id("me.key", "second"), peer_id);
    folder.run(&["show", "me.key"]).fails(1, "does not open");

    let before = folder.read("me.key");
    change("second", "").fails(1, "the passphrase is empty");
    assert_eq!(folder.read("me.key"), before);

    folder.run_with("second", &["passphrase", "me.key", "--remove"]).ok();
    assert!(folder.read("me.key").starts_with(b"-----BEGIN PRIVATE KEY-----"));
    assert_eq!(folder.peer_id("me.key", "unused"), peer_id);

    folder.write("new", "third\n");
    folder.run(&["passphrase", "me.key", "--new-passphrase-file", "new"]).ok();
    assert_eq!(folder.peer_id("me.key", "third"), peer_id);
    assert_eq!(folder.names(), ["me.key", "new"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path().join("me.key")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
}

#[test]
fn openssh_keys_are_left_to_ssh_keygen() {
    let folder = Folder::new();
    fs::copy(fixture("openssh"), folder.path().join("id")).expect("copied");
    let before = folder.read("id");
    folder.run(&["passphrase", "id", "--remove"]).fails(1, "ssh-keygen -p");
    assert_eq!(folder.read("id"), before);
}

/// A write that fails halfway (here: no byte may be written) leaves the old file.
#[cfg(unix)]
#[test]
fn a_write_that_fails_leaves_the_old_key() {
    let folder = Folder::new();
    folder.generate("me.key");
    let before = folder.read("me.key");
    let mut command = std::process::Command::new("sh");
    folder.settle(&mut command);
    let script = format!("ulimit -f 0; exec {BIN} passphrase me.key");
    command.args(["-c", &script]);
    command.env("TAIINET_PASSPHRASE", PASSPHRASE).env("TAIINET_NEW_PASSPHRASE", "second");
    assert!(!command.status().expect("sh runs").success());
    assert_eq!(folder.read("me.key"), before);

    folder.run(&["generate", "--out", "no/such/folder/me.key"]).fails(1, "cannot write");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.run(&["generate", "--out", "me.key", "--no-passphrase"]).ok();
    assert_eq!(folder.run(&["show", "me.key"]).err, "");
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(folder.path().join("me.key"), open).expect("set");
    assert!(folder.run(&["show", "me.key"]).err.contains("chmod 600 me.key"));
}

#[test]
fn without_a_terminal_it_says_where_a_passphrase_can_come_from() {
    if !has("setsid") {
        return;
    }
    let folder = Folder::new();
    folder.generate("me.key");
    for args in [&["show", "me.key"][..], &["generate", "--out", "other.key"]] {
        let mut command = std::process::Command::new("setsid");
        command.args(["--wait", BIN]).args(args);
        folder.settle(&mut command);
        let ran = ran(command.output());
        ran.fails(1, "there is no terminal to ask on");
        ran.fails(1, "--passphrase-file FILE");
    }
    assert_eq!(folder.names(), ["me.key"]);
}

/// On a terminal (which `script` makes) a new passphrase is asked for twice, an old one thrice.
#[test]
fn on_a_terminal_it_asks() {
    if !has("script") {
        return;
    }
    let folder = Folder::new();
    let type_in = |line: &str, typed: &str| {
        let mut command = std::process::Command::new("script");
        command.args(["-qec", &format!("{BIN} {line}"), "/dev/null"]);
        folder.settle(&mut command);
        feed(command, typed.as_bytes())
    };
    let differ = type_in("generate --out me.key", "one\ntwo\n");
    assert!(differ.out.contains("the two passphrases differ"), "{differ:?}");
    assert_eq!((differ.code, folder.names().len()), (Some(1), 0));

    let made = type_in("generate --out me.key", "correct horse\ncorrect horse\n");
    assert_eq!(made.code, Some(0), "{made:?}");
    let shown = type_in("show me.key", "wrong\nwronger\ncorrect horse\n");
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.out.contains(&folder.peer_id("me.key", PASSPHRASE)), "{shown:?}");

    let refused = type_in("show me.key", "a\nb\nc\nd\n");
    assert_eq!(refused.code, Some(1), "{refused:?}");
}

#[test]
fn vanity_finds_a_key_that_begins_so() {
    let folder = Folder::new();
    let ran = folder.run(&["generate", "--out", "me.key", "--vanity", "zz", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&ran.ok()).expect("json");
    let peer_id = shown["peer_id"].as_str().expect("a peer id");
    assert!(peer_id.starts_with("tn1zz"));
    assert_eq!(folder.peer_id("me.key", PASSPHRASE), peer_id);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let folder = Folder::new();
    folder.run(&["generate", "--out", "me.key", "--no-passphrase"]).ok();
    for (args, said) in [
        (&[][..], "Usage"),
        (&["frobnicate"], "unrecognized"),
        (&["generate"], "--out"),
        (&["generate", "--out", "a", "--vanity", "bio"], "`b` does not occur"),
        (&["generate", "--out", "a", "--work-factor", "64"], "from 10 to 20"),
        (&["generate", "--out", "-", "--json"], "standard output"),
        (&["verify", "a", "--signature", "b", "--from", "tn1qqqqq"], "checksum"),
        (&["export", "me.key", "--out", "a", "--format", "pkcs8"], "--no-passphrase"),
        (&["sign", "-", "--key", "-"], "more than once"),
        (&["passphrase", "-"], "name the key file"),
    ] {
        let ran = folder.run(args);
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
        assert!(ran.err.contains(said), "{args:?}: {ran:?}");
    }
    assert_eq!(folder.names(), ["me.key"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_noticed() {
    let folder = Folder::new();
    folder.run(&["generate", "--out", "me.key", "--no-passphrase"]).ok();
    let full = fs::File::options().write(true).open("/dev/full").expect("a device");
    let ran = ran(folder.command(&["show", "me.key"]).stdout(full).output());
    ran.fails(1, "standard output");
}

/// Names of files may be a stranger's (in an archive, on a shared disk).
#[cfg(unix)]
#[test]
fn names_of_files_do_not_move_the_terminal() {
    let folder = Folder::new();
    let evil = "\u{9b}2J\u{9d}0;fine\u{7f}\u{202e}\u{200b}\n\r\u{1b}[2J";
    let name = format!("{evil}.key");
    let harmless = |text: &str| {
        !text
            .chars()
            .any(|char| char.is_control() && char != '\n' || "\u{202e}\u{200b}".contains(char))
    };
    let made = folder.run(&["generate", "--out", &name, "--json"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(harmless(&made.out) && harmless(&made.err) && !made.err.is_empty(), "{made:?}");
    for args in [
        vec!["generate", "--out", &*name],
        vec!["show", &*name],
        vec!["show", &*name, "--json"],
        vec!["show", "\u{9b}2J\u{202e}\n missing"],
    ] {
        let ran = folder.run(&args);
        assert!(harmless(&ran.out) && harmless(&ran.err), "{args:?}: {ran:?}");
        assert!(!ran.err.contains("\n.key") && !ran.out.contains("\n.key"), "{args:?}: {ran:?}");
    }
    let shown: serde_json::Value = serde_json::from_str(&made.out).expect("JSON");
    assert_eq!(shown["file"], name.as_str(), "it says the same");
}
