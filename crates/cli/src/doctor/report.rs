//! All that was found, for scripts: names and words that stay.

use std::{io, time::Duration};

use serde::{Serialize, Serializer};
use taiinet_terminal as terminal;
use taiinet_webrtc::Nat;

use super::finding::{Finding, State};

/// What `taiinet doctor --json` prints.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// Whether nothing must be done.
    pub(super) ok: bool,
    /// Those that were given.
    pub(super) signallers: Vec<Signaller>,
    /// How many others they told of.
    pub(super) pool: usize,
    /// How far this machine's clock is ahead of theirs, the first that says; behind, if less than nothing.
    pub(super) clock_ahead_ms: Option<i64>,
    pub(super) nat: Nats,
    pub(super) paths: Paths,
    pub(super) findings: Vec<Finding>,
    /// What to do, first of all.
    pub(super) next_step: Option<String>,
}

/// A signaller that was given.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Signaller {
    pub(super) url: String,
    pub(super) reachable: bool,
    /// How long it took to be answered.
    pub(super) took_ms: Option<u64>,
    /// Whether it took our join.
    pub(super) joined: bool,
    /// The key that it has proven.
    pub(super) key: Option<String>,
    /// Whether it relays links.
    pub(super) relays: bool,
}

/// What stands between this machine and others.
#[derive(Debug, Default, Serialize)]
pub(super) struct Nats {
    pub(super) ipv4: Mapping,
    pub(super) ipv6: Mapping,
}

/// Of one family of addresses.
#[derive(Debug, Serialize)]
pub(super) struct Mapping {
    #[serde(serialize_with = "kind")]
    pub(super) kind: Nat,
    /// An address under which a server sees this machine.
    pub(super) mapped: Option<String>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self { kind: Nat::Unasked, mapped: None }
    }
}

fn kind<S: Serializer>(nat: &Nat, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match nat {
        Nat::Unasked => "unasked",
        Nat::Absent => "absent",
        Nat::Blocked => "blocked",
        Nat::Open => "open",
        Nat::Cone => "cone",
        Nat::Symmetric => "symmetric",
        Nat::Unknown => "unknown",
    })
}

/// The ways in which a link can be had.
#[derive(Debug, Default, Serialize)]
pub(super) struct Paths {
    /// By addresses of this machine's own.
    pub(super) host: Path,
    /// By the address that a NAT shows to others.
    pub(super) reflexive: Path,
    /// Through a TURN server.
    pub(super) turn: Path,
    /// Through the signaller itself.
    pub(super) relay: Path,
    /// By IPv6.
    pub(super) ipv6: Path,
}

/// Whether a link can be had in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Path {
    /// It was not found out.
    #[default]
    Unknown,
    /// Nobody offers it.
    Missing,
    Fails,
    Works {
        /// How long it took to link, where a link was made.
        #[serde(skip_serializing_if = "Option::is_none")]
        took_ms: Option<u64>,
    },
}

impl Path {
    pub(super) const fn works(self) -> bool {
        matches!(self, Self::Works { .. })
    }
}

/// Whole milliseconds.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Report {
    /// With what was said meanwhile: what is bad comes first, then what is said of the path that is left.
    pub(super) fn with(mut self, findings: Vec<Finding>) -> Self {
        let first =
            |state| findings.iter().find(|found| found.state == state && found.cure.is_some());
        let path = findings.iter().rfind(|found| found.check == "path" && found.cure.is_some());
        let next = first(State::Bad).or(path).or_else(|| first(State::Note));
        self.next_step = next.and_then(|finding| finding.cure.clone());
        self.ok = findings.iter().all(|finding| finding.state != State::Bad);
        Self { findings, ..self }
    }

    pub(super) fn print(&self) -> io::Result<()> {
        terminal::print(&format!("{}\n", self.text()?))
    }

    fn text(&self) -> io::Result<String> {
        Ok(terminal::json(&serde_json::to_string(self)?).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{EVIL, is_harmless};

    #[test]
    fn scripts_read_names_and_words_that_stay() {
        let mut report = Report { ok: true, clock_ahead_ms: Some(-3), ..Report::default() };
        report.signallers.push(Signaller { url: "ws://x".to_owned(), ..Signaller::default() });
        report.nat.ipv4 = Mapping { kind: Nat::Cone, mapped: Some("192.0.2.1:1".to_owned()) };
        report.paths.host = Path::Works { took_ms: Some(7) };
        report.paths.turn = Path::Missing;
        let report = report.with(vec![Finding::new("links", State::Note, "so").cure(EVIL)]);
        let text = report.text().expect("JSON");
        assert!(is_harmless(&text) && text.lines().count() == 1, "{text:?}");
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let expected = json!({
            "ok": true,
            "signallers":
                [{"url": "ws://x", "reachable": false, "tookMs": null, "joined": false, "key": null,
                  "relays": false}],
            "pool": 0,
            "clockAheadMs": -3,
            "nat": {
                "ipv4": {"kind": "cone", "mapped": "192.0.2.1:1"},
                "ipv6": {"kind": "unasked", "mapped": null},
            },
            "paths": {
                "host": {"state": "works", "tookMs": 7},
                "reflexive": {"state": "unknown"},
                "turn": {"state": "missing"},
                "relay": {"state": "unknown"},
                "ipv6": {"state": "unknown"},
            },
            "findings": [{"check": "links", "state": "note", "says": "so", "do": EVIL}],
            "nextStep": EVIL,
        });
        assert_eq!(read, expected);
    }
}
