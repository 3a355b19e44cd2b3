//! A peer's status as JSON, and the reports of it for scripts.

use std::time::Duration;

use serde_json::{Map, Value, json};
use taiinet::{LinkState, LinkStatus, PeerId, Status, TaiiNet};
use taiinet_terminal as terminal;

use crate::blacklist;

/// How often `--report` reports.
const REPORT_EVERY: Duration = Duration::from_millis(250);

/// The status of a peer.
pub(crate) fn status_json(peer_id: PeerId, status: &Status) -> Value {
    let counters = &status.counters;
    let rejected: Map<String, Value> = counters
        .rejected
        .iter()
        .map(|(misbehaviour, count)| (format!("{misbehaviour:?}"), (*count).into()))
        .collect();
    json!({
        "peer_id": peer_id,
        "links": status.links.iter().map(link_json).collect::<Vec<_>>(),
        "signallers": status.signallers.iter().map(|signaller| json!({
            "url": signaller.url,
            "peer": signaller.signaller,
            "joined": signaller.joined,
            "failure": signaller.failure.as_ref().map(ToString::to_string),
        })).collect::<Vec<_>>(),
        "candidates": status.candidates,
        "failed": status.failed.iter().map(|(peer, cause)| json!({
            "peer": peer,
            "cause": cause.to_string(),
        })).collect::<Vec<_>>(),
        "blacklist": status.blacklist.iter().map(blacklist::to_json).collect::<Vec<_>>(),
        "counters": {
            "published": counters.published,
            "delivered": counters.delivered,
            "received": counters.received,
            "duplicates": counters.duplicates,
            "sent": counters.sent,
            "announced": counters.announced,
            "grafted": counters.grafted,
            "rejected": rejected,
        },
    })
}

fn link_json(link: &LinkStatus) -> Value {
    json!({
        "peer": link.peer,
        "state": state_name(link.state),
        "incoming": link.incoming,
        "eager": link.eager,
        "dozing": link.dozing,
        "since": link.since.as_millis(),
        "round_trip_ms": link.round_trip_ms,
        "documents_sent": link.documents_sent,
        "documents_received": link.documents_received,
        "duplicates": link.duplicates,
        "rejected": link.rejected,
        "points": link.points,
        "queued_bytes": link.queued_bytes,
    })
}

pub(crate) const fn state_name(state: LinkState) -> &'static str {
    match state {
        LinkState::Dialling => "dialling",
        LinkState::Handshake => "handshake",
        LinkState::Active => "active",
    }
}

/// Writes a status to stderr again and again until the peer is closed: one line of JSON each,
/// `{"status": …}`.
pub(crate) fn spawn(net: &TaiiNet) {
    let net = net.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(REPORT_EVERY);
        loop {
            tick.tick().await;
            let Ok(status) = net.status().await else { break };
            write(&net, &status);
        }
    });
}

/// Writes the last status of a run, so that its reader sees the end of it.
pub(crate) async fn finish(net: &TaiiNet) {
    if let Ok(status) = net.status().await {
        write(net, &status);
    }
}

fn write(net: &TaiiNet, status: &Status) {
    let status = json!({ "status": status_json(net.peer_id(), status) }).to_string();
    eprintln!("{}", terminal::json(&status));
}
