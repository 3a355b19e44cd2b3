//! The roots that a `wss://` link trusts.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use taiinet_identity::text;

/// TLS 1.3, trusting the web's certificate authorities and the extra ones (PEM).
pub(crate) fn client_config(extra_roots: &[u8]) -> Result<Arc<ClientConfig>, String> {
    let extra_roots = text::without_bom(extra_roots)
        .map_err(|error| format!("the extra roots are not PEM: {error}"))?;
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(extra_roots) {
        let certificate =
            certificate.map_err(|error| format!("the extra roots are not PEM: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("one of the extra roots cannot be used: {error}"))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_roots_are_an_error_and_not_ignored() {
        let pem = b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
        assert!(client_config(pem).is_err());
        // As an editor on Windows leaves it: without its mark taken off, there would be no certificate.
        assert!(client_config(&[b"\xef\xbb\xbf", &pem[..]].concat()).is_err());
        let error = client_config(b"\xff\xfe-\0").expect_err("UTF-16");
        assert!(error.contains("save it as UTF-8"), "{error}");
        assert!(client_config(b"").is_ok());
    }
}
