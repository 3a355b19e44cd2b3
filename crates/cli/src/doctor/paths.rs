//! The ways in which a link can be had, each tried by two peers of this machine, and the NAT before it.

use std::time::Duration;

use taiinet::{Builder, SignallerRelay, Status, TaiiNet};
use taiinet_webrtc::{Answer, Family, Nat, StunError, ask_stun};
use tokio::time::{Instant, timeout_at};

use super::{
    checkup::{Checkup, directly},
    finding::{Finding, State},
    report::{Mapping, Nats, Path, milliseconds},
};
use crate::{exit::Exit, hints};

impl Checkup {
    /// Asks the STUN servers that were named, by both families.
    pub(super) async fn nats(&self, status: &Status, patience: Duration) -> Nats {
        let servers =
            status.ice_servers.iter().filter_map(|server| server.url.strip_prefix("stun:"));
        let servers: Vec<&str> = servers.collect();
        if servers.is_empty() {
            let says = "the signaller names no STUN server";
            let cure = "peers behind NATs will not find each other; ask the operator for --stun";
            self.say(Finding::new("STUN", State::Note, says).cure(cure));
            return Nats::default();
        }
        let (ipv4, ipv6) = tokio::join!(
            self.nat(Family::V4, &servers, patience),
            self.nat(Family::V6, &servers, patience),
        );
        Nats { ipv4, ipv6 }
    }

    async fn nat(&self, family: Family, servers: &[&str], patience: Duration) -> Mapping {
        let Ok(answers) = ask_stun(family, servers, patience).await else {
            return Mapping { kind: Nat::Absent, mapped: None };
        };
        let kind = Nat::of(&answers);
        if let Some(finding) = finding_of(family, kind, &answers) {
            self.say(finding);
        }
        let mapped = answers.iter().find_map(|answer| answer.seen.as_ref().ok());
        Mapping { kind, mapped: mapped.map(|seen| seen.mapped.to_string()) }
    }

    /// Two peers of this machine, directly; `one` is there.
    pub(super) async fn host(
        &self,
        one: &TaiiNet,
        network: &str,
        until: Instant,
    ) -> Result<Path, Exit> {
        let begun = Instant::now();
        let other = directly(self.peer(network)?).connect().await?;
        let linked = timeout_at(until, other.connected()).await.is_ok();
        let (path, finding) = if linked {
            let took = milliseconds(begun.elapsed());
            let says = format!("two peers on this machine linked in {took} ms");
            (Path::Works { took_ms: Some(took) }, Finding::new("links", State::Good, says))
        } else {
            let why = hints::why_alone(&one.status().await?).replace('\n', ";");
            let says = format!("two peers on this machine did not link: {why}");
            let cure = "does a firewall on this machine keep UDP between programs? --bind picks an address";
            (Path::Fails, Finding::new("links", State::Bad, says).cure(cure))
        };
        self.say(finding);
        other.close().await;
        Ok(path)
    }

    /// Two peers of this machine, through the TURN server that was named.
    pub(super) async fn turn(&self, status: &Status, until: Instant) -> Result<Path, Exit> {
        let mut servers = status.ice_servers.iter();
        let Some(server) = servers.find(|server| server.url.starts_with("turn")) else {
            let says = "the signaller names no TURN server";
            let finding = Finding::new("TURN", State::Note, says);
            let relays = status.signallers.iter().any(|signaller| signaller.relays);
            // Links that cannot be had directly go through the signaller then.
            self.say(if relays {
                finding
            } else {
                finding.cure(
                    "peers whose NATs let no direct links through stay apart; ask the operator for --turn or --relay",
                )
            });
            return Ok(Path::Missing);
        };
        let url = &server.url;
        let linked = self.pair(until, |peer| directly(peer.relay_only(true))).await?;
        let cure =
            "ask the operator: does it run, is its secret the signaller's, may you reach it?";
        let otherwise =
            Finding::new("TURN", State::Bad, format!("no link through {url}")).cure(cure);
        Ok(self.tell("TURN", url, linked, otherwise))
    }

    /// Two peers of this machine that use nothing but their connections to the signaller.
    pub(super) async fn relay(&self, status: &Status, until: Instant) -> Result<Path, Exit> {
        let Some(signaller) = status.signallers.iter().find(|signaller| signaller.relays) else {
            return Ok(Path::Missing);
        };
        let url = &signaller.url;
        let only = |peer: Builder| peer.signaller_relay(SignallerRelay::Only);
        let linked = self.pair(until, only).await?;
        let says = format!("no link through the signaller {url}, though it relays");
        let cure = "ask the operator: are its quotas for relayed links used up?";
        let otherwise = Finding::new("relay", State::Note, says).cure(cure);
        Ok(self.tell("relay", &format!("the signaller {url}"), linked, otherwise))
    }

    /// Says whether two peers linked through this, and in how many milliseconds, or what is found `otherwise`.
    fn tell(
        &self,
        name: &'static str,
        through: &str,
        linked: Option<u64>,
        otherwise: Finding,
    ) -> Path {
        let Some(took_ms) = linked else {
            self.say(otherwise);
            return Path::Fails;
        };
        let says = format!("two peers linked through {through} in {took_ms} ms");
        self.say(Finding::new(name, State::Good, says));
        Path::Works { took_ms: Some(took_ms) }
    }

    /// Two peers of this machine, in a network of their own: how many milliseconds it took to link them.
    async fn pair(
        &self,
        until: Instant,
        only: impl Fn(Builder) -> Builder,
    ) -> Result<Option<u64>, Exit> {
        let network = Self::network()?;
        let begun = Instant::now();
        let one = only(self.peer(&network)?).connect().await?;
        let other = only(self.peer(&network)?).connect().await?;
        let linked = timeout_at(until, other.connected()).await.is_ok();
        let took = milliseconds(begun.elapsed());
        tokio::join!(one.close(), other.close());
        Ok(linked.then_some(took))
    }
}

/// What the answers by one family show; nothing, if nobody was asked by it.
fn finding_of(family: Family, kind: Nat, answers: &[Answer]) -> Option<Finding> {
    let (check, family) = match family {
        Family::V4 => ("IPv4", "IPv4"),
        Family::V6 => ("IPv6", "IPv6"),
    };
    let seen = || {
        let told = answers.iter().filter_map(|answer| {
            let seen = answer.seen.as_ref().ok()?;
            Some(format!("{} sees this machine as {}", answer.server, seen.mapped))
        });
        told.collect::<Vec<_>>().join(", ")
    };
    let silent = || {
        let silent = answers.iter().filter_map(|answer| match answer.seen.as_ref().err()? {
            StunError::OtherFamily | StunError::NoAddress => None,
            error => Some(format!("{}: {error}", answer.server)),
        });
        silent.collect::<Vec<_>>().join(", ")
    };
    let finding = |state, says: String| Finding::new(check, state, says);
    Some(match kind {
        // It is asked over the other, or the machine has none of it: links go without.
        Nat::Unasked | Nat::Absent => return None,
        Nat::Open => finding(State::Good, format!("no NAT: {}", seen())),
        Nat::Cone => finding(
            State::Good,
            format!("a cone NAT (endpoint-independent mapping): {}", seen()),
        ),
        Nat::Symmetric => finding(
            State::Note,
            format!("a symmetric NAT, which shows each another address: {}", seen()),
        )
        .cure("two peers behind such need TURN or a relay; another router may do better"),
        Nat::Unknown => {
            let silent = match silent() {
                none if none.is_empty() => "there is no other to ask".to_owned(),
                silent => silent,
            };
            finding(State::Note, format!("a NAT of a kind that one server cannot tell: {}; {silent}", seen()))
                .cure("ask the signaller's operator to open the UDP port of --stun-second")
        }
        Nat::Blocked => finding(State::Note, format!("UDP over {family} is blocked: {}", silent()))
            .cure("a firewall may keep UDP from it; without UDP links go through TURN or a relay only"),
    })
}
