//! Frames between signallers, for their clients.

use serde::{Deserialize, Serialize};
use taiinet_document::Network;
use taiinet_identity::{PeerId, Signed};

use super::signal::Signal;

/// What signallers pass on to one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PoolFrame {
    /// A signal for a client of yours, from a client of mine.
    Relay(Signed<Signal>),
    /// The peer that your client's signal was for is not here.
    Undeliverable(Undeliverable),
}

/// A signal that did not find its recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undeliverable {
    /// The network of both.
    pub network: Network,
    /// The signal's sender.
    pub from: PeerId,
    /// The client that the signal was for.
    pub to: PeerId,
}
