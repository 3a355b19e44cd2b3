//! A document as it is kept: signed bytes with a small header.

use std::sync::Arc;

use taiinet_document::{
    Content, DocumentError, DocumentId, Mark, SignedDocument, Timestamp, VerifiedBytes,
    VerifiedDocument, Versions,
};
use taiinet_identity::PeerId;

use crate::Time;

/// A document that can still be served.
#[derive(Debug)]
pub(crate) struct Kept {
    bytes: VerifiedBytes,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    name: Option<Name>,
    is_deletion: bool,
    /// The documents that it deletes.
    victims: Box<[DocumentId]>,
    hops: u8,
    decoded_size: usize,
}

/// What versions have in common: their owner, and the name of their key.
pub(super) type Name = (PeerId, Arc<str>);

/// That of a document, if it has one.
pub(super) fn name_of(document: &VerifiedDocument) -> Option<Name> {
    document.key_name().map(|key| (document.owner(), key.into()))
}

impl Kept {
    pub(super) fn new(document: &VerifiedDocument, hops: u8) -> Self {
        Self {
            bytes: document.to_bytes(),
            created_at: document.created_at,
            expires_at: document.expires_at,
            name: name_of(document),
            is_deletion: matches!(document.content(), Content::Deleted(_)),
            victims: match document.content() {
                Content::Deleted(deletion) => deletion.documents().copied().collect(),
                _ => Box::default(),
            },
            hops,
            decoded_size: document.document().heap_size(),
        }
    }

    /// What it has in common with the other versions of the same document, if it has a key.
    pub(super) const fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Whether it is a deletion itself, which no other deletes.
    pub(super) const fn is_deletion(&self) -> bool {
        self.is_deletion
    }

    /// The documents that it deletes.
    pub(super) const fn victims(&self) -> &[DocumentId] {
        &self.victims
    }

    /// The form that goes on the wire.
    pub(crate) const fn signed(&self) -> &SignedDocument {
        self.bytes.signed()
    }

    /// How many links it crossed to here, as far as one can tell.
    pub(crate) const fn hops(&self) -> u8 {
        self.hops
    }

    /// From when on its author calls it worthless.
    pub(crate) const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
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

    /// What it holds of the heap, with its places in the store. Tables are half empty at times.
    pub(super) fn heap_size(&self) -> usize {
        const PLACE: usize = 2 * size_of::<(Time, DocumentId)>();
        const NAME_PLACE: usize = 2 * size_of::<(Name, Versions)>();
        const VICTIM: usize = 3 * size_of::<(DocumentId, PeerId)>();
        let name = self.name.as_ref().map_or(0, |(_, key)| key.len() + 32 + NAME_PLACE);
        let victims = self.victims.len() * VICTIM;
        size_of::<Self>() + 16 + self.signed().heap_size() + PLACE + name + victims
    }
}
