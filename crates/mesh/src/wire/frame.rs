//! A frame between two peers: one group for each room.

use serde::{Deserialize, Serialize};

use super::{
    documents::DocumentFrame, find::FindFrame, fragment::Fragment, link::LinkFrame,
    pool::PoolFrame, route::RouteFrame, signal::SignalFrame, supply::SupplyFrame, sync::SyncFrame,
    tree::TreeFrame, view::ViewFrame,
};

/// A frame between two peers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    /// A piece of a larger frame, of whatever group.
    Fragment(Fragment),
    /// About the link.
    Link(LinkFrame),
    /// About other peers.
    View(ViewFrame),
    /// For new links.
    Signal(SignalFrame),
    /// Documents: pushed, announced, asked for.
    Documents(DocumentFrame),
    /// What one end has and the other lacks.
    Sync(SyncFrame),
    /// Searches of neighbours, and what they found.
    Find(FindFrame),
    /// Between signallers.
    Pool(PoolFrame),
    /// The rooted trees.
    Tree(TreeFrame),
    /// Where documents go.
    Route(RouteFrame),
    /// Peers that supply each other.
    Supply(SupplyFrame),
}

/// Each group is a frame.
macro_rules! groups {
    ($($group:ident($frame:ty)),*) => {
        $(impl From<$frame> for Frame {
            fn from(frame: $frame) -> Self {
                Self::$group(frame)
            }
        })*
    };
}

groups!(
    Fragment(Fragment),
    Link(LinkFrame),
    View(ViewFrame),
    Signal(SignalFrame),
    Documents(DocumentFrame),
    Sync(SyncFrame),
    Find(FindFrame),
    Pool(PoolFrame),
    Tree(TreeFrame),
    Route(RouteFrame),
    Supply(SupplyFrame)
);
