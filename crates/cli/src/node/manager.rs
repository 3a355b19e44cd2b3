//! What a service manager says and is told: SIGHUP, and sd_notify(3).

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Tells the service manager, if one waits for it: `READY=1`, `STOPPING=1`, `STATUS=…`.
pub(super) fn tell(state: &str) {
    #[cfg(target_os = "linux")]
    if let Some(path) = std::env::var_os("NOTIFY_SOCKET")
        && let Err(error) = send(&path, state)
    {
        tracing::debug!(%error, "the service manager cannot be told");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = state;
}

/// One datagram to the socket, whose name may be abstract.
#[cfg(target_os = "linux")]
fn send(path: &std::ffi::OsStr, state: &str) -> std::io::Result<()> {
    use std::os::{
        linux::net::SocketAddrExt,
        unix::{ffi::OsStrExt, net::SocketAddr, net::UnixDatagram},
    };
    let address = match path.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(path)?,
    };
    let socket = UnixDatagram::unbound()?;
    // It is read at once, or it is nothing to wait for.
    socket.set_nonblocking(true)?;
    socket.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}

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
