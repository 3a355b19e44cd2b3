//! Random cases on which two other engines and this one agree (`tests/data/README.md`).

use std::fs;

use taiinet_document::{DocumentId, Map, Timestamp, Value};
use taiinet_identity::PeerId;
use taiinet_query::{Attributes, Query};

use crate::field;

/// A case.
pub(crate) struct Case<'l> {
    /// As it stands in the file.
    pub(crate) line: &'l str,
    pub(crate) query: Query,
    /// The query as it was written, the document, and whether the one matches the other.
    row: Map,
}

impl Case<'_> {
    pub(crate) fn written(&self) -> &Value {
        field(&self.row, "q")
    }

    pub(crate) fn content(&self) -> &Map {
        let line = self.line;
        let Value::Map(content) = field(&self.row, "d") else {
            panic!("a document is a map: {line}")
        };
        content
    }
}

/// Looks at all of them. How many there are.
pub(crate) fn each(mut look: impl FnMut(Case<'_>)) -> usize {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/agreed.ndjson");
    let text = fs::read_to_string(path).expect("the file of cases");
    for line in text.lines() {
        let Ok(Value::Map(row)) = Value::from_json(line) else { panic!("a row is a map: {line}") };
        let query = Query::parse(field(&row, "q")).unwrap_or_else(|e| panic!("{line}: {e}"));
        look(Case { line, query, row });
    }
    text.lines().count()
}

/// What the documents of the cases have beside their content, where that matters.
pub(crate) fn attributes() -> Attributes<'static> {
    Attributes {
        id: Some(DocumentId::from_bytes([1; 32])),
        author: PeerId::from_bytes([7; 32]),
        owner: PeerId::from_bytes([7; 32]),
        key: None,
        created_at: Timestamp::from_millis(5),
    }
}

#[test]
fn other_engines_agree() {
    let mut wrong = Vec::new();
    let count = each(|case| {
        if Value::Bool(case.query.matches(case.content())) != *field(&case.row, "e") {
            wrong.push(case.line.to_owned());
        }
    });
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 4_000);
}
