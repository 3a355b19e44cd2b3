//! Content of later versions.

use core::{fmt, ops::Range};

use serde::{Serialize, Serializer, ser::SerializeTuple};

use crate::heap;

/// The kinds that this version does not know, up to the last that there can be.
const KINDS: Range<u8> = 4..0x80;

/// Content of a kind that a later version added. It is carried as it came and never read, so that one later
/// version hears another through peers of this one.
///
/// Whether it is well-formed can only be said by peers that know the kind, and they hold it against the
/// author alone: others have passed it on in good faith.
#[derive(Clone, PartialEq, Eq)]
pub struct UnknownContent {
    kind: u8,
    bytes: Box<[u8]>,
}

impl UnknownContent {
    /// None if this version knows the kind, or no version ever will: kinds are below 128.
    pub fn new(kind: u8, bytes: &[u8]) -> Option<Self> {
        KINDS.contains(&kind).then(|| Self { kind, bytes: bytes.into() })
    }

    /// The number of its kind.
    pub const fn kind(&self) -> u8 {
        self.kind
    }

    /// What follows the kind, to the end of the signed bytes.
    pub const fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) const fn heap_size(&self) -> usize {
        heap::block(self.bytes.len())
    }
}

/// The kind and the bytes, with nothing before, between or after them.
impl Serialize for UnknownContent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(1 + self.bytes.len())?;
        tuple.serialize_element(&self.kind)?;
        self.bytes.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

impl fmt::Debug for UnknownContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnknownContent(kind {}, {} bytes)", self.kind, self.bytes.len())
    }
}
