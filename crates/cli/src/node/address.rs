//! Where metrics are told.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// Where metrics are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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

impl TryFrom<String> for MetricsAddress {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MetricsAddress> for String {
    fn from(address: MetricsAddress) -> Self {
        match address {
            MetricsAddress::At(address) => address.to_string(),
            MetricsAddress::Off => "off".to_owned(),
        }
    }
}

impl Default for MetricsAddress {
    /// Where only this machine can ask.
    fn default() -> Self {
        Self::At(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9701))
    }
}
