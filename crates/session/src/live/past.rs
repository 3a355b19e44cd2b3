//! What is known of versions and deletions, whether what they concern was ever shown or not: it may still come from
//! one that has not heard of them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use taiinet_document::{DocumentId, Mark, VerifiedDocument, Versions};
use taiinet_identity::PeerId;

/// How many versions are remembered; the names of the longest known are forgotten first.
const VERSIONS: usize = 32 * 1024;
/// How many deletions by id are remembered; of those of the author that has the most of them the oldest goes first.
const DELETIONS: usize = 32 * 1024;

/// What versions have in common: their owner, and the name of their key.
pub(super) type Name = (PeerId, Arc<str>);

/// That of a document, if it has one.
pub(super) fn name_of(document: &VerifiedDocument) -> Option<Name> {
    document.key_name().map(|key| (document.owner(), key.into()))
}

/// What a document that comes is among those of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is shown where it matches.
    Counts,
    /// It is replaced, but the newest of its author: it may count when its owner turns out to have granted something
    /// else.
    Waits,
    /// It is replaced for ever.
    Over,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Past {
    names: BTreeMap<Name, Known>,
    order: VecDeque<Name>,
    versions: usize,
    deleted: BTreeSet<(DocumentId, PeerId)>,
    deletions: BTreeMap<PeerId, VecDeque<DocumentId>>,
    /// How many each author has made.
    deleters: BTreeSet<(usize, PeerId)>,
    most: (usize, usize),
}

#[derive(Debug, Default)]
struct Known {
    versions: Versions,
    /// How many were taken note of: there are no more than that.
    count: usize,
}

impl Default for Past {
    fn default() -> Self {
        Self {
            names: BTreeMap::new(),
            order: VecDeque::new(),
            versions: 0,
            deleted: BTreeSet::new(),
            deletions: BTreeMap::new(),
            deleters: BTreeSet::new(),
            most: (VERSIONS, DELETIONS),
        }
    }
}

impl Past {
    pub(super) fn knows(&self, name: &Name) -> bool {
        self.names.contains_key(name)
    }

    /// A version has come, or was found. Whether it is newer than what was known of its author.
    pub(super) fn note(&mut self, name: &Name, document: &VerifiedDocument) -> bool {
        let Some(key) = &document.key else { return false };
        let known = self.names.entry(name.clone()).or_insert_with(|| {
            self.order.push_back(name.clone());
            Known::default()
        });
        let is_newer = known.versions.insert(document.author(), Mark::from(document), key);
        if is_newer && known.count <= taiinet_document::limits::VERSION_AUTHORS {
            known.count += 1;
            self.versions += 1;
        }
        while self.versions > self.most.0 && self.order.len() > 1 {
            let Some(oldest) = self.order.pop_front() else { break };
            let count = self.names.remove(&oldest).map_or(0, |known| known.count);
            self.versions = self.versions.saturating_sub(count);
        }
        is_newer
    }

    /// The versions of a name that count.
    pub(super) fn current(&self, name: &Name) -> BTreeSet<Mark> {
        self.names.get(name).map(|known| known.versions.current().collect()).unwrap_or_default()
    }

    /// What has replaced a document that does not count.
    pub(super) fn replaced_by(
        &self,
        name: &Name,
        document: &VerifiedDocument,
    ) -> Option<DocumentId> {
        let (known, key) = self.names.get(name).zip(document.key.as_ref())?;
        let mark = Mark::from(document);
        known.versions.replaced_by(document.author(), mark, key).map(|mark| mark.id)
    }

    /// What a document is, of which was [taken note](Self::note).
    pub(super) fn standing(&self, name: Option<&Name>, document: &VerifiedDocument) -> Standing {
        let Some(known) = name.and_then(|name| self.names.get(name)) else {
            return Standing::Counts;
        };
        let (author, mark) = (document.author(), Mark::from(document));
        if known.versions.current().any(|current| current == mark) {
            return Standing::Counts;
        }
        let mut without = known.versions.clone();
        without.remove(&author, mark);
        let is_newest = without != known.versions;
        if is_newest { Standing::Waits } else { Standing::Over }
    }

    /// An author has withdrawn a document, if it is its own.
    pub(super) fn delete(&mut self, id: DocumentId, author: PeerId) {
        if !self.deleted.insert((id, author)) {
            return;
        }
        self.count(author, |ids| ids.push_back(id));
        while self.deleted.len() > self.most.1 {
            let Some((_, author)) = self.deleters.last().copied() else { return };
            let mut oldest = None;
            self.count(author, |ids| oldest = ids.pop_front());
            let Some(id) = oldest else { return };
            self.deleted.remove(&(id, author));
        }
    }

    /// Changes the deletions of an author.
    fn count(&mut self, author: PeerId, change: impl FnOnce(&mut VecDeque<DocumentId>)) {
        let ids = self.deletions.entry(author).or_default();
        self.deleters.remove(&(ids.len(), author));
        change(ids);
        if ids.is_empty() {
            self.deletions.remove(&author);
        } else {
            self.deleters.insert((ids.len(), author));
        }
    }

    pub(super) fn is_deleted(&self, document: &VerifiedDocument) -> bool {
        self.deleted.contains(&(document.id(), document.author()))
    }
}

#[cfg(test)]
mod tests;
