//! `taiinet node`: a peer that stays. It takes part in networks without an application of its own, carries what
//! others publish, holds it for those who come, and can be watched.

mod address;
mod args;
mod blacklist;
mod config;
mod log;
mod members;
mod metrics;
mod server;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde_json::json;
use taiinet::Bandwidth;
use taiinet_daemon::{Log, Manager, Signals, Told};
use taiinet_terminal as terminal;
use tokio::{net::TcpListener, time::interval};

use crate::{
    exit::{CommandResult, Exit},
    net::NetArgs,
};
use address::MetricsAddress;
pub(crate) use args::NodeArgs;
use config::Settings;
use members::Members;
use server::Health;

/// How often the service manager is told how it goes.
const TELL_EVERY: Duration = Duration::from_secs(10);

pub(crate) async fn run(net: NetArgs, args: NodeArgs) -> CommandResult {
    let settings = Settings::read(&net, &args)?;
    if args.check_config {
        return settings.print(args.json);
    }
    let log = Log::start(log::filter(settings.log.as_deref()), settings.log_format);
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    let bandwidth = Bandwidth::default();
    settings.cap(&bandwidth);
    let listener = match settings.metrics {
        MetricsAddress::At(address) => Some(listen(address).await?),
        MetricsAddress::Off => None,
    };
    let metrics = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    // Whoever reads that it runs may tell it something at once.
    let signals =
        Signals::new().map_err(|error| Exit::failed(format!("cannot hear signals: {error}")))?;
    let members = Members::start(&settings, &bandwidth).await?;
    let health = Health::new(members.clone(), bandwidth.clone());
    if let Some(listener) = listener {
        tokio::spawn(server::serve(listener, health.clone()));
    }
    tracing::info!(networks = members.len(), "started");
    if let Err(error) = terminal::print(&announcement(&members, metrics, args.json)) {
        // It carries what it carries all the same.
        tracing::error!("what runs cannot be written to stdout: {error}");
    }
    let manager = Arc::new(Manager::from_env());
    manager.ready("started");
    let pulse = health.clone();
    let alive = manager.keep_alive(async || pulse.look().await.is_alive());
    let manager = manager.clone();
    let given = Arc::new((net, args));
    let mut serving = Serving { manager, given, settings, log, bandwidth, members, health };
    tokio::select! {
        () = serving.until_told_to_stop(signals) => {}
        never = alive => match never {},
    }
    serving.manager.stopping("leaving the networks");
    tracing::info!("leaving");
    serving.members.close().await;
    Ok(())
}

/// What runs, and where it can be watched.
fn announcement(members: &Members, metrics: Option<SocketAddr>, json: bool) -> String {
    let names = members.iter().map(|member| (member.network.as_str(), member.net.peer_id()));
    if json {
        let peers: Vec<_> = names
            .map(|(network, peer)| json!({ "network": network, "peer": peer.to_string() }))
            .collect();
        let line = json!({ "event": "started", "peers": peers, "metrics": metrics }).to_string();
        return format!("{}\n", terminal::json(&line));
    }
    let names = names.map(|(network, peer)| format!("{peer} on {}\n", terminal::line(network)));
    let metrics = metrics.map(|address| format!("metrics on http://{address}/metrics\n"));
    names.chain(metrics).collect()
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Exit> {
    TcpListener::bind(address).await.map_err(|error| {
        Exit::failed(format!(
            "cannot listen on {address} for metrics: {error}; --metrics takes another address, or `off`"
        ))
    })
}

/// A node that runs.
struct Serving {
    manager: Arc<Manager>,
    given: Arc<(NetArgs, NodeArgs)>,
    settings: Settings,
    log: Log,
    bandwidth: Bandwidth,
    members: Members,
    health: Health,
}

impl Serving {
    async fn until_told_to_stop(&mut self, mut signals: Signals) {
        let mut ticks = interval(TELL_EVERY);
        loop {
            tokio::select! {
                told = signals.next() => match told {
                    Told::Stop => return,
                    Told::Reload => self.reload().await,
                },
                _ = ticks.tick() => {
                    let picture = self.health.look().await;
                    self.manager.status(&picture.sentence());
                }
            }
        }
    }

    /// Reads the options again, and applies what can be applied to what runs.
    async fn reload(&mut self) {
        self.manager.reloading();
        match self.read_anew().await {
            Ok(settings) => {
                self.apply(settings).await;
                self.manager.reloaded(Ok(()));
            }
            Err(error) => {
                tracing::error!("not reloaded, what was read before counts on: {error}");
                self.manager.reloaded(Err(&error));
            }
        }
    }

    /// Files may lie where they take long: the peers, and what is said to the watchdog, do not wait for them.
    async fn read_anew(&self) -> Result<Settings, String> {
        let given = Arc::clone(&self.given);
        let read = tokio::task::spawn_blocking(move || Settings::read(&given.0, &given.1)).await;
        match read.map_err(|error| error.to_string())? {
            Ok(settings) => Ok(settings),
            Err(Exit::Usage(error) | Exit::Failed(error)) => Err(error),
            Err(Exit::BrokenPipe) => Err("a pipe is closed".to_owned()),
        }
    }

    async fn apply(&mut self, settings: Settings) {
        settings.cap(&self.bandwidth);
        self.log.set(log::filter(settings.log.as_deref()));
        self.members.apply_blacklist(&settings).await;
        for name in self.settings.changed_for_good(&settings) {
            tracing::warn!("{name} has changed: that takes a restart");
        }
        self.settings = settings;
        tracing::info!("reloaded: caps, log level, blacklist");
    }
}
