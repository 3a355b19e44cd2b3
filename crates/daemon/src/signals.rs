//! What the service manager, or a user at the terminal, says to a daemon.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a daemon is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// SIGHUP: to read its options anew.
    Reload,
    /// SIGTERM or SIGINT: to end.
    Stop,
}

/// What a daemon is told from when this is made.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    hangup: Signal,
}

impl Signals {
    /// Listens from now on, and not only when somebody waits.
    #[cfg(unix)]
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Listens when somebody waits.
    #[cfg(not(unix))]
    pub const fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next. Whoever gives up waiting misses nothing.
    #[cfg(unix)]
    pub async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.terminate.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Reload,
        }
    }

    /// Waits for Ctrl-C.
    #[cfg(not(unix))]
    pub async fn next(&mut self) -> Told {
        let _ = tokio::signal::ctrl_c().await;
        Told::Stop
    }
}
