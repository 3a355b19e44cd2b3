//! Many keys, asked at once.

use super::{document::DocumentKeys, term::WireKey};

/// A set of keys, as a peer keeps one for whoever it passes documents on to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyFilter(Vec<WireKey>);

impl KeyFilter {
    /// Without keys: it matches nothing.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a key; whether it was not there.
    pub fn insert(&mut self, key: WireKey) -> bool {
        match self.0.binary_search(&key) {
            Ok(_) => false,
            Err(at) => {
                self.0.insert(at, key);
                true
            }
        }
    }

    /// Takes a key away; whether it was there.
    pub fn remove(&mut self, key: &WireKey) -> bool {
        self.0.binary_search(key).map(|at| self.0.remove(at)).is_ok()
    }

    /// Whether a key is there.
    pub fn contains(&self, key: &WireKey) -> bool {
        self.0.binary_search(key).is_ok()
    }

    /// Whether a document stands under one of the keys.
    pub fn matches(&self, document: &DocumentKeys) -> bool {
        // Those with the same first term stand together.
        let mut lacked = None;
        self.0.iter().any(|key| match key {
            WireKey::Two(pair) => {
                let [first, second] = pair.terms();
                if lacked == Some(first) {
                    return false;
                }
                if !document.contains(first) {
                    lacked = Some(first);
                    return false;
                }
                document.contains(second)
            }
            other => other.matches(document),
        })
    }

    /// The keys, sorted.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &WireKey> {
        self.0.iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes it occupies in memory beside itself.
    pub fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<WireKey>()
    }
}

impl FromIterator<WireKey> for KeyFilter {
    fn from_iter<I: IntoIterator<Item = WireKey>>(keys: I) -> Self {
        let mut keys: Vec<WireKey> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        Self(keys)
    }
}
