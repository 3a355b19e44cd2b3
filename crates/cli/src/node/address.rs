//! Where metrics are told.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use taiinet_daemon::serde_as_text;

/// Where metrics are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MetricsAddress {
    At(SocketAddr),
    Off,
}

impl FromStr for MetricsAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            _ => text.parse().map(Self::At).map_err(|_| "expected ADDR:PORT or `off`"),
        }
    }
}

serde_as_text!(MetricsAddress);

impl fmt::Display for MetricsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Off => f.write_str("off"),
        }
    }
}

impl Default for MetricsAddress {
    /// Where only this machine can ask.
    fn default() -> Self {
        Self::At(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9701))
    }
}
