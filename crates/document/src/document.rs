//! A document before it is signed, or after it was decoded.

use serde::{Deserialize, Serialize};
use taiinet_identity::NextKey;

use crate::{Content, Deletion, DocumentError, Key, Network, Timestamp, key};

/// What an author publishes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    /// The network it belongs to; it is refused on any other.
    pub network: Network,
    /// When its author published it.
    pub created_at: Timestamp,
    /// Chosen at random, so that two documents of the same content and moment are two documents.
    pub nonce: u32,
    /// From when on it is worthless; later than `created_at`.
    pub expires_at: Option<Timestamp>,
    /// The newest version under one key replaces the older ones.
    #[serde(with = "key")]
    pub key: Option<Key>,
    /// Reserved; see [`NextKey`].
    pub next_key: Option<NextKey>,
    /// The content.
    pub content: Content,
}

/// What stands before the content, which fills the rest.
#[derive(Deserialize)]
struct Header {
    network: Network,
    created_at: Timestamp,
    nonce: u32,
    expires_at: Option<Timestamp>,
    #[serde(with = "key")]
    key: Option<Key>,
    next_key: Option<NextKey>,
}

impl Document {
    /// Decodes the signed bytes: first the header, which is the same for all, then the content by its kind.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, DocumentError> {
        let (header, content) =
            postcard::take_from_bytes(body).map_err(|error| DocumentError::from_decoder(&error))?;
        let Header { network, created_at, nonce, expires_at, key, next_key } = header;
        let content = Content::decode(content)?;
        let document = Self { network, created_at, nonce, expires_at, key, next_key, content };
        // postcard also takes varints that are longer than needed, and only they can make the bytes
        // longer than our own encoding.
        if postcard::experimental::serialized_size(&document) != Ok(body.len()) {
            return Err(DocumentError::NotCanonical);
        }
        document.check_options()?;
        Ok(document)
    }

    /// Whether receivers would take it, as far as its size does not matter.
    ///
    /// # Errors
    /// [`DocumentError::KeyTooLong`], [`DocumentError::Expiry`], [`DocumentError::Value`] (its content
    /// nests too deep or has too many values, say), [`DocumentError::QueryTooLong`],
    /// [`DocumentError::Deletion`]
    pub fn check(&self) -> Result<(), DocumentError> {
        self.check_options()?;
        self.content.check()
    }

    /// How many bytes of the heap it holds, at most: see [`VerifiedDocument::heap_size`].
    ///
    /// [`VerifiedDocument::heap_size`]: crate::VerifiedDocument::heap_size
    pub fn heap_size(&self) -> usize {
        let key = self.key.as_ref().map_or(0, Key::heap_size);
        self.network.heap_size() + key + self.content.heap_size()
    }

    /// What decoding alone does not guarantee.
    fn check_options(&self) -> Result<(), DocumentError> {
        self.key.as_ref().map_or(Ok(()), Key::check)?;
        if let Content::Deleted(deletion) = &self.content
            && self.key.is_some() != matches!(deletion, Deletion::Key)
        {
            return Err(DocumentError::Deletion);
        }
        if self.expires_at.is_some_and(|expires_at| expires_at <= self.created_at) {
            return Err(DocumentError::Expiry);
        }
        Ok(())
    }
}
