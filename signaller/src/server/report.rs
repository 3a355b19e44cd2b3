//! How a signaller is, for its operator: what is open and how near that is to its limits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{desk_task::Picture, shared::Shared};
use crate::{DeskView, Refused, limits};

/// How a signaller is: the answer to `/status`. It names nobody, unless the [`DeskView`] was asked for names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Which version runs.
    pub version: String,
    /// For how long, in seconds.
    pub uptime_s: u64,
    /// Milliseconds since the desk last said how it is: thousands if it cannot keep up.
    pub desk_age_ms: u64,
    /// WebSockets.
    pub connections: Share,
    /// Connections that have not said yet what they want.
    pub handshakes: Share,
    /// Bytes that wait for clients to read them.
    pub waiting_bytes: Share,
    /// Networks that have peers here.
    pub networks: Share,
    /// Bytes of memory that it has in RAM, where the system tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident_bytes: Option<u64>,
    /// Until when its certificate is good, in seconds since 1970; none without TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_until: Option<u64>,
    /// Peers that are kept out for what they did.
    pub blacklisted: u64,
    /// Connections that were not let in, so far, by reason.
    pub connections_refused: BTreeMap<String, u64>,
    /// Handshakes that came to nothing, so far, by reason.
    pub handshakes_failed: BTreeMap<String, u64>,
    /// What clients were refused, so far, by reason.
    pub refused: BTreeMap<String, u64>,
    /// What became of signals, so far.
    pub signals: BTreeMap<String, u64>,
    /// Links between clients that are relayed.
    pub relaying: Relays,
    /// The pool of signallers, if it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolReport>,
    /// Who is here; none if the desk was too busy to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub here: Option<DeskView>,
}

/// How much of something there is, and how much there may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Share {
    /// So much there is.
    pub now: u64,
    /// So much there may be.
    pub limit: u64,
}

/// Links that are relayed between clients that have no direct path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Relays {
    /// Now.
    pub links: u64,
    /// So far.
    pub opened: u64,
    /// Bytes that they carried, so far.
    pub bytes: u64,
}

/// The pool as one signaller sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolReport {
    /// Other signallers that are linked.
    pub linked: u64,
    /// Their peers.
    pub presences: u64,
    /// What they were refused, so far, by reason.
    pub refused: BTreeMap<String, u64>,
}

impl Share {
    fn of(now: usize, limit: usize) -> Self {
        Self { now: now as u64, limit: limit as u64 }
    }
}

/// Of reasons that are names of ours.
fn counts(counts: impl IntoIterator<Item = (&'static str, u64)>) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

impl Report {
    pub(super) fn of(shared: &Shared, picture: &Picture, here: Option<DeskView>) -> Self {
        let (status, current) = (&picture.status, shared.current());
        let refused = |by: &BTreeMap<Refused, u64>| {
            counts(Refused::ALL.map(|why| (why.name(), by.get(&why).copied().unwrap_or_default())))
        };
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: shared.clock.uptime().as_secs(),
            desk_age_ms: u64::try_from(shared.age(picture).as_millis()).unwrap_or(u64::MAX),
            connections: Share::of(shared.gate.connections(), current.config.gate.clients),
            handshakes: Share::of(shared.handshakes.taken(), current.config.gate.handshakes),
            waiting_bytes: Share::of(shared.room.waiting(), current.config.outbox_total),
            networks: Share::of(status.networks, limits::NETWORKS),
            resident_bytes: taiinet_daemon::resident(),
            certificate_until: shared.certificate_until(),
            blacklisted: status.blacklisted as u64,
            connections_refused: counts(shared.counters.all_turned()),
            handshakes_failed: counts(shared.counters.handshakes_failed()),
            refused: refused(&status.refused),
            signals: counts([
                ("routed", status.signals),
                ("unreachable", status.unreachable),
                ("relayed", status.relayed),
            ]),
            relaying: Relays {
                links: status.circuits as u64,
                opened: status.circuits_opened,
                bytes: status.circuit_bytes,
            },
            pool: current.config.pool.then(|| PoolReport {
                linked: status.members as u64,
                presences: status.remote as u64,
                refused: refused(&status.refused_of_pool),
            }),
            here,
        }
    }
}
