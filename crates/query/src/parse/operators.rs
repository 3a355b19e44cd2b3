//! The operators that test a field.

use taiinet_document::{Map, Value};

use super::{Join, Parser, list, operand, refuse_mixed, unknown};
use crate::{
    ast::{Literal, Order, Test, Tree, looks_like_operators},
    error::{Place, QueryError},
    limits, order,
    pattern::{Options, Pattern, PatternError},
    types::TypeSet,
};

type Tests = Tree<Test>;

/// Equal to a literal.
pub(super) fn equals(value: &Value, at: &Place) -> Result<Tests, QueryError> {
    Ok(Tree::Is(Test::Eq(literal(value, at)?)))
}

impl Parser {
    /// One operator; `map` is where it stands, with the others.
    pub(super) fn operator(
        &mut self,
        name: &str,
        value: &Value,
        map: &Map,
        at: &Place,
        depth: usize,
    ) -> Result<Tests, QueryError> {
        match name {
            "$not" => return self.not(value, at, depth),
            "$all" => return self.all(value, at, depth),
            "$contains" => return self.contains(value, at),
            // Read together with `$regex`.
            "$options" if map.contains_key("$regex") => return Ok(Tree::always()),
            "$options" => return Err(QueryError::OptionsWithoutRegex { at: at.clone() }),
            _ => {}
        }
        self.count_clause(at)?;
        match name {
            "$eq" => equals(value, at),
            "$ne" => Ok(equals(value, at)?.negated()),
            "$gt" => compare(Order::Gt, value, at),
            "$gte" => compare(Order::Gte, value, at),
            "$lt" => compare(Order::Lt, value, at),
            "$lte" => compare(Order::Lte, value, at),
            "$in" => one_of(value, at),
            "$nin" => Ok(one_of(value, at)?.negated()),
            "$exists" => exists(value, at),
            "$type" => types(value, at),
            "$regex" => self.regex(value, map.get("$options"), at),
            "$size" => size(value, at),
            "$mod" => modulo(value, at),
            "$elemMatch" => self.elem_match(value, at, depth),
            _ => Err(match Join::named(name) {
                Some((_, operator)) => QueryError::JoinsQueries { at: at.clone(), operator },
                None => unknown(name, at.clone()),
            }),
        }
    }

    fn not(&mut self, value: &Value, at: &Place, depth: usize) -> Result<Tests, QueryError> {
        let Value::Map(map) = value else {
            return Err(operand(at, "a map of operators", value));
        };
        if map.is_empty() {
            return Err(QueryError::Empty { at: at.clone() });
        }
        if !looks_like_operators(value) {
            return Err(operand(at, "a map of operators (for a literal use `$ne`)", value));
        }
        if depth >= limits::DEPTH {
            return Err(QueryError::TooDeep { at: at.clone() });
        }
        Ok(self.tests(map, at, depth + 1)?.negated())
    }

    /// Each of several values, or each of several `$elemMatch`; of none: never.
    fn all(&mut self, value: &Value, at: &Place, depth: usize) -> Result<Tests, QueryError> {
        let members = list(value, at, "a list")?;
        if members.is_empty() {
            self.count_clause(at)?;
            return Ok(Tree::never());
        }
        let matchers = members.iter().filter(|member| elem_match_operand(member).is_some()).count();
        let members = members.iter().enumerate().map(|(i, member)| {
            let at = at.index(i);
            self.count_clause(&at)?;
            match elem_match_operand(member) {
                Some(inner) if matchers == members.len() => {
                    self.elem_match(inner, &at.name("$elemMatch"), depth)
                }
                Some(_) => Err(operand(&at, "a value, or all of the list `$elemMatch`", member)),
                None => equals(member, &at),
            }
        });
        Ok(Tree::all(members.collect::<Result<Vec<_>, _>>()?))
    }

    /// TaiiNet's own: a part of a string, or an element of a list; a list means each of them.
    fn contains(&mut self, value: &Value, at: &Place) -> Result<Tests, QueryError> {
        let mut one = |value: &Value, at: &Place| {
            self.count_clause(at)?;
            Ok(Tree::Is(Test::Contains(literal(value, at)?)))
        };
        match value {
            Value::List(members) if members.is_empty() => {
                self.count_clause(at)?;
                Ok(Tree::never())
            }
            Value::List(members) => {
                let each = members.iter().enumerate().map(|(i, member)| one(member, &at.index(i)));
                Ok(Tree::all(each.collect::<Result<Vec<_>, _>>()?))
            }
            member => one(member, at),
        }
    }

    /// A query for an element that is a map or list, or operators for an element of any kind.
    fn elem_match(&mut self, value: &Value, at: &Place, depth: usize) -> Result<Tests, QueryError> {
        let Value::Map(map) = value else {
            return Err(operand(at, "a map: a query, or operators", value));
        };
        refuse_mixed(map, at)?;
        if depth >= limits::DEPTH {
            return Err(QueryError::TooDeep { at: at.clone() });
        }
        let is_query = map.is_empty()
            || map.keys().any(|name| !name.starts_with('$') || Join::named(name).is_some());
        let (test, never) = if is_query {
            let clause = self.query(value, at, depth + 1)?;
            let never = clause.is_never();
            (Test::ElemMatch(Box::new(clause)), never)
        } else {
            let tests = self.tests(map, at, depth + 1)?;
            let never = tests.is_never();
            (Test::ElemOperators(Box::new(tests)), never)
        };
        Ok(if never { Tree::never() } else { Tree::Is(test) })
    }

    fn regex(
        &mut self,
        value: &Value,
        options: Option<&Value>,
        at: &Place,
    ) -> Result<Tests, QueryError> {
        let Value::String(source) = value else {
            return Err(operand(at, "a regular expression as a string", value));
        };
        self.regexes += 1;
        if self.regexes > limits::REGEXES {
            return Err(QueryError::TooManyRegexes { at: at.clone() });
        }
        let options = match options {
            None => Options::default(),
            Some(Value::String(letters)) => Options::parse(letters)
                .map_err(|option| QueryError::RegexOption { at: at.sibling("$options"), option })?,
            Some(other) => {
                return Err(operand(&at.sibling("$options"), "letters as a string", other));
            }
        };
        let most = self.most_regex_bytes;
        match Pattern::new(source, options, most - self.regex_bytes) {
            Ok(pattern) => {
                self.regex_bytes += pattern.weight();
                Ok(Tree::Is(Test::Regex(pattern)))
            }
            Err(PatternError::TooLarge) => Err(QueryError::RegexTooLarge { at: at.clone(), most }),
            Err(PatternError::Invalid(reason)) => Err(QueryError::Regex { at: at.clone(), reason }),
        }
    }
}

/// The operand of `{$elemMatch: …}`.
fn elem_match_operand(member: &Value) -> Option<&Value> {
    match member {
        Value::Map(map) if map.len() == 1 => map.get("$elemMatch"),
        _ => None,
    }
}

/// A value to compare with, at any depth without names that begin with `$`: whoever writes one means
/// something else than a map with that name.
fn literal(value: &Value, at: &Place) -> Result<Literal, QueryError> {
    refuse_dollars(value, at)?;
    Ok(Literal::new(value.clone()))
}

fn refuse_dollars(value: &Value, at: &Place) -> Result<(), QueryError> {
    match value {
        Value::List(list) => {
            list.iter().enumerate().try_for_each(|(i, value)| refuse_dollars(value, &at.index(i)))
        }
        Value::Map(map) => map.iter().try_for_each(|(name, value)| {
            let at = at.name(name);
            if name.starts_with('$') {
                return Err(QueryError::NameInValue { at });
            }
            refuse_dollars(value, &at)
        }),
        _ => Ok(()),
    }
}

/// With null: at least or at most null is null or missing; nothing is greater or less.
fn compare(side: Order, value: &Value, at: &Place) -> Result<Tests, QueryError> {
    Ok(match (value, side) {
        (Value::Null, Order::Gte | Order::Lte) => equals(value, at)?,
        (Value::Null, Order::Gt | Order::Lt) => Tree::never(),
        _ => Tree::Is(Test::Compare(side, literal(value, at)?)),
    })
}

fn one_of(value: &Value, at: &Place) -> Result<Tests, QueryError> {
    let members = list(value, at, "a list")?.iter().enumerate();
    let literals =
        members.map(|(i, member)| literal(member, &at.index(i))).collect::<Result<Vec<_>, _>>()?;
    Ok(Tree::equals_any((), literals))
}

fn exists(value: &Value, at: &Place) -> Result<Tests, QueryError> {
    let wanted = match value {
        Value::Bool(wanted) => *wanted,
        Value::Int(number) => *number != 0,
        Value::Float(number) => *number != 0.0,
        Value::Null => false,
        // MongoDB takes the rest for true, `"false"` as well: more likely a mistake.
        other => return Err(operand(at, "true or false", other)),
    };
    let exists = Tree::Is(Test::Exists);
    Ok(if wanted { exists } else { exists.negated() })
}

fn types(value: &Value, at: &Place) -> Result<Tests, QueryError> {
    let set = match value {
        Value::List(members) if members.is_empty() => {
            return Err(QueryError::Empty { at: at.clone() });
        }
        Value::List(members) => {
            let each = members.iter().enumerate().map(|(i, member)| one_type(member, &at.index(i)));
            each.collect::<Result<Vec<_>, _>>()?.into_iter().fold(TypeSet::default(), TypeSet::or)
        }
        member => one_type(member, at)?,
    };
    Ok(if set.is_empty() { Tree::never() } else { Tree::Is(Test::Type(set)) })
}

fn one_type(value: &Value, at: &Place) -> Result<TypeSet, QueryError> {
    let unknown = |name: String| QueryError::UnknownType { at: at.clone(), name };
    match value {
        Value::String(name) => TypeSet::named(name).ok_or_else(|| unknown(name.clone())),
        Value::Int(number) => TypeSet::numbered(*number).ok_or_else(|| unknown(number.to_string())),
        Value::Float(number) => order::as_int(*number)
            .and_then(TypeSet::numbered)
            .ok_or_else(|| unknown(number.to_string())),
        other => Err(operand(at, "a type's name or number, or a list of them", other)),
    }
}

fn size(value: &Value, at: &Place) -> Result<Tests, QueryError> {
    let size = match value {
        Value::Int(size) => Some(*size),
        Value::Float(size) => order::as_int(*size),
        _ => None,
    };
    let size = size.and_then(|size| u64::try_from(size).ok());
    let size = size.ok_or_else(|| operand(at, "a whole number, not negative", value))?;
    Ok(Tree::Is(Test::Size(size)))
}

fn modulo(value: &Value, at: &Place) -> Result<Tests, QueryError> {
    const EXPECTED: &str = "a list of two numbers, divisor and remainder";
    let [divisor, remainder] = list(value, at, EXPECTED)? else {
        return Err(operand(at, EXPECTED, value));
    };
    let divisor = whole(divisor, &at.index(0))?;
    let remainder = whole(remainder, &at.index(1))?;
    if divisor == 0 {
        return Err(QueryError::DivisionByZero { at: at.clone() });
    }
    Ok(Tree::Is(Test::Mod { divisor, remainder }))
}

/// A number, its fraction cut off.
fn whole(value: &Value, at: &Place) -> Result<i64, QueryError> {
    let number = match value {
        Value::Int(number) => Some(*number),
        Value::Float(number) => order::as_int(number.trunc()),
        _ => None,
    };
    number.ok_or_else(|| operand(at, "a number within 64 bits", value))
}
