//! Signallers: whether they can be reached, what their clocks say, and whether they take us.

use std::time::{Duration, SystemTime};

use futures::future::join_all;
use taiinet::{Disconnect, LinkFailure, SignallerStatus, Status, TaiiNet};
use taiinet_webrtc::probe;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    checkup::Checkup,
    finding::{Finding, State},
    report::{Report, Signaller, milliseconds},
};
use crate::{exit::Exit, hints};

/// A clock that is off by more makes others refuse what this peer publishes.
const CLOCK: Duration = Duration::from_secs(110);
/// A clock that is off by more should be set.
const CLOCK_NOTE: Duration = Duration::from_secs(10);
/// How often is looked whether we have joined.
const GLANCE: Duration = Duration::from_millis(20);
/// How long the others are waited for when one has taken our join, and what it names beside.
const OTHERS: Duration = Duration::from_millis(500);

/// What a look at one has shown.
struct Look {
    signaller: Signaller,
    clock: Option<SystemTime>,
}

impl Checkup {
    /// Looks at each signaller while a peer joins them. With the status of the peer that has joined, if one took it.
    pub(super) async fn meet(
        &self,
        one: &TaiiNet,
        until: Instant,
    ) -> Result<(Report, Option<Status>), Exit> {
        let (reached, is_reached) = watch::channel(None);
        let looks = async {
            let looks = self.signallers.iter().map(|url| async {
                let look = self.look(url, until).await;
                if look.signaller.reachable {
                    reached.send_replace(Some(true));
                }
                look
            });
            let looks = join_all(looks).await;
            reached.send_if_modified(|reached| {
                reached.get_or_insert(false);
                true
            });
            looks
        };
        let (looks, status) = tokio::join!(looks, self.join(one, until, is_reached));
        let status = status?;
        let known = status.iter().flat_map(|status| &status.signallers);
        let mut report = Report {
            clock_ahead_ms: looks.iter().find_map(|look| Some(ahead(look.clock?))),
            pool: known.clone().count().saturating_sub(looks.len()),
            signallers: looks.into_iter().map(|look| look.signaller).collect(),
            ..Report::default()
        };
        for signaller in &mut report.signallers {
            if let Some(known) = known.clone().find(|known| is_same(known, &signaller.url)) {
                (signaller.joined, signaller.relays) = (known.joined, known.relays);
                signaller.key = known.signaller.map(|key| key.to_string());
            }
        }
        Ok((report, status))
    }

    /// Whether there is a signaller, and what time it has.
    async fn look(&self, url: &str, until: Instant) -> Look {
        let url = plain(url).to_owned();
        let patience = until.saturating_duration_since(Instant::now());
        let mut look = Look { signaller: Signaller { url, ..Signaller::default() }, clock: None };
        let url = &look.signaller.url;
        let (state, says, cure) = match probe(url, &self.sockets, patience).await {
            Ok(probed) => {
                let took = milliseconds(probed.took);
                let finding = (State::Good, format!("{url} answers in {took} ms"), None);
                look.clock = probed.clock;
                (look.signaller.reachable, look.signaller.took_ms) = (true, Some(took));
                finding
            }
            // Somebody is there.
            Err(LinkFailure::Mistaken { what, cure }) => {
                (State::Bad, format!("{url}: {what}"), Some(cure))
            }
            Err(error) => {
                let cure = "is the address right, does it run, does a firewall let you out to it?";
                (State::Bad, format!("{url}: {error}"), Some(cure.to_owned()))
            }
        };
        self.say(Finding { cure, ..Finding::new("signaller", state, says) });
        if let Some(theirs) = look.clock {
            self.clock(ahead(theirs));
        }
        look
    }

    fn clock(&self, ahead_ms: i64) {
        let off = Duration::from_millis(ahead_ms.unsigned_abs());
        let side = match ahead_ms {
            _ if off <= CLOCK_NOTE => "from",
            1.. => "ahead of",
            _ => "behind",
        };
        let says = format!("{} s {side} the signaller's", off.as_secs());
        self.say(if off > CLOCK {
            Finding::new("clock", State::Bad, says)
                .cure("set this machine's clock: others refuse what is dated so far off")
        } else if off > CLOCK_NOTE {
            Finding::new("clock", State::Note, says).cure("set this machine's clock soon")
        } else {
            Finding::new("clock", State::Good, says)
        });
    }

    /// Waits until a signaller has taken our join; none if none does, or none can be reached.
    async fn join(
        &self,
        net: &TaiiNet,
        until: Instant,
        reached: watch::Receiver<Option<bool>>,
    ) -> Result<Option<Status>, Exit> {
        let begun = Instant::now();
        loop {
            let status = net.status().await?;
            if status.signallers.iter().any(|signaller| signaller.joined) {
                let took = milliseconds(begun.elapsed());
                return Ok(Some(self.joined(net, took).await?));
            }
            match *reached.borrow() {
                // That was said.
                Some(false) => return Ok(None),
                _ if Instant::now() < until => {}
                _ => {
                    let says = hints::why_alone(&status).replace('\n', ";");
                    self.say(Finding::new("join", State::Bad, says).cure(
                        "ask the operator whether this network and key are served, unless it says something else",
                    ));
                    return Ok(None);
                }
            }
            sleep(GLANCE).await;
        }
    }

    /// One has taken our join: what it names comes right after, and others may follow.
    async fn joined(&self, net: &TaiiNet, took_ms: u64) -> Result<Status, Exit> {
        let until = Instant::now() + OTHERS;
        let status = loop {
            let status = net.status().await?;
            let given = self.signallers.iter().filter_map(|url| {
                status.signallers.iter().find(|known| is_same(known, plain(url)))
            });
            let all_said = given.clone().all(|one| one.joined || one.failure.is_some());
            if Instant::now() >= until || (all_said && !status.ice_servers.is_empty()) {
                break status;
            }
            sleep(GLANCE).await;
        };
        for given in &self.signallers {
            let Some(known) = status.signallers.iter().find(|known| is_same(known, plain(given)))
            else {
                continue;
            };
            let url = &known.url;
            match &known.failure {
                _ if known.joined => {
                    let relays = if known.relays { "; it relays" } else { "" };
                    let says = format!("{url} took our join in {took_ms} ms{relays}");
                    self.say(Finding::new("join", State::Good, says));
                }
                // Its look has said so.
                None | Some(Disconnect::Link(_) | Disconnect::DialTimeout) => {}
                Some(cause) => {
                    let says = format!("{url} does not take our join: {cause}");
                    let cure = "ask its operator, unless it says something else";
                    self.say(Finding::new("join", State::Bad, says).cure(cure));
                }
            }
        }
        Ok(status)
    }
}

/// An address without the key.
fn plain(url: &str) -> &str {
    url.split('#').next().unwrap_or(url)
}

fn is_same(known: &SignallerStatus, url: &str) -> bool {
    taiinet::SignallerAddress::is_same(&known.url, url)
}

/// How many milliseconds our clock is ahead of another.
fn ahead(theirs: SystemTime) -> i64 {
    let milliseconds = |time| i64::try_from(milliseconds(time)).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(theirs) {
        Ok(ahead) => milliseconds(ahead),
        Err(behind) => -milliseconds(behind.duration()),
    }
}
