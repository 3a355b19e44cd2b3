//! Signatures, and the purpose that each is bound to.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a signature was made for. Nothing signed for one purpose verifies for another: the signed
/// message is this domain's string followed by the 32-byte BLAKE3 hash of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// A document's bytes.
    Document,
    /// A link's handshake: the transcript and the channel binding.
    Hello,
    /// A peer's presence: the join that a signaller verified.
    Presence,
    /// A sealed session description or candidate.
    Signal,
    /// A signaller's first word in a session.
    Welcome,
    /// What the root of a tree says of its network.
    Bulletin,
    /// What a peer seeks a supplier for.
    Sought,
    /// A file signed by `taiinet-keys`.
    File,
}

impl Domain {
    /// The string that stands before the hash in what is signed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Document => "taiinet/1 document",
            Self::Hello => "taiinet/1 hello",
            Self::Presence => "taiinet/1 presence",
            Self::Signal => "taiinet/1 signal",
            Self::Welcome => "taiinet/1 welcome",
            Self::Bulletin => "taiinet/1 bulletin",
            Self::Sought => "taiinet/1 sought",
            Self::File => "taiinet/1 file",
        }
    }

    /// The exact message that Ed25519 signs: `domain ‖ BLAKE3(content)`.
    pub(crate) fn message(self, hash: &blake3::Hash) -> Vec<u8> {
        let mut message = Vec::with_capacity(64);
        message.extend_from_slice(self.as_str().as_bytes());
        message.extend_from_slice(hash.as_bytes());
        message
    }
}

/// An Ed25519 signature, 64 bytes. Holding one says nothing about its validity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// The length in bytes.
    pub const LEN: usize = 64;

    /// Takes the 64 bytes as they are.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Two halves, because serde knows arrays only up to 32.
        let (a, b) = self.0.split_at(32);
        (to_array(a), to_array(b)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (a, b) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&a);
        bytes[32..].copy_from_slice(&b);
        Ok(Self(bytes))
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = InvalidSignature;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidSignature> {
        Ok(Self(bytes.try_into().map_err(|_| InvalidSignature)?))
    }
}

fn to_array(half: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.copy_from_slice(half);
    array
}

/// The signature is not one of this key over this content for this purpose, or the key itself is
/// refused (not a curve point, not canonical, or of small order). The two are not told apart: to a
/// receiver both mean "drop it".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not valid")]
pub struct InvalidSignature;
