//! Whatever matches stands under one of the query's routing keys (`tests/data/README.md`).

use std::fs;

use taiinet_document::{DocumentId, Timestamp, Value};
use taiinet_identity::PeerId;
use taiinet_query::{Attributes, DocumentKeys, Query};

use crate::field;

#[test]
fn what_other_engines_match_stands_under_a_key() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/agreed.ndjson");
    let text = fs::read_to_string(path).expect("the file of cases");
    let attributes = Attributes {
        id: Some(DocumentId::from_bytes([1; 32])),
        author: PeerId::from_bytes([7; 32]),
        owner: PeerId::from_bytes([7; 32]),
        key: None,
        created_at: Timestamp::from_millis(5),
    };
    let (mut found, mut spared, mut any, mut missed) = (0, 0, 0, Vec::new());
    for line in text.lines() {
        let Ok(Value::Map(row)) = Value::from_json(line) else { panic!("a row is a map: {line}") };
        let query = Query::parse(field(&row, "q")).unwrap_or_else(|e| panic!("{line}: {e}"));
        let Value::Map(content) = field(&row, "d") else { panic!("a document is a map: {line}") };
        let keys = query.routing_keys();
        if keys.is_any() {
            any += 1;
            continue;
        }
        let document = DocumentKeys::of_fields(attributes, content);
        match (keys.matches(&document), query.matches(content)) {
            (true, true) => found += 1,
            (false, true) => missed.push(line),
            (false, false) => spared += 1,
            (true, false) => {}
        }
    }
    println!("{found} found, {spared} spared, {any} of any document");
    assert!(missed.is_empty(), "{} are missed:\n{}", missed.len(), missed.join("\n"));
    // Keys of any document would miss nothing either.
    assert!(found > 100, "only {found} were found");
    assert!(spared > 300, "only {spared} were left out");
}
