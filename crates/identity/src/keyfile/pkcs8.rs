//! PKCS#8 private keys in PEM (RFC 5958), of Ed25519 (RFC 8410).

use ed25519_dalek::pkcs8::{
    self, DecodePrivateKey, EncodePrivateKey, KeypairBytes,
    spki::{self, der::pem::LineEnding},
};
use zeroize::{Zeroize, Zeroizing};

use super::KeyFileError;
use crate::{Identity, Seed};

/// Version 1 of the format, without the public key: OpenSSL reads no other.
pub(super) fn encode(identity: &Identity) -> Result<Zeroizing<String>, KeyFileError> {
    let mut key = KeypairBytes { secret_key: *identity.seed().expose(), public_key: None };
    let pem = key.to_pkcs8_pem(LineEnding::LF);
    key.secret_key.zeroize();
    pem.map_err(|_| KeyFileError::Damaged("cannot be encoded"))
}

pub(super) fn decode(pem: &str) -> Result<Identity, KeyFileError> {
    let mut key = KeypairBytes::from_pkcs8_pem(pem).map_err(|error| match error {
        pkcs8::Error::PublicKey(spki::Error::OidUnknown { .. }) => {
            KeyFileError::WrongKind("the private key of another algorithm")
        }
        pkcs8::Error::KeyMalformed(_) | pkcs8::Error::ParametersMalformed => {
            KeyFileError::Damaged("the key within is malformed")
        }
        _ => KeyFileError::Damaged("the PEM text is malformed or cut off"),
    })?;
    let identity = Identity::from_seed(&Seed::from_bytes(key.secret_key));
    key.secret_key.zeroize();
    match key.public_key {
        Some(public) if public.0 != *identity.peer_id().as_bytes() => {
            Err(KeyFileError::Damaged("its public key does not belong to its private key"))
        }
        _ => Ok(identity),
    }
}
