//! What a document holds.

use serde::{Deserialize, Serialize};

use crate::{Map, Sealed, Subscription, heap, value};

/// A document's content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// Readable by everyone.
    Open(#[serde(deserialize_with = "value::deserialize_map")] Map),
    /// The author withdraws the document with this document's `key`.
    Deleted,
    /// Readable by its recipients.
    Sealed(Sealed),
    /// The author subscribes privately.
    Subscription(Subscription),
}

impl Content {
    pub(crate) fn heap_size(&self) -> usize {
        match self {
            Self::Open(fields) => value::map_heap_size(fields),
            Self::Deleted => 0,
            Self::Sealed(Sealed { public, envelope }) => {
                value::map_heap_size(public) + heap::block(envelope.heap_size())
            }
            Self::Subscription(subscription) => heap::block(subscription.query.capacity()),
        }
    }

    /// The fields that everybody's queries see; none for a deletion and a subscription.
    pub const fn fields(&self) -> Option<&Map> {
        match self {
            Self::Open(map) | Self::Sealed(Sealed { public: map, .. }) => Some(map),
            Self::Deleted | Self::Subscription(_) => None,
        }
    }
}
