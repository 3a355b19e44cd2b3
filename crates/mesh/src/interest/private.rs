//! Private subscriptions: our own with their keys, and those of others that could be written to.
//!
//! A private subscription is announced to the network by a signed document that names its query and
//! its key ([`taiinet_document::Subscription`]). It expires after [`limits::ANNOUNCED_FOR`] and is
//! announced again before; a deletion ends it. Each peer keeps what it hears, so that it can seal what
//! it publishes to whoever wants it.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use taiinet_document::{DocumentId, Map, Timestamp, VerifiedDocument};
use taiinet_identity::{
    Identity, OpeningKey, PeerId, RECIPIENTS, Recipient, RecipientId, RecipientKey,
};
use taiinet_query::{Attributes, Index, Query, Scratch};

use crate::{Audience, SubscriptionId, Time, limits, rng::Rng};

/// Our own private subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Own(BTreeMap<SubscriptionId, Announced>);

#[derive(Debug)]
struct Announced {
    key: RecipientKey,
    query: String,
    /// When it was announced last.
    said_at: Time,
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
        query: &Query,
        rng: &mut Rng,
        now: Time,
    ) {
        let key = RecipientKey::generate(rng.crypto());
        let query = query.to_string();
        let announced = Announced { key, query, said_at: now, again_at: now };
        self.0.insert(subscription, announced);
    }

    /// Wipes the key of a subscription, if it has one; gives what is to be withdrawn, and when that may
    /// be said: later than it was announced, or it would not count.
    pub(crate) fn end(
        &mut self,
        subscription: SubscriptionId,
    ) -> Option<(taiinet_document::Subscription, Time)> {
        let Announced { key, query, said_at, .. } = self.0.remove(&subscription)?;
        let ended = taiinet_document::Subscription { query, recipient: key.id() };
        Some((ended, said_at.after(Duration::from_millis(1))))
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
        announced.said_at = now;
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

    /// All keys that something could be sealed to.
    pub(crate) fn keys<'a>(
        &'a self,
        identity: &'a Identity,
    ) -> impl Iterator<Item = OpeningKey<'a>> {
        let own = self.0.values().map(|announced| OpeningKey::Subscription(&announced.key));
        own.chain([OpeningKey::Identity(identity)])
    }
}

/// A private subscription is its author's word: nobody else's about the same key counts.
type Name = (PeerId, RecipientId);

/// The private subscriptions that this peer has heard of.
#[derive(Debug)]
pub(crate) struct Directory {
    entries: BTreeMap<Name, Entry>,
    by_end: BTreeSet<(Time, Name)>,
    index: Index<Name>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    said_at: Timestamp,
    ends_at: Time,
    /// What said so; none once it was withdrawn.
    announcement: Option<DocumentId>,
    bytes: usize,
}

impl Directory {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            entries: BTreeMap::new(),
            by_end: BTreeSet::new(),
            index: Index::with_seed(seed),
            bytes: 0,
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Hears of a subscription. One whose query this version does not understand is not kept, but no
    /// offence either: newer ones may.
    pub(crate) fn announced(
        &mut self,
        document: &VerifiedDocument,
        subscription: &taiinet_document::Subscription,
        rng: &mut Rng,
        now: Time,
    ) {
        let name = (document.author(), subscription.recipient);
        if document.key.as_deref() != Some(&subscription.key()) || self.is_old(&name, document) {
            return;
        }
        let Ok(query) = Query::of_stranger(&subscription.query) else { return };
        // To a key that is none nothing could be sealed, nor what goes to others beside it.
        if !subscription.recipient.is_usable() {
            return;
        }
        self.remove(&name);
        self.make_room(&name.0, rng, now);
        let bytes = limits::DIRECTORY_ENTRY_BYTES + subscription.query.len();
        self.insert(name, document, Some(document.id()), bytes);
        self.index.insert(name, query);
    }

    /// A document was deleted: if it announced a subscription, that has ended.
    pub(crate) fn deleted(&mut self, document: &VerifiedDocument, rng: &mut Rng, now: Time) {
        let Some(recipient) = document.key.as_deref().and_then(named_by) else { return };
        let name = (document.author(), recipient);
        if self.is_old(&name, document) {
            return;
        }
        self.remove(&name);
        self.make_room(&name.0, rng, now);
        // Remembered, for an announcement that was overtaken on its way.
        self.insert(name, document, None, limits::DIRECTORY_ENTRY_BYTES);
    }

    /// Who may read a document: those of the audience whose queries it matches, and who else is named;
    /// and how many more there would be, had it room for them.
    pub(crate) fn recipients(
        &self,
        attributes: Attributes<'_>,
        content: &Map,
        audience: &Audience,
        now: Time,
    ) -> (BTreeSet<Recipient>, usize) {
        let named: Option<BTreeSet<PeerId>> = match audience {
            Audience::Everyone => return (BTreeSet::new(), 0),
            Audience::Subscribers => None,
            Audience::Peers(peers) => Some(peers.iter().copied().collect()),
        };
        let mut found = Vec::new();
        self.index.visit_fields(&mut Scratch::default(), attributes, content, |name| {
            found.push(name);
        });
        found.retain(|name| {
            let lives = self.entries.get(name).is_some_and(|entry| entry.ends_at > now);
            lives && named.as_ref().is_none_or(|named| named.contains(&name.0))
        });
        let mut others = named.unwrap_or_default();
        let mut keys: BTreeMap<PeerId, BTreeSet<Recipient>> = BTreeMap::new();
        for (peer, recipient) in found {
            others.remove(&peer);
            keys.entry(peer).or_default().insert(Recipient::Subscription(recipient));
        }
        keys.extend(others.into_iter().map(|peer| (peer, BTreeSet::from([Recipient::Peer(peer)]))));
        share_out(&keys, attributes.created_at)
    }

    /// The announcements from before `since`, for a neighbour that came later.
    pub(crate) fn announcements(&self, since: Timestamp, now: Time) -> Vec<DocumentId> {
        let standing = |entry: &&Entry| entry.said_at < since && entry.ends_at > now;
        self.entries.values().filter(standing).filter_map(|entry| entry.announcement).collect()
    }

    fn is_old(&self, name: &Name, document: &VerifiedDocument) -> bool {
        self.entries.get(name).is_some_and(|entry| entry.said_at >= document.created_at)
    }

    fn insert(
        &mut self,
        name: Name,
        document: &VerifiedDocument,
        announcement: Option<DocumentId>,
        bytes: usize,
    ) {
        let said_at = document.created_at;
        let latest = Time::from(said_at).after(limits::ANNOUNCED_FOR);
        let ends_at = document.expires_at.map_or(latest, |end| latest.min(end.into()));
        self.by_end.insert((ends_at, name));
        self.bytes += bytes;
        self.entries.insert(name, Entry { said_at, ends_at, announcement, bytes });
    }

    fn remove(&mut self, name: &Name) {
        if let Some(entry) = self.entries.remove(name) {
            self.by_end.remove(&(entry.ends_at, *name));
            self.index.remove(name);
            self.bytes -= entry.bytes;
        }
    }

    /// Drops what is over. An author with too many loses one of its own; when there are too many in
    /// all, any may go: who announces much displaces most of its own.
    fn make_room(&mut self, author: &PeerId, rng: &mut Rng, now: Time) {
        while let Some((ends_at, name)) = self.by_end.first().copied()
            && ends_at <= now
        {
            self.remove(&name);
        }
        let (least, most) = (RecipientId::from_bytes([0; 32]), RecipientId::from_bytes([0xff; 32]));
        let of_author = self.entries.range((*author, least)..=(*author, most));
        let names: Vec<Name> = of_author.map(|(name, _)| *name).collect();
        if names.len() >= limits::PRIVATE_SUBSCRIPTIONS
            && let Some(name) = rng.choose(&names)
        {
            self.remove(name);
        }
        while self.entries.len() >= limits::DIRECTORY_ENTRIES
            || self.bytes >= limits::DIRECTORY_BYTES
        {
            let Some(name) = self.entries.keys().nth(rng.below(self.entries.len())).copied() else {
                return;
            };
            self.remove(&name);
        }
    }
}

/// Chooses as many as an envelope has room for, in turns: one of each peer, then another of each that
/// has more. Who has many takes nothing from others. Where not even each has one, the peers that follow
/// a place in the order of keys are chosen, which is another for each document.
fn share_out(
    keys: &BTreeMap<PeerId, BTreeSet<Recipient>>,
    created_at: Timestamp,
) -> (BTreeSet<Recipient>, usize) {
    let all: BTreeSet<Recipient> = keys.values().flatten().copied().collect();
    if all.len() <= RECIPIENTS {
        return (all, 0);
    }
    let mut place = [0; PeerId::LEN];
    let scattered = created_at.as_millis().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    place[..8].copy_from_slice(&scattered.to_be_bytes());
    let place = PeerId::from_bytes(place);
    let in_order = keys.range(place..).chain(keys.range(..place));
    let mut waiting: Vec<_> = in_order.map(|(_, theirs)| theirs.iter()).collect();
    let mut chosen = BTreeSet::new();
    while !waiting.is_empty() && chosen.len() < RECIPIENTS {
        waiting.retain_mut(|theirs| {
            let next = theirs.next().filter(|_| chosen.len() < RECIPIENTS);
            next.is_some_and(|recipient| {
                chosen.insert(*recipient);
                true
            })
        });
    }
    let left_out = all.len() - chosen.len();
    (chosen, left_out)
}

/// The recipient in the `key` of a subscription's documents.
fn named_by(key: &str) -> Option<RecipientId> {
    let hex = key.strip_prefix("subscription ")?.as_bytes();
    let (pairs, []) = hex.as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok();
    let bytes: Vec<u8> = pairs.iter().map(byte).collect::<Option<_>>()?;
    Some(RecipientId::from_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests;
