//! What is asked, and what comes of it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// A way of the Internet Protocol, which takes a socket of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

impl Family {
    pub(super) const fn any(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }

    pub(super) const fn has(self, address: &SocketAddr) -> bool {
        address.is_ipv4() == matches!(self, Self::V4)
    }
}

/// What one server said.
#[derive(Debug)]
pub struct Answer {
    /// `HOST:PORT`, as it was given.
    pub server: String,
    /// How it sees our socket.
    pub seen: Result<Seen, StunError>,
}

/// How a server sees a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The address that our packets come from, to the server.
    pub mapped: SocketAddr,
    /// The local address that they leave from; none if the system does not say.
    pub local: Option<IpAddr>,
}

/// Why a STUN server said nothing.
#[derive(Debug, thiserror::Error)]
pub enum StunError {
    /// The system does not let us.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No such host.
    #[error("its name leads nowhere")]
    NoAddress,
    /// The host has no address of this family.
    #[error("it has no address of this family")]
    OtherFamily,
    /// No answer, though it was asked again and again.
    #[error("no answer")]
    Silent,
}
