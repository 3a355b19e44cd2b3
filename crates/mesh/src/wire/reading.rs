//! Encoded frames read as a receiver does, which may be of an earlier version than the sender.

use super::{
    codec::decode,
    frame::Frame,
    kind::{self, FrameKind},
};
use crate::Misbehaviour;

/// What a receiver makes of the bytes of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// A frame of this version.
    Frame(Frame),
    /// One of a later version, to be skipped.
    Unknown(FrameKind),
    /// One of a later version, without which its sender cannot be understood.
    Critical(FrameKind),
}

/// Reads an encoded frame, which must fill `bytes`.
///
/// # Errors
/// [`Misbehaviour::Undecodable`], [`Misbehaviour::Oversize`].
pub fn read(bytes: &[u8]) -> Result<Reading, Misbehaviour> {
    let (kind, critical) = kind::kind(bytes).ok_or(Misbehaviour::Undecodable)?;
    match (kind::is_known(kind), critical) {
        (true, false) => decode(bytes).map(Reading::Frame),
        (true, true) => decode(&kind::unmarked(bytes)).map(Reading::Frame),
        (false, false) => Ok(Reading::Unknown(kind)),
        (false, true) => Ok(Reading::Critical(kind)),
    }
}
