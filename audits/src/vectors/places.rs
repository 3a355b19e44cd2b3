//! The order of documents: what values sort by, and places.

use serde_json::{Value as Json, json};
use taiinet_document::{DocumentId, Map, Timestamp};
use taiinet_query::{Attributes, limits, sort::Sort};

use crate::fixture::{NOW, hex, identity, map};

/// Each less than the next.
const VALUES: [&str; 33] = [
    "null",
    "-1.7976931348623157e308",
    "-9223372036854775808",
    "-9007199254740993",
    "-9007199254740992",
    "-1",
    "-0.5",
    "-5e-324",
    "0",
    "5e-324",
    "0.5",
    "1",
    "258",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "9007199254740994",
    "9223372036854775807",
    "9223372036854775808.0",
    r#""""#,
    r#""\u0000""#,
    r#""A""#,
    r#""a""#,
    r#""a\u0000""#,
    r#""aa""#,
    r#""é""#,
    r#"{}"#,
    r#"{"a":1,"b":null}"#,
    r#"[]"#,
    r#"[null,"a"]"#,
    r#"{"$bytes":"/w=="}"#,
    r#"{"$bytes":"AAE="}"#,
    "false",
];
/// The greatest.
const LAST: &str = "true";

/// Values that are other documents and sort alike.
const ALIKE: [[&str; 2]; 3] =
    [["-0.0", "0"], ["1.0", "1"], ["9007199254740994.0", "9007199254740994"]];

/// Orders, and contents; also of what is a list, goes through one, or is not there.
const PLACES: [(&str, &str); 18] = [
    ("", "{}"),
    ("_created_at:asc", "{}"),
    ("a", r#"{"a":"b"}"#),
    ("a:desc", r#"{"a":"b"}"#),
    ("a,_created_at:desc", r#"{"a":"b"}"#),
    ("a:desc,b", r#"{"a":1,"b":{"c":[2]}}"#),
    ("a", "{}"),
    ("a", r#"{"a":null}"#),
    ("a", r#"{"a":[]}"#),
    ("a:desc", r#"{"a":[]}"#),
    ("a", r#"{"a":[2,"x",1]}"#),
    ("a:desc", r#"{"a":[2,"x",1]}"#),
    ("a.b", r#"{"a":[{"b":9},{"b":[3,2]},{"b":5}]}"#),
    ("a.b", r#"{"a":[{"b":9},{},1]}"#),
    ("a.0", r#"{"a":[["x"],1]}"#),
    ("_key,_id:desc", "{}"),
    ("_created_at:desc,b", "{}"),
    ("_author,_owner", "{}"),
];

const ID: DocumentId = DocumentId::from_bytes([0x0f; 32]);

fn attributes() -> Attributes<'static> {
    let (author, owner) = (identity(1).peer_id(), identity(2).peer_id());
    let created_at = Timestamp::from_millis(NOW.as_millis());
    Attributes { id: Some(ID), author, owner, key: Some("profile"), created_at }
}

fn place(sort: &str, content: &Map) -> Vec<u8> {
    let sort: Sort = sort.parse().expect("an order");
    sort.place(attributes(), content).as_bytes().to_vec()
}

/// What a value sorts by: the place of a document without what follows it.
fn encoding(value: &str, direction: &str) -> Vec<u8> {
    let content = map(&format!(r#"{{"a":[{value}]}}"#));
    let place = place(&format!("a.0:{direction}"), &content);
    place[..place.len() - limits::PLACE_BYTES_LEAST].to_vec()
}

pub(super) fn vectors() -> Json {
    let values: Vec<&str> = VALUES.into_iter().chain([LAST]).collect();
    let sorted = |direction| values.iter().map(move |value| encoding(value, direction));
    assert!(sorted("asc").is_sorted_by(|a, b| a < b));
    assert!(sorted("desc").is_sorted_by(|a, b| a > b));
    assert!(ALIKE.iter().all(|[a, b]| encoding(a, "asc") == encoding(b, "asc")));
    let value = |value: &&str| {
        let [up, down] = ["asc", "desc"].map(|way| hex(&encoding(value, way)));
        json!({ "json": value, "ascending": up, "descending": down })
    };
    let places: Vec<Json> = PLACES
        .into_iter()
        .map(|(sort, content)| {
            let canonical = sort.parse::<Sort>().expect("an order").to_string();
            let place = hex(&place(sort, &map(content)));
            json!({ "sort": sort, "canonical": canonical, "content": content, "place": place })
        })
        .collect();
    let long = format!(r#""{}""#, "x".repeat(100));
    let said = attributes();
    json!({
        "values_in_order": values.iter().map(value).collect::<Vec<_>>(),
        "alike": ALIKE,
        "cut": {
            "a_string_of_x": 100,
            "bytes": limits::SORT_VALUE_BYTES,
            "ascending": hex(&encoding(&long, "asc")),
        },
        "document": {
            "created_at": said.created_at.as_millis(),
            "id": ID.to_string(),
            "author": said.author.to_string(),
            "owner": said.owner.to_string(),
            "key": said.key,
        },
        "places": places,
    })
}
