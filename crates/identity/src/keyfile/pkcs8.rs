//! PKCS#8 private keys in PEM (RFC 5958), of Ed25519 (RFC 8410).

use ed25519_dalek::pkcs8::{
    self, EncodePrivateKey, KeypairBytes, PrivateKeyInfoRef, SecretDocument,
    spki::{
        self, AlgorithmIdentifierRef,
        der::{
            self, Decode, Reader, SliceReader, Tag, TagMode, TagNumber,
            asn1::{AnyRef, BitStringRef, ContextSpecific, OctetStringRef, SequenceRef},
            pem::LineEnding,
        },
    },
};
use zeroize::{Zeroize, Zeroizing};

use super::{KeyFileError, kind};
use crate::{Identity, Seed};

const ATTRIBUTES: TagNumber = TagNumber(0);
const PUBLIC_KEY: TagNumber = TagNumber(1);

/// Version 1 of the format, without the public key: OpenSSL reads no other.
pub(super) fn encode(identity: &Identity) -> Result<Zeroizing<String>, KeyFileError> {
    let mut key = KeypairBytes { secret_key: *identity.seed().expose(), public_key: None };
    let pem = key.to_pkcs8_pem(LineEnding::LF);
    key.secret_key.zeroize();
    pem.map_err(|_| KeyFileError::Damaged("cannot be encoded"))
}

pub(super) fn decode(pem: &str) -> Result<Identity, KeyFileError> {
    let (_, document) = SecretDocument::from_pem(pem)
        .map_err(|_| KeyFileError::Damaged("the PEM text is malformed or cut off"))?;
    let info = structure(document.as_bytes()).map_err(|_| malformed())?;
    if info.public_key.is_some_and(|public| public.as_bytes().is_none()) {
        return Err(malformed());
    }
    let mut key = KeypairBytes::try_from(info).map_err(|error| match error {
        pkcs8::Error::PublicKey(spki::Error::OidUnknown { .. }) => kind::other_algorithm(),
        _ => malformed(),
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

/// Takes it apart as the crate `pkcs8` does, but for the public key: whether there is one is not the
/// version's to say, and some programs tag it explicitly though the standard means implicitly.
fn structure(der: &[u8]) -> der::Result<PrivateKeyInfoRef<'_>> {
    let mut reader = SliceReader::new(der)?;
    let info = reader.sequence(|reader| {
        // Version 1 or 2.
        if u8::decode(reader)? > 1 {
            return Err(reader.error(Tag::Integer.value_error()));
        }
        let algorithm = AlgorithmIdentifierRef::decode(reader)?;
        let private_key: &OctetStringRef = reader.decode()?;
        reader.context_specific::<&SequenceRef>(ATTRIBUTES, TagMode::Implicit)?;
        let explicit = Tag::ContextSpecific { constructed: true, number: PUBLIC_KEY };
        let is_explicit = !reader.is_finished() && Tag::peek(reader)? == explicit;
        let mode = if is_explicit { TagMode::Explicit } else { TagMode::Implicit };
        let public_key = reader.context_specific::<BitStringRef<'_>>(PUBLIC_KEY, mode)?;
        // The format may grow.
        while !reader.is_finished() {
            reader.decode::<ContextSpecific<AnyRef<'_>>>()?;
        }
        Ok::<_, der::Error>(PrivateKeyInfoRef { algorithm, private_key, public_key })
    })?;
    reader.finish()?;
    Ok(info)
}

const fn malformed() -> KeyFileError {
    KeyFileError::Damaged("the key within is malformed")
}
