//! The private key of a peer.

use core::fmt;

use ed25519_dalek::{Signer, SigningKey};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Domain, PeerId, PublicKey, Signature};

/// The 32 secret bytes an [`Identity`] is made from (RFC 8032's private key). Wiped on drop, never
/// printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl Seed {
    /// Takes the bytes; wipe your own copy.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret bytes. Their holder is the peer.
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
        PublicKey::of(&self.signing)
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

#[cfg(test)]
mod tests;
