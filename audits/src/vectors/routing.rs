//! Routing keys: of queries, with those that cover them, and the terms of documents.

use serde_json::{Value as Json, json};
use taiinet_document::{DocumentId, Timestamp};
use taiinet_mesh::wire::codec;
use taiinet_query::{Attributes, DocumentKeys, Query, RoutingKey, WireKey};

use crate::fixture::{NOW, hex, identity, map};

const QUERIES: [&str; 14] = [
    "{}",
    r#"{"a":{"$in":[]}}"#,
    r#"{"a":"x"}"#,
    r#"{"a":""}"#,
    r#"{"a":"a longer text, of more than thirty-two bytes"}"#,
    r#"{"a":1}"#,
    r#"{"a":-0.75}"#,
    r#"{"a":9007199254740993}"#,
    r#"{"a":true}"#,
    r#"{"a.b":"x"}"#,
    r#"{"a":"x","b":"y"}"#,
    r#"{"a":{"$gte":1000}}"#,
    r#"{"a":{"$gte":5000,"$lt":5010}}"#,
    r#"{"$or":[{"a":"x"},{"b":{"$lt":"m"}}]}"#,
];

const DOCUMENTS: [&str; 6] = [
    "{}",
    r#"{"a":null}"#,
    r#"{"a":"x"}"#,
    r#"{"a":[1,-0.75]}"#,
    r#"{"a":{"b":true}}"#,
    r#"{"a":[{"b":"x"},{"b":9007199254740993,"0":1}]}"#,
];

fn attributes() -> Attributes<'static> {
    let author = identity(1).peer_id();
    let id = Some(DocumentId::from_bytes([0x0f; 32]));
    let created_at = Timestamp::from_millis(NOW.as_millis());
    Attributes { id, author, owner: author, key: None, created_at }
}

fn wire(key: &WireKey) -> String {
    hex(&codec::encode(key))
}

pub(super) fn vectors() -> Json {
    let query = |text: &str| {
        let keys = text.parse::<Query>().expect("a query").routing_keys();
        let of = |key: &RoutingKey| {
            let ancestors: Vec<String> = key.ancestors().iter().map(wire).collect();
            json!({ "wire": wire(&key.wire()), "ancestors": ancestors })
        };
        json!({ "query": text, "keys": keys.iter().map(of).collect::<Vec<_>>() })
    };
    let reserved = DocumentKeys::of_fields(attributes(), &map("{}")).terms();
    let document = |text: &str| {
        let keys = DocumentKeys::of_fields(attributes(), &map(text));
        let terms = keys.terms().into_iter().filter(|term| !reserved.contains(term));
        json!({ "content": text, "terms": terms.map(|term| term.to_string()).collect::<Vec<_>>() })
    };
    json!({
        "queries": QUERIES.map(query),
        "created_at": NOW.as_millis(),
        "terms_of_reserved_fields": reserved.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "other_terms_of_documents": DOCUMENTS.map(document),
    })
}
