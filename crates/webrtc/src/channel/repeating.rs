//! A socket that says twice and thrice what costs much when it is lost.
//!
//! DTLS's handshake takes six flights, and each that is lost costs a second (RFC 6347, section 4.2.4.1). In the
//! library (rtc-dtls 0.21.1) it may cost the link: an end that is repeated to forgets to repeat its own flight.
//! On a line with jitter the first flight often comes before the answer to the ping that chose the path, and is
//! dropped. So each packet of a handshake is sent again, and then again, a moment later; who has it already drops
//! the copy, by its number (section 4.1.2.6).

use std::{
    future::poll_fn,
    io::{self, IoSliceMut},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{task::JoinSet, time::sleep};
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

/// How long after the packet, and after its copy, the next copy is sent.
const COPIES: [Duration; 2] = [Duration::from_millis(60), Duration::from_millis(240)];
/// Packets of which copies are still to be sent; a handshake has fewer.
const PACKETS: usize = 32;
/// The types of records that a handshake consists of (RFC 5246, section 6.2.1). No other packet of a link begins
/// with these bytes (RFC 7983).
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;

/// A socket, and the copies that are still to be sent over it.
#[derive(Debug)]
pub(super) struct Repeating {
    socket: Arc<dyn AsyncUdpSocket>,
    copies: Mutex<JoinSet<()>>,
}

impl Repeating {
    pub(super) fn new(socket: Arc<dyn AsyncUdpSocket>) -> Self {
        Self { socket, copies: Mutex::default() }
    }

    fn repeat(&self, transmit: &Transmit<'_>) {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        while copies.try_join_next().is_some() {}
        if copies.len() >= PACKETS {
            return;
        }
        let Transmit { destination, ecn, contents, segment_size, src_ip } = *transmit;
        let (socket, contents) = (Arc::clone(&self.socket), contents.to_vec());
        copies.spawn(async move {
            for wait in COPIES {
                sleep(wait).await;
                let copy = Transmit { destination, ecn, contents: &contents, segment_size, src_ip };
                // What cannot be sent is lost, as on the way.
                let _ = poll_fn(|cx| socket.poll_send(cx, &copy)).await;
            }
        });
    }
}

impl AsyncUdpSocket for Repeating {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let sent = self.socket.poll_send(cx, transmit);
        let is_handshake = matches!(transmit.contents, [CHANGE_CIPHER_SPEC | HANDSHAKE, ..]);
        if is_handshake && sent.is_ready() {
            self.repeat(transmit);
        }
        sent
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_recv(cx, buffers, meta)
    }

    fn max_gso_segments(&self) -> usize {
        self.socket.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.socket.max_gro_segments()
    }
}
