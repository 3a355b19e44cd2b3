//! Content that only its recipients read, and how others learn of recipients to seal to.

use core::fmt;

use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, de};
use taiinet_identity::{
    Context, Envelope, EnvelopeError, OpeningKey, PeerId, Recipient, RecipientId,
};
use zeroize::Zeroizing;

use crate::{
    Content, Map, Network, ValueError, VerifiedDocument, limits,
    value::{self, heap},
};

/// Fields in clear, by which queries of strangers and of relays see it, and fields in an envelope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sealed {
    /// Readable by everyone.
    #[serde(deserialize_with = "value::deserialize_map")]
    pub public: Map,
    /// The other fields, as the postcard encoding of a [`Map`].
    pub envelope: Envelope,
}

impl Sealed {
    /// Seals all fields of `content` but those that `public` names. `author` must be the peer that then
    /// signs the document, and `network` the document's.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn seal(
        content: Map,
        public: &[impl AsRef<str>],
        recipients: &[Recipient],
        author: PeerId,
        network: &Network,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, SealError> {
        value::check_map(&content)?;
        let is_public = |name: &String| public.iter().any(|public| public.as_ref() == name);
        let (public, secret): (Map, Map) =
            content.into_iter().partition(|(name, _)| is_public(name));
        let secret = postcard::to_allocvec(&secret).map(Zeroizing::new);
        let secret = secret.map_err(|_| SealError::Envelope(EnvelopeError::TooLarge))?;
        let context = Context { author, network: network.as_str() };
        let envelope = Envelope::seal(&secret, recipients, &context, rng)?;
        Ok(Self { public, envelope })
    }
}

/// Says that its author has a private subscription: what of it may be sealed, and to which key.
///
/// It is published under [`Subscription::key`], expires, and is published again while the
/// subscription lasts; a deletion under that key ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The query, as JSON text of at most [`limits::QUERY_BYTES`].
    #[serde(deserialize_with = "deserialize_query")]
    pub query: String,
    /// The key to seal to.
    pub recipient: RecipientId,
}

impl Subscription {
    /// The `key` of the documents that announce and withdraw it.
    pub fn key(&self) -> String {
        format!("subscription {}", self.recipient)
    }
}

fn deserialize_query<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let query = <&str>::deserialize(deserializer)?;
    if query.len() > limits::QUERY_BYTES {
        return Err(de::Error::custom("the query is too long"));
    }
    Ok(query.to_owned())
}

/// A sealed document that was opened.
#[derive(Clone, PartialEq)]
pub struct Opened {
    /// All fields: those in clear and those that were sealed.
    pub fields: Map,
    /// Which of our keys it was sealed to.
    pub recipient: Recipient,
}

/// Without the fields: what was sealed belongs into no log.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("recipient", &self.recipient).finish_non_exhaustive()
    }
}

impl Opened {
    /// How many bytes of the heap it holds, at most: see [`VerifiedDocument::heap_size`].
    pub fn heap_size(&self) -> usize {
        heap::map(&self.fields)
    }
}

impl VerifiedDocument {
    /// Opens a sealed document with the first of `keys` that it was sealed to.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open<'a>(
        &self,
        keys: impl IntoIterator<Item = OpeningKey<'a>>,
    ) -> Result<Opened, OpenError> {
        let Content::Sealed(Sealed { public, envelope }) = self.content() else {
            return Err(OpenError::NotSealed);
        };
        let context = Context { author: self.author(), network: self.network.as_str() };
        let opened = envelope.open(keys, &context).map_err(|_| OpenError::NotForUs)?;
        let secret = decode(&opened.content).ok_or(OpenError::Malformed)?;
        if secret.keys().any(|name| public.contains_key(name)) {
            return Err(OpenError::Malformed);
        }
        let mut fields = public.clone();
        fields.extend(secret);
        // Together they are one content.
        value::check_map(&fields).map_err(|_| OpenError::Malformed)?;
        Ok(Opened { fields, recipient: opened.recipient })
    }
}

/// Sealed fields are as strict as those of an open document.
fn decode(bytes: &[u8]) -> Option<Map> {
    #[derive(Serialize, Deserialize)]
    struct Fields(#[serde(deserialize_with = "value::deserialize_map")] Map);
    let (fields, rest) = postcard::take_from_bytes::<Fields>(bytes).ok()?;
    let canonical = postcard::experimental::serialized_size(&fields) == Ok(bytes.len());
    (rest.is_empty() && canonical).then_some(fields.0)
}

/// Why a document cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No recipient, too many of them, or a key that is none.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The content holds a value that may not be in a document.
    #[error("the document's content: {0}")]
    Value(#[from] ValueError),
}

/// Why a document does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is not sealed.
    #[error("the document is not sealed")]
    NotSealed,
    /// Sealed to others, or altered by its author.
    #[error("the document is sealed to others")]
    NotForUs,
    /// What its author sealed is no content.
    #[error("what is sealed in the document is malformed")]
    Malformed,
}

#[cfg(test)]
mod tests;
