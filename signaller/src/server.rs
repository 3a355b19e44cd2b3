//! The server around a [`Desk`]: WebSockets, STUN, metrics.
//!
//! One task owns the desk. Each connection has one task that reads and writes, with bounded queues
//! between it and the desk: a reader that is too fast waits, and a client that does not read what it
//! asked for is dropped, never buffered.

mod accept;
mod answer;
mod certificate;
mod clock;
mod config;
mod connection;
#[cfg(unix)]
mod control;
mod counters;
mod crowds;
mod current;
mod desk_task;
mod error;
mod files;
mod gate;
mod handshakes;
mod head;
mod lists;
mod member;
mod metrics;
mod operators;
mod outbox;
mod prefix;
mod proxies;
mod pulse;
mod reload;
mod report;
mod shared;
mod stun;
mod timings;
mod tls;
mod upgrade;
mod visit;
mod visitor;
mod websocket;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rand_core::{Rng as _, UnwrapErr};
use taiinet_identity::{Identity, PeerId};
use tokio::{
    net::{TcpListener, UdpSocket},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Desk, limits};
use accept::Door;
use clock::Clock;
use counters::Counters;
use current::{Current, Listed, Watched};
use desk_task::DeskTask;
use gate::Gate;
use handshakes::Handshakes;
use outbox::Room;
use shared::Shared;

pub use config::{AcceptConfig, ServerConfig, StunAddress};
pub use error::ServerError;
pub use files::{read_file, read_text};
pub use gate::GateConfig;
pub use lists::{ListError, ListFiles};
pub use prefix::{AddressPrefix, PrefixError};
pub use proxies::{Proxies, ProxyHeader};
pub use pulse::Pulse;
pub use reload::Reload;
pub use report::{PoolReport, Relays, Report, Share};
pub use stun::SecondStun;
pub use tls::{TlsError, TlsFiles};

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
            // The system chose a port that is free for TCP; another program has it for UDP.
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
    doors: Vec<(TcpListener, Door)>,
    addresses: Vec<SocketAddr>,
    metrics: Option<SocketAddr>,
    #[cfg(unix)]
    control: Option<control::Control>,
    stun: Vec<UdpSocket>,
    peer_id: PeerId,
    desk: DeskTask,
    shared: Shared,
    reload: Reload,
}

impl Server {
    /// Binds all addresses; plain WebSockets, the limits of [`crate::limits`].
    ///
    /// # Errors
    /// [`ServerError`]
    pub async fn bind(config: ServerConfig, identity: Identity) -> Result<Self, ServerError> {
        Self::bind_with(config, AcceptConfig::default(), identity).await
    }

    /// Binds all addresses, and reads the certificate and the lists.
    ///
    /// # Errors
    /// [`ServerError`]
    pub async fn bind_with(
        config: ServerConfig,
        accept: AcceptConfig,
        identity: Identity,
    ) -> Result<Self, ServerError> {
        if config.listen.is_empty() {
            return Err(ServerError::NoAddress);
        }
        // Files are read before anything listens.
        let current = Current::load(accept)?;
        current.log_warnings();
        let (mut doors, mut addresses, mut stun) = (Vec::new(), Vec::new(), Vec::new());
        for address in config.listen {
            let (listener, socket) = bind(address, config.stun == StunAddress::Same).await?;
            let second = match &socket {
                Some(first) => config.second_stun.bind(first, address.port() == 0).await,
                None => None,
            };
            let refused = |error| ServerError::Listen { address, what: "TCP", error };
            addresses.push(listener.local_addr().map_err(refused)?);
            doors.push((listener, Door::Public));
            stun.extend(socket.into_iter().chain(second));
        }
        if let StunAddress::At(address) = config.stun {
            let first = bind_stun(address).await?;
            let second = config.second_stun.bind(&first, address.port() == 0).await;
            stun.extend([first].into_iter().chain(second));
        }
        let mut metrics = None;
        if let Some(address) = current.config.metrics {
            let (listener, _) = bind(address, false).await?;
            metrics = listener.local_addr().ok();
            doors.push((listener, Door::Metrics));
        }
        #[cfg(unix)]
        let control = listen_at(current.config.control.as_ref())?;
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
        if let Some(pool) = &mut desk_config.pool {
            pool.address =
                pool.address.take().or_else(|| reachable(&addresses, current.tls.is_some()));
        }
        let mut current = current;
        current.config.pool = desk_config.pool.is_some();
        if let Some(relaying) = &desk_config.relaying {
            let (frames, each_second) = relaying.frames();
            let (most, most_each_second) = current.config.gate.frames;
            current.config.gate.frames = (
                most.saturating_add(2 * frames),
                most_each_second.saturating_add(each_second.saturating_mul(2)),
            );
        }
        let desk = Desk::new(identity, desk_config, seed, clock.now());
        let (desk, shared, reload) = assemble(desk, clock, current);
        Ok(Self {
            doors,
            addresses,
            metrics,
            #[cfg(unix)]
            control,
            stun,
            peer_id,
            desk,
            shared,
            reload,
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where it tells metrics, if anywhere.
    pub const fn metrics(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// Its addresses as peers take them, with its key: `ws://127.0.0.1:7700#tn1…`.
    pub fn urls(&self) -> Vec<String> {
        let scheme = if self.shared.current().tls.is_some() { "wss" } else { "ws" };
        let url = |address| format!("{scheme}://{address}#{}", self.peer_id);
        self.addresses.iter().map(url).collect()
    }

    /// Its key, by which peers and other signallers know it.
    pub const fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    /// What reloads what it serves by.
    pub fn reload(&self) -> Reload {
        self.reload.clone()
    }

    /// What says whether it is well.
    pub fn pulse(&self) -> Pulse {
        Pulse { desk: self.shared.desk.clone(), clock: self.shared.clock }
    }

    /// Serves until `shutdown` is done, then tells all clients and closes, within the time that was
    /// configured.
    ///
    /// # Errors
    /// If a task of its own fails.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
        let shared = Arc::new(self.shared);
        let desk = tokio::spawn(self.desk.run());
        // Ends when this does, so that the port is free again.
        let mut stun = JoinSet::new();
        let pace = stun::Pace::new(shared.current().config.gate.prefixes, Instant::now());
        let pace = Arc::new(Mutex::new(pace));
        for socket in self.stun {
            stun.spawn(stun::serve(socket, pace.clone()));
        }
        stun.spawn(look_at_certificate(shared.watched.clone(), limits::CERTIFICATE_LOOK));
        let mut listeners = JoinSet::new();
        for (listener, door) in self.doors {
            listeners.spawn(shared.clone().listen(listener, door));
        }
        #[cfg(unix)]
        if let Some(control) = self.control {
            listeners.spawn(shared.clone().listen_to_owners(control));
        }
        let result = tokio::select! {
            () = shutdown => Ok(()),
            Some(ended) = listeners.join_next() => ended.map_err(Into::into),
        };
        tracing::info!("stopping");
        shared.stop.cancel();
        shared.tasks.close();
        let ended = timeout(shared.current().config.drain_timeout, async {
            listeners.join_all().await;
            shared.desk.drain().await;
            let _ = desk.await;
            shared.tasks.wait().await;
        });
        if ended.await.is_err() {
            tracing::warn!(left = shared.tasks.len(), "some did not go in time");
        }
        result
    }
}

/// An address at which others can reach this server, as far as it can know.
fn reachable(addresses: &[SocketAddr], tls: bool) -> Option<String> {
    let scheme = if tls { "wss" } else { "ws" };
    let known = || addresses.iter().filter(|address| !address.ip().is_unspecified());
    let address = known().find(|address| !address.ip().is_loopback()).or_else(|| known().next())?;
    Some(format!("{scheme}://{address}"))
}

/// The control socket, if there is to be one.
#[cfg(unix)]
fn listen_at(path: Option<&PathBuf>) -> Result<Option<control::Control>, ServerError> {
    let bound = path.map(|path| {
        let refused = |error| ServerError::Control { path: path.clone(), error };
        control::Control::bind(path).map_err(refused)
    });
    bound.transpose()
}

/// Says again and again, once it is time, that the certificate is to be renewed.
async fn look_at_certificate(watched: Watched, every: Duration) {
    loop {
        sleep(every).await;
        let current = watched.borrow().clone();
        if let Some(concern) = current.tls.as_ref().and_then(tls::Tls::concern) {
            concern.log();
        }
    }
}

impl AcceptConfig {
    /// Whether all files can be used: the certificate, its key, the lists. Says what can, but most likely
    /// not as it was meant, and until when the certificate is good.
    ///
    /// # Errors
    /// [`ServerError`]
    pub fn check(&self) -> Result<Vec<String>, ServerError> {
        let current = Current::load(self.clone())?;
        let mut said = current.warnings();
        if let Some(tls) = current.tls.as_ref().filter(|tls| tls.concern().is_none()) {
            said.extend(tls.sentence());
        }
        Ok(said)
    }
}

/// Puts the parts together.
fn assemble(desk: Desk, clock: Clock, current: Current) -> (DeskTask, Shared, Reload) {
    let counters = Arc::new(Counters::default());
    let (roots, gate, room) =
        (current.config.pool_roots.clone(), current.config.gate, current.config.outbox_total);
    let (sender, watched) = watch::channel(Arc::new(current));
    let desk = desk.with_admission(Box::new(Listed(watched.clone())));
    let (desk_task, desk) = DeskTask::new(desk, clock, counters.clone(), &roots);
    let places = |most| Arc::new(Handshakes::new(most, gate.prefixes));
    let shared = Shared {
        watched,
        clock,
        desk: desk.clone(),
        gate: Arc::new(Gate::new(gate, clock.now())),
        counters: counters.clone(),
        handshakes: places(gate.handshakes),
        refusals: places(limits::REFUSALS),
        operators: places(limits::OPERATORS),
        goodbyes: Semaphore::new(limits::GOODBYES),
        seen: tokio::sync::Mutex::default(),
        room: Room::new(room),
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
    };
    let reload = Reload {
        current: sender,
        desk,
        gate: shared.gate.clone(),
        handshakes: shared.handshakes.clone(),
        room: shared.room.clone(),
        counters,
    };
    (desk_task, shared, reload)
}

#[cfg(test)]
mod tests;
