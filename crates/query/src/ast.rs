//! A query after parsing: the tree that is matched, printed, compared and indexed.
//!
//! The tree is in *negation normal form*: only leaves are negated, since every leaf is either true
//! or false on every document (`$ne`, `$nin`, `$not`, `$nor` and `$exists: false` therefore include
//! documents that lack the field, as in MongoDB). So there are few kinds of nodes:
//!
//! | written | held as |
//! |---|---|
//! | `{a: 1}`, `{a: {$eq: 1}}`, `{a: {$in: [1]}}` | `Is(a, Eq 1)` |
//! | `{a: {$ne: 1}}` | `Not(a, Eq 1)` |
//! | `{a: {$in: [1, 2]}}`, `{$or: [{a: 1}, {a: 2}]}` | `Is(a, In [1, 2])` |
//! | `{a: {$gt: 1, $lt: 5}}` | `All[Is(a, > 1), Is(a, < 5)]` |
//! | `{a: {$all: [1, 2]}}` | `All[Is(a, Eq 1), Is(a, Eq 2)]` |
//! | `{a: {$contains: ["x", "y"]}}` | `All[Is(a, Contains x), Is(a, Contains y)]` |
//! | `{a: {$not: {$gt: 1, $lt: 5}}}` | `Any[Not(a, > 1), Not(a, < 5)]` |
//! | `{$nor: [{a: 1}, {b: 2}]}` | `All[Not(a, Eq 1), Not(b, Eq 2)]` |
//! | `{}` | `All[]` |
//! | `{a: {$in: []}}`: matches nothing | `Any[]` |

use core::hash::{Hash, Hasher};
use std::sync::Arc;

use taiinet_document::Value;

use crate::{order, pattern::Pattern, types::TypeSet};

/// A tree of leaves joined by *and* and *or*.
///
/// Once normalised: `All` and `Any` hold their branches sorted, without duplicates, never one of
/// their own kind and never just one; the empty ones stand only where nothing could replace them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Tree<L> {
    /// The leaf holds.
    Is(L),
    /// The leaf does not hold.
    Not(L),
    /// Each branch holds; without branches: always.
    All(Vec<Tree<L>>),
    /// Some branch holds; without branches: never.
    Any(Vec<Tree<L>>),
}

/// What a document must fulfil.
pub(crate) type Clause = Tree<Field>;

/// One test of one field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Field {
    /// Where to look.
    pub(crate) path: Path,
    /// What must hold there; it holds if it holds for any of the values at the path.
    pub(crate) test: Test,
}

/// One operator with its operand.
///
/// What it says of a list that stands at the end of a path: `Eq`, `In`, `Compare`, `Type`,
/// `Regex` and `Mod` hold for the list if they hold for the list itself or for one of its elements;
/// the others look at the list itself only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Test {
    /// Equal. `Eq null` also holds where the field is missing.
    Eq(Literal),
    /// Equal to one of them: at least two, sorted, each once.
    In(Vec<Literal>),
    /// Greater or less than a literal of the same type bracket; never with null (`$gte: null` is
    /// `Eq null`, `$gt: null` matches nothing).
    Compare(Order, Literal),
    /// The field is there, even if null.
    Exists,
    /// Of one of these types; never empty.
    Type(TypeSet),
    /// Text that the expression finds something in.
    Regex(Pattern),
    /// A string with this substring, or a list with this element.
    Contains(Literal),
    /// A list of exactly this many elements.
    Size(u64),
    /// A number which, its fraction cut off, leaves this remainder (with the sign of the dividend).
    Mod {
        /// Not zero.
        divisor: i64,
        /// What must be left.
        remainder: i64,
    },
    /// A list with an element, itself a map or a list, that fulfils the query.
    ElemMatch(Box<Clause>),
    /// A list with an element that fulfils the tests.
    ElemOperators(Box<Tree<Test>>),
}

/// Which side of a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Order {
    /// `$gt`
    Gt,
    /// `$gte`
    Gte,
    /// `$lt`
    Lt,
    /// `$lte`
    Lte,
}

/// A dotted path into a document, as queries name fields. Cheap to clone.
// The tests of one field share it, for a path can be nearly as long as a query and have as many tests as
// that has clauses.
#[derive(Debug, Clone)]
pub struct Path {
    text: Arc<str>,
    parts: Arc<[Part]>,
    has_index: bool,
}

/// A name in a path.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// The name of a field.
    pub(crate) name: Box<str>,
    /// The same as an index into a list, if it is a number without leading zeros.
    pub(crate) index: Option<usize>,
}

impl Path {
    /// Splits at the dots. There is always at least one part, which may be empty.
    pub(crate) fn new(text: &str) -> Self {
        let parts = text.split('.').map(|name| Part { name: name.into(), index: index(name) });
        let parts: Arc<[Part]> = parts.collect();
        let has_index = parts.iter().any(|part| part.index.is_some());
        Self { text: text.into(), parts, has_index }
    }

    /// The path as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its parts: one or more.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether a part could be an index into a list.
    pub(crate) const fn has_index(&self) -> bool {
        self.has_index
    }

    /// The field of the document that it starts at.
    pub(crate) fn field(&self) -> &str {
        self.parts.first().map_or("", |part| &part.name)
    }
}

/// A list's index as MongoDB spells it: decimal, no sign, no leading zero.
pub(crate) fn index(name: &str) -> Option<usize> {
    let plain = name.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = name.len() > 1 && name.starts_with('0');
    if plain && !leading_zero { name.parse().ok() } else { None }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Path {}

impl PartialOrd for Path {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Path {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Path {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// A value that a query names; no map in it has a name with `$`. Numbers are held as `Int` wherever an integer says the same (`1.0`
/// is `1`, `-0.0` is `0`), so that equal literals are alike; `Ord` is MongoDB's order of all values
/// and `Eq` the equality of the language.
#[derive(Debug, Clone)]
pub(crate) struct Literal(Value);

impl Literal {
    /// Takes a value and brings its numbers into their one form.
    pub(crate) fn new(mut value: Value) -> Self {
        order::unify_numbers(&mut value);
        Self(value)
    }

    /// The value.
    pub(crate) const fn value(&self) -> &Value {
        &self.0
    }

    /// Whether it is null, which a missing field equals.
    pub(crate) const fn is_null(&self) -> bool {
        matches!(self.0, Value::Null)
    }
}

/// A map with a name that starts with `$`.
pub(crate) fn looks_like_operators(value: &Value) -> bool {
    matches!(value, Value::Map(map) if map.keys().any(|name| name.starts_with('$')))
}

impl PartialEq for Literal {
    fn eq(&self, other: &Self) -> bool {
        order::equal(&self.0, &other.0)
    }
}

impl Eq for Literal {}

impl PartialOrd for Literal {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Literal {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        order::compare(&self.0, &other.0)
    }
}

impl Hash for Literal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        order::hash(&self.0, state);
    }
}
