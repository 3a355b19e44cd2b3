//! What a document has or lacks, in 64 bits.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::hash::PathHash;
use crate::encoding;

/// The bits of a path's hash.
const PATH_BITS: u32 = 16;
/// The bits of a type.
const TAG_BITS: u32 = 4;
/// The most bits of a value.
pub(super) const CODE_BITS: u32 = 38;
/// The bits that say how many of a value's count.
const LEVEL_BITS: u32 = 6;
const _: () = assert!(PATH_BITS + TAG_BITS + CODE_BITS + LEVEL_BITS == u64::BITS);

/// Where the bits of a value begin.
const HEAD_BITS: u32 = PATH_BITS + TAG_BITS;

/// A path, and what a value there begins with: one that all documents with such a value have.
///
/// From the most significant bit: 16 bits of the path's hash, 4 of the value's type, 38 of the value's code, of
/// which only the first count and the others are zero, 6 bits that say how many count: its *level*. At level
/// 0 a value of this type stands at the path. The code of a number is a posit, so that a level is a range of
/// numbers, that of a boolean one bit; of all else it is a hash, at the greatest level equal or not. That a
/// document has several values at a path is a type without a code. So the order of terms is that of paths,
/// types and codes, and a wider term comes before all that it covers. On the wire 8 bytes, most significant
/// first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(u64);

/// The types that terms tell apart, by the upper bits of the tag in the encoding of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Tag(u8);

impl Tag {
    pub(super) const NUMBER: Self = Self(encoding::NUMBER >> 4);
    pub(super) const BOOL: Self = Self(encoding::BOOL >> 4);
    /// Of documents with several values at the path.
    pub(super) const SEVERAL: Self = Self(encoding::SEVERAL >> 4);

    /// That of a key's first byte; none for null, which stands for what a document does not have.
    pub(super) fn of(tag: u8) -> Option<Self> {
        use encoding::{BOOL, BYTES, LIST, MAP, NUMBER, SEVERAL, STRING};
        matches!(tag, NUMBER | STRING | MAP | LIST | BYTES | BOOL | SEVERAL)
            .then_some(Self(tag >> 4))
    }

    /// From its bits.
    pub(super) fn from_bits(bits: u8) -> Option<Self> {
        Self::of(bits.checked_mul(16)?)
    }

    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    /// How many bits a value's code has: the greatest level.
    pub(super) const fn levels(self) -> u8 {
        match self {
            Self::SEVERAL => 0,
            Self::BOOL => 1,
            _ => CODE_BITS as u8,
        }
    }
}

impl Term {
    /// How many bytes it has.
    pub const BYTES: usize = 8;

    /// From the bytes of the wire; none if they are no term: each term has one form only.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let term = Self(u64::from_be_bytes(bytes));
        let tag = Tag::from_bits(term.tag_bits())?;
        (term.level() <= tag.levels() && term.widened(term.level()) == term).then_some(term)
    }

    /// The bytes of the wire.
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0.to_be_bytes()
    }

    /// Of a code in the upper bits of a word so many, at no path yet.
    pub(super) fn new(tag: Tag, code: u64, level: u8) -> Self {
        let level = level.min(tag.levels());
        let head = u64::from(tag.bits()) << (u64::BITS - HEAD_BITS);
        Self(head | code >> HEAD_BITS | ((1 << LEVEL_BITS) - 1)).widened(level)
    }

    /// The same at a path.
    pub(super) const fn at(self, path: PathHash) -> Self {
        self.at_short(path.short())
    }

    /// The same at a path of which only the first bits of the hash are known.
    pub(super) const fn at_short(self, path: u16) -> Self {
        let rest = self.0 << PATH_BITS >> PATH_BITS;
        Self((path as u64) << (u64::BITS - PATH_BITS) | rest)
    }

    /// The first one at a level of those with its path and type.
    pub(super) const fn with_level(self, level: u8) -> Self {
        Self(self.widened(0).0 | level as u64)
    }

    /// The first bits of the hash of its path.
    pub const fn path(self) -> u16 {
        (self.0 >> (u64::BITS - PATH_BITS)) as u16
    }

    /// How many bits of a value count.
    pub const fn level(self) -> u8 {
        (self.0 & ((1 << LEVEL_BITS) - 1)) as u8
    }

    /// The type; all that there are have one.
    pub(super) const fn tag(self) -> Tag {
        Tag(self.tag_bits())
    }

    const fn tag_bits(self) -> u8 {
        (self.0 >> (u64::BITS - HEAD_BITS)) as u8 & ((1 << TAG_BITS) - 1)
    }

    /// Path, type, code and level.
    pub(super) const fn word(self) -> u64 {
        self.0
    }

    /// Whether all documents with the other one have this one.
    pub const fn covers(self, other: Self) -> bool {
        let others = u64::BITS - HEAD_BITS - self.level() as u32;
        self.level() <= other.level() && (self.0 ^ other.0) >> others == 0
    }

    /// The term at a lower level that covers it; itself, if it has no more bits than that.
    #[must_use]
    pub const fn widened(self, level: u8) -> Self {
        let level = if level < self.level() { level } else { self.level() };
        let others = u64::BITS - HEAD_BITS - level as u32;
        Self(self.0 >> others << others | level as u64)
    }

    /// The bits of a value that count, as a number.
    pub(super) const fn prefix(self) -> u64 {
        let others = CODE_BITS + LEVEL_BITS - self.level() as u32;
        (self.0 << HEAD_BITS >> HEAD_BITS) >> others
    }

    /// The same path, type and level with other bits, so many.
    pub(super) const fn with_prefix(self, prefix: u64) -> Self {
        let others = CODE_BITS + LEVEL_BITS - self.level() as u32;
        Self(self.widened(0).0 | prefix << others | self.level() as u64)
    }

    /// The least and the greatest term at the greatest level that it covers.
    pub(super) const fn span(self) -> (u64, u64) {
        let others = u64::BITS - HEAD_BITS - self.level() as u32;
        let first = self.0 >> others << others;
        (first, first | ((1 << others) - 1))
    }
}

/// In hexadecimal.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
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

/// What is no term is an error.
impl<'de> Deserialize<'de> for Term {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_bytes(<[u8; Self::BYTES]>::deserialize(deserializer)?)
            .ok_or_else(|| de::Error::custom("no term of a routing key"))
    }
}
