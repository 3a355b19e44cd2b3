//! Opening what is sealed.

use core::fmt;

use taiinet_identity::{Context, OpeningKey, Recipient};

use crate::{Content, Map, Sealed, VerifiedDocument, value};

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
        value::map_heap_size(&self.fields)
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
    let (fields, rest) = postcard::take_from_bytes::<value::ContentMap>(bytes).ok()?;
    let canonical = postcard::experimental::serialized_size(&fields) == Ok(bytes.len());
    (rest.is_empty() && canonical).then_some(fields.0)
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
