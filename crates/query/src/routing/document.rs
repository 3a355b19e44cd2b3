//! What a document has.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use taiinet_document::{Content, Map, Value, VerifiedDocument};

use super::{
    bytes, code,
    hash::{PathHash, is_keyed_name},
    term::{Tag, Term},
};
use crate::{
    encoding,
    limits::{DOCUMENT_VALUES, INDEX_KEYS, PATH_PARTS},
    subject::{Attributes, RESERVED, Subject},
};

/// What a document has at each path, so that it can be asked whether it stands under a
/// [`RoutingKey`](super::RoutingKey).
///
/// At most [`DOCUMENT_VALUES`] values, or [everything](Self::EVERYTHING). A path with more values than
/// [`INDEX_KEYS`], or for which there is no room, counts as having all values there can be; with too many such
/// paths the document has everything. That is never wrong, but the document goes where nobody wants it.
///
/// On the wire bytes: one for everything, else the values, sorted, of 3 or 8 bytes each.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DocumentKeys(Option<Box<[Entry]>>);

/// A term at its type's greatest level, or a path with any value: in the order of these, what a term covers
/// stands together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Entry(u64);

impl Entry {
    /// Any value of a path: it comes before all others of the path.
    const fn any(path: u16) -> Self {
        Self((path as u64) << 48)
    }

    const fn path(self) -> u16 {
        (self.0 >> 48) as u16
    }

    const fn is_any(self) -> bool {
        self.0 << 16 == 0
    }

    /// As a term; none of any value.
    fn term(self) -> Option<Term> {
        Term::from_bytes(self.0.to_be_bytes())
    }

    /// The first bits of a value's code, as a number.
    pub(super) fn prefix(self, level: u8) -> u64 {
        (self.0 << 20).checked_shr(u64::BITS - u32::from(level)).unwrap_or(0)
    }
}

impl DocumentKeys {
    /// Of a document that stands under all keys, since nothing is known of it.
    pub const EVERYTHING: Self = Self(None);

    /// Those of a document. What has no content that queries see has everything: a deletion, a subscription,
    /// content that only a later version can read, and what is sealed. The work is bounded by the document.
    pub fn of(document: &VerifiedDocument) -> Self {
        match document.content() {
            Content::Open(content) => Self::of_fields(Attributes::of(document), content),
            _ => Self::EVERYTHING,
        }
    }

    /// Those of a document that is not signed yet or that was opened.
    pub fn of_fields(attributes: Attributes<'_>, content: &Map) -> Self {
        let subject = Subject::new(attributes, content);
        let mut gather = Gather::default();
        for name in RESERVED {
            if let Some(value) = subject.reserved(name) {
                gather.value(PathHash::ROOT.then(name), value, Way::FIRST);
            }
        }
        for (name, value) in content.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str())) {
            gather.field(PathHash::ROOT, name, value, Way::FIRST);
        }
        Self((!gather.overflow).then(|| gather.entries.into_boxed_slice()))
    }

    /// Of terms, and paths with any value.
    #[cfg(test)]
    pub(super) fn of_terms(terms: &[Term], any: &[u16]) -> Self {
        let mut gather = Gather::default();
        any.iter().for_each(|path| gather.any(*path));
        terms.iter().for_each(|term| gather.insert(*term));
        Self(Some(gather.entries.into()))
    }

    /// Only what stands at paths with certain hashes ([`Term::path`]). A document with everything keeps it.
    #[must_use]
    pub fn only(&self, paths: impl Fn(u16) -> bool) -> Self {
        let kept = |entries: &[Entry]| {
            entries.iter().copied().filter(|entry| paths(entry.path())).collect()
        };
        Self(self.0.as_deref().map(kept))
    }

    /// What either of two has: a query that matches one of them has a key that this stands under.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let Some((ours, theirs)) = self.0.as_deref().zip(other.0.as_deref()) else {
            return Self::EVERYTHING;
        };
        let mut all = [ours, theirs].concat();
        all.sort_unstable();
        all.dedup();
        Self((all.len() <= DOCUMENT_VALUES).then(|| all.into_boxed_slice()))
    }

    /// How many values are kept.
    pub fn len(&self) -> usize {
        self.0.as_deref().map_or(0, <[Entry]>::len)
    }

    /// Whether it has nothing, which no signed document does.
    pub fn is_empty(&self) -> bool {
        self.0.as_deref().is_some_and(<[Entry]>::is_empty)
    }

    /// Whether it stands under all keys.
    pub const fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it has a value that a term covers.
    pub(super) fn has(&self, term: Term) -> bool {
        let (first, last) = term.span();
        let Some(entries) = self.0.as_deref() else { return true };
        let at = entries.partition_point(|entry| entry.0 < first);
        entries.get(at).is_some_and(|entry| entry.0 <= last) || self.has_any(term.path())
    }

    /// Whether it counts as having all values of a path.
    pub(super) fn has_any(&self, path: u16) -> bool {
        self.0.as_deref().is_none_or(|entries| entries.binary_search(&Entry::any(path)).is_ok())
    }

    /// What it has of a path and a type.
    pub(super) fn entries(&self, term: Term) -> &[Entry] {
        let (first, last) = term.widened(0).span();
        let entries = self.0.as_deref().unwrap_or_default();
        let from = entries.partition_point(|entry| entry.0 < first);
        let to = entries.partition_point(|entry| entry.0 <= last);
        entries.get(from..to).unwrap_or_default()
    }
}

impl fmt::Debug for DocumentKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(entries) = self.0.as_deref() else {
            return f.write_str("DocumentKeys(everything)");
        };
        f.debug_list().entries(entries).finish()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// How a path came to a value.
#[derive(Clone, Copy)]
struct Way {
    /// How many names it has.
    names: usize,
    /// The product of the lengths of the lists that it came through: so many values there can be.
    values: usize,
}

impl Way {
    const FIRST: Self = Self { names: 1, values: 1 };
}

/// What was found so far: sorted, each once.
#[derive(Default)]
struct Gather {
    entries: Vec<Entry>,
    /// There was no room.
    overflow: bool,
    scratch: Vec<u8>,
}

impl Gather {
    fn field(&mut self, path: PathHash, name: &str, value: &Value, way: Way) {
        if is_keyed_name(name) && way.names <= PATH_PARTS && !self.overflow {
            self.value(path.then(name), value, way);
        }
    }

    /// What stands at a path, and below.
    fn value(&mut self, path: PathHash, value: &Value, way: Way) {
        self.end(path, value, way);
        match value {
            Value::Map(map) => self.below(path, map, way, 1),
            Value::List(list) => {
                for element in list {
                    // Not what is in a list directly inside a list.
                    if let Value::Map(map) = element {
                        self.below(path, map, way, list.len());
                    }
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, path: PathHash, map: &Map, way: Way, times: usize) {
        let way = Way { names: way.names + 1, values: way.values.saturating_mul(times) };
        for (name, value) in map {
            self.field(path, name, value, way);
        }
    }

    /// What stands at a path.
    fn end(&mut self, path: PathHash, value: &Value, way: Way) {
        let elements = match value {
            Value::List(list) => list.as_slice(),
            _ => &[],
        };
        let values = way.values.saturating_mul(elements.len().max(1));
        if values > INDEX_KEYS {
            self.any(path.short());
            return;
        }
        if way.values > 1 || matches!(value, Value::List(_)) {
            self.insert(Term::new(Tag::SEVERAL, 0, 0).at(path));
        }
        self.key(path, value);
        elements.iter().for_each(|element| self.key(path, element));
    }

    /// Adds the key of a value. No key asks for null, which a document without the field would have as well.
    fn key(&mut self, path: PathHash, value: &Value) {
        let Some(tag) = Tag::of(encoding::tag(value)) else { return };
        self.scratch.clear();
        encoding::append(value, &mut self.scratch);
        self.insert(Term::new(tag, code::of(&self.scratch), u8::MAX).at(path));
    }

    fn insert(&mut self, term: Term) {
        if self.entries.binary_search(&Entry::any(term.path())).is_ok() {
            return;
        }
        let entry = Entry(term.word());
        if let Err(at) = self.entries.binary_search(&entry) {
            if self.entries.len() < DOCUMENT_VALUES {
                self.entries.insert(at, entry);
            } else {
                self.any(term.path());
            }
        }
    }

    /// From now on any value of a path.
    fn any(&mut self, path: u16) {
        self.entries.retain(|entry| entry.path() != path);
        if self.entries.len() < DOCUMENT_VALUES {
            let at = self.entries.partition_point(|entry| *entry < Entry::any(path));
            self.entries.insert(at, Entry::any(path));
        } else {
            self.overflow = true;
        }
    }
}

impl Entry {
    /// How many bytes of a type's entries are sent: in few there is all that counts.
    fn bytes_of(tag: u8) -> usize {
        match Tag::from_bits(tag) {
            Some(tag) if tag.levels() > 4 => Term::BYTES,
            _ => 3,
        }
    }

    fn write(self, into: &mut Vec<u8>) {
        let bytes = self.0.to_be_bytes();
        let tag = (self.0 >> 44) as u8 & 0xf;
        into.extend(bytes.iter().take(Self::bytes_of(tag)));
    }

    /// The first of some bytes, and the others.
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let [_, _, head, ..] = bytes else { return None };
        let (tag, length) = (Tag::from_bits(head >> 4), Self::bytes_of(head >> 4));
        let (own, rest) = bytes.split_at_checked(length)?;
        let mut word = [0; Term::BYTES];
        for (to, from) in word.iter_mut().zip(own) {
            *to = *from;
        }
        let word = u64::from_be_bytes(word);
        let level = tag.map_or(0, Tag::levels);
        let entry = Self(if length < Term::BYTES { word | u64::from(level) } else { word });
        let is_whole = entry.term().is_some_and(|term| term.level() == level);
        (is_whole || (entry.is_any() && head >> 4 == 0)).then_some((entry, rest))
    }
}

/// Everything, since no entry is as short.
const EVERYTHING: &[u8] = &[0];

impl Serialize for DocumentKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(entries) = self.0.as_deref() else {
            return serializer.serialize_bytes(EVERYTHING);
        };
        let mut bytes = Vec::with_capacity(entries.len() * Term::BYTES);
        entries.iter().for_each(|entry| entry.write(&mut bytes));
        serializer.serialize_bytes(&bytes)
    }
}

/// More than [`DOCUMENT_VALUES`], and what is not sorted or no value at its greatest level, are an error.
impl<'de> Deserialize<'de> for DocumentKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bytes::read(deserializer, "what a document has", |mut bytes| {
            if bytes == EVERYTHING {
                return Some(Self::EVERYTHING);
            }
            let mut entries: Vec<Entry> = Vec::new();
            while !bytes.is_empty() && entries.len() < DOCUMENT_VALUES {
                let (entry, rest) = Entry::read(bytes)?;
                let before = entries.last();
                let is_next = before.is_none_or(|last| {
                    *last < entry && !(last.is_any() && last.path() == entry.path())
                });
                is_next.then(|| entries.push(entry))?;
                bytes = rest;
            }
            bytes.is_empty().then(|| Self(Some(entries.into())))
        })
    }
}
