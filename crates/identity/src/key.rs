//! The private key of a peer, and the public key it is known by.

use core::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Domain, InvalidSignature, PeerId, Signature};

/// The 32 secret bytes an [`Identity`] is made from (RFC 8032's private key). Wiped on drop, never
/// printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl Seed {
    /// Takes the bytes; wipe your own copy.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret bytes. Whoever holds them is the peer.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(secret)")
    }
}

/// A peer's own key pair. It signs what the peer publishes, joins and negotiates.
///
/// The secret is wiped on drop and never printed; all operations on it take constant time.
#[derive(Clone)]
pub struct Identity {
    signing: SigningKey,
    peer_id: PeerId,
}

impl Identity {
    /// A new identity from a cryptographic generator.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        let identity = Self::from_seed(&Seed::from_bytes(bytes));
        bytes.zeroize();
        identity
    }

    /// The identity that belongs to these secret bytes.
    pub fn from_seed(seed: &Seed) -> Self {
        let signing = SigningKey::from_bytes(seed.expose());
        let peer_id = PeerId::from_bytes(signing.verifying_key().to_bytes());
        Self { signing, peer_id }
    }

    /// The secret bytes, to be kept safe.
    pub fn seed(&self) -> Seed {
        Seed(self.signing.to_bytes())
    }

    /// The name that others know this peer by.
    pub const fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey { key: self.signing.verifying_key() }
    }

    /// Signs `content` for one purpose.
    pub fn sign(&self, domain: Domain, content: &[u8]) -> Signature {
        self.sign_hash(domain, &blake3::hash(content))
    }

    /// Signs a content of which only the BLAKE3 hash is at hand (a large file, read in pieces).
    pub fn sign_hash(&self, domain: Domain, hash: &blake3::Hash) -> Signature {
        self.sign_raw(&domain.message(hash))
    }

    /// Ed25519 as it is; outside this crate only ever over a domain's message.
    fn sign_raw(&self, message: &[u8]) -> Signature {
        Signature::from_bytes(self.signing.sign(message).to_bytes())
    }

    /// The X25519 form of the private key, for opening what is sealed to this peer.
    pub(crate) fn x25519_secret(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.signing.to_scalar_bytes())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.peer_id.short())
    }
}

/// A public key that was found usable: a canonical curve point that is not of small order.
///
/// Making one costs a point decompression, so keep it for a peer that is heard of often.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
}

impl PublicKey {
    /// The name of this peer.
    pub fn peer_id(&self) -> PeerId {
        PeerId::from_bytes(self.key.to_bytes())
    }

    /// Verifies that `signature` is this peer's over `content` for the purpose `domain`.
    ///
    /// # Errors
    /// [`InvalidSignature`]
    pub fn verify(
        &self,
        domain: Domain,
        content: &[u8],
        signature: &Signature,
    ) -> Result<(), InvalidSignature> {
        self.verify_hash(domain, &blake3::hash(content), signature)
    }

    /// As [`Self::verify`], where only the BLAKE3 hash of the content is at hand.
    ///
    /// # Errors
    /// [`InvalidSignature`]
    pub fn verify_hash(
        &self,
        domain: Domain,
        hash: &blake3::Hash,
        signature: &Signature,
    ) -> Result<(), InvalidSignature> {
        self.verify_raw(&domain.message(hash), signature)
    }

    /// The one rule by which TaiiNet accepts a signature.
    fn verify_raw(&self, message: &[u8], signature: &Signature) -> Result<(), InvalidSignature> {
        let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
        self.key.verify_strict(message, &signature).map_err(|_| InvalidSignature)
    }

    /// The X25519 form (RFC 7748) of this key, to which others can seal.
    pub fn to_x25519(&self) -> [u8; 32] {
        self.key.to_montgomery().to_bytes()
    }
}

impl TryFrom<PeerId> for PublicKey {
    type Error = InvalidSignature;

    fn try_from(id: PeerId) -> Result<Self, InvalidSignature> {
        let key = VerifyingKey::from_bytes(id.as_bytes()).map_err(|_| InvalidSignature)?;
        // A second encoding of the same point would be a second name of the same peer.
        if !is_canonical(id.as_bytes()) || key.is_weak() {
            return Err(InvalidSignature);
        }
        Ok(Self { key })
    }
}

/// Whether the y coordinate is below p = 2²⁵⁵ − 19, as RFC 8032 (5.1.3) wants it. Besides, only the
/// two points with x = 0 have a second encoding (by the sign of x), and both are of small order.
/// To encode the point again and compare would take a tenth of the time of a verification.
fn is_canonical(encoded: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = encoded;
    *low < 0xed || middle.iter().any(|byte| *byte != 0xff) || high & 0x7f != 0x7f
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.peer_id().short())
    }
}

#[cfg(test)]
mod tests;
