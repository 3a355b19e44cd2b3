//! The status as the commands print it today, for scripts: names in snake case, and `null` for what
//! there is not.

use serde_json::{Map, Value, json};
use taiinet_identity::PeerId;
use taiinet_mesh::{Blacklisted, LinkStatus, Status};

use super::state_name;

/// The status of a peer.
pub fn status(peer: PeerId, status: &Status) -> Value {
    let counters = &status.counters;
    let rejected: Map<String, Value> = counters
        .rejected
        .iter()
        .map(|(misbehaviour, count)| (format!("{misbehaviour:?}"), (*count).into()))
        .collect();
    json!({
        "peer_id": peer,
        "links": status.links.iter().map(link).collect::<Vec<_>>(),
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
        "blacklist": status.blacklist.iter().map(blacklisted).collect::<Vec<_>>(),
        "counters": {
            "published": counters.published,
            "left_out": counters.left_out,
            "unopened": counters.unopened,
            "unknown": counters.unknown,
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

fn link(link: &LinkStatus) -> Value {
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

/// One that is blacklisted.
pub fn blacklisted(listed: &Blacklisted) -> Value {
    json!({
        "peer": listed.peer,
        "until": listed.until,
        "misbehaviour": listed.misbehaviour,
        "times": listed.times,
    })
}
