//! What SIGHUP does: reads the options and all files that they name anew.

use std::sync::{Arc, Mutex, PoisonError};

use taiinet_daemon::{Log, Manager};
use taiinet_signaller::{
    DeskConfig,
    server::{AcceptConfig, Reload},
};

use crate::options::{Given, Settings};

/// All that is read anew, and where it goes.
pub(crate) struct Reloader {
    given: Given,
    /// The options of the start, of which some count until the next one; and those that count now.
    started: Settings,
    settings: Mutex<Settings>,
    log: Log,
    server: Reload,
    manager: Arc<Manager>,
}

impl Reloader {
    pub(crate) fn new(
        given: Given,
        settings: Settings,
        log: Log,
        server: Reload,
        manager: Arc<Manager>,
    ) -> Self {
        Self {
            given,
            started: settings.clone(),
            settings: Mutex::new(settings),
            log,
            server,
            manager,
        }
    }

    /// Reads all, and serves by it; if some of it cannot be used, all stays as it was. The log says which, and which
    /// options count only from the next start. It reads files, and waits for the desk.
    pub(crate) fn run(&self) {
        self.manager.reloading();
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read = None;
        let applied = self.server.run(|| {
            let (next, configs) = self.read()?;
            read = Some(next);
            Ok(configs)
        });
        if let Err(error) = applied {
            return self.manager.reloaded(Err(&error));
        }
        if let Some(next) = read {
            self.tell(&settings, &next);
            *settings = next;
        }
        self.manager.reloaded(Ok(()));
    }

    /// Logs as it is said now, and says what is new.
    fn tell(&self, settings: &Settings, next: &Settings) {
        self.log.set(next.log_filter());
        for warning in next.warnings() {
            tracing::warn!("{warning}");
        }
        let renewed = settings.changes(next).renewed;
        if !renewed.is_empty() {
            tracing::info!("these options count anew: {}", renewed.join(", "));
        }
        // Named each time, as long as it is so.
        let at_start = self.started.changes(next).at_start;
        if !at_start.is_empty() {
            let names = at_start.join(", ");
            tracing::warn!("these options have changed, and count from the next start: {names}");
        }
        #[cfg(unix)]
        if next.max_clients > settings.max_clients {
            crate::raise_descriptors(next.max_clients);
        }
    }

    fn read(&self) -> Result<(Settings, (DeskConfig, AcceptConfig)), String> {
        let settings = self.given.read()?.settings;
        let (server, accept) = settings.configs()?;
        Ok((settings, (server.desk, accept)))
    }
}
