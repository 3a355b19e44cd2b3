//! age files with a passphrase (<https://age-encryption.org/v1>).

use std::{
    fmt,
    io::{Read, Write},
    iter,
};

use age::{
    DecryptError, Decryptor, Encryptor,
    armor::{ArmoredWriter, Format},
    scrypt,
    secrecy::SecretString,
};
use zeroize::Zeroizing;

use super::{KeyFileError, Passphrase, WorkFactor, kind};
use crate::age_input::{self, AgeError, Input};

/// How the binary form begins.
pub(super) const BINARY_START: &[u8] = b"age-encryption.org/";

/// A well-formed age file that a passphrase opens.
pub(super) struct Encrypted(Vec<u8>);

impl Encrypted {
    /// Checks the form at once, so that no user is asked for the passphrase of a broken file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, KeyFileError> {
        if !decryptor(bytes)?.is_scrypt() {
            return Err(kind::without_passphrase());
        }
        Ok(Self(bytes.to_vec()))
    }

    pub(super) fn decrypt(
        &self,
        passphrase: &Passphrase,
    ) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let mut identity = scrypt::Identity::new(secret(passphrase));
        identity.set_max_work_factor(WorkFactor::MAX.log_n());
        let mut reader = decryptor(&self.0)?
            .decrypt(iter::once(&identity as &dyn age::Identity))
            .map_err(|error| match error {
            DecryptError::DecryptionFailed
            | DecryptError::KeyDecryptionFailed
            | DecryptError::NoMatchingKeys => KeyFileError::WrongPassphrase,
            DecryptError::ExcessiveWork { .. } => KeyFileError::TooMuchWork,
            _ => KeyFileError::Damaged("its age header is malformed"),
        })?;
        // The content is shorter than the file.
        let mut content = Zeroizing::new(Vec::with_capacity(self.0.len()));
        reader
            .read_to_end(&mut content)
            .map_err(|_| KeyFileError::Damaged("altered or cut off"))?;
        Ok(content)
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "age file ({} bytes)", self.0.len())
    }
}

pub(super) fn encrypt(
    content: &[u8],
    passphrase: &Passphrase,
) -> Result<Zeroizing<String>, KeyFileError> {
    let mut recipient = scrypt::Recipient::new(secret(passphrase));
    recipient.set_work_factor(passphrase.work().log_n());
    let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient))
        .map_err(|_| KeyFileError::Damaged("cannot be encrypted"))?;
    let text = || -> std::io::Result<Vec<u8>> {
        let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armor)?;
        writer.write_all(content)?;
        writer.finish()?.finish()
    };
    let text = text().map_err(KeyFileError::Write)?;
    String::from_utf8(text)
        .map(Zeroizing::new)
        .map_err(|_| KeyFileError::Damaged("cannot be encrypted"))
}

fn decryptor(bytes: &[u8]) -> Result<Decryptor<Input<'_>>, KeyFileError> {
    age_input::decryptor(bytes).map_err(|error| match error {
        AgeError::NewerVersion => kind::newer_age(),
        AgeError::Text | AgeError::Io(_) => {
            KeyFileError::Damaged("its age text is malformed or cut off")
        }
        AgeError::Utf16 => KeyFileError::Utf16,
        AgeError::NotAge | AgeError::Header => KeyFileError::Damaged("its age header is malformed"),
    })
}

fn secret(passphrase: &Passphrase) -> SecretString {
    SecretString::from(passphrase.expose().to_owned())
}
