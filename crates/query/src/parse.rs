//! From a value to a query's tree.

mod operators;

use taiinet_document::{Map, Value};

use crate::{
    ast::{Clause, Field, Path, Test, Tree, looks_like_operators},
    error::{Place, QueryError},
    limits,
};

/// Reads a query from a value that was checked; its regular expressions may have so many bytes.
pub(crate) fn query(value: &Value, regex_bytes: usize) -> Result<Clause, QueryError> {
    let mut parser =
        Parser { clauses: 0, regexes: 0, regex_bytes: 0, most_regex_bytes: regex_bytes };
    parser.query(value, &Place::default(), 1)
}

/// Counts what a query may not have too much of.
struct Parser {
    clauses: usize,
    regexes: usize,
    /// Never more than `most_regex_bytes`.
    regex_bytes: usize,
    most_regex_bytes: usize,
}

/// An operator that joins queries.
#[derive(Clone, Copy)]
enum Join {
    And,
    Or,
    Nor,
}

impl Join {
    fn named(name: &str) -> Option<(Self, &'static str)> {
        match name {
            "$and" => Some((Self::And, "$and")),
            "$or" => Some((Self::Or, "$or")),
            "$nor" => Some((Self::Nor, "$nor")),
            _ => None,
        }
    }
}

/// The operators that test a field, in the order in which they are suggested.
const TESTS: [&str; 18] = [
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$exists",
    "$type",
    "$regex",
    "$options",
    "$contains",
    "$all",
    "$elemMatch",
    "$size",
    "$mod",
    "$not",
];

impl Parser {
    /// A map of fields and of operators that join queries.
    fn query(&mut self, value: &Value, at: &Place, depth: usize) -> Result<Clause, QueryError> {
        if depth > limits::DEPTH {
            return Err(QueryError::TooDeep { at: at.clone() });
        }
        let Value::Map(map) = value else {
            return Err(QueryError::NotAMap { at: at.clone(), found: value.type_name() });
        };
        if map.is_empty() {
            self.count_clause(at)?;
        }
        let mut clauses = Vec::with_capacity(map.len());
        for (name, operand) in map {
            let at = at.name(name);
            clauses.push(if let Some((join, _)) = Join::named(name) {
                self.join(join, operand, &at, depth)?
            } else if let Some(known) = test_named(name) {
                return Err(QueryError::NeedsField { at, operator: known });
            } else if name.starts_with('$') {
                return Err(unknown(name, at));
            } else {
                self.field(name, operand, &at, depth)?
            });
        }
        Ok(Tree::all(clauses))
    }

    fn join(
        &mut self,
        join: Join,
        operand: &Value,
        at: &Place,
        depth: usize,
    ) -> Result<Clause, QueryError> {
        let branches = list(operand, at, "a list of queries")?;
        if branches.is_empty() {
            return Err(QueryError::Empty { at: at.clone() });
        }
        let branches = branches
            .iter()
            .enumerate()
            .map(|(i, branch)| self.query(branch, &at.index(i), depth + 1))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(match join {
            Join::And => Tree::all(branches),
            Join::Or => Tree::any(branches),
            Join::Nor => Tree::any(branches).negated(),
        })
    }

    /// A field with its value or operators.
    fn field(
        &mut self,
        name: &str,
        operand: &Value,
        at: &Place,
        depth: usize,
    ) -> Result<Clause, QueryError> {
        let path = Path::new(name);
        if path.parts().len() > limits::PATH_PARTS {
            return Err(QueryError::PathTooLong { at: at.clone() });
        }
        let tests = match operand {
            Value::Map(map) if looks_like_operators(operand) => self.tests(map, at, depth)?,
            literal => {
                self.count_clause(at)?;
                operators::equals(literal, at)?
            }
        };
        Ok(tests.map(&|test| Field { path: path.clone(), test }))
    }

    /// A map of operators only.
    fn tests(&mut self, map: &Map, at: &Place, depth: usize) -> Result<Tree<Test>, QueryError> {
        refuse_mixed(map, at)?;
        let tests = map
            .iter()
            .map(|(name, operand)| self.operator(name, operand, map, &at.name(name), depth))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Tree::all(tests))
    }

    fn count_clause(&mut self, at: &Place) -> Result<(), QueryError> {
        self.clauses += 1;
        if self.clauses > limits::CLAUSES {
            return Err(QueryError::TooManyClauses { at: at.clone() });
        }
        Ok(())
    }
}

/// An error if a map holds both an operator that tests and a field.
fn refuse_mixed(map: &Map, at: &Place) -> Result<(), QueryError> {
    let operator = map.keys().find(|name| name.starts_with('$') && Join::named(name).is_none());
    let field = map.keys().find(|name| !name.starts_with('$'));
    match (operator, field) {
        (Some(operator), Some(_)) if test_named(operator).is_none() => {
            Err(unknown(operator, at.name(operator)))
        }
        (Some(operator), Some(field)) => Err(QueryError::Mixed {
            at: at.clone(),
            operator: operator.clone(),
            field: field.clone(),
        }),
        _ => Ok(()),
    }
}

fn list<'a>(
    value: &'a Value,
    at: &Place,
    expected: &'static str,
) -> Result<&'a [Value], QueryError> {
    match value {
        Value::List(list) => Ok(list),
        other => Err(operand(at, expected, other)),
    }
}

fn operand(at: &Place, expected: &'static str, found: &Value) -> QueryError {
    QueryError::Operand { at: at.clone(), expected, found: found.type_name() }
}

fn test_named(name: &str) -> Option<&'static str> {
    TESTS.into_iter().find(|known| *known == name)
}

fn unknown(name: &str, at: Place) -> QueryError {
    QueryError::UnknownOperator { at, operator: name.to_owned(), suggestion: suggestion(name) }
}

/// The operator that was probably meant: what other languages call it, or one or two letters off.
fn suggestion(name: &str) -> Option<&'static str> {
    const OTHER_NAMES: [(&str, &str); 12] = [
        ("$equals", "$eq"),
        ("$neq", "$ne"),
        ("$ge", "$gte"),
        ("$le", "$lte"),
        ("$includes", "$contains"),
        ("$has", "$contains"),
        ("$like", "$regex"),
        ("$match", "$regex"),
        ("$notin", "$nin"),
        ("$any", "$in"),
        ("$length", "$size"),
        ("$len", "$size"),
    ];
    let lower = name.to_ascii_lowercase();
    let other = OTHER_NAMES.into_iter().find(|(other, _)| *other == lower);
    if let Some((_, known)) = other {
        return Some(known);
    }
    let allowed = if name.len() <= 6 { 1 } else { 2 };
    TESTS
        .into_iter()
        .chain(["$and", "$or", "$nor"])
        .map(|known| (distance(&lower, &known.to_ascii_lowercase()), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many letters to change, add or leave out (Levenshtein); large for what is no name at all.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 16 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (b, above) in b.bytes().zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(a != b);
            diagonal = *above;
            left = changed.min(left + 1).min(*above + 1);
            *above = left;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}
