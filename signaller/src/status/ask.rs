//! One question to a signaller, by HTTP over TCP or a socket in the file system.

use std::{
    fmt,
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    path::PathBuf,
    time::Duration,
};

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// An answer is no longer.
const MOST: u64 = 1024 * 1024;

/// Where a signaller answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Its control socket.
    Control(PathBuf),
    /// Its address for metrics.
    Metrics(SocketAddr),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control(path) => path.display().fmt(f),
            Self::Metrics(address) => address.fmt(f),
        }
    }
}

impl Place {
    /// What it answers; or what to do where it does not.
    pub(super) fn ask(&self, path: &str) -> Result<String, String> {
        let answered = match self {
            Self::Control(socket) => connect(socket).and_then(|stream| exchange(stream, path)),
            Self::Metrics(address) => TcpStream::connect_timeout(&reachable(*address), PATIENCE)
                .and_then(|stream| {
                    stream.set_read_timeout(Some(PATIENCE))?;
                    exchange(stream, path)
                }),
        };
        let answer = answered.map_err(|error| format!("{self}: {error}; {}", next_step(&error)))?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).unwrap_or_default();
        match status {
            "200" => Ok(body.to_owned()),
            "403" => Err(body.trim().to_owned()),
            "404" => {
                Err(format!("{self}: what answers there knows no /status: is it an older version?"))
            }
            "408" | "429" | "503" => Err(format!("{self}: it is too busy to answer; try again")),
            _ => Err(format!(
                "{self}: what answers there is no signaller's /status; check the address"
            )),
        }
    }
}

#[cfg(unix)]
fn connect(path: &PathBuf) -> io::Result<std::os::unix::net::UnixStream> {
    let stream = std::os::unix::net::UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

#[cfg(not(unix))]
fn connect(_: &PathBuf) -> io::Result<TcpStream> {
    Err(io::Error::other("it takes a Unix"))
}

fn exchange(mut stream: impl Read + Write, path: &str) -> io::Result<String> {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: signaller\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer)?;
    String::from_utf8(answer).map_err(|_| io::Error::other("what it answers is no text"))
}

/// What listens on all addresses is reached at this host's own.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn next_step(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "ask as root, or as the user that it runs as: names and all are for those alone"
        }
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            "does it run, and with this --control or --metrics? (systemctl status taiinet-signaller)"
        }
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            "it takes too long to answer: look at its log"
        }
        _ => "does it run there?",
    }
}
