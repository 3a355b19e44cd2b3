//! The checks, in the order in which one needs another; what does not is done at once.

use std::time::Duration;

use taiinet::{Builder, SignallerRelay};
use taiinet_webrtc::{Nat, WebSockets};
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use super::{
    finding::Finding,
    report::{Path, Report},
    verdict,
};
use crate::{exit::Exit, net::NetArgs};

/// The share of the time that signallers may take; the rest is for the paths to other peers.
const FOR_SIGNALLERS: f32 = 0.6;

/// What all checks need.
pub(super) struct Checkup {
    pub(super) signallers: Vec<String>,
    pub(super) sockets: WebSockets,
    builder: Box<dyn Fn() -> Result<Builder, Exit> + Send + Sync>,
    patience: Duration,
    findings: UnboundedSender<Finding>,
}

impl Checkup {
    /// Findings are told as they come.
    pub(super) fn new(
        net: &NetArgs,
        patience: Duration,
        findings: UnboundedSender<Finding>,
    ) -> Result<Self, Exit> {
        let net = net.clone();
        let signallers = net.signallers()?;
        let sockets = WebSockets::new(&net.roots()?);
        let builder = Box::new(move || net.builder());
        Ok(Self { signallers, sockets, builder, patience, findings })
    }

    /// A peer as the options describe it, in a network in which no other is.
    pub(super) fn peer(&self, network: &str) -> Result<Builder, Exit> {
        Ok((self.builder)()?.network(network))
    }

    pub(super) fn say(&self, finding: Finding) {
        let _ = self.findings.send(finding);
    }

    /// All but the findings.
    pub(super) async fn run(self) -> Result<Report, Exit> {
        let begun = Instant::now();
        let end = begun + self.patience;
        let network = Self::network()?;
        let one = directly(self.peer(&network)?).connect().await?;
        let join_by = begun + self.patience.mul_f32(FOR_SIGNALLERS);
        let (mut report, status) = self.meet(&one, join_by).await?;
        if let Some(status) = status {
            let patience = end.saturating_duration_since(Instant::now());
            let (nat, host, turn, relay) = tokio::join!(
                self.nats(&status, patience),
                self.host(&one, &network, end),
                self.turn(&status, end),
                self.relay(&status, end),
            );
            report.paths.reflexive = reflexive([nat.ipv4.kind, nat.ipv6.kind]);
            report.paths.ipv6 = over(nat.ipv6.kind);
            (report.nat, report.paths.host) = (nat, host?);
            (report.paths.turn, report.paths.relay) = (turn?, relay?);
            self.say(verdict::path(&report));
        }
        one.close().await;
        Ok(report)
    }

    /// The name of a network in which no other peer is.
    pub(super) fn network() -> Result<String, Exit> {
        Ok(format!("doctor {:016x}", getrandom::u64().map_err(Exit::failed)?))
    }
}

/// A peer that shows whether a path is there, and not that a signaller makes up for it.
pub(super) fn directly(peer: Builder) -> Builder {
    peer.signaller_relay(SignallerRelay::Never)
}

/// Whether the address that a NAT shows to one is of use to another.
fn reflexive(nat: [Nat; 2]) -> Path {
    if nat.contains(&Nat::Open) || nat.contains(&Nat::Cone) {
        Path::Works { took_ms: None }
    } else if nat.contains(&Nat::Symmetric) || nat.contains(&Nat::Blocked) {
        Path::Fails
    } else {
        Path::Unknown
    }
}

/// Whether UDP passes.
const fn over(nat: Nat) -> Path {
    match nat {
        Nat::Unasked => Path::Unknown,
        Nat::Absent => Path::Missing,
        Nat::Blocked => Path::Fails,
        Nat::Open | Nat::Cone | Nat::Symmetric | Nat::Unknown => Path::Works { took_ms: None },
    }
}
