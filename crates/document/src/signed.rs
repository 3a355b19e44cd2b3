//! A document on the wire, and after its signature was checked.

use core::{fmt, ops::Deref};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use taiinet_identity::{Domain, Identity, PeerId, PublicKey, Signature};

use crate::{Content, Document, DocumentError, DocumentId, Key, heap, limits};

/// A document as it travels: the author, the exact bytes that were signed (postcard) and the
/// signature, **not yet checked**. Cheap to clone; forwarded as it came.
///
/// It is hashed when it is decoded or signed, so that its name is always at hand.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire")]
pub struct SignedDocument {
    author: PeerId,
    signature: Signature,
    #[serde(serialize_with = "serialize_body")]
    body: Arc<[u8]>,
    #[serde(skip_serializing)]
    hash: blake3::Hash,
    #[serde(skip_serializing)]
    id: DocumentId,
}

impl SignedDocument {
    fn new(author: PeerId, signature: Signature, body: Arc<[u8]>, hash: blake3::Hash) -> Self {
        let mut name = [0; PeerId::LEN + blake3::OUT_LEN];
        name[..PeerId::LEN].copy_from_slice(author.as_bytes());
        name[PeerId::LEN..].copy_from_slice(hash.as_bytes());
        let id = DocumentId::from_bytes(*blake3::hash(&name).as_bytes());
        Self { author, signature, body, hash, id }
    }

    /// Reads one from bytes that hold it and nothing else, as it is on the wire.
    ///
    /// # Errors
    /// [`DocumentError::TooLarge`] where they are more than any document has, [`DocumentError::Truncated`],
    /// [`DocumentError::Malformed`].
    pub fn from_wire(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > limits::DOCUMENT_BYTES + 128 {
            return Err(DocumentError::TooLarge { bytes: bytes.len() });
        }
        match postcard::take_from_bytes(bytes) {
            Ok((document, [])) => Ok(document),
            Ok(_) => Err(DocumentError::Malformed),
            Err(error) => Err(DocumentError::from_decoder(&error)),
        }
    }

    /// The bytes of it on the wire.
    pub fn to_wire(&self) -> Vec<u8> {
        // Only a sequence of unknown length could not be written.
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// The peer that is said to have written it.
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

    /// How many bytes of the heap it holds, at most. Clones share them.
    pub fn heap_size(&self) -> usize {
        heap::block(self.body.len() + 2 * size_of::<usize>())
    }

    /// The hash of its signed bytes, by which all peers know it.
    pub const fn id(&self) -> DocumentId {
        self.id
    }

    /// Decodes the body and checks its limits **without** checking the signature.
    ///
    /// # Errors
    /// [`DocumentError::TooLarge`], [`DocumentError::Truncated`], [`DocumentError::Malformed`],
    /// [`DocumentError::NotCanonical`], [`DocumentError::KeyTooLong`], [`DocumentError::Expiry`],
    /// [`DocumentError::Deletion`].
    pub fn decode(&self) -> Result<Document, DocumentError> {
        if self.body.len() > limits::DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge { bytes: self.body.len() });
        }
        Document::decode(&self.body)
    }

    /// Decodes the body, for the cheap checks that come before [`Inspected::verify`].
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn inspect(self) -> Result<Inspected, DocumentError> {
        Ok(Inspected { document: self.decode()?, signed: self })
    }

    /// Decodes the body and checks the signature under `key`.
    ///
    /// # Errors
    /// As [`Self::decode`], and [`DocumentError::InvalidSignature`].
    pub fn verify(self, key: &PublicKey) -> Result<VerifiedDocument, DocumentError> {
        self.inspect()?.verify(key)
    }
}

/// What of a [`SignedDocument`] is on the wire.
#[derive(Deserialize)]
struct Wire {
    author: PeerId,
    signature: Signature,
    #[serde(deserialize_with = "deserialize_body")]
    body: Arc<[u8]>,
}

impl From<Wire> for SignedDocument {
    fn from(Wire { author, signature, body }: Wire) -> Self {
        let hash = blake3::hash(&body);
        Self::new(author, signature, body, hash)
    }
}

fn serialize_body<S: Serializer>(body: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(body)
}

fn deserialize_body<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[u8]>, D::Error> {
    struct Body;
    impl de::Visitor<'_> for Body {
        type Value = Arc<[u8]>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {} bytes", limits::DOCUMENT_BYTES)
        }

        fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Arc<[u8]>, E> {
            if bytes.len() > limits::DOCUMENT_BYTES {
                return Err(E::invalid_length(bytes.len(), &self));
            }
            Ok(bytes.into())
        }
    }
    deserializer.deserialize_bytes(Body)
}

impl fmt::Debug for SignedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedDocument(by {}, {} bytes)", self.author.short(), self.body.len())
    }
}

/// A document that was decoded and keeps the limits, but whose signature is **not yet checked**.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspected {
    document: Document,
    signed: SignedDocument,
}

impl Inspected {
    /// The hash of its signed bytes, by which all peers know it.
    pub const fn id(&self) -> DocumentId {
        self.signed.id
    }

    /// The peer that is said to have written it.
    pub const fn author(&self) -> PeerId {
        self.signed.author
    }

    /// What it says.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The form that goes on the wire.
    pub const fn signed(&self) -> &SignedDocument {
        &self.signed
    }

    /// Checks the signature under `key`.
    ///
    /// # Errors
    /// [`DocumentError::InvalidSignature`], also if `key` is not the author's.
    pub fn verify(self, key: &PublicKey) -> Result<VerifiedDocument, DocumentError> {
        let Self { document, signed } = self;
        if key.peer_id() != signed.author {
            return Err(DocumentError::InvalidSignature);
        }
        key.verify_hash(Domain::Document, &signed.hash, &signed.signature)
            .map_err(|_| DocumentError::InvalidSignature)?;
        Ok(VerifiedDocument { document, signed })
    }
}

/// A document whose signature was found valid.
#[derive(Clone, PartialEq)]
pub struct VerifiedDocument {
    document: Document,
    signed: SignedDocument,
}

impl VerifiedDocument {
    /// Signs a document of our own.
    ///
    /// # Errors
    /// What receivers would refuse it for: [`DocumentError::TooLarge`],
    /// [`DocumentError::KeyTooLong`], [`DocumentError::Expiry`], [`DocumentError::Value`],
    /// [`DocumentError::QueryTooLong`], [`DocumentError::Deletion`].
    pub fn sign(identity: &Identity, document: Document) -> Result<Self, DocumentError> {
        document.check()?;
        let body: Arc<[u8]> =
            postcard::to_allocvec(&document).map_err(|_| DocumentError::Malformed)?.into();
        if body.len() > limits::DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge { bytes: body.len() });
        }
        let hash = blake3::hash(&body);
        let signature = identity.sign_hash(Domain::Document, &hash);
        Ok(Self {
            document,
            signed: SignedDocument::new(identity.peer_id(), signature, body, hash),
        })
    }

    /// The hash of its signed bytes, by which all peers know it.
    pub const fn id(&self) -> DocumentId {
        self.signed.id
    }

    /// The peer that wrote it.
    pub const fn author(&self) -> PeerId {
        self.signed.author
    }

    /// The peer whose document it is a version of, by its key; without one, or with one of its own, its author.
    pub fn owner(&self) -> PeerId {
        self.document.key.as_ref().map_or(self.author(), |key| key.owner(self.author()))
    }

    /// The name of its key, if it has one.
    pub fn key_name(&self) -> Option<&str> {
        self.document.key.as_ref().map(Key::name)
    }

    /// The form that goes on the wire.
    pub const fn signed(&self) -> &SignedDocument {
        &self.signed
    }

    /// What it says.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The content.
    pub const fn content(&self) -> &Content {
        &self.document.content
    }
}

impl VerifiedDocument {
    /// Without the decoded content, to be kept.
    pub fn to_bytes(&self) -> VerifiedBytes {
        VerifiedBytes(self.signed.clone())
    }

    /// How many bytes of the heap it holds, at most: the signed bytes and what was decoded from them,
    /// which may be a hundred times as much and more. Bounds on documents in memory count this.
    ///
    /// Clones share the signed bytes and have a decoded content of their own.
    pub fn heap_size(&self) -> usize {
        self.document.heap_size() + self.signed.heap_size()
    }
}

/// A document whose signature was found valid, without its decoded content: only the bytes are kept. It
/// is made of a [`VerifiedDocument`] and nothing else, so these need not be checked again.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedBytes(SignedDocument);

impl VerifiedBytes {
    /// The form that goes on the wire.
    pub const fn signed(&self) -> &SignedDocument {
        &self.0
    }

    /// The form that goes on the wire.
    pub fn into_signed(self) -> SignedDocument {
        self.0
    }

    /// Decodes the content again.
    ///
    /// # Errors
    /// None for bytes that were decoded before, as all of these were.
    pub fn decode(&self) -> Result<VerifiedDocument, DocumentError> {
        Ok(VerifiedDocument { document: self.0.decode()?, signed: self.0.clone() })
    }
}

impl fmt::Debug for VerifiedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedBytes({:?} by {})", self.0.id, self.0.author.short())
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
        write!(f, "VerifiedDocument({:?} by {})", self.id(), self.author().short())
    }
}

#[cfg(test)]
mod tests;
