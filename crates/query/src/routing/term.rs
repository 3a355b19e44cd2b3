//! Terms as they are sent: hashes of a path and of what stands there.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::code::{Code, levels};
use crate::encoding::SEVERAL;

/// What a document has or lacks, hashed: a path, and a prefix of a value there. All peers give it the same
/// hash. No security rests on that: who finds another value with the same hash gets documents sent that are
/// not wanted, as by naming the value itself.
///
/// 16 bits are of the path, 32 of all of it. On the wire 6 bytes, most significant first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(u64);

impl Term {
    /// How many bytes it has.
    pub const BYTES: usize = 6;

    /// From the bytes of the wire.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [a, b, c, d, e, f] = bytes;
        Self(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    /// The bytes of the wire.
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        let [_, _, a, b, c, d, e, f] = self.0.to_be_bytes();
        [a, b, c, d, e, f]
    }

    pub(super) const fn number(self) -> u64 {
        self.0
    }

    /// What it shares with the other terms of its path.
    pub(super) const fn path(self) -> u16 {
        (self.0 >> 32) as u16
    }
}

/// In hexadecimal.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Term({self})")
    }
}

impl Serialize for Term {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_bytes().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Term {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <[u8; Self::BYTES]>::deserialize(deserializer).map(Self::from_bytes)
    }
}

/// A [`RoutingKey`](super::RoutingKey) as it is sent: 1, 7 or 13 bytes. Each has one form only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum WireKey {
    /// Any document.
    Any,
    /// Documents with a term.
    One(Term),
    /// Documents with both terms.
    Two(Pair),
}

/// Two different terms, the lesser one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Pair(Term, Term);

impl Pair {
    /// Both terms, the lesser one first.
    pub const fn terms(self) -> [Term; 2] {
        [self.0, self.1]
    }
}

impl WireKey {
    /// The key of documents with both terms.
    pub fn both(a: Term, b: Term) -> Self {
        if a == b { Self::One(a) } else { Self::Two(Pair(a.min(b), a.max(b))) }
    }
}

/// Two terms in the wrong order, or one twice, are an error.
impl<'de> Deserialize<'de> for WireKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "WireKey")]
        enum Raw {
            Any,
            One(Term),
            Two(Term, Term),
        }
        match Raw::deserialize(deserializer)? {
            Raw::Any => Ok(Self::Any),
            Raw::One(term) => Ok(Self::One(term)),
            Raw::Two(first, second) if first < second => Ok(Self::Two(Pair(first, second))),
            Raw::Two(..) => Err(de::Error::custom("the terms of a key are sorted, and different")),
        }
    }
}

/// The beginning of all paths.
const ROOT: u64 = u64::from_be_bytes(*b"taiinet1");

/// The finaliser of SplitMix64, of what was hashed and what is added.
const fn step(hash: u64, word: u64) -> u64 {
    let mut hash = (hash ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// Adds bytes, eight at a time, and how many they were.
fn absorb(hash: u64, bytes: &[u8]) -> u64 {
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        u64::from_le_bytes(word)
    });
    step(words.fold(hash, step), bytes.len() as u64)
}

/// The hash of a path, so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PathHash(u64);

impl PathHash {
    /// Of no names.
    pub(super) const ROOT: Self = Self(ROOT);

    /// With one name more.
    pub(super) fn then(self, name: &str) -> Self {
        Self(absorb(self.0, name.as_bytes()))
    }

    /// What all terms of the path have.
    pub(super) const fn short(self) -> u16 {
        (self.0 >> 48) as u16
    }

    const fn term(self, hash: u64) -> Term {
        Term(self.0 >> 48 << 32 | hash >> 32)
    }

    /// Of a whole key.
    pub(super) fn whole(self, key: &[u8]) -> Term {
        self.term(absorb(step(self.0, 0x100), key))
    }

    /// Of a document with several values there.
    pub(super) const fn several(self) -> Term {
        self.term(step(self.0, SEVERAL as u64))
    }

    /// Of the longest prefix of a code with at most so many bits.
    pub(super) fn prefix(self, tag: u8, code: Code, bits: u16) -> Term {
        let none = self.term(step(self.0, u64::from(tag)));
        self.prefixes(tag, code, bits).last().unwrap_or(none)
    }

    /// Of all keys with a tag, then of each prefix of the code, as long as wanted.
    pub(super) fn prefixes(self, tag: u8, code: Code, bits: u16) -> impl Iterator<Item = Term> {
        let mut hash = step(self.0, u64::from(tag));
        let mut from = 0;
        let levels = levels(tag).iter().take_while(move |to| **to <= bits);
        let longer = levels.map(move |&to| {
            hash = step(hash, code.slice(from, to));
            from = to;
            self.term(hash)
        });
        core::iter::once(self.term(hash)).chain(longer)
    }
}
