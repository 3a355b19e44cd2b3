//! Routing keys of queries, what documents have of them, and sets of them.

use serde_json::{Value as Json, json};
use taiinet_document::{DocumentId, Timestamp};
use taiinet_mesh::wire::codec;
use taiinet_query::{Attributes, DocumentKeys, KeySet, Query, RoutingKey, limits::KEY_SET_BYTES};

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

fn keys(query: &str) -> Vec<RoutingKey> {
    query.parse::<Query>().expect("a query").routing_keys().iter().copied().collect()
}

fn document(content: &str) -> DocumentKeys {
    DocumentKeys::of_fields(attributes(), &map(content))
}

/// Keys, and how many bytes a set of them may take: as they are, as hashes, of lower levels, all.
fn sets() -> Vec<(Vec<RoutingKey>, usize)> {
    let some = || QUERIES.iter().skip(2).flat_map(|query| keys(query)).collect::<Vec<_>>();
    let follow = |i: u32| keys(&format!(r#"{{"b":"y","a":"user {i}"}}"#));
    let follows: Vec<RoutingKey> = (0..60).flat_map(follow).collect();
    let all = keys("{}");
    vec![
        (Vec::new(), KEY_SET_BYTES),
        (some(), KEY_SET_BYTES),
        (some(), 90),
        (follows.clone(), 300),
        (follows.clone(), 140),
        (follows, 20),
        (all, KEY_SET_BYTES),
    ]
}

/// Inputs of the fuzz target: two sets, a document and keys.
pub(super) fn routing() -> Vec<Vec<u8>> {
    let of = |(keys, most): &(Vec<RoutingKey>, usize)| KeySet::of(keys.iter().copied(), *most);
    let sets = sets();
    sets.iter()
        .zip(sets.iter().skip(1))
        .zip(DOCUMENTS)
        .map(|((one, other), content)| {
            let few: Vec<RoutingKey> = one.0.iter().take(8).copied().collect();
            codec::encode(&(of(one), of(other), document(content), few))
        })
        .collect()
}

pub(super) fn vectors() -> Json {
    let wires =
        |keys: &[RoutingKey]| keys.iter().map(|key| hex(&codec::encode(key))).collect::<Vec<_>>();
    let query = |text: &str| json!({ "query": text, "keys": wires(&keys(text)) });
    // Not what stands at reserved fields.
    let fields = r#"{"$or":[{"a":1,"a.b":1},{"b":1}]}"#;
    let paths = KeySet::of(keys(fields), KEY_SET_BYTES).paths();
    let content = |text: &str| {
        let keys = document(text).only(|path| paths.contains(&path));
        json!({ "content": text, "keys": hex(&codec::encode(&keys)) })
    };
    let set = |(keys, most): &(Vec<RoutingKey>, usize)| {
        let set = KeySet::of(keys.iter().copied(), *most);
        json!({ "keys": wires(keys), "most_bytes": most, "set": hex(&codec::encode(&set)) })
    };
    json!({
        "queries": QUERIES.map(query),
        "documents": DOCUMENTS.map(content),
        "sets": sets().iter().map(set).collect::<Vec<_>>(),
    })
}
