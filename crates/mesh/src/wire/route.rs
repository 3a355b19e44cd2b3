//! Frames of documents that go where they are wanted, and no further.

use serde::{Deserialize, Serialize};
use taiinet_query::KeySet;

use super::tree::{IdPrefix, Slot};

/// What neighbours tell each other so that documents find those that want them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RouteFrame {
    /// What I want myself: announce it to me. Until a neighbour has said so, it wants everything.
    Wants(KeySet),
    /// A root has named this, I want it, and it has not come.
    Ask(Ask),
}

/// A search for a document that a root has named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Of which tree.
    pub slot: Slot,
    /// As the root named it.
    pub id: IdPrefix,
    /// How many links it may still go, towards the root.
    pub hops: u8,
}

/// Why a document is sent over a link, and so what the receiver does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Way {
    /// Towards the root of a tree: pass it on to your parent, and to your children that want it.
    Up(Slot),
    /// From the root: pass it on to your children that want it.
    Down(Slot),
    /// You want it, or asked for it: pass it on to your children that want it, in the tree that documents of its id go.
    Aside,
}
