//! Tells the service manager how it is (sd_notify(3)), if one asked for it by `NOTIFY_SOCKET`.

use std::{env, process, time::Duration};

use taiinet_signaller::server::Pulse;

/// The way to the service manager, if there is one. What it does not take is lost: it decides nothing.
#[derive(Debug)]
pub(crate) struct Notifier {
    #[cfg(unix)]
    socket: Option<std::os::unix::net::UnixDatagram>,
}

impl Notifier {
    /// As the environment says.
    #[cfg(unix)]
    pub(crate) fn from_env() -> Self {
        let connected = env::var_os("NOTIFY_SOCKET").map(|name| {
            let socket = std::os::unix::net::UnixDatagram::unbound()?;
            socket.connect_addr(&address(&name)?)?;
            // A manager that does not read holds nothing up.
            socket.set_nonblocking(true)?;
            Ok::<_, std::io::Error>(socket)
        });
        let socket = connected.transpose().unwrap_or_else(|error| {
            tracing::warn!(%error, "the service manager cannot be told how it is (NOTIFY_SOCKET)");
            None
        });
        Self { socket }
    }

    #[cfg(not(unix))]
    pub(crate) const fn from_env() -> Self {
        Self {}
    }

    /// It serves.
    pub(crate) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// It reloads; [`Self::ready`] says when that is over.
    pub(crate) fn reloading(&self) {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_micros()));
    }

    /// It stops.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=telling all peers");
    }

    /// Says as often as the service manager wants it, if it does, that all is well; says nothing if it is not, so
    /// that it is started again.
    pub(crate) async fn keep_telling(&self, pulse: Pulse) {
        let Some(every) = watchdog() else { return std::future::pending().await };
        loop {
            if pulse.is_well() {
                self.tell("WATCHDOG=1");
            }
            tokio::time::sleep(every).await;
        }
    }

    #[cfg(unix)]
    fn tell(&self, state: &str) {
        if let Some(socket) = &self.socket {
            let _ = socket.send(state.as_bytes());
        }
    }

    #[cfg(not(unix))]
    const fn tell(&self, _: &str) {}
}

/// A path, or a name in Linux's abstract namespace, which begins with `@`.
#[cfg(unix)]
fn address(name: &std::ffi::OsStr) -> std::io::Result<std::os::unix::net::SocketAddr> {
    use std::os::unix::ffi::OsStrExt as _;
    #[cfg(target_os = "linux")]
    if let Some(name) = name.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt as _;
        return std::os::unix::net::SocketAddr::from_abstract_name(name);
    }
    if !name.as_bytes().starts_with(b"/") {
        return Err(std::io::Error::other("expected a path, or @ and a name"));
    }
    std::os::unix::net::SocketAddr::from_pathname(name)
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
