//! Frames that are too large for a message: cut, and joined again.

use super::encoding::{LENGTH_BYTES, encode};
use crate::{
    Misbehaviour, limits,
    wire::{Fragment, Frame, kind::is_fragment},
};

/// The most that a frame of a fragment adds to its piece: length, variant, `last`, piece length.
const FRAGMENT_OVERHEAD: usize = 16;

/// Cuts an encoded frame that is too large for a message into encoded fragments.
pub fn fragment(frame: &[u8]) -> Vec<Vec<u8>> {
    let size = limits::PACKED_BYTES - LENGTH_BYTES - FRAGMENT_OVERHEAD;
    let count = frame.len().div_ceil(size);
    let pieces = frame.chunks(size).enumerate();
    pieces
        .map(|(index, piece)| {
            encode(&Frame::Fragment(Fragment { last: index + 1 == count, bytes: piece.to_vec() }))
        })
        .collect()
}

/// Whether an encoded frame has to be cut.
pub const fn needs_fragments(frame: &[u8]) -> bool {
    frame.len() + LENGTH_BYTES > limits::PACKED_BYTES
}

/// Joins the fragments of one link.
#[derive(Debug, Default)]
pub struct Assembler {
    bytes: Vec<u8>,
}

impl Assembler {
    /// Takes a piece; gives the encoded frame when it was the last one.
    ///
    /// # Errors
    /// [`Misbehaviour::Oversize`] if the frame grows over its limit;
    /// [`Misbehaviour::Undecodable`] if a piece is empty, or the whole is itself a fragment.
    pub fn push(&mut self, fragment: &Fragment) -> Result<Option<Vec<u8>>, Misbehaviour> {
        if fragment.bytes.is_empty() {
            return Err(Misbehaviour::Undecodable);
        }
        if self.bytes.len() + fragment.bytes.len() > limits::FRAME_BYTES {
            self.bytes = Vec::new();
            return Err(Misbehaviour::Oversize);
        }
        self.bytes.extend_from_slice(&fragment.bytes);
        if !fragment.last {
            return Ok(None);
        }
        let bytes = core::mem::take(&mut self.bytes);
        if is_fragment(&bytes) { Err(Misbehaviour::Undecodable) } else { Ok(Some(bytes)) }
    }
}
