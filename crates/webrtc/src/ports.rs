//! Ports of the router that lead to this machine: PCP (RFC 6887), or NAT-PMP (RFC 6886) where the router
//! speaks no more. With one, a peer behind a NAT that lets no direct link through is reached all the same.
//!
//! Each link asks for its own port when it is dialled, in passing: nothing waits for the answer. The mapping
//! is given back at the link's end, and ends by itself soon after if that is not heard; the NAT keeps a link
//! that is in use.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4},
    num::NonZeroU16,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crab_nat::{
    GatewayAddress, InternetProtocol, MappingFailure, PortMapping, PortMappingOptions,
    PortMappingType, TimeoutConfig, natpmp,
};
use taiinet_websocket::is_public;
use tokio::time::timeout;

use crate::source_address;

/// How long a mapping is asked for: a link is open or given up by then, and what forgets to give one back
/// does no lasting harm.
const LIFETIME: Duration = Duration::from_secs(120);
/// A router answers within milliseconds, if at all.
const TIMEOUTS: TimeoutConfig = TimeoutConfig {
    initial_timeout: Duration::from_millis(250),
    max_retries: 1,
    max_retry_timeout: None,
};
/// How long all that is asked of it may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a router that gave no mapping is left in peace.
const SILENT: Duration = Duration::from_secs(5 * 60);
/// How long giving one back may take.
const GOODBYE: Duration = Duration::from_millis(300);
/// Where Linux tells the routes of IPv4. `/proc/net` is a link to it that a service may not see (`ProcSubset=pid`).
const ROUTES: &str = "/proc/self/net/route";
/// The port on which routers are asked.
const PORT: u16 = 5351;
/// Of the kind `srflx`, the most preferred (RFC 8445, section 5.1.2.1).
const PRIORITY: u32 = (100 << 24) + (65_535 << 8) + 255;

/// What is known of the routers. All links of a peer share it.
#[derive(Debug, Default)]
pub(crate) struct Routers {
    /// The one that was asked last in vain, and until when it is not asked again.
    silent: Mutex<Option<(Ipv4Addr, Instant)>>,
}

/// A port of the router that leads to a socket of ours.
#[derive(Debug)]
pub(crate) struct Mapped {
    mapping: PortMapping,
    outside: SocketAddrV4,
    inside: SocketAddrV4,
}

impl Routers {
    /// A port for a socket of ours, if that lies behind a router that gives any.
    pub(crate) async fn map(&self, ours: SocketAddr) -> Option<Mapped> {
        let SocketAddr::V4(ours) = ours else { return None };
        if is_public(IpAddr::V4(*ours.ip())) || ours.ip().is_loopback() {
            return None;
        }
        let Ok(routes) = std::fs::read_to_string(ROUTES) else {
            tracing::debug!("no router is known: {ROUTES} cannot be read");
            return None;
        };
        let router = default_router(&routes)?;
        if source_address((router, PORT).into()).ok()? != IpAddr::V4(*ours.ip()) {
            return None;
        }
        self.ask(router, ours).await
    }

    async fn ask(&self, router: Ipv4Addr, ours: SocketAddrV4) -> Option<Mapped> {
        let now = Instant::now();
        let silent = || self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if silent().is_some_and(|(which, until)| which == router && now < until) {
            return None;
        }
        match timeout(PATIENCE, ask(router, ours)).await {
            Ok(Ok(mapped)) if is_public(IpAddr::V4(*mapped.outside.ip())) => return Some(mapped),
            Ok(Ok(mapped)) => {
                let outside = mapped.outside;
                tracing::debug!(%router, %outside, "the router's port is within a NAT as well");
                mapped.give_back().await;
            }
            Ok(Err(error)) => tracing::debug!(%router, %error, "the router gives no port"),
            Err(_) => tracing::debug!(%router, "the router does not answer"),
        }
        *silent() = Some((router, now + SILENT));
        None
    }
}

impl Mapped {
    /// What the other end is told of it.
    pub(crate) fn candidate(&self) -> String {
        let (outside, inside) = (self.outside, self.inside);
        format!(
            "candidate:2 1 udp {PRIORITY} {} {} typ srflx raddr {} rport {}",
            outside.ip(),
            outside.port(),
            inside.ip(),
            inside.port()
        )
    }

    /// Closes the port again.
    pub(crate) async fn give_back(self) {
        let given = timeout(GOODBYE, self.mapping.try_drop()).await;
        if !matches!(given, Ok(Ok(()))) {
            tracing::debug!("a port of the router was not given back; it ends by itself");
        }
    }
}

async fn ask(router: Ipv4Addr, inside: SocketAddrV4) -> Result<Mapped, MappingFailure> {
    let gateway = GatewayAddress::IpV4(router);
    let port = NonZeroU16::new(inside.port()).unwrap_or(NonZeroU16::MAX);
    let options = PortMappingOptions {
        external_port: None,
        lifetime_seconds: u32::try_from(LIFETIME.as_secs()).ok(),
        timeout_config: Some(TIMEOUTS),
    };
    let client = IpAddr::V4(*inside.ip());
    let mapping = PortMapping::new(gateway, client, InternetProtocol::Udp, port, options).await?;
    let outside = match mapping.mapping_type() {
        PortMappingType::Pcp { external_ip: IpAddr::V4(ip), .. } => ip,
        PortMappingType::Pcp { external_ip: IpAddr::V6(ip), .. } => {
            ip.to_ipv4_mapped().unwrap_or(Ipv4Addr::UNSPECIFIED)
        }
        PortMappingType::NatPmp => natpmp::external_address(gateway, Some(TIMEOUTS)).await?,
    };
    let outside = SocketAddrV4::new(outside, mapping.external_port().get());
    Ok(Mapped { mapping, outside, inside })
}

/// The router of the default route, of several the one that Linux prefers (`/proc/net/route`; elsewhere no
/// router is known).
fn default_router(routes: &str) -> Option<Ipv4Addr> {
    let routes = routes.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "00000000", router, _, _, _, metric, "00000000", ..] = fields[..] else {
            return None;
        };
        let router = u32::from_str_radix(router, 16).ok().filter(|router| *router != 0)?;
        Some((metric.parse::<u32>().ok()?, Ipv4Addr::from(router.to_ne_bytes())))
    });
    routes.min().map(|(_, router)| router)
}

#[cfg(test)]
mod tests {
    use tokio::net::UdpSocket;

    use super::*;

    const OURS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 40_000);
    const ROUTER: Ipv4Addr = Ipv4Addr::LOCALHOST;

    #[test]
    fn the_default_router_is_read_off_the_systems_routes() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n\
                     wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
                     eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
                     eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";
        if cfg!(target_endian = "little") {
            assert_eq!(default_router(table), Some(Ipv4Addr::new(192, 168, 1, 1)));
        }
        for none in
            ["", "junk", "a\nb\tc", &table[..60], "h\ntun0 00000000 00000000 1 0 0 0 00000000"]
        {
            assert_eq!(default_router(none), None, "{none}");
        }
    }

    #[test]
    fn addresses_behind_another_nat_are_not_public() {
        for text in
            ["10.0.0.1", "100.64.0.1", "192.168.0.1", "127.0.0.1", "0.0.0.0", "255.255.255.255"]
        {
            assert!(!is_public(text.parse().expect("an address")), "{text}");
        }
        for text in ["203.0.113.7", "100.128.0.1", "9.9.9.9"] {
            assert!(is_public(text.parse().expect("an address")), "{text}");
        }
    }

    /// A router that speaks NAT-PMP and no PCP; it says that it is at `outside`.
    async fn natpmp_router(socket: &UdpSocket, outside: Ipv4Addr, asked: &mut Vec<Vec<u8>>) {
        let mut buffer = [0; 1100];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.expect("asked");
            let question = &buffer[..length];
            asked.push(question.to_vec());
            let answer = match question {
                // PCP, of which it knows the version alone (RFC 6886, section 3.5).
                [2, ..] => vec![0, 128, 0, 1, 0, 0, 0, 9],
                [0, 0] => [&[0, 128, 0, 0, 0, 0, 0, 9][..], &outside.octets()].concat(),
                [0, 1, 0, 0, inside @ .., a, b, c, d] if inside.len() == 4 => {
                    let ends = [*a, *b, *c, *d] == [0; 4];
                    let outside = if ends { [0, 0] } else { [0x77, 0x77] };
                    let head = [0, 129, 0, 0, 0, 0, 0, 9, inside[0], inside[1]];
                    [&head[..], &outside, &[*a, *b, *c, *d]].concat()
                }
                other => panic!("{other:?}"),
            };
            socket.send_to(&answer, from).await.expect("answered");
            if question.ends_with(&[0; 4]) && question.len() == 12 {
                return;
            }
        }
    }

    /// One after the other: routers have one port only.
    #[tokio::test]
    async fn a_port_is_asked_for_and_given_back_and_a_router_without_any_is_left_in_peace() {
        let socket = UdpSocket::bind((ROUTER, PORT)).await.expect("nobody else plays a router");
        let mut asked = vec![];
        let routers = Routers::default();
        let link = async {
            let mapped = routers.ask(ROUTER, OURS).await.expect("a port");
            assert_eq!(
                mapped.candidate(),
                "candidate:2 1 udp 1694498815 203.0.113.7 30583 typ srflx raddr 127.0.0.1 rport 40000"
            );
            mapped.give_back().await;
        };
        let router = natpmp_router(&socket, Ipv4Addr::new(203, 0, 113, 7), &mut asked);
        tokio::join!(link, router);
        assert_eq!(asked.last().expect("asked")[4..6], OURS.port().to_be_bytes());

        // Behind a NAT of the provider's as well: of no use, and given back at once.
        let link = async { assert!(routers.ask(ROUTER, OURS).await.is_none()) };
        let router = natpmp_router(&socket, Ipv4Addr::new(100, 64, 0, 7), &mut asked);
        tokio::join!(link, router);
        // Nor is it asked again.
        asked.clear();
        assert!(routers.ask(ROUTER, OURS).await.is_none());
        assert!(socket.try_recv(&mut [0; 10]).is_err());

        // One that says nothing, and one that says nonsense.
        let routers = Routers::default();
        let begun = Instant::now();
        assert!(routers.ask(ROUTER, OURS).await.is_none());
        assert!(begun.elapsed() < 2 * PATIENCE);
        while socket.try_recv(&mut [0; 1100]).is_ok() {}
        let routers = Routers::default();
        let nonsense = async {
            let (_, from) = socket.recv_from(&mut [0; 1100]).await.expect("asked");
            socket.send_to(&[0xff; 1100], from).await.expect("answered");
        };
        let (mapped, ()) = tokio::join!(routers.ask(ROUTER, OURS), nonsense);
        assert!(mapped.is_none());
    }
}
