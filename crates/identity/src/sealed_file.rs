//! Files sealed to peers.
//!
//! A sealed file is an [age](https://age-encryption.org/v1) file whose recipients are the X25519 forms
//! of the peers' keys. So any `age` seals to a peer, by what [`recipient`] gives, and opens a file with
//! the `AGE-SECRET-KEY-1…` that the same key makes. It does not say who sealed it: sign it for that.
//!
//! Files of any length pass through in pieces of 64 KiB. Each piece is verified before it is handed
//! on, but only the end shows that nothing was cut off: **until [`open`] returns, what it has written
//! counts for nothing**, so write to where it can be thrown away (a
//! [`NewFile`](crate::keyfile::NewFile)).
//!
//! ```
//! use taiinet_identity::{Identity, Seed, sealed_file::{self, Form}};
//!
//! let me = Identity::from_seed(&Seed::from_bytes([7; 32]));
//! let (mut sealed, mut opened) = (Vec::new(), Vec::new());
//! sealed_file::seal(&[me.peer_id()], &b"dear all"[..], &mut sealed, Form::Text)?;
//! sealed_file::open(&me, &sealed[..], &mut opened)?;
//! assert_eq!(opened, b"dear all");
//! # Ok::<(), sealed_file::SealedFileError>(())
//! ```

use std::{
    io::{self, BufWriter, Read, Write},
    iter,
};

use age::{
    DecryptError, Encryptor,
    armor::{ArmoredWriter, Format},
    x25519,
};
use bech32::{Bech32, Hrp};
use zeroize::Zeroizing;

use crate::{Identity, PeerId, RECIPIENTS, age_input};

mod error;

pub use error::SealedFileError;

/// How much is read at a time, in bytes: a piece of age's.
const PIECE: usize = 64 * 1024;

/// The forms in which a sealed file can be written; [`open`] reads both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Bytes.
    Binary,
    /// age's text form, for mails and chats: a third longer.
    Text,
}

/// The `age1…` that `age` knows a peer by.
///
/// # Errors
/// [`SealedFileError::Recipient`] if the peer id is not a usable key.
pub fn recipient(peer: &PeerId) -> Result<String, SealedFileError> {
    let unusable = || SealedFileError::Recipient(*peer);
    let public = peer.public_key().map_err(|_| unusable())?.to_x25519();
    bech32::encode_lower::<Bech32>(Hrp::parse_unchecked("age"), &public).map_err(|_| unusable())
}

/// Reads all of `reader` and writes it to `writer`, sealed so that each of `recipients` can open it.
/// Gives how many bytes were read.
///
/// # Errors
/// [`SealedFileError::NoRecipients`], [`SealedFileError::TooManyRecipients`],
/// [`SealedFileError::Recipient`], [`SealedFileError::Read`], [`SealedFileError::Write`]; what was
/// written until then cannot be opened.
pub fn seal(
    recipients: &[PeerId],
    reader: impl Read,
    writer: impl Write,
    form: Form,
) -> Result<u64, SealedFileError> {
    if recipients.is_empty() {
        return Err(SealedFileError::NoRecipients);
    }
    if recipients.len() > RECIPIENTS {
        return Err(SealedFileError::TooManyRecipients { recipients: recipients.len() });
    }
    let keys = recipients.iter().map(age_recipient).collect::<Result<Vec<_>, _>>()?;
    let encryptor = Encryptor::with_recipients(keys.iter().map(|key| key as &dyn age::Recipient))
        .map_err(|error| SealedFileError::Write(io::Error::other(error)))?;
    let format = match form {
        Form::Binary => Format::Binary,
        Form::Text => Format::AsciiArmor,
    };
    // The header is written in many small parts.
    let mut output = ArmoredWriter::wrap_output(BufWriter::new(writer), format)
        .and_then(|armor| encryptor.wrap_output(armor))
        .map_err(SealedFileError::Write)?;
    let len = copy(reader, &mut output, SealedFileError::Read)?;
    output
        .finish()
        .and_then(ArmoredWriter::finish)
        .and_then(|mut output| output.flush())
        .map_err(SealedFileError::Write)?;
    Ok(len)
}

/// Reads the sealed file `reader` to its end, in either form, and writes what is in it to `writer`.
/// Gives how many bytes were written.
///
/// # Errors
/// [`SealedFileError`]. Discard then what was written: a part may be missing.
pub fn open(
    identity: &Identity,
    reader: impl Read,
    writer: impl Write,
) -> Result<u64, SealedFileError> {
    open_with(|| age_identity(identity), reader, writer)
}

fn open_with(
    key: impl FnOnce() -> Result<x25519::Identity, SealedFileError>,
    reader: impl Read,
    mut writer: impl Write,
) -> Result<u64, SealedFileError> {
    let decryptor = age_input::decryptor(reader)?;
    if decryptor.is_scrypt() {
        return Err(SealedFileError::Passphrase);
    }
    let key = key()?;
    let content =
        decryptor.decrypt(iter::once(&key as &dyn age::Identity)).map_err(|error| match error {
            DecryptError::NoMatchingKeys => SealedFileError::NotRecipient,
            _ => SealedFileError::Header,
        })?;
    let len = copy(content, &mut writer, |error| match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => SealedFileError::Altered,
        _ => SealedFileError::Read(error),
    })?;
    writer.flush().map_err(SealedFileError::Write)?;
    Ok(len)
}

/// As [`io::copy`], which does not tell the reader's errors from the writer's and leaves the content in memory.
fn copy(
    mut reader: impl Read,
    writer: &mut impl Write,
    of_reading: impl Fn(io::Error) -> SealedFileError,
) -> Result<u64, SealedFileError> {
    let mut buffer = Zeroizing::new(vec![0; PIECE]);
    let mut total = 0_u64;
    loop {
        let len = match reader.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(of_reading(error)),
        };
        let read = buffer.get(..len).unwrap_or_default();
        writer.write_all(read).map_err(SealedFileError::Write)?;
        total = total.saturating_add(len as u64);
    }
}

// `age` makes keys from their text only.

fn age_recipient(peer: &PeerId) -> Result<x25519::Recipient, SealedFileError> {
    recipient(peer)?.parse().map_err(|_| SealedFileError::Recipient(*peer))
}

fn age_identity(identity: &Identity) -> Result<x25519::Identity, SealedFileError> {
    secret_key(identity).parse().map_err(|_| SealedFileError::NotRecipient)
}

/// `AGE-SECRET-KEY-1…`
fn secret_key(identity: &Identity) -> Zeroizing<String> {
    let hrp = Hrp::parse_unchecked("AGE-SECRET-KEY-");
    // Room for all of it: a text that grew would leave copies of the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(128));
    let secret = identity.x25519_secret();
    // 32 bytes are never too long, and writing to memory does not fail.
    let _ = bech32::encode_upper_to_fmt::<Bech32, _>(&mut *text, hrp, &*secret);
    text
}

#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;
