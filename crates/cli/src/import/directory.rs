//! Documents into the store of an archive that no peer has open.

use std::path::Path;

use taiinet::{
    Outcome, Query,
    archives::{Admission, Archive, ArchiveError, Config, RedbStore, Refusal},
    outcome,
};
use taiinet_document::{Network, VerifiedDocument};

use super::tally::{Taken, Tally};
use crate::{
    exit::Exit,
    store::{self, Stored},
};

/// So many documents are committed together.
const COMMIT_DOCUMENTS: u64 = 1000;

/// The archive, which is made when the first document comes.
pub(super) struct Directory<'a> {
    path: &'a Path,
    /// The fields by which a new archive finds quickly.
    index: &'a [taiinet_query::Path],
    reports: bool,
    archive: Option<Stored>,
    /// The network of an archive that is to be made; else that of the first document.
    network: Option<Network>,
    uncommitted: u64,
    pub(super) tally: Tally,
}

impl<'a> Directory<'a> {
    /// Opens the archive that is there.
    pub(super) fn open(
        path: &'a Path,
        index: &'a [taiinet_query::Path],
        reports: bool,
        given: Option<Network>,
    ) -> Result<Self, Exit> {
        let opened = store::open(path, vec![Query::all()]);
        let archive = opened.map_err(|error| store::failed(path, &error))?;
        let network = match &archive {
            Some(archive) => {
                fits(archive.config(), path, index, given.as_ref())?;
                Some(archive.config().network.clone())
            }
            None => given,
        };
        Ok(Self { path, index, reports, archive, network, uncommitted: 0, tally: Tally::default() })
    }

    pub(super) const fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    /// Takes a document; or says what is wrong with its line.
    pub(super) fn take(&mut self, document: &VerifiedDocument) -> Taken {
        let network = self.network.get_or_insert_with(|| document.network.clone());
        if document.network != *network {
            let (theirs, ours) = (&document.network, network);
            return Ok(Err(format!(
                "the document is of the network \"{theirs}\", and the archive of \"{ours}\""
            )));
        }
        let admission = self.admit(document).map_err(|error| store::failed(self.path, &error))?;
        match admission {
            Admission::Stored => {
                self.uncommitted += 1;
                if self.uncommitted >= COMMIT_DOCUMENTS {
                    self.commit()?;
                }
            }
            Admission::Refused(refusal @ (Refusal::Network | Refusal::Future)) => {
                return Ok(Err(format!("the document is not taken: {refusal}")));
            }
            admission => self.tally.count(outcome(admission)),
        }
        Ok(Ok(()))
    }

    fn admit(&mut self, document: &VerifiedDocument) -> Result<Admission, ArchiveError> {
        let archive = match &mut self.archive {
            Some(archive) => archive,
            none => none.insert(create(self.path, self.index, document.network.clone())?),
        };
        let now = store::now();
        match archive.admit(document, now) {
            Err(ArchiveError::CommitFirst) => {
                archive.commit()?;
                archive.admit(document, now)
            }
            admission => admission,
        }
    }

    /// Makes durable what was taken.
    pub(super) fn commit(&mut self) -> Result<(), Exit> {
        if let Some(archive) = &mut self.archive {
            archive.commit().map_err(|error| store::failed(self.path, &error))?;
        }
        for _ in 0..core::mem::take(&mut self.uncommitted) {
            self.tally.count(Outcome::Stored);
        }
        if self.reports {
            self.tally.tell();
        }
        Ok(())
    }
}

/// Whether what is asked for is what an archive is.
fn fits(
    config: &Config,
    path: &Path,
    index: &[taiinet_query::Path],
    given: Option<&Network>,
) -> Result<(), Exit> {
    let Config { network, indexed, .. } = config;
    if let Some(given) = given.filter(|given| *given != network) {
        return Err(Exit::Failed(format!(
            "{} is an archive of the network \"{network}\", not of \"{given}\": choose another directory",
            path.display()
        )));
    }
    if index.iter().any(|field| !indexed.contains(field)) {
        let names: Vec<&str> = indexed.iter().map(|path| path.as_str()).collect();
        let has = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(Exit::usage(format!(
            "{} is there already, and of its indexes ({has}) `taiinet seed --index` decides: leave --index out",
            path.display()
        )));
    }
    Ok(())
}

/// Makes one.
fn create(
    path: &Path,
    index: &[taiinet_query::Path],
    network: Network,
) -> Result<Stored, ArchiveError> {
    let mut config = Config::new(network, vec![Query::all()]);
    config.indexed = index.to_vec();
    Archive::open(RedbStore::open(path)?, config)
}
