//! The library's runtime: tokio's, with large receive buffers, patience for name servers that ends,
//! and a list of what was spawned.

// By its path: tests and benchmarks include this file from elsewhere.
#[path = "repeating.rs"]
mod repeating;

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use socket2::SockRef;
use tokio::task::{AbortHandle, JoinHandle};
use webrtc::runtime::{
    self, AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, Runtime, TokioRuntime,
};

use repeating::Repeating;

/// What a burst needs to fit: where it does not, SCTP waits for a second (RFC 9260, RTO.Min).
const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;
/// How long a name server may take. The library does nothing else meanwhile.
const RESOLVE: Duration = Duration::from_secs(1);

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The runtime of one link.
#[derive(Debug, Default)]
pub(super) struct LinkRuntime {
    tasks: Mutex<Vec<AbortHandle>>,
    /// Takes the place of the socket with its address.
    stand_in: Option<Arc<dyn AsyncUdpSocket>>,
}

impl LinkRuntime {
    pub(super) fn new(stand_in: Option<Arc<dyn AsyncUdpSocket>>) -> Self {
        Self { stand_in, ..Self::default() }
    }

    /// The address of the socket that is none of the system's.
    pub(super) fn stand_in(&self) -> Option<SocketAddr> {
        self.stand_in.as_ref().and_then(|socket| socket.local_addr().ok())
    }

    /// Ends every task of the link.
    pub(super) fn abort(&self) {
        for task in self.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }
}

impl Runtime for LinkRuntime {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn runtime::JoinHandle> {
        let task = tokio::spawn(future);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.push(task.abort_handle());
        Box::new(Task(task))
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        if let Some(stand_in) = &self.stand_in
            && self.stand_in() == socket.local_addr().ok()
        {
            return Ok(Arc::new(Repeating::new(Arc::clone(stand_in))));
        }
        // The system may grant less; then the link is slower under load.
        if let Err(error) = SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER) {
            tracing::debug!(%error, "no larger receive buffer");
        }
        Ok(Arc::new(Repeating::new(TokioRuntime.wrap_udp_socket(socket)?)))
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        address: SocketAddr,
    ) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        // Candidates for TCP are not let in; strangers do not choose where we connect to.
        Box::pin(async move {
            Err(io::Error::new(io::ErrorKind::Unsupported, format!("no TCP, not to {address}")))
        })
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(
            async move { tokio::time::timeout(RESOLVE, TokioRuntime.resolve_host(host)).await? },
        )
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        TokioRuntime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        TokioRuntime.yield_now()
    }

    fn name(&self) -> &'static str {
        "tokio"
    }
}

struct Task(JoinHandle<()>);

impl runtime::JoinHandle for Task {
    fn detach(&self) {}

    fn abort(&self) {
        self.0.abort();
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}
