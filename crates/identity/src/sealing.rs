//! Sealing to a peer: HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
//! ChaCha20-Poly1305, to the X25519 form of the peer's identity key.

use hpke::{
    Deserializable, HpkeError, Kem as KemTrait, OpModeR, OpModeS, Serializable,
    aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::X25519HkdfSha256 as Kem, single_shot_open,
    single_shot_seal_with_rng,
};
use rand_core::CryptoRng;

use crate::{Identity, PeerId};

const ENCAPPED: usize = 32;
/// How many bytes longer than the plain text a sealed one is: the encapsulated key and the tag.
pub const SEAL_OVERHEAD: usize = ENCAPPED + 16;

/// Seals `plaintext` so that only `recipient` can open it, under the same `info` (what it is for, and
/// its two ends). The result is the encapsulated key (32 bytes) followed by the ciphertext.
///
/// # Errors
/// [`SealError`] if `recipient` is not a usable key.
pub fn seal(
    recipient: &PeerId,
    info: &[u8],
    plaintext: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    let public = recipient.public_key().map_err(|_| SealError)?.to_x25519();
    seal_to(&public, info, plaintext, &[], rng)
}

/// HPKE's `SealBase` to an X25519 key.
pub(crate) fn seal_to(
    public: &[u8; 32],
    info: &[u8],
    plaintext: &[u8],
    aad: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    let public = <Kem as KemTrait>::PublicKey::from_bytes(public).map_err(|_| SealError)?;
    let (encapped, ciphertext) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &public,
        info,
        plaintext,
        aad,
        rng,
    )
    .map_err(|_: HpkeError| SealError)?;
    let mut sealed = encapped.to_bytes().to_vec();
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

/// HPKE's `OpenBase` with an X25519 key.
pub(crate) fn open_with(
    secret: &[u8; 32],
    info: &[u8],
    sealed: &[u8],
    aad: &[u8],
) -> Result<Vec<u8>, OpenError> {
    if sealed.len() < SEAL_OVERHEAD {
        return Err(OpenError);
    }
    let (encapped, ciphertext) = sealed.split_at(ENCAPPED);
    let secret = <Kem as KemTrait>::PrivateKey::from_bytes(secret).map_err(|_| OpenError)?;
    let encapped = <Kem as KemTrait>::EncappedKey::from_bytes(encapped).map_err(|_| OpenError)?;
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeR::Base,
        &secret,
        &encapped,
        info,
        ciphertext,
        aad,
    )
    .map_err(|_| OpenError)
}

impl Identity {
    /// Opens what [`seal`] sealed to this peer under the same `info`.
    ///
    /// # Errors
    /// [`OpenError`] if it was altered, cut off, sealed to another peer or under another `info`.
    pub fn open(&self, info: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        open_with(&self.x25519_secret(), info, sealed, &[])
    }
}

/// The recipient is not a usable key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot seal: the recipient is not a usable key")]
pub struct SealError;

/// The sealed bytes do not open: altered, cut off, or meant for another peer or purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot open: altered, cut off, or sealed to another peer or for another purpose")]
pub struct OpenError;

#[cfg(test)]
mod tests;
