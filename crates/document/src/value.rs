//! The values a document is made of.

mod wire;

use core::cell::Cell;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::{heap, limits};

pub(crate) use wire::{ContentMap, deserialize_map};

/// Named values with unique, sorted names.
pub type Map = BTreeMap<String, Value>;

/// JSON's model and a little more: integers are told from floats, and there are bytes.
///
/// Every decoder of this crate yields values that are valid: floats finite, lists and maps nested at
/// most [`limits::VALUE_DEPTH`] deep, [`limits::VALUES`] values at most. A value built by hand is checked where it leaves
/// ([`Self::check`]): when a document is signed, and when it is printed as JSON.
///
/// # On the wire
/// serde and postcard: a tag of one byte, then
///
/// | tag | value | layout |
/// |---|---|---|
/// | 0 | null | – |
/// | 1 | bool | one byte, 0 or 1 |
/// | 2 | int | zigzag, then varint |
/// | 3 | float | 8 bytes, IEEE 754, little-endian |
/// | 4 | string | length in bytes as varint, UTF-8 |
/// | 5 | bytes | length as varint, the bytes |
/// | 6 | list | count as varint, the values |
/// | 7 | map | count as varint, then for each field its name (as a string) and value, names strictly ascending by bytes |
///
/// A varint has 7 bits a byte, the lowest first, the top bit set on all but the last.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Value {
    /// Nothing, on purpose.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite floating-point number.
    Float(f64),
    /// Text, in UTF-8.
    String(String),
    /// Any bytes; JSON knows none, so they stand in it as base64.
    Bytes(#[serde(serialize_with = "taiinet_identity::bytes::serialize")] Vec<u8>),
    /// Values in order.
    List(Vec<Value>),
    /// Named values.
    Map(Map),
}

impl Value {
    /// The name of its type, as `$type` of a query has it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "binData",
            Self::List(_) => "array",
            Self::Map(_) => "object",
        }
    }

    /// Whether receivers would take it: floats finite, not nested too deep, not too many values.
    ///
    /// # Errors
    /// [`ValueError::NotFinite`], [`ValueError::TooDeep`], [`ValueError::TooMany`]
    pub fn check(&self) -> Result<(), ValueError> {
        self.check_at(1, &Room::default())
    }

    fn check_at(&self, depth: usize, room: &Room) -> Result<(), ValueError> {
        room.take()?;
        match self {
            Self::Float(float) if !float.is_finite() => Err(ValueError::NotFinite),
            Self::List(_) | Self::Map(_) if depth > limits::VALUE_DEPTH => Err(ValueError::TooDeep),
            Self::List(list) => list.iter().try_for_each(|value| value.check_at(depth + 1, room)),
            Self::Map(map) => map.values().try_for_each(|value| value.check_at(depth + 1, room)),
            _ => Ok(()),
        }
    }

    /// How many bytes of the heap it holds, at most: see [`VerifiedDocument::heap_size`].
    ///
    /// [`VerifiedDocument::heap_size`]: crate::VerifiedDocument::heap_size
    pub fn heap_size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) => 0,
            Self::String(text) => heap::block(text.capacity()),
            Self::Bytes(bytes) => heap::block(bytes.capacity()),
            Self::List(list) => {
                let elements: usize = list.iter().map(Self::heap_size).sum();
                heap::block(list.capacity().saturating_mul(size_of::<Self>())) + elements
            }
            Self::Map(map) => map_heap_size(map),
        }
    }
}

/// As [`Value::heap_size`], for a document's content.
pub(crate) fn map_heap_size(map: &Map) -> usize {
    let fields: usize =
        map.iter().map(|(name, value)| heap::block(name.capacity()) + value.heap_size()).sum();
    heap::tree::<(String, Value)>(map.len()) + fields
}

/// As [`Value::check`], for a document's content, which is a value itself.
pub(crate) fn check_map(map: &Map) -> Result<(), ValueError> {
    let room = Room::default();
    room.take()?;
    map.values().try_for_each(|value| value.check_at(2, &room))
}

/// How many values a document that is read or checked may still hold.
#[derive(Debug)]
pub(crate) struct Room(Cell<usize>);

impl Default for Room {
    fn default() -> Self {
        Self(Cell::new(limits::VALUES))
    }
}

impl Room {
    /// Takes room for one more value, before there is one.
    pub(crate) fn take(&self) -> Result<(), ValueError> {
        let left = self.0.get().checked_sub(1).ok_or(ValueError::TooMany)?;
        self.0.set(left);
        Ok(())
    }

    /// Gives back the room for one value.
    pub(crate) fn give_back(&self) {
        self.0.set(self.0.get().saturating_add(1));
    }
}

/// Why something is no [`Value`] that a document may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// NaN or an infinity.
    #[error("a number must be finite")]
    NotFinite,
    /// Nested deeper than [`limits::VALUE_DEPTH`].
    #[error("nested deeper than {} levels", limits::VALUE_DEPTH)]
    TooDeep,
    /// More than [`limits::VALUES`] values.
    #[error(
        "more than {} values; publish it as several documents, or write long lists of numbers as bytes",
        limits::VALUES
    )]
    TooMany,
    /// A whole number beyond 64 bits with sign.
    #[error("the integer {0} is beyond 64 bits; write it as a float or as text")]
    IntegerRange(u64),
    /// `{"$bytes": …}` with something else than base64 text.
    #[error("`$bytes` must hold base64 text (RFC 4648, with padding)")]
    Base64,
    /// `{"$numberLong": …}` or its kin with something else than the text of such a number.
    #[error("`{name}` must hold {expected} as text, like {{\"{name}\": \"5\"}}")]
    ExtendedNumber {
        /// The name.
        name: &'static str,
        /// What it must hold.
        expected: &'static str,
    },
    /// A type of MongoDB's Extended JSON that no value here has.
    #[error("`{name}` of MongoDB's Extended JSON is no value here; write {instead}")]
    Extended {
        /// Its name.
        name: &'static str,
        /// What to write instead.
        instead: &'static str,
    },
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

/// Must be finite: signing and printing refuse other floats.
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Self::List(value)
    }
}

impl From<Map> for Value {
    fn from(value: Map) -> Self {
        Self::Map(value)
    }
}

/// `None` is null.
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests;
