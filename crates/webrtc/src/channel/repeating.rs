//! A socket that sends the packets of DTLS's handshake three times.
//!
//! The handshake takes six flights, and each that is lost costs a second (RFC 6347, section 4.2.4.1). With the
//! library (rtc-dtls 0.21.1) it may cost the link: an end that receives a flight again forgets to repeat its own.
//! On a line with jitter the first flight often arrives before the answer to the ping that chose the path, and is
//! dropped. So each packet of a handshake is sent twice more, a moment later; a receiver that has it already drops
//! the copy by its number (section 4.1.2.6).

use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{task::JoinSet, time::sleep};
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

/// How long after the packet, and after its copy, the next copy is sent.
const COPIES: [Duration; 2] = [Duration::from_millis(60), Duration::from_millis(240)];
/// Packets of which copies are still to be sent; a handshake has fewer.
const PACKETS: usize = 32;
/// The types of records that a handshake consists of (RFC 5246, section 6.2.1). No other packet of a link begins
/// with these bytes (RFC 7983), but for questions of mDNS by chance, of which copies do no harm.
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;

/// A socket, and the copies that are still to be sent over it.
#[derive(Debug)]
pub(super) struct Repeating {
    sending: Arc<Sending>,
    copies: Mutex<JoinSet<()>>,
}

/// What packets and their copies are sent over.
#[derive(Debug)]
struct Sending {
    socket: Arc<dyn AsyncUdpSocket>,
    /// Whether a packet waits for room. Then a copy must not: the socket wakes only the task that asked last.
    is_full: Mutex<bool>,
}

impl Sending {
    fn is_full(&self) -> MutexGuard<'_, bool> {
        self.is_full.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(&self, cx: &mut Context<'_>, packet: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let mut is_full = self.is_full();
        let sent = self.socket.poll_send(cx, packet);
        *is_full = sent.is_pending();
        sent
    }

    /// What there is no room for is lost, as on the way.
    fn copy(&self, packet: &Transmit<'_>) {
        let is_full = self.is_full();
        if !*is_full {
            let _ = self.socket.poll_send(&mut Context::from_waker(Waker::noop()), packet);
        }
    }
}

impl Repeating {
    pub(super) fn new(socket: Arc<dyn AsyncUdpSocket>) -> Self {
        let sending = Arc::new(Sending { socket, is_full: Mutex::new(false) });
        Self { sending, copies: Mutex::default() }
    }

    fn repeat(&self, packet: &Transmit<'_>) {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        while copies.try_join_next().is_some() {}
        if copies.len() >= PACKETS {
            return;
        }
        let Transmit { destination, ecn, contents, segment_size, src_ip } = *packet;
        let (sending, contents) = (Arc::clone(&self.sending), contents.to_vec());
        copies.spawn(async move {
            for wait in COPIES {
                sleep(wait).await;
                let contents = &contents;
                sending.copy(&Transmit { destination, ecn, contents, segment_size, src_ip });
            }
        });
    }
}

impl AsyncUdpSocket for Repeating {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.sending.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, packet: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let sent = self.sending.poll(cx, packet);
        let is_handshake = matches!(packet.contents, [CHANGE_CIPHER_SPEC | HANDSHAKE, ..]);
        if is_handshake && sent.is_ready() {
            self.repeat(packet);
        }
        sent
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.sending.socket.poll_recv(cx, buffers, meta)
    }

    fn max_gso_segments(&self) -> usize {
        self.sending.socket.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.sending.socket.max_gro_segments()
    }
}
