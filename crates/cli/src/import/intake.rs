//! What becomes of documents whose signatures hold.

use taiinet::archives::{Admission, ArchiveError, Refusal};
use taiinet_document::{Network, VerifiedDocument};
use taiinet_terminal::{line, say};

use crate::store::{self, Stored};

/// So many documents are committed together.
const COMMIT_DOCUMENTS: u64 = 1000;

/// How many documents there were of each kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// On the disk.
    pub(super) stored: u64,
    pub(super) known: u64,
    pub(super) superseded: u64,
    pub(super) expired: u64,
    pub(super) too_old: u64,
    pub(super) no_room: u64,
    pub(super) unkept: u64,
    /// Lines that were passed over.
    pub(super) invalid: u64,
}

impl Tally {
    /// All but those that were passed over.
    pub(super) const fn all(&self) -> u64 {
        let Self { stored, known, superseded, expired, too_old, no_room, unkept, invalid: _ } =
            self;
        *stored + *known + *superseded + *expired + *too_old + *no_room + *unkept
    }
}

/// Makes an archive of a network.
type Make<'a> = &'a dyn Fn(Network) -> Result<Stored, ArchiveError>;

/// The archive, which is made when the first document comes.
pub(super) struct Intake<'a> {
    archive: Option<Stored>,
    /// The network of an archive that is to be made; else that of the first document.
    network: Option<Network>,
    make: Make<'a>,
    reports: bool,
    uncommitted: u64,
    pub(super) tally: Tally,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        archive: Option<Stored>,
        network: Option<Network>,
        make: Make<'a>,
        reports: bool,
    ) -> Self {
        Self { archive, network, make, reports, uncommitted: 0, tally: Tally::default() }
    }

    /// Takes a document; or says what is wrong with its line.
    pub(super) fn take(
        &mut self,
        document: &VerifiedDocument,
    ) -> Result<Result<(), String>, ArchiveError> {
        let network = self.network.get_or_insert_with(|| document.network.clone());
        if document.network != *network {
            let (theirs, ours) = (&document.network, network);
            return Ok(Err(format!(
                "the document is of the network \"{theirs}\", and the archive of \"{ours}\""
            )));
        }
        let archive = match &mut self.archive {
            Some(archive) => archive,
            none => none.insert((self.make)(network.clone())?),
        };
        let now = store::now();
        let admission = match archive.admit(document, now) {
            Err(ArchiveError::CommitFirst) => {
                self.commit()?;
                let Some(archive) = &mut self.archive else { return Ok(Ok(())) };
                archive.admit(document, now)?
            }
            admission => admission?,
        };
        let tally = &mut self.tally;
        let count = match admission {
            Admission::Stored => {
                self.uncommitted += 1;
                return if self.uncommitted < COMMIT_DOCUMENTS {
                    Ok(Ok(()))
                } else {
                    self.commit().map(Ok)
                };
            }
            Admission::Known => &mut tally.known,
            Admission::Superseded { .. } => &mut tally.superseded,
            Admission::Refused(Refusal::Expired) => &mut tally.expired,
            Admission::Refused(Refusal::TooOld { .. }) => &mut tally.too_old,
            Admission::Refused(Refusal::Quota) => &mut tally.no_room,
            Admission::Refused(Refusal::Unwanted) => &mut tally.unkept,
            Admission::Refused(refusal) => {
                return Ok(Err(format!("the document is not taken: {refusal}")));
            }
        };
        *count += 1;
        Ok(Ok(()))
    }

    fn commit(&mut self) -> Result<(), ArchiveError> {
        if let Some(archive) = &mut self.archive {
            archive.commit()?;
        }
        self.tally.stored += core::mem::take(&mut self.uncommitted);
        if self.reports {
            say(line(&format!("{{\"stored\":{}}}", self.tally.stored)));
        }
        Ok(())
    }

    /// Makes durable what was taken.
    pub(super) fn end(&mut self) -> Result<(), ArchiveError> {
        // A commit that has failed is tried again: a merge that did may have been all that was wrong.
        self.commit()
    }
}
