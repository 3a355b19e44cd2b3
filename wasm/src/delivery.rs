//! Documents as the page gets them.

use js_sys::Array;
use taiinet_document::{Map, Opened, Value, VerifiedDocument, json};
use taiinet_session::Privacy;
use wasm_bindgen::JsValue;

/// Integers up to here are exact as JavaScript's numbers.
const EXACT: u64 = (1 << 53) - 1;

/// A document as the page gets it.
pub(crate) struct JsDelivery {
    pub(crate) id: String,
    pub(crate) author: String,
    pub(crate) created_at: f64,
    pub(crate) hops: u8,
    pub(crate) from: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) json: String,
    /// Whether `JSON.parse` understands it as it is.
    pub(crate) exact: bool,
    pub(crate) privacy: &'static str,
    /// What it holds of the core's memory; of the page's it is about as much.
    pub(crate) cost: f64,
}

impl JsDelivery {
    /// None for a deletion, which has nothing to show.
    pub(crate) fn new(
        document: &VerifiedDocument,
        opened: Option<&Opened>,
        hops: u8,
        from: Option<String>,
    ) -> Option<Self> {
        let fields = opened.map(|opened| &opened.fields).or_else(|| document.content().fields())?;
        let opened_size = opened.map_or(0, Opened::heap_size);
        Some(Self {
            id: document.id().to_string(),
            author: document.author().to_string(),
            created_at: document.created_at.as_millis() as f64,
            hops,
            from,
            key: document.key.clone(),
            json: json::to_json_line(fields).ok()?,
            exact: is_exact(fields),
            privacy: Privacy::of(opened).as_str(),
            cost: (document.heap_size() + opened_size) as f64,
        })
    }

    /// As the arguments of a function.
    pub(crate) fn into_arguments(self) -> Array {
        let optional = |text: Option<String>| text.map_or(JsValue::UNDEFINED, JsValue::from);
        [
            self.id.into(),
            self.author.into(),
            self.created_at.into(),
            self.hops.into(),
            optional(self.from),
            optional(self.key),
            self.json.into(),
            self.exact.into(),
            self.privacy.into(),
            self.cost.into(),
        ]
        .into_iter()
        .collect::<Array>()
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
