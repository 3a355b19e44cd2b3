//! The tables as an archive sees them: those of the store, with changes over them that are not in it yet.
//!
//! Documents come in the order of time, more or less; their entries in the other tables come in no order at all, and
//! a B-tree that takes a handful of these at each commit writes a page for each of them. So they are gathered in
//! memory and merged into the store sorted, some 50,000 rows at once. Until then they are in the *journal*, one
//! row for each commit, which is read when the store is opened:
//!
//! ```text
//! put ─▶ fresh ──commit──▶ store: documents, a row of the journal
//!                └───────▶ gathered ──merge──▶ store: all other tables; the journal is emptied
//! ```
//!
//! What is read is the newest of the three. Both steps are one commit of the store each, so that there is no moment
//! at which an entry could be lost, or stand without its document.

mod journal;
mod walk;

use crate::store::{Changes, Chunk, Direction, RowChanges, Rows, Span, Store, StoreError, Table};

pub(crate) use walk::Walk;

/// How many bytes of changed rows are gathered at most.
const GATHERED_BYTES: usize = 16 * 1024 * 1024;

/// A store, and what is to be changed in it.
pub(crate) struct Tables<S> {
    store: S,
    /// Not committed yet.
    fresh: Layer,
    /// Committed in the journal, and not in its table yet.
    gathered: Layer,
    /// The number of the next row of the journal.
    journal: u64,
}

impl<S: Store> Tables<S> {
    /// Reads the journal.
    pub(crate) fn open(store: S) -> Result<Self, StoreError> {
        let mut tables =
            Self { store, fresh: Layer::default(), gathered: Layer::default(), journal: 0 };
        let mut span = Some(Span::all());
        while let Some(left) = span {
            let rows = tables.store.range(Table::Journal, &left, Direction::Forward, JOURNAL)?;
            for (key, value) in rows.rows {
                let number = <[u8; 8]>::try_from(key.as_slice()).map(u64::from_be_bytes);
                let damaged = || StoreError::Damaged("the journal cannot be read".to_owned());
                tables.journal = number.map_err(|_| damaged())?.saturating_add(1);
                tables.gathered.absorb(journal::decode(&value).ok_or_else(damaged)?);
            }
            span = rows.rest;
        }
        Ok(tables)
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

    /// How many rows wait for the next merge.
    pub(crate) fn gathered_rows(&self) -> usize {
        self.gathered.rows.iter().map(RowChanges::len).sum()
    }

    pub(crate) fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.fresh.put(table, key, Some(value));
    }

    pub(crate) fn remove(&mut self, table: Table, key: Vec<u8>) {
        self.fresh.put(table, key, None);
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.fresh.of(table).get(key).or_else(|| self.gathered.of(table).get(key)) {
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
        let mut fresh = self.fresh.within(table, &here, direction).peekable();
        let mut gathered = self.gathered.within(table, &here, direction).peekable();
        let mut below = stored.rows.into_iter().peekable();
        let first = |a: &[u8], b: &[u8]| match direction {
            Direction::Forward => a < b,
            Direction::Backward => a > b,
        };
        let (mut rows, mut bytes, mut seen) = (Vec::new(), 0_usize, 0_usize);
        loop {
            let keys = [
                fresh.peek().map(|(key, _)| key.as_slice()),
                gathered.peek().map(|(key, _)| key.as_slice()),
                below.peek().map(|(key, _)| key.as_slice()),
            ];
            let least = keys.into_iter().flatten().reduce(|a, b| if first(b, a) { b } else { a });
            let Some(key) = least.map(<[u8]>::to_vec) else {
                return Ok(Rows { rows, rest: stored.rest });
            };
            let newest = fresh.next_if(|(k, _)| **k == key).map(|(_, value)| value.clone());
            let newer = gathered.next_if(|(k, _)| **k == key).map(|(_, value)| value);
            let newer = newest.or_else(|| newer.cloned());
            let old = below.next_if(|(k, _)| *k == key).map(|(_, value)| value);
            seen += 1;
            let is_enough = seen >= chunk.rows || bytes >= chunk.bytes;
            let rest = is_enough.then(|| span.after(&key, direction));
            if let Some(value) = newer.unwrap_or(old) {
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
            let row = (self.journal.to_be_bytes().to_vec(), Some(journal::encode(&self.fresh)));
            changes.rows.insert(Table::Journal, RowChanges::from([row]));
        }
        match self.store.commit(&changes) {
            Ok(()) => {
                self.journal = self.journal.saturating_add(1);
                self.gathered.absorb(core::mem::take(&mut self.fresh));
                Ok(())
            }
            Err(error) => {
                for (key, value) in changes.rows.remove(&Table::Document).unwrap_or_default() {
                    self.fresh.put(Table::Document, key, value);
                }
                Err(error)
            }
        }
    }

    /// Whether it is time to merge.
    pub(crate) fn is_full(&self, rows: usize) -> bool {
        self.gathered_rows() >= rows || self.gathered.bytes >= GATHERED_BYTES
    }

    /// Moves what was gathered into its tables. It takes longer than a commit.
    pub(crate) fn merge(&mut self) -> Result<(), StoreError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let mut changes = Changes::default();
        changes.clear.insert(Table::Journal);
        for table in Table::ALL {
            let rows = self.gathered.take(table);
            if !rows.is_empty() {
                changes.rows.insert(table, rows);
            }
        }
        let outcome = self.store.commit(&changes);
        if outcome.is_err() {
            for (table, rows) in changes.rows {
                for (key, value) in rows {
                    self.gathered.put(table, key, value);
                }
            }
        }
        outcome
    }

    /// Throws away what waits, and changes the store around the journal.
    pub(crate) fn reset(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.fresh = Layer::default();
        self.gathered = Layer::default();
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

/// How much of the journal is read at once.
const JOURNAL: Chunk = Chunk { rows: 64, bytes: 4 * 1024 * 1024 };

/// Changes over what lies below.
#[derive(Debug, Default)]
struct Layer {
    rows: [RowChanges; Table::ALL.len()],
    /// Of all keys and values.
    bytes: usize,
}

impl Layer {
    const fn of(&self, table: Table) -> &RowChanges {
        &self.rows[table as usize]
    }

    fn is_empty(&self) -> bool {
        self.rows.iter().all(RowChanges::is_empty)
    }

    fn put(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        let key_len = key.len();
        self.bytes += key_len + value.as_ref().map_or(0, Vec::len);
        if let Some(old) = self.rows[table as usize].insert(key, value) {
            self.bytes -= key_len + old.map_or(0, |old| old.len());
        }
    }

    fn take(&mut self, table: Table) -> RowChanges {
        let rows = core::mem::take(&mut self.rows[table as usize]);
        let size = |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| {
            key.len() + value.as_ref().map_or(0, Vec::len)
        };
        self.bytes -= rows.iter().map(size).sum::<usize>();
        rows
    }

    /// Takes over newer changes.
    fn absorb(&mut self, mut newer: Self) {
        for table in Table::ALL {
            for (key, value) in newer.take(table) {
                self.put(table, key, value);
            }
        }
    }

    fn within(&self, table: Table, span: &Span, direction: Direction) -> Within<'_> {
        if span.is_empty() {
            return Box::new(core::iter::empty());
        }
        let rows = self.of(table).range::<[u8], _>(span.bounds());
        match direction {
            Direction::Forward => Box::new(rows),
            Direction::Backward => Box::new(rows.rev()),
        }
    }
}

type Within<'a> = Box<dyn Iterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)> + 'a>;

#[cfg(test)]
mod tests;
