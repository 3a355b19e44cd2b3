//! Private subscriptions and sealed documents through the front door.

use std::{collections::BTreeSet, sync::Arc};

use taiinet_document::{Content, Map, Opened, Sealed, VerifiedDocument};
use taiinet_identity::{EnvelopeError, RECIPIENTS, Recipient};
use taiinet_query::{Attributes, SharedQuery};

use super::Peer;
use crate::{
    Audience, PublishError, PublishOptions, SubscriptionId, Time, TooManySubscriptions, limits,
    private::{Chosen, Unopened},
};

impl Peer {
    pub(super) fn begin_private(
        &mut self,
        query: SharedQuery,
        now: Time,
    ) -> Result<SubscriptionId, TooManySubscriptions> {
        if self.private.is_full() {
            return Err(TooManySubscriptions);
        }
        let subscription = self.subscribe(query.clone().into_query())?;
        self.private.begin(subscription, &query, &mut self.rng, now);
        self.announce_subscriptions(now);
        self.hurry(now);
        Ok(subscription)
    }

    /// The key is gone from here on; others are told that it is of no use any more.
    pub(super) fn end_private(&mut self, subscription: SubscriptionId, now: Time) {
        if let Some((ended, not_before)) = self.private.end(subscription) {
            let options = PublishOptions { key: Some(ended.key()), ..PublishOptions::default() };
            // If there is no room to say so, it expires.
            let _ = self.publish_document(Content::Deleted, options, now.max(not_before));
            self.hurry(now);
        }
    }

    /// Ends all that are private, because we leave; what that says goes out before the goodbye.
    pub(super) fn end_all_private(&mut self, now: Time) {
        self.broadcast.leave();
        for subscription in self.private.subscriptions() {
            self.end_private(subscription, now);
        }
        self.transmit(now);
    }

    /// Announces those of our subscriptions that are due.
    pub(super) fn announce_subscriptions(&mut self, now: Time) {
        while let Some(subscription) = self.private.due(&mut self.rng, now) {
            let recipient = subscription.recipient;
            let options = PublishOptions {
                key: Some(subscription.key()),
                expires_at: Some(now.after(limits::ANNOUNCED_FOR).timestamp()),
                ..PublishOptions::default()
            };
            let content = Content::Subscription(subscription);
            if self.publish_document(content, options, now).is_err() {
                self.private.put_off(recipient, now.after(limits::ANNOUNCE_RETRY));
            }
        }
    }

    /// To whom a document of ours is to be sealed.
    pub(super) fn choose_recipients(
        &mut self,
        content: &Map,
        options: &PublishOptions,
        now: Time,
    ) -> Result<BTreeSet<Recipient>, PublishError> {
        let attributes = Attributes {
            id: None,
            author: self.identity.peer_id(),
            key: options.key.as_deref(),
            created_at: now.timestamp(),
        };
        let Chosen { recipients, no_room, unevaluated } =
            self.directory.recipients(attributes, content, &options.audience, now);
        self.counters.left_out += unevaluated as u64;
        match &options.audience {
            Audience::Peers(_) | Audience::Subscribers if recipients.is_empty() => {
                Err(PublishError::NoRecipient)
            }
            // Whoever is named is not left out in silence.
            Audience::Peers(named) if named.len() > RECIPIENTS && no_room > 0 => {
                let recipients = recipients.len() + no_room;
                Err(EnvelopeError::TooManyRecipients { recipients }.into())
            }
            _ => {
                self.counters.left_out += no_room as u64;
                Ok(recipients)
            }
        }
    }

    /// Seals what is not for everyone.
    pub(super) fn seal(
        &mut self,
        content: Content,
        options: &PublishOptions,
        now: Time,
    ) -> Result<Content, PublishError> {
        match content {
            Content::Open(content) if options.audience != Audience::Everyone => {
                let recipients = self.choose_recipients(&content, options, now)?;
                Ok(Content::Sealed(Sealed::seal(
                    content,
                    &options.public,
                    &Vec::from_iter(recipients),
                    self.identity.peer_id(),
                    &self.config.network,
                    self.rng.crypto(),
                )?))
            }
            content => Ok(content),
        }
    }

    /// Takes note of what a document says about private subscriptions.
    pub(super) fn note_subscription(&mut self, document: &VerifiedDocument, now: Time) {
        match document.content() {
            Content::Subscription(subscription) => {
                self.directory.announced(document, subscription, &mut self.rng, now);
            }
            Content::Deleted => self.directory.deleted(document, &mut self.rng, now),
            Content::Open(_) | Content::Sealed(_) => {}
        }
    }

    /// Opens a sealed document and delivers it, at once or when its turn comes.
    pub(super) fn deliver_sealed(&mut self, unopened: Unopened, now: Time) {
        self.counters.unopened += self.openings.push(unopened, now);
        self.open_waiting(now);
    }

    /// Opens those that may be opened now, and delivers what is for us.
    pub(super) fn open_waiting(&mut self, now: Time) {
        let keys = self.private.key_count();
        while let Some((unopened, likely)) = self.openings.next(keys, now) {
            let Unopened { document, hops, from } = unopened;
            // What is sealed to others is passed on, and no more.
            if let Some(opened) = self.open(&document, likely) {
                self.openings.opened(&document.author(), opened.recipient, keys, now);
                self.deliver_fields(&document, Some(opened), hops, from);
            }
        }
    }

    /// What a sealed document says to us; `None` if nothing. Takes a key exchange for each of our keys
    /// up to the one that it is for.
    pub(super) fn open(
        &self,
        document: &VerifiedDocument,
        likely: Option<Recipient>,
    ) -> Option<Arc<Opened>> {
        document.open(self.private.keys(&self.identity, likely)).ok().map(Arc::new)
    }
}
