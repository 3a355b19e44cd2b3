//! The archive: its tables, its configuration, and how one document's rows are changed.

use taiinet_document::{DocumentId, Timestamp};
use taiinet_identity::PeerId;

use crate::{
    config::Config,
    entries::{self, Indexed, entries},
    error::ArchiveError,
    layout::{self, Spot},
    limits,
    meta::{self, Totals},
    record::{Kind, Record},
    store::{Store, StoreError, Table},
    tables::Tables,
    usage::Usage,
};

/// Documents that last, on a [`Store`].
///
/// It has no clock and does no waiting: whoever drives it says what time it is, and calls what is due.
///
/// | | |
/// |---|---|
/// | in | [`admit`](Self::admit), then [`commit`](Self::commit) within some 50 ms |
/// | out | [`find`](Self::find), [`get`](Self::get), [`head`](Self::head), [`export`](Self::export) |
/// | time | [`expire`](Self::expire), each minute or so |
/// | care | [`stats`](Self::stats), [`check`](Self::check), [`repair`](Self::repair), [`compact`](Self::compact) |
pub struct Archive<S> {
    pub(crate) tables: Tables<S>,
    pub(crate) config: Config,
    pub(crate) indexed: Vec<Indexed>,
    pub(crate) totals: Totals,
    pub(crate) health: Health,
}

/// Whether changes can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Health {
    Well,
    /// The last commit failed: what was admitted waits for the next.
    Waiting(StoreError),
    /// A change was begun and could not be ended, so that nothing may be committed any more.
    Broken(StoreError),
}

impl<S: Store> Archive<S> {
    /// Makes durable what was admitted since the last time. Some commits write a piece of the
    /// indexes as well.
    ///
    /// # Errors
    /// [`ArchiveError::Store`]: none of it is durable yet. Nothing is admitted then until a later call succeeds,
    /// which makes it so; what was durable before can be read.
    pub fn commit(&mut self) -> Result<(), ArchiveError> {
        if let Health::Broken(error) = &self.health {
            return Err(ArchiveError::Store(error.clone()));
        }
        if self.waits() {
            self.tables.put(Table::Meta, meta::TOTALS.to_vec(), self.totals.encode());
        }
        let outcome = self.tables.commit();
        let outcome = outcome.and_then(|()| self.tables.merge_some(self.config.gathered_rows));
        self.health = match &outcome {
            Ok(()) => Health::Well,
            Err(error) => Health::Waiting(error.clone()),
        };
        outcome.map_err(ArchiveError::Store)
    }

    /// Whether anything waits for a commit: not only what was stored, but also what was found to be replaced or
    /// deleted, and what has left.
    pub const fn waits(&self) -> bool {
        self.tables.fresh_bytes() > 0
    }

    /// Gives room that is free in the store back to the disk; it takes seconds for a large one. Whether anything was
    /// gained: then once more may gain more.
    ///
    /// # Errors
    /// [`ArchiveError::Store`]
    pub fn compact(&mut self) -> Result<bool, ArchiveError> {
        self.commit()?;
        self.tables.merge()?;
        Ok(self.tables.store_mut().compact()?)
    }

    /// The configuration.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The store, as it is without what was not committed.
    pub const fn store(&self) -> &S {
        self.tables.store()
    }

    /// The store, without what was not committed.
    pub fn into_store(self) -> S {
        self.tables.into_store()
    }

    /// Documents older than this are not taken, whoever wrote them: they left for want of room, and would again.
    pub const fn floor(&self) -> Timestamp {
        self.totals.floor
    }

    /// Since when documents are kept: older ones are past [`Config::keep`], or have left for want of room. Of an author
    /// that had more than its share, newer ones may have left as well.
    pub fn keeps_since(&self, now: Timestamp) -> Timestamp {
        self.config.keeps_since(now).max(self.floor())
    }

    /// As [`Self::floor`], for those of one author, who had more than its share.
    ///
    /// # Errors
    /// [`ArchiveError::Store`]
    pub fn floor_of(&self, author: &PeerId) -> Result<Timestamp, ArchiveError> {
        let row = match self.totals.floors {
            0 => None,
            _ => self.tables.get(Table::Meta, &meta::floor_key(author))?,
        };
        let floor = row.and_then(|row| row.try_into().ok()).map(layout::read_time);
        Ok(floor.unwrap_or_default().max(self.totals.floor))
    }

    /// Runs what changes rows. If that fails half-way, nothing of it may become durable.
    pub(crate) fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, ArchiveError> {
        match &self.health {
            Health::Well => {}
            Health::Waiting(error) | Health::Broken(error) => {
                return Err(ArchiveError::Store(error.clone()));
            }
        }
        if self.tables.fresh_bytes() > limits::WAITING_BYTES {
            return Err(ArchiveError::CommitFirst);
        }
        change(self).map_err(|error| {
            self.health = Health::Broken(error.clone());
            ArchiveError::Store(error)
        })
    }

    /// What stands at a spot.
    pub(crate) fn record(&self, spot: Spot) -> Result<Option<Record>, StoreError> {
        let row = self.tables.get(Table::Document, spot.as_bytes())?;
        row.map(|row| decode(&row, spot)).transpose()
    }

    /// Where a document stands, by its id.
    pub(crate) fn spot(&self, id: &DocumentId) -> Result<Option<Spot>, StoreError> {
        let time = self.tables.get(Table::Id, &layout::id16(id))?;
        Ok(time.and_then(|time| Spot::by_id(&time, id)))
    }

    /// Puts a record into the place of another, with all rows that come of them. Both are of one document.
    pub(crate) fn replace(
        &mut self,
        old: Option<&Record>,
        new: Option<&Record>,
    ) -> Result<(), StoreError> {
        let Some(either) = new.or(old) else { return Ok(()) };
        let (author, spot) = (either.author(), either.spot());
        let mut usage = self.usage(&author)?;
        let before = usage;
        if let Some(old) = old {
            let entries = entries(old, &self.config, &self.indexed);
            let row = old.encode();
            let footprint = entries::footprint(&row, &entries);
            self.totals.remove(old.kind(), row.len(), footprint);
            usage.remove(footprint);
            for entry in entries {
                self.tables.remove(entry.table, entry.key);
            }
            self.tables.remove(Table::Document, spot.to_vec());
        }
        if let Some(new) = new {
            let entries = entries(new, &self.config, &self.indexed);
            let row = new.encode();
            let footprint = entries::footprint(&row, &entries);
            self.totals.add(new.kind(), row.len(), footprint);
            usage.add(footprint);
            for entry in entries {
                self.tables.put(entry.table, entry.key, entry.value);
            }
            self.tables.put(Table::Document, spot.to_vec(), row);
        }
        self.put_usage(&author, before, usage);
        Ok(())
    }

    pub(crate) fn usage(&self, author: &PeerId) -> Result<Usage, StoreError> {
        let row = self.tables.get(Table::Usage, author.as_bytes())?;
        row.map_or(Ok(Usage::default()), |row| {
            Usage::decode(&row).ok_or_else(|| damaged("how much an author has"))
        })
    }

    fn put_usage(&mut self, author: &PeerId, before: Usage, after: Usage) {
        let share = self.config.share.unwrap_or(u64::MAX);
        let heavy =
            |usage: Usage| (usage.bytes > share).then(|| layout::heavy_key(usage.bytes, author));
        match (heavy(before), heavy(after)) {
            (old, new) if old == new => {}
            (old, new) => {
                if let Some(old) = old {
                    self.tables.remove(Table::Heavy, old);
                }
                if let Some(new) = new {
                    self.tables.put(Table::Heavy, new, Vec::new());
                }
            }
        }
        if after.rows > 0 {
            self.tables.put(Table::Usage, author.as_bytes().to_vec(), after.encode());
        } else {
            self.tables.remove(Table::Usage, author.as_bytes().to_vec());
        }
    }
}

/// Reads a row, which was written by us.
pub(crate) fn decode(row: &[u8], spot: Spot) -> Result<Record, StoreError> {
    let record = Record::decode(row).filter(|record| record.spot() == spot);
    record.ok_or_else(|| damaged("a document"))
}

pub(crate) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("{what} is not as it was written"))
}

/// Whether a row counts as a document.
pub(crate) const fn is_live(record: &Record) -> bool {
    matches!(record.kind(), Kind::Live)
}
