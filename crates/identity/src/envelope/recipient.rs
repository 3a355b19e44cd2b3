//! Keys that an envelope can be sealed to, and those that open it.

use core::fmt;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use x25519_dalek::{PublicKey as X25519Public, StaticSecret};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Identity, PeerId};

/// An X25519 key (RFC 7748) made for one subscription. When the subscription ends it is wiped, and what
/// was sealed to it is beyond anyone's reach: forward secrecy.
#[derive(Clone)]
pub struct RecipientKey {
    /// In a place of its own: what is moved leaves no copy behind.
    secret: Box<[u8; 32]>,
    id: RecipientId,
}

impl Drop for RecipientKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl ZeroizeOnDrop for RecipientKey {}

impl RecipientKey {
    /// A fresh key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut secret = Box::new([0; 32]);
        rng.fill_bytes(&mut *secret);
        let public = X25519Public::from(&StaticSecret::from(*secret)).to_bytes();
        Self { secret, id: RecipientId(public) }
    }

    /// Its public half.
    pub const fn id(&self) -> RecipientId {
        self.id
    }
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecipientKey({})", self.id)
    }
}

/// The public half of a [`RecipientKey`], 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecipientId([u8; 32]);

impl RecipientId {
    /// Takes the 32 bytes as they are.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether something can be sealed to it: a point of small order is no key, because it gives every
    /// peer the same secret. Costs one X25519 exchange.
    pub fn is_usable(&self) -> bool {
        // Any number does: all that X25519 takes are multiples of the cofactor.
        let any = StaticSecret::from([1; 32]);
        any.diffie_hellman(&X25519Public::from(self.0)).was_contributory()
    }
}

impl fmt::Display for RecipientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RecipientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecipientId({:02x}{:02x}{:02x}…)", self.0[0], self.0[1], self.0[2])
    }
}

/// A recipient of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recipient {
    /// To the key of a subscription: forward-secret.
    Subscription(RecipientId),
    /// To a peer's identity key: anyone that gets hold of it later can open what was recorded now.
    Peer(PeerId),
}

impl Recipient {
    /// Whether the key is wiped when its subscription ends.
    pub const fn is_forward_secret(self) -> bool {
        matches!(self, Self::Subscription(_))
    }

    pub(super) fn x25519(self) -> Option<[u8; 32]> {
        match self {
            Self::Subscription(id) => Some(id.0),
            Self::Peer(peer) => Some(peer.public_key().ok()?.to_x25519()),
        }
    }

    pub(super) const fn purpose(self) -> &'static str {
        match self {
            Self::Subscription(_) => "taiinet/1 envelope subscription",
            Self::Peer(_) => "taiinet/1 envelope identity",
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subscription(id) => write!(f, "the subscription key {id}"),
            Self::Peer(peer) => write!(f, "the peer {peer}"),
        }
    }
}

/// A private key that may open an envelope.
#[derive(Debug, Clone, Copy)]
pub enum OpeningKey<'a> {
    /// A subscription's.
    Subscription(&'a RecipientKey),
    /// A peer's own.
    Identity(&'a Identity),
}

impl OpeningKey<'_> {
    /// The recipient that it opens envelopes of.
    pub fn recipient(&self) -> Recipient {
        match self {
            Self::Subscription(key) => Recipient::Subscription(key.id),
            Self::Identity(identity) => Recipient::Peer(identity.peer_id()),
        }
    }

    pub(super) fn secret(&self) -> Zeroizing<[u8; 32]> {
        match self {
            Self::Subscription(key) => Zeroizing::new(*key.secret),
            Self::Identity(identity) => identity.x25519_secret(),
        }
    }

    pub(super) fn public(&self) -> [u8; 32] {
        match self {
            Self::Subscription(key) => key.id.0,
            Self::Identity(identity) => identity.public_key().to_x25519(),
        }
    }
}
