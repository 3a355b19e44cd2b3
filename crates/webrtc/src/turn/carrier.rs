//! What carries TURN's messages: datagrams, or a stream, with TLS or without (RFC 8656, section 3.1).

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    time::Duration,
};

use bytes::{Buf, BytesMut};
use taiinet_websocket::WebSockets;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, UdpSocket},
    time::timeout,
};

use super::{
    server::{By, TurnServer},
    trouble::TurnTrouble,
};

/// The longest message that is taken: a packet of ours, with what TURN adds, has less than 1.5 KiB.
const MESSAGE_BYTES: usize = 4096;
/// A stream that takes nothing for so long is dead.
const STALLED: Duration = Duration::from_secs(5);

pub(super) trait Stream: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

/// A way to one server.
pub(super) enum Carrier {
    Datagrams(UdpSocket),
    Stream { stream: Pin<Box<dyn Stream>>, read: BytesMut },
}

impl Carrier {
    /// Opens one to `address`, from one of our addresses in `bind` if these are given; with our own end.
    pub(super) async fn open(
        server: &TurnServer,
        address: SocketAddr,
        bind: &[IpAddr],
        tls: &WebSockets,
    ) -> Result<(Self, SocketAddr), TurnTrouble> {
        let any = match address {
            SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        };
        // Loopback leads to loopback only, whichever the system would let us try.
        let leads_there = |from: &&IpAddr| {
            from.is_ipv4() == address.is_ipv4() && from.is_loopback() == address.ip().is_loopback()
        };
        let from = match bind.iter().find(leads_there) {
            Some(&from) => from,
            None if bind.is_empty() => any,
            None => return Err(TurnTrouble::NoAddress),
        };
        let from = SocketAddr::new(from, 0);
        if server.by == By::Udp {
            let socket = UdpSocket::bind(from).await?;
            socket.connect(address).await?;
            let local = socket.local_addr()?;
            return Ok((Self::Datagrams(socket), local));
        }
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.bind(from)?;
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        let stream: Pin<Box<dyn Stream>> = if server.by == By::Tls {
            let secured = tls.secure(&server.host, stream).await;
            Box::pin(secured.map_err(|error| TurnTrouble::Tls(error.to_string()))?)
        } else {
            Box::pin(stream)
        };
        Ok((Self::Stream { stream, read: BytesMut::new() }, local))
    }

    pub(super) const fn is_stream(&self) -> bool {
        matches!(self, Self::Stream { .. })
    }

    /// Sends a message. What is lost on the way is lost, as everywhere below SCTP.
    pub(super) async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Datagrams(socket) => match socket.send(message).await {
                // What an earlier datagram met: it is asked again, and nothing is said if none answers.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
                sent => sent.map(|_| ()),
            },
            Self::Stream { stream, .. } => timeout(STALLED, async {
                stream.write_all(message).await?;
                stream.flush().await
            })
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
        }
    }

    /// The next message. Nothing is lost if this is not waited for to the end.
    pub(super) async fn receive(&mut self) -> io::Result<BytesMut> {
        match self {
            Self::Datagrams(socket) => {
                let mut message = BytesMut::zeroed(MESSAGE_BYTES);
                let length = socket.recv(&mut message).await?;
                message.truncate(length);
                Ok(message)
            }
            Self::Stream { stream, read } => loop {
                if let Some(message) = next(read)? {
                    return Ok(message);
                }
                if stream.read_buf(read).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            },
        }
    }
}

/// Takes a whole message off the front of a stream (RFC 8489, section 5; RFC 8656, section 12.5).
fn next(read: &mut BytesMut) -> io::Result<Option<BytesMut>> {
    let [kind, _, length @ ..] = &read[..] else { return Ok(None) };
    let &[high, low, ..] = length else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let (whole, padded) = match kind >> 6 {
        0 => (20 + length, 20 + length),
        1 => (4 + length, (4 + length).next_multiple_of(4)),
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    if padded > MESSAGE_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    if read.len() < padded {
        return Ok(None);
    }
    let message = read.split_to(whole);
    read.advance(padded - whole);
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_off_a_stream_wherever_it_is_broken() {
        let stun = [&[0, 1, 0, 8][..], &[7; 24]].concat();
        let data = [&[0x40, 0, 0, 5][..], b"hello", &[0; 3]].concat();
        let whole = [&stun[..], &data, &stun].concat();
        for cut in 0..whole.len() {
            let mut read = BytesMut::from(&whole[..cut]);
            let mut found = vec![];
            while let Some(message) = next(&mut read).expect("sound") {
                found.push(message);
            }
            read.extend_from_slice(&whole[cut..]);
            while let Some(message) = next(&mut read).expect("sound") {
                found.push(message);
            }
            assert_eq!(found, [&stun[..], &data[..9], &stun], "cut at {cut}");
            assert!(read.is_empty());
        }
    }

    #[test]
    fn what_is_no_turn_or_too_long_ends_the_stream() {
        for evil in
            [&b"HTTP/1.1 400"[..], b"\xff\xff\xff\xff", &[0, 1, 255, 255], &[0x40, 0, 0x10, 0]]
        {
            let first = next(&mut BytesMut::from(evil));
            assert_eq!(first.expect_err("refused").kind(), io::ErrorKind::InvalidData, "{evil:?}");
        }
        assert_eq!(next(&mut BytesMut::from(&[0, 1, 0][..])).expect("sound"), None);
    }
}
