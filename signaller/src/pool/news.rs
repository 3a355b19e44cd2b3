//! What members of the pool publish: the clients that have joined them, and those that have left.
//!
//! The content of such a document is `{"joined": [bytes…], "left": [bytes…]}`, each the postcard
//! encoding of a [`Signed<Presence>`] or a [`Left`].

use serde::{Deserialize, Serialize};
use taiinet_document::{Content, Map, Network, Timestamp, Value};
use taiinet_identity::{PeerId, Signed};
use taiinet_mesh::wire::{Presence, codec};

use crate::{limits, refused::Refused};

/// A client has left the signaller that says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Left {
    pub(super) network: Network,
    pub(super) peer: PeerId,
    /// Presences from before do not count any more.
    pub(super) at: Timestamp,
}

/// A piece of news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Joined(Signed<Presence>),
    Left(Left),
}

/// What is still to be told.
#[derive(Debug, Default)]
pub(super) struct News {
    joined: Vec<Value>,
    left: Vec<Value>,
}

impl News {
    pub(super) fn joined(&mut self, presence: Signed<Presence>) {
        self.joined.push(Value::Bytes(codec::encode(&presence)));
    }

    pub(super) fn left(&mut self, network: Network, peer: PeerId, at: Timestamp) {
        self.left.push(Value::Bytes(codec::encode(&Left { network, peer, at })));
    }

    /// Takes it all, in documents that are not too large.
    pub(super) fn documents(&mut self) -> Vec<Content> {
        let mut documents = Vec::new();
        for (name, items) in [("joined", &mut self.joined), ("left", &mut self.left)] {
            while !items.is_empty() {
                let rest = items.split_off(items.len().min(limits::POOL_ITEMS));
                let told = std::mem::replace(items, rest);
                let fields = Map::from([(name.to_owned(), Value::List(told))]);
                documents.push(Content::Open(fields));
            }
        }
        documents
    }
}

/// Reads what a member published, piece by piece. What else is in it is left for later versions.
pub(crate) fn read(fields: &Map, mut each: impl FnMut(Result<Item, Refused>)) {
    let items = |name: &str| match fields.get(name) {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    for item in items("joined") {
        each(decode(item).map(Item::Joined));
    }
    for item in items("left") {
        each(decode(item).map(Item::Left));
    }
}

fn decode<T: serde::de::DeserializeOwned>(item: &Value) -> Result<T, Refused> {
    let Value::Bytes(bytes) = item else { return Err(Refused::Undecodable) };
    codec::decode(bytes).map_err(|_| Refused::Undecodable)
}
