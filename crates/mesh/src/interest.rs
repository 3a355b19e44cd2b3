//! Interest: what this peer subscribed to, and what others want, as far as it knows.

mod private;
mod wants;

use std::{collections::BTreeSet, sync::Arc};

use taiinet_document::{
    Content, DocumentId, Key, Map, Opened, Sealed, Subscription, Timestamp, VerifiedDocument,
};
use taiinet_identity::{EnvelopeError, Identity, PeerId, RECIPIENTS, Recipient, RecipientId};
use taiinet_query::{Attributes, Index, Query, Scratch, SharedQuery};

use crate::{
    Audience, Conflict, Delivery, Output, PublishError, PublishOptions, SubscriptionId, Time,
    TooManySubscriptions,
    cx::Cx,
    limits,
    notice::{Accepted, Notice},
};
pub(crate) use wants::Wants;

use private::{Came, Chosen, Directory, Openings, Own, Unopened};

/// The room of interest.
#[derive(Debug)]
pub(crate) struct Interest {
    subscriptions: Index<SubscriptionId>,
    /// The index's working memory.
    scratch: Scratch,
    last: u64,
    wants: Wants,
    private: Own,
    /// What is sealed and waits to be opened.
    openings: Openings,
    directory: Directory,
}

impl Interest {
    pub(crate) fn new(cx: &mut Cx) -> Self {
        Self {
            subscriptions: Index::with_seed(cx.rng.next_u64()),
            scratch: Scratch::default(),
            last: 0,
            wants: Wants::of_archive(cx.config.archive.as_ref()),
            private: Own::default(),
            openings: Openings::new(cx.now),
            directory: Directory::new(cx.rng.next_u64(), cx.now),
        }
    }

    // ---- Questions ----

    /// What our subscriptions want.
    pub(crate) const fn wants(&self) -> &Wants {
        &self.wants
    }

    pub(crate) const fn wants_mut(&mut self) -> &mut Wants {
        &mut self.wants
    }

    /// How many key exchanges it takes to see that a sealed document is not for us.
    pub(crate) fn key_count(&self) -> usize {
        self.private.key_count()
    }

    /// What a sealed document says to us; `None` if nothing. Takes a key exchange for each of our keys up
    /// to the one that it is for; the likely one is tried first.
    pub(crate) fn open(
        &self,
        identity: &Identity,
        document: &VerifiedDocument,
        likely: Option<Recipient>,
    ) -> Option<Arc<Opened>> {
        document.open(self.private.keys(identity, likely)).ok().map(Arc::new)
    }

    /// The announcements of private subscriptions from before `since`, for a neighbour that came later.
    pub(crate) fn announcements(&self, since: Timestamp, now: Time) -> Vec<DocumentId> {
        self.directory.announcements(since, now)
    }

    /// How many private subscriptions could be sealed to.
    pub(crate) fn private(&self) -> usize {
        self.directory.len()
    }

    /// When one of our private subscriptions is to be announced again, or what is sealed may be opened.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.private.deadline().into_iter().chain(self.openings.deadline()).min()
    }

    // ---- Ours ----

    pub(crate) fn subscribe(
        &mut self,
        query: Query,
    ) -> Result<SubscriptionId, TooManySubscriptions> {
        let id = self.next()?;
        self.wants.insert(id, &query);
        self.subscriptions.insert(id, query);
        Ok(id)
    }

    /// A subscription of which others are told that it wants everything.
    pub(crate) fn subscribe_discreetly(
        &mut self,
        query: Query,
    ) -> Result<SubscriptionId, TooManySubscriptions> {
        let id = self.next()?;
        self.wants.insert(id, &Query::all());
        self.subscriptions.insert(id, query);
        Ok(id)
    }

    /// The name of one more subscription.
    fn next(&mut self) -> Result<SubscriptionId, TooManySubscriptions> {
        if self.subscriptions.len() >= limits::SUBSCRIPTIONS {
            return Err(TooManySubscriptions);
        }
        self.last += 1;
        Ok(SubscriptionId(self.last))
    }

    /// A subscription with a key of its own, which is to be announced ([`Self::due`]).
    pub(crate) fn subscribe_privately(
        &mut self,
        cx: &mut Cx,
        query: SharedQuery,
    ) -> Result<SubscriptionId, TooManySubscriptions> {
        if self.private.is_full() {
            return Err(TooManySubscriptions);
        }
        let subscription = self.subscribe(query.clone().into_query())?;
        self.private.begin(subscription, &query, &mut cx.rng, cx.now);
        Ok(subscription)
    }

    /// Ends a subscription, and wipes its key. Gives what is to be withdrawn if it was private.
    pub(crate) fn unsubscribe(&mut self, subscription: SubscriptionId) -> Option<Subscription> {
        self.subscriptions.remove(&subscription);
        self.wants.remove(subscription);
        self.private.end(subscription)
    }

    pub(crate) fn private_subscriptions(&self) -> Vec<SubscriptionId> {
        self.private.subscriptions()
    }

    /// A private subscription of ours that is to be announced now.
    pub(crate) fn due(&mut self, cx: &mut Cx) -> Option<Subscription> {
        self.private.due(&mut cx.rng, cx.now)
    }

    /// It could not be announced.
    pub(crate) fn put_off(&mut self, recipient: RecipientId, now: Time) {
        self.private.put_off(recipient, now.after(limits::ANNOUNCE_RETRY));
    }

    // ---- What happens ----

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice) {
        if let Notice::Accepted(accepted) = notice {
            self.take_note(cx, &accepted.document);
            let wanted = cx.counters.wanted;
            self.deliver(cx, accepted);
            let is_kept = cx.config.archive.is_some()
                && accepted.from.is_some()
                && self.wants.matches(&accepted.keys());
            if is_kept && cx.counters.wanted == wanted {
                cx.counters.wanted += 1;
            }
        }
    }

    /// Opens what may be opened now.
    pub(crate) fn tick(&mut self, cx: &mut Cx) {
        self.open_waiting(cx);
    }

    /// Takes note of what a document says about private subscriptions, and of what only a later version can
    /// read.
    fn take_note(&mut self, cx: &mut Cx, document: &VerifiedDocument) {
        match document.content() {
            Content::Subscription(subscription) => {
                self.directory.announced(document, subscription, &mut cx.rng, cx.now);
            }
            Content::Deleted(_) => self.directory.deleted(document, &mut cx.rng, cx.now),
            Content::Unknown(_) => cx.counters.unknown += 1,
            Content::Open(_) | Content::Sealed(_) => {}
        }
    }

    /// Hands a document to those of our subscriptions that it matches: at once, or if it is sealed when
    /// its turn comes to be opened.
    fn deliver(&mut self, cx: &mut Cx, accepted: &Accepted) {
        if self.subscriptions.is_empty() {
            return;
        }
        let Accepted { document, hops, from, conflict, .. } = accepted;
        let came = Came { hops: *hops, via: from.map(|(_, peer)| peer) };
        if let Some(other) = conflict {
            self.tell_conflict(cx, document, other);
        }
        match document.content() {
            Content::Open(fields) => {
                let subscriptions = self.matching(document, fields);
                hand_over(cx, document, None, subscriptions, came);
            }
            Content::Sealed(_) => {
                let unopened = Unopened { document: Arc::clone(document), came };
                for lost in self.openings.push(unopened, cx.now) {
                    cx.counters.unopened += 1;
                    hand_over(cx, &lost.document, None, Vec::new(), lost.came);
                }
                self.open_waiting(cx);
            }
            // It is no document for applications, whatever stood under its key.
            Content::Subscription(_) => {}
            Content::Deleted(_) | Content::Unknown(_) => {
                hand_over(cx, document, None, Vec::new(), came);
            }
        }
    }

    /// Opens those that may be opened now, and delivers what is for us.
    fn open_waiting(&mut self, cx: &mut Cx) {
        let keys = self.private.key_count();
        while let Some((unopened, likely)) = self.openings.next(keys, cx.now) {
            let Unopened { document, came } = unopened;
            cx.counters.exchanges += keys as u64;
            // What is sealed to others is passed on, and no more.
            let opened = self.open(&cx.identity, &document, likely);
            let mut subscriptions = Vec::new();
            if let Some(opened) = &opened {
                self.openings.opened(&document.author(), opened.recipient, keys, cx.now);
                subscriptions = self.matching(&document, &opened.fields);
            }
            hand_over(cx, &document, opened, subscriptions, came);
        }
    }

    /// Our subscriptions that what a document says, in clear or to us, matches.
    fn matching(&mut self, document: &VerifiedDocument, fields: &Map) -> Vec<SubscriptionId> {
        let mut subscriptions = Vec::new();
        let attributes = Attributes::of(document);
        self.subscriptions.visit_fields(&mut self.scratch, attributes, fields, |subscription| {
            subscriptions.push(subscription);
        });
        subscriptions.sort_unstable();
        subscriptions
    }

    /// Two versions of one moment: the subscriptions that one of them matches hear of both.
    fn tell_conflict(&mut self, cx: &mut Cx, document: &Arc<VerifiedDocument>, other: &DocumentId) {
        let other = cx.store.decoded(other);
        let Some(other) = other.map(Arc::new) else { return };
        let mut subscriptions = BTreeSet::new();
        for version in [document, &other] {
            if let Content::Open(fields) = version.content() {
                subscriptions.extend(self.matching(version, fields));
            }
        }
        if subscriptions.is_empty() {
            return;
        }
        let (winner, loser) = if document.id() > other.id() {
            (Arc::clone(document), other)
        } else {
            (other, Arc::clone(document))
        };
        let subscriptions = subscriptions.into_iter().collect();
        cx.out.push_back(Output::Conflict(Conflict { subscriptions, winner, loser }));
    }

    // ---- Sealing ----

    /// The recipients that a document of ours is to be sealed to.
    ///
    /// # Errors
    /// [`PublishError::NoRecipient`], [`PublishError::Seal`]
    pub(crate) fn recipients(
        &self,
        cx: &mut Cx,
        content: &Map,
        options: &PublishOptions,
    ) -> Result<BTreeSet<Recipient>, PublishError> {
        let attributes = Attributes {
            id: None,
            author: cx.id(),
            owner: options.key.as_ref().map_or(cx.id(), |key| key.owner(cx.id())),
            key: options.key.as_ref().map(Key::name),
            created_at: cx.now.timestamp(),
        };
        let Chosen { recipients, no_room, unevaluated, work } =
            self.directory.recipients(attributes, content, &options.audience, cx.now);
        cx.counters.matching_work += work;
        match &options.audience {
            Audience::Peers(_) | Audience::Subscribers if recipients.is_empty() => {
                Err(PublishError::NoRecipient)
            }
            // A peer that is named is not left out in silence.
            Audience::Peers(named) if named.len() > RECIPIENTS && no_room > 0 => {
                let recipients = recipients.len() + no_room;
                Err(EnvelopeError::TooManyRecipients { recipients }.into())
            }
            Audience::Everyone | Audience::Subscribers | Audience::Peers(_) => {
                // Only where it is sealed now: what waits for a recipient is looked at again and again.
                cx.counters.left_out += (no_room + unevaluated) as u64;
                Ok(recipients)
            }
        }
    }

    /// Seals what is not for everyone.
    ///
    /// # Errors
    /// As [`Self::recipients`].
    pub(crate) fn seal(
        &self,
        cx: &mut Cx,
        content: Content,
        options: &PublishOptions,
    ) -> Result<Content, PublishError> {
        match content {
            Content::Open(content) if options.audience != Audience::Everyone => {
                let recipients = self.recipients(cx, &content, options)?;
                let author: PeerId = cx.id();
                Ok(Content::Sealed(Sealed::seal(
                    content,
                    &options.public,
                    &Vec::from_iter(recipients),
                    author,
                    &cx.config.network,
                    cx.rng.crypto(),
                )?))
            }
            content => Ok(content),
        }
    }
}

/// Gives a document to the application, with the subscriptions that it matches. What replaces or deletes others
/// is given for none as well, since those may have matched.
fn hand_over(
    cx: &mut Cx,
    document: &Arc<VerifiedDocument>,
    opened: Option<Arc<Opened>>,
    subscriptions: Vec<SubscriptionId>,
    came: Came,
) {
    let is_change = document.key.is_some() || matches!(document.content(), Content::Deleted(_));
    // What replaces it may have come first.
    if subscriptions.is_empty() && !is_change || cx.store.is_replaced(document) {
        return;
    }
    let (document, Came { hops, via }) = (Arc::clone(document), came);
    let is_wanted = !subscriptions.is_empty();
    cx.counters.delivered += u64::from(is_wanted);
    cx.counters.wanted += u64::from(is_wanted && via.is_some());
    cx.out.push_back(Output::Deliver(Delivery { document, opened, subscriptions, hops, via }));
}
