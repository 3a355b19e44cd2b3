//! Documents as the page gets them: two texts of JSON, because each value that crosses over costs a call.

use serde::Serialize;
use taiinet_document::{Map, Opened, Value, VerifiedDocument, json};
use taiinet_mesh::Delivery;
use taiinet_session::Privacy;

/// Integers up to here are exact as JavaScript's numbers.
const EXACT: u64 = (1 << 53) - 1;

/// A document as the page gets it.
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
    created_at: u64,
    hops: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    /// Whether `JSON.parse` understands the fields as they are.
    exact: bool,
    privacy: &'static str,
    /// What the document holds of the core's memory; of the page's it is about as much.
    cost: usize,
}

impl JsDelivery {
    /// As it was delivered; none for a deletion, which has nothing to show.
    pub(crate) fn delivered(delivery: &Delivery) -> Option<Self> {
        let from = delivery.via.map(|peer| peer.to_string());
        Self::new(&delivery.document, delivery.opened.as_deref(), delivery.hops, from)
    }

    /// As a search found it; none for a deletion.
    pub(crate) fn found(document: &VerifiedDocument, opened: Option<&Opened>) -> Option<Self> {
        Self::new(document, opened, 0, None)
    }

    fn new(
        document: &VerifiedDocument,
        opened: Option<&Opened>,
        hops: u8,
        from: Option<String>,
    ) -> Option<Self> {
        let fields = opened.map(|opened| &opened.fields).or_else(|| document.content().fields())?;
        let about = About {
            id: document.id().to_string(),
            author: document.author().to_string(),
            created_at: document.created_at.as_millis(),
            hops,
            from,
            key: document.key_name(),
            exact: is_exact(fields),
            privacy: Privacy::of(opened).as_str(),
            cost: document.heap_size() + opened.map_or(0, Opened::heap_size),
        };
        let about = serde_json::to_string(&about).ok()?;
        Some(Self { about, fields: json::to_json_line(fields).ok()? })
    }
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
