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
