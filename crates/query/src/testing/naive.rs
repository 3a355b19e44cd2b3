//! The language a second time, as plainly as it can be said: the query as it was written, every value
//! at a path collected first, nothing normalised. The real one must agree with it.

use taiinet_document::{Map, Value};

/// Whether content matches a valid query.
pub(crate) fn matches(query: &Map, content: &Map) -> bool {
    let object = Value::Map(content.clone());
    query_holds(query, &object)
}

fn query_holds(query: &Map, object: &Value) -> bool {
    query.iter().all(|(name, operand)| match name.as_str() {
        "$and" => maps(operand).all(|branch| query_holds(branch, object)),
        "$or" => maps(operand).any(|branch| query_holds(branch, object)),
        "$nor" => !maps(operand).any(|branch| query_holds(branch, object)),
        path => {
            let mut found = Vec::new();
            let names: Vec<&str> = path.split('.').collect();
            collect(object, &names, true, &mut found);
            match operand {
                Value::Map(map) if map.keys().any(|name| name.starts_with('$')) => {
                    operators_hold(map, &found)
                }
                literal => any(&found, &|value| same(value, literal)),
            }
        }
    })
}

fn maps(operand: &Value) -> impl Iterator<Item = &Map> {
    let Value::List(list) = operand else { panic!("a list of queries") };
    list.iter().map(|branch| match branch {
        Value::Map(map) => map,
        other => panic!("a query, not {other:?}"),
    })
}

/// What a document may be sorted and indexed by: the values at a path with the elements of lists, null
/// where there is nothing, `None` for a list without elements.
pub(crate) fn sort_values(content: &Map, path: &str) -> Vec<Option<Value>> {
    let mut found = Vec::new();
    let names: Vec<&str> = path.split('.').collect();
    collect(&Value::Map(content.clone()), &names, true, &mut found);
    let mut values = Vec::new();
    for found in found {
        match found {
            Found::Missing | Found::Gap => values.push(Some(Value::Null)),
            Found::Value(Value::List(list), true) if list.is_empty() => values.push(None),
            Found::Value(Value::List(list), true) => values.extend(list.into_iter().map(Some)),
            Found::Value(value, _) => values.push(Some(value)),
        }
    }
    if values.is_empty() { vec![Some(Value::Null)] } else { values }
}

/// What stands at the end of a path.
enum Found {
    Missing,
    /// An element of a list on the way that is no map: nothing to queries.
    Gap,
    /// A value, and whether it is searched if it is a list.
    Value(Value, bool),
}

/// `keyed`: a list is seen as a map from index to element, as `$elemMatch` does.
fn collect(at: &Value, names: &[&str], keyed: bool, found: &mut Vec<Found>) {
    let Some((name, rest)) = names.split_first() else { panic!("a path has names") };
    let mut arrive = |child: Option<&Value>| match child {
        None => found.push(Found::Missing),
        Some(child) if rest.is_empty() => found.push(Found::Value(child.clone(), true)),
        Some(child) => collect(child, rest, false, found),
    };
    match at {
        Value::Map(map) => arrive(map.get(*name)),
        Value::List(list) if keyed => {
            arrive(list.iter().enumerate().find(|(i, _)| i.to_string() == *name).map(|(_, v)| v));
        }
        Value::List(list) => {
            let by_index = (0..list.len()).find(|i| i.to_string() == *name);
            for (i, element) in list.iter().enumerate() {
                if let Value::Map(map) = element
                    && (by_index.is_none() || map.contains_key(*name))
                {
                    collect(element, names, false, found);
                } else if by_index.is_none() {
                    found.push(Found::Gap);
                }
                if by_index == Some(i) {
                    match rest {
                        [] => found.push(Found::Value(element.clone(), false)),
                        rest => collect(element, rest, false, found),
                    }
                }
            }
        }
        _ => found.push(Found::Missing),
    }
}

/// Whether a test holds for any value found, or any element of a list found; missing is null.
fn any(found: &[Found], test: &dyn Fn(&Value) -> bool) -> bool {
    found.iter().any(|found| match found {
        Found::Missing => test(&Value::Null),
        Found::Gap => false,
        Found::Value(Value::List(list), true) => {
            list.iter().any(test) || test(&Value::List(list.clone()))
        }
        Found::Value(value, _) => test(value),
    })
}

/// As [`any`], but missing fulfils nothing.
fn any_present(found: &[Found], test: &dyn Fn(&Value) -> bool) -> bool {
    found.iter().any(|found| match found {
        Found::Missing | Found::Gap => false,
        Found::Value(Value::List(list), true) => {
            list.iter().any(test) || test(&Value::List(list.clone()))
        }
        Found::Value(value, _) => test(value),
    })
}

/// As [`any_present`], but never looking into lists.
fn any_whole(found: &[Found], test: &dyn Fn(&Value) -> bool) -> bool {
    found.iter().any(|found| match found {
        Found::Missing | Found::Gap => false,
        Found::Value(value, _) => test(value),
    })
}

fn operators_hold(operators: &Map, found: &[Found]) -> bool {
    operators.iter().all(|(name, operand)| operator_holds(name, operand, operators, found))
}

fn operator_holds(name: &str, operand: &Value, all: &Map, found: &[Found]) -> bool {
    match name {
        "$eq" => any(found, &|value| same(value, operand)),
        "$ne" => !any(found, &|value| same(value, operand)),
        "$in" => elements(operand).any(|member| any(found, &|value| same(value, member))),
        "$nin" => !elements(operand).any(|member| any(found, &|value| same(value, member))),
        "$gt" => any_present(found, &|value| less(operand, value)),
        "$lt" => any_present(found, &|value| less(value, operand)),
        "$gte" => {
            any_present(found, &|value| less(operand, value))
                || any(found, &|value| same(value, operand))
        }
        "$lte" => {
            any_present(found, &|value| less(value, operand))
                || any(found, &|value| same(value, operand))
        }
        "$exists" => any_whole(found, &|_| true) == (*operand == Value::Bool(true)),
        "$type" => any_present(found, &|value| match operand {
            Value::List(names) => names.iter().any(|name| is_type(value, name)),
            name => is_type(value, name),
        }),
        "$options" => true,
        "$regex" => {
            let (Value::String(source), options) = (operand, all.get("$options")) else {
                panic!("an expression")
            };
            let letters = match options {
                Some(Value::String(letters)) => letters.as_str(),
                _ => "",
            };
            let finds = finder(source, letters);
            any_present(found, &|value| matches!(value, Value::String(text) if finds(text)))
        }
        "$size" => any_whole(found, &|value| match (value, operand) {
            (Value::List(list), Value::Int(size)) => list.len() as i64 == *size,
            _ => false,
        }),
        "$mod" => any_present(found, &|value| {
            let Value::List(operand) = operand else { panic!("a list") };
            let [Value::Int(divisor), Value::Int(remainder)] = operand.as_slice() else {
                panic!("two integers")
            };
            let dividend = match value {
                Value::Int(int) => i128::from(*int),
                Value::Float(f) if f.abs() < 9e18 => f.trunc() as i128,
                _ => return false,
            };
            dividend % i128::from(*divisor) == i128::from(*remainder)
        }),
        "$contains" => match operand {
            Value::List(parts) if parts.is_empty() => false,
            Value::List(parts) => {
                parts.iter().all(|part| any_whole(found, &|value| contains(value, part)))
            }
            part => any_whole(found, &|value| contains(value, part)),
        },
        "$all" => {
            let mut members = elements(operand).peekable();
            members.peek().is_some()
                && members.all(|member| match member {
                    Value::Map(map) if map.contains_key("$elemMatch") => operators_hold(map, found),
                    literal => any(found, &|value| same(value, literal)),
                })
        }
        "$not" => match operand {
            Value::Map(operators) => !operators_hold(operators, found),
            other => panic!("operators, not {other:?}"),
        },
        "$elemMatch" => {
            let Value::Map(operand) = operand else { panic!("a map") };
            let joins = |name: &String| matches!(name.as_str(), "$and" | "$or" | "$nor");
            let operators =
                operand.keys().any(|name| name.starts_with('$')) && !operand.keys().any(joins);
            any_whole(found, &|value| match value {
                Value::List(list) => list.iter().any(|element| {
                    if operators {
                        operators_hold(operand, &[Found::Value(element.clone(), false)])
                    } else {
                        matches!(element, Value::Map(_) | Value::List(_))
                            && query_holds(operand, element)
                    }
                }),
                _ => false,
            })
        }
        other => panic!("no operator {other}"),
    }
}

fn elements(operand: &Value) -> impl Iterator<Item = &Value> {
    let Value::List(list) = operand else { panic!("a list") };
    list.iter()
}

fn contains(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::List(list), part) => list.iter().any(|element| same(element, part)),
        _ => false,
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((a, av), (b, bv))| a == b && same(av, bv))
        }
        (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => {
            b.fract() == 0.0 && b.abs() < 1e19 && *b as i128 == i128::from(*a)
        }
        (a, b) => a == b,
    }
}

/// Less, within a bracket.
fn less(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => !a & b,
        (Value::Int(a), Value::Int(b)) => a < b,
        (Value::Float(a), Value::Float(b)) => a < b,
        (Value::Int(a), Value::Float(b)) => {
            b.abs() < 1e19 && i128::from(*a) < b.ceil() as i128 || *b >= 1e19
        }
        (Value::Float(a), Value::Int(b)) => {
            a.abs() < 1e19 && (a.floor() as i128) < i128::from(*b) || *a <= -1e19
        }
        (Value::String(a), Value::String(b)) => a.as_bytes() < b.as_bytes(),
        (Value::Bytes(a), Value::Bytes(b)) => (a.len(), a) < (b.len(), b),
        (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) => {
            crate::order::compare(a, b).is_lt()
        }
        _ => false,
    }
}

fn is_type(value: &Value, name: &Value) -> bool {
    let Value::String(name) = name else { panic!("a name") };
    name == value.type_name()
        || name == "number" && matches!(value, Value::Int(_) | Value::Float(_))
}

/// What PCRE2 finds.
#[cfg(not(target_family = "wasm"))]
fn finder(source: &str, options: &str) -> impl Fn(&str) -> bool {
    let regex = pcre2::bytes::RegexBuilder::new()
        .utf(true)
        .caseless(options.contains('i'))
        .multi_line(options.contains('m'))
        .dotall(options.contains('s'))
        .build(source)
        .expect("a valid expression");
    move |text| regex.is_match(text.as_bytes()).expect("within its limits")
}

/// What we find, where there is no PCRE2.
#[cfg(target_family = "wasm")]
fn finder(source: &str, options: &str) -> impl Fn(&str) -> bool {
    use crate::pattern::{Options, Pattern};
    let options = Options::parse(options).expect("options");
    let pattern = Pattern::new(source, options, usize::MAX).expect("a valid expression");
    move |text| pattern.is_match(text)
}
