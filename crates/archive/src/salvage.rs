//! Getting documents out of a damaged file.

use std::{fs, io::Read, path::Path};

use taiinet_document::{
    Network, SignedDocument, Timestamp, VerifiedDocument, limits::DOCUMENT_BYTES,
};

use crate::{
    archive::Archive,
    config::Config,
    error::ArchiveError,
    store::{RedbStore, Store, StoreError},
};

/// The damaged file's name from then on.
const DAMAGED: &str = "documents.damaged";
/// What stands before the body of a signed document: the author, the signature and the body's length.
const BEFORE_BODY: usize = 32 + 64 + 3;
/// How much of the file is read at once.
const CHUNK: usize = 8 * 1024 * 1024;
/// How many documents are admitted between two commits.
const COMMIT: usize = 1_000;

/// What a repair has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repaired {
    /// Documents and deletions that are there now.
    pub kept: u64,
    /// Rows that were given up, as far as they could be counted.
    pub lost: u64,
    /// The file's structure was damaged, so that its bytes were searched for signed documents. The old file is still
    /// there, as `documents.damaged`.
    pub was_searched: bool,
}

impl Archive<RedbStore> {
    /// Repairs the archive in a directory: keeps every document that can be read and whose signature holds, and makes
    /// everything else from these.
    ///
    /// If the file's structure is damaged, its bytes are searched for documents, wherever they stand. So some may come
    /// back that were replaced or deleted, if what has replaced or deleted them was lost or had left.
    ///
    /// # Errors
    /// [`ArchiveError`], where the file cannot be read or another one not be written.
    pub fn salvage(
        directory: &Path,
        config: Config,
        now: Timestamp,
    ) -> Result<(Self, Repaired), ArchiveError> {
        let sound = RedbStore::open(directory).and_then(|mut store| {
            store.verify()?;
            Ok(store)
        });
        match sound
            .map_err(ArchiveError::Store)
            .and_then(|store| Self::repair(store, config.clone()))
        {
            Ok((archive, lost)) => {
                let kept = archive.totals.documents + archive.totals.deletions;
                Ok((archive, Repaired { kept, lost, was_searched: false }))
            }
            Err(ArchiveError::Store(StoreError::Damaged(_))) => {
                Self::search(directory, config, now)
            }
            Err(error) => Err(error),
        }
    }

    fn search(
        directory: &Path,
        config: Config,
        now: Timestamp,
    ) -> Result<(Self, Repaired), ArchiveError> {
        let damaged = directory.join(DAMAGED);
        let failed = |error: std::io::Error| {
            ArchiveError::Store(StoreError::Io(format!("{}: {error}", damaged.display())))
        };
        fs::rename(directory.join(RedbStore::FILE), &damaged).map_err(failed)?;
        // They were young enough when they came.
        let lenient = Config { max_backdate: None, keep: None, ..config.clone() };
        let mut archive = Self::open(RedbStore::open(directory)?, lenient)?;
        let mut waiting = 0;
        scan(&damaged, &config.network, |document| {
            archive.admit(&document, now)?;
            waiting += 1;
            if waiting % COMMIT == 0 {
                archive.commit()?;
            }
            Ok(())
        })?;
        archive.commit()?;
        let archive = Self::open(archive.into_store(), config)?;
        let kept = archive.totals.documents + archive.totals.deletions;
        Ok((archive, Repaired { kept, lost: 0, was_searched: true }))
    }
}

/// Finds signed documents of a network in a file, whatever else is in it.
fn scan(
    path: &Path,
    network: &Network,
    mut found: impl FnMut(VerifiedDocument) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let failed = |error: std::io::Error| {
        ArchiveError::Store(StoreError::Io(format!("{}: {error}", path.display())))
    };
    let mut file = fs::File::open(path).map_err(failed)?;
    // A body begins with the name of the network.
    let name = network.as_str().as_bytes();
    let begin = [&[name.len() as u8], name].concat();
    let mut bytes = Vec::new();
    let mut from = 0;
    loop {
        let before = bytes.len();
        let read = (&mut file).take(CHUNK as u64).read_to_end(&mut bytes).map_err(failed)?;
        let is_end = read == 0;
        let to =
            if is_end { bytes.len() } else { before.max(bytes.len() - DOCUMENT_BYTES.min(read)) };
        for at in from..to {
            if bytes.get(at..).is_some_and(|rest| rest.starts_with(&begin))
                && let Some(document) = document_at(&bytes, at)
            {
                found(document)?;
            }
        }
        if is_end {
            return Ok(());
        }
        // What was searched is let go, but for what may stand before a body.
        let gone = to.saturating_sub(BEFORE_BODY);
        bytes.drain(..gone);
        from = to - gone;
    }
}

/// The document whose body begins there, if one does.
fn document_at(bytes: &[u8], body: usize) -> Option<VerifiedDocument> {
    (1..=3).find_map(|digits| {
        let length = bytes.get(body.checked_sub(digits)?..body)?;
        let begin = body.checked_sub(digits + 32 + 64)?;
        let end = body.checked_add(varint(length)?)?;
        let signed: SignedDocument = postcard::from_bytes(bytes.get(begin..end)?).ok()?;
        let key = signed.author().public_key().ok()?;
        signed.verify(&key).ok()
    })
}

/// A number that takes all of these bytes.
fn varint(bytes: &[u8]) -> Option<usize> {
    let (last, before) = bytes.split_last()?;
    if *last >= 0x80 || before.iter().any(|byte| *byte < 0x80) {
        return None;
    }
    Some(bytes.iter().rev().fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f)))
}
