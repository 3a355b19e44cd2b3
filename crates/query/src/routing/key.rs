//! Keys as this peer knows them: with what they were hashed from.

use super::{
    cell::{Cell, Weight},
    term::WireKey,
};
use crate::limits::KEY_ANCESTORS;

/// What documents have in common that a query may match: one or two terms, or nothing.
///
/// A term says what stands at a path: a value, a number or string that begins with certain bits, anything of a
/// type, or several values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoutingKey(Cells);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Cells {
    Any,
    One(Cell),
    /// Sorted; neither covers the other.
    Two(Cell, Cell),
}

impl RoutingKey {
    /// The key of any document.
    pub const ANY: Self = Self(Cells::Any);

    pub(super) fn one(cell: Cell) -> Self {
        Self(Cells::One(cell))
    }

    pub(super) fn both(a: Cell, b: Cell) -> Self {
        if a.covers(&b) {
            Self::one(b)
        } else if b.covers(&a) {
            Self::one(a)
        } else {
            Self(Cells::Two(a.clone().min(b.clone()), a.max(b)))
        }
    }

    /// Whether all documents under the other key stand under this one too. That may be so where it says no,
    /// if the documents that there are happen to be such.
    pub fn covers(&self, other: &Self) -> bool {
        self.cells().all(|own| other.cells().any(|its| own.covers(its)))
    }

    /// As it is sent.
    pub fn wire(&self) -> WireKey {
        match &self.0 {
            Cells::Any => WireKey::Any,
            Cells::One(cell) => WireKey::One(cell.term()),
            Cells::Two(a, b) => WireKey::both(a.term(), b.term()),
        }
    }

    /// Keys that cover it, as they are sent, since nobody can tell from the hashes alone: at most
    /// [`KEY_ANCESTORS`], from the nearest to the widest, which is [`WireKey::Any`]. The key itself is not among
    /// them.
    ///
    /// Of one term: what says less and less of its value. Of two: each with the other one's ancestors, then each
    /// alone, then the ancestors of both alone. Where those are too many the nearest are there, and of the
    /// others some.
    pub fn ancestors(&self) -> Vec<WireKey> {
        let terms = |cell: &Cell, most| {
            thinned(cell.ancestors(), most).into_iter().map(|cell| cell.term()).collect::<Vec<_>>()
        };
        let mut keys = match &self.0 {
            Cells::Any => return Vec::new(),
            Cells::One(cell) => {
                terms(cell, KEY_ANCESTORS - 1).into_iter().map(WireKey::One).collect::<Vec<_>>()
            }
            Cells::Two(a, b) => {
                // Four times each, both alone, and any.
                let (above_a, above_b) =
                    (terms(a, (KEY_ANCESTORS - 3) / 4), terms(b, (KEY_ANCESTORS - 3) / 4));
                let (a, b) = (a.term(), b.term());
                let pairs = in_turn(
                    above_a.iter().map(|above| WireKey::both(*above, b)),
                    above_b.iter().map(|above| WireKey::both(a, *above)),
                );
                let alone = [WireKey::One(a), WireKey::One(b)];
                let singles = in_turn(
                    above_a.iter().copied().map(WireKey::One),
                    above_b.iter().copied().map(WireKey::One),
                );
                pairs.into_iter().chain(alone).chain(singles).collect()
            }
        };
        keys.push(WireKey::Any);
        keys
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        let (a, b) = match &self.0 {
            Cells::Any => (None, None),
            Cells::One(cell) => (Some(cell), None),
            Cells::Two(a, b) => (Some(a), Some(b)),
        };
        a.into_iter().chain(b)
    }

    /// How rare documents are that stand under it: less is rarer.
    pub(super) fn weight(&self) -> u64 {
        let all = Weight::ALL * Weight::ALL;
        self.cells().fold(all, |weight, cell| weight * cell.weight().0 / Weight::ALL)
    }
}

/// The first of a list, then every so many, and the last.
fn thinned<T>(list: Vec<T>, most: usize) -> Vec<T> {
    let (length, near) = (list.len(), most / 2);
    if length <= most {
        return list;
    }
    let (left, room) = (length - near, most - near);
    // Of each of so many equal stretches the last.
    let kept = |at: usize| at < near || ((at - near + 1) * room / left > (at - near) * room / left);
    list.into_iter().enumerate().filter(|(at, _)| kept(*at)).map(|(_, item)| item).collect()
}

/// The first of both, then the second of both, and so on.
fn in_turn<T>(a: impl Iterator<Item = T>, b: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<(usize, T)> = a.enumerate().chain(b.enumerate()).collect();
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, item)| item).collect()
}
