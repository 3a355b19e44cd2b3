//! Maps whose single name says what they stand for: bytes, and numbers of MongoDB's Extended JSON (v2).
//!
//! The rest of Extended JSON is refused by name: read as the maps that they look like, `{"$date": …}`
//! and its kin would silently never equal what they stand for.

use base64::{Engine, engine::general_purpose};

use crate::{Map, Value, ValueError};

/// RFC 4648 section 4, with padding.
pub(super) use general_purpose::STANDARD as BASE64;

/// The name that marks bytes.
pub(super) const BYTES: &str = "$bytes";

/// What a map with a single name stands for.
#[derive(Clone, Copy)]
enum Mark {
    Bytes,
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    Double,
    /// No value; this is to be written instead.
    None(&'static str),
}

const MARKS: [(&str, Mark); 17] = [
    (BYTES, Mark::Bytes),
    ("$numberInt", Mark::Int),
    ("$numberLong", Mark::Long),
    ("$numberDouble", Mark::Double),
    ("$numberDecimal", Mark::None("a float, or text")),
    (
        "$date",
        Mark::None(
            "the time as the documents have it: in milliseconds since 1970, or as text like \
             \"2025-08-01T00:00:00Z\"",
        ),
    ),
    ("$timestamp", Mark::None("its parts as integers")),
    ("$oid", Mark::None("its hex digits as text")),
    ("$uuid", Mark::None("it as text")),
    ("$binary", Mark::None("the bytes as {\"$bytes\": \"<base64>\"}")),
    (
        "$regularExpression",
        Mark::None("{\"$regex\": …, \"$options\": …} in a query, and text in a document"),
    ),
    ("$symbol", Mark::None("it as text")),
    ("$code", Mark::None("it as text")),
    ("$dbPointer", Mark::None("the id as text")),
    ("$undefined", Mark::None("null, or leave the field out")),
    ("$minKey", Mark::None("the least value itself")),
    ("$maxKey", Mark::None("the greatest value itself")),
];

/// Whether a map's single name would be taken for a mark, or for the escape of one.
pub(super) fn is_escaped(map: &Map) -> bool {
    map.len() == 1 && map.keys().all(|name| mark(name).is_some())
}

/// The mark of `$date`, `$$date`, …
fn mark(name: &str) -> Option<(&'static str, Mark)> {
    let bare = name.trim_start_matches('$');
    let is_mark = |mark: &&(&str, Mark)| mark.0[1..] == *bare && bare.len() < name.len();
    MARKS.iter().find(is_mark).copied()
}

/// What a map with its names as in the text stands for.
pub(super) fn unescape(mut map: Map) -> Result<Value, ValueError> {
    if !is_escaped(&map) {
        return Ok(Value::Map(map));
    }
    let Some((name, value)) = map.pop_first() else { return Ok(Value::Map(map)) };
    match mark(&name) {
        Some((marked, mark)) if marked == name => mark.value(marked, value),
        _ => Ok(Value::Map([(name[1..].to_owned(), value)].into_iter().collect())),
    }
}

impl Mark {
    fn value(self, name: &'static str, value: Value) -> Result<Value, ValueError> {
        let text = match &value {
            Value::String(text) => text.as_str(),
            _ => "",
        };
        let number = |read: Option<Value>, expected| {
            read.ok_or(ValueError::ExtendedNumber { name, expected })
        };
        match self {
            Self::Bytes => match value {
                Value::String(text) => BASE64.decode(text).map(Value::Bytes).ok(),
                _ => None,
            }
            .ok_or(ValueError::Base64),
            Self::Int => {
                number(text.parse::<i32>().ok().map(Value::from), "a whole number of 32 bits")
            }
            Self::Long => {
                number(text.parse::<i64>().ok().map(Value::from), "a whole number of 64 bits")
            }
            Self::Double => match text.parse::<f64>() {
                Ok(float) if !float.is_finite() => Err(ValueError::NotFinite),
                read => number(read.ok().map(Value::from), "a number"),
            },
            Self::None(instead) => Err(ValueError::Extended { name, instead }),
        }
    }
}
