//! What the operator has set, as it counts now: replaced as a whole, or not at all.

use std::sync::Arc;

use taiinet_document::Network;
use taiinet_identity::PeerId;
use tokio::sync::watch;

use super::{
    config::AcceptConfig,
    error::ServerError,
    lists::Lists,
    tls::{Tls, TlsFiles},
};
use crate::Admission;

/// What the operator has set, with all that its files hold.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) config: AcceptConfig,
    pub(super) lists: Lists,
    pub(super) tls: Option<Tls>,
}

/// It, and news of it.
pub(super) type Watched = watch::Receiver<Arc<Current>>;

impl Current {
    /// Reads all files.
    pub(super) fn load(config: AcceptConfig) -> Result<Self, ServerError> {
        let lists = config.lists.load()?;
        let tls = config.tls.as_ref().map(TlsFiles::load).transpose()?;
        Ok(Self { config, lists, tls })
    }

    /// Reads all files anew. What connections and the desk were set up with stays as it was.
    pub(super) fn load_after(&self, mut config: AcceptConfig) -> Result<Self, ServerError> {
        config.pool = self.config.pool;
        config.metrics = self.config.metrics;
        config.control.clone_from(&self.config.control);
        config.gate.prefixes = self.config.gate.prefixes;
        // They depend on what links are relayed.
        config.gate.frames = self.config.gate.frames;
        if config.tls.is_some() != self.config.tls.is_some() {
            config.tls.clone_from(&self.config.tls);
        }
        let lists = config.lists.load_after(&self.lists)?;
        let tls = config.tls.as_ref().map(TlsFiles::load).transpose()?;
        Ok(Self { config, lists, tls })
    }

    /// Logs what counts, but most likely is not as it was meant.
    pub(super) fn log_warnings(&self) {
        for warning in self.lists.warnings() {
            tracing::warn!("{warning}");
        }
        if let Some(concern) = self.tls.as_ref().and_then(Tls::concern) {
            concern.log();
        }
    }

    /// The same, to be shown.
    pub(super) fn warnings(&self) -> Vec<String> {
        let lists = self.lists.warnings().into_iter().map(ToOwned::to_owned);
        let certificate = self.tls.as_ref().and_then(Tls::concern).map(|concern| concern.text);
        lists.chain(certificate).collect()
    }
}

/// The lists as they are now, for the desk.
#[derive(Debug)]
pub(super) struct Listed(pub(super) Watched);

impl Admission for Listed {
    fn admits(&self, peer: &PeerId, network: &Network) -> bool {
        self.0.borrow().lists.admit(peer, network)
    }

    fn admits_member(&self, member: &PeerId) -> bool {
        !self.0.borrow().lists.blocks_member(member)
    }
}
