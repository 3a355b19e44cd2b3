//! The handle of a running peer.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, AtomicUsize},
    },
    time::Duration,
};

use taiinet_document::Network;
use taiinet_identity::{Identity, PeerId};
use taiinet_mesh::{Event, Status};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use crate::{
    clock::Clock,
    control::{Control, Publish},
    error::Error,
    events::Events,
    stamps::KeptStamps,
    tally::Tally,
};

/// A running peer. Clones are handles of the same peer; it leaves the network when the last of them
/// and the last [`Subscription`](crate::Subscription) are dropped, or at [`close`](Self::close).
#[derive(Clone)]
pub struct TaiiNet {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) identity: Identity,
    pub(crate) network: Network,
    pub(crate) clock: Arc<Clock>,
    pub(crate) stamps: KeptStamps,
    /// Bounded by what is counted in `subscriptions` and by callers that wait for their answer.
    pub(crate) controls: mpsc::UnboundedSender<Control>,
    pub(crate) publishes: mpsc::Sender<Publish>,
    pub(crate) events: broadcast::WeakSender<Event>,
    /// How many neighbours there are; closed when the peer is.
    pub(crate) neighbours: watch::Receiver<usize>,
    /// Wakes the driver when a subscription has caught up.
    pub(crate) relief: Arc<Notify>,
    /// How many subscriptions there are, until the driver has taken them away.
    pub(crate) subscriptions: Arc<AtomicUsize>,
    /// Of these, the private ones.
    pub(crate) private: Arc<AtomicUsize>,
    /// Cloned by each live result set.
    pub(crate) lives: Arc<()>,
    pub(crate) next_subscription: AtomicU64,
    pub(crate) tally: Arc<Tally>,
    /// Counts up from a random start.
    pub(crate) nonce: AtomicU32,
}

impl TaiiNet {
    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// The name of this peer.
    pub fn peer_id(&self) -> PeerId {
        self.inner.identity.peer_id()
    }

    /// The network it takes part in.
    pub fn network(&self) -> &Network {
        &self.inner.network
    }

    /// What happens from now on: neighbours won and lost, failed links, signallers, refused frames.
    /// ([`Event::Taken`] is not repeated here: `publish` and `flush` wait for it.)
    pub fn events(&self) -> Events {
        match self.inner.events.upgrade() {
            Some(events) => Events::new(events.subscribe()),
            None => Events::none(),
        }
    }

    /// Its links, signallers and counters.
    ///
    /// # Errors
    /// [`Error::Closed`]
    pub async fn status(&self) -> Result<Status, Error> {
        let (tell, status) = oneshot::channel();
        self.control(Control::Status(tell));
        status.await.map_err(|_| Error::Closed)
    }

    /// How the archive behind this peer does; none if there is none.
    ///
    /// # Errors
    /// [`Error::Closed`]
    #[cfg(feature = "archive")]
    pub async fn archive(&self) -> Result<Option<crate::ArchiveStatus>, Error> {
        let (tell, status) = oneshot::channel();
        self.control(Control::ArchiveStatus(tell));
        if self.is_closed() {
            return Err(Error::Closed);
        }
        Ok(status.await.ok())
    }

    /// Keeps a peer out, for so long or until it is unblocked: there is no link to it, and its documents are
    /// refused. Peers that misbehave are blacklisted automatically ([`Event::Blacklisted`]); all
    /// are in [`status`](Self::status).
    ///
    /// # Errors
    /// [`Error::NotBlacklisted`] for this peer itself, or if there are too many; [`Error::Blacklist`] if
    /// the file cannot be written (it counts for this run all the same); [`Error::Closed`]
    pub async fn blacklist(&self, peer: PeerId, life: Option<Duration>) -> Result<(), Error> {
        let (done, is_done) = oneshot::channel();
        self.control(Control::Blacklist { peer, life, done });
        Ok(is_done.await.map_err(|_| Error::Closed)???)
    }

    /// Forgives a peer whatever it did. Returns whether it was blacklisted.
    ///
    /// # Errors
    /// [`Error::Blacklist`] if the file cannot be written; [`Error::Closed`]
    pub async fn unblock(&self, peer: PeerId) -> Result<bool, Error> {
        let (done, is_done) = oneshot::channel();
        self.control(Control::Unblock { peer, done });
        Ok(is_done.await.map_err(|_| Error::Closed)??)
    }

    /// Waits until there is a neighbour.
    ///
    /// # Errors
    /// [`Error::Closed`]
    pub async fn connected(&self) -> Result<(), Error> {
        self.wait_for_peers(1).await
    }

    /// Waits until there are `count` neighbours.
    ///
    /// # Errors
    /// [`Error::Closed`]
    pub async fn wait_for_peers(&self, count: usize) -> Result<(), Error> {
        let mut neighbours = self.inner.neighbours.clone();
        neighbours.wait_for(|have| *have >= count).await.map_err(|_| Error::Closed)?;
        Ok(())
    }

    /// Leaves the network: says goodbye to the neighbours, ends all subscriptions, and returns when
    /// the links are closed, after at most two seconds. Documents that no neighbour has taken are
    /// lost; [`flush`](Self::flush) first. May be called more than once.
    pub async fn close(&self) {
        self.control(Control::Close);
        let mut neighbours = self.inner.neighbours.clone();
        while neighbours.changed().await.is_ok() {}
    }

    pub(crate) fn control(&self, control: Control) {
        // A driver that is gone has closed everything already.
        let _ = self.inner.controls.send(control);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inner.controls.is_closed()
    }
}

impl fmt::Debug for TaiiNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaiiNet({} on {})", self.peer_id().short(), self.network())
    }
}
