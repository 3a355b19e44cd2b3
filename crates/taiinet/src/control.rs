//! What handles ask of the driver, and how it answers them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use taiinet_document::{Map, VerifiedDocument};
use taiinet_identity::{PeerId, Recipient};
use taiinet_mesh::{BlacklistError, PublishError, Status, TooManyFinds};
use taiinet_query::SharedQuery;
use taiinet_session::{Waiters, Wanted, unsealed::Unsealed};
use tokio::sync::{mpsc, oneshot};

use crate::{
    blacklist::BlacklistFileError,
    delivery::{Delivery, Inbox},
    history::Wish,
};

/// Told when a document was taken: true; when it was lost: false.
pub(crate) type Taken = oneshot::Sender<bool>;
/// Told when all documents were taken or lost: how many were lost since the last flush.
pub(crate) type Flushed = oneshot::Sender<u64>;
/// Gets what a search finds; dropped when it is over.
pub(crate) type FoundSender = mpsc::UnboundedSender<Result<Delivery, TooManyFinds>>;

/// For whom there is a search.
#[derive(Debug)]
pub(crate) enum Seeker {
    Caller(FoundSender),
    /// A subscription that wants what was before it.
    History {
        subscription: u64,
        found: Vec<Delivery>,
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
    type Find = Seeker;
    type Recipients = Decided;

    fn has_left(waiter: &Decided) -> bool {
        waiter.is_closed()
    }
}

/// What a handle asks of the driver. No `Debug`: it may hold what is about to be sealed.
pub(crate) enum Control {
    Subscribe { id: u64, wanted: Wanted, history: Option<Wish>, inbox: Inbox },
    Recipients { unsealed: Unsealed<Decided>, wait: Duration },
    Unsubscribe { id: u64, private: bool },
    Find { query: SharedQuery, limit: u16, found: FoundSender },
    Status(oneshot::Sender<Status>),
    Blacklist { peer: PeerId, life: Option<Duration>, done: oneshot::Sender<Listed> },
    Unblock { peer: PeerId, done: oneshot::Sender<Result<bool, BlacklistFileError>> },
    Close,
}

/// What waits for room at the core, in order.
#[derive(Debug)]
pub(crate) enum Publish {
    Document { document: Arc<VerifiedDocument>, taken: Option<Taken> },
    Flush(Flushed),
}
