//! An envelope's encoding; whatever decodes has a whole number of slots, and not too many.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Envelope, RECIPIENTS, SLOT, TAG};

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    ephemeral: [u8; 32],
    #[serde(borrow)]
    slots: Bytes<'a>,
    commitment: [u8; 32],
    #[serde(borrow)]
    sealed: Bytes<'a>,
}

/// A byte string, borrowed.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(Bytes)
    }
}

impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { ephemeral, slots, commitment, sealed } = self;
        let (ephemeral, commitment) = (*ephemeral, *commitment);
        Wire { ephemeral, slots: Bytes(slots), commitment, sealed: Bytes(sealed) }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Wire { ephemeral, slots: Bytes(slots), commitment, sealed: Bytes(sealed) } =
            Wire::deserialize(deserializer)?;
        let whole = slots.len().is_multiple_of(SLOT);
        if !whole || slots.is_empty() || slots.len() / SLOT > RECIPIENTS || sealed.len() <= TAG {
            return Err(de::Error::custom(Malformed));
        }
        Ok(Self { ephemeral, slots: slots.to_vec(), commitment, sealed: sealed.to_vec() })
    }
}

struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an envelope has 1 to {RECIPIENTS} slots of {SLOT} bytes and a content")
    }
}
