//! What can be wrong with a key file.

use std::io;

/// Why a key file could not be read, opened or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read.
    #[error("cannot read the key file: {0}")]
    Read(#[source] io::Error),
    /// The file cannot be written; whatever stood there is as it was.
    #[error("cannot write the file: {0}")]
    Write(#[source] io::Error),
    /// Something of that name exists, and it was not said that it may be replaced.
    #[error("this file exists already, and was left as it is")]
    Exists,
    /// Longer than any key file ([`MAX_LEN`](super::MAX_LEN)).
    #[error("this is no key file: it is far too long")]
    TooLong,
    /// In none of the known forms.
    #[error(
        "this is no key file: expected an age file, or a private key in PKCS#8 PEM or OpenSSH form"
    )]
    Unrecognised,
    /// Something known, but not an Ed25519 private key.
    #[error("this is {0}, not an Ed25519 private key")]
    WrongKind(&'static str),
    /// In a known form, but broken.
    #[error("the key file is damaged ({0}); take it from a copy")]
    Damaged(&'static str),
    /// The passphrase is needed and could not be had.
    #[error("the key file has a passphrase, which could not be had: {0}")]
    Passphrase(#[source] io::Error),
    /// The passphrase does not open the file. An altered byte in the encrypted key looks the same.
    #[error("the passphrase does not open this key file (or the file was altered)")]
    WrongPassphrase,
    /// A passphrase of no characters protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// Opening the file would take more time and memory than any honest file asks for.
    #[error(
        "the key file asks for too much work on its passphrase; it was not made by a well-meaning program"
    )]
    TooMuchWork,
}
