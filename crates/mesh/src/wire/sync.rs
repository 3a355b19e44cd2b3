//! Frames by which neighbours find out what one of them lacks.

use serde::{Deserialize, Serialize};
use taiinet_document::Mark;

/// How neighbours compare what they have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncFrame {
    /// What I have; announce what I lack of it.
    Compare(Compare),
}

/// What the sender has of a part of the documents, so that it is told of what it lacks: when a link is
/// new, and now and then. The part is cut into pieces of few documents each (Meyer, "Range-Based Set
/// Reconciliation", SRDS 2023, with one round); where two ends differ, the other announces what it
/// has of the piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compare {
    /// Chosen at random for this frame alone: an author that knew it ahead could choose documents whose
    /// sums cancel out.
    pub salt: [u8; 32],
    /// Where the first piece begins.
    pub from: Mark,
    /// At most [`crate::limits::PIECES`], which follow one another.
    pub pieces: Vec<Piece>,
}

impl Compare {
    /// Each piece with its beginning.
    pub fn pieces(&self) -> impl DoubleEndedIterator<Item = (Mark, &Piece)> {
        let begins = core::iter::once(self.from).chain(self.pieces.iter().map(|piece| piece.until));
        // `zip` of iterators of unequal length does not run backwards.
        begins.take(self.pieces.len()).collect::<Vec<_>>().into_iter().zip(&self.pieces)
    }

    /// Whether each piece ends later than it begins.
    pub fn is_ascending(&self) -> bool {
        self.pieces().all(|(from, piece)| from < piece.until)
    }
}

/// What the sender of a [`Compare`] has of the documents up to a place in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The first place that is not in it.
    pub until: Mark,
    /// How many documents it has there that were not replaced under their key.
    pub count: u32,
    /// The sum, modulo 2¹²⁸, of the first 16 bytes (little-endian) of the BLAKE3 hashes of their
    /// ids, keyed with the salt.
    pub sum: u128,
}
