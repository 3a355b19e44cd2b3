//! The terms that a document has.

use core::{fmt, hash::BuildHasher};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use taiinet_document::{Map, Value, VerifiedDocument};

use super::{
    cell::{is_keyed_name, prefix_bits},
    code::Code,
    term::{PathHash, Term, WireKey},
};
use crate::{
    encoding,
    limits::{DOCUMENT_PATHS, DOCUMENT_TERMS, INDEX_KEYS, PATH_PARTS},
    subject::{Attributes, RESERVED, Subject},
};

/// The terms that a document has, so that it can be asked whether it stands under a
/// [`WireKey`].
///
/// At most [`DOCUMENT_TERMS`]. A path with more values than [`INDEX_KEYS`], or for which there is no room,
/// counts as having all terms there can be; with more than [`DOCUMENT_PATHS`] such paths the document has all
/// terms of all paths. That is never wrong, but the document goes where nobody wants it.
#[derive(Clone)]
pub struct DocumentKeys {
    terms: HashTable<Term>,
    /// A bit for each, so that most of what it lacks is seen at once.
    bits: [u64; WORDS],
    /// The paths of which it has all terms: sorted, each once.
    full: Vec<u16>,
    everything: bool,
}

impl DocumentKeys {
    /// Those of a document; `None` for what has no fields and matches no query: a deletion, a
    /// subscription, and content that only a later version can read. The work is bounded by the document.
    pub fn of(document: &VerifiedDocument) -> Option<Self> {
        let content = document.content().fields()?;
        Some(Self::of_fields(Attributes::of(document), content))
    }

    /// Those of a document that is not signed yet or that was sealed.
    pub fn of_fields(attributes: Attributes<'_>, content: &Map) -> Self {
        let subject = Subject::new(attributes, content);
        let mut gather = Gather::default();
        for name in RESERVED {
            if let Some(value) = subject.reserved(name) {
                gather.value(PathHash::ROOT.then(name), value, Way::FIRST);
            }
        }
        for (name, value) in content.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str())) {
            gather.field(PathHash::ROOT, name, value, Way::FIRST);
        }
        gather.keys
    }

    /// The terms, sorted, but for those of the paths of which it has all.
    pub fn terms(&self) -> Vec<Term> {
        let mut terms: Vec<Term> = self.terms.iter().copied().collect();
        terms.sort_unstable();
        terms
    }

    /// How many terms it has, but for the paths of which it has all.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether it has none, which no signed document does.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.full.is_empty() && !self.is_everything()
    }

    /// Whether it stands under all keys.
    pub const fn is_everything(&self) -> bool {
        self.everything
    }

    /// Whether it has a term.
    pub fn contains(&self, term: Term) -> bool {
        let (word, bit) = bit(term);
        let may_have = self.bits.get(word).is_some_and(|word| word & bit != 0);
        (may_have && self.terms.find(hash(&term), |known| *known == term).is_some())
            || self.everything
            || (!self.full.is_empty() && self.full.binary_search(&term.path()).is_ok())
    }
}

impl WireKey {
    /// Whether a document stands under it. Then the queries that it was made for need not match, but what
    /// they match stands under one of their keys.
    pub fn matches(&self, document: &DocumentKeys) -> bool {
        match self {
            Self::Any => true,
            Self::One(term) => document.contains(*term),
            Self::Two(pair) => pair.terms().into_iter().all(|term| document.contains(term)),
        }
    }
}

impl fmt::Debug for DocumentKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentKeys")
            .field("terms", &self.len())
            .field("full", &self.full)
            .field("everything", &self.everything)
            .finish()
    }
}

/// Of the bits by which terms are told apart at once.
const WORDS: usize = 128;

/// A term's word there, and the bit in it.
const fn bit(term: Term) -> (usize, u64) {
    let number = term.number();
    ((number >> 6) as usize % WORDS, 1 << (number % 64))
}

fn hash(term: &Term) -> u64 {
    FixedState::default().hash_one(term.number())
}

/// How a path came to a value.
#[derive(Clone, Copy)]
struct Way {
    /// How many names it has.
    names: usize,
    /// The product of the lengths of the lists that it came through: so many values there can be.
    values: usize,
}

impl Way {
    const FIRST: Self = Self { names: 1, values: 1 };
}

struct Gather {
    keys: DocumentKeys,
    scratch: Vec<u8>,
}

impl Default for Gather {
    fn default() -> Self {
        let terms = HashTable::with_capacity(DOCUMENT_TERMS / 2);
        let keys = DocumentKeys { terms, bits: [0; WORDS], full: Vec::new(), everything: false };
        Self { keys, scratch: Vec::new() }
    }
}

impl Gather {
    fn field(&mut self, path: PathHash, name: &str, value: &Value, way: Way) {
        if is_keyed_name(name) && way.names <= PATH_PARTS && !self.keys.everything {
            self.value(path.then(name), value, way);
        }
    }

    /// What stands at a path, and below.
    fn value(&mut self, path: PathHash, value: &Value, way: Way) {
        self.end(path, value, way);
        match value {
            Value::Map(map) => self.below(path, map, way, 1),
            Value::List(list) => {
                for element in list {
                    // Not what is in a list directly inside a list.
                    if let Value::Map(map) = element {
                        self.below(path, map, way, list.len());
                    }
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, path: PathHash, map: &Map, way: Way, times: usize) {
        let way = Way { names: way.names + 1, values: way.values.saturating_mul(times) };
        for (name, value) in map {
            self.field(path, name, value, way);
        }
    }

    /// What stands at a path.
    fn end(&mut self, path: PathHash, value: &Value, way: Way) {
        let elements = match value {
            Value::List(list) => Some(list),
            _ => None,
        };
        let values = way.values.saturating_mul(elements.map_or(1, Vec::len));
        let is_full = self.keys.full.binary_search(&path.short()).is_ok();
        if is_full || (values <= INDEX_KEYS && self.terms(path, value, elements, way)) {
            return;
        }
        if let Err(at) = self.keys.full.binary_search(&path.short()) {
            self.keys.full.insert(at, path.short());
            self.keys.everything |= self.keys.full.len() > DOCUMENT_PATHS;
        }
    }

    /// Adds the terms of what stands at a path; whether there was room.
    fn terms(
        &mut self,
        path: PathHash,
        value: &Value,
        elements: Option<&Vec<Value>>,
        way: Way,
    ) -> bool {
        let several = elements.is_some() || way.values > 1;
        (!several || self.insert(path.several()))
            && self.key(path, value)
            && elements.into_iter().flatten().all(|element| self.key(path, element))
    }

    /// Adds the terms of a value's key.
    fn key(&mut self, path: PathHash, value: &Value) -> bool {
        if matches!(value, Value::Null) {
            // No key asks for what a document without the field would have as well.
            return true;
        }
        let mut key = core::mem::take(&mut self.scratch);
        key.clear();
        encoding::append(value, &mut key);
        let (tag, code, bits) = (encoding::tag(value), Code::of(&key), prefix_bits(&key));
        let fits = self.insert(path.whole(&key))
            && path.prefixes(tag, code, bits).all(|term| self.insert(term));
        self.scratch = key;
        fits
    }

    fn insert(&mut self, term: Term) -> bool {
        let terms = &mut self.keys.terms;
        let is_known = terms.find(hash(&term), |known| *known == term).is_some();
        if !is_known && terms.len() < DOCUMENT_TERMS {
            terms.insert_unique(hash(&term), term, hash);
            let (word, bit) = bit(term);
            if let Some(word) = self.keys.bits.get_mut(word) {
                *word |= bit;
            }
            return true;
        }
        is_known
    }
}
