//! The checks, one after the other.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant, SystemTime},
};

use taiinet::{Builder, LinkFailure, Status, TaiiNet};
use taiinet_webrtc::{Family, Stun, StunError, WebSockets, probe};
use tokio::{sync::mpsc::UnboundedSender, time::timeout};

use super::finding::{Finding, State};
use crate::{exit::Exit, hints, net::NetArgs};

/// A clock that is off by more makes others refuse what this peer publishes.
const CLOCK: Duration = Duration::from_secs(110);
/// A clock that is off by more should be set.
const CLOCK_NOTE: Duration = Duration::from_secs(10);

pub(super) struct Checkup {
    signallers: Vec<String>,
    builder: Box<dyn Fn() -> Result<Builder, Exit> + Send + Sync>,
    sockets: WebSockets,
    patience: Duration,
    report: UnboundedSender<Finding>,
}

impl Checkup {
    pub(super) fn new(
        net: &NetArgs,
        patience: Duration,
        report: UnboundedSender<Finding>,
    ) -> Result<Self, Exit> {
        // No other peer is in this network.
        let network = format!("doctor {:016x}", getrandom::u64().map_err(Exit::failed)?);
        let net = net.clone();
        let signallers = net.signallers()?;
        let sockets = WebSockets::new(&net.roots()?);
        let builder = Box::new(move || Ok(net.builder()?.network(&*network)));
        Ok(Self { signallers, builder, sockets, patience, report })
    }

    fn say(&self, finding: Finding) {
        let _ = self.report.send(finding);
    }

    pub(super) async fn run(self) -> Result<(), Exit> {
        if !self.signallers_and_clock().await {
            return Ok(());
        }
        let one = (self.builder)()?.connect().await?;
        let status = self.joined(&one).await?;
        let Some(status) = status else { return Ok(()) };
        self.stun(&status).await;
        let other = (self.builder)()?.connect().await?;
        self.direct(&one, &other).await?;
        one.close().await;
        other.close().await;
        self.turn(&status).await
    }

    /// Whether any can be reached.
    async fn signallers_and_clock(&self) -> bool {
        let mut reached = false;
        for url in &self.signallers {
            let plain = url.split('#').next().unwrap_or(url);
            match probe(plain, &self.sockets, self.patience).await {
                Ok(probed) => {
                    reached = true;
                    let says = format!("{plain} answers in {} ms", probed.took.as_millis());
                    self.say(Finding::new("signaller", State::Good, says));
                    if let Some(theirs) = probed.clock {
                        self.clock(theirs);
                    }
                }
                // Somebody is there.
                Err(LinkFailure::Mistaken { what, cure }) => {
                    let says = format!("{plain}: {what}");
                    self.say(Finding::new("signaller", State::Bad, says).cure(cure));
                }
                Err(error) => {
                    let says = format!("{plain}: {error}");
                    self.say(Finding::new("signaller", State::Bad, says).cure(
                        "is the address right, does it run, does a firewall let you out to it?",
                    ));
                }
            }
        }
        reached
    }

    fn clock(&self, theirs: SystemTime) {
        let now = SystemTime::now();
        let (off, side) = match now.duration_since(theirs) {
            Ok(ahead) => (ahead, "ahead of"),
            Err(behind) => (behind.duration(), "behind"),
        };
        let side = if off > CLOCK_NOTE { side } else { "from" };
        let says = format!("{} s {side} the signaller's", off.as_secs());
        let finding = if off > CLOCK {
            Finding::new("clock", State::Bad, says)
                .cure("set this machine's clock: others refuse what is dated so far off")
        } else if off > CLOCK_NOTE {
            Finding::new("clock", State::Note, says).cure("set this machine's clock soon")
        } else {
            Finding::new("clock", State::Good, says)
        };
        self.say(finding);
    }

    /// Waits until a signaller has taken our join.
    async fn joined(&self, net: &TaiiNet) -> Result<Option<Status>, Exit> {
        let begun = Instant::now();
        loop {
            let status = net.status().await?;
            if let Some(joined) = status.signallers.iter().find(|signaller| signaller.joined) {
                let says =
                    format!("{} took our join in {} ms", joined.url, begun.elapsed().as_millis());
                self.say(Finding::new("join", State::Good, says));
                // What it names for finding paths comes right after.
                tokio::time::sleep(Duration::from_millis(100)).await;
                return Ok(Some(net.status().await?));
            }
            if begun.elapsed() > self.patience {
                let says = hints::why_alone(&status).replace('\n', ";");
                self.say(Finding::new("join", State::Bad, says).cure(
                    "ask the operator whether this network and key are served, unless it says something else",
                ));
                return Ok(None);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn stun(&self, status: &Status) {
        let servers =
            status.ice_servers.iter().filter_map(|server| server.url.strip_prefix("stun:"));
        let servers: Vec<&str> = servers.collect();
        if servers.is_empty() {
            let says = "the signaller names no STUN server".to_owned();
            let cure = "peers behind NATs will not find each other; ask the operator for --stun";
            return self.say(Finding::new("STUN", State::Note, says).cure(cure));
        }
        let v4 = self.stun_over(Family::V4, &servers);
        let v6 = self.stun_over(Family::V6, &servers);
        tokio::join!(v4, v6);
    }

    /// Asks all servers from one socket.
    async fn stun_over(&self, family: Family, servers: &[&str]) {
        let over = match family {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        };
        // Without a socket of this family there are no links by it either.
        let Ok(socket) = Stun::new(family).await else { return };
        let mut seen = BTreeSet::new();
        for server in servers {
            match socket.ask(server, self.patience).await {
                Ok(address) => {
                    seen.insert(address);
                    let says = format!("{server} sees this machine as {address}");
                    self.say(Finding::new("STUN", State::Good, says));
                }
                // It is asked over the other.
                Err(StunError::OtherFamily) => {}
                Err(StunError::NoAddress) if family == Family::V6 => {}
                Err(StunError::Io(error)) => {
                    let says = format!("{server}: no way there over {over}: {error}");
                    let cure =
                        format!("links go without {over}, unless your network is to have it");
                    self.say(Finding::new("STUN", State::Note, says).cure(cure));
                }
                Err(error) => {
                    let says = format!("{server} over {over}: {error}");
                    let cure =
                        "a firewall may keep UDP from it; without UDP links go through TURN only";
                    self.say(Finding::new("STUN", State::Note, says).cure(cure));
                }
            }
        }
        let outside: Vec<_> = seen.iter().filter(|address| !address.ip().is_loopback()).collect();
        if outside.len() > 1 {
            let says = "each server sees another address: a NAT that lets no direct links through";
            let cure = "links will go through TURN; or use a network with another router";
            self.say(Finding::new("STUN", State::Note, says.to_owned()).cure(cure));
        }
    }

    /// Two peers of this machine.
    async fn direct(&self, one: &TaiiNet, other: &TaiiNet) -> Result<(), Exit> {
        let begun = Instant::now();
        if timeout(self.patience, other.connected()).await.is_ok() {
            let took = begun.elapsed().as_millis();
            let says = format!("two peers on this machine linked in {took} ms");
            self.say(Finding::new("links", State::Good, says));
        } else {
            let why = hints::why_alone(&one.status().await?).replace('\n', ";");
            let says = format!("two peers on this machine did not link: {why}");
            let cure = "does a firewall on this machine keep UDP between programs? --bind picks an address";
            self.say(Finding::new("links", State::Bad, says).cure(cure));
        }
        Ok(())
    }

    async fn turn(&self, status: &Status) -> Result<(), Exit> {
        let mut servers = status.ice_servers.iter();
        let Some(server) = servers.find(|server| server.url.starts_with("turn")) else {
            let says = "the signaller names no TURN server".to_owned();
            let cure = "peers whose NATs let no direct links through stay apart; ask the operator for --turn";
            self.say(Finding::new("TURN", State::Note, says).cure(cure));
            return Ok(());
        };
        let url = &server.url;
        let one = (self.builder)()?.relay_only(true).connect().await?;
        let other = (self.builder)()?.relay_only(true).connect().await?;
        let begun = Instant::now();
        let finding = if timeout(self.patience * 2, other.connected()).await.is_ok() {
            let says =
                format!("two peers linked through {url} in {} ms", begun.elapsed().as_millis());
            Finding::new("TURN", State::Good, says)
        } else {
            let says = format!("no link through {url}");
            let cure =
                "ask the operator: does it run, is its secret the signaller's, may you reach it?";
            Finding::new("TURN", State::Bad, says).cure(cure)
        };
        self.say(finding);
        one.close().await;
        other.close().await;
        Ok(())
    }
}
