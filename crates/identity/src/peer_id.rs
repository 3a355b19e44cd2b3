//! The name of a peer, its text forms, and the public key that it stands for.

use core::{fmt, str::FromStr};

use bech32::{Bech32m, Hrp};
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Domain, InvalidSignature, Signature};

/// A peer's name: the 32 bytes of its Ed25519 public key.
///
/// As text it is bech32m (BIP 350) with the prefix `tn`: a checksum catches every single typing
/// error. `did:key:z6Mk…` is read as well, but has no checksum. A `PeerId` that was parsed from text is a usable key; one
/// that came from the wire is just 32 bytes until [`PeerId::public_key`] accepts it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId([u8; 32]);

/// The multicodec prefix of an Ed25519 public key in a `did:key`.
const MULTICODEC_ED25519: [u8; 2] = [0xed, 0x01];
const DID_KEY: &str = "did:key:z";
/// Longer than any text form of a peer id; what is longer is refused unread.
const TEXT_MAX: usize = 128;

impl PeerId {
    /// The length in bytes.
    pub const LEN: usize = 32;
    /// The human-readable prefix of the text form.
    pub const PREFIX: &'static str = "tn";

    /// Takes the 32 bytes as they are; whether they are a usable key shows in [`Self::public_key`].
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key itself, ready to verify with.
    ///
    /// # Errors
    /// [`InvalidSignature`] if the bytes are no curve point, not canonical or of small order.
    pub fn public_key(&self) -> Result<PublicKey, InvalidSignature> {
        PublicKey::try_from(*self)
    }

    /// The same key as a `did:key` (W3C CCG did:key method).
    pub fn to_did_key(&self) -> String {
        let mut bytes = MULTICODEC_ED25519.to_vec();
        bytes.extend_from_slice(&self.0);
        format!("{DID_KEY}{}", bs58::encode(bytes).into_string())
    }

    /// A few characters, for logs and tables.
    pub fn short(&self) -> String {
        let text = self.to_string();
        text.chars().take(10).collect()
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = bech32::encode::<Bech32m>(Hrp::parse_unchecked(Self::PREFIX), &self.0)
            .map_err(|_| fmt::Error)?;
        f.pad(&text)
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({})", self.short())
    }
}

impl FromStr for PeerId {
    type Err = PeerIdError;

    fn from_str(text: &str) -> Result<Self, PeerIdError> {
        if text.len() > TEXT_MAX {
            return Err(PeerIdError::Length);
        }
        let bytes: Vec<u8> = if let Some(encoded) = text.strip_prefix(DID_KEY) {
            let bytes = bs58::decode(encoded).into_vec().map_err(|_| PeerIdError::Form)?;
            bytes.strip_prefix(&MULTICODEC_ED25519).ok_or(PeerIdError::NotEd25519)?.to_vec()
        } else {
            let checked = bech32::primitives::decode::CheckedHrpstring::new::<Bech32m>(text)
                .map_err(|_| PeerIdError::Form)?;
            if checked.hrp() != Hrp::parse_unchecked(Self::PREFIX) {
                return Err(PeerIdError::Prefix);
            }
            // The four bits that pad 256 to whole characters must be zero, or one peer would have
            // sixteen names.
            checked.validate_segwit_padding().map_err(|_| PeerIdError::Form)?;
            checked.byte_iter().collect()
        };
        let id = Self(bytes.try_into().map_err(|_| PeerIdError::Length)?);
        id.public_key().map_err(|_| PeerIdError::Key)?;
        Ok(id)
    }
}

/// Text in human-readable formats, 32 bytes on the wire.
impl Serialize for PeerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for PeerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}

/// Why a text is no [`PeerId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeerIdError {
    /// Not bech32m or base58, or its checksum fails: mistyped or cut off.
    #[error("not a peer id (a `tn1…` or `did:key:z6Mk…`), or mistyped: its checksum does not hold")]
    Form,
    /// Valid bech32m, but of something else than a peer.
    #[error("not a peer id: it must start with `tn1`")]
    Prefix,
    /// A `did:key` of another kind of key.
    #[error("this did:key is not an Ed25519 key")]
    NotEd25519,
    /// Not 32 bytes.
    #[error("a peer id has 32 bytes")]
    Length,
    /// 32 bytes that are not a usable public key.
    #[error("these bytes are not a usable Ed25519 public key")]
    Key,
}

/// A public key that was found usable: a canonical curve point that is not of small order.
///
/// Making one costs a point decompression, so keep it for a peer that is heard of often.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
}

impl PublicKey {
    /// The public half of a private key.
    pub(crate) fn of(signing: &SigningKey) -> Self {
        Self { key: signing.verifying_key() }
    }

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
    pub(crate) fn verify_raw(
        &self,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), InvalidSignature> {
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
