//! The private subscriptions of others that this peer has heard of.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_document::{DocumentId, Map, Timestamp, VerifiedDocument};
use taiinet_identity::{PeerId, RECIPIENTS, Recipient, RecipientId};
use taiinet_query::{Attributes, SharedQuery};

use super::turns::{self, Matching, Queries};
use crate::{Audience, Time, budget::Budget, limits, rng::Rng};

/// A private subscription is its author's word: no other's about the same key counts.
type Name = (PeerId, RecipientId);

/// See the module.
#[derive(Debug)]
pub(crate) struct Directory {
    entries: BTreeMap<Name, Entry>,
    by_end: BTreeSet<(Time, Name)>,
    announcers: BTreeMap<PeerId, Announcer>,
    by_size: BTreeSet<(usize, PeerId)>,
    /// What all entries occupy.
    bytes: usize,
    /// How many entries have a query.
    standing: usize,
    /// Mixed into the order of turns, so that no author can choose to be first.
    seed: u64,
    /// How many announcements of all are still read.
    budget: Budget,
}

#[derive(Debug)]
struct Entry {
    said_at: Timestamp,
    ends_at: Time,
    /// None once it was withdrawn.
    standing: Option<Standing>,
    bytes: usize,
}

/// What was announced, and by which document.
#[derive(Debug)]
struct Standing {
    announcement: DocumentId,
    query: SharedQuery,
}

/// An author that has entries.
#[derive(Debug)]
struct Announcer {
    /// What they occupy.
    bytes: usize,
    /// How many more of its announcements are read.
    budget: Budget,
}

/// The recipients of a document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) recipients: BTreeSet<Recipient>,
    /// How many more there would be, had an envelope room for them.
    pub(crate) no_room: usize,
    /// How many subscriptions took too much work to be evaluated.
    pub(crate) unevaluated: usize,
    /// The work that it took to find them, in units of [`taiinet_query::Fuel`].
    pub(crate) work: u64,
}

impl Directory {
    pub(crate) fn new(seed: u64, now: Time) -> Self {
        Self {
            entries: BTreeMap::new(),
            by_end: BTreeSet::new(),
            announcers: BTreeMap::new(),
            by_size: BTreeSet::new(),
            bytes: 0,
            standing: 0,
            seed,
            budget: Budget::new(limits::DIRECTORY_ANNOUNCEMENTS, now),
        }
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.standing
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
        if document.key_name() != Some(&subscription.key())
            || self.is_old(&name, document)
            || !self.may_announce(&name.0, now)
        {
            return;
        }
        let Ok(query) = SharedQuery::parse_untrusted(&subscription.query) else { return };
        // To a key that is none nothing could be sealed, nor what goes to others beside it.
        if !subscription.recipient.is_usable() {
            return;
        }
        self.remove(&name);
        self.make_room(&name.0, rng, now);
        let bytes = limits::DIRECTORY_ENTRY_BYTES + query.heap_bytes();
        let standing = Standing { announcement: document.id(), query };
        self.insert(name, document, Some(standing), bytes, now);
    }

    /// A document was deleted: if it announced a subscription, that has ended.
    pub(crate) fn deleted(&mut self, document: &VerifiedDocument, rng: &mut Rng, now: Time) {
        let Some(recipient) = document.key_name().and_then(named_by) else { return };
        let name = (document.author(), recipient);
        if self.is_old(&name, document) {
            return;
        }
        self.remove(&name);
        self.make_room(&name.0, rng, now);
        // Remembered, for an announcement that was overtaken on its way.
        self.insert(name, document, None, limits::DIRECTORY_ENTRY_BYTES, now);
    }

    /// The recipients of a document: those of the audience whose queries it matches, and those that are named.
    pub(crate) fn recipients(
        &self,
        attributes: Attributes<'_>,
        content: &Map,
        audience: &Audience,
        now: Time,
    ) -> Chosen {
        let named: Option<BTreeSet<PeerId>> = match audience {
            Audience::Everyone => return Chosen::default(),
            Audience::Subscribers => None,
            Audience::Peers(peers) => Some(peers.iter().copied().collect()),
        };
        let place = self.place(attributes.created_at);
        let queries = self.queries(place, named.as_ref(), now);
        let Matching { mut keys, unevaluated, work } =
            turns::evaluate(queries, attributes, content);
        for peer in named.into_iter().flatten() {
            keys.entry(peer).or_insert_with(|| BTreeSet::from([Recipient::Peer(peer)]));
        }
        let (recipients, no_room) = share_out(&keys, place);
        Chosen { recipients, no_room, unevaluated, work }
    }

    /// The announcements from before `since`, for a neighbour that came later.
    pub(crate) fn announcements(&self, since: Timestamp, now: Time) -> Vec<DocumentId> {
        let early = self.entries.values();
        let early = early.filter(|entry| entry.said_at < since && entry.ends_at > now);
        early.filter_map(|entry| Some(entry.standing.as_ref()?.announcement)).collect()
    }

    /// The queries of each announcer (that is named) from a place in the order of keys on.
    fn queries(
        &self,
        place: PeerId,
        named: Option<&BTreeSet<PeerId>>,
        now: Time,
    ) -> Vec<Queries<'_>> {
        let from = (place, RecipientId::from_bytes([0; 32]));
        let mut queries: Vec<Queries<'_>> = Vec::new();
        for (&(peer, recipient), entry) in
            self.entries.range(from..).chain(self.entries.range(..from))
        {
            let Some(standing) = entry.standing.as_ref().filter(|_| entry.ends_at > now) else {
                continue;
            };
            if named.is_some_and(|named| !named.contains(&peer)) {
                continue;
            }
            let query = (recipient, &standing.query);
            match queries.last_mut() {
                Some((last, own)) if *last == peer => own.push_back(query),
                _ => queries.push((peer, [query].into())),
            }
        }
        queries
    }

    /// A place in the order of keys that is another for each document.
    fn place(&self, created_at: Timestamp) -> PeerId {
        let mut place = [0; PeerId::LEN];
        let scattered = (created_at.as_millis() ^ self.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        place[..8].copy_from_slice(&scattered.to_be_bytes());
        PeerId::from_bytes(place)
    }

    fn is_old(&self, name: &Name, document: &VerifiedDocument) -> bool {
        self.entries.get(name).is_some_and(|entry| entry.said_at >= document.created_at)
    }

    /// Whether an announcement is read: that takes a key exchange, and compiling a query.
    fn may_announce(&mut self, author: &PeerId, now: Time) -> bool {
        self.forget_announcers(now);
        if !self.announcers.contains_key(author) {
            // Counted from the first on, also if none of them is understood.
            if !self.budget.has(1, now) {
                return false;
            }
            let budget = Budget::new(limits::ANNOUNCER_ANNOUNCEMENTS, now);
            self.announcers.insert(*author, Announcer { bytes: 0, budget });
            self.by_size.insert((0, *author));
        }
        let own = self.announcers.get_mut(author);
        own.is_some_and(|announcer| announcer.budget.take(1, now)) && self.budget.take(1, now)
    }

    fn insert(
        &mut self,
        name: Name,
        document: &VerifiedDocument,
        standing: Option<Standing>,
        bytes: usize,
        now: Time,
    ) {
        let said_at = document.created_at;
        let latest = Time::from(said_at).after(limits::ANNOUNCED_FOR);
        let ends_at = document.expires_at.map_or(latest, |end| latest.min(end.into()));
        self.by_end.insert((ends_at, name));
        self.standing += usize::from(standing.is_some());
        self.bytes += bytes;
        let budget = || Budget::new(limits::ANNOUNCER_ANNOUNCEMENTS, now);
        let announcer = self.announcers.entry(name.0);
        let announcer = announcer.or_insert_with(|| Announcer { bytes: 0, budget: budget() });
        self.by_size.remove(&(announcer.bytes, name.0));
        announcer.bytes += bytes;
        self.by_size.insert((announcer.bytes, name.0));
        self.entries.insert(name, Entry { said_at, ends_at, standing, bytes });
    }

    fn remove(&mut self, name: &Name) {
        let Some(entry) = self.entries.remove(name) else { return };
        self.by_end.remove(&(entry.ends_at, *name));
        self.standing -= usize::from(entry.standing.is_some());
        self.bytes -= entry.bytes;
        if let Some(announcer) = self.announcers.get_mut(&name.0) {
            self.by_size.remove(&(announcer.bytes, name.0));
            announcer.bytes -= entry.bytes;
            // An author that has nothing left is remembered until it would be forgiven anyway.
            self.by_size.insert((announcer.bytes, name.0));
        }
    }

    /// Drops what is over. An author with too many loses one of its own. When there are too many in all,
    /// the author that occupies most loses one, if that is more than a fair share; otherwise any may go.
    fn make_room(&mut self, author: &PeerId, rng: &mut Rng, now: Time) {
        while let Some((ends_at, name)) = self.by_end.first().copied()
            && ends_at <= now
        {
            self.remove(&name);
        }
        self.forget_announcers(now);
        let names = self.names_of(author);
        if names.len() >= limits::PRIVATE_SUBSCRIPTIONS
            && let Some(name) = rng.choose(&names)
        {
            self.remove(name);
        }
        while self.entries.len() >= limits::DIRECTORY_ENTRIES
            || self.bytes >= limits::DIRECTORY_BYTES
        {
            let largest = self.by_size.last().filter(|(bytes, _)| *bytes > limits::DIRECTORY_SHARE);
            let name = match largest.map(|(_, announcer)| self.names_of(announcer)) {
                Some(names) => rng.choose(&names).copied(),
                None => self.entries.keys().nth(rng.below(self.entries.len())).copied(),
            };
            let Some(name) = name else { return };
            self.remove(&name);
        }
    }

    /// Forgets those that have nothing here, and would be treated in the same way if they came again.
    fn forget_announcers(&mut self, now: Time) {
        while let Some((0, peer)) = self.by_size.first().copied() {
            let forgiven = self.announcers.get(&peer).is_none_or(|own| own.budget.is_full(now));
            if !forgiven && self.announcers.len() <= limits::DIRECTORY_ENTRIES {
                return;
            }
            self.by_size.pop_first();
            self.announcers.remove(&peer);
        }
    }

    fn names_of(&self, author: &PeerId) -> Vec<Name> {
        let (least, most) = (RecipientId::from_bytes([0; 32]), RecipientId::from_bytes([0xff; 32]));
        self.entries.range((*author, least)..=(*author, most)).map(|(name, _)| *name).collect()
    }
}

/// Chooses as many as an envelope has room for, in turns: one of each peer, then another of each that
/// has more. A peer that has many takes nothing from others. Where not even each has one, the peers that follow
/// a place in the order of keys are chosen.
fn share_out(
    keys: &BTreeMap<PeerId, BTreeSet<Recipient>>,
    place: PeerId,
) -> (BTreeSet<Recipient>, usize) {
    let all: BTreeSet<Recipient> = keys.values().flatten().copied().collect();
    if all.len() <= RECIPIENTS {
        return (all, 0);
    }
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
