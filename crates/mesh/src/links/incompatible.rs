//! What keeps two honest peers apart.

use crate::wire::{FrameKind, VERSION};

/// Why two peers cannot be neighbours although neither does anything wrong. Beside
/// [`Misbehaviour`](crate::Misbehaviour), with which it has nothing to do: it costs no points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Incompatible {
    /// The other end speaks another version of the protocol.
    #[error(
        "it speaks version {theirs} of the protocol, and this is {VERSION}: update the older of the two"
    )]
    Version {
        /// The version of the other end.
        theirs: u16,
    },
    /// The other end is in another network.
    #[error("it is in another network")]
    Network,
    /// The other end cannot be understood without a frame that this version does not know.
    #[error("it needs frames of kind {0}, which this version does not know: update it")]
    Frame(FrameKind),
}
