//! Documents of our own until a neighbour has taken them, and the callers that wait for that.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use taiinet_document::{DocumentId, VerifiedDocument};
use taiinet_mesh::PublishError;

/// What has become of a document, with the waiter to tell.
#[derive(Debug, PartialEq)]
pub enum Outcome<P, F> {
    /// A neighbour has taken it.
    Taken(P, DocumentId),
    /// It became too old, or expired, before any neighbour took it.
    Lost(P),
    /// The core did not accept it. It kept the limits when it was signed, so it has become too old since.
    Refused(P, PublishError),
    /// All that were given before are taken or lost; so many were lost since the last flush.
    Flushed(F, u64),
}

/// Documents in the order in which they were given. How many the core holds is its own bound; how many
/// wait for room there is the driver's, by [`has_room`](Self::has_room) or [`waiting`](Self::waiting).
#[derive(Debug)]
pub struct Publications<P, F> {
    /// How many were given so far.
    given: u64,
    /// Of these, those that are neither taken nor lost.
    undecided: BTreeSet<u64>,
    /// For which the core has no room, in order.
    waiting: VecDeque<(u64, Arc<VerifiedDocument>, P)>,
    /// That no neighbour has taken yet. One document may be given more than once.
    untaken: BTreeMap<DocumentId, Vec<(u64, P)>>,
    /// The callers that wait for all that were given before a moment.
    flushes: Vec<(u64, F)>,
    /// How many were lost since the last flush.
    lost: u64,
    outcomes: VecDeque<Outcome<P, F>>,
}

impl<P, F> Default for Publications<P, F> {
    fn default() -> Self {
        Self {
            given: 0,
            undecided: BTreeSet::new(),
            waiting: VecDeque::new(),
            untaken: BTreeMap::new(),
            flushes: Vec::new(),
            lost: 0,
            outcomes: VecDeque::new(),
        }
    }
}

impl<P, F> Publications<P, F> {
    /// Whether no document waits for room at the core.
    pub fn has_room(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many documents wait for room at the core.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes a document; [`offer`](Self::offer) gives it to the core.
    pub(crate) fn give(&mut self, document: Arc<VerifiedDocument>, waiter: P) {
        self.undecided.insert(self.given);
        self.waiting.push_back((self.given, document, waiter));
        self.given += 1;
    }

    /// Gives the core as many as it has room for, with `publish`. Whether anything has become of any.
    pub(crate) fn offer(
        &mut self,
        mut publish: impl FnMut(Arc<VerifiedDocument>) -> Result<DocumentId, PublishError>,
    ) -> bool {
        let mut any = false;
        while let Some((number, document, waiter)) = self.waiting.pop_front() {
            match publish(Arc::clone(&document)) {
                Ok(id) => self.untaken.entry(id).or_default().push((number, waiter)),
                Err(PublishError::Busy) => {
                    self.waiting.push_front((number, document, waiter));
                    break;
                }
                Err(error) => {
                    self.lost += 1;
                    self.decide(number, Outcome::Refused(waiter, error));
                }
            }
            any = true;
        }
        any
    }

    /// A neighbour has taken a document.
    pub(crate) fn taken(&mut self, id: DocumentId) {
        for (number, waiter) in self.untaken.remove(&id).into_iter().flatten() {
            self.decide(number, Outcome::Taken(waiter, id));
        }
    }

    /// A document became too old before any neighbour took it. The core publishes some of its own, which
    /// no caller waits for.
    pub(crate) fn lost(&mut self, id: DocumentId) {
        for (number, waiter) in self.untaken.remove(&id).into_iter().flatten() {
            self.lost += 1;
            self.decide(number, Outcome::Lost(waiter));
        }
    }

    /// Tells `done` when all that were given so far are taken or lost.
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
        let untaken = core::mem::take(&mut self.untaken).into_values().flatten();
        let untaken = untaken.map(|(_, waiter)| waiter);
        let waiting = self.waiting.drain(..).map(|(_, _, waiter)| waiter);
        self.undecided.clear();
        untaken.chain(waiting).collect()
    }

    fn decide(&mut self, number: u64, outcome: Outcome<P, F>) {
        self.undecided.remove(&number);
        self.outcomes.push_back(outcome);
        self.wake_flushes();
    }

    fn wake_flushes(&mut self) {
        let oldest = self.undecided.first().copied().unwrap_or(self.given);
        for (_, done) in self.flushes.extract_if(.., |(before, _)| *before <= oldest) {
            let lost = core::mem::take(&mut self.lost);
            self.outcomes.push_back(Outcome::Flushed(done, lost));
        }
    }
}

#[cfg(test)]
mod tests;
