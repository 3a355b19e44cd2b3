//! Tells the service manager how it goes (sd_notify(3)), if one asked for it by `NOTIFY_SOCKET`.

use std::{convert::Infallible, env, process, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

/// The way to the service manager, if there is one. What it does not take is lost: it decides nothing.
#[derive(Debug)]
pub struct Manager {
    #[cfg(unix)]
    socket: Option<std::os::unix::net::UnixDatagram>,
}

impl Manager {
    /// As the environment says.
    #[cfg(unix)]
    pub fn from_env() -> Self {
        let connected = std::env::var_os("NOTIFY_SOCKET").map(|name| {
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

    /// There is none.
    #[cfg(not(unix))]
    pub const fn from_env() -> Self {
        Self {}
    }

    /// It serves.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// How it goes, in a few words.
    pub fn status(&self, status: &str) {
        self.tell(&format!("STATUS={status}"));
    }

    /// It reads its options anew; [`Self::reloaded`] says when that is over.
    pub fn reloading(&self) {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_micros()));
    }

    /// It has read its options anew, and serves by them, or by those of before because of an error.
    pub fn reloaded(&self, outcome: Result<(), &str>) {
        match outcome {
            Ok(()) => self.ready("reloaded"),
            Err(error) => {
                // A status is one line.
                let line = error.lines().next().unwrap_or_default();
                self.ready(&format!("not reloaded: {line}"));
            }
        }
    }

    /// It stops.
    pub fn stopping(&self, status: &str) {
        self.tell(&format!("STOPPING=1\nSTATUS={status}"));
    }

    /// Says for ever, as often as the service manager wants it, that all is well; says nothing if it is not, so that
    /// the program is started again.
    pub async fn keep_alive(&self, is_well: impl AsyncFnMut() -> bool) -> Infallible {
        match watchdog() {
            Some(every) => self.keep_alive_every(every, is_well).await,
            None => std::future::pending().await,
        }
    }

    async fn keep_alive_every(
        &self,
        every: Duration,
        mut is_well: impl AsyncFnMut() -> bool,
    ) -> Infallible {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if is_well().await {
                self.tell("WATCHDOG=1");
            }
        }
    }

    /// Says a state, such as `READY=1`, or several, one a line.
    #[cfg(unix)]
    fn tell(&self, state: &str) {
        if let Some(socket) = &self.socket {
            let _ = socket.send(state.as_bytes());
        }
    }

    /// Says nothing.
    #[cfg(not(unix))]
    const fn tell(&self, _: &str) {}
}

/// How often the service manager is to hear that all is well: thrice in the time after which it would start the
/// program again (sd_watchdog_enabled(3)), so that one time may be missed.
fn watchdog() -> Option<Duration> {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(process::id()));
    let micros = number("WATCHDOG_USEC").filter(|micros| *micros > 0 && is_ours)?;
    Some(Duration::from_micros(micros.div_ceil(3)))
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

#[cfg(all(test, unix))]
mod tests {
    use std::{
        os::unix::net::UnixDatagram,
        sync::atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[tokio::test]
    async fn all_is_said_to_be_well_only_while_it_is() {
        let (ours, theirs) = UnixDatagram::pair().expect("sockets");
        theirs.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        let manager = Manager { socket: Some(ours) };
        let asked = AtomicU32::new(0);
        // Not well the first three times.
        let is_well = async || asked.fetch_add(1, Ordering::Relaxed) >= 3;
        let word = tokio::task::spawn_blocking(move || {
            let mut word = [0; 64];
            let length = theirs.recv(&mut word).expect("a word");
            String::from_utf8_lossy(&word[..length]).into_owned()
        });
        let word = tokio::select! {
            never = manager.keep_alive_every(Duration::from_millis(10), is_well) => match never {},
            word = word => word.expect("it ends"),
        };
        assert_eq!(word, "WATCHDOG=1");
        assert!(asked.load(Ordering::Relaxed) >= 4, "{asked:?}");
    }
}
