//! What the core tells, as JSON for the package.

use std::collections::BTreeMap;

use js_sys::Array;
use serde::Serialize;
use taiinet_document::{Map, Opened, Value, VerifiedDocument, json};
use taiinet_identity::PeerId;
use taiinet_mesh::{Blacklisted, Counters, Event, LinkState, LinkStatus, Status, Time};
use wasm_bindgen::JsValue;

use crate::private::privacy;

/// Integers up to here are exact as JavaScript's numbers.
const EXACT: u64 = (1 << 53) - 1;

/// A document as the page gets it.
pub(crate) struct Told {
    pub(crate) id: String,
    pub(crate) author: String,
    pub(crate) created_at: f64,
    pub(crate) hops: u8,
    pub(crate) from: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) json: String,
    /// Whether `JSON.parse` understands it as it is.
    pub(crate) exact: bool,
    pub(crate) privacy: &'static str,
}

impl Told {
    /// None for a deletion, which has nothing to show.
    pub(crate) fn new(
        document: &VerifiedDocument,
        opened: Option<&Opened>,
        hops: u8,
        from: Option<String>,
    ) -> Option<Self> {
        let fields = opened.map(|opened| &opened.fields).or_else(|| document.content().fields())?;
        Some(Self {
            id: document.id().to_string(),
            author: document.author().to_string(),
            created_at: document.created_at.as_millis() as f64,
            hops,
            from,
            key: document.key.clone(),
            json: json::to_json_line(fields).ok()?,
            exact: is_exact(fields),
            privacy: privacy(opened),
        })
    }

    /// As the arguments of a function.
    pub(crate) fn into_arguments(self) -> Array {
        let optional = |text: Option<String>| text.map_or(JsValue::UNDEFINED, JsValue::from);
        [
            self.id.into(),
            self.author.into(),
            self.created_at.into(),
            self.hops.into(),
            optional(self.from),
            optional(self.key),
            self.json.into(),
            self.exact.into(),
            self.privacy.into(),
        ]
        .into_iter()
        .collect::<Array>()
    }
}

/// Whether `JSON.parse` understands the text of these fields as they are: no bytes, no integers
/// beyond JavaScript's, no names that begin like the mark of bytes.
pub(crate) fn is_exact(map: &Map) -> bool {
    map.iter().all(|(name, value)| !name.starts_with('$') && is_exact_value(value))
}

fn is_exact_value(value: &Value) -> bool {
    match value {
        Value::Int(number) => number.unsigned_abs() <= EXACT,
        Value::Bytes(_) => false,
        Value::List(list) => list.iter().all(is_exact_value),
        Value::Map(map) => is_exact(map),
        _ => true,
    }
}

/// An event of the core; none for what is told otherwise.
pub(crate) fn event(event: &Event) -> Option<String> {
    let told = match event {
        Event::PeerConnected { peer, .. } => Happening::PeerConnected { peer: peer.to_string() },
        Event::PeerDisconnected { peer, cause } => {
            Happening::PeerDisconnected { peer: peer.to_string(), cause: cause.to_string() }
        }
        Event::DialFailed { peer, cause } => {
            Happening::DialFailed { peer: peer.to_string(), cause: cause.to_string() }
        }
        Event::SignallerJoined { url, signaller } => {
            Happening::SignallerJoined { url: url.clone(), signaller: signaller.to_string() }
        }
        Event::SignallerLearned { url, signaller } => {
            Happening::SignallerLearned { url: url.clone(), signaller: signaller.to_string() }
        }
        Event::SignallerLost { url, cause, retry_at } => Happening::SignallerLost {
            url: url.clone(),
            cause: cause.to_string(),
            retry_at: retry_at.as_millis(),
        },
        Event::Rejected { peer, misbehaviour } => Happening::Rejected {
            peer: peer.as_ref().map(PeerId::to_string),
            misbehaviour: format!("{misbehaviour:?}"),
            text: misbehaviour.to_string(),
        },
        Event::Blacklisted(listed) => Happening::Blacklisted(Listed::from(listed)),
        Event::Taken { .. } | Event::Lost { .. } => return None,
    };
    serde_json::to_string(&told).ok()
}

/// The instance has panicked.
pub(crate) fn panicked(message: String) -> String {
    serde_json::to_string(&Happening::Panicked { message }).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum Happening {
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

/// A picture of the peer.
pub(crate) fn status(peer: PeerId, network: &str, status: &Status, now: Time) -> String {
    let picture = Picture {
        peer_id: peer.to_string(),
        network,
        now: now.as_millis(),
        links: status.links.iter().map(Link::from).collect(),
        signallers: status
            .signallers
            .iter()
            .map(|signaller| Signaller {
                url: &signaller.url,
                signaller: signaller.signaller.as_ref().map(PeerId::to_string),
                joined: signaller.joined,
                failure: signaller.failure.as_ref().map(ToString::to_string),
            })
            .collect(),
        candidates: status.candidates,
        private: status.private,
        failed: status
            .failed
            .iter()
            .map(|(peer, cause)| Failed { peer: peer.to_string(), cause: cause.to_string() })
            .collect(),
        blacklist: status.blacklist.iter().map(Listed::from).collect(),
        counters: Counts::from(&status.counters),
    };
    serde_json::to_string(&picture).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Picture<'a> {
    peer_id: String,
    network: &'a str,
    now: u64,
    links: Vec<Link>,
    signallers: Vec<Signaller<'a>>,
    candidates: usize,
    private: usize,
    failed: Vec<Failed>,
    blacklist: Vec<Listed>,
    counters: Counts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    peer: String,
    state: &'static str,
    incoming: bool,
    eager: bool,
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
            state: match link.state {
                LinkState::Dialling => "dialling",
                LinkState::Handshake => "handshake",
                LinkState::Active => "active",
            },
            incoming: link.incoming,
            eager: link.eager,
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
struct Signaller<'a> {
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    signaller: Option<String>,
    joined: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

#[derive(Serialize)]
struct Failed {
    peer: String,
    cause: String,
}

#[derive(Serialize)]
struct Counts {
    published: u64,
    delivered: u64,
    received: u64,
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
            delivered: counters.delivered,
            received: counters.received,
            duplicates: counters.duplicates,
            sent: counters.sent,
            announced: counters.announced,
            grafted: counters.grafted,
            rejected: rejected.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use taiinet_document::json::parse_map;

    use super::*;

    #[test]
    fn what_json_parse_would_change_is_not_exact() {
        for (text, exact) in [
            (r#"{"a": 1, "b": [1.5, "x", null, {"c": true}]}"#, true),
            (r#"{"a": 9007199254740991, "b": -9007199254740991}"#, true),
            (r#"{"a": 9007199254740992}"#, false),
            (r#"{"a": [{"b": -9223372036854775808}]}"#, false),
            (r#"{"a": {"$bytes": "AAEC"}}"#, false),
            (r#"{"a": {"$$bytes": "AAEC"}}"#, false),
        ] {
            assert_eq!(is_exact(&parse_map(text).expect("a map")), exact, "{text}");
        }
    }
}
