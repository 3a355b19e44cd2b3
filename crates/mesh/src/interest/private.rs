//! Private subscriptions: our own with their keys, and those of others that could be written to.
//!
//! A private subscription is announced to the network by a signed document that names its query and
//! its key ([`taiinet_document::Subscription`]). It expires after [`limits::ANNOUNCED_FOR`] and is
//! announced again before; a deletion ends it. Each peer keeps what it hears, so that it can seal what
//! it publishes to the peers that want it.

mod directory;
mod openings;
mod turns;

use std::collections::BTreeMap;

use taiinet_identity::{Identity, OpeningKey, Recipient, RecipientId, RecipientKey};
use taiinet_query::SharedQuery;

use crate::{SubscriptionId, Time, limits, rng::Rng};

pub(crate) use directory::{Chosen, Directory};
pub(crate) use openings::{Came, Openings, Unopened};

/// Our own private subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Own(BTreeMap<SubscriptionId, Announced>);

#[derive(Debug)]
struct Announced {
    key: RecipientKey,
    query: String,
    again_at: Time,
}

impl Own {
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= limits::PRIVATE_SUBSCRIPTIONS
    }

    /// Makes a key for a subscription; it is to be announced at once.
    pub(crate) fn begin(
        &mut self,
        subscription: SubscriptionId,
        query: &SharedQuery,
        rng: &mut Rng,
        now: Time,
    ) {
        let key = RecipientKey::generate(rng.crypto());
        let query = query.to_string();
        self.0.insert(subscription, Announced { key, query, again_at: now });
    }

    /// Wipes the key of a subscription, if it has one; gives what is to be withdrawn.
    pub(crate) fn end(
        &mut self,
        subscription: SubscriptionId,
    ) -> Option<taiinet_document::Subscription> {
        let Announced { key, query, .. } = self.0.remove(&subscription)?;
        Some(taiinet_document::Subscription { query, recipient: key.id() })
    }

    pub(crate) fn subscriptions(&self) -> Vec<SubscriptionId> {
        self.0.keys().copied().collect()
    }

    /// What is to be announced now; the next time is far enough before its end that a late timer
    /// does no harm.
    pub(crate) fn due(
        &mut self,
        rng: &mut Rng,
        now: Time,
    ) -> Option<taiinet_document::Subscription> {
        let announced = self.0.values_mut().find(|announced| announced.again_at <= now)?;
        announced.again_at = now.after(rng.jitter(limits::ANNOUNCE_AGAIN));
        let (query, recipient) = (announced.query.clone(), announced.key.id());
        Some(taiinet_document::Subscription { query, recipient })
    }

    /// It could not be announced.
    pub(crate) fn put_off(&mut self, recipient: RecipientId, until: Time) {
        for announced in self.0.values_mut().filter(|announced| announced.key.id() == recipient) {
            announced.again_at = until;
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.0.values().map(|announced| announced.again_at).min()
    }

    /// How many keys something could be sealed to, our own included.
    pub(crate) fn key_count(&self) -> usize {
        self.0.len() + 1
    }

    /// All keys that something could be sealed to, the likely one first.
    pub(crate) fn keys<'a>(
        &'a self,
        identity: &'a Identity,
        likely: Option<Recipient>,
    ) -> impl Iterator<Item = OpeningKey<'a>> {
        let all = move || {
            let own = self.0.values().map(|announced| OpeningKey::Subscription(&announced.key));
            own.chain([OpeningKey::Identity(identity)])
        };
        let is_likely = move |key: &OpeningKey<'_>| Some(key.recipient()) == likely;
        all().filter(is_likely).chain(all().filter(move |key| !is_likely(key)))
    }
}
