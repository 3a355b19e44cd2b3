//! Identities and times, in vectors and fuzz targets alike.

use std::sync::OnceLock;

use taiinet_document::{Content, Document, Map, Network, Timestamp, VerifiedDocument, parse_map};
use taiinet_identity::{Identity, Seed};
use taiinet_mesh::Time;
use taiinet_query::{Query, RoutingKey};

/// When everything happens.
pub(crate) const NOW: Time = Time::from_millis(1_800_000_000_000);

/// The identity whose seed is 32 times this byte; made once, since fuzzers ask for it all the time.
pub(crate) fn identity(number: u8) -> Identity {
    static MADE: [OnceLock<Identity>; 256] = [const { OnceLock::new() }; 256];
    let make = || Identity::from_seed(&Seed::from_bytes([number; 32]));
    MADE[usize::from(number)].get_or_init(make).clone()
}

/// The network of all.
pub(crate) fn network() -> Network {
    named("vectors")
}

pub(crate) fn named(name: &str) -> Network {
    name.parse().expect("a network's name")
}

/// A document's content, from JSON.
pub(crate) fn map(json: &str) -> Map {
    parse_map(json).expect("a document's content")
}

/// A document of [`network`], signed.
pub(crate) fn sign(author: &Identity, nonce: u32, at: Time, content: Content) -> VerifiedDocument {
    let document = Document {
        network: network(),
        created_at: at.timestamp(),
        nonce,
        expires_at: None,
        key: None,
        next_key: None,
        content,
    };
    VerifiedDocument::sign(author, document).expect("within the limits")
}

/// A key of a query.
pub(crate) fn routing_key(query: &str) -> RoutingKey {
    let query: Query = query.parse().expect("a query");
    *query.routing_keys().iter().next().expect("a key")
}

/// A moment after [`NOW`], or before it.
pub(crate) fn at(seconds: i64) -> Timestamp {
    let millis = NOW.as_millis().saturating_add_signed(seconds.saturating_mul(1000));
    Timestamp::from_millis(millis)
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
