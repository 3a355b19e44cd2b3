use proptest::prelude::*;
use taiinet_document::Value;

use super::*;
use crate::encoding;

fn key(value: &Value) -> Vec<u8> {
    let mut key = Vec::new();
    encoding::append(value, &mut key);
    key
}

fn code(value: impl Into<Value>) -> u64 {
    of(&key(&value.into()))
}

/// Worked out by hand from the standard's definition of `posit64`.
#[test]
fn numbers_are_posits() {
    let rows: [(f64, u64); 15] = [
        (0.0, 0),
        (1.0, 0x4000_0000_0000_0000),
        (2.0, 0x4800_0000_0000_0000),
        (4.0, 0x5000_0000_0000_0000),
        (8.0, 0x5800_0000_0000_0000),
        (16.0, 0x6000_0000_0000_0000),
        (0.5, 0x3800_0000_0000_0000),
        (0.0625, 0x2000_0000_0000_0000),
        (1.5, 0x4400_0000_0000_0000),
        (3.0, 0x4c00_0000_0000_0000),
        (-1.0, 0xc000_0000_0000_0000),
        (-2.0, 0xb800_0000_0000_0000),
        (1e300, 0x7fff_ffff_ffff_ffff),
        (-1e300, 0x8000_0000_0000_0001),
        (5e-324, 0),
    ];
    for (number, posit) in rows {
        // As an unsigned number that is ordered like them.
        let ordered = posit ^ (1 << 63);
        assert_eq!(code(number), ordered, "{number}");
    }
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::Int),
        (-300..300_i64).prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        (-4.0..4.0_f64).prop_map(Value::Float),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn codes_have_the_order_of_numbers(a in number(), b in number()) {
        let (a, b) = (key(&a), key(&b));
        prop_assert!(a > b || of(&a) <= of(&b));
        // What is less than a key has no greater code than what comes before it, nor a lesser one than it.
        let (lesser, greater) = if a < b { (a, b) } else { (b, a) };
        if lesser < greater {
            prop_assert!(of(&lesser) <= last_number(&greater));
        }
        let after = [greater.as_slice(), &[0]].concat();
        prop_assert!(of(&greater) <= last_number(&after));
        prop_assert_eq!(first_number(&greater), of(&greater));
    }
}
