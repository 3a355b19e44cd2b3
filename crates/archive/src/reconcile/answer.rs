//! Another archive asks: what of its pieces differs.

use taiinet_document::{Difference, Differences, Held, Inquiry, Mark, Piece, ShortId};

use super::{Reading, cut};
use crate::{
    archive::Archive,
    error::ArchiveError,
    layout::Spot,
    limits,
    store::{Store, StoreError},
};

/// What a piece and an id take on the wire, about.
const PIECE_BYTES: usize = 60;
const ID_BYTES: usize = 16;

/// An inquiry that is being answered.
#[derive(Debug)]
pub struct Answering {
    salt: [u8; 32],
    /// Those that are left; the newest are answered first.
    pieces: Vec<(Mark, Piece)>,
    reading: Option<Reading>,
    looked: usize,
    bytes: usize,
    differing: Vec<Difference>,
}

impl Answering {
    /// Begins with an inquiry.
    pub fn new(inquiry: &Inquiry) -> Self {
        let pieces = inquiry.pieces().map(|(from, piece)| (from, *piece)).collect();
        let (salt, differing) = (inquiry.salt, Vec::new());
        Self { salt, pieces, reading: None, looked: 0, bytes: 0, differing }
    }

    /// How many rows were read for it.
    pub const fn looked(&self) -> usize {
        self.looked
    }

    fn is_enough(&self) -> bool {
        self.looked >= limits::INQUIRY_LOOKS || self.bytes >= limits::DIFFERENCES_BYTES
    }

    fn finish(&mut self) -> Differences {
        let mut pieces = core::mem::take(&mut self.differing);
        pieces.reverse();
        Differences { first: self.pieces.len() as u16, pieces }
    }

    /// Says what is there of the next piece, if it is something else.
    fn weigh(&mut self, mut read: Reading) {
        let Some((_, theirs)) = self.pieces.pop() else { return };
        read.spots.reverse();
        let Some(held) = held(&self.salt, &read, &theirs) else { return };
        self.bytes += match &held {
            Held::Ids(ids) => ids.len() * ID_BYTES,
            Held::Pieces(pieces) => pieces.len() * PIECE_BYTES,
        };
        self.differing.push(Difference { piece: self.pieces.len() as u16, held });
    }
}

/// What there is of a piece, ascending, if it is not the same.
fn held(salt: &[u8; 32], read: &Reading, theirs: &Piece) -> Option<Held> {
    let spots = &read.spots;
    if !read.is_whole() {
        // How much there is behind the first of these was not counted: it counts as different.
        let first = spots.first()?;
        let unknown = Piece { until: first.mark(), count: u32::MAX, sum: 0 };
        let known = cut(salt, spots, theirs.until, limits::PIECES - 1);
        return Some(Held::Pieces([unknown].into_iter().chain(known).collect()));
    }
    if spots.len() == theirs.count as usize {
        let mut ours = Piece::empty(theirs.until);
        for spot in spots {
            ours.add(salt, spot.short_id().as_bytes());
        }
        if ours.has_same(theirs) {
            return None;
        }
    }
    Some(if spots.len() <= limits::HELD_IDS {
        let mut ids: Vec<ShortId> = spots.iter().map(Spot::short_id).collect();
        ids.sort_unstable();
        Held::Ids(ids)
    } else {
        Held::Pieces(cut(salt, spots, theirs.until, limits::PIECES))
    })
}

impl<S: Store> Archive<S> {
    /// Goes on with an inquiry of another archive, by so many rows at most. Gives the answer when it is ready: about as
    /// many of the pieces as [`limits::INQUIRY_LOOKS`] and [`limits::DIFFERENCES_BYTES`] allow, the newest of them, and
    /// one at least.
    ///
    /// # Errors
    /// [`ArchiveError::Store`]
    pub fn compare(
        &self,
        answering: &mut Answering,
        rows: usize,
    ) -> Result<Option<Differences>, ArchiveError> {
        Ok(self.compare_some(answering, rows)?)
    }

    fn compare_some(
        &self,
        answering: &mut Answering,
        mut rows: usize,
    ) -> Result<Option<Differences>, StoreError> {
        while let Some((from, piece)) = answering.pieces.last() {
            if answering.reading.is_none() && answering.is_enough() {
                break;
            }
            let new = || Reading::new(from, &piece.until);
            let mut reading = answering.reading.take().unwrap_or_else(new);
            let before = reading.rows;
            // Something of the first piece is told in any case, for else there would be no way on.
            let left = limits::INQUIRY_LOOKS.saturating_sub(answering.looked);
            let mut some = rows.min(left.max(1));
            let given = some;
            self.read_on(&mut reading, usize::MAX, &mut some)?;
            rows -= given - some;
            answering.looked += reading.rows - before;
            let ends = answering.looked >= limits::INQUIRY_LOOKS && !reading.spots.is_empty();
            if reading.is_whole() || ends {
                answering.weigh(reading);
            } else {
                answering.reading = Some(reading);
            }
            if rows == 0 && !answering.pieces.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(answering.finish()))
    }
}
