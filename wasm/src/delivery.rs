//! Documents as the page gets them: two texts of JSON, because each value that crosses over costs a call.

use serde::Serialize;
use serde_json::json;
use taiinet_document::{
    DocumentId, Key, Map, Opened, Timestamp, Value, VerifiedDocument, Writers, json::to_json_line,
};
use taiinet_mesh::Delivery;
use taiinet_session::{LiveChange, LiveState, Privacy, Ready, Removed};

/// Integers up to here are exact as JavaScript's numbers.
const EXACT: u64 = (1 << 53) - 1;

/// A document as the page gets it.
#[derive(Default)]
pub(crate) struct JsDelivery {
    /// What is known of the document: [`About`].
    pub(crate) about: String,
    /// Its fields.
    pub(crate) fields: String,
}

/// `Raw` in `npm/src/engine.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct About<'a> {
    id: String,
    author: String,
    /// If it is not the author.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    created_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    hops: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    /// Who writes versions of it beside its owner: `"anyone"`, or names.
    #[serde(skip_serializing_if = "Option::is_none")]
    writers: Option<serde_json::Value>,
    /// The version that it replaces, of those that were shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
    /// Whether it was published before the subscription.
    #[serde(skip_serializing_if = "is_false")]
    backlog: bool,
    /// Whether `JSON.parse` understands the fields as they are.
    exact: bool,
    privacy: &'static str,
    /// What the document holds of the core's memory; of the page's it is about as much.
    cost: usize,
}

/// What is known of a document besides.
#[derive(Default)]
struct Way {
    hops: u8,
    from: Option<String>,
    replaces: Option<DocumentId>,
    backlog: bool,
}

impl JsDelivery {
    /// As it was delivered; none for a deletion, which has nothing to show.
    pub(crate) fn delivered(
        delivery: &Delivery,
        replaces: Option<DocumentId>,
        backlog: bool,
    ) -> Option<Self> {
        let from = delivery.via.map(|peer| peer.to_string());
        let way = Way { hops: delivery.hops, from, replaces, backlog };
        Self::new(&delivery.document, delivery.opened.as_deref(), way)
    }

    /// As a search found it, or as one of two versions; none for a deletion.
    pub(crate) fn found(document: &VerifiedDocument, opened: Option<&Opened>) -> Option<Self> {
        Self::new(document, opened, Way::default())
    }

    fn new(document: &VerifiedDocument, opened: Option<&Opened>, way: Way) -> Option<Self> {
        let Way { hops, from, replaces, backlog } = way;
        let (author, owner) = (document.author(), document.owner());
        let fields = opened.map(|opened| &opened.fields).or_else(|| document.content().fields())?;
        let about = About {
            id: document.id().to_string(),
            author: author.to_string(),
            owner: (owner != author).then(|| owner.to_string()),
            created_at: document.created_at.as_millis(),
            expires_at: document.expires_at.map(Timestamp::as_millis),
            hops,
            from,
            key: document.key_name(),
            writers: document.key.as_ref().and_then(Key::writers).map(writers),
            replaces: replaces.map(|id| id.to_string()),
            backlog,
            exact: is_exact(fields),
            privacy: Privacy::of(opened).as_str(),
            cost: document.heap_size() + opened.map_or(0, Opened::heap_size),
        };
        let about = serde_json::to_string(&about).ok()?;
        Some(Self { about, fields: to_json_line(fields).ok()? })
    }
}

fn writers(writers: &Writers) -> serde_json::Value {
    match writers {
        Writers::Anyone => "anyone".into(),
        Writers::Peers(peers) => peers.iter().map(ToString::to_string).collect(),
    }
}

/// A change of a live result set as the page gets it.
pub(crate) struct JsChange {
    /// What happens, and where: `Change` in `npm/src/engine.ts`.
    pub(crate) what: String,
    /// The document that is new.
    pub(crate) document: Option<JsDelivery>,
}

impl JsChange {
    pub(crate) fn of(change: &LiveChange) -> Self {
        let (what, document) = match change {
            LiveChange::Insert { index, document, opened } => (
                json!({ "type": "insert", "index": index }),
                JsDelivery::found(document, opened.as_deref()),
            ),
            LiveChange::Update { from, to, document, opened, replaces } => {
                let way = Way { replaces: Some(*replaces), ..Way::default() };
                let document = JsDelivery::new(document, opened.as_deref(), way);
                (json!({ "type": "update", "from": from, "to": to }), document)
            }
            LiveChange::Remove { index, .. } => (json!({ "type": "remove", "index": index }), None),
            LiveChange::State(LiveState { phase, complete, more, .. }) => {
                let phase = phase.as_str();
                let what =
                    json!({ "type": "state", "phase": phase, "complete": complete, "more": more });
                (what, None)
            }
        };
        Self { what: what.to_string(), document }
    }
}

/// `Removed` in `npm/src/engine.ts`.
pub(crate) fn removed(removed: &Removed) -> String {
    let Removed { id, author, owner, key, reason } = removed;
    let (id, author, owner) = (id.to_string(), author.to_string(), owner.to_string());
    json!({ "id": id, "author": author, "owner": owner, "key": key.as_deref(), "reason": reason.as_str() })
        .to_string()
}

/// `Ready` in `npm/src/engine.ts`.
pub(crate) fn ready(ready: Ready) -> String {
    let Ready { complete, more, sources, .. } = ready;
    json!({ "complete": complete, "more": more, "sources": sources }).to_string()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Whether `JSON.parse` understands the text of these fields as they are: no bytes, no integers
/// beyond JavaScript's, no names that begin like the mark of bytes.
pub(crate) fn is_exact(map: &Map) -> bool {
    map.iter().all(|(name, value)| !name.starts_with('$') && is_exact_value(value))
}

fn is_exact_value(value: &Value) -> bool {
    match value {
        Value::Int(number) => number.unsigned_abs() <= EXACT,
        Value::Bytes(_) => false,
        Value::List(list) => list.iter().all(is_exact_value),
        Value::Map(map) => is_exact(map),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use taiinet_document::json::parse_map;

    use super::*;

    #[test]
    fn what_json_parse_would_change_is_not_exact() {
        for (text, exact) in [
            (r#"{"a": 1, "b": [1.5, "x", null, {"c": true}]}"#, true),
            (r#"{"a": 9007199254740991, "b": -9007199254740991}"#, true),
            (r#"{"a": 9007199254740992}"#, false),
            (r#"{"a": [{"b": -9223372036854775808}]}"#, false),
            (r#"{"a": {"$bytes": "AAEC"}}"#, false),
            (r#"{"a": {"$$bytes": "AAEC"}}"#, false),
        ] {
            assert_eq!(is_exact(&parse_map(text).expect("a map")), exact, "{text}");
        }
    }
}
