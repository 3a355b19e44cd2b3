use proptest::prelude::*;
use taiinet_document::Value;

use super::*;
use crate::encoding;

fn key(value: &Value) -> Vec<u8> {
    let mut key = Vec::new();
    encoding::append(value, &mut key);
    key
}

fn code(value: impl Into<Value>) -> Code {
    Code::of(&key(&value.into()))
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
        assert_eq!(code(number), Code([ordered, 0, 0, 0]), "{number}");
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

fn text() -> impl Strategy<Value = Value> {
    "[\0-\u{2}a\u{10ffff}]{0,40}".prop_map(Value::String)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn codes_have_the_order_of_keys((a, b) in prop_oneof![(number(), number()), (text(), text())]) {
        let (a, b) = (key(&a), key(&b));
        prop_assert!(a > b || Code::of(&a) <= Code::of(&b));
        // What is less than a key has no greater code than what comes before it, nor a lesser one than it.
        let (lesser, greater) = if a < b { (a, b) } else { (b, a) };
        if lesser < greater {
            prop_assert!(Code::of(&lesser) <= Code::before(lesser[0], &greater));
        }
        let after = [greater.as_slice(), &[0]].concat();
        prop_assert!(Code::of(&greater) <= Code::before(greater[0], &after));
    }

    #[test]
    fn bits_are_taken_and_put_back(words in any::<[u64; 4]>(), from in 0..256_u16, length in 0..=64_u16) {
        let code = Code(words);
        let to = (from + length).min(256);
        let bits = code.slice(from, to);
        if from / 64 == to.saturating_sub(1) / 64 && to > from {
            prop_assert_eq!(code.first_with(from).with(from, to, bits), code.first_with(to));
        }
        prop_assert!(code.first_with(from) <= code && code <= code.last_with(from));
    }
}

#[test]
fn no_level_crosses_a_word() {
    for tag in [encoding::NUMBER, encoding::STRING] {
        let mut from = 0;
        for to in levels(tag) {
            assert!(*to > from && from / 64 == (to - 1) / 64, "{from} to {to}");
            from = *to;
        }
    }
}
