//! Wrong inputs, and what is said of them.

use std::path::Path;

use taiinet::archives::RedbStore;
use taiinet_document::Content;

use super::{
    documents::{lines, of_all_kinds, open, sign},
    support::{Room, done, export, fails, identity, json},
};

#[test]
fn a_wrong_line_is_named_and_what_came_before_it_is_kept() {
    let room = Room::new();
    let good = sign(&identity(1), 1, None, open(r#"{"n": 1}"#)).signed().clone();
    let last = sign(&identity(1), 2, None, open(r#"{"n": 2}"#)).signed().clone();
    let mut forged = good.to_wire();
    // In the signature.
    forged[40] ^= 1;
    let base64 = |bytes: &[u8]| base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes);
    let truncated = good.to_wire();
    for (name, line, says) in [
        ("forged", format!("{{\"signed\":\"{}\"}}", base64(&forged)), "signature"),
        ("cut", format!("{{\"signed\":\"{}\"}}", base64(&truncated[..90])), "signed"),
        ("base64", "{\"signed\":\"no!\"}".to_owned(), "base64"),
        ("plain", "{\"n\":3}".to_owned(), "--identity"),
        ("text", "no document".to_owned(), "column 2"),
        ("list", "[{\"n\":3}]".to_owned(), "object"),
    ] {
        let store = room.text(&format!("store-{name}"));
        let text = format!("{}{line}\n{}", lines([&good]), lines([&last]));
        let file = room.write(name, text);
        let said = fails(1, &format!("import {file} --store {store}"));
        assert!(said.contains(&format!("{file}:2: ")) && said.contains(says), "{name}: {said}");
        assert!(said.contains("in the archive: 1 document;"), "{said}");
        assert_eq!(export(&store).lines().count(), 1, "{name}");
        let skipped = json(&format!("import {file} --store {store} --skip-invalid --json"));
        let counts = ["stored", "known", "invalid"].map(|what| skipped[what].as_u64());
        assert_eq!(counts, [Some(1); 3], "{name}");
        assert_eq!(export(&store).lines().count(), 2, "{name}");
    }
}

#[test]
fn another_networks_documents_do_not_mix() {
    let room = Room::new();
    let (store, file) = (room.text("store"), room.write("all.ndjson", lines(&of_all_kinds())));
    let said = fails(1, &format!("import {file} --store {store} --network other"));
    assert!(said.contains(":1: the document is of the network \"tests\""), "{said}");
    assert!(!Path::new(&store).exists(), "nothing is made for nothing");
    done(&format!("import {file} --store {store}"));
    let said = fails(1, &format!("import {file} --store {store} --network other"));
    assert!(said.contains("choose another directory"), "{said}");
}

#[test]
fn a_plain_line_needs_a_key_and_a_time_that_are_some() {
    let room = Room::new();
    let (store, key) = (room.text("store"), room.key());
    let import = |name: &str, line: &str, more: &str| {
        let file = room.write(name, line);
        fails(1, &format!("import {file} --store {store} --identity {key} {more}"))
    };
    assert!(import("a", "{}", "").contains("--network"));
    for (line, says) in [
        ("{}", "there is no field \"id\""),
        ("{\"id\":[1],\"at\":1}", "\"id\" is"),
        ("{\"id\":1,\"at\":\"soon\"}", "\"at\" is no time"),
        ("{\"id\":1,\"at\":-1}", "\"at\" is no time"),
        ("{\"id\":1,\"at\":1.5}", "\"at\" is no time"),
        ("{\"id\":1,\"at\":99999999999999}", "in the future"),
    ] {
        let said = import("b", line, "--network n --key-field id --time-field at");
        assert!(said.contains(":1: ") && said.contains(says), "{line}: {said}");
    }
}

/// A field of that name is no signature.
#[test]
fn a_plain_line_may_have_a_field_that_is_called_signed() {
    let room = Room::new();
    let (store, key) = (room.text("store"), room.key());
    let file = room.write("p", "{\"signed\":\"Ada\",\"at\":5}\n{\"signed\":true,\"at\":6}\n");
    done(&format!("import {file} --store {store} --network n --identity {key} --time-field at"));
    assert!(export(&store).contains("\"data\":{\"at\":5,\"signed\":\"Ada\"}"));
}

#[test]
fn what_is_not_there_and_what_is_in_use_is_said() {
    let room = Room::new();
    let (store, file) = (room.text("store"), room.write("all.ndjson", lines(&of_all_kinds())));
    for command in ["archive stats", "archive check", "archive repair", "archive compact", "export"]
    {
        let said = fails(1, &format!("{command} --store {store}"));
        assert!(said.contains("there is no archive in"), "{command}: {said}");
        assert!(!Path::new(&store).exists(), "{command} makes none");
    }
    let said = fails(1, &format!("import {} --store {store}", room.text("absent")));
    assert!(said.contains("absent"), "{said}");
    done(&format!("import {file} --store {store}"));
    let open = RedbStore::open(store.as_ref()).expect("opens");
    for command in [
        "archive stats",
        "archive check",
        "archive repair",
        "archive compact",
        "export",
        "import -",
    ] {
        let said = fails(1, &format!("{command} --store {store}"));
        assert!(said.contains("another process has the store") && said.contains(&store), "{said}");
    }
    drop(open);
    export(&store);
}

/// Deletions and private subscriptions of others are no reason to stop.
#[test]
fn what_no_archive_keeps_is_passed_over() {
    let room = Room::new();
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let recipient = taiinet_identity::RecipientKey::generate(&mut rng).id();
    let subscription = taiinet_document::Subscription { query: "{}".to_owned(), recipient };
    let author = identity(1);
    let document = sign(&author, 1, None, Content::Subscription(subscription)).signed().clone();
    let file = room.write("s", lines([&document]));
    let said = json(&format!("import {file} --store {} --json", room.text("store")));
    assert_eq!((&said["stored"], &said["unkept"]), (&0.into(), &1.into()));
}

/// The limit on the size of files stands for a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_what_was_taken_is_there() {
    use std::process::Command;
    let room = Room::new();
    let (store, key) = (room.text("store"), room.key());
    let (vectors, count) = super::documents::vectors();
    let file = room.write("vectors.ndjson", vectors);
    let import = format!(
        "import {file} --store {store} --network n --identity {key} --time-field at --key-field name"
    );
    let limited = format!(
        "trap '' XFSZ; ulimit -f 8192; exec {} {import} --json",
        env!("CARGO_BIN_EXE_taiinet")
    );
    let output = Command::new("sh").args(["-c", &limited]).output().expect("it runs");
    let (code, out, said) = super::support::told(&output);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the disk is full") && !said.contains("panicked"), "{said}");
    let summary: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let stored = summary["stored"].as_u64().expect("a number");
    let kept = export(&store).lines().count() as u64;
    assert!(stored > 0 && kept >= stored, "{kept} of {stored}");
    done(&import);
    assert_eq!(export(&store).lines().count(), count);
}
