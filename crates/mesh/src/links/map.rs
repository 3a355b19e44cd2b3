//! The links of a peer, by name.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_identity::{PeerId, Signed, Verified};

use super::{link::Link, promptness::Promptness, work::Spent};
use crate::{LinkId, Time, wire::Presence};

/// All links to other peers, and the names of those to signallers.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Each in a box: the nodes of a tree have room for many that are not there.
    links: BTreeMap<LinkId, Box<Link>>,
    last: u64,
    /// Links that may have something to send.
    dirty: BTreeSet<LinkId>,
    spent: Spent,
    /// Which peers answer our searches.
    pub(crate) promptness: Promptness,
    /// Whether the application is behind: meanwhile nothing is acknowledged.
    pub(crate) behind: bool,
}

impl Links {
    /// A name for a new link.
    pub(crate) const fn new_id(&mut self) -> LinkId {
        self.last += 1;
        LinkId::from_raw(self.last)
    }

    /// A link that is being opened; `session` names the negotiation, if there is one.
    pub(crate) fn open(
        &mut self,
        peer: PeerId,
        incoming: bool,
        session: u64,
        now: Time,
    ) -> &mut Link {
        let link = self.new_id();
        let new = || Box::new(Link::new(link, peer, incoming, session, now));
        self.links.entry(link).or_insert_with(new)
    }

    pub(crate) fn get(&self, link: LinkId) -> Option<&Link> {
        self.links.get(&link).map(Box::as_ref)
    }

    pub(crate) fn get_mut(&mut self, link: LinkId) -> Option<&mut Link> {
        self.links.get_mut(&link).map(Box::as_mut)
    }

    pub(super) fn remove(&mut self, link: LinkId, now: Time) -> Option<Link> {
        self.dirty.remove(&link);
        let state = self.links.remove(&link)?;
        if state.is_proven() {
            self.spent.keep(state.peer, &state.work, now);
        }
        Some(*state)
    }

    /// Has the peer of a link pay what it owes of those before. Whether it may make any work now.
    pub(super) fn settle(&mut self, link: LinkId, now: Time) -> bool {
        let Some(state) = self.links.get_mut(&link) else { return false };
        self.spent.settle(&state.peer, &mut state.work, now)
    }

    /// All of them, by age.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.links.values().map(Box::as_ref)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        self.links.values_mut().map(Box::as_mut)
    }

    /// The neighbours.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Link> {
        self.iter().filter(|link| link.is_active())
    }

    /// The names of those that are so.
    pub(crate) fn named(&self, which: impl Fn(&Link) -> bool) -> Vec<LinkId> {
        self.iter().filter(|link| which(link)).map(|link| link.id).collect()
    }

    /// The first that is so.
    pub(crate) fn find(&self, which: impl Fn(&Link) -> bool) -> Option<LinkId> {
        self.iter().find(|link| which(link)).map(|link| link.id)
    }

    /// The neighbours to ask for a search, and whether something is left out: a neighbour that rests is asked only if no
    /// other of its kind is there, and it may be the only one that keeps what it keeps.
    pub(crate) fn to_ask(&self, now: Time) -> (Vec<LinkId>, bool) {
        let mut links: Vec<&Link> = self.active().filter(|link| !link.dozing).collect();
        if links.is_empty() {
            // A neighbour that dozes is asked if there is no other.
            links.extend(self.active());
        }
        let (mut asked, mut left_out) = (Vec::new(), false);
        for link in &links {
            let prompt = |other: &&&Link| !self.promptness.rests(&other.peer, now);
            let is_like = |other: &&Link| other.is_archive == link.is_archive;
            if prompt(&link) || !links.iter().filter(prompt).any(is_like) {
                asked.push(link.id);
            } else if let Some(kept) = link.keeps() {
                let covers = |other: &&Link| other.keeps().is_some_and(|other| other.covers(kept));
                left_out |= !links.iter().filter(prompt).any(covers);
            }
        }
        (asked, left_out)
    }

    /// Whether there is a link to this peer, however far it is, that serves; one in whose place a direct one is
    /// wanted, and one that is doubted, does not count.
    pub(crate) fn leads_to(&self, peer: &PeerId) -> bool {
        self.iter().any(|link| link.peer == *peer && !link.extra && !link.is_doubted())
    }

    /// Charges a link for work that is done for it.
    pub(crate) fn spend(&mut self, link: LinkId, units: u64, now: Time) {
        if let Some(state) = self.links.get_mut(&link) {
            state.work.spend(units, now);
        }
    }

    /// What a link was charged for turned out to cost it nothing.
    pub(crate) fn refund(&mut self, link: LinkId, units: u64, now: Time) {
        if let Some(state) = self.links.get_mut(&link) {
            state.work.refund(units, now);
        }
    }

    /// The peer at the other end, as far as we know.
    pub(crate) fn peer(&self, link: LinkId) -> Option<PeerId> {
        self.get(link).map(|link| link.peer)
    }

    /// This one may have something to send.
    pub(crate) fn touch(&mut self, link: LinkId) {
        if self.links.contains_key(&link) {
            self.dirty.insert(link);
        }
    }

    /// The next that may have something to send.
    pub(crate) fn next_dirty(&mut self) -> Option<LinkId> {
        self.dirty.pop_first()
    }

    /// The presences of our neighbours but one.
    pub(crate) fn presences(&self, but: &PeerId, now: Time) -> Vec<Signed<Presence>> {
        let mut presences: Vec<_> = self
            .active()
            .filter(|link| link.peer != *but)
            .filter_map(|link| link.presence.as_ref())
            .filter(|presence| presence.is_worth_telling(now))
            .collect();
        // Archives first: they are few, and asked for by all.
        presences.sort_by_key(|presence| presence.archive.is_none());
        presences.into_iter().map(|presence| presence.signed().clone()).collect()
    }

    /// What a neighbour tells of itself, if it is news.
    pub(crate) fn tells(&mut self, presence: &Verified<Presence>) {
        let peer = presence.signer();
        for link in self.iter_mut().filter(|link| link.peer == peer && link.is_active()) {
            if link.presence.as_ref().is_some_and(|known| known.issued_at < presence.issued_at) {
                link.presence = Some(presence.clone());
            }
        }
    }

    /// When one of them is to be looked at again.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let acknowledgements =
            self.iter().filter(|_| !self.behind).filter_map(|link| link.inbound.deadline());
        let waiting = self.iter().filter_map(|link| link.work.deadline());
        self.iter().map(Link::deadline).chain(acknowledgements).chain(waiting).min()
    }
}
