//! The lines that the peers print, read.

use serde_json::Value;
use taiinet_document::{Map, Value as Field};

/// What a peer says of itself with `--report`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) peer_id: String,
    pub(crate) links: Vec<Link>,
    pub(crate) published: u64,
    pub(crate) rejected: u64,
}

/// A link of a peer to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) peer: String,
    pub(crate) active: bool,
    pub(crate) eager: bool,
}

/// A document as `taiinet subscribe --json` prints it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) author: String,
    /// Milliseconds since 1970.
    pub(crate) created_at: u64,
    /// Milliseconds since 1970.
    pub(crate) received_at: u64,
    pub(crate) content: Map,
}

/// Reads a line of a peer's stderr; none if it is no report.
pub(crate) fn status(line: &str) -> Option<Status> {
    let line: Value = serde_json::from_str(line).ok()?;
    let status = line.get("status")?;
    let counters = status.get("counters")?;
    let links = status.get("links")?.as_array()?.iter().filter_map(|link| {
        Some(Link {
            peer: link.get("peer")?.as_str()?.to_owned(),
            active: link.get("state")?.as_str()? == "active",
            eager: link.get("eager")?.as_bool()?,
        })
    });
    Some(Status {
        peer_id: status.get("peer_id")?.as_str()?.to_owned(),
        links: links.collect(),
        published: counters.get("published")?.as_u64()?,
        rejected: counters.get("rejected").map_or(0, sum),
    })
}

/// Reads a line of a subscriber's stdout; none if it is no delivery.
pub(crate) fn delivery(line: &str) -> Option<Delivery> {
    let Field::Map(mut line) = Field::from_json(line).ok()? else { return None };
    let mut text = |name: &str| match line.remove(name) {
        Some(Field::String(text)) => Some(text),
        _ => None,
    };
    let (id, author) = (text("id")?, text("author")?);
    let mut time = |name: &str| match line.remove(name) {
        Some(Field::Int(time)) => u64::try_from(time).ok(),
        _ => None,
    };
    let (created_at, received_at) = (time("created_at")?, time("received_at")?);
    let Some(Field::Map(content)) = line.remove("data") else { return None };
    Some(Delivery { id, author, created_at, received_at, content })
}

/// A count, or counts by reason.
fn sum(counts: &Value) -> u64 {
    match counts {
        Value::Object(reasons) => reasons.values().map(sum).sum(),
        count => count.as_u64().unwrap_or(0),
    }
}
/// Whether a subscriber tells something beside documents: that one is gone, say.
pub(crate) fn is_event(line: &str) -> bool {
    let line: Result<serde_json::Value, _> = serde_json::from_str(line);
    line.is_ok_and(|line| {
        ["removed", "conflict", "ready"].iter().any(|name| line.get(name).is_some())
    })
}
