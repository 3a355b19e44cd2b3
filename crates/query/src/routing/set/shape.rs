//! What keys of a set have in common.

use crate::routing::{hash::step, key::RoutingKey, term::Term};

/// The beginning of the hashes of keys.
const KEY: u64 = u64::from_be_bytes(*b"taiinetk");

/// The paths, types and levels of a key's terms. Those with the same paths and types stand together in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Shape {
    frame: Frame,
    levels: (u8, u8),
}

/// The paths and types: terms at level 0, the lesser one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Frame(pub(super) Term, pub(super) Option<Term>);

impl Shape {
    /// Of a key; none of [`RoutingKey::Any`].
    pub(super) fn of(key: &RoutingKey) -> Option<Self> {
        let mut terms = key.terms();
        Some(Self::new(terms.next()?, terms.next()))
    }

    /// Of a key's terms.
    pub(super) fn new(first: Term, second: Option<Term>) -> Self {
        let levels = (first.level(), second.map_or(0, Term::level));
        Self { frame: Frame(first.widened(0), second.map(|term| term.widened(0))), levels }
    }

    pub(super) const fn frame(self) -> Frame {
        self.frame
    }

    /// The level of each term, of a second one that there is not 0.
    pub(super) const fn levels(self) -> (u8, u8) {
        self.levels
    }

    /// The same paths and types.
    pub(super) const fn at_levels(self, levels: (u8, u8)) -> Self {
        Self { levels, ..self }
    }

    /// Whether a key of this shape may cover one of the other.
    pub(super) fn may_cover(self, other: Self) -> bool {
        let (own, its) = (self.terms(), other.terms());
        let is_above = |own: Term| {
            let fits = |its: Term| own.level() <= its.level() && own.widened(0) == its.widened(0);
            fits(its.0) || its.1.is_some_and(fits)
        };
        is_above(own.0) && own.1.is_none_or(is_above)
    }

    /// The terms without a value's bits.
    pub(super) fn terms(self) -> (Term, Option<Term>) {
        let Frame(first, second) = self.frame;
        (first.with_level(self.levels.0), second.map(|term| term.with_level(self.levels.1)))
    }

    /// How many bits tell the keys of this shape apart.
    pub(super) const fn width(self) -> u8 {
        self.levels.0 + self.levels.1
    }

    /// These bits of a key.
    pub(super) fn number(self, first: u64, second: u64) -> u128 {
        u128::from(first) << self.levels.1 | u128::from(second)
    }

    /// Those of each term.
    pub(super) const fn prefixes(self, number: u128) -> (u64, u64) {
        let rest = (1 << self.levels.1) - 1;
        ((number >> self.levels.1) as u64, (number & rest) as u64)
    }

    /// The key with these bits.
    pub(super) fn key(self, number: u128) -> RoutingKey {
        let ((first, second), (a, b)) = (self.terms(), self.prefixes(number));
        let first = first.with_prefix(a);
        match second {
            Some(second) => RoutingKey::both(first, second.with_prefix(b)),
            None => RoutingKey::One(first),
        }
    }

    /// Whether the key with these bits has this shape: of two terms of one path and type, neither must cover the
    /// other.
    pub(super) fn is_shape_of(self, number: u128) -> bool {
        self.frame.1 != Some(self.frame.0) || Self::of(&self.key(number)) == Some(self)
    }

    /// The same of what is hashed, so many bits.
    pub(super) fn hash(self, number: u128, bits: u8) -> u128 {
        let hash = step(step(self.seed(), number as u64), (number >> 64) as u64);
        u128::from(hash >> (64 - u32::from(bits)))
    }

    /// What the hashes of this shape begin with.
    fn seed(self) -> u64 {
        let (first, second) = self.terms();
        step(step(KEY, first.word()), second.map_or(0, Term::word))
    }
}
