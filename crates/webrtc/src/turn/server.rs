//! The TURN servers that a signaller named, and by which transports each is tried.

use rtc::ice::url::{ProtoType, SchemeType, Url};
use taiinet_mesh::{limits, wire::IceServer};

/// How a server is reached. The order is that in which they are tried: datagrams are not held up by the
/// loss of others, and TCP gets through where UDP does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    Udp,
    Tcp,
    Tls,
    /// DTLS, which is not spoken here.
    Dtls,
}

/// One server, by one transport.
#[derive(Clone)]
pub(crate) struct TurnServer {
    pub(super) url: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) by: By,
    pub(super) username: String,
    pub(super) credential: String,
}

impl TurnServer {
    /// Those of the named servers that are for TURN, in the order in which they are to be tried.
    pub(crate) fn of(named: &[IceServer]) -> Vec<Self> {
        let named = named.iter().filter(|server| server.is_well_formed());
        let mut servers: Vec<Self> =
            named.flat_map(Self::ways).take(2 * limits::ICE_SERVERS).collect();
        servers.sort_by_key(|server| server.by);
        servers
    }

    /// By TCP, too, where the URL leaves open by what (RFC 7065, section 3.1).
    fn ways(server: &IceServer) -> Vec<Self> {
        let Ok(url) = Url::parse_url(&server.url) else { return vec![] };
        let is_open = !server.url.contains('?');
        let ways: &[By] = match (url.scheme, url.proto) {
            (SchemeType::Turn, ProtoType::Udp) if is_open => &[By::Udp, By::Tcp],
            (SchemeType::Turn, ProtoType::Udp) => &[By::Udp],
            (SchemeType::Turn, ProtoType::Tcp) => &[By::Tcp],
            (SchemeType::Turns, ProtoType::Udp) if !is_open => &[By::Dtls],
            (SchemeType::Turns, _) => &[By::Tls],
            _ => &[],
        };
        let way = |&by: &By| Self {
            url: server.url.clone(),
            host: url.host.clone(),
            port: url.port,
            by,
            username: server.username.clone(),
            credential: server.credential.clone(),
        };
        ways.iter().map(way).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_tried_by_what_its_address_says_and_datagrams_come_first() {
        let urls = [
            "turns:a.example:443",
            "turn:b.example:3478",
            "stun:c.example:3478",
            "turn:[2001:db8::1]:3478?transport=tcp",
            "turn:d.example?transport=udp",
            "turns:e.example:5349?transport=udp",
            "turns:f.example?transport=tcp",
            "junk",
        ];
        let servers = TurnServer::of(&urls.map(IceServer::stun));
        let found: Vec<_> =
            servers.iter().map(|server| (server.by, &*server.host, server.port)).collect();
        assert_eq!(
            found,
            [
                (By::Udp, "b.example", 3478),
                (By::Udp, "d.example", 3478),
                (By::Tcp, "b.example", 3478),
                (By::Tcp, "2001:db8::1", 3478),
                (By::Tls, "a.example", 443),
                (By::Tls, "f.example", 5349),
                (By::Dtls, "e.example", 5349),
            ]
        );
        let many = vec![IceServer::stun("turn:a.example:1"); 50];
        assert_eq!(TurnServer::of(&many).len(), 2 * limits::ICE_SERVERS);
    }
}
