//! Frames by which neighbours find out what one of them lacks.

use serde::{Deserialize, Serialize};
use taiinet_document::{Differences, Inquiry, Mark, Piece, ShortId, SignedDocument};

/// How neighbours compare what they have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncFrame {
    /// What I have; announce what I lack of it.
    Compare(Compare),
    /// What my archive has; what has yours that differs?
    Inquire(Inquire),
    /// What of that differs.
    Differs(Differs),
    /// Send me these of your archive.
    Want(Want),
    /// Some of those.
    Given(Given),
}

/// An archive asks another what it lacks, once at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inquire {
    /// Comes back with the answer; counts up, with that of [`Want`].
    pub request: u32,
    /// What it has.
    pub inquiry: Inquiry,
}

/// The answer to an [`Inquire`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differs {
    /// The request that this answers.
    pub request: u32,
    /// What differs.
    pub differences: Differences,
}

/// An archive asks for documents and deletions that another has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// Comes back with the answer.
    pub request: u32,
    /// Ascending, [`crate::limits::WANTED_IDS`] at most.
    pub ids: Vec<ShortId>,
}

/// A part of the answer to a [`Want`]: documents as their authors signed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The request that this answers.
    pub request: u32,
    /// Some of those that were asked for, each once; or none.
    pub documents: Vec<SignedDocument>,
    /// Whether nothing follows. What did not come is not there any more, or would have been too much.
    pub last: bool,
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
