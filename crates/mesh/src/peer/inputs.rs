//! What happens to a peer, and what is asked of it.

use core::{net::IpAddr, time::Duration};
use std::sync::Arc;

use taiinet_document::{
    Content, Deletion, DocumentId, SignedDocument, Subscription, Timestamp, VerifiedDocument,
};
use taiinet_identity::{PeerId, Signed};
use taiinet_query::{Query, SharedQuery};

use super::Peer;
use crate::{
    Answer, BlacklistError, Direct, Disconnect, Event, FindId, FindOptions, Input, KeepError,
    KeepId, LinkFailure, LinkId, Misbehaviour, PublishError, PublishOptions, Reconciled,
    SignallerAddress, SubscriptionId, Time, TooManyFinds, TooManySubscriptions, finds,
    links::Link,
    notice::Notice,
    wire::{LinkFrame, Outcome, PoolFrame, Signal, Undeliverable},
};
#[cfg(doc)]
use crate::{Blacklisted, Output, limits};

impl Peer {
    /// Takes what happened.
    pub fn handle(&mut self, input: Input, now: Time) {
        if self.left {
            return;
        }
        self.cx.now = now;
        if matches!(input, Input::Wake) {
            self.called = now;
        } else {
            self.notice_sleep();
        }
        match input {
            Input::LinkUp { link, binding } => {
                if !self.signallers.opened(&mut self.cx, link) {
                    self.cx.opened(link, binding);
                }
            }
            Input::Negotiation { link, part } => {
                self.dialling.local_part(&mut self.cx, link, part);
            }
            Input::Message { link, bytes } => self.message(link, bytes),
            Input::Sent { link, bytes } => {
                if let Some(state) = self.cx.links.get_mut(link) {
                    state.lanes.sent(bytes);
                    self.cx.links.touch(link);
                }
            }
            Input::LinkDown { link, cause } => self.link_down(link, cause),
            Input::Behind(behind) => {
                self.cx.links.behind = behind;
                self.documents.set_behind(behind, now);
            }
            Input::Wake => {
                self.cx.view_changed = true;
                self.cx.notify(Notice::Woke);
                self.cx.probe(true);
                self.cx.doubt();
            }
            Input::Doze(dozing) => self.cx.set_dozing(dozing),
        }
        self.seek();
        self.run_overdue();
    }

    fn link_down(&mut self, link: LinkId, cause: LinkFailure) {
        let cause = Disconnect::Link(cause);
        if self.signallers.has(link) {
            self.signallers.lose(&mut self.cx, link, cause, Duration::ZERO);
        } else {
            self.cx.drop_link(link, cause);
        }
    }

    /// Another member of the pool has dialled us, from an address (or what counts as one:
    /// [`crate::Direct`]). Gives the link's name, or none if there is no pool: then close the
    /// connection. Where strangers are too many the one goes that has been one for longest.
    pub fn accept_link(&mut self, from: IpAddr, now: Time) -> Option<LinkId> {
        if self.left {
            return None;
        }
        self.cx.now = now;
        let link = self.cx.accept(from);
        self.settle();
        link
    }

    /// Subscribes to the documents that match `query`.
    ///
    /// # Errors
    /// [`TooManySubscriptions`]
    pub fn subscribe(&mut self, query: Query) -> Result<SubscriptionId, TooManySubscriptions> {
        self.interest.subscribe(query)
    }

    /// Subscribes and tells nobody what to: where documents go by routes, others are told that this peer wants
    /// everything, so that it **gets all documents of the network**, and `query` decides here which are delivered. It
    /// stays secret only if the query is in no [search](Self::find) and in no other subscription.
    ///
    /// # Errors
    /// [`TooManySubscriptions`]
    pub fn subscribe_discreetly(
        &mut self,
        query: Query,
    ) -> Result<SubscriptionId, TooManySubscriptions> {
        self.interest.subscribe_discreetly(query)
    }

    /// Subscribes with a key of its own: the network is told of the query and the key, so that others
    /// can seal what matches ([`Subscribers`](crate::Audience::Subscribers)). The key is wiped with the subscription.
    ///
    /// # Errors
    /// [`TooManySubscriptions`], also for more than [`limits::PRIVATE_SUBSCRIPTIONS`] of this kind.
    pub fn subscribe_privately(
        &mut self,
        query: SharedQuery,
        now: Time,
    ) -> Result<SubscriptionId, TooManySubscriptions> {
        self.cx.now = now;
        let subscription = self.interest.subscribe_privately(&mut self.cx, query)?;
        self.announce_subscriptions();
        self.run_overdue();
        Ok(subscription)
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, subscription: SubscriptionId, now: Time) {
        self.cx.now = now;
        if let Some(ended) = self.interest.unsubscribe(subscription) {
            self.withdraw(&ended);
        }
    }

    /// The key is gone; others are told that it is of no use any more.
    fn withdraw(&mut self, ended: &Subscription) {
        let options = PublishOptions { key: Some(ended.key().into()), ..PublishOptions::default() };
        // If there is no room to say so, it expires.
        let _ = self.publish(Content::Deleted(Deletion::Key), options, self.cx.now);
    }

    /// Announces those of our subscriptions that are due.
    pub(super) fn announce_subscriptions(&mut self) {
        while let Some(subscription) = self.interest.due(&mut self.cx) {
            let (recipient, key) = (subscription.recipient, subscription.key());
            let expires_at = self.cx.now.after(crate::limits::ANNOUNCED_FOR).timestamp();
            let content = Content::Subscription(subscription);
            let published =
                self.documents.publish(&mut self.cx, content, Some(key.into()), Some(expires_at));
            self.settle();
            if published.is_err() {
                self.interest.put_off(recipient, self.cx.now);
            }
        }
    }

    /// Looks for documents that match `query`, our own and those of our neighbours. They come as
    /// [`Output::Found`] in the order that is wanted, each once, and are neither delivered to subscriptions nor
    /// passed on; [`Output::FindDone`] follows, after [`limits::FIND_TIMEOUT`] at the latest. While there is no
    /// neighbour it waits for one.
    ///
    /// # Errors
    /// [`TooManyFinds`]
    pub fn find(
        &mut self,
        query: SharedQuery,
        options: FindOptions,
        now: Time,
    ) -> Result<FindId, TooManyFinds> {
        self.cx.now = now;
        let find = self.finds.begin(&mut self.cx, query, options, &self.interest)?;
        if self.left {
            self.finds.end_all(&mut self.cx);
        }
        self.seek();
        self.run_overdue();
        Ok(find)
    }

    /// So many more are wanted of a search that rests. Whether there is one of this name.
    pub fn find_more(&mut self, find: FindId, limit: u16, now: Time) -> bool {
        self.cx.now = now;
        let goes_on = self.finds.go_on(&mut self.cx, find, limit, &self.interest);
        self.settle();
        self.run_overdue();
        goes_on
    }

    /// An archive answers a neighbour's [`Question`](crate::Question).
    pub fn answer(&mut self, link: LinkId, request: u32, answer: Answer, now: Time) {
        self.cx.now = now;
        finds::archive_answers(&mut self.cx, link, request, answer);
        self.run_overdue();
    }

    /// Since when the archive keeps documents; others are told with the next presence.
    pub fn keeps_since(&mut self, since: Timestamp) {
        if let Some(kept) = &mut self.cx.config.archive {
            kept.since = since;
        }
    }

    /// An archive asks a neighbour's for what it lacks, or answers it ([`Output::Reconcile`]).
    pub fn reconciled(&mut self, link: LinkId, step: Reconciled, now: Time) {
        self.cx.now = now;
        self.sync.reconciled(&mut self.cx, link, step);
        self.run_overdue();
    }

    /// No more is wanted of a search.
    pub fn find_end(&mut self, find: FindId) {
        self.finds.end(find);
    }

    /// Asks an archive among the neighbours to keep documents of any age, and those that it refuses each other one;
    /// while there is none it waits for one. [`Output::Took`] says what became of them, after `wait` at the latest.
    /// They go nowhere else.
    ///
    /// # Errors
    /// [`KeepError`]
    pub fn keep(
        &mut self,
        documents: Vec<SignedDocument>,
        wait: Duration,
        now: Time,
    ) -> Result<KeepId, KeepError> {
        self.cx.now = now;
        let keep = self.keeps.begin(&mut self.cx, documents, wait)?;
        if self.left {
            self.keeps.end_all(&mut self.cx);
        }
        self.seek();
        self.run_overdue();
        Ok(keep)
    }

    /// What became of documents that an archive was [offered](Output::Offered), in their order; those that it keeps
    /// are on the disk.
    pub fn took(&mut self, link: LinkId, request: u32, outcomes: Vec<Outcome>, now: Time) {
        self.cx.now = now;
        self.keeps.took(&mut self.cx, link, request, outcomes);
        self.settle();
        self.run_overdue();
    }

    /// Signs and publishes a document. It is held until a neighbour has taken it ([`Event::Taken`]),
    /// or it is too old for any to accept it ([`Event::Lost`]). A little later a root names it ([`Event::Named`]), if
    /// the network has one.
    ///
    /// # Errors
    /// [`PublishError`]
    pub fn publish(
        &mut self,
        content: Content,
        options: PublishOptions,
        now: Time,
    ) -> Result<DocumentId, PublishError> {
        self.cx.now = now;
        let content = self.interest.seal(&mut self.cx, content, &options)?;
        if self.left {
            return Err(PublishError::Busy);
        }
        let PublishOptions { key, expires_at, .. } = options;
        let published = self.documents.publish(&mut self.cx, content, key, expires_at);
        self.settle();
        self.run_overdue();
        published
    }

    /// Publishes a document that was signed elsewhere, as [`Self::publish`] does: a driver that has
    /// several threads signs in those of its callers.
    ///
    /// # Errors
    /// [`PublishError`]
    pub fn publish_signed(
        &mut self,
        document: Arc<VerifiedDocument>,
        now: Time,
    ) -> Result<DocumentId, PublishError> {
        if self.left {
            return Err(PublishError::Busy);
        }
        self.cx.now = now;
        let published = self.documents.publish_signed(&mut self.cx, document);
        if let Ok(id) = published {
            self.await_name(id);
        }
        self.settle();
        self.run_overdue();
        published
    }

    /// Tells when a root has named a document. It may have come here before, and be named already.
    fn await_name(&mut self, id: DocumentId) {
        if self.routes.is_named(&id) {
            self.cx.event(Event::Named { id });
        } else {
            self.trees.await_name(id, self.cx.now);
        }
    }

    /// Passes a signal of a client to the signaller that its recipient has joined, if that is a
    /// neighbour in the pool; whether it is, and keeps up: what clients send never ends its link.
    pub fn relay(&mut self, to: PeerId, signal: Signed<Signal>, now: Time) -> bool {
        self.cx.now = now;
        let passed_on = self.cx.pass_on(to, PoolFrame::Relay(signal));
        self.settle();
        passed_on
    }

    /// Tells a neighbour in the pool that a signal which it passed on did not find its recipient.
    pub fn undeliverable(&mut self, to: PeerId, undeliverable: Undeliverable, now: Time) -> bool {
        self.cx.now = now;
        let passed_on = self.cx.pass_on(to, PoolFrame::Undeliverable(undeliverable));
        self.settle();
        passed_on
    }

    /// Charges a neighbour in the pool for what it passed on, if the signaller found that wrong.
    pub fn blame(&mut self, member: PeerId, misbehaviour: Misbehaviour, now: Time) {
        self.cx.now = now;
        if let Some(link) = self.cx.links.find(|link| link.peer == member && link.is_active()) {
            self.cx.charge(link, misbehaviour);
        }
        self.settle();
    }

    /// Parts with a neighbour that the operator does not want.
    pub fn expel(&mut self, peer: PeerId, now: Time) {
        self.cx.now = now;
        self.cx.expel(peer);
        self.settle();
    }

    /// Takes on what the operator says anew of a full mesh ([`Config::direct`]): whom to dial, who may be a
    /// neighbour, and by which addresses it is known; neighbours that may be none any more are parted
    /// with. Where others reach us stays as it was.
    ///
    /// [`Config::direct`]: crate::Config::direct
    pub fn set_direct(&mut self, direct: Direct, now: Time) {
        self.cx.now = now;
        self.cx.topology.renew(direct);
        self.membership.rename_seeds(&self.cx);
        let topology = &self.cx.topology;
        let gone: Vec<_> = self.neighbour_ids().filter(|peer| !topology.allows(peer)).collect();
        for peer in gone {
            self.cx.expel(peer);
        }
        self.settle();
    }

    /// Adds a signaller to those it knows.
    pub fn add_signaller(&mut self, address: SignallerAddress, now: Time) {
        self.signallers.add(address, now);
    }

    /// Keeps a peer out ([`Blacklisted`]), until then or for ever. Links to it are
    /// closed.
    ///
    /// # Errors
    /// [`BlacklistError`]
    pub fn blacklist(
        &mut self,
        peer: PeerId,
        until: Option<Timestamp>,
        now: Time,
    ) -> Result<(), BlacklistError> {
        self.cx.now = now;
        self.cx.blacklist(peer, until)?;
        self.seek();
        self.run_overdue();
        Ok(())
    }

    /// Forgives a peer whatever it did. Whether it was blacklisted.
    pub fn unblock(&mut self, peer: &PeerId, now: Time) -> bool {
        self.documents.reconsider();
        self.cx.reputation.unblock(peer, now)
    }

    /// Says goodbye on every link; nothing but closing links comes after it.
    pub fn leave(&mut self, now: Time) {
        self.cx.now = now;
        // What withdraws our private subscriptions goes out before the goodbye.
        for subscription in self.interest.private_subscriptions() {
            self.unsubscribe(subscription, now);
        }
        self.transmit();
        for link in self.cx.links.named(|_: &Link| true) {
            self.cx.close_saying(link, LinkFrame::Bye, Disconnect::Local);
        }
        self.carry();
        self.signallers.leave(&mut self.cx);
        self.settle();
        self.finds.end_all(&mut self.cx);
        self.keeps.end_all(&mut self.cx);
        self.left = true;
    }
}
