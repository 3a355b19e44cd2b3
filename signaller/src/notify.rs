//! Tells the service manager how it is (sd_notify(3)), if one asked for it by `NOTIFY_SOCKET`.

use std::{env, process, time::Duration};

use taiinet_daemon::Manager;
use taiinet_signaller::server::Pulse;

/// The way to the service manager, if there is one.
#[derive(Debug)]
pub(crate) struct Notifier(Manager);

impl Notifier {
    /// As the environment says.
    pub(crate) fn from_env() -> Self {
        Self(Manager::from_env())
    }

    /// It serves.
    pub(crate) fn ready(&self, status: &str) {
        self.0.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// It reloads; [`Self::ready`] says when that is over.
    pub(crate) fn reloading(&self) {
        self.0.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_micros()));
    }

    /// It stops.
    pub(crate) fn stopping(&self) {
        self.0.tell("STOPPING=1\nSTATUS=telling all peers");
    }

    /// Says as often as the service manager wants it, if it does, that all is well; says nothing if it is not, so
    /// that it is started again.
    pub(crate) async fn keep_telling(&self, pulse: Pulse) {
        let Some(every) = watchdog() else { return std::future::pending().await };
        loop {
            if pulse.is_well() {
                self.0.tell("WATCHDOG=1");
            }
            tokio::time::sleep(every).await;
        }
    }
}

/// How often the service manager is to hear that all is well: twice in the time after which it would start it
/// again (sd_watchdog_enabled(3)).
fn watchdog() -> Option<Duration> {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(process::id()));
    let micros = number("WATCHDOG_USEC").filter(|micros| *micros > 0 && is_ours)?;
    Some(Duration::from_micros(micros / 2))
}

/// The clock by which the service manager tells an answer to its SIGHUP from an earlier one.
#[cfg(unix)]
fn monotonic_micros() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1000
}

#[cfg(not(unix))]
const fn monotonic_micros() -> i64 {
    0
}
