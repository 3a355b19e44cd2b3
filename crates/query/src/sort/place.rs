//! The place of a document in an order.

use core::fmt;

use crate::limits::{PLACE_BYTES, PLACE_BYTES_LEAST};

/// The place of a document in the order of a [`Sort`](super::Sort), as bytes whose plain order *is* that
/// order ([the table](super#places)). No two documents share one.
///
/// It serves as a cursor: what follows after a page is what has a greater place than the last of it. It
/// means something only together with the sort that it was made for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(Box<[u8]>);

impl Place {
    /// From bytes that were kept or received. Bytes that no document's place could be are a place too,
    /// between two others.
    ///
    /// # Errors
    /// [`PlaceError`] if the length is not from [`PLACE_BYTES_LEAST`] to [`PLACE_BYTES`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlaceError> {
        if (PLACE_BYTES_LEAST..=PLACE_BYTES).contains(&bytes.len()) {
            Ok(Self(bytes.into()))
        } else {
            Err(PlaceError { bytes: bytes.len() })
        }
    }

    /// From bytes of a length that was seen to.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        debug_assert!((PLACE_BYTES_LEAST..=PLACE_BYTES).contains(&bytes.len()));
        Self(bytes.into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// In hexadecimal.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// Bytes of a length that no [`Place`] has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a place in an order has {PLACE_BYTES_LEAST} to {PLACE_BYTES} bytes, not {bytes}; take the cursor as it was given"
)]
pub struct PlaceError {
    /// How many there are.
    pub bytes: usize,
}
