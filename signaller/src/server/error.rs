//! Why a server does not start, or does not take what is reloaded.

use std::{io, net::SocketAddr, path::PathBuf};

use super::{lists::ListError, tls::TlsError};

/// A server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Nothing to listen on.
    #[error("no address to listen on was given; give one with --listen 127.0.0.1:7700")]
    NoAddress,
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({what}): {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// TCP or UDP.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// The control socket cannot be listened at.
    #[error("cannot listen at {path} (control): {error}")]
    Control {
        /// Where it was to be.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A list cannot be used.
    #[error(transparent)]
    List(#[from] ListError),
}
