//! The keys of a set that have one shape.

use core::ops::RangeInclusive;

use super::shape::Shape;
use crate::routing::{document::DocumentKeys, key::RoutingKey, term::Term};

/// The most shapes of a set: a document is asked for each.
pub(super) const SHAPES: usize = 64;
/// How many bits of a hash are kept.
pub(super) const HASH_BITS: RangeInclusive<u8> = 12..=32;

/// Keys of a shape, or hashes of them: the numbers of one or the other, sorted, each once, and one at least.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Group {
    shape: Shape,
    /// How many bits of each key's hash are kept: fewer than tell the keys apart. None if the keys themselves
    /// are.
    hashed: Option<u8>,
    numbers: Numbers,
}

/// No wider than they need to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Numbers {
    Short(Box<[u32]>),
    Long(Box<[u64]>),
    Wide(Box<[u128]>),
}

impl Group {
    /// Of numbers that are sorted, each once, and one at least.
    pub(super) fn new(shape: Shape, hashed: Option<u8>, numbers: &[u128]) -> Self {
        let numbers = match hashed.unwrap_or(shape.width()) {
            ..=32 => Numbers::Short(numbers.iter().map(|number| *number as u32).collect()),
            33..=64 => Numbers::Long(numbers.iter().map(|number| *number as u64).collect()),
            _ => Numbers::Wide(numbers.into()),
        };
        Self { shape, hashed, numbers }
    }

    pub(super) const fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) const fn hashed(&self) -> Option<u8> {
        self.hashed
    }

    pub(super) const fn is_hashed(&self) -> bool {
        self.hashed.is_some()
    }

    pub(super) const fn len(&self) -> usize {
        match &self.numbers {
            Numbers::Short(numbers) => numbers.len(),
            Numbers::Long(numbers) => numbers.len(),
            Numbers::Wide(numbers) => numbers.len(),
        }
    }

    pub(super) fn numbers(&self) -> Vec<u128> {
        match &self.numbers {
            Numbers::Short(numbers) => numbers.iter().map(|number| u128::from(*number)).collect(),
            Numbers::Long(numbers) => numbers.iter().map(|number| u128::from(*number)).collect(),
            Numbers::Wide(numbers) => numbers.to_vec(),
        }
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = u16> + use<> {
        let (first, second) = self.shape.terms();
        core::iter::once(first).chain(second).map(Term::path)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match &self.numbers {
            Numbers::Short(numbers) => size_of_val(&**numbers),
            Numbers::Long(numbers) => size_of_val(&**numbers),
            Numbers::Wide(numbers) => size_of_val(&**numbers),
        }
    }

    /// Whether a document may stand under one of the keys; none where there would be more tries than are left.
    pub(super) fn matches(&self, document: &DocumentKeys, tries: &mut usize) -> Option<bool> {
        let (first, second) = self.shape.terms();
        let has_any = |term: Term| document.has_any(term.path());
        let firsts = prefixes(document, first);
        let Some(second) = second else {
            *tries = tries.checked_sub(firsts.len())?;
            return Some(has_any(first) || firsts.iter().any(|prefix| self.holds(*prefix, 0)));
        };
        let (any_first, any_second) = (has_any(first), has_any(second));
        if firsts.is_empty() && !any_first {
            return Some(false);
        }
        let seconds = prefixes(document, second);
        if any_first || any_second {
            // Of hashes nobody can tell, so there must be something of the other at least.
            let has = |any: bool, known: &[u64], prefix: u64| {
                any || if self.is_hashed() {
                    !known.is_empty()
                } else {
                    known.binary_search(&prefix).is_ok()
                }
            };
            *tries = tries.checked_sub(self.len())?;
            return Some(self.numbers().into_iter().any(|number| {
                let (a, b) = self.shape.prefixes(number);
                has(any_first, &firsts, a) && has(any_second, &seconds, b)
            }));
        }
        *tries = tries.checked_sub(firsts.len() * seconds.len())?;
        let either = |first: &u64| seconds.iter().any(|second| self.holds(*first, *second));
        Some(firsts.iter().any(either))
    }

    /// Whether a key or one that covers it may be there.
    pub(super) fn may_hold(&self, key: &RoutingKey) -> bool {
        let (first, second) = self.shape.terms();
        let within = |above: Term| key.terms().filter_map(move |term| fitted(term, above));
        match second {
            None => within(first).any(|prefix| self.holds(prefix, 0)),
            Some(second) => within(first).any(|a| within(second).any(|b| self.holds(a, b))),
        }
    }

    /// Whether the key with these bits may be there.
    fn holds(&self, first: u64, second: u64) -> bool {
        let number = self.shape.number(first, second);
        let number = self.hashed.map_or(number, |bits| self.shape.hash(number, bits));
        match &self.numbers {
            Numbers::Short(numbers) => numbers.binary_search(&(number as u32)).is_ok(),
            Numbers::Long(numbers) => numbers.binary_search(&(number as u64)).is_ok(),
            Numbers::Wide(numbers) => numbers.binary_search(&number).is_ok(),
        }
    }
}

/// The bits of a term that one of a certain shape has if it covers it; none if there is no such one.
fn fitted(term: Term, shape: Term) -> Option<u64> {
    let wider = term.widened(shape.level());
    (wider.widened(0) == shape.widened(0) && wider.level() == shape.level()).then(|| wider.prefix())
}

/// Of a document's values the first bits, each once.
fn prefixes(document: &DocumentKeys, shape: Term) -> Vec<u64> {
    let entries = document.entries(shape).iter();
    let mut prefixes: Vec<u64> = entries.map(|entry| entry.prefix(shape.level())).collect();
    prefixes.dedup();
    prefixes
}
