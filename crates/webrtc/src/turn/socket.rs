//! The end of the TURN server's path that the WebRTC library sees: a socket like any other of its own.

use std::{
    io::{self, IoSliceMut},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

/// Packets each way that are not passed on yet. A link has less than 64 KiB under way.
const PACKETS: usize = 256;

/// A packet, and where it goes to or comes from.
pub(super) type Packet<T> = (SocketAddr, T);

/// What the library takes for a socket. It has an address of loopback that stands for it and that nobody
/// else is told.
#[derive(Debug)]
pub(crate) struct TurnSocket {
    address: SocketAddr,
    is_open: AtomicBool,
    sending: mpsc::Sender<Packet<Bytes>>,
    arrived: Mutex<mpsc::Receiver<Packet<BytesMut>>>,
}

/// The other end of a [`TurnSocket`].
#[derive(Debug)]
pub(super) struct Far {
    pub(super) sending: mpsc::Receiver<Packet<Bytes>>,
    pub(super) arrived: mpsc::Sender<Packet<BytesMut>>,
}

impl TurnSocket {
    pub(super) fn new() -> io::Result<(Self, Far)> {
        // The library binds the address itself, and hands the socket to be put in its place.
        let address = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let (sending, to_send) = mpsc::channel(PACKETS);
        let (came, arrived) = mpsc::channel(PACKETS);
        let arrived = Mutex::new(arrived);
        let socket = Self { address, is_open: AtomicBool::new(false), sending, arrived };
        Ok((socket, Far { sending: to_send, arrived: came }))
    }

    /// The address that stands for it.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on what is sent is passed on.
    pub(super) fn open(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }
}

impl AsyncUdpSocket for TurnSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    /// What there is no room for is lost, as on any socket.
    fn poll_send(&self, _: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if self.is_open.load(Ordering::Relaxed) {
            let packet = Bytes::copy_from_slice(transmit.contents);
            let _ = self.sending.try_send((transmit.destination, packet));
        }
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        match arrived.poll_recv(cx) {
            Poll::Ready(Some((from, packet))) => {
                let length = packet.len().min(buffer.len());
                buffer[..length].copy_from_slice(&packet[..length]);
                *meta = RecvMeta::default();
                (meta.addr, meta.len, meta.stride) = (from, length, length.max(1));
                Poll::Ready(Ok(1))
            }
            // A path that was let go is a socket on which nothing comes.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
