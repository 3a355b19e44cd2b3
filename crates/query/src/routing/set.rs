//! Many keys, asked at once.

mod bits;
mod draft;
mod group;
mod shape;
mod wire;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::{draft::Draft, group::Group};
use super::{bytes, document::DocumentKeys, key::RoutingKey};

/// A set of keys: what a peer and those that it passes documents on to want.
///
/// It is made to fit a number of bytes. As long as it does, it holds the keys themselves. If it does not, it holds
/// hashes of them, of 32 to 12 bits each, by their *shapes*: the paths, types and levels of their terms, of
/// which there are at most 64. Where that does not fit either, keys become wider, and in the end it is
/// [everything](Self::EVERYTHING). So it matches more than its keys at times, but never less. Hashes cannot be
/// made wider, other than to all keys with their paths and types.
///
/// On the wire at most [`KEY_SET_BYTES`](crate::limits::KEY_SET_BYTES), and those that say how many.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeySet(Option<Box<[Group]>>);

/// So many pairs of a document's values are tried before it counts as matching.
const TRIES: usize = 4096;

/// The form of all keys, which no group is as short as.
const EVERYTHING: &[u8] = &[0];

impl Default for KeySet {
    /// Without keys: it matches nothing.
    fn default() -> Self {
        Self(Some(Box::default()))
    }
}

impl KeySet {
    /// Of all keys.
    pub const EVERYTHING: Self = Self(None);

    /// A set that matches whatever one of the keys does, in at most so many bytes on the wire, and never more than
    /// [`KEY_SET_BYTES`](crate::limits::KEY_SET_BYTES). (Everything takes a byte, however few there may be.)
    pub fn of(keys: impl IntoIterator<Item = RoutingKey>, most_bytes: usize) -> Self {
        let mut draft = Draft::default();
        let all = keys.into_iter().all(|key| draft.insert(&key));
        Self(all.then(|| draft.fit(most_bytes)).flatten())
    }

    /// A set that matches whatever one of the sets does, in at most so many bytes, as in [`Self::of`].
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a Self>, most_bytes: usize) -> Self {
        let mut draft = Draft::default();
        for set in sets {
            let Some(groups) = &set.0 else { return Self::EVERYTHING };
            groups.iter().for_each(|group| draft.add(group));
        }
        Self(draft.fit(most_bytes))
    }

    /// Whether a document may stand under one of the keys; it does not if this says no.
    pub fn matches(&self, document: &DocumentKeys) -> bool {
        let mut tries = TRIES;
        self.0.as_deref().is_none_or(|groups| {
            groups.iter().any(|group| group.matches(document, &mut tries).unwrap_or(true))
        })
    }

    /// Whether the key or one that covers it may be there; it is not if this says no.
    pub fn may_hold(&self, key: &RoutingKey) -> bool {
        self.0.as_deref().is_none_or(|groups| groups.iter().any(|group| group.may_hold(key)))
    }

    /// Whether it matches all documents.
    pub const fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    /// Whether there are no keys: it matches nothing.
    pub fn is_empty(&self) -> bool {
        self.0.as_deref().is_some_and(<[Group]>::is_empty)
    }

    /// How many keys or hashes it holds; of everything none.
    pub fn len(&self) -> usize {
        self.groups().iter().map(Group::len).sum()
    }

    /// Whether it holds the keys themselves, not hashes of them, though perhaps wider ones than it was made of. Everything does not.
    pub fn is_exact(&self) -> bool {
        !self.is_everything() && self.groups().iter().all(|group| !group.is_hashed())
    }

    /// The hashes of the paths that its keys name ([`Term::path`](super::Term::path)): sorted, each once. Of
    /// everything there are none.
    pub fn paths(&self) -> Vec<u16> {
        let mut paths: Vec<u16> = self.groups().iter().flat_map(Group::paths).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// How many bytes it occupies in memory beside itself.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(self.groups()) + self.groups().iter().map(Group::heap_bytes).sum::<usize>()
    }

    /// How many bytes it takes on the wire, without those that say how many.
    pub fn wire_bytes(&self) -> usize {
        self.to_bytes().len()
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.0.as_deref().map_or_else(|| EVERYTHING.to_vec(), wire::to_bytes)
    }

    fn groups(&self) -> &[Group] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl Serialize for KeySet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.to_bytes())
    }
}

/// What is longer than [`KEY_SET_BYTES`](crate::limits::KEY_SET_BYTES), not sorted, or has bits that do not count,
/// is an error.
impl<'de> Deserialize<'de> for KeySet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bytes::read(deserializer, "a set of routing keys", |bytes| match bytes {
            EVERYTHING => Some(Self::EVERYTHING),
            _ => wire::from_bytes(bytes).map(|groups| Self(Some(groups))),
        })
    }
}

#[cfg(test)]
mod tests;
