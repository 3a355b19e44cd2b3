//! What a service manager says: SIGHUP, to reload.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGHUP, again and again.
pub(super) struct Reloads {
    #[cfg(unix)]
    hangup: Option<Signal>,
}

impl Reloads {
    pub(super) fn new() -> Self {
        Self {
            #[cfg(unix)]
            hangup: signal(SignalKind::hangup()).ok(),
        }
    }

    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(hangup) = &mut self.hangup {
            hangup.recv().await;
            return;
        }
        std::future::pending::<()>().await;
    }
}
