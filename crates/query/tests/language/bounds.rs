//! Whatever matches is found in an index of any path that the query names (`tests/data/README.md`).

use std::{collections::BTreeSet, fs};

use taiinet_document::{DocumentId, Timestamp, Value};
use taiinet_identity::PeerId;
use taiinet_query::{Attributes, Path, Query, index_keys};

use crate::field;

#[test]
fn what_other_engines_match_is_found() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/agreed.ndjson");
    let text = fs::read_to_string(path).expect("the file of cases");
    let attributes = Attributes {
        id: Some(DocumentId::from_bytes([1; 32])),
        author: PeerId::from_bytes([7; 32]),
        owner: PeerId::from_bytes([7; 32]),
        key: None,
        created_at: Timestamp::from_millis(5),
    };
    let (mut found, mut spared, mut missed) = (0, 0, Vec::new());
    for line in text.lines() {
        let Ok(Value::Map(row)) = Value::from_json(line) else { panic!("a row is a map: {line}") };
        let query = Query::parse(field(&row, "q")).unwrap_or_else(|e| panic!("{line}: {e}"));
        let Value::Map(content) = field(&row, "d") else { panic!("a document is a map: {line}") };
        let mut paths = BTreeSet::new();
        named(field(&row, "q"), "", &mut paths);
        for path in paths {
            let path: Path = path.parse().unwrap_or_else(|e| panic!("{path}: {e}"));
            let Some(bounds) = query.bounds(&path) else { continue };
            let keys = index_keys(&path, attributes, content).keys;
            match (keys.iter().any(|key| bounds.contains(key)), query.matches(content)) {
                (true, true) => found += 1,
                (false, true) => missed.push(line),
                (false, false) => spared += 1,
                (true, false) => {}
            }
        }
    }
    assert!(missed.is_empty(), "{} are missed:\n{}", missed.len(), missed.join("\n"));
    // Bounds that hold everything would miss nothing either.
    assert!(found > 300, "only {found} were found");
    assert!(spared > 3_000, "only {spared} were left out");
}

/// All paths that a query names, also those below another.
fn named(query: &Value, above: &str, into: &mut BTreeSet<String>) {
    match query {
        Value::List(list) => list.iter().for_each(|query| named(query, above, into)),
        Value::Map(map) => {
            for (name, query) in map {
                if name.starts_with('$') {
                    named(query, above, into);
                } else {
                    let dot = if above.is_empty() { "" } else { "." };
                    let path = format!("{above}{dot}{name}");
                    named(query, &path, into);
                    into.insert(path);
                }
            }
        }
        _ => {}
    }
}
