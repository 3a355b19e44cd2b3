//! Each limit at its edge: the last that is allowed, the first that is not.

use taiinet_query::{Place, Query, QueryError, SharedQuery, limits};

use crate::query;

fn error(text: &str) -> QueryError {
    Query::from_json(text).expect_err(text)
}

#[test]
fn length() {
    let text = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    let longest = query(&text(limits::QUERY_BYTES));
    assert_eq!(longest.to_string().len(), limits::QUERY_BYTES);
    let long = text(limits::QUERY_BYTES + 1);
    assert_eq!(error(&long), QueryError::TooLong { bytes: limits::QUERY_BYTES + 1 });
    // The same for one that was never text.
    let value = taiinet_document::Value::from_json(&long).expect("valid JSON");
    assert_eq!(Query::parse(&value), Err(QueryError::TooLong { bytes: limits::QUERY_BYTES + 1 }));
}

/// `repeated` written `times` around a clause.
fn nested(times: usize, open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(times), close.repeat(times))
}

#[test]
fn depth() {
    let levels = limits::DEPTH - 1;
    for (open, inner, close) in [
        (r#"{"$or":["#, r#"{"a":1}"#, "]}"),
        (r#"{"$nor":["#, r#"{"a":1,"b":1}"#, "]}"),
        (r#"{"a":{"$elemMatch":"#, r#"{"a":1}"#, "}}"),
    ] {
        query(&nested(levels, open, inner, close));
        // One more is two more levels of JSON, which it may already be refused for.
        let error = error(&nested(levels + 1, open, inner, close));
        assert!(matches!(error, QueryError::Json(_) | QueryError::TooDeep { .. }), "{error}");
    }
    let not = |times| format!("{{\"a\":{}}}", nested(times, "{\"$not\":", "{\"$gt\":1}", "}"));
    query(&not(levels));
    let at = Place::from(format!("a{}", ".$not".repeat(levels + 1)).as_str());
    assert_eq!(error(&not(levels + 1)), QueryError::TooDeep { at });
}

fn fields(count: usize, each: impl Fn(usize) -> String) -> String {
    let fields: Vec<String> = (0..count).map(each).collect();
    format!("{{{}}}", fields.join(","))
}

#[test]
fn clauses() {
    let plain = |count| fields(count, |i| format!("\"f{i}\":0"));
    query(&plain(limits::CLAUSES));
    let at = Place::from("f99"); // names come in sorted order
    assert_eq!(error(&plain(limits::CLAUSES + 1)), QueryError::TooManyClauses { at });

    let pairs = |count| fields(count, |i| format!("\"f{i}\":{{\"$gt\":0,\"$lt\":9}}"));
    query(&pairs(limits::CLAUSES / 2));
    assert!(matches!(error(&pairs(limits::CLAUSES / 2 + 1)), QueryError::TooManyClauses { .. }));

    let members = |operator: &str, count: usize| {
        let members: Vec<String> = (0..count).map(|i| i.to_string()).collect();
        format!("{{\"a\":{{\"{operator}\":[{}]}}}}", members.join(","))
    };
    for operator in ["$all", "$contains"] {
        query(&members(operator, limits::CLAUSES));
        let error = error(&members(operator, limits::CLAUSES + 1));
        let at = Place::from(format!("a.{operator}[{}]", limits::CLAUSES).as_str());
        assert_eq!(error, QueryError::TooManyClauses { at });
    }
    // Members of `$in` are not clauses.
    query(&members("$in", 900));

    let branches = |count: usize| format!("{{\"$or\":[{}]}}", vec!["{}"; count].join(","));
    query(&branches(limits::CLAUSES));
    assert!(matches!(error(&branches(limits::CLAUSES + 1)), QueryError::TooManyClauses { .. }));
}

#[test]
fn paths() {
    let path = |parts: usize| format!("{{\"{}\":1}}", vec!["a"; parts].join("."));
    query(&path(limits::PATH_PARTS));
    let error = error(&path(limits::PATH_PARTS + 1));
    assert!(matches!(error, QueryError::PathTooLong { .. }), "{error}");
}

#[test]
fn regexes() {
    let all = |count| fields(count, |i| format!("\"f{i}\":{{\"$regex\":\"x\"}}"));
    query(&all(limits::REGEXES));
    let at = Place::from("f9.$regex");
    assert_eq!(error(&all(limits::REGEXES + 1)), QueryError::TooManyRegexes { at });
    // Each of them fits, all together do not.
    let large = |count| fields(count, |i| format!("\"f{i}\":{{\"$regex\":\".{{250}}\"}}"));
    query(&large(2));
    let most = limits::REGEX_BYTES;
    let too_large = error(&large(16));
    assert!(
        matches!(too_large, QueryError::RegexTooLarge { most: m, .. } if m == most),
        "{too_large}"
    );
}

#[test]
fn ordinary_regexes_are_for_oneself_and_small_ones_for_others() {
    let label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
    let words: Vec<String> = (0..42).map(|i| format!("elephant{i}")).collect();
    for regex in [
        "^.{0,140}$",
        ".{1,280}",
        &format!("^{label}(\\\\.{label})*$"),
        &words.join("|"),
        "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    ] {
        let text = format!(r#"{{"a":{{"$regex":"{regex}"}}}}"#);
        let own = query(&text);
        if regex.ends_with("12}$") {
            SharedQuery::try_from(own).expect("small enough");
            continue;
        }
        let most = limits::STRANGERS_REGEX_BYTES;
        for refused in [SharedQuery::parse_untrusted(&text), SharedQuery::try_from(own)] {
            let place = Place::from("a.$regex");
            assert_eq!(refused, Err(QueryError::RegexTooLarge { at: place, most }), "{regex}");
        }
    }
}

#[test]
fn literals_are_no_deeper_than_documents() {
    let literal = |depth: usize| format!("{{\"a\":{}}}", nested(depth, "[", "", "]"));
    query(&literal(31));
    assert!(matches!(error(&literal(32)), QueryError::Json(_)));
}
