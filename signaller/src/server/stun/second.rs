//! A second port for STUN: whoever asks both from one socket learns what kind of NAT is before it, which
//! takes two (RFC 5780, section 4.3).

use std::{fmt, net::SocketAddr, str::FromStr};

use taiinet_daemon::serde_as_text;
use tokio::net::UdpSocket;

/// How far above the first port it is, if it is not given: farther than signallers on one host are from each
/// other, or one would take another's.
const ABOVE: u16 = 1000;

/// Which second port answers STUN, beside each first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecondStun {
    /// A thousand above the first; any that is free, if the first is.
    #[default]
    Auto,
    /// This one.
    Port(u16),
    /// None.
    Off,
}

impl SecondStun {
    /// The port beside a first one.
    const fn beside(self, first: u16) -> Option<u16> {
        match self {
            Self::Auto => Some(match first.checked_add(ABOVE) {
                Some(port) => port,
                None => first - ABOVE,
            }),
            Self::Port(port) => Some(port),
            Self::Off => None,
        }
    }

    /// A socket beside this one, `any` port if the first was any. Where there is none, peers are told of one
    /// port less: that is no reason not to serve them.
    pub(in super::super) async fn bind(self, first: &UdpSocket, any: bool) -> Option<UdpSocket> {
        let first = first.local_addr().ok()?;
        let port = match self.beside(first.port())? {
            _ if any && self == Self::Auto => 0,
            port => port,
        };
        let address = SocketAddr::new(first.ip(), port);
        match UdpSocket::bind(address).await {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(
                    %address,
                    "no second port for STUN: {error}; peers will not know what kind of NAT they are \
                     behind; --stun-second takes another port, or `off`"
                );
                None
            }
        }
    }
}

impl FromStr for SecondStun {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            _ => match text.parse() {
                Ok(port @ 1..) => Ok(Self::Port(port)),
                _ => Err("expected a port, `auto` or `off`"),
            },
        }
    }
}

serde_as_text!(SecondStun);

impl fmt::Display for SecondStun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Port(port) => port.fmt(f),
            Self::Off => f.write_str("off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_thousand_above_or_where_it_was_told() {
        assert_eq!(SecondStun::Auto.beside(7700), Some(8700));
        assert_eq!(SecondStun::Auto.beside(65_000), Some(64_000));
        assert_eq!("9".parse().map(|second: SecondStun| second.beside(7700)), Ok(Some(9)));
        assert_eq!(SecondStun::Off.beside(7700), None);
        for text in ["auto", "off", "3479"] {
            let second: SecondStun = text.parse().expect("one of them");
            assert_eq!(second.to_string(), text);
        }
        for text in ["", "0", "65536", "127.0.0.1:1"] {
            assert!(text.parse::<SecondStun>().is_err(), "{text}");
        }
    }
}
