//! Values as JSON (RFC 8259), without loss in either direction.
//!
//! - A number without fraction and exponent is an integer and must fit 64 bits with sign; with
//!   either it is a float and stays one: `1.0` is printed as `1.0`, never as `1`. `-0` is the float
//!   that it is in JavaScript. NaN and the infinities do not exist.
//! - Bytes are `{"$bytes": "<base64>"}` (RFC 4648 section 4, with padding).
//! - The numbers of MongoDB's Extended JSON (v2) are read as numbers: `{"$numberInt": "5"}`,
//!   `{"$numberLong": "5"}`, `{"$numberDouble": "1.5"}`. Its other types (`$date`, `$oid`, `$binary`,
//!   `$numberDecimal`, `$uuid`, `$regularExpression`, `$timestamp`, `$symbol`, `$code`, `$dbPointer`,
//!   `$undefined`, `$minKey`, `$maxKey`) are errors that say what to write instead. None is written.
//! - A map that by chance has one of these as its single name is written with one more `$`, as
//!   `{"$$bytes": …}` or `{"$$date": …}`, one with `$$bytes` as `$$$bytes`, and so on; reading takes
//!   the added `$` away again.
//! - Names must be unique, also when one is written with escapes. Maps are printed with ascending
//!   names.
//! - Lists and maps are nested at most [`limits::VALUE_DEPTH`](crate::limits::VALUE_DEPTH) deep, there are at most
//!   [`limits::VALUES`](crate::limits::VALUES) values, and nothing may follow the value.

mod error;
mod marks;
mod read;
mod write;

use base64::Engine;

use crate::{Map, Value, ValueError};

pub use error::JsonError;
use marks::{BASE64, BYTES, is_escaped};

impl Value {
    /// Reads a value from JSON text.
    ///
    /// # Errors
    /// [`JsonError`] with the place where the text is wrong.
    pub fn from_json(text: &str) -> Result<Self, JsonError> {
        read::value(text)
    }

    /// Writes the value as JSON on one line.
    ///
    /// # Errors
    /// [`ValueError::NotFinite`], [`ValueError::TooDeep`] and [`ValueError::TooMany`], never for the value of a document that
    /// was signed, verified or read.
    pub fn to_json(&self) -> Result<String, ValueError> {
        self.check()?;
        Ok(write::text(self))
    }
}

/// Reads a document's content: a JSON object.
///
/// # Errors
/// [`JsonError`] with the place where the text is wrong.
pub fn parse_map(text: &str) -> Result<Map, JsonError> {
    match Value::from_json(text)? {
        Value::Map(map) => Ok(map),
        other => Err(JsonError {
            line: 1,
            column: 1,
            message: format!(
                "a document is an object like {{\"name\": …}}, not {}",
                other.type_name()
            ),
            place: None,
        }),
    }
}

/// Writes a document's content as one line of JSON, without the line's end.
///
/// # Errors
/// As [`Value::to_json`].
pub fn to_json_line(map: &Map) -> Result<String, ValueError> {
    crate::value::check_map(map)?;
    Ok(write::text(map))
}

/// The same rules; but a number beyond 64 bits that `serde_json` has already turned into a float
/// cannot be told from a float any more. Prefer [`Value::from_json`] for text.
impl TryFrom<serde_json::Value> for Value {
    type Error = ValueError;

    fn try_from(json: serde_json::Value) -> Result<Self, ValueError> {
        read::convert(json)
    }
}

/// Bytes as in the module's rules. A float that is not finite (which no document holds) is null.
impl From<Value> for serde_json::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Int(value) => value.into(),
            Value::Float(value) => value.into(),
            Value::String(value) => Self::String(value),
            Value::Bytes(bytes) => Self::Object(
                [(BYTES.to_owned(), Self::String(BASE64.encode(bytes)))].into_iter().collect(),
            ),
            Value::List(list) => Self::Array(list.into_iter().map(Into::into).collect()),
            Value::Map(map) => {
                let escape = is_escaped(&map);
                let fields = map.into_iter().map(|(name, value)| {
                    (if escape { format!("${name}") } else { name }, value.into())
                });
                Self::Object(fields.collect())
            }
        }
    }
}

#[cfg(test)]
mod tests;
