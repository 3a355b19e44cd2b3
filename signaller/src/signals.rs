//! What the service manager, or a user at the terminal, says to it.

use std::{future::Future, io, sync::Arc};

use tokio::sync::mpsc;

use crate::reload::Reloader;

/// Signals to stop, and to reload. They are heard from when this is made.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// The first signal to stop, and the second. Reloads whenever it is told to.
    pub(crate) fn serve(
        mut self,
        reload: Arc<Reloader>,
    ) -> (impl Future<Output = ()> + Send, impl Future<Output = ()> + Send) {
        let (first, second) = (mpsc::channel(1), mpsc::channel(1));
        let stops = [first.0, second.0];
        tokio::spawn(async move {
            for stop in stops {
                self.stop(&reload).await;
                let _ = stop.send(()).await;
            }
        });
        (heard(first.1), heard(second.1))
    }

    /// Waits for a signal to stop.
    #[cfg(unix)]
    async fn stop(&mut self, reload: &Arc<Reloader>) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                Some(()) = self.hangup.recv() => {
                    // It reads files.
                    let reload = reload.clone();
                    let _ = tokio::task::spawn_blocking(move || reload.run()).await;
                }
            }
        }
    }

    #[cfg(not(unix))]
    async fn stop(&mut self, _reload: &Arc<Reloader>) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

async fn heard(mut stop: mpsc::Receiver<()>) {
    // The task above says so before it ends.
    let _ = stop.recv().await;
}
