//! A document as it is kept: signed bytes with a small header.

use std::sync::Arc;

use taiinet_document::{
    DocumentError, DocumentId, SignedDocument, Timestamp, VerifiedBytes, VerifiedDocument,
};
use taiinet_identity::PeerId;

use crate::{Time, wire::Mark};

/// A document that can still be served.
#[derive(Debug)]
pub(crate) struct Kept {
    bytes: VerifiedBytes,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    key: Option<Arc<str>>,
    hops: u8,
    decoded_size: usize,
}

impl Kept {
    pub(super) fn new(document: &VerifiedDocument, hops: u8) -> Self {
        Self {
            bytes: document.to_bytes(),
            created_at: document.created_at,
            expires_at: document.expires_at,
            key: document.key.as_deref().map(Into::into),
            hops,
            decoded_size: document.document().heap_size(),
        }
    }

    /// Its key among the documents of its author.
    pub(super) const fn key(&self) -> Option<&Arc<str>> {
        self.key.as_ref()
    }

    /// The form that goes on the wire.
    pub(crate) const fn signed(&self) -> &SignedDocument {
        self.bytes.signed()
    }

    /// How many links it crossed to here, as far as one can tell.
    pub(crate) const fn hops(&self) -> u8 {
        self.hops
    }

    /// Whether its author calls it worthless by now.
    pub(crate) fn is_expired(&self, now: Time) -> bool {
        self.expires_at.is_some_and(|expires_at| now >= expires_at.into())
    }

    /// What it takes on the heap once it is decoded.
    pub(crate) const fn decoded_size(&self) -> usize {
        self.decoded_size
    }

    /// Decodes it again.
    ///
    /// # Errors
    /// None: it was decoded before.
    pub(crate) fn decode(&self) -> Result<VerifiedDocument, DocumentError> {
        self.bytes.decode()
    }

    pub(super) const fn mark(&self) -> Mark {
        Mark { created_at: self.created_at, id: self.signed().id() }
    }

    /// That of a document that is not kept yet.
    pub(super) fn mark_of(document: &VerifiedDocument) -> Mark {
        Mark { created_at: document.created_at, id: document.id() }
    }

    /// What it holds of the heap, with its places in the store. Tables are half empty at times.
    pub(super) fn heap_size(&self) -> usize {
        const PLACE: usize = 2 * size_of::<(Time, DocumentId)>();
        const KEY_PLACE: usize = 2 * size_of::<((PeerId, Arc<str>), Mark)>();
        let key = self.key.as_ref().map_or(0, |key| key.len() + 32 + KEY_PLACE);
        size_of::<Self>() + 16 + self.signed().heap_size() + PLACE + key
    }
}
