//! The handle of a running peer.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use taiinet_document::{Content, Document, DocumentId, Map, Network, VerifiedDocument};
use taiinet_identity::{Identity, PeerId, Recipient};
use taiinet_mesh::{BlacklistError, Event, PublishError, Status, TooManySubscriptions, limits};
use taiinet_query::{Query, SharedQuery};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use crate::{
    Builder, Delivery, Error, Events, FindOptions, IntoDocument, IntoQuery, PublishOptions,
    Subscription,
    blacklist::BlacklistFileError,
    clock::Clock,
    find::{self, FoundSender},
    outbox::{Flushed, Outcome, Taken, Tally},
    private,
    subscription::Inbox,
};

/// A running peer. Clones are handles of the same peer; it leaves the network when the last of them
/// and the last [`Subscription`] are dropped, or at [`close`](Self::close).
#[derive(Clone)]
pub struct TaiiNet {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) identity: Identity,
    pub(crate) network: Network,
    pub(crate) clock: Arc<Clock>,
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
    pub(crate) next_subscription: AtomicU64,
    pub(crate) tally: Arc<Tally>,
    /// Counts up from a random start.
    pub(crate) nonce: AtomicU32,
}

/// A document that is signed and can be published once.
#[doc(hidden)]
#[derive(Debug)]
pub struct Prepared(Arc<VerifiedDocument>);

impl Prepared {
    /// The document.
    pub fn document(&self) -> &VerifiedDocument {
        &self.0
    }
}

/// What is subscribed to.
pub(crate) enum Wanted {
    /// What nobody is told of.
    Open(Query),
    /// What others are told of, with a key.
    Private(SharedQuery),
}

/// What a handle asks of the driver. No `Debug`: it may hold what is about to be sealed.
pub(crate) enum Control {
    Subscribe { id: u64, wanted: Wanted, inbox: Inbox },
    Recipients { content: Map, to: taiinet_mesh::PublishOptions, tell: oneshot::Sender<Recipients> },
    Unsubscribe { id: u64, private: bool },
    Find { query: SharedQuery, limit: u16, found: FoundSender },
    Status(oneshot::Sender<Status>),
    Blacklist { peer: PeerId, life: Option<Duration>, done: oneshot::Sender<Listed> },
    Lift { peer: PeerId, done: oneshot::Sender<Result<bool, BlacklistFileError>> },
    Close,
}

/// Both what the core says and what the file does may go wrong.
pub(crate) type Listed = Result<Result<(), BlacklistFileError>, BlacklistError>;
pub(crate) type Recipients = Result<BTreeSet<Recipient>, PublishError>;

/// What waits for room at the core, in order.
#[derive(Debug)]
pub(crate) enum Publish {
    Document { document: Arc<VerifiedDocument>, taken: Option<Taken> },
    Flush(Flushed),
}

impl TaiiNet {
    /// Begins to describe a peer.
    pub fn builder() -> Builder {
        Builder::default()
    }

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

    /// Subscribes to the documents that match `query`: a [`Query`], [`query!`](crate::query!), JSON
    /// text, or [`json!`](crate::json).
    ///
    /// # Errors
    /// [`Error::Query`], [`Error::TooManySubscriptions`], [`Error::Closed`]
    pub fn subscribe(&self, query: impl IntoQuery) -> Result<Subscription, Error> {
        self.begin(Wanted::Open(query.into_query()?))
    }

    /// Subscribes with a key of its own, so that others can seal what matches to this subscription
    /// ([`Audience::Subscribers`](crate::Audience::Subscribers)). The network is told of the query and
    /// the key; nobody but this subscription reads what is sealed to it, and once it has ended the key
    /// is gone (forward secrecy). Open documents that match come too: see [`Delivery::privacy`].
    ///
    /// ```no_run
    /// # use taiinet::{Audience, PublishOptions, TaiiNet, json, query};
    /// # async fn example(alice: TaiiNet, bob: TaiiNet) -> Result<(), taiinet::Error> {
    /// let mut orders = alice.subscribe_privately(query!({ "type": "order" }))?;
    ///
    /// let options = PublishOptions { to: Audience::Subscribers, ..PublishOptions::default() };
    /// bob.publish_with(json!({ "type": "order", "cakes": 3 }), options).await?;
    ///
    /// if let Some(order) = orders.next().await {
    ///     println!("{} ({}): {}", order.author(), order.privacy(), order.json());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe); a peer has at most 32 private ones. [`Error::Query`] also for
    /// regular expressions so large that others would not evaluate them.
    pub fn subscribe_privately(&self, query: impl IntoQuery) -> Result<Subscription, Error> {
        let count = &self.inner.private;
        if count.fetch_add(1, Ordering::AcqRel) >= limits::PRIVATE_SUBSCRIPTIONS {
            count.fetch_sub(1, Ordering::AcqRel);
            return Err(TooManySubscriptions.into());
        }
        let subscription =
            query.into_query().and_then(|query| self.begin(Wanted::Private(query.try_into()?)));
        if subscription.is_err() {
            count.fetch_sub(1, Ordering::AcqRel);
        }
        subscription
    }

    fn begin(&self, wanted: Wanted) -> Result<Subscription, Error> {
        let count = &self.inner.subscriptions;
        if count.fetch_add(1, Ordering::AcqRel) >= limits::SUBSCRIPTIONS {
            count.fetch_sub(1, Ordering::AcqRel);
            return Err(TooManySubscriptions.into());
        }
        let id = self.inner.next_subscription.fetch_add(1, Ordering::Relaxed);
        let (query, private) = match &wanted {
            Wanted::Open(query) => (query.clone(), false),
            Wanted::Private(query) => (query.clone().into_query(), true),
        };
        let relief = Arc::clone(&self.inner.relief);
        let (subscription, inbox) = Subscription::new(self.clone(), id, query, private, relief);
        self.inner
            .controls
            .send(Control::Subscribe { id, wanted, inbox })
            .map_err(|_| Error::Closed)?;
        Ok(subscription)
    }

    /// Publishes a document and waits until a neighbour has taken it: then it is not lost with us.
    /// Without a neighbour it waits for one; bound the wait with `tokio::time::timeout`. If the future
    /// is dropped the document may still be published.
    ///
    /// # Errors
    /// [`Error::Document`], [`Error::Json`], [`Error::NotADocument`] for what is no document;
    /// [`Error::Lost`] if there was no neighbour for five minutes, after which nobody would accept
    /// it, or until it expired; [`Error::Closed`] if the peer was closed before a neighbour took it.
    pub async fn publish(&self, document: impl IntoDocument) -> Result<DocumentId, Error> {
        self.publish_with(document, PublishOptions::default()).await
    }

    /// As [`publish`](Self::publish), with a key, an expiry, or for some only.
    ///
    /// # Errors
    /// As [`publish`](Self::publish); [`Error::NoRecipient`] and [`Error::Seal`] for what is not for
    /// everyone.
    pub async fn publish_with(
        &self,
        document: impl IntoDocument,
        options: PublishOptions,
    ) -> Result<DocumentId, Error> {
        let Prepared(document) = self.prepare_for(document, options).await?;
        let id = document.id();
        let (taken, is_taken) = oneshot::channel();
        self.give(Publish::Document { document, taken: Some(taken) }).await?;
        match is_taken.await {
            Ok(true) => Ok(id),
            Ok(false) => Err(Error::Lost { documents: 1 }),
            Err(_) => Err(Error::Closed),
        }
    }

    /// Publishes a document without waiting for a neighbour to take it: waits only for room among
    /// those that none has taken yet. For many documents at once; [`flush`](Self::flush) after the
    /// last.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub async fn queue(&self, document: impl IntoDocument) -> Result<DocumentId, Error> {
        self.queue_with(document, PublishOptions::default()).await
    }

    /// As [`queue`](Self::queue), with a key, an expiry, or for some only.
    ///
    /// # Errors
    /// As [`publish_with`](Self::publish_with).
    pub async fn queue_with(
        &self,
        document: impl IntoDocument,
        options: PublishOptions,
    ) -> Result<DocumentId, Error> {
        let document = self.prepare_for(document, options).await?;
        self.queue_prepared(document).await
    }

    /// Signs a document for everyone now, on this thread, for
    /// [`queue_prepared`](Self::queue_prepared) soon.
    #[doc(hidden)]
    pub fn prepare(
        &self,
        document: impl IntoDocument,
        options: PublishOptions,
    ) -> Result<Prepared, Error> {
        self.sign(Content::Open(document.into_document()?), options)
    }

    /// Seals and signs a document.
    async fn prepare_for(
        &self,
        document: impl IntoDocument,
        options: PublishOptions,
    ) -> Result<Prepared, Error> {
        let content = private::seal(self, document.into_document()?, &options).await?;
        self.sign(content, options)
    }

    fn sign(&self, content: Content, options: PublishOptions) -> Result<Prepared, Error> {
        let now = self.inner.clock.now();
        let document = Document {
            network: self.inner.network.clone(),
            created_at: now.timestamp(),
            nonce: self.inner.nonce.fetch_add(1, Ordering::Relaxed),
            expires_at: options.expires.map(|life| now.after(life).timestamp()),
            key: options.key,
            content,
        };
        Ok(Prepared(Arc::new(VerifiedDocument::sign(&self.inner.identity, document)?)))
    }

    #[doc(hidden)]
    pub async fn queue_prepared(&self, document: Prepared) -> Result<DocumentId, Error> {
        let Prepared(document) = document;
        let id = document.id();
        self.give(Publish::Document { document, taken: None }).await?;
        Ok(id)
    }

    /// Looks for recent documents that match `query`: this peer's own and its neighbours', those of
    /// about the last five minutes. Gives each once, the newest first.
    ///
    /// It is a look at what is there now: nothing is delivered to subscriptions, and
    /// [`Delivery::hops`] and [`Delivery::from`] say nothing. Each document is checked as any that is
    /// delivered. Neighbours answer with their newest 4096 documents and 1 MiB at most.
    ///
    /// ```no_run
    /// # use taiinet::{FindOptions, TaiiNet, query};
    /// # async fn example(net: TaiiNet) -> Result<(), taiinet::Error> {
    /// let query = query!({ "type": "tweet" });
    /// for tweet in net.find(query, FindOptions { limit: 20, ..FindOptions::default() }).await? {
    ///     println!("{}", tweet.json());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Query`], also for regular expressions so large that neighbours would not evaluate them;
    /// [`Error::TooManyFinds`] if sixteen are under way; [`Error::Closed`]
    pub async fn find(
        &self,
        query: impl IntoQuery,
        options: FindOptions,
    ) -> Result<Vec<Delivery>, Error> {
        find::find(self, query.into_query()?.try_into()?, options).await
    }

    /// Waits until neighbours have taken all that was published before this call.
    ///
    /// # Errors
    /// [`Error::Lost`] with how many documents, since the last flush, no neighbour took before they
    /// were too old; [`Error::Closed`] if the peer was closed before.
    pub async fn flush(&self) -> Result<(), Error> {
        let (done, is_done) = oneshot::channel();
        self.give(Publish::Flush(done)).await?;
        match is_done.await {
            Ok(0) => Ok(()),
            Ok(documents) => Err(Error::Lost { documents }),
            Err(_) => Err(Error::Closed),
        }
    }

    /// What became of the documents published here so far: those in neither number still wait for a
    /// neighbour, or did when the peer was closed. May be asked at any time, also after the end.
    pub fn outcome(&self) -> Outcome {
        self.inner.tally.read()
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

    /// Has nothing to do with a peer any more, for so long or until it is lifted: no links, and none of
    /// its documents. Peers that misbehave are blacklisted by themselves ([`Event::Blacklisted`]); all
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

    /// Forgives a peer whatever it did. Whether it was blacklisted.
    ///
    /// # Errors
    /// [`Error::Blacklist`] if the file cannot be written; [`Error::Closed`]
    pub async fn lift(&self, peer: PeerId) -> Result<bool, Error> {
        let (done, is_done) = oneshot::channel();
        self.control(Control::Lift { peer, done });
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

    async fn give(&self, publish: Publish) -> Result<(), Error> {
        self.inner.publishes.send(publish).await.map_err(|_| Error::Closed)
    }
}

impl fmt::Debug for TaiiNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaiiNet({} on {})", self.peer_id().short(), self.network())
    }
}
