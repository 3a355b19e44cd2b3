//! Hand-written cases (`tests/data/cases`): a query, documents that match, documents that do not.

use std::fs;

use taiinet_document::{Map, Value};
use taiinet_query::Query;

use crate::field;

#[test]
fn every_case_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/cases");
    let mut checked = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a file of cases");
        let Value::List(cases) =
            Value::from_json(&text).unwrap_or_else(|e| panic!("{path:?}: {e}"))
        else {
            panic!("{path:?} is a list")
        };
        for case in cases {
            let Value::Map(case) = case else { panic!("a case is a map") };
            for (name, expect) in [("yes", true), ("no", false)] {
                let Value::List(documents) = field(&case, name) else { panic!("a list") };
                for document in documents {
                    checked += 1;
                    wrong.extend(check(&case, document, expect));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {checked} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(checked > 1_000, "only {checked} cases were found");
}

fn check(case: &Map, document: &Value, expect: bool) -> Option<String> {
    let (written, Value::Map(content)) = (field(case, "query"), document) else {
        panic!("a document is a map")
    };
    let query = Query::parse(written).unwrap_or_else(|e| panic!("{written:?}: {e}"));
    let why = match case.get("why") {
        Some(Value::String(why)) => why.as_str(),
        _ => "",
    };
    (query.matches(content) != expect).then(|| {
        let (query, document) = (written.to_json(), document.to_json());
        format!("{query:?} on {document:?} must be {expect} {why}")
    })
}
