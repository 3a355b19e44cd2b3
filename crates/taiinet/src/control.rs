//! What handles ask of the driver, and how it answers them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use taiinet_document::{Before, DocumentId, Key, Map, SignedDocument, Timestamp, VerifiedDocument};
use taiinet_identity::{PeerId, Recipient};
use taiinet_mesh::{
    BlacklistError, FindOptions, KeepError, PublishError, Status, TooManyFinds, wire::Outcome,
};
use taiinet_query::{SharedQuery, sort::Place};
use taiinet_session::{
    Backlog, LiveOptions, Until, Waiters, Wanted, publications::Failures, unsealed::Unsealed,
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    archive::ArchiveStatus,
    blacklist::BlacklistFileError,
    delivery::{Delivery, Inbox},
    error::Error,
    live::Feed,
};

/// Told when a document has come as far as it was to, or why it has not.
pub(crate) type Taken = oneshot::Sender<Result<(), Error>>;
/// Told when all documents have come as far as they were to, or have failed: how many failed since the last flush.
pub(crate) type Flushed = oneshot::Sender<Failures>;
/// Told what became of documents that archives were asked to keep; none if no archive has answered in time.
pub(crate) type Told = oneshot::Sender<Result<Option<Vec<Outcome>>, KeepError>>;
/// Gets what a search finds; dropped when it is over.
pub(crate) type FoundSender = mpsc::UnboundedSender<Result<Finding, TooManyFinds>>;

/// What a search tells.
#[derive(Debug)]
pub(crate) enum Finding {
    Document(Delivery),
    /// Whether that was all, and from where to go on.
    Done {
        complete: bool,
        cursor: Option<Place>,
    },
}
/// Told the recipients of a content, with the content.
pub(crate) type Decided = oneshot::Sender<(Map, Result<BTreeSet<Recipient>, PublishError>)>;
/// Both what the core says and what the file does may go wrong.
pub(crate) type Listed = Result<Result<(), BlacklistFileError>, BlacklistError>;

/// The handles, which wait for the session.
pub(crate) struct Handles;

impl Waiters for Handles {
    type Subscription = u64;
    type Publish = Option<Taken>;
    type Flush = Flushed;
    type Find = FoundSender;
    type Recipients = Decided;

    fn has_left(waiter: &Decided) -> bool {
        waiter.is_closed()
    }
}

/// What a handle asks of the driver. No `Debug`: it may hold what is about to be sealed.
pub(crate) enum Control {
    Subscribe {
        id: u64,
        wanted: Wanted,
        history: Option<(SharedQuery, Backlog)>,
        inbox: Inbox,
    },
    Live {
        id: u64,
        query: SharedQuery,
        options: LiveOptions,
        feed: Feed,
    },
    EndLive {
        id: u64,
        private: bool,
    },
    /// So many older documents are wanted.
    More {
        id: u64,
        limit: u16,
    },
    Recipients {
        unsealed: Unsealed<Decided>,
        wait: Duration,
    },
    Unsubscribe {
        id: u64,
        private: bool,
    },
    Find {
        query: SharedQuery,
        options: FindOptions,
        found: FoundSender,
    },
    Keep {
        documents: Vec<SignedDocument>,
        wait: Duration,
        told: Told,
    },
    /// Until when these may come.
    Expiry {
        ids: Vec<DocumentId>,
        tell: oneshot::Sender<Option<Timestamp>>,
    },
    /// What a version under this key must be later than.
    Before {
        key: Key,
        tell: oneshot::Sender<Before>,
    },
    Status(oneshot::Sender<Status>),
    #[cfg_attr(not(feature = "archive"), expect(dead_code))]
    ArchiveStatus(oneshot::Sender<ArchiveStatus>),
    Blacklist {
        peer: PeerId,
        life: Option<Duration>,
        done: oneshot::Sender<Listed>,
    },
    Unblock {
        peer: PeerId,
        done: oneshot::Sender<Result<bool, BlacklistFileError>>,
    },
    Close,
}

/// What waits for room at the core, in order.
#[derive(Debug)]
pub(crate) enum Publish {
    Document { document: Arc<VerifiedDocument>, until: Until, taken: Option<Taken> },
    Flush(Flushed),
}
