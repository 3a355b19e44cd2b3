//! Servers that help to find a path to others, as signallers name them.

use std::collections::BTreeMap;

use crate::{
    LinkId, limits,
    wire::{IceServer, Welcome},
};

/// Those that are known, by the link to the signaller that named them.
#[derive(Debug, Default)]
pub(crate) struct IceServers {
    stun: BTreeMap<LinkId, Vec<IceServer>>,
    turn: BTreeMap<LinkId, Vec<IceServer>>,
}

impl IceServers {
    /// A signaller names STUN servers.
    pub(super) fn named(&mut self, link: LinkId, welcome: &Welcome, url: &str) {
        self.stun.insert(link, ice_servers(welcome, url));
    }

    /// A signaller names TURN servers.
    pub(super) fn named_turn(&mut self, link: LinkId, servers: Vec<IceServer>) {
        let named = servers.into_iter().take(limits::ICE_SERVERS);
        self.turn.insert(link, named.filter(IceServer::is_well_formed).collect());
    }

    /// A signaller is gone.
    pub(super) fn forget(&mut self, link: LinkId) {
        self.stun.remove(&link);
        self.turn.remove(&link);
    }

    /// Those to use; of TURN only those of the signaller that we have been with for longest: each costs
    /// an allocation.
    pub(crate) fn chosen(&self) -> Vec<IceServer> {
        let mut servers: Vec<IceServer> = self.stun.values().flatten().cloned().collect();
        servers.sort_unstable_by(|one, other| one.url.cmp(&other.url));
        servers.dedup();
        servers.truncate(limits::ICE_SERVERS);
        let turn = self.turn.values().find(|servers| !servers.is_empty());
        servers.extend(turn.into_iter().flatten().cloned());
        servers
    }
}

/// The STUN servers that a signaller names; an empty host means the signaller's own.
fn ice_servers(welcome: &Welcome, url: &str) -> Vec<IceServer> {
    let fill = |server: &String| {
        let server = match server.strip_prefix("stun::") {
            Some(port) => format!("stun:{}:{port}", host(url)?),
            None => server.clone(),
        };
        let server = IceServer::stun(server);
        (server.url.starts_with("stun:") && server.is_well_formed()).then_some(server)
    };
    welcome.ice_servers.iter().take(limits::ICE_SERVERS).filter_map(fill).collect()
}

/// The host in `ws://host:port/path`, with the brackets of an IPv6 address.
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.rfind(']') {
        Some(end) => authority.get(..=end)?,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use taiinet_identity::{PeerId, Signature};

    use super::*;
    use crate::wire::is_address;

    #[test]
    fn an_empty_stun_host_is_the_signallers_own() {
        let servers = ["stun::3478", "stun:stun.example:3478", "turn:relay.example:3478"];
        let welcome = Welcome {
            signaller: PeerId::from_bytes([0; 32]),
            signature: Signature::from_bytes([0; 64]),
            ice_servers: servers.map(str::to_owned).to_vec(),
            work: 0,
        };
        assert_eq!(
            ice_servers(&welcome, "wss://one.example:7700/ws"),
            ["stun:one.example:3478", "stun:stun.example:3478"].map(IceServer::stun)
        );
        assert_eq!(ice_servers(&welcome, "ws://[::1]:7700")[0].url, "stun:[::1]:3478");
    }

    /// People see these on their terminals (`taiinet doctor`), and libraries parse them.
    #[test]
    fn servers_with_anything_but_printable_ascii_are_not_taken() {
        let turn = |url: &str, username: &str, credential: &str| {
            let [url, username, credential] = [url, username, credential].map(str::to_owned);
            IceServer { url, username, credential }.is_well_formed()
        };
        assert!(turn("turn:relay.example:3478?transport=udp", "1800000000:tn1abc", "a+b/c="));
        for evil in
            ["\u{1b}[2J", "\u{9b}2J", "\u{202e}", "\u{7f}", "\n", " ", "\0", "\u{2028}", "\u{e9}"]
        {
            let url = format!("stun:{evil}one.example:3478");
            assert!(
                !turn(&url, "", "") && !turn("turn:one", evil, "") && !turn("turn:one", "", evil)
            );
            let welcome = Welcome {
                signaller: PeerId::from_bytes([0; 32]),
                signature: Signature::from_bytes([0; 64]),
                ice_servers: vec![
                    url,
                    format!("stun::3478{evil}"),
                    "stun:good.example:3478".to_owned(),
                ],
                work: 0,
            };
            let taken = ice_servers(&welcome, "wss://one.example");
            assert_eq!(taken, [IceServer::stun("stun:good.example:3478")], "{evil:?}");
            assert!(!is_address(&format!("ws://one{evil}.example")), "{evil:?}");
            assert!(!is_address(&format!("ws://one.example/{evil}")), "{evil:?}");
        }
    }
}
