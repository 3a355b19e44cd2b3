//! A document on the wire, and after its signature was checked.

use core::{fmt, ops::Deref};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use taiinet_identity::{Domain, Identity, PeerId, PublicKey, Signature};

use crate::{Content, Document, limits};

/// The name of a document: BLAKE3 over its author and its signed bytes, not over the signature (so
/// that another valid signature makes no other document).
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

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentId({:02x}{:02x}{:02x}…)", self.0[0], self.0[1], self.0[2])
    }
}

/// A document as it travels: the author, the exact bytes that were signed (postcard) and the
/// signature, **not yet checked**. Cheap to clone; forwarded as it came.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedDocument {
    author: PeerId,
    signature: Signature,
    body: Arc<[u8]>,
}

impl SignedDocument {
    /// Who is said to have written it.
    pub const fn author(&self) -> PeerId {
        self.author
    }

    /// The exact bytes that were signed.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// How many bytes it takes on the wire, about.
    pub fn size(&self) -> usize {
        self.body.len() + PeerId::LEN + Signature::LEN
    }

    /// Its name; costs one BLAKE3 over author and body.
    pub fn id(&self) -> DocumentId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.author.as_bytes());
        hasher.update(&self.body);
        DocumentId(*hasher.finalize().as_bytes())
    }

    /// Decodes the body **without** checking the signature: for the cheap checks before it.
    ///
    /// # Errors
    /// [`DocumentError::TooLarge`] or [`DocumentError::Malformed`].
    pub fn decode(&self) -> Result<Document, DocumentError> {
        if self.body.len() > limits::DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge { bytes: self.body.len() });
        }
        match postcard::take_from_bytes(&self.body) {
            Ok((document, [])) => Ok(document),
            _ => Err(DocumentError::Malformed),
        }
    }

    /// Checks the signature under `key`, given what [`Self::decode`] and [`Self::id`] returned.
    ///
    /// # Errors
    /// [`DocumentError::InvalidSignature`], also if `key` is not the author's.
    pub fn verify(self, key: &PublicKey) -> Result<VerifiedDocument, DocumentError> {
        let document = self.decode()?;
        if key.peer_id() != self.author {
            return Err(DocumentError::InvalidSignature);
        }
        key.verify(Domain::Document, &self.body, &self.signature)
            .map_err(|_| DocumentError::InvalidSignature)?;
        Ok(VerifiedDocument { id: self.id(), document, signed: self })
    }
}

impl fmt::Debug for SignedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedDocument(by {}, {} bytes)", self.author.short(), self.body.len())
    }
}

/// A document whose signature was found valid.
#[derive(Clone, PartialEq)]
pub struct VerifiedDocument {
    id: DocumentId,
    document: Document,
    signed: SignedDocument,
}

impl VerifiedDocument {
    /// Signs a document of our own.
    ///
    /// # Errors
    /// [`DocumentError::TooLarge`], [`DocumentError::Malformed`] if it breaks a limit that its
    /// receivers would refuse it for.
    pub fn sign(identity: &Identity, document: Document) -> Result<Self, DocumentError> {
        let body: Arc<[u8]> =
            postcard::to_allocvec(&document).map_err(|_| DocumentError::Malformed)?.into();
        if body.len() > limits::DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge { bytes: body.len() });
        }
        let signature = identity.sign(Domain::Document, &body);
        let signed = SignedDocument { author: identity.peer_id(), signature, body };
        Ok(Self { id: signed.id(), document, signed })
    }

    /// Its name.
    pub const fn id(&self) -> DocumentId {
        self.id
    }

    /// Who wrote it.
    pub const fn author(&self) -> PeerId {
        self.signed.author
    }

    /// The form that goes on the wire.
    pub const fn signed(&self) -> &SignedDocument {
        &self.signed
    }

    /// The content.
    pub const fn content(&self) -> &Content {
        &self.document.content
    }
}

impl Deref for VerifiedDocument {
    type Target = Document;

    fn deref(&self) -> &Document {
        &self.document
    }
}

impl fmt::Debug for VerifiedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedDocument({:?} by {})", self.id, self.author().short())
    }
}

/// Why a document is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Larger than [`limits::DOCUMENT_BYTES`].
    #[error("the document has {bytes} bytes, more than the {} allowed", limits::DOCUMENT_BYTES)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The bytes are not a document, or it breaks a limit of depth or length.
    #[error("the document is malformed")]
    Malformed,
    /// The signature is not its author's.
    #[error("the document's signature is not valid")]
    InvalidSignature,
}
