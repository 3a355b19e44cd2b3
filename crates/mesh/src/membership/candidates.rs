//! The passive view: peers that a link could be made to, and how each could be reached.
//!
//! After HyParView (Leitão, Pereira, Rodrigues: "HyParView: a membership protocol for reliable
//! gossip-based broadcast", DSN 2007): a small active view of links, and a larger passive view from
//! which lost links are replaced, kept fresh by shuffles. Only presences that their peers signed
//! enter it.

use core::time::Duration;
use std::collections::BTreeMap;

use taiinet_document::Network;
use taiinet_identity::{PeerId, Signed, Verified};

use super::{crowd::Crowd, source::Source};
use crate::{
    Disconnect, LinkId, Misbehaviour, Time, limits,
    rng::{Backoff, Rng},
    wire::{Presence, RefusalReason},
};

#[derive(Debug)]
struct Candidate {
    presence: Verified<Presence>,
    /// The links over which we heard of it: the peer that told us can introduce us.
    heard_from: Vec<LinkId>,
    /// The sources that told us of it, for as long as the presence counts.
    sources: Vec<Source>,
    redial: Backoff,
    not_before: Time,
    failure: Option<Disconnect>,
    /// Why it could not reach us, which is told and counts for nothing else.
    note: Option<Disconnect>,
}

impl Candidate {
    fn told_by(&mut self, link: LinkId, source: Source) {
        remember(&mut self.heard_from, link);
        remember(&mut self.sources, source);
    }

    fn has_address(&self) -> bool {
        self.presence.reachable_at().is_some()
    }

    fn is_archive(&self) -> bool {
        self.presence.archive.is_some()
    }
}

/// The passive view.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// Each in a box: the nodes of a tree have room for many that are not there.
    known: BTreeMap<PeerId, Box<Candidate>>,
    /// Notes on peers that dialled before anything was heard of them, the newest last.
    strangers: Vec<(PeerId, Disconnect)>,
}

impl Candidates {
    /// Hears of a peer over a link. True if it was not known. `verifies` is told before a signature is
    /// verified.
    ///
    /// # Errors
    /// The [`Misbehaviour`] of the peer that told us.
    pub(crate) fn learn(
        &mut self,
        presence: Signed<Presence>,
        (from, source): (LinkId, Source),
        network: &Network,
        verifies: impl FnOnce(),
        rng: &mut Rng,
        now: Time,
    ) -> Result<bool, Misbehaviour> {
        let body = Presence::peek(&presence)?;
        if body.network != *network {
            return Err(Misbehaviour::WrongNetwork);
        }
        if !body.is_in_time(now) {
            return Err(Misbehaviour::OutOfTime);
        }
        let peer = presence.signer();
        if let Some(known) = self.known.get_mut(&peer)
            && known.presence.issued_at >= body.issued_at
        {
            // Not newer: no need to verify it in order to know that its bearer knows the peer.
            if *known.presence.signed() == presence {
                known.told_by(from, source);
            }
            return Ok(false);
        }
        verifies();
        let presence = presence.verify().map_err(|_| Misbehaviour::InvalidSignature)?;
        if let Some(known) = self.known.get_mut(&peer) {
            known.presence = presence;
            known.told_by(from, source);
            return Ok(false);
        }
        self.make_room(source, rng, now);
        let candidate = Candidate {
            presence,
            heard_from: vec![from],
            sources: vec![source],
            redial: Backoff::new(limits::REDIAL_BACKOFF),
            not_before: now,
            failure: None,
            note: self.note_on_stranger(&peer),
        };
        self.known.insert(peer, Box::new(candidate));
        Ok(true)
    }

    /// When full, the expired go first, then those that failed, then one at random. A source that told
    /// of many that no other knows of displaces one of these.
    fn make_room(&mut self, source: Source, rng: &mut Rng, now: Time) {
        let only_theirs = |known: &Candidate| known.sources == [source];
        let theirs = self.known.iter().filter(|(_, known)| only_theirs(known));
        let theirs: Vec<PeerId> = theirs.map(|(peer, _)| *peer).collect();
        if theirs.len() >= limits::PASSIVE_SHARE {
            if let Some(victim) = rng.choose(&theirs) {
                self.known.remove(victim);
            }
            return;
        }
        if self.known.len() < limits::PASSIVE_VIEW {
            return;
        }
        self.expire(now);
        if self.known.len() < limits::PASSIVE_VIEW {
            return;
        }
        let failed = self.known.iter().find(|(_, known)| known.failure.is_some());
        let victim = match failed {
            Some((peer, _)) => Some(*peer),
            None => {
                // Archives are few, and asked for by all.
                let archives = self.known.values().filter(|known| known.is_archive()).count();
                let may_go =
                    |known: &Candidate| archives > limits::ARCHIVES_KNOWN || !known.is_archive();
                let victims = self.known.iter().filter(|(_, known)| may_go(known));
                let victims: Vec<PeerId> = victims.map(|(peer, _)| *peer).collect();
                rng.choose(&victims).copied()
            }
        };
        if let Some(victim) = victim {
            self.known.remove(&victim);
        }
    }

    fn expire(&mut self, now: Time) {
        self.known.retain(|_, known| known.presence.is_in_time(now));
    }

    pub(crate) fn crowd(&self) -> Crowd {
        let mut crowd = Crowd::default();
        self.known.values().for_each(|known| crowd.count(&known.presence));
        crowd
    }

    pub(crate) fn knows(&self, peer: &PeerId) -> bool {
        self.known.contains_key(peer)
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// The peer's presence, and the links over which it was heard of.
    pub(crate) fn get(&self, peer: &PeerId) -> Option<(&Verified<Presence>, &[LinkId])> {
        let known = self.known.get(peer)?;
        Some((&known.presence, &known.heard_from))
    }

    /// A candidate that may be dialled now and is not `taken`, at random, of `which` its presence tells; `by_address`:
    /// one that has an address that can be dialled.
    pub(crate) fn pick(
        &mut self,
        taken: impl Fn(&PeerId) -> bool,
        by_address: bool,
        which: impl Fn(&Presence) -> bool,
        rng: &mut Rng,
        now: Time,
    ) -> Option<PeerId> {
        self.expire(now);
        let ready: Vec<PeerId> = self
            .known
            .iter()
            .filter(|(peer, known)| known.not_before <= now && !taken(peer))
            .filter(|(_, known)| (!by_address || known.has_address()) && which(&known.presence))
            .map(|(peer, _)| *peer)
            .collect();
        rng.choose(&ready).copied()
    }

    /// When the next candidate that rests and that [`Self::pick`] could then choose may be dialled. One
    /// that it never chooses must not count: the peer would want to be called again at once, for ever.
    pub(crate) fn deadline(
        &self,
        taken: impl Fn(&PeerId) -> bool,
        by_address: bool,
    ) -> Option<Time> {
        self.known
            .iter()
            .filter(|(peer, known)| !taken(peer) && (!by_address || known.has_address()))
            .map(|(_, known)| known.not_before)
            .min()
    }

    /// A link to it failed: the candidate rests, longer each time.
    pub(crate) fn failed(&mut self, peer: &PeerId, cause: Disconnect, rng: &mut Rng, now: Time) {
        if let Some(known) = self.known.get_mut(peer) {
            known.not_before = now.after(known.redial.wait(rng));
            known.failure = Some(cause);
        }
    }

    /// A link that it dialled failed through no fault of its own: users are told why.
    pub(crate) fn noted(&mut self, peer: &PeerId, cause: Disconnect) {
        if let Some(known) = self.known.get_mut(peer) {
            known.note = Some(cause);
            return;
        }
        self.note_on_stranger(peer);
        if self.strangers.len() == limits::STRANGERS_NOTED {
            self.strangers.remove(0);
        }
        self.strangers.push((*peer, cause));
    }

    fn note_on_stranger(&mut self, peer: &PeerId) -> Option<Disconnect> {
        let at = self.strangers.iter().position(|(stranger, _)| stranger == peer)?;
        Some(self.strangers.remove(at).1)
    }

    /// Whether it is known, and may be dialled again by now.
    pub(crate) fn may_dial(&self, peer: &PeerId, now: Time) -> bool {
        self.known.get(peer).is_some_and(|known| known.not_before <= now)
    }

    /// It asks not to be dialled before `wait` has passed.
    pub(crate) fn rest(&mut self, peer: &PeerId, wait: Duration, now: Time) {
        if let Some(known) = self.known.get_mut(peer) {
            let until = now.after(wait.min(limits::REDIAL_BACKOFF.1));
            known.not_before = known.not_before.max(until);
        }
    }

    /// A link to it was made.
    pub(crate) fn succeeded(&mut self, peer: &PeerId) {
        self.note_on_stranger(peer);
        if let Some(known) = self.known.get_mut(peer) {
            known.redial.reset();
            (known.failure, known.note) = (None, None);
        }
    }

    /// It said goodbye, or cannot be found any more.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        self.known.remove(peer);
    }

    /// A link over which peers were heard of is gone.
    pub(crate) fn lost_route(&mut self, link: LinkId) {
        for known in self.known.values_mut() {
            known.heard_from.retain(|from| *from != link);
        }
    }

    /// There is a further route: those that no route led to need not rest. It was not their fault.
    pub(crate) fn found_route(&mut self, now: Time) {
        let is_no_route = |failure: &Disconnect| {
            matches!(failure, Disconnect::NoRoute | Disconnect::Refused(RefusalReason::NoRelay))
        };
        let had_none =
            |known: &&mut Box<Candidate>| known.failure.as_ref().is_some_and(is_no_route);
        for known in self.known.values_mut().filter(had_none) {
            known.redial.reset();
            known.not_before = known.not_before.min(now);
            known.failure = None;
        }
    }

    /// Back on a network: no candidate needs to rest.
    pub(crate) fn wake(&mut self, now: Time) {
        for known in self.known.values_mut() {
            known.redial.reset();
            known.not_before = now;
        }
    }

    /// Some presences for another peer to hear, none of them its own.
    pub(crate) fn some(
        &self,
        count: usize,
        not: &PeerId,
        rng: &mut Rng,
        now: Time,
    ) -> Vec<Signed<Presence>> {
        let mut some: Vec<_> = self
            .known
            .iter()
            .filter(|(peer, known)| *peer != not && known.presence.is_worth_telling(now))
            .map(|(_, known)| known)
            .collect();
        // An archive among them, if there is one.
        let archives: Vec<_> = some.iter().copied().filter(|known| known.is_archive()).collect();
        let archive = rng.choose(&archives).copied();
        rng.sample(&mut some, count);
        if let (Some(archive), Some(last)) = (archive, some.last_mut())
            && !last.is_archive()
        {
            *last = archive;
        }
        some.iter().map(|known| known.presence.signed().clone()).collect()
    }

    /// The peers that we could not reach, or that could not reach us, and why. A note on a peer's own attempt says more
    /// than that ours took too long.
    pub(crate) fn failures(&self) -> Vec<(PeerId, Disconnect)> {
        let cause = |known: &Candidate| match (&known.failure, &known.note) {
            (Some(Disconnect::DialTimeout) | None, Some(note)) => Some(note.clone()),
            (failure, _) => failure.clone(),
        };
        self.known.iter().filter_map(|(peer, known)| Some((*peer, cause(known)?))).collect()
    }
}

fn remember<T: PartialEq>(all: &mut Vec<T>, one: T) {
    all.retain(|known| *known != one);
    all.push(one);
    if all.len() > limits::ROUTES {
        all.remove(0);
    }
}

#[cfg(test)]
mod tests;
