//! A document before it is signed, or after it was decoded.

use serde::{Deserialize, Serialize};

use crate::{Content, DocumentError, Network, Sealed, Timestamp, heap, limits, value};

/// What an author publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The network it belongs to; it is refused on any other.
    pub network: Network,
    /// When its author published it.
    pub created_at: Timestamp,
    /// Chosen at random, so that two documents of the same content and moment are two documents.
    pub nonce: u32,
    /// From when on it is worthless; later than `created_at`.
    pub expires_at: Option<Timestamp>,
    /// The newest document of one author under one key replaces the older ones. At most
    /// [`limits::KEY_BYTES`] bytes.
    pub key: Option<String>,
    /// The content.
    pub content: Content,
}

impl Document {
    /// Whether receivers would take it, as far as its size does not matter.
    ///
    /// # Errors
    /// [`DocumentError::KeyTooLong`], [`DocumentError::Expiry`], [`DocumentError::Value`] (its content
    /// nests too deep or has too many values, say), [`DocumentError::QueryTooLong`]
    pub fn check(&self) -> Result<(), DocumentError> {
        self.check_options()?;
        match &self.content {
            Content::Open(fields) | Content::Sealed(Sealed { public: fields, .. }) => {
                value::check_map(fields)?;
            }
            Content::Subscription(subscription)
                if subscription.query.len() > limits::QUERY_BYTES =>
            {
                return Err(DocumentError::QueryTooLong);
            }
            Content::Deleted | Content::Subscription(_) => {}
        }
        Ok(())
    }

    /// How many bytes of the heap it holds, at most: see [`VerifiedDocument::heap_size`].
    ///
    /// [`VerifiedDocument::heap_size`]: crate::VerifiedDocument::heap_size
    pub fn heap_size(&self) -> usize {
        let key = self.key.as_ref().map_or(0, |key| heap::block(key.capacity()));
        self.network.heap_size() + key + self.content.heap_size()
    }

    /// What decoding alone does not guarantee.
    pub(crate) fn check_options(&self) -> Result<(), DocumentError> {
        if self.key.as_ref().is_some_and(|key| key.len() > limits::KEY_BYTES) {
            return Err(DocumentError::KeyTooLong);
        }
        if self.expires_at.is_some_and(|expires_at| expires_at <= self.created_at) {
            return Err(DocumentError::Expiry);
        }
        Ok(())
    }
}
