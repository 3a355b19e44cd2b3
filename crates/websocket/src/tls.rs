//! Whom a `wss://` link trusts.

mod mistrust;
mod roots;

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

pub(crate) use mistrust::mistrust;
pub use roots::{RootsError, check_roots};

/// TLS 1.3, or 1.2 where the server speaks no later one (nginx before 1.23 by its defaults), trusting the
/// web's certificate authorities and the extra ones (PEM), if there are any. What is said within is encrypted
/// and proven once more (see `taiinet_mesh::session`), whatever the version.
pub(crate) fn client_config(extra_roots: &[u8]) -> Result<Arc<ClientConfig>, String> {
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if !extra_roots.is_empty() {
        let extra =
            roots::read(extra_roots).map_err(|error| format!("the extra roots: {error}"))?;
        store.roots.extend(extra);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| error.to_string())?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
