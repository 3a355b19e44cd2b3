//! A query as a value again: its canonical form, the same for all queries of the same tree.
//!
//! Equalities are written without an operator, tests of one field together, and only what cannot
//! stand in one map goes to `$and`.

use std::collections::BTreeMap;

use taiinet_document::{Map, Value};

use crate::{
    ast::{Clause, Field, Order, Test, Tree},
    limits,
};

/// The canonical form, and how deep it is nested as [`crate::limits::DEPTH`] counts.
pub(crate) fn canonical(clause: &Clause) -> (Map, usize) {
    let mut writer = Writer { depth: 1 };
    let map = writer.query(clause, 1);
    (map, writer.depth)
}

/// Far deeper than a query may be: what is written there does not matter, since it is refused.
const BOTTOM: usize = 2 * limits::DEPTH;

struct Writer {
    depth: usize,
}

/// A leaf with what it says.
type Leaf<'a> = (bool, &'a Test);

impl Writer {
    fn deeper(&mut self, depth: usize) -> usize {
        self.depth = self.depth.max(depth + 1);
        depth + 1
    }

    fn query(&mut self, clause: &Clause, depth: usize) -> Map {
        match clause {
            _ if depth > BOTTOM => Map::new(),
            Tree::All(branches) => self.conjunction(branches, depth),
            Tree::Any(branches) if branches.is_empty() => {
                self.deeper(depth);
                map("$nor", vec![Value::Map(Map::new())])
            }
            single => self.conjunction(core::slice::from_ref(single), depth),
        }
    }

    fn conjunction(&mut self, branches: &[Clause], depth: usize) -> Map {
        let mut fields = BTreeMap::<&str, Vec<Leaf<'_>>>::new();
        let mut alternatives = Vec::new();
        let mut rest = Vec::new();
        for branch in branches {
            match branch {
                Tree::Is(Field { path, test }) => {
                    fields.entry(path.as_str()).or_default().push((true, test));
                }
                Tree::Not(Field { path, test }) => {
                    fields.entry(path.as_str()).or_default().push((false, test));
                }
                Tree::Any(branches) => alternatives.push(branches),
                // A normal form has no `All` in an `All`, but it could be written.
                Tree::All(_) => {
                    let depth = self.deeper(depth);
                    rest.push(Value::Map(self.query(branch, depth)));
                }
            }
        }
        let mut out = Map::new();
        for (path, leaves) in fields {
            if let [(true, Test::Eq(literal))] = *leaves {
                out.insert(path.to_owned(), literal.value().clone());
                continue;
            }
            let (operators, left) = self.operators(&leaves, depth);
            out.insert(path.to_owned(), Value::Map(operators));
            for leaf in left {
                let depth = self.deeper(depth);
                let (operators, _) = self.operators(&[leaf], depth);
                rest.push(Value::Map(map(path, operators)));
            }
        }
        let single = alternatives.len() == 1;
        for branches in alternatives {
            let level = if single { depth } else { self.deeper(depth) };
            let inner = self.deeper(level);
            let branches: Value =
                branches.iter().map(|branch| Value::Map(self.query(branch, inner))).collect();
            if single {
                out.insert("$or".to_owned(), branches);
            } else {
                rest.push(Value::Map(map("$or", branches)));
            }
        }
        if !rest.is_empty() {
            out.insert("$and".to_owned(), Value::List(rest));
        }
        out
    }

    /// The operators for the leaves of one field, and those leaves whose operator was taken.
    fn operators<'a>(&mut self, leaves: &[Leaf<'a>], depth: usize) -> (Map, Vec<Leaf<'a>>) {
        let mut out = Map::new();
        let mut left = Vec::new();
        for (name, member) in [("$all", equal_literal as Member), ("$contains", contained_literal)]
        {
            let members: Vec<Value> = leaves.iter().filter_map(member).collect();
            if members.len() > 1 {
                out.insert(name.to_owned(), Value::List(members));
            }
        }
        let (all, contains) = (out.contains_key("$all"), out.contains_key("$contains"));
        for leaf in leaves {
            if all && equal_literal(leaf).is_some() || contains && contained_literal(leaf).is_some()
            {
                continue;
            }
            let name = operator_name(*leaf);
            if out.contains_key(name) {
                left.push(*leaf);
                continue;
            }
            if let (true, Test::Regex(pattern)) = leaf {
                let letters = pattern.options().letters();
                if !letters.is_empty() {
                    out.insert("$options".to_owned(), letters.into());
                }
            }
            out.insert(name.to_owned(), self.operand(*leaf, depth));
        }
        (out, left)
    }

    /// What follows the name of a leaf's operator.
    fn operand(&mut self, (is, test): Leaf<'_>, depth: usize) -> Value {
        if !is && needs_not(test) {
            let depth = self.deeper(depth);
            return self.operators(&[(true, test)], depth).0.into();
        }
        match test {
            Test::Eq(literal) | Test::Compare(_, literal) => literal.value().clone(),
            Test::In(literals) => literals.iter().map(|literal| literal.value().clone()).collect(),
            Test::Exists => is.into(),
            Test::Type(types) => match types.names().as_slice() {
                [name] => Value::from(*name),
                names => names.iter().copied().collect(),
            },
            Test::Regex(pattern) => pattern.source().into(),
            // A bare list would mean each of its elements.
            Test::Contains(literal) => match literal.value().clone() {
                list @ Value::List(_) => Value::List(vec![list]),
                other => other,
            },
            Test::Size(size) => Value::Int(i64::try_from(*size).unwrap_or(i64::MAX)),
            Test::Mod { divisor, remainder } => [*divisor, *remainder].into_iter().collect(),
            Test::ElemMatch(clause) => {
                let depth = self.deeper(depth);
                self.query(clause, depth).into()
            }
            Test::ElemOperators(tests) => {
                let depth = self.deeper(depth);
                self.element(tests, depth).into()
            }
        }
    }

    /// The operators for an element of a list. Such a map is a conjunction without `$or`, so an
    /// `Any` is written as what it is not; what does not fit beside the rest goes below two `$not`.
    fn element(&mut self, tests: &Tree<Test>, depth: usize) -> Map {
        let branches = match tests {
            _ if depth > BOTTOM => return Map::new(),
            Tree::All(branches) if branches.is_empty() => return map("$nin", Vec::<Value>::new()),
            Tree::All(branches) => branches.as_slice(),
            single => core::slice::from_ref(single),
        };
        let leaves: Vec<Leaf<'_>> = branches.iter().filter_map(as_leaf).collect();
        let others: Vec<&Tree<Test>> =
            branches.iter().filter(|branch| as_leaf(branch).is_none()).collect();
        let (mut out, left) = self.operators(&leaves, depth);
        let mut rest: Vec<Tree<Test>> = left
            .into_iter()
            .map(|(is, test)| if is { Tree::Is(test.clone()) } else { Tree::Not(test.clone()) })
            .collect();
        let not = match others.as_slice() {
            [] => None,
            [only] if rest.is_empty() && !out.contains_key("$not") => {
                let depth = self.deeper(depth);
                Some(self.element(&(*only).clone().negated(), depth))
            }
            others => {
                rest.extend(others.iter().copied().cloned());
                None
            }
        };
        if let Some(not) = not {
            out.insert("$not".to_owned(), not.into());
        } else if !rest.is_empty() {
            // The parser reads one `$not` a map, so at most one of the branches needs it, and with
            // each level here some leaf finds its place.
            if out.remove("$not").is_some() {
                let negative = leaves.iter().find(|(is, test)| !is && needs_not(test));
                rest.extend(negative.map(|(_, test)| Tree::Not((*test).clone())));
            }
            let depth = self.deeper(depth);
            let inner = self.deeper(depth);
            let rest = self.element(&Tree::all(rest), inner);
            out.insert("$not".to_owned(), map("$not", rest).into());
        }
        out
    }
}

type Member = fn(&Leaf<'_>) -> Option<Value>;

/// What can be a member of `$all`.
fn equal_literal(leaf: &Leaf<'_>) -> Option<Value> {
    match leaf {
        (true, Test::Eq(literal)) => Some(literal.value().clone()),
        _ => None,
    }
}

/// What can be a member of `$contains`.
fn contained_literal(leaf: &Leaf<'_>) -> Option<Value> {
    match leaf {
        (true, Test::Contains(literal)) => Some(literal.value().clone()),
        _ => None,
    }
}

/// The operator that a leaf is written with.
const fn operator_name((is, test): Leaf<'_>) -> &'static str {
    match (is, test) {
        (true, Test::Eq(_)) => "$eq",
        (false, Test::Eq(_)) => "$ne",
        (true, Test::In(_)) => "$in",
        (false, Test::In(_)) => "$nin",
        (_, Test::Exists) => "$exists",
        (false, _) => "$not",
        (true, Test::Compare(Order::Gt, _)) => "$gt",
        (true, Test::Compare(Order::Gte, _)) => "$gte",
        (true, Test::Compare(Order::Lt, _)) => "$lt",
        (true, Test::Compare(Order::Lte, _)) => "$lte",
        (true, Test::Type(_)) => "$type",
        (true, Test::Regex(_)) => "$regex",
        (true, Test::Contains(_)) => "$contains",
        (true, Test::Size(_)) => "$size",
        (true, Test::Mod { .. }) => "$mod",
        (true, Test::ElemMatch(_) | Test::ElemOperators(_)) => "$elemMatch",
    }
}

/// What has no negative operator of its own.
const fn needs_not(test: &Test) -> bool {
    !matches!(test, Test::Eq(_) | Test::In(_) | Test::Exists)
}

fn as_leaf(tree: &Tree<Test>) -> Option<Leaf<'_>> {
    match tree {
        Tree::Is(test) => Some((true, test)),
        Tree::Not(test) => Some((false, test)),
        Tree::All(_) | Tree::Any(_) => None,
    }
}

fn map(name: &str, value: impl Into<Value>) -> Map {
    Map::from([(name.to_owned(), value.into())])
}
