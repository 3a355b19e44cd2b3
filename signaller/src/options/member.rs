//! Addresses of signallers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use taiinet_mesh::{SignallerAddress, limits};

/// Another signaller of the pool, with its key: `wss://HOST#tn1…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct MemberAddress(pub(crate) SignallerAddress);

impl FromStr for MemberAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((url, key)) = text.split_once('#') else {
            return Err("it ends with the other signaller's key: wss://HOST#tn1…".to_owned());
        };
        let url: PublicUrl = url.parse()?;
        let pinned = key.parse().map_err(|error| format!("the key after #: {error}"))?;
        Ok(Self(SignallerAddress { url: url.0, pinned: Some(pinned) }))
    }
}

impl TryFrom<String> for MemberAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<MemberAddress> for String {
    fn from(address: MemberAddress) -> Self {
        address.to_string()
    }
}

impl fmt::Display for MemberAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.url)?;
        self.0.pinned.map_or(Ok(()), |key| write!(f, "#{key}"))
    }
}

/// Where a signaller is: `ws://…` or `wss://…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct PublicUrl(String);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !SignallerAddress::is_url(text) {
            return Err(format!("expected ws://HOST or wss://HOST, not `{text}`"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.0
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A TURN server: `turn:HOST:PORT` or `turns:HOST:PORT` (RFC 7065).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct TurnUrl(pub(crate) String);

impl FromStr for TurnUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("turns:").or_else(|| text.strip_prefix("turn:"));
        let host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']));
        if !host
            || text.len() > limits::ICE_SERVER_BYTES
            || !text.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(format!("expected turn:HOST:PORT or turns:HOST:PORT, not `{text}`"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for TurnUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<TurnUrl> for String {
    fn from(url: TurnUrl) -> Self {
        url.0
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
        for wrong in ["", "turn:", "stun:a", "turn://a", "turn:a b"] {
            assert!(wrong.parse::<TurnUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_plain() {
        assert!("ws://127.0.0.1:7700".parse::<PublicUrl>().is_ok());
        for wrong in ["", "ws://", "ws:///x", "ws://:1", "ws://a b", "ws://a#b", "https://a"] {
            assert!(wrong.parse::<PublicUrl>().is_err(), "{wrong}");
        }
    }
}
