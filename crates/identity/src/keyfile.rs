//! Key files at rest.
//!
//! A key file that TaiiNet writes is an [age](https://age-encryption.org/v1) file in its text form,
//! encrypted with a passphrase (scrypt), that holds a PKCS#8 private key in PEM (RFC 5958, RFC 8410;
//! `-----BEGIN PRIVATE KEY-----`). So `age -d` opens it, and OpenSSL and others read what comes out.
//! Where no passphrase is wanted, the file is the PKCS#8 PEM itself.
//!
//! Reading recognises by their content: those two, age files in binary form, and OpenSSH's private
//! keys with or without a passphrase. Files are hostile until proven otherwise: their length
//! ([`MAX_LEN`]) and the work that their passphrase may cost are bounded.
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

use crate::Identity;

mod age_file;
mod error;
mod openssh;
mod passphrase;
mod pkcs8;
mod write;

pub use error::KeyFileError;
pub use passphrase::{Passphrase, WorkFactor};
pub use write::{Access, NewFile, Overwrite, write};

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
        if bytes.starts_with(age_file::BINARY_START) {
            return Self::age(bytes);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| KeyFileError::Unrecognised)?.trim();
        match pem_label(text) {
            Some("AGE ENCRYPTED FILE") => Self::age(text.as_bytes()),
            Some("PRIVATE KEY") => {
                Ok(Self { form: Form::Pkcs8, content: Content::Plain(pkcs8::decode(text)?) })
            }
            Some("OPENSSH PRIVATE KEY") => {
                Ok(Self { form: Form::OpenSsh, content: openssh::decode(text)? })
            }
            Some(label) => Err(KeyFileError::WrongKind(name_of_pem(label))),
            None => {
                Err(name_of_text(text).map_or(KeyFileError::Unrecognised, KeyFileError::WrongKind))
            }
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
                    return Err(KeyFileError::WrongKind("an encrypted file in an encrypted file"));
                };
                Ok(identity)
            }
        }
    }
}

/// The label of the first line.
fn pem_label(text: &str) -> Option<&str> {
    text.lines().next()?.trim_end().strip_prefix("-----BEGIN ")?.strip_suffix("-----")
}

// Names are fixed words: nothing that a hostile file says reaches the terminal.

fn name_of_pem(label: &str) -> &'static str {
    match label {
        "ENCRYPTED PRIVATE KEY" => {
            "a PKCS#8 key with a passphrase of its own (take it off with \
             `openssl pkey -in FILE -out PLAIN`, then import PLAIN)"
        }
        "PUBLIC KEY" | "SSH2 PUBLIC KEY" => "a public key",
        "RSA PRIVATE KEY" => "an RSA key",
        "EC PRIVATE KEY" => "an ECDSA key",
        "DSA PRIVATE KEY" => "a DSA key",
        "CERTIFICATE" => "a certificate",
        "PGP PRIVATE KEY BLOCK" | "PGP PUBLIC KEY BLOCK" => "an OpenPGP key",
        "TAIINET SIGNATURE" | "SSH SIGNATURE" | "PGP SIGNATURE" => "a signature",
        _ => "another kind of PEM file",
    }
}

fn name_of_text(text: &str) -> Option<&'static str> {
    [
        ("ssh-", "an OpenSSH public key (the private one has the same name without `.pub`)"),
        ("ecdsa-sha2-", "an OpenSSH public key"),
        ("sk-", "an OpenSSH public key"),
        ("PuTTY-User-Key-File-", "a PuTTY key (export it from PuTTYgen as an OpenSSH key)"),
        ("AGE-SECRET-KEY-", "an age identity"),
        ("# created: ", "an age identity"),
        ("age1", "an age recipient"),
        ("tn1", "a peer id, which is public"),
        ("did:key:", "a did:key, which is public"),
        ("taiinet signature", "a signature"),
    ]
    .into_iter()
    .find_map(|(start, name)| text.starts_with(start).then_some(name))
}

#[cfg(test)]
mod tests;
