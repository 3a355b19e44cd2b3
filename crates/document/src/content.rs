//! What a document holds.

use serde::{Deserialize, Serialize};

use crate::{
    Deletion, DocumentError, Map, Sealed, Subscription, UnknownContent, heap, limits, value,
};

/// A document's content. On the wire it is the number of its kind, and what it holds, up to the end of the
/// signed bytes: so what a later version adds can be told apart from what is malformed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Content {
    /// Readable by everyone.
    Open(Map),
    /// The author withdraws what it has published.
    Deleted(Deletion),
    /// Readable by its recipients.
    Sealed(Sealed),
    /// The author subscribes privately.
    Subscription(Subscription),
    /// Readable by later versions.
    #[serde(untagged)]
    Unknown(UnknownContent),
}

impl Content {
    /// Decodes what fills `bytes`.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DocumentError> {
        let (&kind, rest) = bytes.split_first().ok_or(DocumentError::Truncated)?;
        Ok(match kind {
            0 => Self::Open(decode_all::<value::ContentMap>(rest)?.0),
            1 => Self::Deleted(decode_all(rest)?),
            2 => Self::Sealed(decode_all(rest)?),
            3 => Self::Subscription(decode_all(rest)?),
            _ => Self::Unknown(UnknownContent::new(kind, rest).ok_or(DocumentError::Malformed)?),
        })
    }

    /// What decoding guarantees, for one that was built by hand.
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        match self {
            Self::Open(fields) | Self::Sealed(Sealed { public: fields, .. }) => {
                value::check_map(fields)?;
            }
            Self::Subscription(subscription) if subscription.query.len() > limits::QUERY_BYTES => {
                return Err(DocumentError::QueryTooLong);
            }
            Self::Deleted(_) | Self::Subscription(_) | Self::Unknown(_) => {}
        }
        Ok(())
    }

    pub(crate) fn heap_size(&self) -> usize {
        match self {
            Self::Open(fields) => value::map_heap_size(fields),
            Self::Deleted(deletion) => deletion.heap_size(),
            Self::Sealed(Sealed { public, envelope }) => {
                value::map_heap_size(public) + heap::block(envelope.heap_size())
            }
            Self::Subscription(subscription) => heap::block(subscription.query.capacity()),
            Self::Unknown(unknown) => unknown.heap_size(),
        }
    }

    /// The fields that every peer's queries see; none for a deletion, a subscription, and what this version
    /// does not know.
    pub const fn fields(&self) -> Option<&Map> {
        match self {
            Self::Open(map) | Self::Sealed(Sealed { public: map, .. }) => Some(map),
            Self::Deleted(_) | Self::Subscription(_) | Self::Unknown(_) => None,
        }
    }
}

fn decode_all<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, DocumentError> {
    match postcard::take_from_bytes(bytes) {
        Ok((decoded, [])) => Ok(decoded),
        Ok(_) => Err(DocumentError::Malformed),
        Err(error) => Err(DocumentError::from_decoder(&error)),
    }
}
