//! Tells the service manager how it goes (sd_notify(3)), if one asked for it by `NOTIFY_SOCKET`.

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

    /// Says a state, such as `READY=1`, or several, one a line.
    #[cfg(unix)]
    pub fn tell(&self, state: &str) {
        if let Some(socket) = &self.socket {
            let _ = socket.send(state.as_bytes());
        }
    }

    /// Says nothing.
    #[cfg(not(unix))]
    pub const fn tell(&self, _: &str) {}
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
