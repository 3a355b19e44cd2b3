//! Where in an index the documents stand that a query can match.

mod ranges;

use taiinet_document::{Map, Value};

pub use self::ranges::KeyRange;
pub(crate) use self::ranges::Ranges;
use self::ranges::after;
use crate::{
    Query,
    ast::{Clause, Literal, Order, Part, Path, Test, Tree},
    encoding,
    limits::BOUNDS,
    types::TypeSet,
};

/// Ranges of keys such that each document that a query matches has one of its
/// [`IndexKeys`](crate::IndexKeys) in one of them. Not each document that has matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds(Vec<KeyRange>);

impl Bounds {
    /// The ranges: at most [`BOUNDS`] and one more, sorted, none of them empty, none touching another. The
    /// last one holds [`IndexKeys::OVERFLOW`](crate::IndexKeys::OVERFLOW). None at all: nothing matches.
    pub fn ranges(&self) -> &[KeyRange] {
        &self.0
    }

    /// Whether a key lies in one of the ranges.
    pub fn contains(&self, key: &[u8]) -> bool {
        let before = self.0.partition_point(|range| range.start.as_slice() <= key);
        let range = before.checked_sub(1).and_then(|at| self.0.get(at));
        range.is_some_and(|range| range.contains(key))
    }
}

impl Query {
    /// Where in the index of a path the documents stand that it can match; `None` if that can be anywhere.
    ///
    /// Nothing is missed, but there may be more than need be. Each document that is found must be matched,
    /// and can be found several times, under several of its keys.
    pub fn bounds(&self, path: &Path) -> Option<Bounds> {
        let mut ranges = ranges(self.clause(), path)?.at_most(BOUNDS).into_vec();
        if !ranges.is_empty() {
            ranges.push(KeyRange::tagged(encoding::OVERFLOW));
        }
        Some(Bounds(ranges))
    }
}

/// What keys at a path those documents have that fulfil a clause, if they do not have too many; `None` if
/// those can be any. Each range has keys with one tag only.
pub(crate) fn ranges(clause: &Clause, path: &Path) -> Option<Ranges> {
    let values =
        if crate::subject::RESERVED.contains(&path.as_str()) { Values::One } else { Values::Any };
    of_clause(clause, path.parts(), values)
}

/// How many values a document has at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    /// One, in all documents.
    One,
    /// One in most; those with several have the key [`encoding::SEVERAL`].
    Any,
    /// Several in most.
    Several,
}

fn of_clause(clause: &Clause, path: &[Part], values: Values) -> Option<Ranges> {
    match clause {
        Tree::Is(field) => match (below(field.path.parts(), path)?, &field.test) {
            ([], test) => of_end(test),
            // What holds for an element holds at the end of the whole path. Where the element is a list its
            // fields are its indices, which a path finds elsewhere.
            (rest @ [next, ..], Test::ElemMatch(inner)) if next.index.is_none() => {
                of_clause(inner, rest, Values::Several)
            }
            _ => None,
        },
        Tree::Not(_) => None,
        Tree::Any(branches) => any(branches.iter().map(|branch| of_clause(branch, path, values))),
        Tree::All(branches) => {
            all(branches.iter().filter_map(|branch| of_clause(branch, path, values)), values)
        }
    }
}

/// What is left of a path below another one.
fn below<'p>(above: &[Part], path: &'p [Part]) -> Option<&'p [Part]> {
    let (same, rest) = path.split_at_checked(above.len())?;
    same.iter().zip(above).all(|(a, b)| a.name == b.name).then_some(rest)
}

/// Each must be in one of them; unknown if one is.
fn any(branches: impl Iterator<Item = Option<Ranges>>) -> Option<Ranges> {
    let mut ranges = Vec::new();
    for branch in branches {
        ranges.extend(branch?.into_vec());
    }
    Some(Ranges::of(ranges))
}

/// Each must be in each of them: if it has one value, in what they have in common; if it has several,
/// different values may lie in different ones, so that only one of them can be looked at.
fn all(branches: impl Iterator<Item = Ranges>, values: Values) -> Option<Ranges> {
    let mut common: Option<Ranges> = None;
    let mut best: Option<Ranges> = None;
    for branch in branches {
        common = Some(common.map_or_else(|| branch.clone(), |common| common.and(&branch)));
        best = Some(best.filter(|best| best.cost() <= branch.cost()).unwrap_or(branch));
    }
    let common = match values {
        Values::One => common?,
        Values::Any => common?.or(tagged(&[encoding::SEVERAL])),
        Values::Several => return best,
    };
    best.filter(|best| best.cost() <= common.cost()).or(Some(common))
}

/// Of a test at the end of a path: it holds for the value itself or for an element of it, both of which
/// have keys.
fn of_end(test: &Test) -> Option<Ranges> {
    match test {
        // Part of a string, or an element; a string can be either.
        Test::Contains(literal) if !is_string(literal) => {
            Some(equal(core::slice::from_ref(literal)))
        }
        Test::Contains(_) => Some(tagged(&[encoding::STRING])),
        // One element fulfils all of it.
        Test::ElemOperators(tests) => of_element(tests),
        Test::ElemMatch(_) => Some(tagged(&[encoding::MAP, encoding::LIST])),
        _ => of_value(test),
    }
}

/// Of tests that one value fulfils, as it is.
fn of_element(tests: &Tree<Test>) -> Option<Ranges> {
    match tests {
        Tree::Is(test) => of_value(test),
        Tree::Not(_) => None,
        Tree::Any(branches) => any(branches.iter().map(of_element)),
        Tree::All(branches) => all(branches.iter().filter_map(of_element), Values::One),
    }
}

/// Of a test that holds for a value as it is.
fn of_value(test: &Test) -> Option<Ranges> {
    match test {
        Test::Eq(literal) => Some(equal(core::slice::from_ref(literal))),
        Test::In(literals) => Some(equal(literals)),
        Test::Compare(side, literal) => Some(compare(*side, literal)),
        Test::Exists => None,
        Test::Type(types) => Some(of_types(*types)),
        Test::Regex(_) => Some(tagged(&[encoding::STRING])),
        Test::Mod { .. } => Some(tagged(&[encoding::NUMBER])),
        Test::Contains(literal) if is_string(literal) => {
            Some(tagged(&[encoding::STRING, encoding::LIST]))
        }
        Test::Contains(_) | Test::Size(_) | Test::ElemMatch(_) | Test::ElemOperators(_) => {
            Some(tagged(&[encoding::LIST]))
        }
    }
}

const fn is_string(literal: &Literal) -> bool {
    matches!(literal.value(), Value::String(_))
}

fn tagged(tags: &[u8]) -> Ranges {
    Ranges::of(tags.iter().map(|tag| KeyRange::tagged(*tag)).collect())
}

fn equal(literals: &[Literal]) -> Ranges {
    let points = literals.iter().map(|literal| {
        let mut key = Vec::new();
        encoding::append(literal.value(), &mut key);
        KeyRange::point(key)
    });
    Ranges::of(points.collect())
}

/// Up to the end of the literal's bracket. If its key is cut, greater and lesser values may share it.
fn compare(side: Order, literal: &Literal) -> Ranges {
    let mut key = Vec::new();
    let cut = encoding::append(literal.value(), &mut key);
    let KeyRange { start, end } = KeyRange::tagged(encoding::tag(literal.value()));
    Ranges::of(vec![match side {
        Order::Gt if !cut => KeyRange { start: after(&key), end },
        Order::Gt | Order::Gte => KeyRange { start: key, end },
        Order::Lt if !cut => KeyRange { start, end: key },
        Order::Lt | Order::Lte => KeyRange { start, end: after(&key) },
    }])
}

fn of_types(types: TypeSet) -> Ranges {
    let each = [
        Value::Null,
        Value::Int(0),
        Value::Float(0.0),
        Value::String(String::new()),
        Value::Map(Map::new()),
        Value::List(Vec::new()),
        Value::Bytes(Vec::new()),
        Value::Bool(false),
    ];
    let tags: Vec<u8> =
        each.iter().filter(|value| types.contains(value)).map(encoding::tag).collect();
    tagged(&tags)
}

#[cfg(test)]
mod tests;
