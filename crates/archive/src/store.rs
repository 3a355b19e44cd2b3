//! Where an archive keeps its rows: ordered tables of bytes, changed by atomic and durable commits.

mod memory;
#[cfg(feature = "redb")]
mod redb;

use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet};

pub use memory::MemoryStore;
#[cfg(feature = "redb")]
pub use redb::RedbStore;

/// The tables. Their layout is the archive's own, not the store's: `layout.rs` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Documents in the order of time: the durable truth, from which all other tables can be made again.
    Document,
    /// Changes of the tables below that are not in them yet.
    Journal,
    /// What the archive says of itself.
    Meta,
    /// Where a document stands, by its id.
    Id,
    /// Documents by author and time.
    Author,
    /// Documents by the value of a field and time.
    Field,
    /// The newest version of each author under each key.
    Head,
    /// What deletions name by id.
    Grave,
    /// What leaves, by when it does.
    Expiry,
    /// How much each author's documents take.
    Usage,
    /// Authors over their share, by about how much they take.
    Heavy,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Document,
        Self::Journal,
        Self::Meta,
        Self::Id,
        Self::Author,
        Self::Field,
        Self::Head,
        Self::Grave,
        Self::Expiry,
        Self::Usage,
        Self::Heavy,
    ];

    /// Its name in a store that names tables. It is part of the format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Journal => "journal",
            Self::Meta => "meta",
            Self::Id => "id",
            Self::Author => "author",
            Self::Field => "field",
            Self::Head => "head",
            Self::Grave => "grave",
            Self::Expiry => "expiry",
            Self::Usage => "usage",
            Self::Heavy => "heavy",
        }
    }
}

/// Which way rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// By ascending keys.
    Forward,
    /// By descending keys.
    Backward,
}

/// Keys from one on and below another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The least key in it.
    pub from: Vec<u8>,
    /// The least key above it; none if it has no end.
    pub to: Option<Vec<u8>>,
}

impl Span {
    /// Every key.
    pub const fn all() -> Self {
        Self { from: Vec::new(), to: None }
    }

    /// Every key that begins so.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { from: prefix.to_vec(), to: successor(prefix) }
    }

    /// What of it comes after a key, in this direction.
    pub fn after(&self, key: &[u8], direction: Direction) -> Self {
        match direction {
            Direction::Forward => {
                let from = [key, &[0]].concat();
                Self { from: from.max(self.from.clone()), to: self.to.clone() }
            }
            Direction::Backward => {
                let to = self.to.clone().filter(|to| to.as_slice() <= key);
                Self { from: self.from.clone(), to: to.or_else(|| Some(key.to_vec())) }
            }
        }
    }

    /// What is in both.
    pub fn and(mut self, other: Self) -> Self {
        self.from = self.from.max(other.from);
        self.to = match (self.to, other.to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self
    }

    /// As the standard library has it; it must not be empty then.
    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let to = self.to.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        (Bound::Included(self.from.as_slice()), to)
    }

    /// Whether no key is in it.
    pub fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| *to <= self.from)
    }

    /// Whether this key is in it.
    pub fn contains(&self, key: &[u8]) -> bool {
        *self.from <= *key && self.to.as_ref().is_none_or(|to| *key < **to)
    }
}

/// The least key above all that begin so; none if there is none.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut next = prefix.get(..=last)?.to_vec();
    *next.last_mut()? += 1;
    Some(next)
}

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Rows that were read, and where there may be more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// In the order of the direction.
    pub rows: Vec<Row>,
    /// What was not read; none if that was all.
    pub rest: Option<Span>,
}

/// How much is read at once. At least one row is, whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// The most rows.
    pub rows: usize,
    /// No row is added to so many bytes of keys and values or more.
    pub bytes: usize,
}

/// New values of rows, by their keys; none takes the row away.
pub type RowChanges = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// What one commit does: tables are emptied first, then rows are changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Tables that lose all their rows.
    pub clear: BTreeSet<Table>,
    /// New values of rows.
    pub rows: BTreeMap<Table, RowChanges>,
}

impl Changes {
    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.clear.is_empty() && self.rows.values().all(BTreeMap::is_empty)
    }
}

/// Ordered tables of rows.
///
/// Nothing that is read keeps the store from freeing what is overwritten: a slow reader asks again, with the
/// [`Rows::rest`] of what it has read.
pub trait Store {
    /// The value of a row.
    ///
    /// # Errors
    /// [`StoreError`]
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The first rows of a span.
    ///
    /// # Errors
    /// [`StoreError`]
    fn range(
        &self,
        table: Table,
        span: &Span,
        direction: Direction,
        chunk: Chunk,
    ) -> Result<Rows, StoreError>;

    /// Makes all of the changes or none of them. They outlast the process and the machine's power once this has
    /// returned.
    ///
    /// # Errors
    /// [`StoreError`]: none of it was done, and the store can still be read.
    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError>;

    /// Gives room that is not used back. Whether anything was gained; then once more may gain more.
    ///
    /// # Errors
    /// [`StoreError`]
    fn compact(&mut self) -> Result<bool, StoreError>;

    /// How many bytes it takes on its disk, or in memory.
    ///
    /// # Errors
    /// [`StoreError`]
    fn size(&self) -> Result<u64, StoreError>;

    /// Reads everything to see whether it is as it was written, as far as the store itself can tell.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it is not.
    fn verify(&mut self) -> Result<(), StoreError>;
}

/// Why a store does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room. What was committed is there and can be read.
    #[error(
        "the disk is full: make room, and what waits is stored; nothing that was stored is lost"
    )]
    Full,
    /// What is there is not what was written.
    #[error(
        "the store is damaged ({0}): repair it, which keeps every document that can still be read"
    )]
    Damaged(String),
    /// Another process has it open.
    #[error("another process has the store {0} open: end it, or choose another directory")]
    InUse(String),
    /// It was written by another version, or is none of ours.
    #[error(
        "the store is of format {0}, which this version does not know: use the version that wrote it"
    )]
    Format(String),
    /// Another failure of reading or writing.
    #[error("the store cannot be read or written: {0}")]
    Io(String),
}

/// The first rows of those that a span has in this direction.
fn take<E>(
    rows: impl Iterator<Item = Result<Row, E>>,
    span: &Span,
    direction: Direction,
    chunk: Chunk,
) -> Result<Rows, E> {
    let (mut taken, mut bytes) = (Vec::<Row>::new(), 0_usize);
    for row in rows {
        if let Some((last, _)) = taken.last()
            && (taken.len() >= chunk.rows || bytes >= chunk.bytes)
        {
            let rest = span.after(last, direction);
            return Ok(Rows { rows: taken, rest: Some(rest) });
        }
        let (key, value) = row?;
        bytes = bytes.saturating_add(key.len() + value.len());
        taken.push((key, value));
    }
    Ok(Rows { rows: taken, rest: None })
}
