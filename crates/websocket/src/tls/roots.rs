//! Certificate authorities that a user names.

use rustls::{
    RootCertStore,
    pki_types::{
        CertificateDer, TrustAnchor,
        pem::{PemObject as _, SectionKind},
    },
};
use taiinet_identity::text;

/// A file of certificate authorities cannot be used. The message does not name the file: who has read it
/// does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootsError {
    /// There is no certificate in it.
    #[error(
        "there is no certificate in it; give the issuer's certificate as PEM, which begins with -----BEGIN \
         CERTIFICATE-----"
    )]
    Empty,
    /// There is a key in it, and no certificate.
    #[error("there is a key in it and no certificate; give the file of the issuer's certificate")]
    Key,
    /// It is a certificate's bytes, and not the text that stands for them.
    #[error(
        "it is in binary form (DER), and PEM is expected; convert it: openssl x509 -inform der -in FILE -out \
         FILE.pem"
    )]
    Der,
    /// It is no text that can be read.
    #[error(transparent)]
    Text(#[from] text::TextError),
    /// A certificate's text is damaged.
    #[error("its PEM is damaged ({0}); get the file again")]
    Damaged(String),
    /// A certificate's bytes are none.
    #[error("certificate {number} in it cannot be used ({cause}); get it again, or take it out")]
    Unusable {
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong.
        cause: String,
    },
}

/// Whether these can be trusted beside the web's certificate authorities: PEM, with at least one certificate.
///
/// # Errors
/// [`RootsError`]
pub fn check_roots(pem: &[u8]) -> Result<(), RootsError> {
    read(pem).map(|_| ())
}

pub(super) fn read(pem: &[u8]) -> Result<Vec<TrustAnchor<'static>>, RootsError> {
    let pem = text::without_bom(pem)?;
    // What a certificate of any size begins with: a sequence whose length takes two bytes.
    if pem.starts_with(&[0x30, 0x82]) {
        return Err(RootsError::Der);
    }
    let (mut store, mut has_key, mut number) = (RootCertStore::empty(), false, 0);
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
        let (kind, der) = section.map_err(|error| RootsError::Damaged(error.to_string()))?;
        if kind == SectionKind::Certificate {
            number += 1;
            store.add(CertificateDer::from(der)).map_err(|error| {
                let cause = error.to_string();
                RootsError::Unusable { number, cause }
            })?;
        } else {
            has_key |= kind != SectionKind::Csr && kind != SectionKind::Crl;
        }
    }
    match store.roots {
        roots if !roots.is_empty() => Ok(roots),
        _ if has_key => Err(RootsError::Key),
        _ => Err(RootsError::Empty),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tls::client_config;

    #[test]
    fn what_is_no_certificate_authority_is_named() {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(vec![]).expect("parameters");
        let certificate = params.self_signed(&key).expect("a certificate");
        let (pem, key) = (certificate.pem(), key.serialize_pem());
        assert_eq!(check_roots(pem.as_bytes()), Ok(()));
        assert_eq!(check_roots(format!("a remark\n{key}{pem}{pem}").as_bytes()), Ok(()));
        for empty in ["", "\n", "no certificate", "127.0.0.1"] {
            assert_eq!(check_roots(empty.as_bytes()), Err(RootsError::Empty), "{empty}");
        }
        assert_eq!(check_roots(key.as_bytes()), Err(RootsError::Key));
        assert_eq!(check_roots(certificate.der()), Err(RootsError::Der));
        let cut = &pem[..pem.len() / 2];
        assert!(matches!(check_roots(cut.as_bytes()), Err(RootsError::Damaged(_))));
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let second = check_roots(format!("{pem}{junk}").as_bytes());
        assert!(matches!(second, Err(RootsError::Unusable { number: 2, .. })), "{second:?}");
    }

    #[test]
    fn damaged_roots_are_an_error_and_not_ignored() {
        let pem = b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
        assert!(client_config(pem).is_err());
        // As an editor on Windows leaves it: without its mark taken off, there would be no certificate.
        let marked = check_roots(&[b"\xef\xbb\xbf", &pem[..]].concat());
        assert!(matches!(marked, Err(RootsError::Damaged(_))), "{marked:?}");
        assert_eq!(check_roots(b"\xff\xfe-\0"), Err(RootsError::Text(text::TextError::Utf16)));
        assert!(client_config(b"").is_ok());
    }

    proptest! {
        #[test]
        fn no_file_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = check_roots(&bytes);
            let _ = check_roots(&[&b"-----BEGIN CERTIFICATE-----\n"[..], &bytes].concat());
        }
    }
}
