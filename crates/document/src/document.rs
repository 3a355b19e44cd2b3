//! A document before it is signed, or after it was decoded.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{
    DocumentError, Map, Sealed, Subscription, limits,
    value::{self, heap},
};

/// The name of a network: 1 to 64 bytes of text without control characters. Peers of one network
/// exchange documents; nothing crosses from one to another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Network(String);

impl Network {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(name: &str) -> Result<Self, NetworkError> {
        if name.is_empty() || name.len() > limits::NETWORK_BYTES {
            return Err(NetworkError::Length);
        }
        if name.chars().any(char::is_control) {
            return Err(NetworkError::Control);
        }
        Ok(Self(name.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl de::Visitor<'_> for Name {
            type Value = Network;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a network")
            }

            // Checked before it is copied.
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Network, E> {
                name.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Name)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({})", self.0)
    }
}

/// Why a text cannot name a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Empty or too long.
    #[error("a network's name has 1 to {} bytes", limits::NETWORK_BYTES)]
    Length,
    /// Contains control characters.
    #[error("a network's name has no control characters")]
    Control,
}

/// A moment as milliseconds since the Unix epoch, in UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

/// What an author publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The network it belongs to; it is refused on any other.
    pub network: Network,
    /// When its author published it.
    pub created_at: Timestamp,
    /// Chosen at random, so that two documents of the same content and moment are two documents.
    pub nonce: u32,
    /// From when on it is worthless; later than `created_at`.
    pub expires_at: Option<Timestamp>,
    /// The newest document of one author under one key replaces the older ones. At most
    /// [`limits::KEY_BYTES`] bytes.
    pub key: Option<String>,
    /// The content.
    pub content: Content,
}

impl Document {
    /// Whether receivers would take it, as far as its size does not matter.
    ///
    /// # Errors
    /// [`DocumentError::KeyTooLong`], [`DocumentError::Expiry`], [`DocumentError::Value`] (its content
    /// nests too deep or has too many values, say), [`DocumentError::QueryTooLong`]
    pub fn check(&self) -> Result<(), DocumentError> {
        self.check_options()?;
        match &self.content {
            Content::Open(fields) | Content::Sealed(Sealed { public: fields, .. }) => {
                value::check_map(fields)?;
            }
            Content::Subscription(subscription)
                if subscription.query.len() > limits::QUERY_BYTES =>
            {
                return Err(DocumentError::QueryTooLong);
            }
            Content::Deleted | Content::Subscription(_) => {}
        }
        Ok(())
    }

    /// How many bytes of the heap it holds, at most: see [`VerifiedDocument::heap_size`].
    ///
    /// [`VerifiedDocument::heap_size`]: crate::VerifiedDocument::heap_size
    pub fn heap_size(&self) -> usize {
        let key = self.key.as_ref().map_or(0, |key| heap::block(key.capacity()));
        heap::block(self.network.0.capacity()) + key + self.content.heap_size()
    }

    /// What decoding alone does not guarantee.
    pub(crate) fn check_options(&self) -> Result<(), DocumentError> {
        if self.key.as_ref().is_some_and(|key| key.len() > limits::KEY_BYTES) {
            return Err(DocumentError::KeyTooLong);
        }
        if self.expires_at.is_some_and(|expires_at| expires_at <= self.created_at) {
            return Err(DocumentError::Expiry);
        }
        Ok(())
    }
}

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
    fn heap_size(&self) -> usize {
        match self {
            Self::Open(fields) => heap::map(fields),
            Self::Deleted => 0,
            Self::Sealed(Sealed { public, envelope }) => {
                heap::map(public) + heap::block(envelope.heap_size())
            }
            Self::Subscription(subscription) => heap::block(subscription.query.capacity()),
        }
    }

    /// The fields that every peer's queries see; none for a deletion and a subscription.
    pub const fn fields(&self) -> Option<&Map> {
        match self {
            Self::Open(map) | Self::Sealed(Sealed { public: map, .. }) => Some(map),
            Self::Deleted | Self::Subscription(_) => None,
        }
    }
}
