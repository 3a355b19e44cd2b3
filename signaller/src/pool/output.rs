//! What a desk is to do for its pool, or has learned from it.

use taiinet_document::Network;
use taiinet_identity::{PeerId, Signed};
use taiinet_mesh::{LinkId, wire::Signal};

/// What a desk is to do for its pool, or has learned from it.
#[derive(Debug)]
pub(crate) enum PoolOutput {
    /// Open a connection to another signaller.
    Dial { link: LinkId, url: String },
    /// Send a message to one.
    Send { link: LinkId, bytes: Vec<u8> },
    /// Close a connection to one.
    Close { link: LinkId },
    /// A signal for a client here, from one there.
    Signal { from: PeerId, signal: Signed<Signal> },
    /// A signal of a client here does not reach its recipient there.
    Undeliverable { network: Network, from: PeerId, to: PeerId },
    /// A client here sent a signal with an invalid signature for one there.
    Forged { network: Network, from: PeerId },
}
