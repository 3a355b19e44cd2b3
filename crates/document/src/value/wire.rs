//! Decoding of values that come from strangers: bounded in depth and memory, and canonical.

use core::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor},
};
use taiinet_identity::bytes;

use super::{Map, Room, Value};
use crate::{ValueError, limits};

/// Room for so many elements is made ahead, whatever length is claimed: memory follows what came.
const AHEAD: usize = 16;

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        At { depth: 1, room: &Room::default() }.deserialize(deserializer)
    }
}

/// Decodes a document's content, which is depth 1.
pub(crate) fn deserialize_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map, D::Error> {
    let room = Room::default();
    room.take().map_err(de::Error::custom)?;
    Fields(At { depth: 1, room: &room }).deserialize(deserializer)
}

/// A document's content as a type.
#[derive(Serialize, Deserialize)]
pub(crate) struct ContentMap(#[serde(deserialize_with = "deserialize_map")] pub(crate) Map);

/// The order of the variants is the wire format.
#[derive(Deserialize)]
#[serde(variant_identifier)]
enum Tag {
    Null,
    Bool,
    Int,
    Float,
    String,
    Bytes,
    List,
    Map,
}

const TAGS: &[&str] = &["Null", "Bool", "Int", "Float", "String", "Bytes", "List", "Map"];

/// A value whose lists or map, if it is one, would be this deep.
#[derive(Clone, Copy)]
struct At<'a> {
    depth: usize,
    room: &'a Room,
}

impl At<'_> {
    /// A value in a list or map at this depth.
    const fn below(self) -> Self {
        Self { depth: self.depth + 1, room: self.room }
    }
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.room.take().map_err(de::Error::custom)?;
        deserializer.deserialize_enum("Value", TAGS, self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let (tag, value) = data.variant()?;
        Ok(match tag {
            Tag::Null => {
                value.unit_variant()?;
                Value::Null
            }
            Tag::Bool => Value::Bool(value.newtype_variant()?),
            Tag::Int => Value::Int(value.newtype_variant()?),
            Tag::Float => {
                let float: f64 = value.newtype_variant()?;
                if !float.is_finite() {
                    return Err(de::Error::custom(ValueError::NotFinite));
                }
                Value::Float(float)
            }
            Tag::String => Value::String(value.newtype_variant()?),
            Tag::Bytes => Value::Bytes(value.newtype_variant_seed(Bytes)?),
            Tag::List => Value::List(value.newtype_variant_seed(Elements(self))?),
            Tag::Map => Value::Map(value.newtype_variant_seed(Fields(self))?),
        })
    }
}

fn check_depth<E: de::Error>(depth: usize) -> Result<(), E> {
    if depth > limits::VALUE_DEPTH {
        return Err(E::custom(ValueError::TooDeep));
    }
    Ok(())
}

/// A list at this depth.
struct Elements<'a>(At<'a>);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Value>, D::Error> {
        check_depth(self.0.depth)?;
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Value>, A::Error> {
        let mut list = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(AHEAD));
        while let Some(value) = seq.next_element_seed(self.0.below())? {
            list.push(value);
        }
        Ok(list)
    }
}

/// A map at this depth.
struct Fields<'a>(At<'a>);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Map;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Map, D::Error> {
        check_depth(self.0.depth)?;
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Map;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of values with ascending names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Map, A::Error> {
        let ahead = access.size_hint().unwrap_or(0).min(AHEAD);
        let mut fields: Vec<(String, Value)> = Vec::with_capacity(ahead);
        while let Some(name) = access.next_key::<String>()? {
            if fields.last().is_some_and(|(last, _)| *last >= name) {
                return Err(de::Error::custom("names are not unique and ascending"));
            }
            fields.push((name, access.next_value_seed(self.0.below())?));
        }
        // From sorted pairs the tree is built in one go.
        Ok(fields.into_iter().collect())
    }
}

/// Bytes in one piece.
struct Bytes;

impl<'de> DeserializeSeed<'de> for Bytes {
    type Value = Vec<u8>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<u8>, D::Error> {
        bytes::deserialize(deserializer)
    }
}
