//! Whatever matches is found in an index of any path that the query names (`tests/data/README.md`).

use std::collections::BTreeSet;

use taiinet_document::Value;
use taiinet_query::{Path, index_keys};

use crate::agreed;

#[test]
fn what_other_engines_match_is_found() {
    let (mut found, mut spared, mut missed) = (0, 0, Vec::new());
    agreed::each(|case| {
        let mut paths = BTreeSet::new();
        named(case.written(), "", &mut paths);
        for path in paths {
            let path: Path = path.parse().unwrap_or_else(|e| panic!("{path}: {e}"));
            let Some(bounds) = case.query.bounds(&path) else { continue };
            let keys = index_keys(&path, agreed::attributes(), case.content()).keys;
            let is_found = keys.iter().any(|key| bounds.contains(key));
            match (is_found, case.query.matches(case.content())) {
                (true, true) => found += 1,
                (false, true) => missed.push(case.line.to_owned()),
                (false, false) => spared += 1,
                (true, false) => {}
            }
        }
    });
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
