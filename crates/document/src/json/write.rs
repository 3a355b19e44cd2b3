//! From values to text.

use base64::display::Base64Display;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::marks::{BASE64, BYTES, is_escaped};
use crate::{Map, Value};

/// The text of a value or map that was checked.
pub(super) fn text<'a>(value: impl Into<Json<'a>>) -> String {
    match serde_json::to_string(&value.into()) {
        Ok(text) => text,
        // No value leads here: names are strings, the writer is memory. An empty text is no value.
        Err(error) => panic!("a value has no text: {error}"),
    }
}

pub(super) enum Json<'a> {
    Value(&'a Value),
    Map(&'a Map),
}

impl<'a> From<&'a Value> for Json<'a> {
    fn from(value: &'a Value) -> Self {
        Self::Value(value)
    }
}

impl<'a> From<&'a Map> for Json<'a> {
    fn from(map: &'a Map) -> Self {
        Self::Map(map)
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Map(map) | Self::Value(Value::Map(map)) => {
                let escape = is_escaped(map);
                let mut object = serializer.serialize_map(Some(map.len()))?;
                for (name, value) in map {
                    if escape {
                        object.serialize_entry(&format_args!("${name}"), &Json::Value(value))?;
                    } else {
                        object.serialize_entry(name, &Json::Value(value))?;
                    }
                }
                object.end()
            }
            Self::Value(value) => match value {
                Value::Null | Value::Map(_) => serializer.serialize_unit(),
                Value::Bool(value) => serializer.serialize_bool(*value),
                Value::Int(value) => serializer.serialize_i64(*value),
                Value::Float(value) => serializer.serialize_f64(*value),
                Value::String(value) => serializer.serialize_str(value),
                Value::Bytes(bytes) => {
                    let mut object = serializer.serialize_map(Some(1))?;
                    object.serialize_entry(
                        BYTES,
                        &format_args!("{}", Base64Display::new(bytes, &BASE64)),
                    )?;
                    object.end()
                }
                Value::List(list) => serializer.collect_seq(list.iter().map(Json::Value)),
            },
        }
    }
}
