//! What can be wrong with a sealed file.

use std::io;

use crate::{PeerId, RECIPIENTS, age_input::AgeError};

/// Why a file could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealedFileError {
    /// Without a recipient it could never be opened.
    #[error("name at least one recipient")]
    NoRecipients,
    /// More than [`RECIPIENTS`].
    #[error("{recipients} recipients are too many: at most {RECIPIENTS}; seal the file twice")]
    TooManyRecipients {
        /// How many there were.
        recipients: usize,
    },
    /// There is no private half of this key.
    #[error("{0} is not a usable key")]
    Recipient(PeerId),
    /// What is to be sealed or opened cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The result cannot be written.
    #[error("cannot be written: {0}")]
    Write(#[source] io::Error),
    /// No age file, in neither form.
    #[error("this is no sealed file (an age file)")]
    NotSealed,
    /// A text, but not in UTF-8.
    #[error("this is UTF-16")]
    Utf16,
    /// An age file in another version than 1.
    #[error("this is an age file of a newer version than this program knows")]
    NewerVersion,
    /// An age file that a passphrase opens, as key files are.
    #[error("this is sealed by a passphrase (scrypt), not to a peer")]
    Passphrase,
    /// None of those it was sealed to. An altered byte in the header can look the same.
    #[error("this was not sealed to this key (or it was altered)")]
    NotRecipient,
    /// The part before the content is malformed, altered, cut off or far too long.
    #[error("its header was altered or cut off")]
    Header,
    /// The content is not as it was sealed. Of what was written, nothing may be used.
    #[error("altered or cut off")]
    Altered,
}

impl From<AgeError> for SealedFileError {
    fn from(error: AgeError) -> Self {
        match error {
            AgeError::NotAge => Self::NotSealed,
            AgeError::Utf16 => Self::Utf16,
            AgeError::NewerVersion => Self::NewerVersion,
            AgeError::Text | AgeError::Header => Self::Header,
            AgeError::Io(error) => Self::Read(error),
        }
    }
}
