//! Archives reconcile: what one of them lacks it gets from another, at the cost of the difference.
//!
//! One that [pulls](Pull) drives it, one that is [asked](Answering) remembers nothing. Reconciled are documents and
//! deletions, as they stand in the table of documents; traces are known here alone. Both read the table some rows at a
//! time, the newest first, so that other work has its turn and no transaction stays open; what changes meanwhile is
//! seen or is not, and then it is seen the next time.
//!
//! A window is read after another, the newest first, of [`limits::WINDOW_DOCUMENTS`] documents at most; the newest
//! reaches to the end of time, the last to where we take nothing any more. Each is cut into pieces that the other end
//! compares with what it has, and those that differ into smaller ones, until their ids are few.

mod answer;
mod pull;

use std::collections::BTreeSet;

use taiinet_document::{DocumentId, Mark, Piece, ShortId, Timestamp};

use crate::{
    archive::{Archive, damaged},
    error::ArchiveError,
    layout::{SPOT_LEN, Spot},
    limits,
    record::{self, Record},
    store::{Direction, Span, Store, StoreError, Table},
};

pub use answer::Answering;
pub use pull::{Pull, PullStep, Pulled};

/// What another archive has and this one does not want: it is not asked for again as long as it is there. Where that is
/// more than [`limits::UNWANTED`], the newest of it: what is newer is always found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unwanted(BTreeSet<Spot>);

impl Unwanted {
    fn is_full(&self) -> bool {
        self.0.len() >= limits::UNWANTED
    }

    fn insert(&mut self, spot: Spot) {
        self.0.insert(spot);
        if self.0.len() > limits::UNWANTED {
            self.0.pop_first();
        }
    }
}

/// A part of the order that is being read, from its end.
#[derive(Debug)]
struct Reading {
    /// What was not read yet.
    rest: Option<Span>,
    /// Documents and deletions, the newest first.
    spots: Vec<Spot>,
    /// What of others a trace is kept of.
    traces: Vec<Spot>,
    /// How many rows were read.
    rows: usize,
}

impl Reading {
    fn new(from: &Mark, until: &Mark) -> Self {
        let span = Span { from: Spot::of(from).to_vec(), to: Some(Spot::of(until).to_vec()) };
        let rest = (!span.is_empty()).then_some(span);
        Self { rest, spots: Vec::new(), traces: Vec::new(), rows: 0 }
    }

    const fn is_whole(&self) -> bool {
        self.rest.is_none()
    }
}

/// A row that has more bytes counts for several.
const ROW_BYTES: usize = 1024;

impl<S: Store> Archive<S> {
    /// Reads on until it has this many documents or `rows` is used up.
    fn read_on(
        &self,
        reading: &mut Reading,
        documents: usize,
        rows: &mut usize,
    ) -> Result<(), StoreError> {
        let Some(span) = reading.rest.take() else { return Ok(()) };
        let direction = Direction::Backward;
        let mut walk = self.tables.walk(Table::Document, span.clone(), direction);
        let mut last = None;
        while *rows > 0 && reading.spots.len() < documents {
            let Some((key, row)) = walk.next()? else { return Ok(()) };
            // What is large takes longer to read than what is small.
            let cost = 1 + row.len() / ROW_BYTES;
            *rows = rows.saturating_sub(cost);
            reading.rows += cost;
            let spot = Spot::ending(&key).filter(|_| key.len() == SPOT_LEN);
            let spot = spot.ok_or_else(|| damaged("a document"))?;
            if record::is_trace(&row) { &mut reading.traces } else { &mut reading.spots }
                .push(spot);
            last = Some(key);
        }
        let rest = last.map_or(span.clone(), |last| span.after(&last, direction));
        reading.rest = (!rest.is_empty()).then_some(rest);
        Ok(())
    }

    /// Documents and deletions by the beginnings of their ids, as on the wire: those that are there and have not
    /// expired, up to so many bytes.
    ///
    /// # Errors
    /// [`ArchiveError::Store`]
    pub fn pick(
        &self,
        ids: &[ShortId],
        bytes: usize,
        now: Timestamp,
    ) -> Result<Vec<Vec<u8>>, ArchiveError> {
        let (mut picked, mut size) = (Vec::new(), 0_usize);
        for id in ids {
            let mut whole = [0; 32];
            whole[..16].copy_from_slice(id.as_bytes());
            let Some(spot) = self.spot(&DocumentId::from_bytes(whole))? else { continue };
            let Some(Record::Document(document)) = self.record(spot)? else { continue };
            if document.is_expired(now) {
                continue;
            }
            size = size.saturating_add(document.signed.size());
            if size > bytes {
                break;
            }
            picked.push(document.bytes());
        }
        Ok(picked)
    }
}

/// Pieces of what stands between two places, ascending, about as much in each; [`limits::PIECES`] at most.
fn cut(salt: &[u8; 32], spots: &[Spot], until: Mark, pieces: usize) -> Vec<Piece> {
    let size = spots.len().div_ceil(pieces.max(1)).max(1);
    let begins = spots.iter().skip(size).step_by(size).map(Spot::mark);
    let untils: Vec<Mark> = begins.chain([until]).collect();
    let mut chunks = spots.chunks(size);
    let filled = |until| {
        let mut piece = Piece::empty(until);
        for spot in chunks.next().unwrap_or_default() {
            piece.add(salt, spot.short_id().as_bytes());
        }
        piece
    };
    untils.into_iter().map(filled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_not_wanted_so_much_is_remembered_and_the_newest() {
        let spot = |millis| Spot::of(&Timestamp::from_millis(millis).into());
        let mut unwanted = Unwanted::default();
        let count = limits::UNWANTED as u64;
        // In whatever order it comes.
        for millis in (0..2 * count).rev().chain(0..count) {
            unwanted.insert(spot(millis));
        }
        assert!(unwanted.is_full());
        assert_eq!(unwanted.0.first(), Some(&spot(count)));
        assert_eq!(unwanted.0.last(), Some(&spot(2 * count - 1)));
    }
}
