//! How values compare: the one order that equality, `$gt` and its kin, `$in` and sorting share.
//!
//! It is MongoDB's comparison order, for the types that there are: null, numbers, strings, maps,
//! lists, bytes, booleans. Integers and floats compare by their exact value, strings by their UTF-8
//! bytes, bytes by length first, lists element by element, maps field by field in ascending order of
//! names (type of the value, then name, then value).
//!
//! Comparing costs at most time proportional to the smaller of both values, and recurses no deeper.

use core::{
    cmp::Ordering,
    hash::{Hash, Hasher},
};

use taiinet_document::Value;

/// The type bracket: only values of one bracket are greater or less than each other by `$gt`.
pub(crate) const fn bracket(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Int(_) | Value::Float(_) => 1,
        Value::String(_) => 2,
        Value::Map(_) => 3,
        Value::List(_) => 4,
        Value::Bytes(_) => 5,
        Value::Bool(_) => 6,
    }
}

/// The total order of all values.
pub(crate) fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => float_with_float(*a, *b),
        (Value::Int(a), Value::Float(b)) => int_with_float(*a, *b),
        (Value::Float(a), Value::Int(b)) => int_with_float(*b, *a).reverse(),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (Value::List(a), Value::List(b)) => {
            first_difference(a.iter().zip(b).map(|(a, b)| compare(a, b)), a.len().cmp(&b.len()))
        }
        (Value::Map(a), Value::Map(b)) => {
            let fields = a.iter().zip(b).map(|((a_name, a), (b_name, b))| {
                bracket(a)
                    .cmp(&bracket(b))
                    .then_with(|| a_name.cmp(b_name))
                    .then_with(|| compare(a, b))
            });
            first_difference(fields, a.len().cmp(&b.len()))
        }
        _ => bracket(a).cmp(&bracket(b)),
    }
}

/// Whether two values are the same to the language: `1` and `1.0` are.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        // Most lists and texts already differ in length.
        (Value::String(a), Value::String(b)) => a == b,
        (Value::List(a), Value::List(b)) if a.len() != b.len() => false,
        (Value::Map(a), Value::Map(b)) if a.len() != b.len() => false,
        _ => compare(a, b).is_eq(),
    }
}

fn first_difference(mut pairs: impl Iterator<Item = Ordering>, lengths: Ordering) -> Ordering {
    pairs.find(|order| order.is_ne()).unwrap_or(lengths)
}

/// NaN, which no document holds but a `Value` can, is less than every number and equal to itself.
fn float_with_float(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// Exact, where `int as f64` would round: 2⁵³ + 1 is greater than 2⁵³ as a float.
fn int_with_float(int: i64, float: f64) -> Ordering {
    /// 2⁶³, the first float beyond every `i64`; its negative is the least `i64`.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        Ordering::Greater
    } else if float >= BEYOND {
        Ordering::Less
    } else if float < -BEYOND {
        Ordering::Greater
    } else {
        let whole = float.trunc();
        int.cmp(&(whole as i64)).then_with(|| float_with_float(whole, float))
    }
}

/// The integer that equals a float, if there is one.
pub(crate) fn as_int(float: f64) -> Option<i64> {
    let int = float as i64;
    // The cast saturates, so a float beyond every integer shows as unequal here.
    int_with_float(int, float).is_eq().then_some(int)
}

/// Makes an integer of each float that equals one.
pub(crate) fn unify_numbers(value: &mut Value) {
    match value {
        Value::Float(float) => {
            if let Some(int) = as_int(*float) {
                *value = Value::Int(int);
            }
        }
        Value::List(list) => list.iter_mut().for_each(unify_numbers),
        Value::Map(map) => map.values_mut().for_each(unify_numbers),
        _ => {}
    }
}

/// Agrees with [`equal`] on values whose numbers are unified.
pub(crate) fn hash<H: Hasher>(value: &Value, state: &mut H) {
    bracket(value).hash(state);
    match value {
        Value::Null => {}
        Value::Bool(value) => value.hash(state),
        Value::Int(value) => value.hash(state),
        Value::Float(value) => value.to_bits().hash(state),
        Value::String(value) => value.hash(state),
        Value::Bytes(value) => value.hash(state),
        Value::List(list) => {
            list.len().hash(state);
            list.iter().for_each(|value| hash(value, state));
        }
        Value::Map(map) => {
            map.len().hash(state);
            for (name, value) in map {
                name.hash(state);
                hash(value, state);
            }
        }
    }
}

#[cfg(test)]
mod tests;
