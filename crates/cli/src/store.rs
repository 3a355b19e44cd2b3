//! The store of an archive, for commands that work on it while no peer has it open.

use std::path::Path;

use taiinet::{
    Query, Timestamp,
    archives::{Archive, ArchiveError, Config, RedbStore, StoreError},
};

use crate::{clock, exit::Exit};

/// The archive of a store.
pub(crate) type Stored = Archive<RedbStore>;

/// Opens the archive in a directory as its seed has opened it last, so that nothing is made anew; `queries` say what
/// it takes now. None if there is none.
pub(crate) fn open(directory: &Path, queries: Vec<Query>) -> Result<Option<Stored>, ArchiveError> {
    if !RedbStore::is_in(directory) {
        return Ok(None);
    }
    let store = RedbStore::open(directory)?;
    let Some(config) = Config::stored(&store)? else { return Ok(None) };
    Archive::open(store, Config { queries, ..config }).map(Some)
}

/// The same for a command that cannot do without.
pub(crate) fn existing(directory: &Path) -> Result<Stored, Exit> {
    match open(directory, Vec::new()) {
        Ok(Some(archive)) => Ok(archive),
        Ok(None) => Err(none(directory)),
        Err(error) => Err(failed(directory, &error)),
    }
}

/// That there is no archive.
pub(crate) fn none(directory: &Path) -> Exit {
    Exit::Failed(format!(
        "there is no archive in {}: `taiinet seed` and `taiinet import` make one",
        directory.display()
    ))
}

/// What is wrong with it, and what to do about it.
pub(crate) fn failed(directory: &Path, error: &ArchiveError) -> Exit {
    match error {
        ArchiveError::Store(StoreError::Damaged(_)) => {
            Exit::Failed(format!("{error}: {}", repair(directory)))
        }
        _ => Exit::failed(error),
    }
}

/// How to repair it.
pub(crate) fn repair(directory: &Path) -> String {
    format!("`taiinet archive repair --store {}`", directory.display())
}

/// What time it is.
pub(crate) fn now() -> Timestamp {
    clock::now().timestamp()
}
