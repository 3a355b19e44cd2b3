//! Names of documents.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of a document: `BLAKE3(author ‖ BLAKE3(body))`, over its author and its signed bytes but
/// not over the signature, so that another valid signature makes no other document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentId([u8; 32]);

impl DocumentId {
    /// Takes the 32 bytes as they are.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// 64 hexadecimal digits.
impl FromStr for DocumentId {
    type Err = DocumentIdError;

    fn from_str(text: &str) -> Result<Self, DocumentIdError> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(DocumentIdError);
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(DocumentIdError);
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            for one in pair {
                *byte = *byte << 4 | u8::try_from(digit(*one)?).unwrap_or_default();
            }
        }
        Ok(Self(bytes))
    }
}

/// Text that names no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a document's id has 64 hexadecimal digits")]
pub struct DocumentIdError;

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentId({:02x}{:02x}{:02x}…)", self.0[0], self.0[1], self.0[2])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_is_read_as_it_was_printed(bytes in any::<[u8; 32]>()) {
            let id = DocumentId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn no_other_text_is_an_id(text in "[0-9a-fg+é]{62,66}") {
            let id = text.parse::<DocumentId>();
            prop_assert_eq!(id.is_ok(), text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()));
        }
    }
}
