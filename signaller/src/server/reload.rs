//! Replaces what a server that runs serves by: what the operator set, and what the files hold that it names.

use std::{fmt, sync::Arc};

use tokio::sync::watch;

use super::{
    ServerError, config::AcceptConfig, counters::Counters, current::Current, desk_task::DeskHandle,
    gate::Gate, handshakes::Handshakes, outbox::Room,
};
use crate::DeskConfig;

/// Reloads what a server serves by.
#[derive(Debug, Clone)]
pub struct Reload {
    pub(super) current: watch::Sender<Arc<Current>>,
    pub(super) desk: DeskHandle,
    pub(super) gate: Arc<Gate>,
    pub(super) handshakes: Arc<Handshakes>,
    pub(super) room: Arc<Room>,
    pub(super) counters: Arc<Counters>,
}

impl Reload {
    /// Serves by what `read` gives from now on, and by what the files hold that it names: all of it or, if some of it
    /// cannot be used, nothing. That is logged, and counted. What only a start can change (addresses, whether there
    /// is TLS or a pool, what counts as one address) stays as it was. It reads files and waits for the desk: call it
    /// where a thread may block.
    ///
    /// # Errors
    /// What could not be used.
    pub fn run(
        &self,
        read: impl FnOnce() -> Result<(DeskConfig, AcceptConfig), String>,
    ) -> Result<(), String> {
        let applied = read().and_then(|(desk, accept)| {
            self.apply(desk, accept).map_err(|error| match error {
                ServerError::Tls(error) => format!("certificate: {error}"),
                ServerError::List(error) => format!("lists: {error}"),
                error => error.to_string(),
            })
        });
        self.tell(&applied);
        applied
    }

    fn apply(&self, desk: DeskConfig, accept: AcceptConfig) -> Result<(), ServerError> {
        let roots = accept.pool_roots.clone();
        let next = self.current.borrow().load_after(accept)?;
        next.log_warnings();
        let gate = next.config.gate;
        self.gate.renew(gate);
        self.handshakes.renew(gate.handshakes);
        self.room.renew(next.config.outbox_total);
        self.current.send_replace(Arc::new(next));
        self.desk.renew(desk, roots);
        Ok(())
    }

    fn tell<E: fmt::Display>(&self, applied: &Result<(), E>) {
        match applied {
            Ok(()) => {
                tracing::info!("reloaded: the options and the files that they name");
                self.counters.reloads.add(1);
            }
            Err(error) => {
                tracing::error!("not reloaded, what was read before counts on: {error}");
                self.counters.reload_failures.add(1);
            }
        }
    }
}
