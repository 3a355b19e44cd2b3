//! Whether a document matches.
//!
//! The cost of a clause is at most proportional to the document ([`crate::walk`]). Recursion is bounded
//! by the lengths of paths and the depth of queries, not by the document.
//!
//! Whatever looks at a value takes [`Fuel`] for it first. Where that ran out, a test says that it
//! holds, which ends the search for a value; what comes of it is thrown away.

use core::cmp::Ordering;

use taiinet_document::Value;

use crate::{
    ast::{Clause, Field, Literal, Order, Test, Tree},
    fuel::Fuel,
    order,
    walk::{self, End, Fields},
};

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
        walk::any_end(fields, &self.path, fuel, &mut |end| match end {
            End::Missing => self.test.holds_for_missing(),
            End::Gap => false,
            End::Value(value) => self.test.holds_at_end(value, fuel),
            End::Element(element) => self.test.holds_for(element, fuel),
        })
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

#[cfg(test)]
mod tests;
