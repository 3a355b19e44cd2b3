//! Under which address others see us (STUN, RFC 8489).

use std::{io, net::SocketAddr, time::Duration};

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

/// One socket that can ask several servers: a NAT that shows each of them another port lets no direct
/// links through.
#[derive(Debug)]
pub struct Stun(UdpSocket);

/// Why a STUN server said nothing.
#[derive(Debug, thiserror::Error)]
pub enum StunError {
    /// The system does not let us.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No such host, or none of our kind of address.
    #[error("its name leads nowhere")]
    NoAddress,
    /// No answer.
    #[error("no answer")]
    Silent,
}

impl Stun {
    /// A socket on any address.
    ///
    /// # Errors
    /// [`StunError::Io`]
    pub async fn new() -> Result<Self, StunError> {
        Ok(Self(UdpSocket::bind("0.0.0.0:0").await?))
    }

    /// Asks `HOST:PORT` under which address it sees this socket.
    ///
    /// # Errors
    /// [`StunError`]
    pub async fn ask(&self, server: &str, patience: Duration) -> Result<SocketAddr, StunError> {
        let mut found = lookup_host(server).await.map_err(|_| StunError::NoAddress)?;
        let server = found.find(SocketAddr::is_ipv4).ok_or(StunError::NoAddress)?;
        let mut request = Message::new();
        let built = request.build(&[Box::<TransactionId>::default(), Box::new(BINDING_REQUEST)]);
        built.map_err(|error| io::Error::other(error.to_string()))?;
        let end = Instant::now() + patience;
        while Instant::now() < end {
            self.0.send_to(&request.raw, server).await?;
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
            let (length, from) = self.0.recv_from(&mut buffer).await?;
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
