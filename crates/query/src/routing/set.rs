//! Many keys, asked at once.

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{document::DocumentKeys, key::RoutingKey};
use crate::limits::KEY_SET_BYTES;

/// A set of keys, as a peer keeps one for whoever it passes documents on to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct KeySet(Option<Box<[RoutingKey]>>);

impl Default for KeySet {
    /// Without keys: it matches nothing.
    fn default() -> Self {
        Self(Some(Box::default()))
    }
}

impl KeySet {
    /// Of all keys.
    pub const EVERYTHING: Self = Self(None);

    /// A set that matches whatever one of the keys does, and perhaps more, in at most so many bytes on the wire
    /// and never more than [`KEY_SET_BYTES`].
    pub fn of(keys: impl IntoIterator<Item = RoutingKey>, most_bytes: usize) -> Self {
        let mut keys: Vec<RoutingKey> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        let fits = keys.len() * 17 + 4 <= most_bytes.min(KEY_SET_BYTES);
        Self((fits && keys.first() != Some(&RoutingKey::Any)).then_some(keys.into()))
    }

    /// A set that matches whatever one of them does, and perhaps more, in so many bytes.
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a Self>, most_bytes: usize) -> Self {
        let sets: Option<Vec<&[RoutingKey]>> =
            sets.into_iter().map(|set| set.0.as_deref()).collect();
        sets.map_or(Self::EVERYTHING, |sets| Self::of(sets.concat(), most_bytes))
    }

    /// Whether a document may stand under one of the keys; it may not if this says no.
    pub fn matches(&self, document: &DocumentKeys) -> bool {
        self.0.as_deref().is_none_or(|keys| keys.iter().any(|key| key.matches(document)))
    }

    /// Whether the key or one that covers it may be there; it is not if this says no.
    pub fn may_hold(&self, key: &RoutingKey) -> bool {
        self.0.as_deref().is_none_or(|keys| keys.iter().any(|own| own.covers(key)))
    }

    /// Whether it matches all documents.
    pub const fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    /// Whether there are no keys: it matches nothing.
    pub fn is_empty(&self) -> bool {
        self.0.as_deref().is_some_and(<[_]>::is_empty)
    }

    /// How many keys there are; of everything none.
    pub fn len(&self) -> usize {
        self.0.as_deref().map_or(0, <[_]>::len)
    }

    /// The hashes of the paths that its keys name ([`Term::path`](super::Term::path)): sorted, each once. Of
    /// everything there are none.
    pub fn paths(&self) -> Vec<u16> {
        let keys = self.0.as_deref().unwrap_or_default();
        let mut paths: Vec<u16> =
            keys.iter().flat_map(RoutingKey::terms).map(|term| term.path()).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// How many bytes it occupies in memory beside itself.
    pub fn heap_bytes(&self) -> usize {
        self.0.as_deref().map_or(0, size_of_val)
    }
}

impl<'de> Deserialize<'de> for KeySet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = Option::<Vec<RoutingKey>>::deserialize(deserializer)?;
        let is_valid = keys.as_deref().is_none_or(|keys| {
            keys.is_sorted_by(|a, b| a < b)
                && keys.len() * 9 <= KEY_SET_BYTES
                && keys.first() != Some(&RoutingKey::Any)
        });
        is_valid
            .then(|| Self(keys.map(Into::into)))
            .ok_or_else(|| de::Error::custom("no set of keys"))
    }
}
