//! Events and status as JSON: in one place for pages and scripts, so that what is new in the core comes
//! to both. Pages get the names that JavaScript uses, scripts those of [`snake_case`].

pub mod snake_case;

use std::collections::BTreeMap;

use serde::Serialize;
use taiinet_identity::PeerId;
use taiinet_mesh::{
    Blacklisted, Counters, Event, LinkState, LinkStatus, SignallerAddress, Spreading, Status, Time,
    wire::Kept,
};

use crate::diagnosis::diagnose;

/// An event of the core; none for what is told otherwise.
pub fn event(event: &Event) -> Option<String> {
    let event = match event {
        Event::PeerConnected { peer, .. } => JsonEvent::PeerConnected { peer: peer.to_string() },
        Event::PeerDisconnected { peer, cause } => {
            JsonEvent::PeerDisconnected { peer: peer.to_string(), cause: cause.to_string() }
        }
        Event::DialFailed { peer, cause } => {
            JsonEvent::DialFailed { peer: peer.to_string(), cause: cause.to_string() }
        }
        Event::SignallerJoined { url, signaller } => {
            JsonEvent::SignallerJoined { url: url.clone(), signaller: signaller.to_string() }
        }
        Event::SignallerLearned { url, signaller } => {
            JsonEvent::SignallerLearned { url: url.clone(), signaller: signaller.to_string() }
        }
        Event::SignallerLost { url, cause, retry_at } => JsonEvent::SignallerLost {
            url: url.clone(),
            cause: cause.to_string(),
            retry_at: retry_at.as_millis(),
        },
        Event::Rejected { peer, misbehaviour } => JsonEvent::Rejected {
            peer: peer.as_ref().map(PeerId::to_string),
            misbehaviour: format!("{misbehaviour:?}"),
            text: misbehaviour.to_string(),
        },
        Event::Blacklisted(listed) => JsonEvent::Blacklisted(Listed::from(listed)),
        Event::Taken { .. } | Event::Named { .. } | Event::Lost { .. } => return None,
    };
    serde_json::to_string(&event).ok()
}

/// The event that a driver has panicked.
pub fn panicked(message: String) -> String {
    serde_json::to_string(&JsonEvent::Panicked { message }).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum JsonEvent {
    PeerConnected { peer: String },
    PeerDisconnected { peer: String, cause: String },
    DialFailed { peer: String, cause: String },
    SignallerJoined { url: String, signaller: String },
    SignallerLearned { url: String, signaller: String },
    SignallerLost { url: String, cause: String, retry_at: u64 },
    Rejected { peer: Option<String>, misbehaviour: String, text: String },
    Blacklisted(Listed),
    Panicked { message: String },
}

/// One that is blacklisted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    peer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    misbehaviour: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    times: u8,
}

impl From<&Blacklisted> for Listed {
    fn from(listed: &Blacklisted) -> Self {
        Self {
            peer: listed.peer.to_string(),
            until: listed.until.map(|until| until.as_millis()),
            misbehaviour: listed.misbehaviour.map(|what| format!("{what:?}")),
            text: listed.misbehaviour.map(|what| what.to_string()),
            times: listed.times,
        }
    }
}

/// How a link's state is called.
pub const fn state_name(state: LinkState) -> &'static str {
    match state {
        LinkState::Dialling => "dialling",
        LinkState::Handshake => "handshake",
        LinkState::Active => "active",
    }
}

/// How the way in which documents spread is called.
pub const fn spreading_name(spreading: Spreading) -> &'static str {
    match spreading {
        Spreading::Flood => "flooding",
        Spreading::Route => "routes",
    }
}

/// Addresses of signallers with their keys, as they are kept from run to run: `URL#tn1…`. One without a
/// key is not worth keeping.
pub fn addresses(addresses: &[SignallerAddress]) -> impl Iterator<Item = String> {
    addresses.iter().filter_map(|address| Some(format!("{}#{}", address.url, address.pinned?)))
}

/// The status of a peer, and what is wrong with it.
pub fn status(peer: PeerId, network: &str, status: &Status, now: Time) -> String {
    serde_json::to_string(&picture(peer, network, status, now)).unwrap_or_default()
}

fn picture<'a>(peer: PeerId, network: &'a str, status: &'a Status, now: Time) -> JsonStatus<'a> {
    let diagnosis = diagnose(status);
    let signallers = status.signallers.iter().map(|signaller| Signaller {
        url: &signaller.url,
        signaller: signaller.signaller.as_ref().map(PeerId::to_string),
        joined: signaller.joined,
        relays: signaller.relays,
        failure: signaller.failure.as_ref().map(ToString::to_string),
        clock_ahead_ms: signaller.clock_ahead_ms,
    });
    let failed = status
        .failed
        .iter()
        .map(|(peer, cause)| Failed { peer: peer.to_string(), cause: cause.to_string() });
    JsonStatus {
        peer_id: peer.to_string(),
        network,
        now: now.as_millis(),
        links: status.links.iter().map(Link::from).collect(),
        signallers: signallers.collect(),
        spreading: spreading_name(status.spreading),
        candidates: status.candidates,
        private: status.private,
        failed: failed.collect(),
        blacklist: status.blacklist.iter().map(Listed::from).collect(),
        counters: Counts::from(&status.counters),
        problem: diagnosis.problem(),
        advice: diagnosis.advice(network),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonStatus<'a> {
    peer_id: String,
    network: &'a str,
    now: u64,
    links: Vec<Link>,
    signallers: Vec<Signaller<'a>>,
    spreading: &'static str,
    candidates: usize,
    private: usize,
    failed: Vec<Failed>,
    blacklist: Vec<Listed>,
    counters: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    peer: String,
    state: &'static str,
    incoming: bool,
    eager: bool,
    relayed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<Kept>,
    dozing: bool,
    since: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    round_trip_ms: Option<u64>,
    documents_sent: u64,
    documents_received: u64,
    duplicates: u64,
    rejected: u64,
    points: u32,
    queued_bytes: usize,
}

impl From<&LinkStatus> for Link {
    fn from(link: &LinkStatus) -> Self {
        Self {
            peer: link.peer.to_string(),
            state: state_name(link.state),
            incoming: link.incoming,
            eager: link.eager,
            relayed: link.relayed,
            archive: link.archive.clone(),
            dozing: link.dozing,
            since: link.since.as_millis(),
            round_trip_ms: link.round_trip_ms,
            documents_sent: link.documents_sent,
            documents_received: link.documents_received,
            duplicates: link.duplicates,
            rejected: link.rejected,
            points: link.points,
            queued_bytes: link.queued_bytes,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Signaller<'a> {
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    signaller: Option<String>,
    joined: bool,
    relays: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_ahead_ms: Option<i64>,
}

#[derive(Serialize)]
struct Failed {
    peer: String,
    cause: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    published: u64,
    left_out: u64,
    unopened: u64,
    unknown: u64,
    delivered: u64,
    received: u64,
    wanted: u64,
    passed_on: u64,
    unwanted: u64,
    duplicates: u64,
    sent: u64,
    announced: u64,
    grafted: u64,
    rejected: BTreeMap<String, u64>,
}

impl From<&Counters> for Counts {
    fn from(counters: &Counters) -> Self {
        let rejected = counters.rejected.iter().map(|(what, count)| (format!("{what:?}"), *count));
        Self {
            published: counters.published,
            left_out: counters.left_out,
            unopened: counters.unopened,
            unknown: counters.unknown,
            delivered: counters.delivered,
            received: counters.received,
            wanted: counters.wanted,
            passed_on: counters.passed_on,
            unwanted: counters.unwanted(),
            duplicates: counters.duplicates,
            sent: counters.sent,
            announced: counters.announced,
            grafted: counters.grafted,
            rejected: rejected.collect(),
        }
    }
}

#[cfg(test)]
mod tests;
