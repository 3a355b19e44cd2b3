//! How a home reaches the internet.

use std::fmt;

/// How a home reaches the internet. NATs by their behaviour (RFC 4787): which port a host's socket shows to
/// others ("mapping"), and who may answer there ("filtering").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// An address of its own, and nothing in between.
    Open,
    /// One port for all, and all may answer.
    FullCone,
    /// One port for all; who was not written to may not answer, nor from another port.
    PortRestricted,
    /// For each other end another port, by chance, and only that end may answer.
    Symmetric,
    /// A firewall that lets TCP through and no UDP.
    UdpBlocked,
    /// No IPv4, and a firewall that lets in what was asked for, as routers at home have.
    Ipv6Only,
    /// An address of its own at the end of a long line that loses packets ([`super::Line::LOSSY`]).
    Lossy,
}

impl Access {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::FullCone,
        Self::PortRestricted,
        Self::Symmetric,
        Self::UdpBlocked,
        Self::Ipv6Only,
        Self::Lossy,
    ];

    /// Whether there is a router between the home and the internet.
    pub(super) const fn has_router(self) -> bool {
        !matches!(self, Self::Open | Self::Lossy)
    }

    /// The rules of the router, whose interfaces are `wan` and `lan`; `home` is the host behind it.
    ///
    /// What Linux does: `masquerade` keeps the port of the host where that is free, so that a socket shows the same
    /// port to everybody, and its connection tracking lets in only answers: endpoint-independent mapping with
    /// address-and-port-dependent filtering. Only as long as nothing takes the port: a packet from outside that
    /// comes before ours to the same end makes an entry of its own (to the router itself), after which our
    /// packet, whose answer could not be told from it, gets another port. Routers that one buys drop such packets, and what
    /// is dropped makes no entry; so do these. With `fully-random` each other end is shown another port.
    /// A map back of all ports makes it a full cone, as "exposed host" does.
    pub(super) fn rules(self, home: &str) -> String {
        let nat = |masquerade: &str, map_back: &str| {
            format!(
                "table ip nat {{\n\
                 chain out {{\ntype nat hook postrouting priority srcnat\noifname \"wan\" {masquerade}\n}}\n\
                 chain in {{\ntype nat hook prerouting priority dstnat\n{map_back}\n}}\n}}\n"
            )
        };
        let firewall = |forward: &str| {
            format!(
                "table inet firewall {{\n\
                 chain in {{\ntype filter hook input priority filter\n\
                 iifname \"wan\" meta l4proto {{ tcp, udp }} ct state new drop\n}}\n\
                 chain through {{\ntype filter hook forward priority filter\n{forward}\n}}\n}}\n"
            )
        };
        let only_answers = "iifname \"wan\" ct state new drop";
        match self {
            Self::Open | Self::Lossy => String::new(),
            Self::FullCone => {
                let all = format!("iifname \"wan\" udp dport 1024-65535 dnat to {home}");
                nat("masquerade", &all) + &firewall("")
            }
            Self::PortRestricted => nat("masquerade", "") + &firewall(only_answers),
            Self::Symmetric => nat("masquerade fully-random", "") + &firewall(only_answers),
            Self::UdpBlocked => {
                nat("masquerade", "") + &firewall(&format!("{only_answers}\nmeta l4proto udp drop"))
            }
            Self::Ipv6Only => firewall(&format!("meta l4proto ipv6-icmp accept\n{only_answers}")),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "open",
            Self::FullCone => "full cone",
            Self::PortRestricted => "port-restricted",
            Self::Symmetric => "symmetric",
            Self::UdpBlocked => "UDP blocked",
            Self::Ipv6Only => "IPv6 only",
            Self::Lossy => "lossy line",
        })
    }
}
