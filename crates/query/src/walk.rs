//! Where a path leads in a document: one walk for matching, sorting and indexing.
//!
//! The cost is at most proportional to the document: each value of it is visited once for each name of
//! the path, however lists are nested in it. Recursion is bounded by the length of the path.
//!
//! Each step takes [`Fuel`] first. Where that ran out the walk ends as if what it looks for was found;
//! what comes of it is thrown away.

use taiinet_document::{Map, Value};

use crate::{
    ast::{Part, Path},
    fuel::Fuel,
};

/// What has fields.
pub(crate) trait Fields {
    /// The value of a field.
    fn get(&self, name: &Part) -> Option<&Value>;
}

impl Fields for Map {
    fn get(&self, name: &Part) -> Option<&Value> {
        Map::get(self, &*name.name)
    }
}

/// A list, seen as a map from index to element.
impl Fields for [Value] {
    fn get(&self, name: &Part) -> Option<&Value> {
        <[Value]>::get(self, name.index?)
    }
}

/// Where a path ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End<'v> {
    /// Something on the way lacks the next name.
    Missing,
    /// Some element of a list on the way is no map. Queries do not see it; MongoDB's indexes and sorting
    /// take it for a map without fields.
    Gap,
    /// The last name leads to this value. If it is a list, its elements are looked at too.
    Value(&'v Value),
    /// An index, the last name, leads to this element of a list, which is taken as it is.
    Element(&'v Value),
}

/// Whether `found` says so of any end of the path. It is told of each until then.
pub(crate) fn any_end<'v, F: Fields + ?Sized>(
    fields: &'v F,
    path: &Path,
    fuel: &Fuel,
    found: &mut dyn FnMut(End<'v>) -> bool,
) -> bool {
    let Some((first, rest)) = path.parts().split_first() else { return false };
    if !fuel.values(1) {
        return true;
    }
    match fields.get(first) {
        None => found(End::Missing),
        Some(value) if rest.is_empty() => found(End::Value(value)),
        Some(value) => Walk { path, fuel, found }.visit(value, 1 << 1),
    }
}

/// Follows a path through a document.
///
/// Where a name of the path is a number, it is both an index and a key, and a value can be reached
/// with different parts of the path left. `Positions` holds all of those at once, so that no value
/// is visited twice.
struct Walk<'a, 'v> {
    path: &'a Path,
    fuel: &'a Fuel,
    found: &'a mut dyn FnMut(End<'v>) -> bool,
}

/// A set of positions in a path ([`crate::limits::PATH_PARTS`] at most), one bit each: the names
/// that come next.
type Positions = u32;

impl<'v> Walk<'_, 'v> {
    /// Below a value, with names left to follow.
    fn visit(&mut self, value: &'v Value, positions: Positions) -> bool {
        match value {
            Value::Map(map) => self.visit_map(map, positions, 0),
            Value::List(list) => self.visit_list(list, positions),
            _ => (self.found)(End::Missing),
        }
    }

    /// Below a map; at the `found` positions it is no matter if the map lacks the name.
    fn visit_map(&mut self, map: &'v Map, mut positions: Positions, found: Positions) -> bool {
        let path = self.path;
        while let Some((first, part)) = next(path.parts(), positions) {
            if !self.fuel.values(1) {
                return true;
            }
            // All positions with this name lead to the same value.
            let same = if positions.is_power_of_two() {
                positions
            } else {
                set(positions, |i| path.parts().get(i).is_some_and(|other| other.name == part.name))
            };
            positions &= !same;
            debug_assert!(same & (1 << first) != 0, "each round takes one position at least");
            let holds = match Fields::get(map, part) {
                None => same & !found != 0 && (self.found)(End::Missing),
                Some(value) => {
                    (same & self.last() != 0 && (self.found)(End::Value(value)))
                        || self.onward(value, (same & !self.last()) << 1)
                }
            };
            if holds {
                return true;
            }
        }
        false
    }

    /// A list passes the path on to the maps in it, and to the element whose index comes next.
    fn visit_list(&mut self, list: &'v [Value], positions: Positions) -> bool {
        if !self.fuel.values(list.len()) {
            return true;
        }
        // An index that leads to an element has found it: the maps of the list may have its number
        // as a key too, but need not.
        let found = self.indices(positions, |index| index < list.len());
        let mut gap = false;
        let ended = list.iter().enumerate().any(|(i, element)| {
            let by_index = self.indices(found, |index| index == i);
            // An index that ends the path names the element as it is, even if it is a list.
            if by_index & self.last() != 0 && (self.found)(End::Element(element)) {
                return true;
            }
            let onward = (by_index & !self.last()) << 1;
            match element {
                Value::Map(map) => self.visit_map(map, positions | onward, found & !onward),
                _ => {
                    gap = true;
                    self.onward(element, onward)
                }
            }
        });
        ended || (gap && positions & !found != 0 && (self.found)(End::Gap))
    }

    /// Those positions where the path has an index that fulfils a condition.
    fn indices(&self, positions: Positions, condition: impl Fn(usize) -> bool) -> Positions {
        if positions == 0 || !self.path.has_index() {
            return 0;
        }
        let parts = self.path.parts();
        set(positions, |i| parts.get(i).and_then(|part| part.index).is_some_and(&condition))
    }

    fn onward(&mut self, value: &'v Value, positions: Positions) -> bool {
        positions != 0 && self.visit(value, positions)
    }

    /// The position of the path's last name.
    fn last(&self) -> Positions {
        1 << (self.path.parts().len() - 1)
    }
}

/// The first of some positions, and the name there.
fn next(parts: &[Part], positions: Positions) -> Option<(u32, &Part)> {
    let first = positions.trailing_zeros();
    Some((first, parts.get(first as usize)?))
}

/// Those positions that fulfil a condition.
fn set(positions: Positions, condition: impl Fn(usize) -> bool) -> Positions {
    (0..Positions::BITS)
        .filter(|&i| positions & (1 << i) != 0 && condition(i as usize))
        .fold(0, |set, i| set | 1 << i)
}
