//! Which versions under one key count.

use std::{collections::BTreeMap, sync::Arc};

use taiinet_identity::PeerId;

use crate::{Key, Mark, Timestamp, Writers, limits};

/// The newest versions that are known of one document, named by its owner and its key.
///
/// The rule needs nothing but the newest version of each author, so that whoever forgets the older ones decides as
/// everybody else does:
/// - The owner's newest version says who writes beside it ([`Key::writers`]).
/// - Versions of those writers that are later than it are versions as well; the latest of all is the document.
/// - Others' that are later are no versions: each is a document of its own, under the same key, and the newest of
///   its author replaces the older.
/// - Of more than [`limits::VERSION_AUTHORS`] others those that wrote last count.
/// - Whatever others wrote before the owner's newest version is replaced by it. So an owner that takes a right back
///   says in the same version what the document is from then on, and what was written under the right stays as far
///   as the owner has taken it over.
///
/// Later is what has the greater [`Mark`]. An owner's version that is not known yet makes each version of others a
/// document of its own, until it comes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    owner: Option<(Mark, Option<Arc<Writers>>)>,
    others: BTreeMap<PeerId, Mark>,
}

/// What a version that is about to be written must be later than, to be the newest: see [`Versions::before`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Before {
    /// What replaces it, unless it is later.
    pub surely: Option<Timestamp>,
    /// What may replace it, unless it is later: whether its author has the right to is not known, or it is about to
    /// be taken back.
    pub perhaps: Option<Timestamp>,
}

impl Versions {
    /// Takes note of a version; `key` is its document's. Whether it is the newest of its author.
    pub fn insert(&mut self, author: PeerId, mark: Mark, key: &Key) -> bool {
        if self.newest_of(&author, key.owner(author)).is_some_and(|newest| newest >= mark) {
            return false;
        }
        if key.owner(author) == author {
            self.owner = Some((mark, key.writers().cloned().map(Arc::new)));
        } else {
            self.others.insert(author, mark);
            self.make_room();
        }
        true
    }

    /// Whoever wants to, writes of somebody's document: the oldest of too many count no more.
    fn make_room(&mut self) {
        if self.others.len() > limits::VERSION_AUTHORS {
            let oldest = self.others.iter().min_by_key(|(_, mark)| **mark);
            if let Some(author) = oldest.map(|(author, _)| *author) {
                self.others.remove(&author);
            }
        }
    }

    fn newest_of(&self, author: &PeerId, owner: PeerId) -> Option<Mark> {
        if *author == owner {
            self.owner.as_ref().map(|(mark, _)| *mark)
        } else {
            self.others.get(author).copied()
        }
    }

    /// Forgets a version, if it is the newest of its author.
    pub fn remove(&mut self, author: &PeerId, mark: Mark) {
        if self.owner.as_ref().is_some_and(|(newest, _)| *newest == mark) {
            self.owner = None;
        } else if self.others.get(author) == Some(&mark) {
            self.others.remove(author);
        }
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.owner.is_none() && self.others.is_empty()
    }

    /// The document: its newest version, if the owner's is known.
    pub fn document(&self) -> Option<Mark> {
        let (owner, writers) = self.owner.as_ref()?;
        let theirs = self.others.iter().filter_map(|(author, mark)| {
            writers.as_ref().is_some_and(|writers| writers.contains(author)).then_some(*mark)
        });
        theirs.chain([*owner]).max()
    }

    /// What a version by this author under this key must be later than. Strangers' count for nothing where the
    /// owner's version says that they are strangers, so that they cannot push others' times ahead.
    pub fn before(&self, author: PeerId, key: &Key) -> Before {
        let owner = key.owner(author);
        let own = self.newest_of(&author, owner);
        let latest_of = |writes: &dyn Fn(&PeerId) -> bool| {
            let theirs = self.others.iter().filter(|(author, _)| writes(author));
            theirs.map(|(_, mark)| *mark).max()
        };
        let (surely, perhaps) = match &self.owner {
            _ if author == owner => {
                let writes =
                    |peer: &PeerId| key.writers().is_some_and(|writers| writers.contains(peer));
                // Where its own version is not known here neither is whom it lets write: those that the new one lets
                // are enough.
                let others = self.owner.as_ref().and_then(|_| self.document());
                (own.max(latest_of(&writes)), others)
            }
            Some((newest, writers)) => {
                let writes = writers.as_ref().is_some_and(|writers| writers.contains(&author));
                // Earlier than the owner's it would be replaced, whosoever it is.
                let theirs = if writes { self.document() } else { Some(*newest) };
                (own.max(theirs), None)
            }
            None => (own, latest_of(&|_| true)),
        };
        let time = |mark: Mark| mark.created_at;
        Before { surely: surely.map(time), perhaps: perhaps.map(time) }
    }

    /// All that count: the document, and those that are documents of their own.
    pub fn current(&self) -> impl Iterator<Item = Mark> {
        let strangers = self.others.iter().filter_map(|(author, mark)| match &self.owner {
            Some((owner, writers)) => {
                let writes = writers.as_ref().is_some_and(|writers| writers.contains(author));
                (mark > owner && !writes).then_some(*mark)
            }
            None => Some(*mark),
        });
        self.document().into_iter().chain(strangers)
    }

    /// What a version has become: none if it counts, or is not known to be replaced; else what replaces it.
    pub fn replaced_by(&self, author: PeerId, mark: Mark, key: &Key) -> Option<Mark> {
        let owner = key.owner(author);
        let is_version = author == owner
            || self.owner.as_ref().is_some_and(|(newest, writers)| {
                mark < *newest || writers.as_ref().is_some_and(|writers| writers.contains(&author))
            });
        let newest = if is_version { self.document() } else { self.newest_of(&author, owner) };
        let newer = newest.filter(|newest| *newest > mark);
        let is_forgotten =
            || self.others.len() >= limits::VERSION_AUTHORS && !self.others.contains_key(&author);
        newer.or_else(|| {
            let least = (author != owner).then(|| self.others.values().min()).flatten();
            least.filter(|least| **least > mark && is_forgotten()).copied()
        })
    }
}

#[cfg(test)]
mod tests;
