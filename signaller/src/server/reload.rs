//! Replaces the certificate and the lists of a server that runs.

use std::sync::Arc;

use tokio::sync::watch;

use super::{
    counters::Counters,
    lists::{ListFiles, Lists},
    tls::TlsFiles,
};

/// Reloads a server's certificate and lists.
#[derive(Debug, Clone)]
pub struct Reload {
    pub(super) tls: Option<(TlsFiles, watch::Sender<Arc<rustls::ServerConfig>>)>,
    pub(super) lists: (ListFiles, watch::Sender<Arc<Lists>>),
    pub(super) counters: Arc<Counters>,
}

impl Reload {
    /// Reads them. What cannot be used is logged, and stays as it was; all else counts from now on.
    /// Whether all could be used.
    pub fn now(&self) -> bool {
        let certificate = self.tls.as_ref().is_none_or(|(files, current)| {
            self.is_applied("certificate", files.load().map(|config| current.send_replace(config)))
        });
        let (files, current) = &self.lists;
        let loaded = files.load_after(&current.borrow());
        let lists = loaded.map(|lists| {
            for warning in lists.warnings() {
                tracing::warn!("{warning}");
            }
            current.send_replace(Arc::new(lists))
        });
        self.is_applied("lists", lists) && certificate
    }

    fn is_applied<T, E: std::fmt::Display>(&self, what: &str, loaded: Result<T, E>) -> bool {
        match &loaded {
            Ok(_) => {
                tracing::info!("reloaded: {what}");
                self.counters.reloads.add(1);
            }
            Err(error) => {
                tracing::error!("not reloaded, what was read before counts on: {what}: {error}");
                self.counters.reload_failures.add(1);
            }
        }
        loaded.is_ok()
    }
}
