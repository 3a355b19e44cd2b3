//! Key files at rest.
//!
//! A key file that TaiiNet writes is an [age](https://age-encryption.org/v1) file in its text form,
//! encrypted with a passphrase (scrypt), that holds a PKCS#8 private key in PEM (RFC 5958, RFC 8410;
//! `-----BEGIN PRIVATE KEY-----`). So `age -d` opens it, and OpenSSL and others read what comes out.
//! Where no passphrase is wanted, the file is the PKCS#8 PEM itself.
//!
//! Reading recognises by their content: those two, age files in binary form, and OpenSSH's private
//! keys with or without a passphrase. As RFC 7468 allows, text may stand before and after the key, and its
//! lines may have any length, be empty, or have white space at their ends; a byte order mark of UTF-8 is
//! passed over. Files are hostile until proven otherwise: their length ([`MAX_LEN`]) and the work that
//! their passphrase may cost are bounded.
//!
//! ```no_run
//! use std::path::Path;
//! use taiinet_identity::keyfile::{self, Passphrase};
//!
//! # fn ask_the_user() -> std::io::Result<String> { Ok(String::new()) }
//! let identity = keyfile::load(Path::new("me.key"), || Ok(Passphrase::new(ask_the_user()?)))?;
//! println!("{}", identity.peer_id());
//! # Ok::<(), keyfile::KeyFileError>(())
//! ```

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

use crate::{Identity, text};

mod age_file;
mod error;
mod kind;
mod openssh;
mod passphrase;
mod pem;
mod pkcs8;
mod write;

pub use error::KeyFileError;
pub use passphrase::{Passphrase, WorkFactor};
pub use write::{Access, NewFile, Overwrite, check_target, write};

/// Longest key file that is read, in bytes. Real ones have less than 2 KiB.
pub const MAX_LEN: usize = 64 * 1024;

/// Reads the key file at `path`, asking for the passphrase only if it has one.
///
/// # Errors
/// [`KeyFileError`]; none of its messages names the file, so say which one it was.
pub fn load(
    path: &Path,
    passphrase: impl FnOnce() -> io::Result<Passphrase>,
) -> Result<Identity, KeyFileError> {
    KeyFile::load(path)?.unlock(passphrase)
}

/// Writes a key file for `identity`: readable by its owner only, whole or not at all.
///
/// # Errors
/// [`KeyFileError::Exists`] where nothing may be overwritten, [`KeyFileError::EmptyPassphrase`],
/// [`KeyFileError::Write`]; the file is then as it was.
pub fn save(
    path: &Path,
    identity: &Identity,
    passphrase: Option<&Passphrase>,
    overwrite: Overwrite,
) -> Result<(), KeyFileError> {
    let text = encode(identity, Form::Pkcs8, passphrase)?;
    write(path, text.as_bytes(), overwrite, Access::OwnerOnly)
}

/// The forms in which a key can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// PKCS#8 PEM; with a passphrase, an age file around it. TaiiNet's own key files.
    Pkcs8,
    /// OpenSSH's private key; its comment is the peer id. With a passphrase: bcrypt, AES-256-CTR.
    OpenSsh,
}

/// The text of a key file. Without a passphrase it *is* the secret.
///
/// # Errors
/// [`KeyFileError::EmptyPassphrase`]; [`KeyFileError::Write`] where the system has no randomness.
pub fn encode(
    identity: &Identity,
    form: Form,
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<String>, KeyFileError> {
    if passphrase.is_some_and(Passphrase::is_empty) {
        return Err(KeyFileError::EmptyPassphrase);
    }
    match (form, passphrase) {
        (Form::Pkcs8, None) => pkcs8::encode(identity),
        (Form::Pkcs8, Some(passphrase)) => {
            age_file::encrypt(pkcs8::encode(identity)?.as_bytes(), passphrase)
        }
        (Form::OpenSsh, passphrase) => openssh::encode(identity, passphrase),
    }
}

/// A key file that was read, and is well-formed.
#[derive(Debug)]
pub struct KeyFile {
    form: Form,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Plain(Identity),
    Age(age_file::Encrypted),
    OpenSsh(openssh::Encrypted),
}

impl KeyFile {
    /// Reads the key file at `path`.
    ///
    /// # Errors
    /// [`KeyFileError`]
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        Self::read(File::open(path).map_err(KeyFileError::Read)?)
    }

    /// Reads a key file from an open file or standard input.
    ///
    /// # Errors
    /// [`KeyFileError`]
    pub fn read(input: impl Read) -> Result<Self, KeyFileError> {
        // Room for everything at once: a buffer that grew would leave copies of the secret behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LEN + 1));
        input.take(MAX_LEN as u64 + 1).read_to_end(&mut bytes).map_err(KeyFileError::Read)?;
        Self::parse(&bytes)
    }

    /// Recognises the form of a key file by its content, and takes it apart.
    ///
    /// # Errors
    /// [`KeyFileError`]
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyFileError> {
        if bytes.len() > MAX_LEN {
            return Err(KeyFileError::TooLong);
        }
        let bytes = text::without_bom(bytes).map_err(|_| KeyFileError::Utf16)?;
        if bytes.starts_with(age_file::BINARY_START) {
            return Self::age(bytes);
        }
        let text = lossy(bytes);
        let blocks = pem::blocks(&text);
        let mut keys = blocks.iter().filter(|block| block.is_private_key());
        let block = match (keys.next(), keys.next()) {
            (Some(key), None) => key,
            (Some(_), Some(_)) => return Err(kind::several()),
            (None, _) => return Err(kind::of(bytes, &text, blocks.first())),
        };
        let strict = || block.strict().ok_or(KeyFileError::Damaged("its last line is missing"));
        match block.label {
            "AGE ENCRYPTED FILE" => Self::age(strict()?.as_bytes()),
            "PRIVATE KEY" => {
                Ok(Self { form: Form::Pkcs8, content: Content::Plain(pkcs8::decode(&strict()?)?) })
            }
            "OPENSSH PRIVATE KEY" => {
                Ok(Self { form: Form::OpenSsh, content: openssh::decode(&strict()?)? })
            }
            label => Err(kind::of_pem(label)),
        }
    }

    fn age(bytes: &[u8]) -> Result<Self, KeyFileError> {
        let content = Content::Age(age_file::Encrypted::parse(bytes)?);
        Ok(Self { form: Form::Pkcs8, content })
    }

    /// The form it has.
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Whether it takes a passphrase.
    pub const fn is_encrypted(&self) -> bool {
        !matches!(self.content, Content::Plain(_))
    }

    /// The key; the passphrase is asked for only if there is one, and trying it takes about a second
    /// on purpose. A wrong one may be followed by another try.
    ///
    /// # Errors
    /// [`KeyFileError::Passphrase`], [`KeyFileError::WrongPassphrase`],
    /// [`KeyFileError::TooMuchWork`], [`KeyFileError::Damaged`], or [`KeyFileError::WrongKind`] for
    /// what was inside.
    pub fn unlock(
        &self,
        passphrase: impl FnOnce() -> io::Result<Passphrase>,
    ) -> Result<Identity, KeyFileError> {
        let passphrase = || passphrase().map_err(KeyFileError::Passphrase);
        match &self.content {
            Content::Plain(identity) => Ok(identity.clone()),
            Content::OpenSsh(key) => key.unlock(&passphrase()?),
            Content::Age(file) => {
                let inner = Self::parse(&file.decrypt(&passphrase()?)?)?;
                let Content::Plain(identity) = inner.content else {
                    return Err(kind::nested());
                };
                Ok(identity)
            }
        }
    }
}

/// The text; what stands outside the key may be in whatever encoding.
fn lossy(bytes: &[u8]) -> Zeroizing<String> {
    // Room for everything at once: a text that grew would leave copies of the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len()));
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push('?');
        }
    }
    text
}

#[cfg(test)]
mod tests;
