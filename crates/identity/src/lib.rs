//! Peer keys of TaiiNet.
//!
//! A peer *is* an Ed25519 key (RFC 8032). This crate holds the key ([`Identity`]), its public name
//! ([`PeerId`], [`PublicKey`]), signatures that are bound to one purpose ([`Domain`]), values that
//! carry such a signature ([`Signed`], [`Verified`]), sealing to a peer ([`seal`], HPKE of RFC 9180)
//! and to many ([`Envelope`]), and, for native builds with the feature `keyfile`, key files at rest (`keyfile`),
//! files sealed to peers (`sealed_file`) and signatures of files (`signature_file`).
//!
//! There is **one validity rule everywhere**: a signature counts only if `verify_strict` accepts it
//! under a canonically encoded key that is not of small order.

#[cfg(feature = "keyfile")]
mod age_input;
#[doc(hidden)]
pub mod bytes;
#[doc(hidden)]
pub mod encoding;
mod envelope;
mod key;
#[cfg(feature = "keyfile")]
pub mod keyfile;
mod next_key;
mod peer_id;
#[cfg(feature = "keyfile")]
pub mod sealed_file;
mod sealing;
mod signature;
#[cfg(feature = "keyfile")]
pub mod signature_file;
mod signed;
#[cfg(test)]
mod test_util;
#[doc(hidden)]
pub mod text;

pub use envelope::{
    Context, Envelope, EnvelopeError, Opened, OpeningKey, RECIPIENTS, Recipient, RecipientId,
    RecipientKey,
};
pub use key::{Identity, Seed};
pub use next_key::NextKey;
pub use peer_id::{PeerId, PeerIdError, PublicKey};
pub use sealing::{OpenError, SEAL_OVERHEAD, SealError, seal};
pub use signature::{Domain, InvalidSignature, Signature};
pub use signed::{Signable, Signed, Verified};
