//! Whether a document matches.
//!
//! The cost of a clause is at most proportional to the document: each value of it is looked at once
//! for each clause and each name of the clause's path, however lists are nested in it. Recursion is
//! bounded by the lengths of paths and the depth of queries, not by the document.
//!
//! Whatever looks at a value takes [`Fuel`] for it first. Where that ran out, a test says that it
//! holds, which ends the search for a value; what comes of it is thrown away.

use core::cmp::Ordering;

use taiinet_document::{Map, Value};

use crate::{
    ast::{Clause, Field, Literal, Order, Part, Path, Test, Tree},
    fuel::Fuel,
    order,
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

impl<L> Tree<L> {
    /// Whether it holds, given which leaves do.
    pub(crate) fn holds(&self, leaf: &impl Fn(&L) -> bool) -> bool {
        match self {
            Self::Is(inner) => leaf(inner),
            Self::Not(inner) => !leaf(inner),
            Self::All(branches) => branches.iter().all(|branch| branch.holds(leaf)),
            Self::Any(branches) => branches.iter().any(|branch| branch.holds(leaf)),
        }
    }
}

impl Clause {
    /// Whether something with fields matches.
    pub(crate) fn matches<F: Fields + ?Sized>(&self, fields: &F, fuel: &Fuel) -> bool {
        self.holds(&|field: &Field| field.matches(fields, fuel))
    }
}

impl Field {
    /// Whether the test holds for any of the values at the path.
    pub(crate) fn matches<F: Fields + ?Sized>(&self, fields: &F, fuel: &Fuel) -> bool {
        let Some((first, rest)) = self.path.parts().split_first() else { return false };
        if !fuel.values(1) {
            return true;
        }
        match fields.get(first) {
            None => self.test.holds_for_missing(),
            Some(value) if rest.is_empty() => self.test.holds_at_end(value, fuel),
            Some(value) => Walk { path: &self.path, test: &self.test, fuel }.visit(value, 1 << 1),
        }
    }
}

impl Test {
    /// Whether it holds for a field that is not there.
    pub(crate) fn holds_for_missing(&self) -> bool {
        match self {
            Self::Eq(literal) => literal.is_null(),
            // Null sorts first.
            Self::In(literals) => literals.first().is_some_and(|literal| literal.is_null()),
            _ => false,
        }
    }

    /// Whether it holds for the value that a path's last name leads to: for a list, some tests look
    /// at its elements too.
    pub(crate) fn holds_at_end(&self, value: &Value, fuel: &Fuel) -> bool {
        match (self, value) {
            (
                Self::Eq(_)
                | Self::In(_)
                | Self::Compare(..)
                | Self::Type(_)
                | Self::Regex(_)
                | Self::Mod { .. },
                Value::List(list),
            ) => {
                self.holds_for(value, fuel)
                    || list.iter().any(|element| self.holds_for(element, fuel))
            }
            _ => self.holds_for(value, fuel),
        }
    }

    /// Whether it holds for the value itself.
    pub(crate) fn holds_for(&self, value: &Value, fuel: &Fuel) -> bool {
        if !self.takes(value, fuel) {
            return true;
        }
        match (self, value) {
            (Self::Eq(literal), _) => order::equal(literal.value(), value),
            (Self::In(literals), _) => {
                literals.binary_search_by(|literal| order::compare(literal.value(), value)).is_ok()
            }
            (Self::Compare(side, literal), _) => {
                order::bracket(literal.value()) == order::bracket(value)
                    && side.allows(order::compare(value, literal.value()))
            }
            (Self::Exists, _) => true,
            (Self::Type(types), _) => types.contains(value),
            (Self::Regex(pattern), Value::String(text)) => pattern.is_match(text),
            (Self::Contains(literal), Value::String(text)) => match literal.value() {
                Value::String(part) => text.contains(part.as_str()),
                _ => false,
            },
            (Self::Contains(literal), Value::List(list)) => list.iter().any(|element| {
                !fuel.compare(literal.value(), element) || order::equal(literal.value(), element)
            }),
            (Self::Size(size), Value::List(list)) => list.len() as u64 == *size,
            (Self::Mod { divisor, remainder }, Value::Int(int)) => {
                int.wrapping_rem(*divisor) == *remainder
            }
            (Self::Mod { divisor, remainder }, Value::Float(float)) => order::as_int(float.trunc())
                .is_some_and(|int| int.wrapping_rem(*divisor) == *remainder),
            (Self::ElemMatch(clause), Value::List(list)) => list.iter().any(|element| {
                !fuel.values(1)
                    || match element {
                        Value::Map(map) => clause.matches(map, fuel),
                        Value::List(list) => clause.matches(list.as_slice(), fuel),
                        _ => false,
                    }
            }),
            (Self::ElemOperators(tree), Value::List(list)) => {
                list.iter().any(|element| tree.holds(&|test: &Self| test.holds_for(element, fuel)))
            }
            _ => false,
        }
    }

    /// Takes what the test itself costs for a value; elements that it looks at one by one cost more.
    fn takes(&self, value: &Value, fuel: &Fuel) -> bool {
        match (self, value) {
            (Self::Eq(literal) | Self::Compare(_, literal), _) => {
                fuel.compare(literal.value(), value)
            }
            (Self::In(literals), _) => fuel.look_up(literals.iter().map(Literal::value), value),
            (Self::Regex(pattern), Value::String(text)) => fuel.regex(pattern.weight(), text),
            (Self::Contains(_), Value::String(text)) => fuel.search(text),
            _ => fuel.values(1),
        }
    }
}

impl Order {
    const fn allows(self, order: Ordering) -> bool {
        match self {
            Self::Gt => order.is_gt(),
            Self::Gte => order.is_ge(),
            Self::Lt => order.is_lt(),
            Self::Lte => order.is_le(),
        }
    }
}

/// Follows a path through a document until its test holds somewhere.
///
/// Where a name of the path is a number, it is both an index and a key, and a value can be reached
/// with different parts of the path left. `Positions` holds all of those at once, so that no value
/// is visited twice.
struct Walk<'a> {
    path: &'a Path,
    test: &'a Test,
    fuel: &'a Fuel,
}

/// A set of positions in a path ([`crate::limits::PATH_PARTS`] at most), one bit each: the names
/// that come next.
type Positions = u32;

impl Walk<'_> {
    /// Below a value, with names left to follow.
    fn visit(&self, value: &Value, positions: Positions) -> bool {
        match value {
            Value::Map(map) => self.visit_map(map, positions, 0),
            Value::List(list) => self.visit_list(list, positions),
            _ => self.test.holds_for_missing(),
        }
    }

    /// Below a map; at the `found` positions it is no matter if the map lacks the name.
    fn visit_map(&self, map: &Map, mut positions: Positions, found: Positions) -> bool {
        let parts = self.path.parts();
        while let Some((first, part)) = next(parts, positions) {
            if !self.fuel.values(1) {
                return true;
            }
            // All positions with this name lead to the same value.
            let same = if positions.is_power_of_two() {
                positions
            } else {
                set(positions, |i| parts.get(i).is_some_and(|other| other.name == part.name))
            };
            positions &= !same;
            debug_assert!(same & (1 << first) != 0, "each round takes one position at least");
            let holds = match Fields::get(map, part) {
                None => same & !found != 0 && self.test.holds_for_missing(),
                Some(value) => {
                    (same & self.last() != 0 && self.test.holds_at_end(value, self.fuel))
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
    fn visit_list(&self, list: &[Value], positions: Positions) -> bool {
        if !self.fuel.values(list.len()) {
            return true;
        }
        // An index that leads to an element has found it: the maps of the list may have its number
        // as a key too, but need not.
        let found = self.indices(positions, |index| index < list.len());
        list.iter().enumerate().any(|(i, element)| {
            let by_index = self.indices(found, |index| index == i);
            // An index that ends the path names the element as it is, even if it is a list.
            if by_index & self.last() != 0 && self.test.holds_for(element, self.fuel) {
                return true;
            }
            let onward = (by_index & !self.last()) << 1;
            match element {
                Value::Map(map) => self.visit_map(map, positions | onward, found & !onward),
                _ => self.onward(element, onward),
            }
        })
    }

    /// Those positions where the path has an index that fulfils a condition.
    fn indices(&self, positions: Positions, condition: impl Fn(usize) -> bool) -> Positions {
        if !self.path.has_index() || positions == 0 {
            return 0;
        }
        let parts = self.path.parts();
        set(positions, |i| parts.get(i).and_then(|part| part.index).is_some_and(&condition))
    }

    fn onward(&self, value: &Value, positions: Positions) -> bool {
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

#[cfg(test)]
mod tests;
