//! What the core's unit tests share.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use taiinet_document::{Content, Document, Map, Network, Value, VerifiedDocument};
use taiinet_identity::{Identity, Seed, Verified};

use crate::{Time, frame::Presence, limits};

pub(crate) const NOW: Time = Time::from_millis(1_800_000_000_000);

pub(crate) fn identity(number: u8) -> Identity {
    Identity::from_seed(&Seed::from_bytes([number; 32]))
}

pub(crate) fn network() -> Network {
    "test".parse().unwrap()
}

/// A document with `bytes` of text in it.
pub(crate) fn document(author: &Identity, nonce: u32, bytes: usize) -> Arc<VerifiedDocument> {
    document_at(author, nonce, bytes, NOW)
}

pub(crate) fn document_at(
    author: &Identity,
    nonce: u32,
    bytes: usize,
    created_at: Time,
) -> Arc<VerifiedDocument> {
    signed(author, nonce, bytes, created_at, None)
}

/// A document under a key.
pub(crate) fn keyed(author: &Identity, key: &str, created_at: Time) -> Arc<VerifiedDocument> {
    signed(author, 0, 10, created_at, Some(key.to_owned()))
}

fn signed(
    author: &Identity,
    nonce: u32,
    bytes: usize,
    created_at: Time,
    key: Option<String>,
) -> Arc<VerifiedDocument> {
    let text = Value::String("x".repeat(bytes));
    let document = Document {
        network: network(),
        created_at: created_at.timestamp(),
        nonce,
        expires_at: None,
        key,
        content: Content::Open(Map::from([("text".to_owned(), text)])),
    };
    Arc::new(VerifiedDocument::sign(author, document).unwrap())
}

pub(crate) fn presence(of: &Identity, issued_at: Time) -> Verified<Presence> {
    let presence = Presence {
        network: network(),
        joined: None,
        issued_at: issued_at.timestamp(),
        expires_at: issued_at.after(limits::PRESENCE_LIFE).timestamp(),
        address: None,
    };
    Verified::sign(of, presence)
}
