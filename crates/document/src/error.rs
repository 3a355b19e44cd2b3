//! Why a document is refused.

use crate::{ValueError, limits};

/// Why a document is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Larger than [`limits::DOCUMENT_BYTES`].
    #[error("the document has {bytes} bytes, more than the {} allowed", limits::DOCUMENT_BYTES)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The bytes end within the document.
    #[error("the document is cut off")]
    Truncated,
    /// The bytes are no document of any version: an unknown tag, text that is not UTF-8, names that do not ascend, a
    /// float that is not finite, values nested too deep or too many, a bad name of a network, bytes left over.
    #[error("the document is malformed")]
    Malformed,
    /// The bytes are not the one encoding of what they say.
    #[error("the document is not in its canonical encoding")]
    NotCanonical,
    /// Its `key` is longer than [`limits::KEY_BYTES`].
    #[error("the document's key is longer than the {} bytes allowed", limits::KEY_BYTES)]
    KeyTooLong,
    /// As many writers as a key cannot be [shared](crate::Key::shared) with.
    #[error(
        "a document is shared with 1 to {} writers or with anyone, not with {count}",
        limits::WRITERS
    )]
    Writers {
        /// So many.
        count: usize,
    },
    /// As many documents as one deletion cannot name.
    #[error("a deletion names 1 to {} documents, not {count}", limits::DELETED_DOCUMENTS)]
    Victims {
        /// So many.
        count: usize,
    },
    /// A deletion that says neither by its key nor by ids what it withdraws, or both.
    #[error("a deletion has a key, or names documents by their ids")]
    Deletion,
    /// It expires before it is created, or at once.
    #[error("the document must expire later than it is created")]
    Expiry,
    /// Its query is longer than [`limits::QUERY_BYTES`].
    #[error("the subscription's query is longer than the {} bytes allowed", limits::QUERY_BYTES)]
    QueryTooLong,
    /// Our own content holds a value that may not be in a document.
    #[error("the document's content: {0}")]
    Value(#[from] ValueError),
    /// The signature is not its author's.
    #[error("the document's signature is not valid")]
    InvalidSignature,
}

impl DocumentError {
    pub(crate) const fn from_decoder(error: &postcard::Error) -> Self {
        match error {
            postcard::Error::DeserializeUnexpectedEnd => Self::Truncated,
            _ => Self::Malformed,
        }
    }
}
