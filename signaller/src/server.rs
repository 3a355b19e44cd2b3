//! The server around a [`Desk`]: WebSockets, `/healthz`, STUN.
//!
//! One task owns the desk. Each connection has one task that reads and one that writes, with bounded
//! queues between them and the desk: a reader that is too fast waits, and a client that does not read
//! what it asked for is dropped, never buffered.

mod clock;
mod connection;
mod desk_task;
mod stun;

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{ConnectInfo, State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::{IntoResponse, Response},
    routing::get,
};
use rand_core::{Rng as _, UnwrapErr};
use taiinet_identity::{Identity, PeerId};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;

use crate::{Desk, DeskConfig, limits};
use clock::Clock;
use desk_task::{DeskHandle, DeskTask};

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen for WebSockets; a port of 0 takes any free one.
    pub listen: Vec<SocketAddr>,
    /// Where to answer STUN.
    pub stun: StunAddress,
    /// How to serve.
    pub desk: DeskConfig,
}

/// Where STUN is answered, over UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StunAddress {
    /// At the addresses of the WebSockets, same ports.
    Same,
    /// Here.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

/// A server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Nothing to listen on.
    #[error("no address to listen on was given; give one with --listen 127.0.0.1:7700")]
    NoAddress,
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({what}): {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// TCP or UDP.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
}

/// How many free ports are tried until one is free for both TCP and UDP.
const FREE_PORTS: usize = 16;

/// Binds an address for WebSockets and, if wanted, for STUN too.
async fn bind(
    address: SocketAddr,
    with_stun: bool,
) -> Result<(TcpListener, Option<UdpSocket>), ServerError> {
    let refused = |error| ServerError::Listen { address, what: "TCP", error };
    let mut tries = if address.port() == 0 { FREE_PORTS } else { 1 };
    loop {
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        if !with_stun {
            return Ok((listener, None));
        }
        tries -= 1;
        match bind_stun(listener.local_addr().map_err(refused)?).await {
            Ok(socket) => return Ok((listener, Some(socket))),
            // The system chose a port that is free for TCP; somebody else has it for UDP.
            Err(_) if tries > 0 => {}
            Err(error) => return Err(error),
        }
    }
}

async fn bind_stun(address: SocketAddr) -> Result<UdpSocket, ServerError> {
    let refused = |error| ServerError::Listen { address, what: "UDP, for STUN", error };
    UdpSocket::bind(address).await.map_err(refused)
}

/// A signaller that is bound to its addresses and ready to run.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    stun: Vec<UdpSocket>,
    peer_id: PeerId,
    desk: Desk,
    clock: Clock,
}

impl Server {
    /// Binds all addresses.
    ///
    /// # Errors
    /// [`ServerError`]
    pub async fn bind(config: ServerConfig, identity: Identity) -> Result<Self, ServerError> {
        if config.listen.is_empty() {
            return Err(ServerError::NoAddress);
        }
        let (mut listeners, mut addresses, mut stun) = (Vec::new(), Vec::new(), Vec::new());
        for address in config.listen {
            let (listener, socket) = bind(address, config.stun == StunAddress::Same).await?;
            let refused = |error| ServerError::Listen { address, what: "TCP", error };
            addresses.push(listener.local_addr().map_err(refused)?);
            listeners.push(listener);
            stun.extend(socket);
        }
        if let StunAddress::At(address) = config.stun {
            stun.push(bind_stun(address).await?);
        }
        let mut desk_config = config.desk;
        for socket in &stun {
            let Ok(address) = socket.local_addr() else { continue };
            let told = format!("stun::{}", address.port());
            if !desk_config.ice_servers.contains(&told) {
                desk_config.ice_servers.push(told);
            }
        }
        let clock = Clock::start();
        let mut seed = [0; 32];
        UnwrapErr(getrandom::SysRng).fill_bytes(&mut seed);
        let peer_id = identity.peer_id();
        let desk = Desk::new(identity, desk_config, seed, clock.now());
        Ok(Self { listeners, addresses, stun, peer_id, desk, clock })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Its addresses as peers take them, with its key: `ws://127.0.0.1:7700#tn1…`.
    pub fn urls(&self) -> Vec<String> {
        self.addresses.iter().map(|address| format!("ws://{address}#{}", self.peer_id)).collect()
    }

    /// Its name.
    pub const fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    /// Serves until `shutdown` is done, then tells everybody and closes, within about a second.
    ///
    /// # Errors
    /// What the system says if a listener breaks.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
        let (desk, handle) = DeskTask::new(self.desk, self.clock);
        let desk = tokio::spawn(desk.run());
        for socket in self.stun {
            tokio::spawn(stun::serve(socket));
        }
        let router = Router::new()
            .route("/", get(enter))
            .route("/ws", get(enter))
            .route("/healthz", get(health))
            .with_state(Arc::new(handle.clone()));
        let (stop, stopped) = watch::channel(false);
        let mut servers = tokio::task::JoinSet::new();
        for listener in self.listeners {
            let router = router.clone().into_make_service_with_connect_info::<SocketAddr>();
            let mut stopped = stopped.clone();
            let server = axum::serve(
                axum::serve::ListenerExt::tap_io(listener, |stream| {
                    let _ = stream.set_nodelay(true);
                }),
                router,
            )
            .with_graceful_shutdown(async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            });
            servers.spawn(async move { server.await });
        }
        let result = tokio::select! {
            () = shutdown => Ok(()),
            Some(ended) = servers.join_next() => ended.unwrap_or_else(|error| Err(error.into())),
        };
        let _ = stop.send(true);
        handle.drain().await;
        let _ = tokio::time::timeout(limits::DRAIN, desk).await;
        let _ = tokio::time::timeout(limits::DRAIN, servers.join_all()).await;
        result
    }
}

/// A WebSocket, or a word for who comes with a browser.
async fn enter(
    State(desk): State<Arc<DeskHandle>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return "This is a TaiiNet signaller. Peers connect to it by WebSocket; see /healthz.\n"
            .into_response();
    };
    upgrade
        .read_buffer_size(limits::READ_BUFFER)
        .write_buffer_size(limits::READ_BUFFER)
        .max_write_buffer_size(limits::WRITE_BUFFER)
        .max_message_size(taiinet_mesh::limits::MESSAGE_BYTES)
        .max_frame_size(taiinet_mesh::limits::MESSAGE_BYTES)
        .on_upgrade(move |socket| connection::serve(socket, address.ip(), desk))
}

async fn health(State(desk): State<Arc<DeskHandle>>) -> Response {
    match desk.status().await {
        Some((status, uptime)) => Json(connection::health(&status, uptime)).into_response(),
        None => axum::http::StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
