//! TLS 1.3 by rustls, with a certificate that can be replaced while it runs.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    version::TLS13,
};
use zeroize::Zeroizing;

use super::{
    certificate::{Concern, Validity},
    files::read_file,
};
use crate::limits;

/// A certificate with its chain, and its private key, both PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, then those that vouch for it.
    pub certificate: PathBuf,
    /// Its key: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// A certificate that is in use.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    /// None if it cannot be read.
    pub(super) validity: Option<Validity>,
    file: PathBuf,
}

/// A certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// The certificate's or key's file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file has no certificate in it, or no key.
    #[error(
        "{path}: there is no {what} in PEM form in it; is it the other file, or in binary form (DER)?"
    )]
    Missing {
        /// The certificate's or key's file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// The key has a passphrase.
    #[error(
        "{path}: the private key is encrypted, and nobody is asked for a passphrase when a signaller starts; \
         write it without one, for this user alone to read: (umask 077; openssl pkey -in {path} -out KEY)"
    )]
    Encrypted {
        /// The key's file.
        path: PathBuf,
    },
    /// The two do not fit, or are of a kind that is not known.
    #[error("{path}: {error}")]
    Unfit {
        /// The certificate.
        path: PathBuf,
        /// What rustls says.
        error: rustls::Error,
    },
}

impl TlsFiles {
    /// Reads the files, and checks that the key is the certificate's.
    pub(super) fn load(&self) -> Result<Tls, TlsError> {
        let missing = |path: &Path, what| TlsError::Missing { path: path.to_owned(), what };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&read(&self.certificate)?)
            .collect::<Result<_, _>>()
            .map_err(|_| missing(&self.certificate, "certificate"))?;
        if chain.is_empty() {
            return Err(missing(&self.certificate, "certificate"));
        }
        let pem = read(&self.key)?;
        if is_encrypted(&pem) {
            return Err(TlsError::Encrypted { path: self.key.clone() });
        }
        let key =
            PrivateKeyDer::from_pem_slice(&pem).map_err(|_| missing(&self.key, "private key"))?;
        let validity = Validity::of(&chain);
        let unfit = |error| TlsError::Unfit { path: self.certificate.clone(), error };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(unfit)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { config: Arc::new(config), validity, file: self.certificate.clone() })
    }
}

impl Tls {
    /// What is to be said of its times now, if anything.
    pub(super) fn concern(&self) -> Option<Concern> {
        self.validity?.concern(&self.file.display().to_string(), SystemTime::now())
    }

    /// Until when it is good, as a sentence.
    pub(super) fn sentence(&self) -> Option<String> {
        Some(self.validity?.sentence(&self.file.display().to_string()))
    }
}

/// Whether a PEM file has an encrypted key in it: PKCS#8's form (RFC 5958), or the one of old with a header
/// (RFC 1421).
fn is_encrypted(pem: &[u8]) -> bool {
    let marks: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED"];
    marks.iter().any(|mark| pem.windows(mark.len()).any(|window| window == *mark))
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    read_file(path, limits::CONFIG_BYTES)
        .map_err(|error| TlsError::Read { path: path.to_owned(), error })
}
