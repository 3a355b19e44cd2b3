//! Documents of our own until they have come as far as they are to, and the callers that wait for that.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use taiinet_document::{DocumentId, VerifiedDocument};
use taiinet_mesh::{PublishError, Time, limits};

/// So many documents are with neighbours at once while their authors wait for the network; more wait for room. A root
/// names some 250 a second, and the core remembers some thousands that are to be named.
pub const UNCONFIRMED: usize = 1024;

/// How far a document is to come before its publisher is told that it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Until {
    /// A neighbour has taken it: it is not lost with us.
    #[default]
    Neighbour,
    /// Besides, it has come to the network's root, which has named it to all: from then on it is in the network,
    /// whatever becomes of us and our neighbours. That takes about a second more, the beat of the root's bulletins,
    /// and up to five where little is published; where there is no root yet, one stands within some seconds of the
    /// first two peers' meeting. A root names some 250 documents a second.
    Network,
}

/// What has become of a document, with the waiter to tell.
#[derive(Debug, PartialEq)]
pub enum Outcome<P, F> {
    /// It has come as far as it was to.
    Taken(P, DocumentId),
    /// It became too old, or expired, before any neighbour took it.
    Lost(P),
    /// A neighbour took it, and no root named it before it became too old. It may have spread all the same.
    Unconfirmed(P),
    /// The core did not accept it. It kept the limits when it was signed, so it has become too old since.
    Refused(P, PublishError),
    /// All that were given before are decided; so many of them failed since the last flush.
    Flushed(F, Failures),
}

/// How many documents did not come as far as they were to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// So many no neighbour took, or the core refused.
    pub lost: u64,
    /// So many a neighbour took, and no root named.
    pub unconfirmed: u64,
}

/// Documents in the order in which they were given. How many the core holds is its own bound; how many
/// wait for room there is the driver's, by [`has_room`](Self::has_room) or [`waiting`](Self::waiting).
#[derive(Debug)]
pub struct Publications<P, F> {
    /// How many were given so far.
    given: u64,
    /// Of these, those that are not decided.
    undecided: BTreeSet<u64>,
    /// For which there is no room, in order.
    waiting: VecDeque<(Arc<VerifiedDocument>, Waiter<P>)>,
    /// That the core has, and that have not come as far as they are to.
    published: BTreeMap<DocumentId, Published<P>>,
    /// When those that wait for the network become too old.
    unconfirmed: BTreeSet<(Time, DocumentId)>,
    /// The callers that wait for all that were given before a moment.
    flushes: Vec<(u64, F)>,
    /// Since the last flush.
    failures: Failures,
    outcomes: VecDeque<Outcome<P, F>>,
}

/// Who waits for a document.
#[derive(Debug)]
struct Waiter<P> {
    /// As how manieth it was given.
    number: u64,
    until: Until,
    who: P,
}

/// How far a document has come.
#[derive(Debug)]
struct Published<P> {
    is_taken: bool,
    is_named: bool,
    /// When it is too old for any peer.
    end: Time,
    /// One document may be given more than once.
    waiters: Vec<Waiter<P>>,
}

impl<P> Published<P> {
    fn new(end: Time) -> Self {
        Self { is_taken: false, is_named: false, end, waiters: Vec::new() }
    }

    /// The root may be a neighbour, or ourselves: what it names is safe once another peer has it as well.
    const fn has_come(&self, until: Until) -> bool {
        match until {
            Until::Neighbour => self.is_taken,
            Until::Network => self.is_taken && self.is_named,
        }
    }
}

impl<P, F> Default for Publications<P, F> {
    fn default() -> Self {
        Self {
            given: 0,
            undecided: BTreeSet::new(),
            waiting: VecDeque::new(),
            published: BTreeMap::new(),
            unconfirmed: BTreeSet::new(),
            flushes: Vec::new(),
            failures: Failures::default(),
            outcomes: VecDeque::new(),
        }
    }
}

impl<P, F> Publications<P, F> {
    /// Whether no document waits for room.
    pub fn has_room(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many documents wait for room.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes a document; [`offer`](Self::offer) gives it to the core.
    pub(crate) fn give(&mut self, document: Arc<VerifiedDocument>, until: Until, who: P) {
        self.undecided.insert(self.given);
        self.waiting.push_back((document, Waiter { number: self.given, until, who }));
        self.given += 1;
    }

    /// Gives the core as many as there is room for, with `publish`. Whether anything has become of any.
    pub(crate) fn offer(
        &mut self,
        mut publish: impl FnMut(Arc<VerifiedDocument>) -> Result<DocumentId, PublishError>,
    ) -> bool {
        let mut any = false;
        while let Some((document, waiter)) = self.waiting.pop_front() {
            let is_full = waiter.until == Until::Network && self.unconfirmed.len() >= UNCONFIRMED;
            let published =
                if is_full { Err(PublishError::Busy) } else { publish(Arc::clone(&document)) };
            match published {
                Ok(id) => self.wait(id, Time::from(document.created_at), waiter),
                Err(PublishError::Busy) => {
                    self.waiting.push_front((document, waiter));
                    break;
                }
                Err(error) => {
                    self.failures.lost += 1;
                    self.decide(waiter.number, Outcome::Refused(waiter.who, error));
                }
            }
            any = true;
        }
        any
    }

    /// The core has a document.
    fn wait(&mut self, id: DocumentId, created_at: Time, waiter: Waiter<P>) {
        let end = created_at.after(limits::LIVE_WINDOW);
        let published = self.published.entry(id).or_insert_with(|| Published::new(end));
        if waiter.until == Until::Network {
            self.unconfirmed.insert((end, id));
        }
        published.waiters.push(waiter);
    }

    /// A neighbour has taken a document.
    pub(crate) fn taken(&mut self, id: DocumentId) {
        if let Some(published) = self.published.get_mut(&id) {
            published.is_taken = true;
            self.tell(id);
        }
    }

    /// The network's root has named a document.
    pub(crate) fn named(&mut self, id: DocumentId) {
        if let Some(published) = self.published.get_mut(&id) {
            published.is_named = true;
            self.tell(id);
        }
    }

    /// Tells those that it has come as far as they wanted.
    fn tell(&mut self, id: DocumentId) {
        let Some(published) = self.published.get_mut(&id) else { return };
        let (come, rest) = core::mem::take(&mut published.waiters)
            .into_iter()
            .partition(|waiter: &Waiter<P>| published.has_come(waiter.until));
        published.waiters = rest;
        if published.waiters.is_empty() {
            self.forget(id);
        }
        let come: Vec<_> = come;
        for Waiter { number, who, .. } in come {
            self.decide(number, Outcome::Taken(who, id));
        }
    }

    /// Nobody waits for it any more.
    fn forget(&mut self, id: DocumentId) -> Option<Published<P>> {
        let published = self.published.remove(&id)?;
        self.unconfirmed.remove(&(published.end, id));
        Some(published)
    }

    /// A document became too old before any neighbour took it. The core publishes some of its own, which
    /// no caller waits for.
    pub(crate) fn lost(&mut self, id: DocumentId) {
        for Waiter { number, who, .. } in self.forget(id).into_iter().flat_map(|one| one.waiters) {
            self.failures.lost += 1;
            self.decide(number, Outcome::Lost(who));
        }
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.unconfirmed.first().map(|(end, _)| *end)
    }

    /// Gives up what waits for the network and is too old now: no root names it any more.
    pub(crate) fn expire(&mut self, now: Time) {
        while let Some((end, id)) = self.unconfirmed.first().copied()
            && end <= now
        {
            self.unconfirmed.pop_first();
            if self.published.get(&id).is_none_or(|published| !published.is_taken) {
                self.lost(id);
                continue;
            }
            for Waiter { number, who, .. } in
                self.forget(id).into_iter().flat_map(|one| one.waiters)
            {
                self.failures.unconfirmed += 1;
                self.decide(number, Outcome::Unconfirmed(who));
            }
        }
    }

    /// Tells `done` when all that were given so far are decided.
    pub(crate) fn flush(&mut self, done: F) {
        self.flushes.push((self.given, done));
        self.wake_flushes();
    }

    /// What there is to tell.
    pub(crate) fn poll(&mut self) -> Option<Outcome<P, F>> {
        self.outcomes.pop_front()
    }

    /// All that wait for a document, in the end.
    pub(crate) fn drain(&mut self) -> Vec<P> {
        let published = core::mem::take(&mut self.published).into_values();
        let published = published.flat_map(|one| one.waiters);
        let waiting = self.waiting.drain(..).map(|(_, waiter)| waiter);
        self.undecided.clear();
        self.unconfirmed.clear();
        published.chain(waiting).map(|waiter| waiter.who).collect()
    }

    fn decide(&mut self, number: u64, outcome: Outcome<P, F>) {
        self.undecided.remove(&number);
        self.outcomes.push_back(outcome);
        self.wake_flushes();
    }

    fn wake_flushes(&mut self) {
        let oldest = self.undecided.first().copied().unwrap_or(self.given);
        for (_, done) in self.flushes.extract_if(.., |(before, _)| *before <= oldest) {
            let failures = core::mem::take(&mut self.failures);
            self.outcomes.push_back(Outcome::Flushed(done, failures));
        }
    }
}

#[cfg(test)]
mod tests;
