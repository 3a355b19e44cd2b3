//! Private subscriptions and sealed documents through the front door.

use std::{collections::BTreeSet, sync::Arc};

use taiinet_document::{Content, Map, Opened, Sealed, VerifiedDocument};
use taiinet_identity::{EnvelopeError, RECIPIENTS, Recipient};
use taiinet_query::{Attributes, Query};

use super::Peer;
use crate::{
    Audience, PublishError, PublishOptions, SubscriptionId, Time, TooManySubscriptions, limits,
};

impl Peer {
    pub(super) fn begin_private(
        &mut self,
        query: Query,
        now: Time,
    ) -> Result<SubscriptionId, TooManySubscriptions> {
        if self.private.is_full() {
            return Err(TooManySubscriptions);
        }
        let subscription = self.subscribe(query.clone())?;
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
        let (recipients, left_out) =
            self.directory.recipients(attributes, content, &options.audience, now);
        match &options.audience {
            Audience::Peers(_) | Audience::Subscribers if recipients.is_empty() => {
                Err(PublishError::NoRecipient)
            }
            // Whoever is named is not left out in silence.
            Audience::Peers(named) if named.len() > RECIPIENTS && left_out > 0 => {
                let recipients = recipients.len() + left_out;
                Err(EnvelopeError::TooManyRecipients { recipients }.into())
            }
            _ => {
                self.counters.left_out += left_out as u64;
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

    /// What a sealed document says to us; `None` if nothing.
    pub(super) fn open(&self, document: &VerifiedDocument) -> Option<Arc<Opened>> {
        document.open(self.private.keys(&self.identity)).ok().map(Arc::new)
    }
}
