//! A home: a host, and the router that it stands behind.

use std::{net::Ipv4Addr, process::Command};

use super::{access::Access, line::Line, namespace::Namespace};

/// A host somewhere on the internet.
#[derive(Debug)]
pub struct Home {
    access: Access,
    number: u16,
    host: Namespace,
    router: Option<Namespace>,
}

impl Home {
    pub(super) fn new(public: &Namespace, number: u16, access: Access) -> Self {
        let host = Namespace::new("host");
        let router = access.has_router().then(|| Namespace::new("router"));
        let home = Self { access, number, host, router };
        home.connect(public);
        home
    }

    /// How it reaches the internet.
    pub const fn access(&self) -> Access {
        self.access
    }

    /// The namespace in which its programs run; its interface is `eth`.
    pub const fn host(&self) -> &Namespace {
        &self.host
    }

    /// Its router, whose interfaces are `wan` and `lan`, unless the host has a public address.
    pub const fn router(&self) -> Option<&Namespace> {
        self.router.as_ref()
    }

    /// A command to be run on its host.
    pub fn command(&self, command: &Command) -> Command {
        self.host.enter(command)
    }

    fn connect(&self, public: &Namespace) {
        let outside = format!("s{}", self.number);
        let (edge, wan) =
            self.router.as_ref().map_or((&self.host, "eth"), |router| (router, "wan"));
        if self.access == Access::Lossy {
            Line::LOSSY.lay((public, &outside), (edge, wan));
        } else {
            veth((public, &outside), (edge, wan));
        }
        let [theirs, ours] = self.wan();
        address(public, &outside, &theirs);
        address(edge, wan, &ours);
        edge.ip(&format!("route add default via {}", host_of(&theirs)));
        let Some(router) = &self.router else { return };
        router.forwards();
        veth((router, "lan"), (&self.host, "eth"));
        let [gateway, host] = self.lan();
        address(router, "lan", &gateway);
        address(&self.host, "eth", &host);
        self.host.ip(&format!("route add default via {}", host_of(&gateway)));
        if self.access == Access::Ipv6Only {
            public.ip(&format!("route add {host} via {}", host_of(&ours)));
        }
        router.nft(&self.access.rules(host_of(&host)));
    }

    /// The addresses of both ends of the line to the internet: of 198.18.0.0/15, which is there for trials
    /// (RFC 2544), or of IPv6's for documentation.
    fn wan(&self) -> [String; 2] {
        let n = self.number;
        if self.access == Access::Ipv6Only {
            return [1, 2].map(|end| format!("2001:db8:1:{n:x}::{end}/64"));
        }
        let base = u32::from(Ipv4Addr::new(198, 18, 0, 0)) + 4 * u32::from(n);
        [1, 2].map(|end| format!("{}/30", Ipv4Addr::from(base + end)))
    }

    /// The addresses of the router and of the host at home: for IPv4 the same in all homes, as it is in life.
    fn lan(&self) -> [String; 2] {
        let n = self.number;
        if self.access == Access::Ipv6Only {
            [1, 2].map(|end| format!("2001:db8:2:{n:x}::{end}/64"))
        } else {
            [1, 2].map(|end| format!("192.168.1.{end}/24"))
        }
    }
}

/// An address without the length of its prefix.
fn host_of(address: &str) -> &str {
    address.split('/').next().unwrap_or(address)
}

/// A cable between two namespaces.
pub(super) fn veth((one, name): (&Namespace, &str), (other, far): (&Namespace, &str)) {
    one.ip(&format!("link add {name} type veth peer name {far} netns {}", other.name()));
}

/// Gives an interface an address and brings it up. Nobody else can have it, so none is asked.
pub(super) fn address(namespace: &Namespace, interface: &str, address: &str) {
    let checked = if address.contains(':') { " nodad" } else { "" };
    namespace.ip(&format!("addr add {address} dev {interface}{checked}"));
    namespace.ip(&format!("link set {interface} up"));
}
