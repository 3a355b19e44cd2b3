//! Sealed documents that wait to be opened: whether one is for us shows only by a key exchange with each
//! of our keys, so an author could keep us busy with what is for others.
//!
//! All of them are passed on at once. They are opened as far as the exchanges go that are allowed for
//! their author and for all; the rest waits. Authors have turns, those first that have written to us
//! before.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use taiinet_document::VerifiedDocument;
use taiinet_identity::{PeerId, Recipient};

use crate::{Time, budget::Budget, limits};

/// A document that has come and was not opened yet.
#[derive(Debug)]
pub(crate) struct Unopened {
    pub(crate) document: Arc<VerifiedDocument>,
    pub(crate) came: Came,
}

/// How a document has come here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Came {
    pub(crate) hops: u8,
    /// Which neighbour brought it; none if it is our own.
    pub(crate) via: Option<PeerId>,
}

impl Unopened {
    fn bytes(&self) -> usize {
        self.document.signed().size()
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Openings {
    all: Budget,
    authors: BTreeMap<PeerId, Author>,
    documents: usize,
    bytes: usize,
    /// The author whose turn it was last.
    last: Option<PeerId>,
    retry_at: Time,
}

#[derive(Debug)]
struct Author {
    budget: Budget,
    /// Which of our keys its last document for us was sealed to.
    key: Option<Recipient>,
    waiting: VecDeque<Unopened>,
}

impl Openings {
    pub(crate) fn new(now: Time) -> Self {
        Self {
            all: Budget::new(limits::OPENINGS, now),
            authors: BTreeMap::new(),
            documents: 0,
            bytes: 0,
            last: None,
            retry_at: now,
        }
    }

    /// Lets a document wait. Gives those that had to give way; those of the author that has most waiting do.
    pub(crate) fn push(&mut self, unopened: Unopened, now: Time) -> Vec<Unopened> {
        let peer = unopened.document.author();
        self.forget_authors(now);
        self.documents += 1;
        self.bytes += unopened.bytes();
        let author = self.authors.entry(peer).or_insert_with(|| Author {
            budget: Budget::new(limits::AUTHOR_OPENINGS, now),
            key: None,
            waiting: VecDeque::new(),
        });
        author.waiting.push_back(unopened);
        let mut dropped = Vec::new();
        while self.documents > limits::UNOPENED || self.bytes > limits::UNOPENED_BYTES {
            let most =
                |(_, author): &(&PeerId, &mut Author)| (author.key.is_none(), author.waiting.len());
            let waiting = self.authors.iter_mut().filter(|(_, own)| !own.waiting.is_empty());
            let Some((_, author)) = waiting.max_by_key(most) else { break };
            let Some(given_up) = author.waiting.pop_front() else { break };
            self.documents -= 1;
            self.bytes -= given_up.bytes();
            dropped.push(given_up);
        }
        dropped
    }

    /// The next document that may be opened with so many keys, and the key that it is likely sealed to.
    pub(crate) fn next(&mut self, keys: usize, now: Time) -> Option<(Unopened, Option<Recipient>)> {
        self.retry_at = now.after(limits::OPENING_RETRY);
        if !self.all.has(keys, now) {
            return None;
        }
        let mut ready: Vec<(bool, bool, PeerId)> = Vec::new();
        for (peer, author) in &self.authors {
            if !author.waiting.is_empty() && author.budget.has(keys, now) {
                ready.push((
                    author.key.is_none(),
                    self.last.is_some_and(|last| *peer <= last),
                    *peer,
                ));
            }
        }
        let (.., peer) = ready.into_iter().min()?;
        let author = self.authors.get_mut(&peer)?;
        let next = author.waiting.pop_front()?;
        author.budget.take(keys, now);
        self.all.take(keys, now);
        self.documents -= 1;
        self.bytes -= next.bytes();
        self.last = Some(peer);
        Some((next, author.key))
    }

    /// A document was for us, by this key: what it took is not counted.
    pub(crate) fn opened(&mut self, peer: &PeerId, key: Recipient, keys: usize, now: Time) {
        self.all.give_back(keys, now);
        if let Some(author) = self.authors.get_mut(peer) {
            author.budget.give_back(keys, now);
            author.key = Some(key);
        }
    }

    /// When those that wait are to be tried again.
    pub(crate) fn deadline(&self) -> Option<Time> {
        (self.documents > 0).then_some(self.retry_at)
    }

    /// Forgets authors that would be treated in the same way if they came again, and others if there are
    /// too many.
    fn forget_authors(&mut self, now: Time) {
        if self.authors.len() < limits::OPENING_AUTHORS {
            return;
        }
        self.authors.retain(|_, own| !own.waiting.is_empty() || !own.budget.is_full(now));
        while self.authors.len() >= limits::OPENING_AUTHORS {
            let idle = self.authors.iter().find(|(_, own)| own.waiting.is_empty());
            let Some(idle) = idle.map(|(peer, _)| *peer) else { return };
            self.authors.remove(&idle);
        }
    }
}

#[cfg(test)]
mod tests;
