//! How much work matching may take, counted before it is done.
//!
//! Units, not time: what one peer evaluates, every other does. One unit is about half a nanosecond on a
//! machine of 2024, and the most that a regular expression costs for each byte that it weighs
//! ([`crate::limits::REGEX_BYTES`]) and each byte of the text that it reads.

use core::cell::Cell;

use taiinet_document::Value;

use crate::limits::QUERY_BYTES;

/// Beginning with a query at all.
const QUERY: u64 = 128;
/// Looking at one value, or testing it.
const VALUE: u64 = 64;
/// For each byte in which a part is searched.
const SEARCHED: u64 = 4;
/// One unit pays for comparing so many bytes.
const COMPARED: u64 = 8;

/// The work that matching may still take ([`Query::matches_within`](crate::Query::matches_within)).
#[derive(Debug)]
pub struct Fuel {
    left: Cell<u64>,
    ran_out: Cell<bool>,
}

/// Matching would have taken more work than was allowed; whether the document matches is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("matching takes more work than is allowed")]
pub struct OutOfFuel;

impl Fuel {
    /// So many units. The cheapest query takes about 200 for a document, a short regular expression
    /// about 300 for each byte of a text.
    pub const fn new(units: u64) -> Self {
        Self { left: Cell::new(units), ran_out: Cell::new(false) }
    }

    /// More than can be used up.
    pub(crate) const fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// How much is left. What was refused was not done, so it is not taken.
    pub fn left(&self) -> u64 {
        self.left.get()
    }

    /// Whether some work was refused. From then on all is.
    pub(crate) fn ran_out(&self) -> bool {
        self.ran_out.get()
    }

    /// Takes so much; whether the work may be done.
    fn take(&self, units: u64) -> bool {
        match self.left.get().checked_sub(units) {
            Some(left) if !self.ran_out() => {
                self.left.set(left);
                true
            }
            _ => {
                self.ran_out.set(true);
                false
            }
        }
    }

    pub(crate) fn query(&self) -> bool {
        self.take(QUERY)
    }

    pub(crate) fn values(&self, count: usize) -> bool {
        self.take(VALUE.saturating_mul(count as u64))
    }

    /// For comparing a value with a literal.
    pub(crate) fn compare(&self, literal: &Value, value: &Value) -> bool {
        !self.ran_out() && self.take(size(literal, value))
    }

    /// For looking a value up among sorted literals.
    pub(crate) fn look_up<'a>(
        &self,
        literals: impl ExactSizeIterator<Item = &'a Value>,
        value: &Value,
    ) -> bool {
        let count = literals.len();
        let steps = u64::from(count.checked_ilog2().unwrap_or(0)) + 1;
        let each = match value {
            // None of the literals is longer than a query, nor are all together.
            Value::List(_) | Value::Map(_) => {
                if !self.values(count) {
                    return false;
                }
                literals.map(|literal| size(literal, value)).max().unwrap_or(VALUE)
            }
            Value::String(text) => bytes(text.len(), QUERY_BYTES),
            Value::Bytes(list) => bytes(list.len(), QUERY_BYTES),
            _ => VALUE,
        };
        self.take(each.saturating_mul(steps))
    }

    /// For finding a part in a text.
    pub(crate) fn search(&self, text: &str) -> bool {
        self.take(VALUE.saturating_add(SEARCHED.saturating_mul(text.len() as u64)))
    }

    /// For an expression of so many compiled bytes and a text.
    pub(crate) fn regex(&self, weight: usize, text: &str) -> bool {
        let bytes = (text.len() as u64).saturating_add(1);
        self.take(VALUE.saturating_add(bytes.saturating_mul(weight as u64)))
    }
}

/// For comparing so many bytes with so many.
fn bytes(a: usize, b: usize) -> u64 {
    VALUE + a.min(b) as u64 / COMPARED
}

/// What comparing two values takes at most: no more than the smaller of them.
fn size(a: &Value, b: &Value) -> u64 {
    match (a, b) {
        (Value::String(a), Value::String(b)) => bytes(a.len(), b.len()),
        (Value::Bytes(a), Value::Bytes(b)) => bytes(a.len(), b.len()),
        (Value::List(a), Value::List(b)) => {
            a.iter().zip(b).map(|(a, b)| size(a, b)).fold(VALUE, u64::saturating_add)
        }
        (Value::Map(a), Value::Map(b)) => {
            let field = |((a_name, a), (b_name, b)): ((&String, &Value), (&String, &Value))| {
                bytes(a_name.len(), b_name.len()).saturating_add(size(a, b))
            };
            a.iter().zip(b).map(field).fold(VALUE, u64::saturating_add)
        }
        _ => VALUE,
    }
}

#[cfg(test)]
mod tests;
