//! Which addresses and which certificate authorities to use.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

/// How many local addresses a link uses at most. Each costs a socket, and each pair of a local and
/// a remote address is tried.
const MAX_ADDRESSES: usize = 8;

/// What a driver may choose.
#[derive(Debug, Clone, Default)]
pub struct WebRtcConfig {
    /// Addresses on which UDP sockets for WebRTC are bound. Empty, the default, means loopback and
    /// every other address that this machine has when a link is dialled (at most eight in all).
    pub bind: Vec<IpAddr>,
    /// Certificate authorities for `wss://` and `turns:` besides the web's, in PEM.
    pub extra_roots: Vec<u8>,
    /// Whether WebRTC links go only through TURN servers, so that no peer learns our addresses.
    pub relay_only: bool,
    /// Whether the router is not asked for ports that lead to us (PCP, RFC 6887; NAT-PMP, RFC 6886).
    pub no_port_mapping: bool,
}

impl WebRtcConfig {
    /// The addresses to bind for a link that is dialled now.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        if !self.bind.is_empty() {
            return self.bind.clone();
        }
        let mut addresses = vec![IpAddr::from([127, 0, 0, 1])];
        addresses.extend(local_addresses());
        addresses.truncate(MAX_ADDRESSES);
        addresses
    }
}

/// The addresses of this machine, as it has them now, through which another may reach it: those of IPv4 first.
/// None where the system does not say.
pub fn local_addresses() -> BTreeSet<IpAddr> {
    let interfaces = rtc::shared::ifaces::ifaces().unwrap_or_default();
    let addresses = interfaces.into_iter().filter_map(|interface| Some(interface.addr?.ip()));
    addresses.filter(is_reachable).collect()
}

/// The address of this machine from which it would speak to that one. Connecting UDP sends nothing: the system
/// looks for a route.
///
/// # Errors
/// There is no route.
pub fn source_address(to: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(to)?;
    Ok(socket.local_addr()?.ip())
}

/// Whether another machine may reach this address. Link-local addresses mean nothing without their
/// interface, which a candidate does not name.
fn is_reachable(address: &IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !(address.is_loopback() || address.is_unspecified() || address.is_multicast() || link_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_addresses_are_taken_and_otherwise_loopback_comes_first() {
        let bind = vec![IpAddr::from([192, 0, 2, 1])];
        let config = WebRtcConfig { bind: bind.clone(), ..WebRtcConfig::default() };
        assert_eq!(config.addresses(), bind);

        let found = WebRtcConfig::default().addresses();
        assert_eq!(found.first(), Some(&IpAddr::from([127, 0, 0, 1])));
        assert!(found.len() <= MAX_ADDRESSES);
        assert!(found.iter().skip(1).all(is_reachable), "{found:?}");
    }

    #[test]
    fn link_local_addresses_are_left_out() {
        for text in ["169.254.1.1", "fe80::1", "127.0.0.1", "::1", "0.0.0.0", "ff02::fb"] {
            assert!(!is_reachable(&text.parse().expect("an address")), "{text}");
        }
        for text in ["10.0.0.1", "2001:db8::1", "fd00::1"] {
            assert!(is_reachable(&text.parse().expect("an address")), "{text}");
        }
    }
}
