//! A store in one file, by the crate `redb`.
//!
//! Commits are made with *quick repair*: the state of the allocator is part of each, so that opening after a crash
//! does not walk the file.

use core::cell::RefCell;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use redb::{Builder, Database, ReadOnlyTable, ReadableDatabase, TableDefinition};

use super::{Changes, Chunk, Direction, Row, Rows, Span, Store, StoreError, Table};

/// How much of the file is kept in memory, in bytes.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

const fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

/// Tables in the file `documents.redb`.
pub struct RedbStore {
    path: PathBuf,
    /// None after a failure, until it can be opened again.
    database: Option<Database>,
    /// The tables as the last commit left them; opening one takes longer than reading a row. They are let go before
    /// the next, so that they keep nothing from being freed.
    open: RefCell<BTreeMap<Table, OpenTable>>,
}

type OpenTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

impl RedbStore {
    /// The file in an archive's directory.
    pub const FILE: &str = "documents.redb";

    /// Opens the store in a directory, and makes both if they are not there. It is this process's alone until it is
    /// dropped.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process has it open, [`StoreError::Damaged`],
    /// [`StoreError::Format`], [`StoreError::Full`], [`StoreError::Io`]
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(directory).map_err(|error| from_io(&error, directory))?;
        let path = directory.join(Self::FILE);
        let database = guarded(|| open(&path)).map_err(|error| match error {
            StoreError::InUse(_) => StoreError::InUse(path.display().to_string()),
            error => error,
        })?;
        Ok(Self { path, database: Some(database), open: RefCell::default() })
    }

    /// Whether there is a store in a directory.
    pub fn is_in(directory: &Path) -> bool {
        directory.join(Self::FILE).exists()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn database(&self) -> Result<&Database, StoreError> {
        self.database.as_ref().ok_or_else(|| {
            let path = self.path.display();
            StoreError::Io(format!("{path} could not be opened again after it had failed"))
        })
    }

    fn read<T>(
        &self,
        table: Table,
        read: impl FnOnce(&OpenTable) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let database = self.database()?;
        let mut open = self.open.borrow_mut();
        guarded(|| {
            let table = match open.entry(table) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    entry.insert(database.begin_read()?.open_table(definition(table))?)
                }
            };
            read(table).map_err(Failure::from)
        })
    }
}

impl Store for RedbStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(table, |table| Ok(table.get(key)?.map(|value| value.value().to_vec())))
    }

    fn range(
        &self,
        table: Table,
        span: &Span,
        direction: Direction,
        chunk: Chunk,
    ) -> Result<Rows, StoreError> {
        if span.is_empty() {
            return Ok(Rows { rows: Vec::new(), rest: None });
        }
        self.read(table, |table| {
            let mut range = table.range::<&[u8]>(span.bounds())?;
            let rows = std::iter::from_fn(|| match direction {
                Direction::Forward => range.next(),
                Direction::Backward => range.next_back(),
            });
            let rows = rows.map(|row| {
                let (key, value) = row?;
                Ok::<Row, redb::Error>((key.value().to_vec(), value.value().to_vec()))
            });
            super::take(rows, span, direction, chunk)
        })
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.open.get_mut().clear();
        if self.database.is_none() {
            self.database = Some(guarded(|| open(&self.path))?);
        }
        let outcome = self.database().and_then(|database| guarded(|| write(database, changes)));
        if outcome.is_err() {
            // After a failure redb does nothing more until it is opened again.
            self.database = None;
            self.database = guarded(|| open(&self.path)).ok();
        }
        outcome
    }

    fn compact(&mut self) -> Result<bool, StoreError> {
        self.open.get_mut().clear();
        match &mut self.database {
            Some(database) => guarded(|| Ok(database.compact().map_err(redb::Error::from)?)),
            None => Ok(false),
        }
    }

    fn size(&self) -> Result<u64, StoreError> {
        let metadata = fs::metadata(&self.path).map_err(|error| from_io(&error, &self.path))?;
        Ok(on_disk(&metadata))
    }

    fn verify(&mut self) -> Result<(), StoreError> {
        self.open.get_mut().clear();
        let Some(database) = &mut self.database else { return Ok(()) };
        match guarded(|| Ok(database.check_integrity().map_err(redb::Error::from)?))? {
            true => Ok(()),
            false => Err(StoreError::Damaged("pages were not as they were written".to_owned())),
        }
    }
}

fn open(path: &Path) -> Result<Database, Failure> {
    let database = Builder::new().set_cache_size(CACHE_BYTES).create(path)?;
    // A table that is not there cannot be read.
    let tables = database.begin_read()?.list_tables()?.count();
    if tables < Table::ALL.len() {
        let write = database.begin_write()?;
        for table in Table::ALL {
            write.open_table(definition(table))?;
        }
        write.commit()?;
    }
    Ok(database)
}

fn write(database: &Database, changes: &Changes) -> Result<(), Failure> {
    let mut write = database.begin_write()?;
    write.set_quick_repair(true);
    for table in &changes.clear {
        write.delete_table(definition(*table))?;
        write.open_table(definition(*table))?;
    }
    for (table, rows) in &changes.rows {
        let mut table = write.open_table(definition(*table))?;
        for (key, value) in rows {
            match value {
                Some(value) => table.insert(key.as_slice(), value.as_slice())?,
                None => table.remove(key.as_slice())?,
            };
        }
    }
    write.commit()?;
    Ok(())
}

/// The file grows by doubling; most of what is behind its last page takes no room.
#[cfg(unix)]
fn on_disk(metadata: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;

    metadata.blocks().saturating_mul(512)
}

#[cfg(not(unix))]
fn on_disk(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}

/// A failure of redb's, whichever of its types it is.
struct Failure(redb::Error);

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// redb promises no errors for a file that something else has altered: it may panic as well.
fn guarded<T>(act: impl FnOnce() -> Result<T, Failure>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(outcome) => outcome.map_err(|Failure(error)| from_redb(&error)),
        Err(_) => Err(StoreError::Damaged("the file's structure contradicts itself".to_owned())),
    }
}

fn from_redb(error: &redb::Error) -> StoreError {
    match error {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
            StoreError::InUse(RedbStore::FILE.to_owned())
        }
        redb::Error::UpgradeRequired(version) => StoreError::Format(format!("redb {version}")),
        redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            StoreError::Damaged(error.to_string())
        }
        redb::Error::Io(error) => from_io(error, Path::new(RedbStore::FILE)),
        redb::Error::Corrupted(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableDoesNotExist(_)
        | redb::Error::RepairAborted => StoreError::Damaged(error.to_string()),
        other => StoreError::Io(other.to_string()),
    }
}

fn from_io(error: &io::Error, path: &Path) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            StoreError::Full
        }
        _ => StoreError::Io(format!("{}: {error}", path.display())),
    }
}
