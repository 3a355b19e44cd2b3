//! Imports that are killed.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use super::{
    documents::vectors,
    support::{Room, command, done, export, json},
};

/// Wherever it is killed, nothing that it has said to be there is lost, and run again it ends as if nothing had
/// been.
#[test]
fn an_import_that_is_killed_goes_on_where_it_was() {
    let room = Room::new();
    let key = room.key();
    let (vectors, count) = vectors();
    assert!(count > 10_000, "{count}");
    let file = room.write("vectors.ndjson", vectors);
    let import = |store: &str| {
        format!(
            "import {file} --store {store} --network vectors --identity {key} --key-field name \
             --time-field at --index type,set"
        )
    };
    let whole = room.text("whole");
    done(&import(&whole));
    let expected = export(&whole);
    assert_eq!(expected.lines().count(), count);

    let killed = room.text("killed");
    let mut stored = 0;
    for commits in [1, 3, 0, 2] {
        let mut command = command(&import(&killed));
        command.arg("--report").stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut said = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let mut reported = 0;
        for line in said.by_ref().take(commits).map_while(Result::ok) {
            let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            reported = line["stored"].as_u64().expect("a number");
        }
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        if commits == 0 && stored == 0 {
            continue;
        }
        let stats = json(&format!("archive stats --store {killed} --json"));
        let there = stats["documents"].as_u64().expect("a number");
        assert!(there >= stored + reported, "{there} of {stored} and {reported}");
        stored = there;
    }
    assert!(stored > 0);
    let rest = json(&format!("{} --json", import(&killed)));
    assert_eq!(rest["stored"].as_u64(), Some(count as u64 - stored));
    assert_eq!(rest["known"].as_u64(), Some(stored));
    assert!(export(&killed) == expected, "it is the same database");

    // And once more by way of a file.
    let (out, copy) = (room.text("out.ndjson"), room.text("copy"));
    done(&format!("export --store {killed} --out {out}"));
    done(&format!("import {out} --store {copy}"));
    assert!(export(&copy) == expected, "it is the same database");
}
