//! The roots that a `wss://` link trusts.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// TLS 1.3, trusting the web's certificate authorities and the extra ones (PEM).
pub(crate) fn client_config(extra_roots: &[u8]) -> Result<Arc<ClientConfig>, String> {
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
        assert!(client_config(b"").is_ok());
    }
}
