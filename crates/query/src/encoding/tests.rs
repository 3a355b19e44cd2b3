use core::cmp::Ordering;

use proptest::prelude::*;
use taiinet_document::parse_map;

use super::*;
use crate::{order, testing::value};

/// The encoding, and whether it is cut.
fn encoded(value: &Value) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let cut = append(value, &mut bytes);
    assert!(bytes.len() <= SORT_VALUE_BYTES && (!cut || bytes.len() == SORT_VALUE_BYTES));
    (bytes, cut)
}

fn hex(value: &Value) -> String {
    encoded(value).0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Values that differ late, and numbers where floats and integers are close to each other.
fn hard() -> impl Strategy<Value = Value> {
    let edge =
        prop::sample::select(vec![0_i64, 1 << 52, 1 << 53, 1 << 54, 1 << 62, i64::MAX, i64::MIN]);
    let near = (edge, -3000..3000_i64).prop_map(|(edge, by)| edge.saturating_add(by)).boxed();
    let long = (80..110_usize, "[\0-\u{2}a\u{7ff}\u{10ffff}]{0,3}");
    let long = long.prop_map(|(length, end)| "a".repeat(length) + &end).boxed();
    prop_oneof![
        2 => value(),
        2 => near.clone().prop_map(Value::Int),
        2 => near.prop_map(|int| Value::Float(int as f64)),
        1 => any::<f64>().prop_map(Value::Float),
        1 => long.clone().prop_map(Value::String),
        1 => "[\0-\u{2}\u{7f}-\u{81}]{0,3}".prop_map(Value::String),
        1 => prop::collection::vec(prop::sample::select(vec![0, 1, 255_u8]), 0..3).prop_map(Value::Bytes),
        1 => prop::collection::vec(0..2_u8, 85..90).prop_map(Value::Bytes),
        1 => (long.clone(), value()).prop_map(|(text, value)| Value::List(vec![text.into(), value])),
        1 => (long, value()).prop_map(|(name, value)| Value::Map([(name, value)].into())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn bytes_have_the_order_of_values(a in hard(), b in hard()) {
        let ((a_bytes, a_cut), (b_bytes, b_cut)) = (encoded(&a), encoded(&b));
        let order = order::compare(&a, &b);
        match a_bytes.cmp(&b_bytes) {
            Ordering::Equal if a_cut || b_cut => prop_assert!(a_cut && b_cut),
            bytes => prop_assert_eq!(bytes, order, "{:?} with {:?}", a, b),
        }
    }

    #[test]
    fn no_encoding_begins_another(a in hard(), b in hard()) {
        let (a, b) = (encoded(&a).0, encoded(&b).0);
        prop_assert!(a == b || !(a.starts_with(&b) || b.starts_with(&a)));
    }
}

/// Cursors travel, and indexes are kept: these bytes may not change.
#[test]
fn the_encoding_is_as_documented() {
    // a value as JSON, its encoding
    let rows = [
        ("null", "10"),
        ("0", "208000000000000000"),
        ("-0.0", "208000000000000000"),
        ("1", "20bff0000000000000"),
        ("1.5", "20bff8000000000000"),
        ("-1", "20400fffffffffffff"),
        ("9007199254740991", "20c33fffffffffffff"),
        ("9007199254740992", "20c3400000000000000000"),
        ("9007199254740993", "20c3400000000000000001"),
        ("-9007199254740993", "203cbffffffffffffe0001"),
        ("9223372036854775807", "20c3dfffffffffffff03ff"),
        ("-9223372036854775808", "203c1fffffffffffff0000"),
        ("1e300", "20fe37e43c8800759c0000"),
        ("\"\"", "3000"),
        ("\"a\\u0000é\"", "306201c4aa00"),
        ("{}", "4000"),
        ("{\"a\": 1, \"b\": \"c\"}", "40206200bff000000000000030630064 0000"),
        ("[]", "5000"),
        ("[null, []]", "5010500000"),
        ("{\"$bytes\": \"AP8=\"}", "60000000000000000200ff"),
        ("false", "7000"),
        ("true", "7001"),
    ];
    for (json, bytes) in rows {
        let value = Value::from_json(json).expect("JSON");
        assert_eq!(hex(&value), bytes.replace(' ', ""), "{json}");
    }
    assert_eq!(hex(&Value::Float(f64::NAN)), "200000000000000000");
}

#[test]
fn only_the_beginning_of_a_value_counts() {
    let text = |length| Value::String("a".repeat(length));
    // The tag and the end take a byte each.
    assert!(!encoded(&text(SORT_VALUE_BYTES - 2)).1);
    assert!(encoded(&text(SORT_VALUE_BYTES - 1)).1);
    assert_ne!(encoded(&text(SORT_VALUE_BYTES - 2)), encoded(&text(SORT_VALUE_BYTES - 1)));
    assert_eq!(encoded(&text(SORT_VALUE_BYTES - 1)), encoded(&text(100_000)));
    // What is far too deep, as no decoder yields it, is not followed down.
    let deep = (0..1_000).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    assert_eq!(encoded(&deep), (vec![LIST; SORT_VALUE_BYTES], true));
    core::mem::forget(deep);
    let map = parse_map(r#"{"a": {"b": []}}"#).expect("JSON");
    assert_eq!(hex(&Value::Map(map)), "40406200506300000000");
}
