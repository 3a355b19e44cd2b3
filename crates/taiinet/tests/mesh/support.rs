//! What the tests have in common.

use std::{net::SocketAddr, time::Duration};

use taiinet::{Builder, Delivery, Identity, PeerId, Subscription, TaiiNet};
use taiinet_identity::Seed;
use taiinet_signaller::{
    DeskConfig,
    server::{SecondStun, Server, ServerConfig, StunAddress},
};
use tokio::{sync::oneshot, task::JoinHandle};
use tracing_subscriber::{
    filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt,
};

/// The end of any patience: far longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the future gives, or a panic that says what did not happen.
#[track_caller]
pub(crate) fn within<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let what = what.to_owned();
    let at = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(PATIENCE, future).await {
            Ok(value) => value,
            Err(_) => panic!("{at}: not within {PATIENCE:?}: {what}"),
        }
    }
}

/// A peer that is to be introduced by this signaller, on loopback alone.
pub(crate) fn peer(signaller: &str) -> Builder {
    let loopback = "127.0.0.1".parse().unwrap();
    TaiiNet::builder().network("tests").signaller(signaller).bind([loopback])
}

pub(crate) async fn connect(signaller: &str) -> TaiiNet {
    peer(signaller).connect().await.unwrap()
}

/// The next delivery.
pub(crate) async fn next(subscription: &mut Subscription) -> Delivery {
    within("a delivery", subscription.next()).await.expect("the peer runs")
}

/// Reads until a delivery whose field `n` is `last`, and gives the `n` of all.
pub(crate) async fn numbers_until(subscription: &mut Subscription, last: i64) -> Vec<i64> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        numbers.push(number(&next(subscription).await));
    }
    numbers
}

pub(crate) fn number(delivery: &Delivery) -> i64 {
    match delivery.data().get("n") {
        Some(taiinet::Value::Int(number)) => *number,
        other => panic!("no number: {other:?}"),
    }
}

/// A signaller on loopback; dropping it stops it.
pub(crate) struct Signaller {
    pub(crate) url: String,
    pub(crate) peer_id: PeerId,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
}

/// A signaller that was stopped.
pub(crate) struct Stopped(SocketAddr);

impl Signaller {
    pub(crate) async fn start() -> Self {
        // For RUST_LOG; of several tests in one process the first one sets it.
        let filter = std::env::var("RUST_LOG").ok().and_then(|log| log.parse::<Targets>().ok());
        let log = fmt::layer().with_test_writer();
        let _ = registry().with(filter.unwrap_or_default()).with(log).try_init();
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    async fn start_at(address: SocketAddr) -> Self {
        let config = ServerConfig {
            listen: vec![address],
            stun: StunAddress::Off,
            second_stun: SecondStun::Off,
            desk: DeskConfig::default(),
        };
        let identity = Identity::from_seed(&Seed::from_bytes([42; 32]));
        let server = Server::bind(config, identity).await.expect("a free port");
        let (address, peer_id) = (server.addresses()[0], server.peer_id());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async { drop(stopped.await) }));
        Self { url: format!("ws://{address}"), peer_id, address, stop, running }
    }

    pub(crate) async fn stop(self) -> Stopped {
        drop(self.stop);
        within("the signaller's end", self.running).await.unwrap().unwrap();
        Stopped(self.address)
    }
}

impl Stopped {
    pub(crate) async fn start_again(self) -> Signaller {
        Signaller::start_at(self.0).await
    }
}
