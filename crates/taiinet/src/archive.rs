//! An archive behind a peer: it keeps the documents that pass, and answers neighbours that look for some.
//!
//! It works on a thread of its own, since disks are slow: the driver gives it documents and questions, and takes
//! its answers. What waits for it is bounded: while it is behind, neighbours are slowed down.

mod reconcile;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use taiinet_archive::{
    Admission, Archive, ArchiveError, Ask, Config, Page, RedbStore, Refusal, Rest, Stats,
    StoreError,
};
use taiinet_document::{Network, SignedDocument, Timestamp, VerifiedBytes, VerifiedDocument};
use taiinet_identity::PeerId;
use taiinet_mesh::{
    Answer, LinkId, Question, Reconcile, Reconciled, Time, limits,
    wire::{Kept, Outcome},
};
use taiinet_query::{Path, Query};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::clock::Clock;
use reconcile::Reconciling;
pub(crate) use reconcile::Step;

/// What is taken is on the disk after so long at the latest.
const COMMIT_AFTER: Duration = Duration::from_millis(50);
/// The same for documents that a neighbour offers, which waits for the answer before it offers more.
const OFFERS_AFTER: Duration = Duration::from_millis(5);
/// So many documents are committed together at the most.
const COMMIT_DOCUMENTS: usize = 1000;
/// How often what has expired is taken out, and how much of it at once.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);
const EXPIRE_AT_ONCE: usize = 1000;
/// Neighbours are told again since when documents are kept once that has moved on by so much.
const TOLD_AGAIN: Duration = Duration::from_secs(3600);
/// After the disk has refused something, it is tried again so much later.
const RETRY: Duration = Duration::from_secs(1);

/// What an archive keeps, and where; see [`Builder::archive`](crate::Builder::archive).
#[derive(Debug, Clone)]
pub struct ArchiveOptions {
    /// The directory. It is made if it is not there, and no other process may use it at the same time.
    pub store: PathBuf,
    /// It keeps what one of these matches. Of what is sealed it sees the public fields alone.
    pub queries: Vec<Query>,
    /// The fields by which documents are found and sorted quickly, at most 16; and by time.
    pub index: Vec<Path>,
    /// How many bytes of the disk it may take, about.
    pub quota: Option<u64>,
    /// How many of them one author may take. Where room is needed, whoever has more loses its oldest first.
    pub share: Option<u64>,
    /// How old documents may become.
    pub keep: Option<Duration>,
    /// How old a document may be when it comes.
    pub max_backdate: Option<Duration>,
    /// The authors for which that does not hold. New documents of theirs are taken as fast as they can be
    /// verified; of other authors, a link can bring some 1,600 a second, which takes a tenth of a processor.
    pub import_from: Vec<PeerId>,
}

impl ArchiveOptions {
    /// Everything that these match, for ever.
    pub fn new(store: impl Into<PathBuf>, queries: Vec<Query>) -> Self {
        Self {
            store: store.into(),
            queries,
            index: Vec::new(),
            quota: None,
            share: None,
            keep: None,
            max_backdate: None,
            import_from: Vec::new(),
        }
    }

    /// What it means for documents of a network.
    pub fn config(&self, network: Network) -> Config {
        let mut config = Config::new(network, self.queries.clone());
        config.indexed.clone_from(&self.index);
        config.quota = self.quota;
        config.share = self.share;
        config.keep = self.keep;
        config.max_backdate = self.max_backdate;
        config.importers = self.import_from.iter().copied().collect();
        config
    }

    /// What others are told of it, which keeps what is not older than `since`.
    pub(crate) fn kept(&self, since: Timestamp) -> Kept {
        let queries = self.queries.iter().map(ToString::to_string).collect();
        let indexed = self.index.iter().map(ToString::to_string).collect();
        Kept { since, queries, indexed }.within_limits()
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`ArchiveError`]
    pub fn open(&self, network: Network) -> Result<Archive<RedbStore>, ArchiveError> {
        Archive::open(RedbStore::open(&self.store)?, self.config(network))
    }
}

/// How an archive does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchiveStatus {
    /// What it has.
    pub stats: Stats,
    /// Documents that were taken since it began.
    pub stored: u64,
    /// Pages of documents that were given to neighbours.
    pub answered: u64,
    /// Why nothing can be written, if so: it answers all the same.
    pub fault: Option<String>,
}

enum Job {
    Keep(Arc<VerifiedDocument>),
    Answer { link: LinkId, question: Box<Question> },
    Offer { link: LinkId, request: u32, documents: Vec<VerifiedBytes> },
    Reconcile { link: LinkId, what: Box<Reconcile> },
    Status(oneshot::Sender<ArchiveStatus>),
    End,
}

/// What the driver is to pass on.
pub(crate) enum Says {
    /// An answer to a search.
    Found(LinkId, u32, Answer),
    /// An answer to an offer of documents.
    Took(LinkId, u32, Vec<Outcome>),
    /// Since when documents are kept.
    Since(Timestamp),
    /// A step with a neighbour's archive.
    Step(LinkId, Reconciled),
}

/// How a neighbour is told what became of a document.
pub fn outcome(admission: Admission) -> Outcome {
    match admission {
        Admission::Stored => Outcome::Stored,
        Admission::Known => Outcome::Known,
        Admission::Superseded { .. } => Outcome::Superseded,
        Admission::Refused(Refusal::Expired) => Outcome::Expired,
        Admission::Refused(Refusal::TooOld { .. }) => Outcome::TooOld,
        Admission::Refused(Refusal::Quota) => Outcome::NoRoom,
        Admission::Refused(Refusal::Unwanted) => Outcome::Unwanted,
        Admission::Refused(_) => Outcome::Refused,
    }
}

/// The driver's end.
pub(crate) struct Keeper {
    jobs: Sender<Job>,
    /// Bytes of documents that wait.
    waiting: Arc<AtomicUsize>,
    answers: mpsc::UnboundedReceiver<Says>,
    steps: mpsc::UnboundedReceiver<Step>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Begins to keep; `relief` wakes the driver when fewer documents wait.
    pub(crate) fn start(
        archive: Archive<RedbStore>,
        clock: Arc<Clock>,
        relief: Arc<Notify>,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = channel();
        let (sender, answers) = mpsc::unbounded_channel();
        let (to_steps, steps) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let worker = Worker {
            archive,
            clock,
            answers: sender,
            reconciling: Reconciling::new(to_steps),
            waiting: Arc::clone(&waiting),
            relief,
            uncommitted: 0,
            unanswered: Vec::new(),
            commit_at: None,
            expire_at: Instant::now(),
            since: Timestamp::default(),
            stored: 0,
            answered: 0,
            fault: None,
        };
        let thread = std::thread::Builder::new().name("archive".to_owned());
        let thread = thread.spawn(move || worker.run(&queue))?;
        Ok(Self { jobs, waiting, answers, steps, thread: Some(thread) })
    }

    /// Takes a document. A thread that is gone takes none.
    pub(crate) fn keep(&self, document: Arc<VerifiedDocument>) {
        self.waiting.fetch_add(document.heap_size(), Ordering::AcqRel);
        let _ = self.jobs.send(Job::Keep(document));
    }

    /// Answers a neighbour; bounded by what it may ask.
    pub(crate) fn answer(&self, link: LinkId, question: Question) {
        let _ = self.jobs.send(Job::Answer { link, question: Box::new(question) });
    }

    /// Takes documents that a neighbour has; bounded by what it may have outstanding.
    pub(crate) fn offer(&self, link: LinkId, request: u32, documents: Vec<VerifiedBytes>) {
        let _ = self.jobs.send(Job::Offer { link, request, documents });
    }

    /// Gets what is lacking from a neighbour's archive, or answers it.
    pub(crate) fn reconcile(&self, link: LinkId, what: Reconcile) {
        let _ = self.jobs.send(Job::Reconcile { link, what: Box::new(what) });
    }

    pub(crate) fn status(&self, tell: oneshot::Sender<ArchiveStatus>) {
        let _ = self.jobs.send(Job::Status(tell));
    }

    /// The next answer, or the next step with a neighbour's archive. Cancel-safe.
    pub(crate) async fn says(&mut self) -> Says {
        tokio::select! {
            Some(said) = self.answers.recv() => said,
            Some((link, step)) = self.steps.recv() => Says::Step(link, step),
            // The thread is gone, and says nothing.
            else => std::future::pending().await,
        }
    }

    /// How many bytes wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Waits until all is on the disk.
    pub(crate) fn end(&mut self) {
        let _ = self.jobs.send(Job::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    archive: Archive<RedbStore>,
    clock: Arc<Clock>,
    answers: mpsc::UnboundedSender<Says>,
    reconciling: Reconciling,
    waiting: Arc<AtomicUsize>,
    relief: Arc<Notify>,
    uncommitted: usize,
    /// What became of offers, told once it is on the disk.
    unanswered: Vec<(LinkId, u32, Vec<Outcome>)>,
    commit_at: Option<Instant>,
    expire_at: Instant,
    /// Since when documents are kept, as neighbours were told.
    since: Timestamp,
    stored: u64,
    answered: u64,
    fault: Option<String>,
}

impl Worker {
    fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let due = self.commit_at.map_or(self.expire_at, |at| at.min(self.expire_at));
            let wait = match self.reconciling.is_due(false) {
                true => Duration::ZERO,
                false => due.saturating_duration_since(Instant::now()),
            };
            let job = jobs.recv_timeout(wait);
            if self.reconciling.is_due(job.is_ok()) {
                self.go_on();
            }
            match job {
                Ok(Job::Keep(document)) => self.keep(&document),
                Ok(Job::Answer { link, question }) => {
                    let answer = self.answer(&question);
                    let _ = self.answers.send(Says::Found(link, question.request, answer));
                    self.answered += 1;
                }
                Ok(Job::Offer { link, request, documents }) => {
                    let outcomes: Vec<_> = documents.iter().map(|one| self.take(one)).collect();
                    if outcomes.contains(&Outcome::Stored) && self.fault.is_none() {
                        let soon = Instant::now() + OFFERS_AFTER;
                        self.commit_at = self.commit_at.map(|at| at.min(soon));
                    }
                    self.unanswered.push((link, request, outcomes));
                }
                Ok(Job::Reconcile { link, what }) => self.reconcile(link, *what),
                Ok(Job::Status(tell)) => self.tell(tell),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Job::End) | Err(RecvTimeoutError::Disconnected) => return self.commit(),
            }
            let now = Instant::now();
            if self.commit_at.is_some_and(|at| at <= now) {
                self.commit();
            }
            if self.commit_at.is_none() {
                self.answer_offers();
            }
            if self.expire_at <= now {
                self.expire();
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now().timestamp()
    }

    /// A document that passes. What it is not kept for is nobody's business.
    fn keep(&mut self, document: &VerifiedDocument) {
        self.admit(document);
        let before = self.waiting.fetch_sub(document.heap_size(), Ordering::AcqRel);
        let after = before.saturating_sub(document.heap_size());
        if before > limits::BEHIND_BYTES / 2 && after <= limits::BEHIND_BYTES / 2 {
            self.relief.notify_one();
        }
    }

    /// A document that a neighbour offers.
    fn take(&mut self, bytes: &VerifiedBytes) -> Outcome {
        // It was decoded before.
        let admission = bytes.decode().ok().and_then(|document| self.admit(&document));
        admission.map_or(Outcome::Refused, outcome)
    }

    fn reconcile(&mut self, link: LinkId, what: Reconcile) {
        if let Reconcile::Brings(document) = what {
            let admission = self.admit(&document);
            self.reconciling.brought(link, &document, admission);
        } else if let Err(error) = self.reconciling.take(&self.archive, link, what, self.now()) {
            self.fails(&error);
        }
    }

    /// A little more of what goes on with the archives of neighbours.
    fn go_on(&mut self) {
        if let Err(error) = self.reconciling.go_on(&self.archive, self.now()) {
            self.fails(&error);
        }
    }

    /// Takes a document; none if the archive cannot.
    fn admit(&mut self, document: &VerifiedDocument) -> Option<Admission> {
        let admitted = match self.archive.admit(document, self.now()) {
            Err(ArchiveError::CommitFirst) => {
                self.commit();
                self.archive.admit(document, self.now())
            }
            admitted => admitted,
        };
        let admission = match admitted {
            Ok(admission) => Some(admission),
            // It will be there when it is looked for by those that have it; here it is lost.
            Err(error) => {
                self.fails(&error);
                None
            }
        };
        if admission == Some(Admission::Stored) {
            self.stored += 1;
            self.uncommitted += 1;
        }
        // What is not kept may have left a trace.
        if self.archive.waits() {
            self.commit_at.get_or_insert_with(|| Instant::now() + COMMIT_AFTER);
        }
        if self.uncommitted >= COMMIT_DOCUMENTS {
            self.commit();
        }
        admission
    }

    /// Nothing waits to be written: what was taken is on the disk.
    fn answer_offers(&mut self) {
        for (link, request, outcomes) in self.unanswered.drain(..) {
            let _ = self.answers.send(Says::Took(link, request, outcomes));
        }
    }

    fn commit(&mut self) {
        self.commit_at = None;
        match self.archive.commit() {
            Ok(()) => {
                self.uncommitted = 0;
                if self.fault.take().is_some() {
                    tracing::info!("the archive can be written again");
                }
            }
            Err(error) => {
                self.fails(&error);
                self.commit_at = Some(Instant::now() + RETRY);
            }
        }
    }

    fn fails(&mut self, error: &ArchiveError) {
        let text = error.to_string();
        if self.fault.as_ref() != Some(&text) {
            tracing::error!("{text}");
        }
        self.fault = Some(text);
    }

    fn expire(&mut self) {
        self.expire_at = Instant::now() + EXPIRE_EVERY;
        match self.archive.expire(self.now(), EXPIRE_AT_ONCE) {
            Ok(0) => {}
            Ok(count) => {
                self.commit_at.get_or_insert_with(|| Instant::now() + COMMIT_AFTER);
                if count == EXPIRE_AT_ONCE {
                    self.expire_at = Instant::now();
                }
            }
            Err(ArchiveError::CommitFirst) => self.commit(),
            Err(error) => self.fails(&error),
        }
        let since = self.archive.keeps_since(self.now());
        // With `keep` it moves on all the time, and each change costs every peer that hears of it a verification.
        if since < self.since || Time::from(since) > Time::from(self.since).after(TOLD_AGAIN) {
            self.since = since;
            let _ = self.answers.send(Says::Since(since));
        }
    }

    fn answer(&mut self, question: &Question) -> Answer {
        let ask = Ask {
            query: question.query.clone().into_query(),
            sort: question.sort.clone(),
            since: None,
            until: None,
            after: question.after.clone(),
            limit: question.limit,
            bytes: question.bytes,
        };
        let nothing = Answer { documents: Vec::new(), until: None, left_out: true, work: 0 };
        if question.limit == 0 || question.bytes == 0 {
            return nothing;
        }
        match self.archive.find(&ask, limits::FIND_FUEL, self.now()) {
            Ok(page) => answer(page),
            Err(error) => {
                self.fails(&error);
                nothing
            }
        }
    }

    fn tell(&mut self, tell: oneshot::Sender<ArchiveStatus>) {
        match self.archive.stats() {
            Ok(stats) => {
                let (stored, answered, fault) = (self.stored, self.answered, self.fault.clone());
                let _ = tell.send(ArchiveStatus { stats, stored, answered, fault });
            }
            Err(error) => self.fails(&error),
        }
    }
}

fn answer(page: Page) -> Answer {
    let Page { documents, rest, work, unjudged } = page;
    let count = documents.len();
    let documents: Vec<SignedDocument> =
        documents.iter().filter_map(|bytes| decode(bytes)).collect();
    let unreadable = documents.len() < count;
    let (until, cut) = match rest {
        Rest::Finished => (None, false),
        Rest::More(place) => (Some(place), false),
        Rest::TooCostly => (None, true),
    };
    Answer { documents, until, left_out: cut || unreadable || unjudged > 0, work }
}

fn decode(bytes: &[u8]) -> Option<SignedDocument> {
    SignedDocument::from_wire(bytes).ok()
}

/// Why an archive cannot be opened, or its thread not be started.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveStartError {
    /// It cannot be opened.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// There can be no thread.
    #[error("no thread for the archive: {0}")]
    Thread(#[from] std::io::Error),
}

impl From<StoreError> for ArchiveStartError {
    fn from(error: StoreError) -> Self {
        Self::Archive(error.into())
    }
}
