//! Addresses of signallers.

use std::{fmt, str::FromStr};

use taiinet_daemon::serde_as_text;
use taiinet_mesh::{SignallerAddress, wire::IceServer};

/// Another signaller of the pool, with its key: `wss://HOST#tn1…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemberAddress(pub(crate) SignallerAddress);

impl FromStr for MemberAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = one_url(text);
        let Some((url, key)) = text.split_once('#') else {
            return Err("it ends with the other signaller's key: wss://HOST#tn1…".to_owned());
        };
        let url: PublicUrl = url.parse()?;
        let pinned = key.parse().map_err(|error| format!("the key after #: {error}"))?;
        Ok(Self(SignallerAddress { url: url.0, pinned: Some(pinned) }))
    }
}

serde_as_text!(MemberAddress);

impl fmt::Display for MemberAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.url)?;
        self.0.pinned.map_or(Ok(()), |key| write!(f, "#{key}"))
    }
}

/// What a user wrote, as it goes over the wire; as it is, if that is more than one address.
fn one_url(text: &str) -> String {
    let mut urls = SignallerAddress::urls(text);
    match urls.pop() {
        Some(url) if urls.is_empty() => url,
        _ => text.to_owned(),
    }
}

/// Where a signaller is: `ws://…` or `wss://…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl(String);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = one_url(text);
        if !SignallerAddress::is_url(&url) {
            return Err(format!("expected ws://HOST or wss://HOST, not `{url}`"));
        }
        Ok(Self(url))
    }
}

serde_as_text!(PublicUrl);

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A TURN server: `turn:HOST:PORT` or `turns:HOST:PORT` (RFC 7065).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TurnUrl(pub(crate) String);

impl FromStr for TurnUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let is_turn = text.starts_with("turn:") || text.starts_with("turns:");
        if !is_turn || !IceServer::is_url(text) {
            return Err(format!(
                "expected turn:HOST:PORT or turns:HOST:PORT (port 1 to 65535, no user name), perhaps with \
                 ?transport=udp or ?transport=tcp, not `{text}`"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

serde_as_text!(TurnUrl);

impl fmt::Display for TurnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_named_with_its_key() {
        let key = "tn1ta7ujrk0t90cud7kdk9d8hmc35438cz662ux2t2k9velg62979usf43ffa";
        let text = format!("wss://one.example:443/path#{key}");
        let address: MemberAddress = text.parse().expect("well formed");
        assert_eq!(address.to_string(), text);
        assert_eq!(address.0.url, "wss://one.example:443/path");
        for wrong in ["wss://one.example", "one.example#", &format!("http://x#{key}"), "ws://#tn1"]
        {
            assert!(wrong.parse::<MemberAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_turn_server_is_one() {
        assert!("turns:turn.example:5349?transport=tcp".parse::<TurnUrl>().is_ok());
        for wrong in [
            "",
            "turn:",
            "stun:a",
            "turn://a",
            "turn:a b",
            "turn:h:0",
            "turn:h:65536",
            "turn:u@h",
            "turn:u:p@h:1",
            "turn:h?transport=sctp",
            "turn:h?transport=udp&x",
        ] {
            assert!(wrong.parse::<TurnUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_plain() {
        assert!("ws://127.0.0.1:7700".parse::<PublicUrl>().is_ok());
        let url = " WSS://One.example\n".parse::<PublicUrl>().expect("an address");
        assert_eq!(url.to_string(), "wss://One.example");
        assert!("ws://a, ws://b".parse::<PublicUrl>().is_err(), "each by itself");
        for wrong in ["", "ws://", "ws:///x", "ws://:1", "ws://a b", "ws://a#b", "https://a"] {
            assert!(wrong.parse::<PublicUrl>().is_err(), "{wrong}");
        }
    }
}
