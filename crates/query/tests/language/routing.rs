//! Whatever matches stands under one of the query's routing keys (`tests/data/README.md`).

use taiinet_query::DocumentKeys;

use crate::agreed;

#[test]
fn what_other_engines_match_stands_under_a_key() {
    let (mut found, mut spared, mut any, mut missed) = (0, 0, 0, Vec::new());
    agreed::each(|case| {
        let keys = case.query.routing_keys();
        if keys.is_any() {
            any += 1;
            return;
        }
        let document = DocumentKeys::of_fields(agreed::attributes(), case.content());
        match (keys.matches(&document), case.query.matches(case.content())) {
            (true, true) => found += 1,
            (false, true) => missed.push(case.line.to_owned()),
            (false, false) => spared += 1,
            (true, false) => {}
        }
    });
    println!("{found} found, {spared} spared, {any} of any document");
    assert!(missed.is_empty(), "{} are missed:\n{}", missed.len(), missed.join("\n"));
    // Keys of any document would miss nothing either.
    assert!(found > 100, "only {found} were found");
    assert!(spared > 300, "only {spared} were left out");
}
