//! Content that only its recipients read.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use taiinet_identity::{Context, Envelope, EnvelopeError, PeerId, Recipient};
use zeroize::Zeroizing;

use crate::{Map, Network, ValueError, value};

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

#[cfg(test)]
mod tests;
