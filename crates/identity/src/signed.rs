//! Values that carry their signer's signature, before and after it was checked.

use core::{fmt, marker::PhantomData, ops::Deref};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Domain, Identity, InvalidSignature, PeerId, PublicKey, Signature, encoding::encode};

/// A body that is signed for exactly one purpose.
pub trait Signable: Serialize + DeserializeOwned {
    /// The purpose.
    const DOMAIN: Domain;
}

/// A `T` as its signer made it: the exact bytes that were signed (postcard) and the signature,
/// **not yet checked**. It is forwarded as it came, never decoded and encoded again.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Signed<T> {
    signer: PeerId,
    signature: Signature,
    #[serde(with = "crate::bytes")]
    body: Vec<u8>,
    #[serde(skip)]
    of: PhantomData<fn() -> T>,
}

impl<T: Signable> Signed<T> {
    /// Signs `body`.
    pub fn new(identity: &Identity, body: &T) -> Self {
        let bytes = encode(body);
        Self {
            signer: identity.peer_id(),
            signature: identity.sign(T::DOMAIN, &bytes),
            body: bytes,
            of: PhantomData,
        }
    }

    /// The peer that is said to have signed this.
    pub const fn signer(&self) -> PeerId {
        self.signer
    }

    /// How many bytes of it there are: key, signature, body.
    pub const fn size(&self) -> usize {
        PeerId::LEN + Signature::LEN + self.body.len()
    }

    /// The body, **unverified**: for cheap checks that come before the signature's.
    ///
    /// # Errors
    /// [`InvalidSignature`] if the bytes are not a `T` or not all of them are used.
    pub fn peek(&self) -> Result<T, InvalidSignature> {
        match postcard::take_from_bytes(&self.body) {
            Ok((body, [])) => Ok(body),
            _ => Err(InvalidSignature),
        }
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`InvalidSignature`] if key, signature or body are not valid.
    pub fn verify(self) -> Result<Verified<T>, InvalidSignature> {
        let key = self.signer.public_key()?;
        self.verify_with(&key)
    }

    /// As [`Self::verify`], with the signer's key at hand already.
    ///
    /// # Errors
    /// [`InvalidSignature`], also if `key` is not the signer's.
    pub fn verify_with(self, key: &PublicKey) -> Result<Verified<T>, InvalidSignature> {
        if key.peer_id() != self.signer {
            return Err(InvalidSignature);
        }
        let body = self.peek()?;
        key.verify(T::DOMAIN, &self.body, &self.signature)?;
        Ok(Verified { body, signed: self })
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Self {
            signer: self.signer,
            signature: self.signature,
            body: self.body.clone(),
            of: PhantomData,
        }
    }
}

impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.signer == other.signer && self.signature == other.signature && self.body == other.body
    }
}

impl<T> Eq for Signed<T> {}

impl<T> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signed(by {}, {} bytes)", self.signer.short(), self.body.len())
    }
}

/// A `T` whose signature was found valid. There is no other way to make one than to sign it or to
/// verify it, so a function that takes it needs no check of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    body: T,
    signed: Signed<T>,
}

impl<T: Signable> Verified<T> {
    /// Signs a body of our own.
    pub fn sign(identity: &Identity, body: T) -> Self {
        Self { signed: Signed::new(identity, &body), body }
    }
}

impl<T> Verified<T> {
    /// The peer that signed it.
    pub const fn signer(&self) -> PeerId {
        self.signed.signer
    }

    /// The form that goes on the wire.
    pub const fn signed(&self) -> &Signed<T> {
        &self.signed
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.body
    }
}

#[cfg(test)]
mod tests;
