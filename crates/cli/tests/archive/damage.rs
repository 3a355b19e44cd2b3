//! Files that something else has written to.

use std::{collections::BTreeSet, path::Path};

use taiinet::archives::RedbStore;

use super::{
    documents::few_vectors,
    support::{Room, done, export, fails, flip, json},
};

#[test]
fn damage_is_found_and_repair_keeps_the_rest() {
    let room = Room::new();
    let (store, key) = (room.text("store"), room.key());
    let (some, _) = few_vectors();
    let file = room.write("some.ndjson", some);
    done(&format!(
        "import {file} --store {store} --network vectors --identity {key} --time-field at \
         --key-field name --index type"
    ));
    let before = export(&store);
    let path = Path::new(&store).join(RedbStore::FILE);
    let bytes = std::fs::read(&path).expect("reads");
    // In the middle of a document, and of three more.
    let find = |text: &[u8]| bytes.windows(text.len()).position(|window| window == text);
    let at = [100, 700, 1300, 1900].map(|number| {
        let line = before.lines().nth(number).expect("a line");
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let name = line["data"]["name"].as_str().expect("text");
        find(name.as_bytes()).expect("it is there") + 3
    });
    flip(&path, at);
    let said = fails(1, &format!("archive check --store {store}"));
    let next = format!("taiinet archive repair --store {store}");
    assert!(said.contains(&next) && said.contains("fault"), "{said}");

    let repaired = json(&format!("archive repair --store {store} --json"));
    let after = export(&store);
    assert_eq!(repaired["kept"], after.lines().count(), "{repaired}");
    let lost = before.lines().count() - after.lines().count();
    assert!((1..=8).contains(&lost), "{lost}: {repaired}");
    assert_eq!(repaired["given_up"], lost, "{repaired}");
    let were: BTreeSet<&str> = before.lines().collect();
    assert!(after.lines().all(|line| were.contains(line)), "only what was there");
    assert_eq!(json(&format!("archive stats --store {store} --json"))["network"], "vectors");
    // And it can be gone on with.
    done(&format!(
        "import {file} --store {store} --identity {key} --time-field at --key-field name"
    ));
    assert!(export(&store) == before);
}

#[test]
fn a_file_that_is_no_store_any_more_is_searched_if_its_network_is_given() {
    let room = Room::new();
    let (store, file) = (
        room.text("store"),
        room.write("all.ndjson", super::documents::lines(&super::documents::of_all_kinds())),
    );
    done(&format!("import {file} --store {store}"));
    let before = export(&store);
    let path = Path::new(&store).join(RedbStore::FILE);
    flip(&path, 0..4096);
    let said = fails(1, &format!("archive check --store {store}"));
    assert!(said.contains("taiinet archive repair"), "{said}");
    let said = fails(2, &format!("archive repair --store {store}"));
    assert!(said.contains("--network"), "{said}");
    let said = done(&format!("archive repair --store {store} --network tests"));
    assert!(said.contains("documents.damaged"), "{said}");
    assert!(before.lines().all(|line| export(&store).contains(line)));
}
