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

    /// From the text that `Display` gives, which is hexadecimal; none for any other.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
        let byte = |pair: &[u8]| match *pair {
            [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
        Self::from_bytes(&bytes?).ok()
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// In hexadecimal.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_printed_and_nothing_else_is() {
        let bytes: Vec<u8> = (0..=255).collect();
        let place = Place::from_bytes(&bytes).expect("a place");
        let text = place.to_string();
        assert_eq!(Place::from_hex(&text), Some(place));
        let other = [&text[1..], &text[..20], "", &text.to_uppercase(), &format!("{text}g0"), "é"];
        for wrong in other {
            assert_eq!(Place::from_hex(wrong), None, "{wrong}");
        }
    }
}
