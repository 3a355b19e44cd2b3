//! What subscriptions have been shown, so that they are told when it is gone: deleted, expired, or replaced by a
//! version that does not match them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use taiinet_document::{Content, DocumentId, Mark, Timestamp, VerifiedDocument, Versions};
use taiinet_identity::PeerId;
use taiinet_mesh::Time;

/// How many documents are remembered, those of all subscriptions together. Of the older ones it is not told when
/// they are gone.
pub const SHOWN: usize = 16 * 1024;

/// A document that a subscription was shown, and is to show no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The document.
    pub id: DocumentId,
    /// Its author.
    pub author: PeerId,
    /// The peer whose document it was a version of; mostly its author.
    pub owner: PeerId,
    /// Its key, if it had one.
    pub key: Option<Arc<str>>,
    /// Why it is gone.
    pub reason: Removal,
}

/// Why a document is to be shown no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removal {
    /// Its author has deleted it.
    Deleted,
    /// A newer version does not match, or cannot be read here.
    Replaced,
    /// Its author has set it an end.
    Expired,
    /// It still matches, or its new version does, and others come before it, as many as a live result set has at
    /// most. Subscriptions are not told so.
    Outranked,
}

impl Removal {
    /// `deleted`, `replaced`, `expired` or `outranked`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Replaced => "replaced",
            Self::Expired => "expired",
            Self::Outranked => "outranked",
        }
    }
}

/// What a document changes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Changes<S> {
    /// The subscriptions that are to show it, by what it replaces for them.
    pub(crate) shows: BTreeMap<Option<DocumentId>, Vec<S>>,
    /// What is to be shown no more, and by which subscriptions.
    pub(crate) removes: Vec<(Removed, Vec<S>)>,
}

type Name = (PeerId, Arc<str>);

/// See the module.
#[derive(Debug)]
pub(crate) struct Shown<S> {
    documents: BTreeMap<DocumentId, Document<S>>,
    names: BTreeMap<Name, Named>,
    ends: BTreeSet<(Timestamp, DocumentId)>,
    /// In the order in which they were shown; what is gone drops out at the front.
    order: VecDeque<DocumentId>,
    most: usize,
}

#[derive(Debug)]
struct Document<S> {
    author: PeerId,
    mark: Mark,
    name: Option<Name>,
    expires_at: Option<Timestamp>,
    subscriptions: BTreeSet<S>,
}

/// Versions of which one or several are shown.
#[derive(Debug, Default)]
struct Named {
    versions: Versions,
    shown: BTreeSet<Mark>,
}

impl<S> Default for Shown<S> {
    fn default() -> Self {
        Self {
            documents: BTreeMap::new(),
            names: BTreeMap::new(),
            ends: BTreeSet::new(),
            order: VecDeque::new(),
            most: SHOWN,
        }
    }
}

impl<S: Copy + Ord> Shown<S> {
    /// A document has come, or was found, that matches these, or none and may end what others show. Those that show
    /// it already are passed over.
    pub(crate) fn take(&mut self, document: &VerifiedDocument, matching: &[S]) -> Changes<S> {
        let mut changes = Changes { shows: BTreeMap::new(), removes: Vec::new() };
        if let Content::Deleted(deletion) = document.content() {
            for id in deletion.documents() {
                if self.documents.get(id).is_some_and(|shown| shown.author == document.author()) {
                    changes.removes.extend(self.forget(id, Removal::Deleted));
                }
            }
        }
        let name = document.key_name().map(|key| (document.owner(), Arc::<str>::from(key)));
        let Some(replaced) = self.replace(document, name.as_ref()) else {
            // A newer one was shown before.
            return changes;
        };
        // What is known of the versions outlives the one that is shown.
        let known = self.documents.get(&document.id());
        let matching: Vec<S> = matching
            .iter()
            .copied()
            .filter(|one| known.is_none_or(|known| !known.subscriptions.contains(one)))
            .collect();
        let mut replaces = BTreeMap::new();
        for id in replaced {
            let reason = match document.content() {
                Content::Deleted(_) => Removal::Deleted,
                _ => Removal::Replaced,
            };
            let Some((removed, subscriptions)) = self.remove(&id, reason) else { continue };
            let (update, gone): (Vec<_>, Vec<_>) = subscriptions
                .into_iter()
                .partition(|one| matching.contains(one) && !replaces.contains_key(one));
            replaces.extend(update.into_iter().map(|one| (one, id)));
            if !gone.is_empty() {
                changes.removes.push((removed, gone));
            }
        }
        for one in &matching {
            changes.shows.entry(replaces.get(one).copied()).or_default().push(*one);
        }
        self.show(document, name.clone(), &matching);
        self.tidy(name);
        changes
    }

    /// Which of the shown versions do not count any more, the newest first; none if this one does not.
    fn replace(
        &mut self,
        document: &VerifiedDocument,
        name: Option<&Name>,
    ) -> Option<Vec<DocumentId>> {
        let Some((key, named)) =
            document.key.as_ref().zip(name.and_then(|n| self.names.get_mut(n)))
        else {
            return Some(Vec::new());
        };
        let mark = Mark::from(document);
        named.versions.insert(document.author(), mark, key);
        if named.versions.replaced_by(document.author(), mark, key).is_some() {
            return None;
        }
        let current: BTreeSet<_> = named.versions.current().collect();
        let shown = named.shown.iter().rev();
        let replaced = shown.filter(|mark| !current.contains(mark)).map(|mark| mark.id);
        Some(replaced.collect())
    }

    /// Remembers that these show it.
    fn show(&mut self, document: &VerifiedDocument, name: Option<Name>, subscriptions: &[S]) {
        if subscriptions.is_empty() {
            return;
        }
        let (id, mark) = (document.id(), Mark::from(document));
        if let Some((key, name)) = document.key.as_ref().zip(name.clone()) {
            let named = self.names.entry(name).or_default();
            named.versions.insert(document.author(), mark, key);
            named.shown.insert(mark);
        }
        self.ends.extend(document.expires_at.map(|end| (end, id)));
        let shown = self.documents.entry(id).or_insert_with(|| {
            self.order.push_back(id);
            Document {
                author: document.author(),
                mark,
                name,
                expires_at: document.expires_at,
                subscriptions: BTreeSet::new(),
            }
        });
        shown.subscriptions.extend(subscriptions);
        while self.documents.len() > self.most {
            let Some(oldest) = self.order.pop_front() else { return };
            self.forget(&oldest, Removal::Expired);
        }
    }

    fn forget(&mut self, id: &DocumentId, reason: Removal) -> Option<(Removed, Vec<S>)> {
        let name = self.documents.get(id)?.name.clone();
        let removed = self.remove(id, reason);
        self.tidy(name);
        removed
    }

    /// Nothing needs to be known of versions of which none is shown.
    fn tidy(&mut self, name: Option<Name>) {
        if let Some(name) = name
            && self.names.get(&name).is_some_and(|named| named.shown.is_empty())
        {
            self.names.remove(&name);
        }
    }

    /// Takes a document out; gives what the subscriptions that show it are to be told.
    fn remove(&mut self, id: &DocumentId, reason: Removal) -> Option<(Removed, Vec<S>)> {
        let Document { author, mark, name, expires_at, subscriptions } =
            self.documents.remove(id)?;
        if let Some(end) = expires_at {
            self.ends.remove(&(end, *id));
        }
        if let Some(named) = name.as_ref().and_then(|name| self.names.get_mut(name)) {
            named.shown.remove(&mark);
        }
        while let Some(oldest) = self.order.front()
            && !self.documents.contains_key(oldest)
        {
            self.order.pop_front();
        }
        let (owner, key) = name.map_or((author, None), |(owner, key)| (owner, Some(key)));
        let removed = Removed { id: *id, author, owner, key, reason };
        Some((removed, subscriptions.into_iter().collect()))
    }

    /// What has expired.
    pub(crate) fn expire(&mut self, now: Time) -> Option<(Removed, Vec<S>)> {
        let (end, id) = *self.ends.first()?;
        (Time::from(end) <= now).then(|| self.forget(&id, Removal::Expired)).flatten()
    }

    /// When the next one expires.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.ends.first().map(|(end, _)| (*end).into())
    }

    /// A subscription has ended.
    pub(crate) fn end(&mut self, subscription: S) {
        let alone = |shown: &mut Document<S>| {
            shown.subscriptions.remove(&subscription) && shown.subscriptions.is_empty()
        };
        let gone: Vec<_> = self
            .documents
            .iter_mut()
            .filter_map(|(id, shown)| alone(shown).then_some(*id))
            .collect();
        for id in gone {
            self.forget(&id, Removal::Expired);
        }
    }
}

#[cfg(test)]
mod tests;
