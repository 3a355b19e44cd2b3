//! Small numbers for what queries mention: their paths, and at each path the values they ask for.
//!
//! A document's value is looked up once; from then on "is it equal to what this query names" compares
//! two integers, exactly, for any number of queries.

use core::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use slab::Slab;
use taiinet_document::Value;

use super::sample::Sample;
use crate::{
    ast::{Literal, Path},
    order,
};

/// A path that some query mentions.
pub(super) type PathId = u32;
/// Something that some query asks of a path.
pub(super) type TermId = u32;

/// What is asked of a path.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asked {
    /// One of its values equals this.
    Equal(Literal),
    /// It leads to something.
    Exists,
    /// It leads to a text (not to a list of texts).
    Text,
}

#[derive(Debug)]
struct Term {
    path: PathId,
    asked: Asked,
    users: u32,
}

/// A path, and what a document's values there are needed for.
#[derive(Debug)]
pub(super) struct PathInfo {
    pub(super) path: Path,
    users: u32,
    /// How often queries ask for equality here.
    equals: u32,
    /// How many terms are lists or maps: only then are those hashed.
    composites: u32,
    pub(super) exists: Option<TermId>,
    pub(super) text: Option<TermId>,
    /// Of the ends of ranges of numbers and of texts.
    pub(super) samples: [Sample; 2],
}

impl PathInfo {
    /// Whether any query asks for equality with something here.
    pub(super) const fn has_equals(&self) -> bool {
        self.equals > 0
    }
}

/// The paths that begin with one field.
#[derive(Debug)]
struct Field {
    name: Box<str>,
    paths: Vec<PathId>,
}

/// All paths and terms in use.
#[derive(Debug)]
pub(super) struct Terms {
    hasher: FixedState,
    fields: HashTable<Field>,
    path_ids: HashTable<PathId>,
    paths: Slab<PathInfo>,
    path_bound: usize,
    term_ids: HashTable<TermId>,
    terms: Slab<Term>,
}

impl Terms {
    /// The seed keeps strangers from choosing values that collide.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            hasher: FixedState::with_seed(seed),
            fields: HashTable::new(),
            path_ids: HashTable::new(),
            paths: Slab::new(),
            path_bound: 0,
            term_ids: HashTable::new(),
            terms: Slab::new(),
        }
    }

    /// More than any path in use.
    pub(super) const fn path_bound(&self) -> usize {
        self.path_bound
    }

    /// The paths that begin with this field.
    pub(super) fn starting_at(&self, field: &str) -> &[PathId] {
        let found = self.fields.find(self.hash_text(field), |entry| *entry.name == *field);
        found.map_or(&[], |entry| &entry.paths)
    }

    /// A path in use.
    pub(super) fn path(&self, id: PathId) -> Option<&PathInfo> {
        self.paths.get(id as usize)
    }

    /// As [`Self::path`].
    pub(super) fn path_mut(&mut self, id: PathId) -> Option<&mut PathInfo> {
        self.paths.get_mut(id as usize)
    }

    /// The term for a document's value, if some query asks for it.
    pub(super) fn find(&self, path: PathId, info: &PathInfo, value: &Value) -> Option<TermId> {
        match value {
            Value::Float(float) => match order::as_int(*float) {
                Some(int) => self.find_unified(path, &Value::Int(int)),
                None => self.find_unified(path, value),
            },
            Value::List(_) | Value::Map(_) if info.composites == 0 => None,
            Value::List(_) | Value::Map(_) => {
                let mut unified = value.clone();
                order::unify_numbers(&mut unified);
                self.find_unified(path, &unified)
            }
            _ => self.find_unified(path, value),
        }
    }

    fn find_unified(&self, path: PathId, value: &Value) -> Option<TermId> {
        let same = |id: &TermId| {
            self.terms.get(*id as usize).is_some_and(|term| {
                term.path == path
                    && matches!(&term.asked, Asked::Equal(literal) if order::equal(literal.value(), value))
            })
        };
        self.term_ids.find(self.hash_value(path, value), same).copied()
    }

    /// Which part of all equalities asked for at the term's path are this one: the guess at how many
    /// documents it lets pass.
    pub(super) fn share(&self, id: TermId) -> f64 {
        let Some(term) = self.terms.get(id as usize) else { return 1.0 };
        match term.asked {
            Asked::Equal(_) => {
                let all = self.path(term.path).map_or(0, |path| path.equals);
                f64::from(term.users) / f64::from(all + 7)
            }
            Asked::Exists | Asked::Text => 0.9,
        }
    }

    /// Takes a path into use, once more.
    pub(super) fn take_path(&mut self, path: &Path) -> PathId {
        let hash = self.hash_text(path.as_str());
        let Self { path_ids, paths, .. } = self;
        let same = |id: &PathId| paths.get(*id as usize).is_some_and(|info| info.path == *path);
        if let Some(&id) = path_ids.find(hash, same) {
            if let Some(info) = paths.get_mut(id as usize) {
                info.users += 1;
            }
            return id;
        }
        let id = index(paths.insert(PathInfo {
            path: path.clone(),
            users: 1,
            equals: 0,
            composites: 0,
            exists: None,
            text: None,
            samples: Default::default(),
        }));
        self.path_bound = self.path_bound.max(id as usize + 1);
        let Self { path_ids, paths, hasher, .. } = self;
        path_ids.insert_unique(hash, id, |id| {
            paths.get(*id as usize).map_or(0, |info| hash_text(hasher, info.path.as_str()))
        });
        let field = path.field();
        let hash = hash_text(hasher, field);
        let entry = self.fields.entry(
            hash,
            |entry| *entry.name == *field,
            |entry| hash_text(hasher, &entry.name),
        );
        let entry = entry.or_insert_with(|| Field { name: field.into(), paths: Vec::new() });
        entry.into_mut().paths.push(id);
        id
    }

    /// Gives a path back.
    pub(super) fn release_path(&mut self, id: PathId) {
        let Some(info) = self.paths.get_mut(id as usize) else { return };
        info.users -= 1;
        if info.users > 0 {
            return;
        }
        let info = self.paths.remove(id as usize);
        let hash = self.hash_text(info.path.as_str());
        if let Ok(entry) = self.path_ids.find_entry(hash, |other| *other == id) {
            entry.remove();
        }
        let field = info.path.field();
        let hash = self.hash_text(field);
        if let Ok(mut entry) = self.fields.find_entry(hash, |entry| *entry.name == *field) {
            entry.get_mut().paths.retain(|other| *other != id);
            if entry.get().paths.is_empty() {
                entry.remove();
            }
        }
    }

    /// Takes a term into use, once more. The path must stay in use as long.
    pub(super) fn take_term(&mut self, path: PathId, asked: Asked) -> TermId {
        let hash = hash_term(&self.hasher, path, &asked);
        let Self { term_ids, terms, hasher, paths, .. } = self;
        let info = paths.get_mut(path as usize);
        let equal = u32::from(matches!(asked, Asked::Equal(_)));
        let same = |id: &TermId| {
            terms.get(*id as usize).is_some_and(|term| term.path == path && term.asked == asked)
        };
        if let Some(&id) = term_ids.find(hash, same) {
            if let Some(term) = terms.get_mut(id as usize) {
                term.users += 1;
            }
            if let Some(info) = info {
                info.equals += equal;
            }
            return id;
        }
        let composite = u32::from(is_composite(&asked));
        let entry = terms.vacant_entry();
        let id = index(entry.key());
        if let Some(info) = info {
            info.equals += equal;
            info.composites += composite;
            match asked {
                Asked::Equal(_) => {}
                Asked::Exists => info.exists = Some(id),
                Asked::Text => info.text = Some(id),
            }
        }
        entry.insert(Term { path, asked, users: 1 });
        term_ids.insert_unique(hash, id, |id| {
            terms.get(*id as usize).map_or(0, |term| hash_term(hasher, term.path, &term.asked))
        });
        id
    }

    /// Gives a term back.
    pub(super) fn release_term(&mut self, id: TermId) {
        let Some(term) = self.terms.get_mut(id as usize) else { return };
        term.users -= 1;
        let unused = term.users == 0;
        if let Some(info) = self.paths.get_mut(term.path as usize) {
            info.equals -= u32::from(matches!(term.asked, Asked::Equal(_)));
            if unused {
                info.composites -= u32::from(is_composite(&term.asked));
                match term.asked {
                    Asked::Equal(_) => {}
                    Asked::Exists => info.exists = None,
                    Asked::Text => info.text = None,
                }
            }
        }
        if unused {
            let term = self.terms.remove(id as usize);
            let hash = hash_term(&self.hasher, term.path, &term.asked);
            if let Ok(entry) = self.term_ids.find_entry(hash, |other| *other == id) {
                entry.remove();
            }
        }
    }

    /// How many paths and terms there are.
    #[cfg(test)]
    pub(super) fn in_use(&self) -> (usize, usize) {
        assert_eq!(self.paths.len(), self.path_ids.len(), "each path is found");
        assert_eq!(self.terms.len(), self.term_ids.len(), "each term is found");
        assert!(self.paths.len() >= self.fields.len(), "no field is left without paths");
        (self.paths.len(), self.terms.len())
    }

    fn hash_text(&self, text: &str) -> u64 {
        hash_text(&self.hasher, text)
    }

    fn hash_value(&self, path: PathId, value: &Value) -> u64 {
        hash_value(&self.hasher, path, value)
    }
}

/// The tables cannot hold 2³² entries of at least eight bytes each on any machine this is for.
fn index(key: usize) -> u32 {
    u32::try_from(key).unwrap_or(u32::MAX)
}

const fn is_composite(asked: &Asked) -> bool {
    matches!(asked, Asked::Equal(literal) if matches!(literal.value(), Value::List(_) | Value::Map(_)))
}

fn hash_text(hasher: &FixedState, text: &str) -> u64 {
    hasher.hash_one(text)
}

fn hash_value(hasher: &FixedState, path: PathId, value: &Value) -> u64 {
    let mut state = hasher.build_hasher();
    path.hash(&mut state);
    order::hash(value, &mut state);
    state.finish()
}

fn hash_term(hasher: &FixedState, path: PathId, asked: &Asked) -> u64 {
    match asked {
        Asked::Equal(literal) => hash_value(hasher, path, literal.value()),
        Asked::Exists => hasher.hash_one((path, true)),
        Asked::Text => hasher.hash_one((path, false)),
    }
}
