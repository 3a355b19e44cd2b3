use proptest::prelude::*;

use super::*;
use crate::testing::{nested, value};

fn decode(bytes: &[u8]) -> Result<Value, postcard::Error> {
    postcard::from_bytes(bytes)
}

#[test]
fn layout_is_as_documented() {
    let map = Map::from([("a".to_owned(), Value::Int(-1)), ("b".to_owned(), Value::Null)]);
    let list = vec![
        Value::Bool(true),
        Value::Float(1.0),
        "ä".into(),
        Value::Bytes(vec![9, 8]),
        map.into(),
    ];
    let bytes = postcard::to_allocvec(&Value::List(list)).expect("encodes");
    let expected: &[&[u8]] = &[
        &[6, 5],
        &[1, 1],
        &[3, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
        &[4, 2, 0xc3, 0xa4],
        &[5, 2, 9, 8],
        &[7, 2, 1, b'a', 2, 1, 1, b'b', 0],
    ];
    assert_eq!(bytes, expected.concat());
}

#[test]
fn depth_is_bounded_at_the_edge() {
    let at_limit = nested(limits::VALUE_DEPTH);
    let bytes = postcard::to_allocvec(&at_limit).expect("encodes");
    assert_eq!(decode(&bytes), Ok(at_limit.clone()));
    assert_eq!(at_limit.check(), Ok(()));

    let beyond = nested(limits::VALUE_DEPTH + 1);
    assert!(decode(&postcard::to_allocvec(&beyond).expect("encodes")).is_err());
    assert_eq!(beyond.check(), Err(ValueError::TooDeep));
}

/// Lists of nulls, of maps, and maps of nulls, with so many values in all.
fn of_many(values: usize) -> [Value; 3] {
    let map = Value::Map(Map::from([(String::new(), Value::Null)]));
    let maps = (values - 1) / 2;
    let mut of_maps = vec![map; maps];
    of_maps.extend(vec![Value::Null; values - 1 - 2 * maps]);
    let names = (1..values).map(|name| (format!("{name:06}"), Value::Null));
    [Value::List(vec![Value::Null; values - 1]), Value::List(of_maps), Value::Map(names.collect())]
}

/// A list of `{"": null}` of 260 kB took 43 MB, decoded.
#[test]
fn the_number_of_values_is_bounded_at_the_edge() {
    for value in of_many(limits::VALUES) {
        let bytes = postcard::to_allocvec(&value).expect("encodes");
        assert_eq!(decode(&bytes).as_ref(), Ok(&value));
        assert_eq!(value.check(), Ok(()));
        let json = value.to_json().expect("within the limits");
        assert_eq!(Value::from_json(&json).as_ref(), Ok(&value));
        let tree: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(Value::try_from(tree), Ok(value));
    }
    for value in of_many(limits::VALUES + 1) {
        assert_eq!(value.check(), Err(ValueError::TooMany));
        assert_eq!(value.to_json(), Err(ValueError::TooMany));
        assert!(decode(&postcard::to_allocvec(&value).expect("encodes")).is_err());
        let json = serde_json::Value::from(value);
        let error = Value::from_json(&json.to_string()).expect_err("too many");
        assert!(error.message().contains("publish it as several documents"), "{error}");
        assert_eq!(Value::try_from(json), Err(ValueError::TooMany));
    }
}

/// In text, bytes are a map with a string in it.
#[test]
fn bytes_count_once_also_in_text() {
    let of = |count: usize| vec![Value::Bytes(vec![1]); count].into_iter().collect::<Value>();
    let most = of(limits::VALUES - 1);
    let json = most.to_json().expect("within the limits");
    assert_eq!(Value::from_json(&json).as_ref(), Ok(&most));
    assert_eq!(Value::try_from(serde_json::Value::from(most.clone())), Ok(most));
    let more = serde_json::Value::from(of(limits::VALUES));
    assert!(Value::from_json(&more.to_string()).is_err());
    assert_eq!(Value::try_from(more), Err(ValueError::TooMany));
}

#[test]
fn bombs_are_refused() {
    // 128 Ki nested lists of one element, the same of maps, and lengths far beyond the input.
    assert!(decode(&[6, 1].repeat(128 * 1024)).is_err());
    assert!(decode(&[7, 1, 0].repeat(85 * 1024)).is_err());
    for tag in [4, 5, 6, 7] {
        let mut bytes = vec![tag];
        bytes.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        assert!(decode(&bytes).is_err());
    }
    assert!(decode(&[8]).is_err(), "an unknown tag");
}

#[test]
fn floats_must_be_finite() {
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut bytes = vec![3];
        bytes.extend(float.to_le_bytes());
        assert!(decode(&bytes).is_err());
        assert_eq!(Value::List(vec![float.into()]).check(), Err(ValueError::NotFinite));
    }
}

#[test]
fn names_must_ascend() {
    assert!(decode(&[7, 2, 1, b'a', 0, 1, b'b', 0]).is_ok());
    assert!(decode(&[7, 2, 1, b'b', 0, 1, b'a', 0]).is_err(), "descending");
    assert!(decode(&[7, 2, 1, b'a', 0, 1, b'a', 0]).is_err(), "twice");
}

proptest! {
    /// However its values are shared out, what has too many of them is refused by every way in, and
    /// what has not is taken by all.
    #[test]
    fn all_ways_in_count_alike(
        lists in prop::collection::vec(0..3000_usize, 0..12),
        bytes in 0..200_usize,
    ) {
        let list = |count: usize| Value::List(vec![Value::Null; count]);
        let mut all: Vec<Value> = lists.into_iter().map(list).collect();
        all.extend(vec![Value::Bytes(vec![0]); bytes]);
        let value = Value::List(all);
        let taken = value.check().is_ok();
        prop_assert_eq!(decode(&postcard::to_allocvec(&value).expect("encodes")).is_ok(), taken);
        let json = serde_json::Value::from(value);
        prop_assert_eq!(Value::from_json(&json.to_string()).is_ok(), taken);
        prop_assert_eq!(Value::try_from(json).is_ok(), taken);
    }

    #[test]
    fn encoding_round_trips(value in value()) {
        let bytes = postcard::to_allocvec(&value).expect("encodes");
        prop_assert_eq!(decode(&bytes), Ok(value));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in any::<Vec<u8>>()) {
        if let Ok(value) = decode(&bytes) {
            prop_assert_eq!(value.check(), Ok(()));
        }
    }

    /// Most random bytes fail at once; small ones are mostly tags and lengths that hold.
    #[test]
    fn arbitrary_tags_never_panic(bytes in prop::collection::vec(0u8..9, 0..200)) {
        if let Ok((value, _)) = postcard::take_from_bytes::<Value>(&bytes) {
            prop_assert_eq!(value.check(), Ok(()));
        }
    }
}
