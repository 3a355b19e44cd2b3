//! Interest: what this peer subscribed to, and what others want, as far as it knows.

mod private;

use std::{collections::BTreeSet, sync::Arc};

use taiinet_document::{
    Content, DocumentId, Map, Opened, Sealed, Subscription, Timestamp, VerifiedDocument,
};
use taiinet_identity::{EnvelopeError, Identity, PeerId, RECIPIENTS, Recipient, RecipientId};
use taiinet_query::{Attributes, Index, Query, Scratch};

use crate::{
    Audience, Delivery, LinkId, Output, PublishError, PublishOptions, SubscriptionId, Time,
    TooManySubscriptions,
    cx::Cx,
    limits,
    notice::{Accepted, Notice},
};
use private::{Directory, Own};

/// The room of interest.
#[derive(Debug)]
pub(crate) struct Interest {
    subscriptions: Index<SubscriptionId>,
    /// The index's working memory.
    scratch: Scratch,
    last: u64,
    private: Own,
    directory: Directory,
}

impl Interest {
    pub(crate) fn new(cx: &mut Cx) -> Self {
        Self {
            subscriptions: Index::with_seed(cx.rng.next_u64()),
            scratch: Scratch::default(),
            last: 0,
            private: Own::default(),
            directory: Directory::new(cx.rng.next_u64()),
        }
    }

    // ---- Questions ----

    /// Whether a neighbour wants this document. Nobody says yet what it wants, so each wants all.
    pub(crate) const fn wants(&self, _link: LinkId, _document: &VerifiedDocument) -> bool {
        true
    }

    /// What a sealed document says to us; `None` if nothing.
    pub(crate) fn open(
        &self,
        identity: &Identity,
        document: &VerifiedDocument,
    ) -> Option<Arc<Opened>> {
        document.open(self.private.keys(identity)).ok().map(Arc::new)
    }

    /// The announcements of private subscriptions from before `since`, for a neighbour that came later.
    pub(crate) fn announcements(&self, since: Timestamp, now: Time) -> Vec<DocumentId> {
        self.directory.announcements(since, now)
    }

    /// How many private subscriptions could be sealed to.
    pub(crate) fn private(&self) -> usize {
        self.directory.len()
    }

    /// When one of our private subscriptions is to be announced again.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.private.deadline()
    }

    // ---- Ours ----

    pub(crate) fn subscribe(
        &mut self,
        query: Query,
    ) -> Result<SubscriptionId, TooManySubscriptions> {
        if self.subscriptions.len() >= limits::SUBSCRIPTIONS {
            return Err(TooManySubscriptions);
        }
        self.last += 1;
        let id = SubscriptionId(self.last);
        self.subscriptions.insert(id, query);
        Ok(id)
    }

    /// A subscription with a key of its own, which is to be announced ([`Self::due`]).
    pub(crate) fn subscribe_privately(
        &mut self,
        cx: &mut Cx,
        query: Query,
    ) -> Result<SubscriptionId, TooManySubscriptions> {
        if self.private.is_full() {
            return Err(TooManySubscriptions);
        }
        let subscription = self.subscribe(query.clone())?;
        self.private.begin(subscription, &query, &mut cx.rng, cx.now);
        Ok(subscription)
    }

    /// Ends a subscription, and wipes its key. Gives what is to be withdrawn if it was private, and when
    /// that may be said.
    pub(crate) fn unsubscribe(
        &mut self,
        subscription: SubscriptionId,
    ) -> Option<(Subscription, Time)> {
        self.subscriptions.remove(&subscription);
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
            self.deliver(cx, accepted);
        }
    }

    /// Takes note of what a document says about private subscriptions.
    fn take_note(&mut self, cx: &mut Cx, document: &VerifiedDocument) {
        match document.content() {
            Content::Subscription(subscription) => {
                self.directory.announced(document, subscription, &mut cx.rng, cx.now);
            }
            Content::Deleted => self.directory.deleted(document, &mut cx.rng, cx.now),
            Content::Open(_) | Content::Sealed(_) => {}
        }
    }

    /// Hands a document to those of our subscriptions that it matches.
    fn deliver(&mut self, cx: &mut Cx, accepted: &Accepted) {
        let Accepted { document, hops, from } = accepted;
        if self.subscriptions.is_empty() {
            return;
        }
        let mut opened = None;
        let fields = match document.content() {
            Content::Open(fields) => fields,
            // What is sealed to others is passed on, and no more.
            Content::Sealed(_) => match opened.insert(self.open(&cx.identity, document)) {
                Some(opened) => &opened.fields,
                None => return,
            },
            Content::Deleted | Content::Subscription(_) => return,
        };
        let mut subscriptions = Vec::new();
        let attributes = Attributes::of(document);
        self.subscriptions.visit_fields(&mut self.scratch, attributes, fields, |subscription| {
            subscriptions.push(subscription);
        });
        if subscriptions.is_empty() {
            return;
        }
        subscriptions.sort_unstable();
        cx.counters.delivered += 1;
        cx.out.push_back(Output::Deliver(Delivery {
            document: Arc::clone(document),
            opened: opened.flatten(),
            subscriptions,
            hops: *hops,
            via: from.map(|(_, peer)| peer),
        }));
    }

    // ---- Sealing ----

    /// To whom a document of ours is to be sealed.
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
            key: options.key.as_deref(),
            created_at: cx.now.timestamp(),
        };
        let (recipients, left_out) =
            self.directory.recipients(attributes, content, &options.audience, cx.now);
        match &options.audience {
            Audience::Peers(_) | Audience::Subscribers if recipients.is_empty() => {
                Err(PublishError::NoRecipient)
            }
            // Whoever is named is not left out in silence.
            Audience::Peers(named) if named.len() > RECIPIENTS && left_out > 0 => {
                let recipients = recipients.len() + left_out;
                Err(EnvelopeError::TooManyRecipients { recipients }.into())
            }
            Audience::Everyone | Audience::Subscribers | Audience::Peers(_) => {
                cx.counters.left_out += left_out as u64;
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
