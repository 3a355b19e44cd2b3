//! Subscriptions: documents that match a query, as they come.

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use futures::Stream;
use taiinet_document::DocumentId;
use taiinet_mesh::{Audience, TooManySubscriptions, limits};
use taiinet_query::{Query, SharedQuery};
use taiinet_session::{Backlog, Wanted};

use crate::{
    control::Control,
    delivery::{Delivery, SubscriptionEvent, Unread, deliveries},
    document::{IntoDocument, PublishOptions},
    error::Error,
    net::TaiiNet,
    query::IntoQuery,
};

impl TaiiNet {
    /// Subscribes to the documents that match `query`: a [`Query`], [`query!`](crate::query!), JSON
    /// text, or [`json!`](crate::json).
    ///
    /// # Errors
    /// [`Error::Query`], [`Error::TooManySubscriptions`], [`Error::Closed`]
    pub fn subscribe(&self, query: impl IntoQuery) -> Result<Subscription, Error> {
        self.begin(Wanted::Open(query.into_query()?), None)
    }

    /// As [`subscribe`](Self::subscribe), with options.
    ///
    /// ```no_run
    /// # use taiinet::{Backlog, SubscribeOptions, SubscriptionEvent, TaiiNet, query};
    /// # async fn example(net: TaiiNet) -> Result<(), taiinet::Error> {
    /// let backlog = Some(Backlog::Last(500));
    /// let options = SubscribeOptions { backlog, ..SubscribeOptions::default() };
    /// let mut tweets = net.subscribe_with(query!({ "type": "tweet" }), options)?;
    /// while let Some(event) = tweets.next_event().await {
    ///     match event {
    ///         SubscriptionEvent::Document(tweet) => println!("{}", tweet.json()),
    ///         SubscriptionEvent::Removed(gone) => println!("{} is gone", gone.id),
    ///         SubscriptionEvent::Ready(ready) => println!("all of before: {}", ready.complete),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe) and [`subscribe_privately`](Self::subscribe_privately); with a backlog
    /// [`Error::Query`] also for regular expressions so large that others would not evaluate them; [`Error::Indiscreet`]
    /// for one that is to be discreet, and private or with a backlog as well.
    pub fn subscribe_with(
        &self,
        query: impl IntoQuery,
        options: SubscribeOptions,
    ) -> Result<Subscription, Error> {
        let query = query.into_query()?;
        if options.discreet {
            let wanted = Wanted::discreet(query, options.private, options.backlog.is_some())?;
            return self.begin(wanted, None);
        }
        let history = match options.backlog {
            Some(backlog) => Some((query.clone().try_into()?, backlog)),
            None => None,
        };
        if options.private {
            self.begin_privately(query, history)
        } else {
            self.begin(Wanted::Open(query), history)
        }
    }

    /// Subscribes with a key of its own, so that others can seal what matches to this subscription
    /// ([`Audience::Subscribers`]). The network is told of the query and
    /// the key; only this subscription reads what is sealed to it, and once it has ended the key
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
        self.begin_privately(query.into_query()?, None)
    }

    fn begin_privately(
        &self,
        query: Query,
        history: Option<(SharedQuery, Backlog)>,
    ) -> Result<Subscription, Error> {
        let count = &self.inner.private;
        if count.fetch_add(1, Ordering::AcqRel) >= limits::PRIVATE_SUBSCRIPTIONS {
            count.fetch_sub(1, Ordering::AcqRel);
            return Err(TooManySubscriptions.into());
        }
        let subscription = SharedQuery::try_from(query)
            .map_err(Error::from)
            .and_then(|query| self.begin(Wanted::Private(query), history));
        if subscription.is_err() {
            count.fetch_sub(1, Ordering::AcqRel);
        }
        subscription
    }

    fn begin(
        &self,
        wanted: Wanted,
        history: Option<(SharedQuery, Backlog)>,
    ) -> Result<Subscription, Error> {
        let count = &self.inner.subscriptions;
        if count.fetch_add(1, Ordering::AcqRel) >= limits::SUBSCRIPTIONS {
            count.fetch_sub(1, Ordering::AcqRel);
            return Err(TooManySubscriptions.into());
        }
        let id = self.inner.next_subscription.fetch_add(1, Ordering::Relaxed);
        let (inbox, unread) = deliveries(Arc::clone(&self.inner.relief));
        let (query, private) = match &wanted {
            Wanted::Open(query) | Wanted::Discreet(query) => (query.clone(), false),
            Wanted::Private(query) => (query.clone().into_query(), true),
        };
        let subscription = Subscription { net: self.clone(), id, query, private, unread };
        self.inner
            .controls
            .send(Control::Subscribe { id, wanted, history, inbox })
            .map_err(|_| Error::Closed)?;
        Ok(subscription)
    }
}

/// How to subscribe; see [`TaiiNet::subscribe_with`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SubscribeOptions {
    /// With a key of its own, as [`TaiiNet::subscribe_privately`] does.
    pub private: bool,
    /// So that no other peer is told what it wants. In a large network, where a peer tells its neighbours what to send
    /// it, they hear that it wants everything: **it gets all documents of the network**, and chooses here. It is neither
    /// private nor has a backlog, since both tell others the query, and so do a search, a live result set and another
    /// subscription with the same query. That the peer wants everything is no secret, nor what it does then.
    pub discreet: bool,
    /// Also what was published before, as far as neighbours and archives have it. Archives keep what they are there
    /// for; other peers the last five minutes, and their own documents that have a key for as long as they run. It
    /// is looked for once there is a neighbour; then it comes, the oldest first ([`Delivery::is_backlog`]), and
    /// [`SubscriptionEvent::Ready`]; what is published meanwhile comes as well, and each document once. None does
    /// not look.
    pub backlog: Option<Backlog>,
}

/// The documents that match a query, from the moment of [`TaiiNet::subscribe`] on: a [`Stream`] of
/// [`Delivery`], with its own [`next`](Self::next) so that no trait needs importing. Each document
/// comes once. Dropping it unsubscribes.
///
/// Nothing is dropped when it is read slowly: once about 2 MiB of memory wait unread, acknowledgements to the
/// neighbours are held back until it has caught up, so that what still comes is bounded by their
/// windows. A subscription that is never read therefore slows down all others of the same peer.
/// Documents of this peer's own that match are delivered too; for these, the bound is up to you.
#[derive(Debug)]
pub struct Subscription {
    net: TaiiNet,
    id: u64,
    query: Query,
    private: bool,
    unread: Unread,
}

impl Subscription {
    /// Waits for the next document; `None` once the peer is closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<Delivery> {
        loop {
            if let SubscriptionEvent::Document(delivery) = self.unread.next().await? {
                return Some(delivery);
            }
        }
    }

    /// The next document if one is here already.
    pub fn try_next(&mut self) -> Option<Delivery> {
        loop {
            if let SubscriptionEvent::Document(delivery) = self.unread.try_next()? {
                return Some(delivery);
            }
        }
    }

    /// Waits for the next document, or for what else there is to tell; `None` once the peer is closed. Cancel-safe.
    pub async fn next_event(&mut self) -> Option<SubscriptionEvent> {
        self.unread.next().await
    }

    /// The next event if one is here already.
    pub fn try_next_event(&mut self) -> Option<SubscriptionEvent> {
        self.unread.try_next()
    }

    /// Asks for older documents, so many at most, after [`Backlog::Last`] has given the newest
    /// ([`Ready::more`](crate::Ready)). They come like those, with another [`SubscriptionEvent::Ready`]. Before the
    /// first one it does nothing.
    pub fn more(&self, limit: u16) {
        self.net.control(Control::More { id: self.id, limit });
    }

    /// Publishes a document on the network of this subscription: for everyone, or, if this is a
    /// private subscription, for the peers that subscribed privately to it.
    ///
    /// # Errors
    /// As [`TaiiNet::publish_with`].
    pub async fn send(&self, document: impl IntoDocument) -> Result<DocumentId, Error> {
        let to = if self.private { Audience::Subscribers } else { Audience::Everyone };
        self.net.publish_with(document, PublishOptions { to, ..PublishOptions::default() }).await
    }

    /// Whether it has a key of its own.
    pub const fn is_private(&self) -> bool {
        self.private
    }

    /// A number that tells the subscriptions of one [`TaiiNet`] apart.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// What was subscribed to.
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// The peer it belongs to.
    pub const fn net(&self) -> &TaiiNet {
        &self.net
    }
}

impl Stream for Subscription {
    type Item = Delivery;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        loop {
            match std::task::ready!(self.unread.poll_next(cx)) {
                Some(SubscriptionEvent::Document(delivery)) => return Poll::Ready(Some(delivery)),
                Some(_) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.net.control(Control::Unsubscribe { id: self.id, private: self.private });
    }
}
