//! How two that keep documents find out what one of them lacks, at the cost of the difference: range-based set
//! reconciliation (Meyer, SRDS 2023).
//!
//! The order of all documents is cut into pieces, each with a fingerprint of what is there. Whoever asks sends its
//! pieces ([`Inquiry`]); whoever is asked says of those that differ what it has there ([`Differences`]): ids, where
//! these are few, else smaller pieces, of which the next inquiry is made. Who is asked remembers nothing.
//!
//! An id counts here by its first 16 bytes, in fingerprints as well as in lists.

use serde::{Deserialize, Serialize};

use crate::{DocumentId, Mark, limits};

/// The beginning of a document's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShortId([u8; 16]);

impl ShortId {
    /// Takes the 16 bytes as they are.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<&DocumentId> for ShortId {
    fn from(id: &DocumentId) -> Self {
        Self(*id.as_bytes().first_chunk().unwrap_or(&[0; 16]))
    }
}

/// What one has of the documents up to a place in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The first place that is not in it.
    pub until: Mark,
    /// How many documents are there.
    pub count: u32,
    /// The sum, modulo 2¹²⁸, of the first 16 bytes (little-endian) of the BLAKE3 hashes of their
    /// ids, keyed with a salt.
    pub sum: u128,
}

impl Piece {
    /// With nothing in it.
    pub const fn empty(until: Mark) -> Self {
        Self { until, count: 0, sum: 0 }
    }

    /// Puts one more in, by its id.
    pub fn add(&mut self, salt: &[u8; 32], id: &[u8]) {
        let hash = blake3::keyed_hash(salt, id);
        let hash = hash.as_bytes().first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes));
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.wrapping_add(hash);
    }

    /// Whether the same is there, as far as one can tell.
    pub const fn has_same(&self, other: &Self) -> bool {
        self.count == other.count && self.sum == other.sum
    }
}

/// What a piece takes on the wire, about.
const PIECE_BYTES: usize = 60;

/// Pieces that follow one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Where the first begins.
    pub from: Mark,
    /// Each ends later than it begins.
    pub pieces: Vec<Piece>,
}

impl Stretch {
    /// Each piece with its beginning.
    pub fn pieces(&self) -> impl Iterator<Item = (Mark, &Piece)> {
        let begins = core::iter::once(self.from).chain(self.pieces.iter().map(|piece| piece.until));
        begins.zip(&self.pieces)
    }

    /// Where the last piece ends.
    pub fn until(&self) -> Mark {
        self.pieces.last().map_or(self.from, |piece| piece.until)
    }

    fn is_ascending(&self) -> bool {
        self.pieces().all(|(from, piece)| from < piece.until)
    }
}

/// What the sender has of parts of the order: what has the other there that differs?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inquiry {
    /// The key of the fingerprints, chosen at random: an author that knew it ahead could choose documents whose
    /// sums cancel out.
    pub salt: [u8; 32],
    /// From the oldest to the newest, with [`limits::INQUIRY_PIECES`] pieces in all at most, and at least one each.
    pub stretches: Vec<Stretch>,
}

impl Inquiry {
    /// All pieces, each with its beginning.
    pub fn pieces(&self) -> impl Iterator<Item = (Mark, &Piece)> {
        self.stretches.iter().flat_map(Stretch::pieces)
    }

    /// How many pieces there are.
    pub fn count(&self) -> usize {
        self.stretches.iter().map(|stretch| stretch.pieces.len()).sum()
    }

    /// Whether all of it stands in its order, and nothing is empty.
    pub fn is_ascending(&self) -> bool {
        let apart = self.stretches.windows(2).all(|pair| match pair {
            [one, next] => one.until() <= next.from,
            _ => true,
        });
        let whole = |stretch: &Stretch| !stretch.pieces.is_empty() && stretch.is_ascending();
        apart && !self.stretches.is_empty() && self.stretches.iter().all(whole)
    }
}

/// What one has of a piece in which another has something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Held {
    /// All that is there, ascending; [`limits::HELD_IDS`] at most.
    Ids(Vec<ShortId>),
    /// Smaller pieces that make up the whole, [`limits::HELD_PIECES`] at most.
    Pieces(Vec<Piece>),
}

/// A piece that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Its number among the pieces of the inquiry.
    pub piece: u16,
    /// What is there.
    pub held: Held,
}

/// The answer to an [`Inquiry`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Differences {
    /// The number of the first piece that it is about: nothing is said of those before, for it would be too much.
    pub first: u16,
    /// What differs of the others, ascending.
    pub pieces: Vec<Difference>,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// It is more than an answer may be.
    TooMuch,
    /// It does not stand in its order, or is about something else.
    Wrong,
}

impl Differences {
    /// How many bytes it takes on the wire, about.
    pub fn size(&self) -> usize {
        let size = |difference: &Difference| match &difference.held {
            Held::Ids(ids) => 4 + ids.len() * size_of::<ShortId>(),
            Held::Pieces(pieces) => 4 + pieces.len() * PIECE_BYTES,
        };
        self.pieces.iter().map(size).sum()
    }

    /// Whether it answers this.
    ///
    /// # Errors
    /// [`NoAnswer`]
    pub fn check(&self, inquiry: &Inquiry) -> Result<(), NoAnswer> {
        let asked: Vec<_> = inquiry.pieces().collect();
        // One piece at least is answered.
        if usize::from(self.first) >= asked.len() {
            return Err(NoAnswer::Wrong);
        }
        let mut next = usize::from(self.first);
        for difference in &self.pieces {
            let number = usize::from(difference.piece);
            let (from, piece) = *asked.get(number).ok_or(NoAnswer::Wrong)?;
            if number < next {
                return Err(NoAnswer::Wrong);
            }
            next = number + 1;
            match &difference.held {
                Held::Ids(ids) if ids.len() > limits::HELD_IDS => return Err(NoAnswer::TooMuch),
                Held::Ids(ids) if ids.is_sorted_by(|one, next| one < next) => {}
                Held::Pieces(pieces) if pieces.len() > limits::HELD_PIECES => {
                    return Err(NoAnswer::TooMuch);
                }
                Held::Pieces(pieces) => {
                    let cut = Stretch { from, pieces: pieces.clone() };
                    if pieces.len() < 2 || !cut.is_ascending() || cut.until() != piece.until {
                        return Err(NoAnswer::Wrong);
                    }
                }
                Held::Ids(_) => return Err(NoAnswer::Wrong),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn at(millis: u64) -> Mark {
        Timestamp::from_millis(millis).into()
    }

    fn pieces(untils: &[u64]) -> Vec<Piece> {
        untils.iter().map(|until| Piece::empty(at(*until))).collect()
    }

    fn inquiry(stretches: &[(u64, &[u64])]) -> Inquiry {
        let stretch =
            |(from, untils): &(u64, &[u64])| Stretch { from: at(*from), pieces: pieces(untils) };
        Inquiry { salt: [1; 32], stretches: stretches.iter().map(stretch).collect() }
    }

    #[test]
    fn an_inquiry_goes_one_way() {
        assert!(inquiry(&[(0, &[5, 7]), (7, &[8]), (20, &[30])]).is_ascending());
        for wrong in [
            inquiry(&[]),
            inquiry(&[(0, &[])]),
            inquiry(&[(5, &[5])]),
            inquiry(&[(0, &[7, 5])]),
            inquiry(&[(0, &[7]), (6, &[8])]),
            inquiry(&[(10, &[12]), (1, &[2])]),
        ] {
            assert!(!wrong.is_ascending(), "{wrong:?}");
        }
    }

    #[test]
    fn an_answer_is_about_what_was_asked() {
        let asked = inquiry(&[(0, &[5, 7]), (7, &[8])]);
        let id = |number| ShortId::from_bytes([number; 16]);
        let ids = |piece, ids: &[u8]| Difference {
            piece,
            held: Held::Ids(ids.iter().map(|number| id(*number)).collect()),
        };
        let cut = |piece, untils: &[u64]| Difference { piece, held: Held::Pieces(pieces(untils)) };
        let check = |first, pieces: &[Difference]| {
            Differences { first, pieces: pieces.to_vec() }.check(&asked)
        };
        assert_eq!(check(0, &[]), Ok(()));
        assert_eq!(check(1, &[cut(1, &[6, 7]), ids(2, &[1, 2])]), Ok(()));
        assert_eq!(check(0, &[ids(0, &[])]), Ok(()));
        for (first, wrong) in [
            (3, vec![]),
            (0, vec![ids(3, &[])]),
            (1, vec![ids(0, &[])]),
            (0, vec![ids(1, &[]), ids(0, &[])]),
            (0, vec![ids(1, &[]), ids(1, &[])]),
            (0, vec![ids(0, &[2, 1])]),
            (0, vec![ids(0, &[1, 1])]),
            // Too short, too long, backwards, and the same piece again.
            (0, vec![cut(1, &[6])]),
            (0, vec![cut(1, &[6, 8])]),
            (0, vec![cut(1, &[4, 7])]),
            (0, vec![cut(1, &[7])]),
        ] {
            assert_eq!(check(first, &wrong), Err(NoAnswer::Wrong), "{wrong:?}");
        }
        let many: Vec<u8> = (0..=limits::HELD_IDS as u8).collect();
        assert_eq!(check(0, &[ids(0, &many)]), Err(NoAnswer::TooMuch));
    }
}
