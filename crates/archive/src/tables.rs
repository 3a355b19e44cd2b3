//! The tables as an archive sees them: those of the store, with changes over them that are not in it yet.
//!
//! Documents come in the order of time, more or less; their entries in the other tables come in no order at all, and
//! a B-tree that takes a handful of these at each commit writes a page for each of them. So they are gathered in
//! memory, and when there are many, merged into the store in the order of their keys. Until then they are in the
//! *journal*, one row for each commit, which is read when the store is opened:
//!
//! ```text
//! put ─▶ fresh ──commit──▶ store: documents, a row of the journal
//!                └───────▶ gathered ──many──▶ merging ──a piece a commit──▶ store: all other tables
//! ```
//!
//! What is read is the newest of these. A merge is done in pieces, so that no commit takes long and no more pages are
//! copied at once; its rows of the journal go with the last piece. If the process ends before, the journal is read
//! and all of it merged again, which changes nothing of what was done. So there is no moment at which an entry could
//! be lost, or stand without its document.

mod journal;
mod layer;
mod walk;

use core::ops::Range;

use crate::store::{Changes, Chunk, Direction, RowChanges, Rows, Span, Store, StoreError, Table};

use layer::Layer;
pub(crate) use walk::Walk;

/// How many bytes of changed rows are gathered at most.
const GATHERED_BYTES: usize = 16 * 1024 * 1024;
/// A merge has this many pieces, or fewer of at least so many rows.
const PIECES: usize = 16;
const PIECE_ROWS: usize = 2_048;
/// How much of the journal is read at once.
const JOURNAL: Chunk = Chunk { rows: 64, bytes: 4 * 1024 * 1024 };

/// A store, and what is to be changed in it.
pub(crate) struct Tables<S> {
    store: S,
    /// Not committed yet.
    fresh: Layer,
    /// Committed in the journal, and not in its table yet.
    gathered: Layer,
    /// Of what was gathered before, what is still not in its table.
    merging: Layer,
    /// How many rows of it the next piece has.
    piece: usize,
    /// The rows of the journal that are about `merging`, and after them those about `gathered`.
    journal: Range<u64>,
    /// The number of the next row of the journal.
    next: u64,
}

impl<S: Store> Tables<S> {
    /// Reads the journal.
    pub(crate) fn open(store: S) -> Result<Self, StoreError> {
        let mut gathered = Layer::default();
        let (mut first, mut next) = (None, 0);
        let mut span = Some(Span::all());
        while let Some(left) = span {
            let rows = store.range(Table::Journal, &left, Direction::Forward, JOURNAL)?;
            for (key, value) in rows.rows {
                let number = <[u8; 8]>::try_from(key.as_slice()).map(u64::from_be_bytes);
                let damaged = || StoreError::Damaged("the journal cannot be read".to_owned());
                let number = number.map_err(|_| damaged())?;
                gathered.absorb(journal::decode(&value).ok_or_else(damaged)?);
                first = first.or(Some(number));
                next = number.saturating_add(1);
            }
            span = rows.rest;
        }
        let first = first.unwrap_or(next);
        let (fresh, merging) = (Layer::default(), Layer::default());
        Ok(Self { store, fresh, gathered, merging, piece: 0, journal: first..first, next })
    }

    /// Without what was not committed.
    pub(crate) fn into_store(self) -> S {
        self.store
    }

    pub(crate) const fn store(&self) -> &S {
        &self.store
    }

    pub(crate) const fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// How many bytes wait for the next commit.
    pub(crate) const fn fresh_bytes(&self) -> usize {
        self.fresh.bytes
    }

    /// How many rows are not in their tables yet.
    pub(crate) fn gathered_rows(&self) -> usize {
        self.gathered.len() + self.merging.len()
    }

    pub(crate) fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.fresh.put(table, key, Some(value));
    }

    pub(crate) fn remove(&mut self, table: Table, key: Vec<u8>) {
        self.fresh.put(table, key, None);
    }

    /// The newest first.
    const fn layers(&self) -> [&Layer; 3] {
        [&self.fresh, &self.gathered, &self.merging]
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.layers().into_iter().find_map(|layer| layer.of(table).get(key)) {
            Some(changed) => Ok(changed.clone()),
            None => self.store.get(table, key),
        }
    }

    /// The rows of a span, one after another.
    pub(crate) fn walk(&self, table: Table, span: Span, direction: Direction) -> Walk<'_, S> {
        Walk::new(self, table, span, direction)
    }

    /// The first rows of a span; maybe none although there are more.
    fn range(
        &self,
        table: Table,
        span: &Span,
        direction: Direction,
        chunk: Chunk,
    ) -> Result<Rows, StoreError> {
        let stored = self.store.range(table, span, direction, chunk)?;
        // Changes beyond what was read of the store wait for the rest of it.
        let here = match (&stored.rest, direction) {
            (None, _) => span.clone(),
            (Some(rest), Direction::Forward) => {
                Span { from: span.from.clone(), to: Some(rest.from.clone()) }
            }
            (Some(rest), Direction::Backward) => {
                Span { from: rest.to.clone().unwrap_or_default(), to: span.to.clone() }
            }
        };
        let mut layers =
            self.layers().map(|layer| layer.within(table, &here, direction).peekable());
        let mut below = stored.rows.into_iter().peekable();
        let first = |a: &[u8], b: &[u8]| match direction {
            Direction::Forward => a < b,
            Direction::Backward => a > b,
        };
        let (mut rows, mut bytes, mut seen) = (Vec::new(), 0_usize, 0_usize);
        loop {
            let changed = layers.iter_mut().filter_map(|layer| layer.peek().map(|(key, _)| *key));
            let least = changed.reduce(|a, b| if first(b, a) { b } else { a });
            let old = below.next_if(|(key, _)| least.is_none_or(|least| !first(least, key)));
            let (key, value) = match (least, old) {
                (None, None) => return Ok(Rows { rows, rest: stored.rest }),
                (None, Some((key, value))) => (key, Some(value)),
                (Some(least), Some((key, value))) if key != *least => (key, Some(value)),
                (Some(least), _) => {
                    let mut newest = None;
                    for layer in &mut layers {
                        let change = layer.next_if(|(key, _)| *key == least);
                        newest = newest.or(change.map(|(_, value)| value));
                    }
                    (least.clone(), newest.cloned().flatten())
                }
            };
            seen += 1;
            let is_enough = seen >= chunk.rows || bytes >= chunk.bytes;
            let rest = is_enough.then(|| span.after(&key, direction));
            if let Some(value) = value {
                bytes = bytes.saturating_add(key.len() + value.len());
                rows.push((key, value));
            }
            if rest.is_some() {
                return Ok(Rows { rows, rest });
            }
        }
    }

    /// Makes durable what was changed. If that fails it waits for the next commit.
    pub(crate) fn commit(&mut self) -> Result<(), StoreError> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        let documents = self.fresh.take(Table::Document);
        let mut changes = Changes::default();
        changes.rows.insert(Table::Document, documents);
        if !self.fresh.is_empty() {
            let row = (self.next.to_be_bytes().to_vec(), Some(journal::encode(&self.fresh)));
            changes.rows.insert(Table::Journal, RowChanges::from([row]));
        }
        match self.store.commit(&changes) {
            Ok(()) => {
                self.next = self.next.saturating_add(1);
                self.gathered.absorb(core::mem::take(&mut self.fresh));
                Ok(())
            }
            Err(error) => {
                let documents = changes.rows.remove(&Table::Document).unwrap_or_default();
                self.fresh.absorb_rows(Table::Document, documents);
                Err(error)
            }
        }
    }

    /// Merges a piece of what was gathered, if that are so many rows.
    pub(crate) fn merge_some(&mut self, rows: usize) -> Result<(), StoreError> {
        let is_full = self.gathered.len() >= rows || self.gathered.bytes >= GATHERED_BYTES;
        if is_full {
            // Commits are faster than pieces: the rest of the last merge is done at once.
            self.finish()?;
            self.begin();
        }
        self.merge_piece(self.piece)
    }

    /// Moves all that was gathered into its tables.
    pub(crate) fn merge(&mut self) -> Result<(), StoreError> {
        self.finish()?;
        self.begin();
        self.finish()
    }

    fn begin(&mut self) {
        self.merging = core::mem::take(&mut self.gathered);
        self.piece = self.merging.len().div_ceil(PIECES).max(PIECE_ROWS);
        self.journal.end = self.next;
    }

    fn finish(&mut self) -> Result<(), StoreError> {
        while !self.merging.is_empty() {
            self.merge_piece(self.piece)?;
        }
        Ok(())
    }

    fn merge_piece(&mut self, rows: usize) -> Result<(), StoreError> {
        let mut piece = Vec::new();
        self.merging.take_first(rows, &mut piece);
        if piece.is_empty() {
            return Ok(());
        }
        let mut changes = Changes::default();
        changes.rows.extend(piece);
        if self.merging.is_empty() {
            let rows = self.journal.clone().map(|number| (number.to_be_bytes().to_vec(), None));
            changes.rows.insert(Table::Journal, rows.collect());
        }
        let outcome = self.store.commit(&changes);
        match &outcome {
            Ok(()) if self.merging.is_empty() => self.journal.start = self.journal.end,
            Ok(()) => {}
            Err(_) => {
                changes.rows.remove(&Table::Journal);
                for (table, rows) in changes.rows {
                    self.merging.absorb_rows(table, rows);
                }
            }
        }
        outcome
    }

    /// Throws away what waits, and changes the store around the journal.
    pub(crate) fn reset(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.fresh = Layer::default();
        self.gathered = Layer::default();
        self.merging = Layer::default();
        self.journal = self.next..self.next;
        self.store.commit(changes)
    }

    /// Commits what was changed into its tables at once. Nothing may be gathered.
    pub(crate) fn write_through(&mut self) -> Result<(), StoreError> {
        let mut changes = Changes::default();
        for table in Table::ALL {
            changes.rows.insert(table, self.fresh.take(table));
        }
        self.store.commit(&changes)
    }
}

#[cfg(test)]
mod tests;
