//! Terms as this peer knows them: with the path that they were hashed from.

use core::cmp::Ordering;

use super::{
    hash::{PathHash, is_keyed_name},
    key::RoutingKey,
    term::{Tag, Term},
};
use crate::{ast::Path, limits::PATH_PARTS};

/// A path, and what a value there has: a term that is at no path yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cell {
    pub(super) path: Path,
    pub(super) place: Term,
}

/// One or two cells, of which neither covers the other: a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cells {
    One(Cell),
    Two(Cell, Cell),
}

/// How rare it is that a document has a term: parts of [`Weight::ALL`]. A guess that needs no statistics, by
/// the kinds of things that applications have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Weight(pub(super) u64);

impl Cell {
    pub(super) fn term(&self) -> Term {
        let parts = self.path.parts().iter();
        self.place.at(parts.fold(PathHash::ROOT, |path, part| path.then(&part.name)))
    }

    /// Whether all documents with the other have this one.
    fn covers(&self, other: &Self) -> bool {
        self.path == other.path && self.place.covers(other.place)
    }

    /// Whether it says all of a value that terms can.
    pub(super) const fn is_whole(&self) -> bool {
        self.place.level() == self.place.tag().levels()
    }

    /// Whole values of the fields that tell documents and authors apart, then texts, numbers, ranges of
    /// numbers by their level, booleans and types.
    pub(super) fn weight(&self) -> Weight {
        let bits = self.place.level();
        Weight(match self.place.tag() {
            Tag::SEVERAL => Weight::ALL >> 4,
            _ if bits == 0 => Weight::ALL >> 1,
            Tag::BOOL => Weight::ALL * 3 / 8,
            Tag::NUMBER if self.is_whole() => Weight::ALL >> 6,
            Tag::NUMBER => Weight::ALL >> (1 + bits / 4).min(5),
            _ => match self.path.as_str() {
                "_id" => 1,
                "_author" | "_owner" | "_key" => Weight::ALL >> 10,
                _ => Weight::ALL >> 7,
            },
        })
    }
}

impl Cells {
    pub(super) fn both(a: Cell, b: Cell) -> Self {
        if a.covers(&b) {
            Self::One(b)
        } else if b.covers(&a) {
            Self::One(a)
        } else {
            Self::Two(a.clone().min(b.clone()), a.max(b))
        }
    }

    /// Whether all documents under the other stand under this one too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.iter().all(|own| other.iter().any(|its| own.covers(its)))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Cell> {
        let (a, b) = match self {
            Self::One(cell) => (cell, None),
            Self::Two(a, b) => (a, Some(b)),
        };
        core::iter::once(a).chain(b)
    }

    pub(super) fn key(&self) -> RoutingKey {
        match self {
            Self::One(cell) => RoutingKey::One(cell.term()),
            Self::Two(a, b) => RoutingKey::both(a.term(), b.term()),
        }
    }

    /// How rare documents are that stand under it: less is rarer.
    pub(super) fn weight(&self) -> u64 {
        let all = Weight::ALL * Weight::ALL;
        self.iter().fold(all, |weight, cell| weight * cell.weight().0 / Weight::ALL)
    }
}

impl Weight {
    /// All documents.
    pub(super) const ALL: u64 = 1 << 16;

    /// Less is better.
    pub(super) fn compare(a: &[Cell], b: &[Cell]) -> Ordering {
        let sum = |cells: &[Cell]| cells.iter().map(|cell| cell.weight().0).sum::<u64>();
        sum(a).cmp(&sum(b)).then(a.len().cmp(&b.len()))
    }
}

/// Whether documents can list what they have at a path: none of its names may be an index, since the same
/// value would stand at several paths.
pub(super) fn is_keyed_path(path: &Path) -> bool {
    path.parts().len() <= PATH_PARTS && path.parts().iter().all(|part| is_keyed_name(&part.name))
}
