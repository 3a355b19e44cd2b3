//! One content, sealed so that each of several recipients can open it.
//!
//! A fresh content key seals the padded content (ChaCha20-Poly1305, RFC 8439); HPKE (RFC 9180, base
//! mode) seals that key to each recipient. Only a recipient sees that it is one: a slot
//! begins with a *hint*, which only the recipient and the author can compute (from an X25519 exchange
//! with the envelope's ephemeral key), and which saves trying each slot.
//!
//! ```text
//! content key      32 bytes, fresh
//! slot             hint(4) ‖ HPKE(recipient, info, content key)(80)
//! hint             KDF("taiinet/1 envelope hint", X25519(ephemeral, recipient) ‖ ephemeral ‖ recipient)
//! header           ephemeral(32) ‖ slots
//! commitment       BLAKE3 keyed with the content key, over the header
//! sealed           ChaCha20-Poly1305(KDF("taiinet/1 envelope content", content key), nonce 0,
//!                                    aad = commitment, pad(content))
//! info             "taiinet/1 envelope subscription" or "taiinet/1 envelope identity"
//!                  ‖ author(32) ‖ network
//! ```
//!
//! KDF is BLAKE3's `derive_key`. The commitment binds every slot to the content key: a slot that was
//! swapped, added or taken out is noticed by each recipient, and no two of them can be shown different
//! contents. `info` binds the envelope to its author and network: under another author it does not
//! open. The padding is Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
//! Communication with PURBs", PETS 2019): the length tells at most 12 % about the content's.

mod recipient;
mod wire;

use core::fmt;

use blake3::Hash;
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use rand_core::CryptoRng;
use x25519_dalek::{PublicKey as X25519Public, StaticSecret};
use zeroize::Zeroizing;

pub use recipient::{OpeningKey, Recipient, RecipientId, RecipientKey};

use crate::{
    PeerId,
    sealing::{OpenError, SEAL_OVERHEAD, open_with, seal_to},
};

/// How many recipients an envelope has at most.
pub const RECIPIENTS: usize = 1000;
const HINT: usize = 4;
const CONTENT_KEY: usize = 32;
const SLOT: usize = HINT + CONTENT_KEY + SEAL_OVERHEAD;
const TAG: usize = 16;
/// How many slots are tried in all: an author that knows the keys could give each slot a hint of one.
const TRIES: usize = 8;

/// The author of an envelope, and where it may be opened.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The author of the document that carries it.
    pub author: PeerId,
    /// The document's network.
    pub network: &'a str,
}

impl Context<'_> {
    /// HPKE's `info` for one kind of recipient.
    fn info(&self, purpose: &str) -> Vec<u8> {
        [purpose.as_bytes(), self.author.as_bytes(), self.network.as_bytes()].concat()
    }
}

/// A content that only its recipients can open. On the wire (postcard): the ephemeral key (32 bytes),
/// the slots (84 bytes each) and the sealed content as byte strings, the commitment (32 bytes) between
/// them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    ephemeral: [u8; 32],
    slots: Vec<u8>,
    commitment: [u8; 32],
    sealed: Vec<u8>,
}

/// What was in an envelope.
pub struct Opened {
    /// The content.
    pub content: Zeroizing<Vec<u8>>,
    /// Which of the recipient's keys opened it.
    pub recipient: Recipient,
}

/// Without the content.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("recipient", &self.recipient).finish_non_exhaustive()
    }
}

impl Envelope {
    /// How many bytes of the heap it holds.
    pub const fn heap_size(&self) -> usize {
        self.slots.capacity() + self.sealed.capacity()
    }

    /// Seals `content` to each of `recipients`; one that is named twice gets one slot.
    ///
    /// # Errors
    /// [`EnvelopeError`]
    pub fn seal(
        content: &[u8],
        recipients: &[Recipient],
        context: &Context<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, EnvelopeError> {
        let mut recipients = recipients.to_vec();
        recipients.sort_unstable();
        recipients.dedup();
        if recipients.is_empty() {
            return Err(EnvelopeError::NoRecipient);
        }
        if recipients.len() > RECIPIENTS {
            return Err(EnvelopeError::TooManyRecipients { recipients: recipients.len() });
        }
        let content_key = fresh(rng);
        let ephemeral_secret = StaticSecret::from(*fresh(rng));
        let ephemeral = X25519Public::from(&ephemeral_secret).to_bytes();

        let mut slots = Vec::with_capacity(recipients.len());
        for recipient in recipients {
            let unusable = EnvelopeError::Unusable(recipient);
            let public = recipient.x25519().ok_or(unusable)?;
            let shared = ephemeral_secret.diffie_hellman(&public.into());
            if !shared.was_contributory() {
                return Err(unusable);
            }
            let mut slot = [0; SLOT];
            let (hint, key) = slot.split_at_mut(HINT);
            hint.copy_from_slice(&self::hint(shared.as_bytes(), &ephemeral, &public));
            let info = context.info(recipient.purpose());
            let sealed = seal_to(&public, &info, &*content_key, &[], rng).map_err(|_| unusable)?;
            key.copy_from_slice(&sealed);
            slots.push(slot);
        }
        // Their order says nothing about who they are: hints are as good as random.
        slots.sort_unstable();
        let slots = slots.concat();
        let commitment = commitment(&content_key, &ephemeral, &slots);
        let payload = Payload { msg: &pad(content), aad: commitment.as_bytes() };
        let sealed = cipher(&content_key)
            .encrypt(&Nonce::default(), payload)
            .map_err(|_| EnvelopeError::TooLarge)?;
        Ok(Self { ephemeral, slots, commitment: *commitment.as_bytes(), sealed })
    }

    /// Opens it with the first of `keys` that it was sealed to.
    ///
    /// Costs one X25519 exchange for each key that it is not for, and a few more in all if its author
    /// means harm.
    ///
    /// # Errors
    /// [`OpenError`] if it is for none of them, or was altered in any part.
    pub fn open<'a>(
        &self,
        keys: impl IntoIterator<Item = OpeningKey<'a>>,
        context: &Context<'_>,
    ) -> Result<Opened, OpenError> {
        let mut tries = TRIES;
        for key in keys {
            if let Some(content_key) = self.content_key(&key, context, &mut tries) {
                let content = self.content(&content_key)?;
                return Ok(Opened { content, recipient: key.recipient() });
            }
        }
        Err(OpenError)
    }

    /// How many recipients it has.
    pub const fn recipients(&self) -> usize {
        self.slots.len() / SLOT
    }

    /// What the slot of this key holds, if there is one.
    fn content_key(
        &self,
        key: &OpeningKey<'_>,
        context: &Context<'_>,
        tries: &mut usize,
    ) -> Option<Zeroizing<[u8; CONTENT_KEY]>> {
        let (secret, public) = (key.secret(), key.public());
        let shared = StaticSecret::from(*secret).diffie_hellman(&self.ephemeral.into());
        if !shared.was_contributory() {
            return None;
        }
        let hint = self::hint(shared.as_bytes(), &self.ephemeral, &public);
        let info = context.info(key.recipient().purpose());
        let (slots, _) = self.slots.as_chunks::<SLOT>();
        slots.iter().filter(|slot| slot[..HINT] == hint).find_map(|slot| {
            *tries = tries.checked_sub(1)?;
            let opened = Zeroizing::new(open_with(&secret, &info, &slot[HINT..], &[]).ok()?);
            Some(Zeroizing::new(<[u8; CONTENT_KEY]>::try_from(&opened[..]).ok()?))
        })
    }

    fn content(&self, key: &[u8; CONTENT_KEY]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        // Compared in constant time, as all of BLAKE3's hashes.
        if commitment(key, &self.ephemeral, &self.slots) != Hash::from_bytes(self.commitment) {
            return Err(OpenError);
        }
        let payload = Payload { msg: &self.sealed, aad: &self.commitment };
        let padded = cipher(key).decrypt(&Nonce::default(), payload).map_err(|_| OpenError)?;
        unpad(padded).ok_or(OpenError)
    }
}

/// The content key is used once, so its nonce may be constant.
fn cipher(content_key: &[u8; CONTENT_KEY]) -> ChaCha20Poly1305 {
    let key = Zeroizing::new(blake3::derive_key("taiinet/1 envelope content", content_key));
    ChaCha20Poly1305::new((&*key).into())
}

fn commitment(content_key: &[u8; CONTENT_KEY], ephemeral: &[u8; 32], slots: &[u8]) -> Hash {
    blake3::Hasher::new_keyed(content_key).update(ephemeral).update(slots).finalize()
}

fn hint(shared: &[u8; 32], ephemeral: &[u8; 32], public: &[u8; 32]) -> [u8; HINT] {
    let mut material = Zeroizing::new([0; 96]);
    material[..32].copy_from_slice(shared);
    material[32..64].copy_from_slice(ephemeral);
    material[64..].copy_from_slice(public);
    let [a, b, c, d, ..] = blake3::derive_key("taiinet/1 envelope hint", &*material);
    [a, b, c, d]
}

fn fresh(rng: &mut impl CryptoRng) -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *bytes);
    bytes
}

/// The length to which Padmé pads `length` bytes.
const fn padme(length: usize) -> usize {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1 << (exponent - kept)) - 1;
    (length + mask) & !mask
}

/// The content, a mark (0x80, ISO/IEC 7816-4), and zeros.
fn pad(content: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = padme(content.len() + 1);
    let mut padded = Zeroizing::new(Vec::with_capacity(length + TAG));
    padded.extend_from_slice(content);
    padded.push(0x80);
    padded.resize(length, 0);
    padded
}

fn unpad(padded: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
    let mut padded = Zeroizing::new(padded);
    let mark = padded.iter().rposition(|byte| *byte != 0)?;
    if padded[mark] != 0x80 || padme(mark + 1) != padded.len() {
        return None;
    }
    padded.truncate(mark);
    Some(padded)
}

/// Why something cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// No recipient.
    #[error("there is nobody to seal it to")]
    NoRecipient,
    /// More than [`RECIPIENTS`].
    #[error("{recipients} recipients are more than the {RECIPIENTS} allowed")]
    TooManyRecipients {
        /// How many.
        recipients: usize,
    },
    /// A recipient's key is no usable one.
    #[error("{0} is not a usable key")]
    Unusable(Recipient),
    /// More than 256 GiB.
    #[error("the content is too large to seal")]
    TooLarge,
}

#[cfg(test)]
mod tests;
