//! What can be wrong with a key file.

use std::io;

/// Why a key file could not be read, opened or written. [`Self::next_step`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read.
    #[error("cannot read the key file: {0}")]
    Read(#[source] io::Error),
    /// The file cannot be written; whatever stood there is as it was, unless it was a pipe or a device.
    #[error("cannot write the file: {0}")]
    Write(#[source] io::Error),
    /// Something of that name exists, and it was not said that it may be replaced.
    #[error("this file exists already, and was left as it is")]
    Exists,
    /// Longer than any key file ([`MAX_LEN`](super::MAX_LEN)).
    #[error("this is no key file: it is far too long")]
    TooLong,
    /// Nothing stands in it.
    #[error("the key file is empty")]
    Empty,
    /// A text, but not in UTF-8.
    #[error("this is UTF-16")]
    Utf16,
    /// In none of the known forms.
    #[error(
        "this is no key file: expected an age file, or a private key in PKCS#8 PEM or OpenSSH form"
    )]
    Unrecognised,
    /// Something known, but not an Ed25519 private key that can be read.
    #[error("this is {what}, not an Ed25519 private key")]
    WrongKind {
        /// What it is.
        what: &'static str,
        /// What to do about it.
        next: &'static str,
    },
    /// An OpenSSH key whose cipher is not known here, so that no passphrase can be tried.
    #[error("this OpenSSH key is encrypted with {0}, which is not supported")]
    Cipher(&'static str),
    /// In a known form, but broken.
    #[error("the key file is damaged ({0})")]
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

impl KeyFileError {
    /// What a user can do about it, for people; `FILE` stands for the key file.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Read(cause) if cause.kind() == io::ErrorKind::NotFound => {
                "check the name, or make a key with `taiinet-keys generate --out FILE`"
            }
            Self::Read(_) => "check that it is a file and that you may read it",
            Self::Write(_) => {
                "check that the folder exists, that you may write there and that there is room"
            }
            Self::Exists => "choose another name, or replace it with --force",
            Self::TooLong | Self::Empty | Self::Unrecognised => {
                "give a file from `taiinet-keys generate`, or `taiinet-keys import` an Ed25519 key"
            }
            Self::Utf16 => "save it as UTF-8",
            Self::WrongKind { next, .. } => next,
            Self::Cipher(_) => "give it another one: `ssh-keygen -p -Z aes256-ctr -f FILE`",
            Self::Damaged(_) => "take it from a copy; a key that has no copy is lost",
            Self::Passphrase(_) => "give it with --passphrase-file FILE or in TAIINET_PASSPHRASE",
            Self::WrongPassphrase => "try again with the passphrase that it was made with",
            Self::EmptyPassphrase => "type at least one character, or choose --no-passphrase",
            Self::TooMuchWork => "use it only if you know who made it",
        }
    }
}
