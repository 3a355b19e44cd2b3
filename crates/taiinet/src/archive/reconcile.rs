//! What the archive gets from those of neighbours, and they from it, a little at a time.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use taiinet_archive::{
    Admission, Answering, Archive, ArchiveError, Pull, PullStep, Store, Unwanted,
};
use taiinet_document::{SignedDocument, Timestamp, VerifiedDocument};
use taiinet_identity::PeerId;
use taiinet_mesh::{LinkId, Reconcile, Reconciled};
use tokio::sync::mpsc;

/// So many rows are read before other jobs have their turn: some milliseconds.
const ROWS: usize = 2048;
/// While there are other jobs, these have so many times as long.
const OTHERS: u32 = 4;
/// Of how many neighbours it is remembered what is not wanted of them.
const NEIGHBOURS: usize = 16;

/// A step for the driver to pass on.
pub(crate) type Step = (LinkId, Reconciled);

/// What goes on with the archives of neighbours.
pub(super) struct Reconciling {
    steps: mpsc::UnboundedSender<Step>,
    pulls: BTreeMap<LinkId, (PeerId, Pull)>,
    /// Those whose turn it is.
    active: BTreeSet<LinkId>,
    answering: VecDeque<(LinkId, u32, Answering)>,
    unwanted: BTreeMap<PeerId, Unwanted>,
    /// Whether a pull was last.
    pulled: bool,
    not_before: Instant,
}

impl Reconciling {
    pub(super) fn new(steps: mpsc::UnboundedSender<Step>) -> Self {
        Self {
            steps,
            pulls: BTreeMap::new(),
            active: BTreeSet::new(),
            answering: VecDeque::new(),
            unwanted: BTreeMap::new(),
            pulled: false,
            not_before: Instant::now(),
        }
    }

    /// Takes what the core wants done, but for documents.
    pub(super) fn take<S: Store>(
        &mut self,
        archive: &Archive<S>,
        link: LinkId,
        what: Reconcile,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        match what {
            Reconcile::Pull { peer, since, salt } => {
                let unwanted = self.unwanted.remove(&peer).unwrap_or_default();
                self.pulls.insert(link, (peer, Pull::new(salt, since, unwanted)));
                self.active.insert(link);
            }
            Reconcile::Differs(differences) => {
                self.go_on_with(link, |pull| pull.differs(differences));
            }
            Reconcile::Given => self.go_on_with(link, Pull::given),
            Reconcile::End => {
                self.answering.retain(|(of, ..)| *of != link);
                self.end(link);
            }
            // What the neighbour asks is another matter.
            Reconcile::GiveUp => self.end(link),
            Reconcile::Compare { request, inquiry } => {
                self.answering.push_back((link, request, Answering::new(&inquiry)));
            }
            Reconcile::Pick { request, ids, bytes } => {
                let looked = ids.len();
                let picked = archive.pick(&ids, bytes, now);
                let documents = picked.as_deref().unwrap_or_default();
                let documents = documents
                    .iter()
                    .filter_map(|bytes| SignedDocument::from_wire(bytes).ok())
                    .collect();
                self.say(link, Reconciled::Documents { request, documents, looked });
                picked?;
            }
            Reconcile::Brings(_) => {}
        }
        Ok(())
    }

    /// The neighbour has had its turn.
    fn go_on_with(&mut self, link: LinkId, answered: impl FnOnce(&mut Pull)) {
        match self.pulls.get_mut(&link) {
            Some((_, pull)) => {
                answered(pull);
                self.active.insert(link);
            }
            // A document could not be kept.
            None => self.say(link, Reconciled::Done { fruitless: false }),
        }
    }

    /// What has become of a document that was wanted; if it could not be kept, nothing more is asked for now.
    pub(super) fn brought(
        &mut self,
        link: LinkId,
        document: &VerifiedDocument,
        admission: Option<Admission>,
    ) {
        match (self.pulls.get_mut(&link), admission) {
            (Some((_, pull)), Some(admission)) => pull.admitted(document, &admission),
            (Some(_), None) => self.end(link),
            (None, _) => {}
        }
    }

    /// Whether there is something to do now, or after other jobs.
    pub(super) fn is_due(&self, others_wait: bool) -> bool {
        let busy = !self.active.is_empty() || !self.answering.is_empty();
        busy && (!others_wait || self.not_before <= Instant::now())
    }

    /// Does a little of what there is to do.
    pub(super) fn go_on<S: Store>(
        &mut self,
        archive: &Archive<S>,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let began = Instant::now();
        self.pulled = !self.active.is_empty() && (!self.pulled || self.answering.is_empty());
        let outcome = if self.pulled { self.pull(archive, now) } else { self.answer(archive) };
        self.not_before = Instant::now() + began.elapsed().max(Duration::from_millis(1)) * OTHERS;
        outcome
    }

    fn pull<S: Store>(&mut self, archive: &Archive<S>, now: Timestamp) -> Result<(), ArchiveError> {
        let Some(link) = self.active.pop_first() else { return Ok(()) };
        let Some((_, pull)) = self.pulls.get_mut(&link) else { return Ok(()) };
        match archive.pull(pull, ROWS, now) {
            Ok(PullStep::Working) => drop(self.active.insert(link)),
            Ok(PullStep::Waiting) => {}
            Ok(PullStep::Inquire(inquiry)) => self.say(link, Reconciled::Inquire(inquiry)),
            Ok(PullStep::Want(ids)) => self.say(link, Reconciled::Want(ids)),
            Ok(PullStep::Done) => self.end(link),
            Err(error) => {
                self.end(link);
                return Err(error);
            }
        }
        Ok(())
    }

    fn answer<S: Store>(&mut self, archive: &Archive<S>) -> Result<(), ArchiveError> {
        let Some((link, request, mut answering)) = self.answering.pop_front() else {
            return Ok(());
        };
        let compared = archive.compare(&mut answering, ROWS);
        let looked = answering.looked();
        match compared {
            Ok(None) => self.answering.push_back((link, request, answering)),
            Ok(Some(differences)) => {
                self.say(link, Reconciled::Differences { request, differences, looked });
            }
            Err(error) => {
                // That nothing is said of what cannot be read is not told from that nothing differs.
                let differences = Default::default();
                self.say(link, Reconciled::Differences { request, differences, looked });
                return Err(error);
            }
        }
        Ok(())
    }

    fn end(&mut self, link: LinkId) {
        self.active.remove(&link);
        let Some((peer, pull)) = self.pulls.remove(&link) else { return };
        let pulled = pull.pulled();
        tracing::debug!("reconciled with the archive of {peer}: {} were new", pulled.stored);
        self.say(link, Reconciled::Done { fruitless: pulled.fruitless });
        self.unwanted.insert(peer, pull.into_unwanted());
        if self.unwanted.len() > NEIGHBOURS {
            let other = self.unwanted.keys().find(|other| **other != peer).copied();
            if let Some(other) = other {
                self.unwanted.remove(&other);
            }
        }
    }

    fn say(&self, link: LinkId, step: Reconciled) {
        // A driver that is gone asks for nothing.
        let _ = self.steps.send((link, step));
    }
}
