//! One document against many queries.

mod condition;
mod entry;
mod number;
mod rows;
mod sample;
mod summary;
mod terms;
mod tree;

use core::fmt;
use std::collections::BTreeMap;

use slab::Slab;
use taiinet_document::{Map, VerifiedDocument};

use self::{
    condition::alternatives,
    entry::{Entries, Entry, EntryId},
    summary::Summary,
    terms::Terms,
    tree::Tree,
};
use crate::{
    Query,
    ast::Part,
    fuel::Fuel,
    subject::{Attributes, RESERVED, Subject},
    walk::Fields,
};

/// Many queries, each under a key, of which it finds those that a document matches without asking each.
///
/// It finds exactly the keys whose [`Query::matches`] says yes.
///
/// # How it works
/// A query is taken apart into alternatives (its disjunctive normal form, within bounds), each of them
/// conditions that must all hold. Conditions that name values or ranges are *places*: an alternative is
/// filed in a tree under its most selective place, and where many meet, under the next, and so on. A
/// document is summarised once (which named values it has at which paths, and between which numbers
/// each path's values lie), then descends the tree only where its values lead. What it meets there
/// is checked by comparing integers; a query itself is asked only if it holds tests that the summary
/// says nothing of (regular expressions, `$elemMatch`, …) and all else holds.
///
/// So the cost of a match grows with the number of queries that nearly match, not with all; inserting and
/// removing cost about as much as matching one document. A query without any place (`{}`, `$ne`
/// alone) is looked at for each document.
pub struct Index<K> {
    terms: Terms,
    tree: Tree,
    entries: Entries,
    /// The key of each entry, beside the entries so that a match need not touch those.
    keys: Vec<K>,
    queries: Slab<Filed<K>>,
    by_key: BTreeMap<K, u32>,
}

/// A query in the index.
struct Filed<K> {
    key: K,
    /// The last of its entries; the others follow by [`Entry::next`].
    last: Option<EntryId>,
    /// The query itself, if the entries do not say all.
    query: Option<Query>,
}

/// The memory of matching, to be used again for the next document, with any index.
#[derive(Debug, Default)]
pub struct Scratch {
    summary: Summary,
    /// Queries that several rows can lead to, or that must be asked.
    later: Vec<u32>,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl<K> Index<K> {
    /// An empty index whose hash tables a stranger that knows its seed could slow down by the choice of
    /// values; [`Self::with_seed`] where strangers' queries are held.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty index. The seed should be random; it changes no result.
    pub fn with_seed(seed: u64) -> Self {
        Self {
            terms: Terms::new(seed),
            tree: Tree::new(),
            entries: Slab::new(),
            keys: Vec::new(),
            queries: Slab::new(),
            by_key: BTreeMap::new(),
        }
    }

    /// How many queries it holds.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

impl<K: Copy + Ord> Index<K> {
    /// Whether there is a query under this key.
    pub fn contains(&self, key: &K) -> bool {
        self.by_key.contains_key(key)
    }

    /// Puts a query in, in the place of the one under the same key.
    pub fn insert(&mut self, key: K, query: Query) {
        self.remove(&key);
        let alternatives = alternatives(query.clause(), &mut self.terms);
        let ask = alternatives.iter().any(|alternative| alternative.ask);
        let filed = Filed { key, last: None, query: ask.then_some(query) };
        let id = self.queries.insert(filed) as u32;
        self.by_key.insert(key, id);

        let later = ask || alternatives.len() > 1;
        let mut last = None;
        for alternative in alternatives {
            let at = self.entries.insert(Entry { alternative, query: id, next: last, later });
            match self.keys.get_mut(at) {
                Some(old) => *old = key,
                None => self.keys.push(key),
            }
            self.tree.insert(&self.entries, at as EntryId);
            last = Some(at as EntryId);
        }
        if let Some(filed) = self.queries.get_mut(id as usize) {
            filed.last = last;
        }
    }

    /// Takes the query under this key out; whether there was one.
    pub fn remove(&mut self, key: &K) -> bool {
        let Some(id) = self.by_key.remove(key) else { return false };
        let filed = self.queries.remove(id as usize);
        let mut next = filed.last;
        while let Some(at) = next {
            self.tree.remove(&self.entries, at);
            let entry = self.entries.remove(at as usize);
            entry.alternative.release(&mut self.terms);
            next = entry.next;
        }
        true
    }

    /// The keys of the queries that match a content, ascending. As [`Query::matches`].
    pub fn matches(&self, content: &Map) -> Vec<K> {
        let mut keys = Vec::new();
        self.visit(&mut Scratch::default(), content, |key| keys.push(key));
        keys.sort_unstable();
        keys
    }

    /// The keys of the queries that match a document, ascending. As [`Query::matches_document`].
    pub fn matches_document(&self, document: &VerifiedDocument) -> Vec<K> {
        let mut keys = Vec::new();
        self.visit_document(&mut Scratch::default(), document, |key| keys.push(key));
        keys.sort_unstable();
        keys
    }

    /// As [`Self::matches`], without allocating once the scratch has grown: calls for each key, once,
    /// in no particular order (the same on each run).
    pub fn visit(&self, scratch: &mut Scratch, content: &Map, found: impl FnMut(K)) {
        scratch.summary.begin(self.terms.path_bound());
        for (name, value) in content {
            scratch.summary.add(&self.terms, name, value);
        }
        self.search(scratch, content, found);
    }

    /// As [`Self::matches_document`] and [`Self::visit`].
    pub fn visit_document(
        &self,
        scratch: &mut Scratch,
        document: &VerifiedDocument,
        found: impl FnMut(K),
    ) {
        if let Some(content) = document.content().fields() {
            self.visit_fields(scratch, Attributes::of(document), content, found);
        }
    }

    /// As [`Self::visit_document`], for a document that is not signed yet or that was sealed.
    pub fn visit_fields(
        &self,
        scratch: &mut Scratch,
        attributes: Attributes<'_>,
        content: &Map,
        found: impl FnMut(K),
    ) {
        let subject = Subject::new(attributes, content);
        scratch.summary.begin(self.terms.path_bound());
        for (name, value) in content {
            if !RESERVED.contains(&name.as_str()) {
                scratch.summary.add(&self.terms, name, value);
            }
        }
        for name in RESERVED {
            if self.terms.starting_at(name).is_empty() {
                continue;
            }
            if let Some(value) = subject.get(&Part { name: name.into(), index: None }) {
                scratch.summary.add(&self.terms, name, value);
            }
        }
        self.search(scratch, &subject, found);
    }

    /// Finds what matches a document, given its summary.
    fn search(&self, scratch: &mut Scratch, fields: &impl Fields, mut found: impl FnMut(K)) {
        let Scratch { summary, later } = scratch;
        summary.finish();
        later.clear();
        let plain = summary.is_plain();
        self.tree.visit(summary, &mut |row| {
            let at = row.entry() as usize;
            let holds = row.holds(summary)
                || self.entries.get(at).is_some_and(|entry| entry.alternative.holds(summary));
            if !holds {
                return;
            }
            if plain && row.is_alone() {
                if let Some(key) = self.keys.get(at) {
                    found(*key);
                }
            } else if let Some(entry) = self.entries.get(at) {
                later.push(entry.query);
            }
        });
        later.sort_unstable();
        later.dedup();
        for filed in later.iter().filter_map(|id| self.queries.get(*id as usize)) {
            if filed
                .query
                .as_ref()
                .is_none_or(|query| query.clause().matches(fields, &Fuel::unlimited()))
            {
                found(filed.key);
            }
        }
    }
}

impl<K> fmt::Debug for Index<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Index({} queries)", self.len())
    }
}

#[cfg(test)]
mod tests;
