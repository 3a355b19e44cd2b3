//! OpenSSH's private keys (`PROTOCOL.key` of OpenSSH), of Ed25519 only.

use ssh_key::{
    Algorithm, Cipher, Error, Kdf, LineEnding, PrivateKey,
    private::{Ed25519Keypair, KeypairData},
};
use zeroize::Zeroizing;

use super::{Content, KeyFileError, Passphrase, kind};
use crate::{Identity, Seed};

/// What OpenSSH takes by default since version 9.4.
const ROUNDS: u32 = 24;
/// `ssh-keygen -a` is rarely more than 100; a thousand take some ten seconds.
pub(super) const ROUNDS_MAX: u32 = 1024;

/// A key that waits for its passphrase.
#[derive(Debug)]
pub(super) struct Encrypted(PrivateKey);

pub(super) fn decode(pem: &str) -> Result<Content, KeyFileError> {
    let key = PrivateKey::from_openssh(pem).map_err(|error| match error {
        Error::AlgorithmUnknown | Error::AlgorithmUnsupported { .. } => kind::other_openssh(),
        // The only names that must be known to take it apart.
        Error::Encoding(ssh_key::encoding::Error::Label(_)) => {
            KeyFileError::Cipher("an unknown cipher")
        }
        _ => KeyFileError::Damaged("the OpenSSH key is malformed or cut off"),
    })?;
    if key.algorithm() != Algorithm::Ed25519 {
        return Err(kind::other_openssh());
    }
    if !key.is_encrypted() {
        return identity_of(&key).map(Content::Plain);
    }
    // Of those that OpenSSH has, this is the one that the library was not built with; it would say the same
    // of it as of a wrong passphrase.
    if key.cipher() == Cipher::TdesCbc {
        return Err(KeyFileError::Cipher(key.cipher().as_str()));
    }
    match key.kdf() {
        Kdf::Bcrypt { rounds: 1..=ROUNDS_MAX, .. } => Ok(Content::OpenSsh(Encrypted(key))),
        Kdf::Bcrypt { rounds: 0, .. } => Err(KeyFileError::Damaged("its work factor is zero")),
        _ => Err(KeyFileError::TooMuchWork),
    }
}

impl Encrypted {
    pub(super) fn unlock(&self, passphrase: &Passphrase) -> Result<Identity, KeyFileError> {
        let key = self.0.decrypt(passphrase.expose()).map_err(|error| match error {
            Error::Crypto => KeyFileError::WrongPassphrase,
            _ => KeyFileError::Damaged("what the passphrase opened is malformed"),
        })?;
        identity_of(&key)
    }
}

pub(super) fn encode(
    identity: &Identity,
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<String>, KeyFileError> {
    let fault = |_| KeyFileError::Damaged("cannot be encoded");
    let keypair = Ed25519Keypair::from_seed(identity.seed().expose());
    let mut key = PrivateKey::new(KeypairData::Ed25519(keypair), identity.peer_id().to_string())
        .map_err(fault)?;
    if let Some(passphrase) = passphrase {
        let mut salt = vec![0; 16];
        let mut checkint = [0; 4];
        getrandom::fill(&mut salt)
            .and_then(|()| getrandom::fill(&mut checkint))
            .map_err(|error| KeyFileError::Write(error.into()))?;
        let kdf = Kdf::Bcrypt { salt, rounds: ROUNDS };
        let checkint = u32::from_be_bytes(checkint);
        key = key
            .encrypt_with(Cipher::Aes256Ctr, kdf, checkint, passphrase.expose())
            .map_err(fault)?;
    }
    key.to_openssh(LineEnding::LF).map_err(fault)
}

fn identity_of(key: &PrivateKey) -> Result<Identity, KeyFileError> {
    let keypair = key.key_data().ed25519().ok_or_else(kind::other_openssh)?;
    let seed = Zeroizing::new(keypair.private.to_bytes());
    let identity = Identity::from_seed(&Seed::from_bytes(*seed));
    if keypair.public.0 != *identity.peer_id().as_bytes() {
        return Err(KeyFileError::Damaged("its public key does not belong to its private key"));
    }
    Ok(identity)
}
