//! A range of addresses, as in `192.0.2.0/24`, or one address.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use taiinet_daemon::serde_as_text;

/// A range of addresses: those that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressPrefix(IpNet);

impl AddressPrefix {
    /// Whether an address is in it. IPv4 addresses in IPv6's clothes count as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// The range of this many bits around an address; of all bits if it has not so many.
    pub(super) fn around(address: IpAddr, bits: u8) -> Self {
        let address = address.to_canonical();
        let net = IpNet::new(address, bits).unwrap_or_else(|_| IpNet::from(address));
        Self(net.trunc())
    }

    pub(super) fn bits(&self) -> u8 {
        self.0.prefix_len()
    }
}

/// A text that is no range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address or a range of them, such as 192.0.2.0/24 or 2001:db8::/32")]
pub struct PrefixError;

impl FromStr for AddressPrefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(IpNet::from(address.to_canonical())));
        }
        let net: IpNet = text.parse().map_err(|_| PrefixError)?;
        // A range of IPv6 that holds IPv4 addresses would never match: those count as IPv4.
        let mapped = net.addr() != net.addr().to_canonical();
        if mapped { Err(PrefixError) } else { Ok(Self(net.trunc())) }
    }
}

serde_as_text!(AddressPrefix);

impl fmt::Display for AddressPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_range_of_itself_and_ranges_are_cut_to_their_bits() {
        let text = |text: &str| text.parse().map(|prefix: AddressPrefix| prefix.to_string());
        assert_eq!(text("192.0.2.1"), Ok("192.0.2.1/32".to_owned()));
        assert_eq!(text("192.0.2.1/24"), Ok("192.0.2.0/24".to_owned()));
        assert_eq!(text("2001:db8::1"), Ok("2001:db8::1/128".to_owned()));
        assert_eq!(text("::ffff:192.0.2.1"), Ok("192.0.2.1/32".to_owned()));
        for bad in ["", "192.0.2.1/33", "192.0.2", "::/129", "localhost", "::ffff:1.2.3.4/120"] {
            assert_eq!(text(bad), Err(PrefixError), "{bad:?}");
        }
    }

    #[test]
    fn an_ipv4_address_in_clothes_of_ipv6_is_the_same() {
        let prefix: AddressPrefix = "192.0.2.0/24".parse().expect("a range");
        for (address, inside) in
            [("192.0.2.255", true), ("::ffff:192.0.2.7", true), ("192.0.3.0", false)]
        {
            assert_eq!(prefix.contains(address.parse().expect("an address")), inside, "{address}");
        }
    }
}
