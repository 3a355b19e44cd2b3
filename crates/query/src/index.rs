//! One document against many queries.

mod condition;
mod number;
mod sample;
mod summary;
mod terms;
mod tree;

use core::fmt;
use std::collections::BTreeMap;

use slab::Slab;
use taiinet_document::{Map, Value, VerifiedDocument};

use self::{
    condition::alternatives,
    summary::Summary,
    terms::Terms,
    tree::{Entries, Entry, EntryId, Tree},
};
use crate::{Query, ast::Part, eval::Fields, subject::Subject};

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
    entries: Box<[EntryId]>,
    /// The query itself, if one of its alternatives asks for it.
    query: Option<Query>,
}

/// The memory of matching, to be used again for the next document.
#[derive(Debug, Default)]
pub struct Scratch {
    summary: Summary,
    /// Queries that more than one row can lead to, or that must be asked.
    later: Vec<u32>,
}
