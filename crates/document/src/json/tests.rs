use proptest::prelude::*;

use super::*;
use crate::{
    limits,
    testing::{map, nested, value},
};

fn read(text: &str) -> Result<Value, JsonError> {
    Value::from_json(text)
}

/// Where and why a text is refused.
fn fault(text: &str) -> (usize, usize, String) {
    let error = read(text).expect_err(text);
    (error.line(), error.column(), error.message().to_owned())
}

#[test]
fn numbers_keep_their_kind() {
    let cases: &[(&str, Value, &str)] = &[
        ("0", Value::Int(0), "0"),
        ("9223372036854775807", Value::Int(i64::MAX), "9223372036854775807"),
        ("-9223372036854775808", Value::Int(i64::MIN), "-9223372036854775808"),
        ("9007199254740993", Value::Int(9_007_199_254_740_993), "9007199254740993"),
        ("1.0", Value::Float(1.0), "1.0"),
        ("1e2", Value::Float(100.0), "100.0"),
        ("-0.0", Value::Float(-0.0), "-0.0"),
        ("-0", Value::Float(-0.0), "-0.0"),
        ("1e300", Value::Float(1e300), "1e+300"),
        ("5e-324", Value::Float(5e-324), "5e-324"),
    ];
    for (text, value, printed) in cases {
        assert_eq!(read(text).as_ref(), Ok(value), "{text}");
        assert_eq!(value.to_json().as_deref(), Ok(*printed));
        assert_eq!(read(printed).as_ref(), Ok(value));
    }
}

#[test]
fn integers_beyond_64_bits_are_refused_where_they_stand() {
    for number in [
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1000000000000000000000000000000",
    ] {
        let (line, column, message) =
            fault(&format!("{{\"a\": \"\\\"{number}\",\n \"b\": [1, {number}]}}"));
        assert_eq!(line, 2, "{number}: {message}");
        assert!((11..=42).contains(&column), "{column}");
        assert!(message.contains("beyond 64 bits"), "{message}");
    }
    assert_eq!(read("1000000000000000000000000000000.0"), Ok(Value::Float(1e30)));
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    for text in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "01",
        "{\"a\":1,}",
        "[1 2]",
        "\"\\ud800\"",
        "",
        "nul",
        "'a'",
        "1 2",
        "{} x",
        "\"\u{1}\"",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    assert_eq!((fault("[1,\n  x]").0, fault("[1,\n  x]").1), (2, 3));
}

#[test]
fn names_are_unique() {
    let (line, column, message) = fault("{\"a\": 1,\n \"\\u0061\": 2}");
    assert!(message.contains("\"a\" stands here twice"), "{message}");
    assert_eq!((line, column > 1), (2, true));
    assert!(read("{\"a\": {\"b\": 1}, \"b\": {\"b\": 1}}").is_ok());
}

#[test]
fn bytes_and_maps_that_look_like_bytes() {
    let bytes = Value::Bytes(vec![0, 1, 255]);
    assert_eq!(bytes.to_json().as_deref(), Ok(r#"{"$bytes":"AAH/"}"#));
    assert_eq!(read(r#"{"$bytes":"AAH/"}"#), Ok(bytes.clone()));

    let lookalike = Value::Map(Map::from([("$bytes".to_owned(), "AAH/".into())]));
    assert_eq!(lookalike.to_json().as_deref(), Ok(r#"{"$$bytes":"AAH/"}"#));
    assert_eq!(read(r#"{"$$bytes":"AAH/"}"#), Ok(lookalike));
    let two = r#"{"$bytes":"AAH/","a":1}"#;
    assert_eq!(read(two).expect("no mark").to_json().as_deref(), Ok(two));

    for text in
        [r#"{"$bytes":1}"#, r#"{"$bytes":"A"}"#, r#"{"$bytes":"AA"}"#, r#"{"$bytes":"A_=="}"#]
    {
        assert!(fault(text).2.contains("base64"), "{text}");
    }
    assert!(parse_map(r#"{"$bytes":"AAH/"}"#).is_err(), "a document is no bytes");
}

#[test]
fn numbers_of_extended_json_are_numbers() {
    for (text, value) in [
        (r#"{"$numberInt":"-5"}"#, Value::Int(-5)),
        (r#"{"$numberLong":"9007199254740993"}"#, Value::Int(9_007_199_254_740_993)),
        (r#"{"$numberDouble":"1"}"#, Value::Float(1.0)),
        (r#"{"$numberDouble":"-0.0"}"#, Value::Float(-0.0)),
    ] {
        assert_eq!(read(text), Ok(value.clone()), "{text}");
        let tree: serde_json::Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(Value::try_from(tree), Ok(value.clone()), "{text}");
        let inside = parse_map(&format!(r#"{{"a":[{{"b":{text}}}]}}"#)).expect("a document");
        let inner = Value::Map(Map::from([("b".to_owned(), value)]));
        assert_eq!(inside["a"], Value::List(vec![inner]));
    }
    for (text, reason) in [
        (r#"{"$numberInt":"2147483648"}"#, "a whole number of 32 bits"),
        (r#"{"$numberInt":5}"#, "as text"),
        (r#"{"$numberLong":"9223372036854775808"}"#, "a whole number of 64 bits"),
        (r#"{"$numberLong":"1.5"}"#, "a whole number of 64 bits"),
        (r#"{"$numberLong":""}"#, "a whole number of 64 bits"),
        (r#"{"$numberDouble":"x"}"#, "a number"),
        (r#"{"$numberDouble":"NaN"}"#, "finite"),
        (r#"{"$numberDouble":"Infinity"}"#, "finite"),
        (r#"{"$numberDouble":"-Infinity"}"#, "finite"),
        (r#"{"$numberDouble":"1e999"}"#, "finite"),
    ] {
        let message = fault(text).2;
        assert!(message.contains(reason), "{text}: {message}");
    }
}

#[test]
fn the_rest_of_extended_json_is_refused_by_name_and_place() {
    for name in [
        "$date",
        "$oid",
        "$uuid",
        "$binary",
        "$numberDecimal",
        "$timestamp",
        "$regularExpression",
        "$symbol",
        "$code",
        "$dbPointer",
        "$undefined",
        "$minKey",
        "$maxKey",
    ] {
        let text = format!("{{\"a\":[0,{{\"b\":{{\"{name}\":\"x\"}}}}]}}");
        let error = read(&text).expect_err(name);
        assert_eq!(error.place(), Some("a[1].b"));
        let begin = format!("a[1].b: `{name}` of MongoDB's Extended JSON is no value here; write ");
        assert!(error.message().starts_with(&begin), "{error}");
        let tree: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert!(
            matches!(Value::try_from(tree), Err(ValueError::Extended { name: n, .. }) if n == name)
        );

        // One more `$` says that the map is meant, and that is how it is written.
        let escaped = text.replace('$', "$$");
        let value = read(&escaped).expect("a map");
        assert_eq!(value.to_json().as_deref(), Ok(escaped.as_str()));
        let two = format!("{{\"{name}\":1,\"a\":1}}");
        assert!(matches!(read(&two), Ok(Value::Map(map)) if map.len() == 2), "{name}");
    }
    assert_eq!(fault("[1, x]").2, read("[1, x]").expect_err("no JSON").message());
    assert_eq!(read("[1, x]").expect_err("no JSON").place(), None);
}

#[test]
fn depth_is_bounded_at_the_edge() {
    let text = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(read(&text(limits::VALUE_DEPTH)), Ok(nested(limits::VALUE_DEPTH)));
    assert!(fault(&text(limits::VALUE_DEPTH + 1)).2.contains("32 levels"));
    assert!(read(&text(100_000)).is_err());
    assert!(read(&"{\"a\":".repeat(100_000)).is_err());
    assert_eq!(nested(limits::VALUE_DEPTH + 1).to_json(), Err(ValueError::TooDeep));

    // Bytes are a scalar, though they look like a map.
    let mut deepest = Value::Bytes(vec![1]);
    for _ in 0..limits::VALUE_DEPTH {
        deepest = Value::List(vec![deepest]);
    }
    let printed = deepest.to_json().expect("at the limit");
    assert_eq!(read(&printed), Ok(deepest.clone()));
    let tree: serde_json::Value = serde_json::from_str(&printed).expect("is JSON");
    assert_eq!(Value::try_from(tree), Ok(deepest));
    assert!(read(&printed.replace("$bytes", "bytes")).is_err());
}

#[test]
fn content_is_an_object() {
    assert_eq!(
        parse_map(r#"{"ä\n\ud83d\ude00": "\u0000"}"#),
        Ok(Map::from([("ä\n😀".to_owned(), "\0".into())]))
    );
    let error = parse_map("[1]").expect_err("a list");
    assert!(error.to_string().contains("an object"), "{error}");
    let line = to_json_line(&Map::from([("a".to_owned(), "1\n2\u{2028}".into())])).expect("prints");
    assert_eq!(line, "{\"a\":\"1\\n2\u{2028}\"}");
    assert_eq!(
        to_json_line(&Map::from([("a".to_owned(), f64::NAN.into())])),
        Err(ValueError::NotFinite)
    );
}

proptest! {
    #[test]
    fn values_round_trip(value in value()) {
        let text = value.to_json().expect("prints");
        prop_assert!(!text.contains('\n'));
        prop_assert_eq!(read(&text), Ok(value));
    }

    #[test]
    fn contents_round_trip(map in map()) {
        // A field by the side, so that the whole is never taken for bytes.
        let mut map = map;
        map.insert("side".to_owned(), Value::Null);
        prop_assert_eq!(parse_map(&to_json_line(&map).expect("prints")), Ok(map));
    }

    #[test]
    fn trees_round_trip(value in value()) {
        let tree = serde_json::Value::from(value.clone());
        prop_assert_eq!(Value::try_from(tree), Ok(value));
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>(), like in r#"[\[\]{}",:\\0-9eE.+a-]{0,40}"#) {
        for text in [text, like] {
            if let Ok(value) = read(&text) {
                prop_assert_eq!(read(&value.to_json().expect("prints")), Ok(value));
            }
        }
    }
}
