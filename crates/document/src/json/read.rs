//! From text to values.

use core::{cell::Cell, fmt};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use super::{error::JsonError, marks::unescape};
use crate::{Map, Value, ValueError, limits, value::Room};

/// Reads one value that is all of the text.
pub(super) fn value(text: &str) -> Result<Value, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let (room, fault) = (Room::for_text(), Cell::new(None));
    let value = At { depth: 1, room: &room, step: Step::Root, fault: &fault }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .and_then(|value| room.take().map(|()| value).map_err(de::Error::custom))
        .map_err(|error| JsonError::from(error).at(fault.take()))?;
    check_integers(text)?;
    Ok(value)
}

/// Refuses integers beyond 64 bits, which `serde_json` turns into floats. The text is known to be
/// JSON, so a digit or minus sign outside a string begins a number.
fn check_integers(text: &str) -> Result<(), JsonError> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let begin = at;
        at += 1;
        match byte {
            b'"' => {
                while let Some(&byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                    at += if byte == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let is_part =
                    |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
                at +=
                    bytes.get(at..).into_iter().flatten().take_while(|byte| is_part(byte)).count();
                let number = text.get(begin..at).unwrap_or_default();
                let is_integer = !number.contains(['.', 'e', 'E']);
                if is_integer && number.parse::<i64>().is_err() {
                    let before = text.get(..begin).unwrap_or_default();
                    return Err(JsonError {
                        line: before.matches('\n').count() + 1,
                        column: begin - before.rfind('\n').map_or(0, |end| end + 1) + 1,
                        message:
                            "the integer is beyond 64 bits; write it as a float (with `.0`) or \
                                  as text"
                                .to_owned(),
                        place: None,
                    });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let mut message = error.to_string();
        // The place is told apart from the message.
        if let Some(end) = message.rfind(" at line ") {
            message.truncate(end);
        }
        Self { line: line.max(1), column: column.max(1), message, place: None }
    }
}

/// A value whose lists or map, if it is one, would be this deep.
#[derive(Clone, Copy)]
struct At<'a> {
    depth: usize,
    room: &'a Room,
    step: Step<'a>,
    /// Where a map was found that is no value.
    fault: &'a Cell<Option<String>>,
}

/// The last step to a value; for its place in errors.
#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Name(&'a Step<'a>, &'a str),
    Index(&'a Step<'a>, usize),
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Name(Self::Root, name) => f.write_str(name),
            Self::Name(above, name) => write!(f, "{above}.{name}"),
            Self::Index(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}

impl Room {
    /// For text, in which bytes are two values until they are read whole: there is room for one more,
    /// which must be left at the end.
    fn for_text() -> Self {
        let room = Self::default();
        room.give_back();
        room
    }
}

impl<'a> At<'a> {
    /// A value in the list or map at this depth.
    fn below<'b>(&'b self, step: impl FnOnce(&'b Step<'a>) -> Step<'b>) -> At<'b> {
        At { depth: self.depth + 1, room: self.room, step: step(&self.step), fault: self.fault }
    }

    /// What a map of the text at this depth stands for.
    fn finish(&self, map: Map) -> Result<Value, ValueError> {
        let value = unescape(map).inspect_err(|_| self.fault.set(Some(self.step.to_string())))?;
        match value {
            Value::Map(_) if self.depth > limits::VALUE_DEPTH => Err(ValueError::TooDeep),
            Value::Map(_) => Ok(value),
            // It took the place of a map with a value in it.
            scalar => {
                self.room.give_back();
                Ok(scalar)
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.room.take().map_err(de::Error::custom)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        value.try_into().map(Value::Int).map_err(|_| E::custom(ValueError::IntegerRange(value)))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        if !value.is_finite() {
            return Err(E::custom(ValueError::NotFinite));
        }
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        if self.depth > limits::VALUE_DEPTH {
            return Err(de::Error::custom(ValueError::TooDeep));
        }
        let mut list = Vec::new();
        while let Some(value) =
            seq.next_element_seed(self.below(|above| Step::Index(above, list.len())))?
        {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        // One deeper than a map may be, it can still be bytes.
        if self.depth > limits::VALUE_DEPTH + 1 {
            return Err(de::Error::custom(ValueError::TooDeep));
        }
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(de::Error::custom(format_args!("the name {name:?} stands here twice")));
            }
            let value = access.next_value_seed(self.below(|above| Step::Name(above, &name)))?;
            map.insert(name, value);
        }
        self.finish(map).map_err(de::Error::custom)
    }
}

/// From a tree that `serde_json` made.
pub(super) fn convert(json: serde_json::Value) -> Result<Value, ValueError> {
    let room = Room::for_text();
    let at = At { depth: 1, room: &room, step: Step::Root, fault: &Cell::new(None) };
    let value = convert_at(json, at)?;
    room.take()?;
    Ok(value)
}

fn convert_at(json: serde_json::Value, at: At<'_>) -> Result<Value, ValueError> {
    use serde_json::Value as Json;
    at.room.take()?;
    let bound = match json {
        Json::Array(_) => limits::VALUE_DEPTH,
        _ => limits::VALUE_DEPTH + 1,
    };
    if at.depth > bound && matches!(json, Json::Array(_) | Json::Object(_)) {
        return Err(ValueError::TooDeep);
    }
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::String(value) => Value::String(value),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(int), ..) => Value::Int(int),
            (None, Some(beyond), _) => return Err(ValueError::IntegerRange(beyond)),
            (None, None, Some(float)) if float.is_finite() => Value::Float(float),
            _ => return Err(ValueError::NotFinite),
        },
        Json::Array(list) => {
            let list = list.into_iter().enumerate();
            let list =
                list.map(|(i, value)| convert_at(value, at.below(|above| Step::Index(above, i))));
            Value::List(list.collect::<Result<_, _>>()?)
        }
        Json::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let value = convert_at(value, at.below(|above| Step::Name(above, &name)))?;
                Ok((name, value))
            });
            at.finish(fields.collect::<Result<_, ValueError>>()?)?
        }
    })
}
