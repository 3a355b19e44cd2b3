//! What is refused, and what the error says of it.

use taiinet_document::{Map, Value};
use taiinet_query::{Place, Query, QueryError};

use crate::query;

fn error(text: &str) -> QueryError {
    match Query::from_json(text) {
        Err(error) => error,
        Ok(query) => panic!("{text} was read as {query}"),
    }
}

/// The text of each error: what is wrong, where, and what to do.
#[test]
fn errors_say_what_and_where() {
    let rows = [
        // unknown operators, anywhere
        (r#"{"a":{"$foo":1}}"#, "a.$foo: there is no operator `$foo`"),
        (r#"{"$foo":1}"#, "$foo: there is no operator `$foo`"),
        (r#"{"$":1}"#, "$: there is no operator `$`"),
        (r#"{"a":{"$regx":"x"}}"#, "a.$regx: there is no operator `$regx`; did you mean `$regex`?"),
        (
            r#"{"a":{"$exist":true}}"#,
            "a.$exist: there is no operator `$exist`; did you mean `$exists`?",
        ),
        (r#"{"a":{"$GT":1}}"#, "a.$GT: there is no operator `$GT`; did you mean `$gt`?"),
        (
            r#"{"a":{"$elemmatch":{}}}"#,
            "a.$elemmatch: there is no operator `$elemmatch`; did you mean `$elemMatch`?",
        ),
        (r#"{"a":{"$like":"x"}}"#, "a.$like: there is no operator `$like`; did you mean `$regex`?"),
        (r#"{"$And":[{}]}"#, "$And: there is no operator `$And`; did you mean `$and`?"),
        (r#"{"$where":"1"}"#, "$where: there is no operator `$where`"),
        (r#"{"$expr":{}}"#, "$expr: there is no operator `$expr`"),
        (r#"{"$comment":"x","a":1}"#, "$comment: there is no operator `$comment`"),
        (r#"{"a":{"$near":1}}"#, "a.$near: there is no operator `$near`"),
        (r#"{"$or":[{"a":1},{"b.c":{"$foo":1}}]}"#, "$or[1].b.c.$foo: there is no operator `$foo`"),
        (
            r#"{"a":{"$not":{"$elemMatch":{"b":{"$foo":1}}}}}"#,
            "a.$not.$elemMatch.b.$foo: there is no operator `$foo`",
        ),
        (
            r#"{"a":{"$all":[{"$elemMatch":{"$foo":1}}]}}"#,
            "a.$all[0].$elemMatch.$foo: there is no operator `$foo`",
        ),
        // operators in the wrong place
        (
            r#"{"$gt":1}"#,
            "$gt: `$gt` tests a field, so it belongs below one: {\"field\": {\"$gt\": …}}",
        ),
        (
            r#"{"$not":{"a":1}}"#,
            "$not: `$not` tests a field, so it belongs below one: {\"field\": {\"$not\": …}}",
        ),
        (
            r#"{"$and":[{"$in":[1]}]}"#,
            "$and[0].$in: `$in` tests a field, so it belongs below one: {\"field\": {\"$in\": …}}",
        ),
        (
            r#"{"a":{"$or":[{"$gt":1}]}}"#,
            "a.$or: `$or` joins whole queries, so it cannot stand below a field; put the field into \
             each branch",
        ),
        (
            r#"{"a":{"$elemMatch":{"$or":[{"b":1}],"$gt":1}}}"#,
            "a.$elemMatch.$gt: `$gt` tests a field, so it belongs below one: {\"field\": {\"$gt\": …}}",
        ),
        // operators mixed with fields
        (
            r#"{"a":{"$gt":1,"b":2}}"#,
            "a mixes the operator `$gt` with the field `b`; write the field as a dotted path, or \
             compare the whole value by `$eq`",
        ),
        (
            r#"{"a":{"$elemMatch":{"$gt":1,"b":2}}}"#,
            "a.$elemMatch mixes the operator `$gt` with the field `b`; write the field as a dotted \
             path, or compare the whole value by `$eq`",
        ),
        (r#"{"a":{"b":1,"$foo":2}}"#, "a.$foo: there is no operator `$foo`"),
        // not queries
        ("[]", "the query must be a map like {\"field\": value}, not array"),
        ("1", "the query must be a map like {\"field\": value}, not int"),
        ("null", "the query must be a map like {\"field\": value}, not null"),
        (r#""a""#, "the query must be a map like {\"field\": value}, not string"),
        (r#"{"$bytes":"AA=="}"#, "the query must be a map like {\"field\": value}, not binData"),
        (r#"{"$and":[1]}"#, "$and[0] must be a map like {\"field\": value}, not int"),
        (r#"{"$or":[{},null]}"#, "$or[1] must be a map like {\"field\": value}, not null"),
        // operands
        (r#"{"$and":{}}"#, "$and must be a list of queries, not object"),
        (r#"{"$or":"x"}"#, "$or must be a list of queries, not string"),
        (r#"{"$nor":null}"#, "$nor must be a list of queries, not null"),
        (r#"{"$and":[]}"#, "$and must not be empty"),
        (r#"{"$or":[]}"#, "$or must not be empty"),
        (r#"{"$nor":[]}"#, "$nor must not be empty"),
        (r#"{"a":{"$in":1}}"#, "a.$in must be a list, not int"),
        (r#"{"a":{"$in":{"b":1}}}"#, "a.$in must be a list, not object"),
        (r#"{"a":{"$nin":null}}"#, "a.$nin must be a list, not null"),
        (r#"{"a":{"$all":"x"}}"#, "a.$all must be a list, not string"),
        (
            r#"{"a":{"$in":[1,{"$gt":1}]}}"#,
            "a.$in[1].$gt: a value to compare with holds no names that begin with `$`; an operator \
             stands right below its field, so write the field as a dotted path, like {\"a.b\": {\"$gt\": 1}}",
        ),
        (
            r#"{"a":{"$nin":[{"$regex":"x"}]}}"#,
            "a.$nin[0].$regex: a value to compare with holds no names that begin with `$`; an operator \
             stands right below its field, so write the field as a dotted path, like {\"a.b\": {\"$gt\": 1}}",
        ),
        (
            r#"{"a":{"$all":[{"$gt":1}]}}"#,
            "a.$all[0].$gt: a value to compare with holds no names that begin with `$`; an operator \
             stands right below its field, so write the field as a dotted path, like {\"a.b\": {\"$gt\": 1}}",
        ),
        (
            r#"{"a":{"$all":[1,{"$elemMatch":{"b":1}}]}}"#,
            "a.$all[1] must be a value, or all of the list `$elemMatch`, not object",
        ),
        (
            r#"{"a":{"$contains":{"$gt":1}}}"#,
            "a.$contains.$gt: a value to compare with holds no names that begin with `$`; an operator \
             stands right below its field, so write the field as a dotted path, like {\"a.b\": {\"$gt\": 1}}",
        ),
        (
            r#"{"a":{"b":{"$gt":1}}}"#,
            "a.b.$gt: a value to compare with holds no names that begin with `$`; an operator \
             stands right below its field, so write the field as a dotted path, like {\"a.b\": {\"$gt\": 1}}",
        ),
        // no operator at all, or none of ours
        (r#"{"a":{"$numberLang":"1"}}"#, "a.$numberLang: there is no operator `$numberLang`"),
        (
            r#"{"a":{"$gte":{"$date":"2025-08-01T00:00:00Z"}}}"#,
            "a.$gte: `$date` of MongoDB's Extended JSON is no value here; write the time as the \
             documents have it: in milliseconds since 1970, or as text like \
             \"2025-08-01T00:00:00Z\"",
        ),
        (
            r#"{"a":{"$in":[1,{"b":{"$oid":"0123456789abcdef01234567"}}]}}"#,
            "a.$in[1].b: `$oid` of MongoDB's Extended JSON is no value here; write its hex digits as \
             text",
        ),
        (
            r#"{"a":{"$gt":{"$numberLong":5}}}"#,
            "a.$gt: `$numberLong` must hold a whole number of 64 bits as text, like \
             {\"$numberLong\": \"5\"}",
        ),
        (r#"{"a":{"$lt":{"$numberDouble":"Infinity"}}}"#, "a.$lt: a number must be finite"),
        (r#"{"a":{"$bytes":"A"}}"#, "a: `$bytes` must hold base64 text (RFC 4648, with padding)"),
        (r#"{"a":{"$not":1}}"#, "a.$not must be a map of operators, not int"),
        (r#"{"a":{"$not":"x"}}"#, "a.$not must be a map of operators, not string"),
        (r#"{"a":{"$not":[{"$gt":1}]}}"#, "a.$not must be a map of operators, not array"),
        (r#"{"a":{"$not":{}}}"#, "a.$not must not be empty"),
        (
            r#"{"a":{"$not":{"b":1}}}"#,
            "a.$not must be a map of operators (for a literal use `$ne`), not object",
        ),
        (r#"{"a":{"$elemMatch":1}}"#, "a.$elemMatch must be a map: a query, or operators, not int"),
        (
            r#"{"a":{"$elemMatch":[]}}"#,
            "a.$elemMatch must be a map: a query, or operators, not array",
        ),
        (r#"{"a":{"$exists":"yes"}}"#, "a.$exists must be true or false, not string"),
        (r#"{"a":{"$exists":[]}}"#, "a.$exists must be true or false, not array"),
        (r#"{"a":{"$size":-1}}"#, "a.$size must be a whole number, not negative, not int"),
        (r#"{"a":{"$size":1.5}}"#, "a.$size must be a whole number, not negative, not double"),
        (r#"{"a":{"$size":"1"}}"#, "a.$size must be a whole number, not negative, not string"),
        (
            r#"{"a":{"$size":{"$gt":1}}}"#,
            "a.$size must be a whole number, not negative, not object",
        ),
        (
            r#"{"a":{"$mod":2}}"#,
            "a.$mod must be a list of two numbers, divisor and remainder, not int",
        ),
        (
            r#"{"a":{"$mod":[2]}}"#,
            "a.$mod must be a list of two numbers, divisor and remainder, not array",
        ),
        (
            r#"{"a":{"$mod":[]}}"#,
            "a.$mod must be a list of two numbers, divisor and remainder, not array",
        ),
        (
            r#"{"a":{"$mod":[2,1,0]}}"#,
            "a.$mod must be a list of two numbers, divisor and remainder, not array",
        ),
        (r#"{"a":{"$mod":["2",1]}}"#, "a.$mod[0] must be a number within 64 bits, not string"),
        (r#"{"a":{"$mod":[2,null]}}"#, "a.$mod[1] must be a number within 64 bits, not null"),
        (r#"{"a":{"$mod":[1e300,1]}}"#, "a.$mod[0] must be a number within 64 bits, not double"),
        (r#"{"a":{"$mod":[0,1]}}"#, "a.$mod divides by zero"),
        (r#"{"a":{"$mod":[0.9,1]}}"#, "a.$mod divides by zero"),
        (
            r#"{"a":{"$type":"text"}}"#,
            "a.$type: there is no type `text`; there are double, string, object, array, binData, bool, \
             null, int, long and number",
        ),
        (
            r#"{"a":{"$type":["string",99]}}"#,
            "a.$type[1]: there is no type `99`; there are double, string, object, array, binData, \
             bool, null, int, long and number",
        ),
        (r#"{"a":{"$type":[]}}"#, "a.$type must not be empty"),
        (
            r#"{"a":{"$type":true}}"#,
            "a.$type must be a type's name or number, or a list of them, not bool",
        ),
        // regular expressions
        (r#"{"a":{"$regex":1}}"#, "a.$regex must be a regular expression as a string, not int"),
        (
            r#"{"a":{"$regex":"(?=x)"}}"#,
            "a.$regex: the regular expression cannot be used: look-around is not supported; \
             use several `$regex`, or `$not`",
        ),
        (
            r#"{"a":{"$regex":"(x)\\1"}}"#,
            "a.$regex: the regular expression cannot be used: backreferences are not supported",
        ),
        (
            r#"{"a":{"$regex":"(x"}}"#,
            "a.$regex: the regular expression cannot be used: a group `(…` is not closed",
        ),
        (
            r#"{"a":{"$regex":"(a{100}){100}"}}"#,
            "a.$regex: a query's regular expressions may have 65536 bytes in all when compiled; use \
             smaller repetition counts, or fewer expressions",
        ),
        (
            r#"{"a":{"$regex":"x","$options":"ig"}}"#,
            "a.$options: `g` is no option; there are i, m, s and x",
        ),
        (r#"{"a":{"$regex":"x","$options":1}}"#, "a.$options must be letters as a string, not int"),
        (r#"{"a":{"$options":"i"}}"#, "a.$options stands without `$regex`"),
        (r#"{"a":{"$not":{"$options":"i"}}}"#, "a.$not.$options stands without `$regex`"),
    ];
    for (text, message) in rows {
        assert_eq!(error(text).to_string(), message, "for {text}");
    }
}

#[test]
fn errors_can_be_compared() {
    assert_eq!(
        error(r#"{"$or":[{"age":{"$gtt":1}}]}"#),
        QueryError::UnknownOperator {
            at: Place::from("$or[0].age.$gtt"),
            operator: "$gtt".to_owned(),
            suggestion: Some("$gt"),
        }
    );
    assert_eq!(error("{\"$and\": []}").place(), Some(&Place::from("$and")));
    assert_eq!(error("[]").place().map(Place::as_str), Some(""));
}

#[test]
fn what_is_not_json_says_where() {
    for text in ["", "{", "{\"a\":}", "{'a':1}", "{\"a\":1,\"a\":2}", "{\"a\":NaN}", "{} {}"] {
        let error = error(text);
        assert!(matches!(error, QueryError::Json(_)), "{text}: {error:?}");
        assert!(error.to_string().starts_with("the query is not valid JSON: line 1"), "{error}");
        assert_eq!(error.place(), None);
    }
}

#[test]
fn a_number_that_is_not_finite_is_refused() {
    for number in [f64::NAN, f64::INFINITY] {
        let value = Value::Map([("a".to_owned(), Value::Float(number))].into());
        assert_eq!(Query::parse(&value), Err(QueryError::NotFinite));
    }
}

/// No name with `$` in a value silently matches nothing, or everything, whichever the operator.
#[test]
fn names_with_dollars_are_refused_in_all_values() {
    let value = Value::Map(Map::from([("$foo".to_owned(), Value::Int(1))]));
    let inside = Value::Map(Map::from([("b".to_owned(), Value::List(vec![value.clone()]))]));
    let one = |name: &str, value: Value| Value::Map(Map::from([(name.to_owned(), value)]));
    let refused = |operand: Value| {
        let query = one("a", operand);
        match Query::parse(&query) {
            Err(error @ (QueryError::NameInValue { .. } | QueryError::UnknownOperator { .. })) => {
                let place = error.place().map(Place::as_str).unwrap_or_default().to_owned();
                assert!(place.starts_with('a') && place.ends_with("$foo"), "{query:?}: {place}");
            }
            other => panic!("{query:?}: {other:?}"),
        }
    };
    for value in [value, inside] {
        for operator in ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$contains"] {
            refused(one(operator, value.clone()));
            refused(one("$not", one(operator, value.clone())));
            refused(one("$elemMatch", one(operator, value.clone())));
            refused(one("$elemMatch", one("c", one(operator, value.clone()))));
        }
        for operator in ["$in", "$nin", "$all", "$contains"] {
            refused(one(operator, Value::List(vec![Value::Int(1), value.clone()])));
        }
        refused(value);
    }
}

/// Extended JSON's numbers are numbers in every place where a number may stand.
#[test]
fn numbers_of_extended_json_are_numbers() {
    let plain = r#"{"a":5,"b":{"$gt":1},"c":{"$ne":5},"d":{"$in":[1,{"e":[2.5]}]},"f":{"$mod":[4,1]},
        "g":{"$size":2},"h":{"$all":[3]},"i":{"$contains":7},"j":{"$not":{"$lt":8}},"k":{"$type":16},
        "l":{"$elemMatch":{"$gte":9}},"m":{"$exists":1}}"#;
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    for name in ["$numberInt", "$numberLong", "$numberDouble"] {
        let mut extended = String::new();
        let mut rest = plain;
        while let Some(at) = rest.find(digits) {
            let number = &rest[at..];
            let number = &number[..number.find(|c| !digits(c)).unwrap_or(number.len())];
            let name = if number.contains('.') { "$numberDouble" } else { name };
            extended += &rest[..at];
            extended += &format!(r#"{{"{name}":"{number}"}}"#);
            rest = &rest[at + number.len()..];
        }
        extended += rest;
        assert_eq!(query(&extended), query(plain), "{extended}");
    }
}
