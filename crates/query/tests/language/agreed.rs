//! Random cases on which two other engines and this one agree (`tests/data/README.md`).

use std::fs;

use taiinet_document::Value;
use taiinet_query::Query;

use crate::field;

#[test]
fn other_engines_agree() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/agreed.ndjson");
    let text = fs::read_to_string(path).expect("the file of cases");
    let mut wrong = Vec::new();
    for line in text.lines() {
        let Ok(Value::Map(row)) = Value::from_json(line) else { panic!("a row is a map: {line}") };
        let query = Query::parse(field(&row, "q")).unwrap_or_else(|e| panic!("{line}: {e}"));
        let Value::Map(content) = field(&row, "d") else { panic!("a document is a map: {line}") };
        if Value::Bool(query.matches(content)) != *field(&row, "e") {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(text.lines().count() >= 4_000);
}
