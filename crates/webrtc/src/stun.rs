//! Under which address others see us (STUN, RFC 8489), and what that says of a NAT between (RFC 5780,
//! section 4.3): one socket asks several servers, or several ports of one, all at once.

mod answer;
mod inquiry;
mod nat;

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{UdpSocket, lookup_host},
    time::{Instant, timeout, timeout_at},
};

use crate::source_address;
pub use answer::{Answer, Family, Seen, StunError};
use inquiry::Inquiry;
pub use nat::Nat;

/// How long a name server may take.
const RESOLVE: Duration = Duration::from_secs(3);

/// Asks all servers, each `HOST:PORT`, from one socket on any address, and waits for their answers, in all at
/// most for `patience`. Requests are repeated as RFC 8489, section 6.2.1 has it. Once one has answered, the others have
/// four seconds more: they were asked at the same time.
///
/// # Errors
/// [`io::Error`] on a machine without this family.
pub async fn ask(family: Family, servers: &[&str], patience: Duration) -> io::Result<Vec<Answer>> {
    let begun = Instant::now();
    let socket = UdpSocket::bind((family.any(), 0)).await?;
    let resolved = servers.iter().map(|server| resolve(family, server, RESOLVE.min(patience)));
    let resolved = futures::future::join_all(resolved).await;
    let mut inquiry = Inquiry::new(patience);
    for address in resolved.iter().flatten() {
        inquiry.ask(*address)?;
    }
    converse(&socket, &mut inquiry, begun).await;
    let mut answers = Vec::new();
    for (server, address) in servers.iter().zip(resolved) {
        let seen = match address {
            Ok(address) => match inquiry.outcome(address) {
                Ok(mapped) => Ok(Seen { mapped, local: source_address(address).ok() }),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        answers.push(Answer { server: (*server).to_owned(), seen });
    }
    Ok(answers)
}

async fn resolve(
    family: Family,
    server: &str,
    patience: Duration,
) -> Result<SocketAddr, StunError> {
    let found = timeout(patience, lookup_host(server)).await;
    let found = found.map_err(|_| StunError::NoAddress)?.map_err(|_| StunError::NoAddress)?;
    let found: Vec<SocketAddr> = found.collect();
    if found.is_empty() {
        return Err(StunError::NoAddress);
    }
    found.into_iter().find(|address| family.has(address)).ok_or(StunError::OtherFamily)
}

/// Sends and receives until all is said.
async fn converse(socket: &UdpSocket, inquiry: &mut Inquiry, begun: Instant) {
    let mut buffer = [0; 1500];
    loop {
        while let Some((server, request)) = inquiry.poll_transmit(begun.elapsed()) {
            if let Err(error) = socket.send_to(&request, server).await {
                inquiry.failed(server, error);
            }
        }
        let Some(until) = inquiry.poll_timeout(begun.elapsed()) else { return };
        // Errors of receiving are ICMP's, of a packet sent before: to whom, they do not say.
        if let Ok(Ok((length, from))) =
            timeout_at(begun + until, socket.recv_from(&mut buffer)).await
        {
            inquiry.received(from, &buffer[..length], begun.elapsed());
        }
    }
}

#[cfg(test)]
mod tests;
