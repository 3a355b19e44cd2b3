//! Under which address others see us (STUN, RFC 8489).

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use rtc_stun::{
    message::{BINDING_REQUEST, Getter, Message, TransactionId},
    xoraddr::XorMappedAddress,
};
use tokio::{
    net::{UdpSocket, lookup_host},
    time::{Instant, timeout_at},
};

/// How long an answer is waited for before the question is asked again (RFC 8489, 6.2.1).
const AGAIN: Duration = Duration::from_millis(500);

/// A way of the Internet Protocol, which takes a socket of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

impl Family {
    const fn any(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }

    const fn has(self, address: &SocketAddr) -> bool {
        address.is_ipv4() == matches!(self, Self::V4)
    }
}

/// One socket that can ask several servers: a NAT that shows each of them another port lets no direct
/// links through.
#[derive(Debug)]
pub struct Stun {
    socket: UdpSocket,
    family: Family,
}

/// Why a STUN server said nothing.
#[derive(Debug, thiserror::Error)]
pub enum StunError {
    /// The system does not let us.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No such host.
    #[error("its name leads nowhere")]
    NoAddress,
    /// The host has no address of this family.
    #[error("it has no address of this family")]
    OtherFamily,
    /// No answer.
    #[error("no answer")]
    Silent,
}

impl Stun {
    /// A socket on any address of this family.
    ///
    /// # Errors
    /// [`StunError::Io`], on a machine without this family, too.
    pub async fn new(family: Family) -> Result<Self, StunError> {
        let socket = UdpSocket::bind((family.any(), 0)).await?;
        Ok(Self { socket, family })
    }

    /// Asks `HOST:PORT` under which address it sees this socket.
    ///
    /// # Errors
    /// [`StunError`]
    pub async fn ask(&self, server: &str, patience: Duration) -> Result<SocketAddr, StunError> {
        let found = lookup_host(server).await.map_err(|_| StunError::NoAddress)?;
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() {
            return Err(StunError::NoAddress);
        }
        let ours = found.into_iter().find(|address| self.family.has(address));
        let server = ours.ok_or(StunError::OtherFamily)?;
        let mut request = Message::new();
        let built = request.build(&[Box::<TransactionId>::default(), Box::new(BINDING_REQUEST)]);
        built.map_err(|error| io::Error::other(error.to_string()))?;
        let end = Instant::now() + patience;
        while Instant::now() < end {
            self.socket.send_to(&request.raw, server).await?;
            let until = end.min(Instant::now() + AGAIN);
            if let Ok(answer) = timeout_at(until, self.answer(server, &request)).await {
                return answer;
            }
        }
        Err(StunError::Silent)
    }

    async fn answer(&self, server: SocketAddr, request: &Message) -> Result<SocketAddr, StunError> {
        let mut buffer = [0; 1500];
        loop {
            let (length, from) = self.socket.recv_from(&mut buffer).await?;
            let mut answer = Message::new();
            answer.raw = buffer[..length].to_vec();
            let ours = from == server
                && answer.decode().is_ok()
                && answer.transaction_id == request.transaction_id;
            let mut seen = XorMappedAddress::default();
            if ours && seen.get_from(&answer).is_ok() {
                return Ok(SocketAddr::new(seen.ip, seen.port));
            }
        }
    }
}
