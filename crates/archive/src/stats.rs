//! How much there is.

use taiinet_document::Timestamp;

use crate::{
    archive::{Archive, damaged},
    error::ArchiveError,
    layout::Spot,
    store::{Direction, Span, Store, StoreError, Table},
};

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Documents, also those that have expired and were not taken out yet.
    pub documents: u64,
    /// Deletions.
    pub deletions: u64,
    /// Versions of which only a trace is kept.
    pub traces: u64,
    /// About how many bytes were signed.
    pub signed_bytes: u64,
    /// About how many bytes all of it takes on the disk; quotas are measured against this.
    pub footprint: u64,
    /// How many bytes the store takes. Some may be free, for what comes next.
    pub store_bytes: u64,
    /// How many rows of indexes wait to be merged.
    pub gathered_rows: usize,
    /// The time of the oldest of all these; none if there is nothing.
    pub oldest: Option<Timestamp>,
    /// The time of the newest.
    pub newest: Option<Timestamp>,
}

impl<S: Store> Archive<S> {
    /// How much there is, with what was not committed.
    ///
    /// # Errors
    /// [`ArchiveError::Store`]
    pub fn stats(&self) -> Result<Stats, ArchiveError> {
        let totals = &self.totals;
        Ok(Stats {
            documents: totals.documents,
            deletions: totals.deletions,
            traces: totals.traces,
            signed_bytes: totals.row_bytes,
            footprint: totals.footprint,
            store_bytes: self.tables.store().size()?,
            gathered_rows: self.tables.gathered_rows(),
            oldest: self.outermost(Direction::Forward)?,
            newest: self.outermost(Direction::Backward)?,
        })
    }

    fn outermost(&self, direction: Direction) -> Result<Option<Timestamp>, StoreError> {
        let mut walk = self.tables.walk(Table::Document, Span::all(), direction);
        let Some((key, _)) = walk.next()? else { return Ok(None) };
        let spot = Spot::ending(&key).ok_or_else(|| damaged("a document"))?;
        Ok(Some(spot.created_at()))
    }
}
