//! Queries and documents made to hurt: they are refused, or cost no more than their size.
//!
//! Nothing is timed here. What would go wrong is exponential, so the test would never end.

use taiinet_document::{Map, Value};
use taiinet_query::{Query, QueryError};

use crate::query;

fn content(value: Value) -> Map {
    Map::from([("a".to_owned(), value)])
}

fn map(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[test]
fn depth_bombs_are_refused() {
    for (open, close) in [
        ("[", "]"),
        ("{\"a\":", "}"),
        ("{\"$and\":[", "]}"),
        ("{\"$nor\":[", "]}"),
        ("{\"a\":{\"$elemMatch\":", "}}"),
        ("{\"$not\":", "}"),
    ] {
        for times in [64, 200, 100_000] {
            let text = format!("{}1{}", open.repeat(times), close.repeat(times));
            let error = Query::from_json(&text).expect_err("far too deep");
            let expected = if text.len() > 4096 {
                matches!(error, QueryError::TooLong { .. })
            } else {
                matches!(
                    error,
                    QueryError::Json(_)
                        | QueryError::TooDeep { .. }
                        | QueryError::NeedsField { .. }
                )
            };
            assert!(expected, "{open}: {error:?}");
        }
    }
}

/// As long as only the brackets of strings are counted, a value built by hand can be deep too.
#[test]
fn a_deep_value_is_refused_and_a_deep_document_is_matched() {
    let mut deep = Value::Int(1);
    for _ in 0..200 {
        deep = Value::List(vec![map([("a", deep)])]);
    }
    assert!(matches!(Query::parse(&content(deep.clone()).into()), Err(QueryError::TooDeep { .. })));
    let path = vec!["a"; 32].join(".");
    let probe = query(&format!("{{\"{path}\":1}}"));
    assert!(!probe.matches(&content(deep.clone())));
    assert!(!query(r#"{"a":{"$in":[1,[[1]],{"a":[{"a":1}]}]}}"#).matches(&content(deep)));
}

#[test]
fn huge_lists_in_queries_are_refused() {
    for operator in ["$in", "$nin", "$all", "$contains", "$type"] {
        let list = Value::List(vec![Value::Int(2); 200_000]);
        let value = map([("a", Value::Map(Map::from([(operator.to_owned(), list)])))]);
        let error = Query::parse(&value).expect_err("too long or too many");
        let expected =
            matches!(error, QueryError::TooLong { .. } | QueryError::TooManyClauses { .. });
        assert!(expected, "{operator}: {error}");
    }
}

#[test]
fn regexes_that_explode_elsewhere_do_not_here() {
    let text = "a".repeat(40_000) + "!";
    for regex in ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)*x", "^(\\\\w+\\\\s?)*$", "(a*)*b"] {
        let query = query(&format!("{{\"a\":{{\"$regex\":\"{regex}\"}}}}"));
        assert!(!query.matches(&content(text.as_str().into())), "{regex}");
    }
}

/// Each name of the path is both a key and an index, so there are 2¹⁶ ways down to the same value.
#[test]
fn paths_that_are_keys_and_indices_do_not_fan_out() {
    let mut document = Value::List((0..5_000).map(Value::Int).collect());
    for _ in 0..15 {
        document = Value::List(vec![map([("0", document)])]);
    }
    let document = content(document);
    for names in 2..32 {
        let path = format!("a{}", ".0".repeat(names - 1));
        let probes = [
            format!("{{\"{path}\":-1}}"),
            format!("{{\"{path}\":{{\"$elemMatch\":{{\"$lt\":0}}}}}}"),
            format!("{{\"{path}\":{{\"$in\":[\"x\",\"y\"]}}}}"),
        ];
        for probe in probes {
            assert!(!query(&probe).matches(&document), "{probe}");
        }
    }
}

#[test]
fn lists_in_lists_are_walked_once() {
    // [{a: [{a: […]}, {a: […]}]}, …]: a tree of 2¹² leaves, and a path through all of it.
    fn tree(depth: usize) -> Value {
        if depth == 0 {
            return Value::Int(1);
        }
        Value::List(vec![map([("a", tree(depth - 1))]), map([("a", tree(depth - 1))])])
    }
    let document = content(tree(12));
    let path = vec!["a"; 13].join(".");
    assert!(query(&format!("{{\"{path}\":1}}")).matches(&document));
    assert!(!query(&format!("{{\"{path}\":2}}")).matches(&document));
    // 128 clauses over it are 128 walks.
    let clauses: Vec<String> =
        (2..130).map(|i| format!("{{\"{path}\":{{\"$gt\":{i}}}}}")).collect();
    let wide = format!("{{\"$or\":[{}]}}", clauses.join(","));
    match Query::from_json(&wide) {
        Ok(wide) => assert!(!wide.matches(&document)),
        Err(error) => assert!(matches!(error, QueryError::TooLong { .. })),
    }
}

#[test]
fn nested_elem_match_costs_what_the_document_has() {
    // Twelve $elemMatch over lists nested twelve deep, each two wide.
    fn tree(depth: usize) -> Value {
        if depth == 0 {
            return Value::Int(1);
        }
        Value::List(vec![tree(depth - 1), tree(depth - 1)])
    }
    let document = content(tree(13));
    let nested = |inner: &str| {
        format!("{{\"a\":{}{inner}{}}}", "{\"$elemMatch\":".repeat(13), "}".repeat(13))
    };
    assert!(query(&nested(r#"{"$eq":1}"#)).matches(&document));
    assert!(!query(&nested(r#"{"$eq":2}"#)).matches(&document));
    assert!(!query(&nested(r#"{"$ne":1}"#)).matches(&document));
}

#[test]
fn large_literals_against_large_lists() {
    let members: Vec<String> = (0..900).map(|i| (i * 2).to_string()).collect();
    let members = members.join(",");
    let odd = Value::List((0..50_000).map(|i| Value::Int(i * 2 + 1)).collect());
    for text in [
        format!("{{\"a\":{{\"$in\":[{members}]}}}}"),
        format!("{{\"a\":[{members}]}}"),
        format!("{{\"a\":{{\"$elemMatch\":{{\"$in\":[{members}]}}}}}}"),
    ] {
        assert!(!query(&text).matches(&content(odd.clone())));
    }
}

#[test]
fn names_of_javascript_mean_nothing() {
    for name in ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"] {
        let text = format!("{{\"{name}\":{{\"$exists\":true}}}}");
        assert!(!query(&text).matches(&content(Value::Null)), "{name}");
        let text = format!("{{\"a.{name}.{name}\":null}}");
        assert!(query(&text).matches(&content(Value::Map(Map::new()))), "{name}");
    }
}

#[test]
fn a_number_too_large_is_an_error_or_exact() {
    assert!(matches!(Query::from_json(r#"{"a":18446744073709551616}"#), Err(QueryError::Json(_))));
    let float = query(r#"{"a":1e308}"#);
    assert!(float.matches(&content(Value::Float(1e308))));
    assert!(!float.matches(&content(Value::Int(i64::MAX))));
    assert!(matches!(Query::from_json(r#"{"a":1e999}"#), Err(QueryError::Json(_))));
}
