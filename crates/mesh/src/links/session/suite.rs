//! The suite of sessions, on our own crates: what `snow` asks for, and no more of it.
//!
//! `snow` is given one suite, and the randomness of one key. So there is nothing to negotiate, and no
//! second generation of any cryptographic crate.

use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit, Nonce, Tag, aead::inout::InOutBuf};
use sha2::{Digest, Sha256};
use snow::{
    Error,
    params::{
        BaseChoice, CipherChoice, DHChoice, HandshakeChoice, HandshakeModifierList,
        HandshakePattern, HashChoice, NoiseParams,
    },
    resolvers::{BoxedCryptoResolver, CryptoResolver},
    types::{Cipher, Dh, Hash, Random},
};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::TAG_BYTES;

const NAME: &str = "Noise_NN_25519_ChaChaPoly_SHA256";

pub(super) fn params() -> NoiseParams {
    NoiseParams::new(
        NAME.to_owned(),
        BaseChoice::Noise,
        HandshakeChoice {
            pattern: HandshakePattern::NN,
            modifiers: HandshakeModifierList { list: Vec::new() },
        },
        DHChoice::Curve25519,
        CipherChoice::ChaChaPoly,
        HashChoice::SHA256,
    )
}

/// What `snow` takes the suite from; `seed` becomes the one key of this end.
pub(super) fn resolver(seed: [u8; 32]) -> BoxedCryptoResolver {
    Box::new(Suite(Zeroizing::new(seed)))
}

struct Suite(Zeroizing<[u8; 32]>);

impl CryptoResolver for Suite {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(Once(Some(self.0.clone()))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        let known = matches!(choice, DHChoice::Curve25519);
        known.then(|| Box::<X25519>::default() as Box<dyn Dh>)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        let known = matches!(choice, HashChoice::SHA256);
        known.then(|| Box::<Sha>::default() as Box<dyn Hash>)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        let known = matches!(choice, CipherChoice::ChaChaPoly);
        known.then(|| Box::<ChaChaPoly>::default() as Box<dyn Cipher>)
    }
}

/// A generator that gives its 32 bytes once: nothing is ever made of them twice.
struct Once(Option<Zeroizing<[u8; 32]>>);

impl Random for Once {
    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Error> {
        let bytes = self.0.take().ok_or(Error::Rng)?;
        to.copy_from_slice(bytes.get(..to.len()).ok_or(Error::Rng)?);
        Ok(())
    }
}

/// X25519 (RFC 7748).
struct X25519 {
    secret: StaticSecret,
    public: [u8; 32],
}

impl Default for X25519 {
    /// No key yet.
    fn default() -> Self {
        Self { secret: StaticSecret::from([0; 32]), public: [0; 32] }
    }
}

impl Dh for X25519 {
    fn name(&self) -> &'static str {
        "25519"
    }

    fn pub_len(&self) -> usize {
        32
    }

    fn priv_len(&self) -> usize {
        32
    }

    fn set(&mut self, secret: &[u8]) {
        let mut bytes = Zeroizing::new([0; 32]);
        bytes.copy_from_slice(secret);
        self.secret = StaticSecret::from(*bytes);
        self.public = PublicKey::from(&self.secret).to_bytes();
    }

    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(&mut *bytes)?;
        self.set(&*bytes);
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        &self.public
    }

    fn privkey(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    /// A point of small order is no key: it gives every peer the same secret.
    fn dh(&self, public: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let public: [u8; 32] =
            public.get(..32).and_then(|key| key.try_into().ok()).ok_or(Error::Dh)?;
        let shared = self.secret.diffie_hellman(&PublicKey::from(public));
        if !shared.was_contributory() {
            return Err(Error::Dh);
        }
        out.get_mut(..32).ok_or(Error::Dh)?.copy_from_slice(shared.as_bytes());
        Ok(())
    }
}

/// SHA-256 (FIPS 180-4); `snow` makes HMAC and HKDF of it.
#[derive(Default)]
struct Sha(Sha256);

impl Hash for Sha {
    fn name(&self) -> &'static str {
        "SHA256"
    }

    fn block_len(&self) -> usize {
        64
    }

    fn hash_len(&self) -> usize {
        32
    }

    fn reset(&mut self) {
        self.0 = Sha256::new();
    }

    fn input(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn result(&mut self, out: &mut [u8]) {
        let hash = self.0.finalize_reset();
        if let Some(out) = out.get_mut(..hash.len()) {
            out.copy_from_slice(&hash);
        }
    }
}

/// ChaCha20-Poly1305 (RFC 8439); the nonce is 32 zero bits and the message's number, little-endian
/// (Noise, section 12.3).
#[derive(Default)]
struct ChaChaPoly(Option<ChaCha20Poly1305>);

impl ChaChaPoly {
    fn nonce(number: u64) -> Nonce {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&number.to_le_bytes());
        nonce.into()
    }
}

impl Cipher for ChaChaPoly {
    fn name(&self) -> &'static str {
        "ChaChaPoly"
    }

    fn set(&mut self, key: &[u8; 32]) {
        self.0 = Some(ChaCha20Poly1305::new(key.into()));
    }

    /// `snow` asks for nothing before it has set a key, gives room for the tag, and knows no error
    /// here. What could not be sealed is left as zeros, which open nowhere.
    fn encrypt(&self, number: u64, ad: &[u8], message: &[u8], out: &mut [u8]) -> usize {
        let length = message.len() + TAG_BYTES;
        let mut seal = || {
            let (text, tag) = out.get_mut(..length)?.split_at_mut(message.len());
            let buffer = InOutBuf::new(message, text).ok()?;
            let cipher = self.0.as_ref()?;
            let made = cipher.encrypt_inout_detached(&Self::nonce(number), ad, buffer).ok()?;
            tag.copy_from_slice(&made);
            Some(())
        };
        let sealed = seal().is_some();
        debug_assert!(sealed, "a key, and room for the tag");
        length
    }

    fn decrypt(
        &self,
        number: u64,
        ad: &[u8],
        sealed: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Error> {
        let length = sealed.len().checked_sub(TAG_BYTES).ok_or(Error::Decrypt)?;
        let (text, tag) = sealed.split_at_checked(length).ok_or(Error::Decrypt)?;
        let tag = Tag::try_from(tag).map_err(|_| Error::Decrypt)?;
        let out = out.get_mut(..length).ok_or(Error::Decrypt)?;
        let buffer = InOutBuf::new(text, out).map_err(|_| Error::Decrypt)?;
        let cipher = self.0.as_ref().ok_or(Error::Decrypt)?;
        let opened = cipher.decrypt_inout_detached(&Self::nonce(number), ad, buffer, &tag);
        opened.map(|()| length).map_err(|_| Error::Decrypt)
    }
}
