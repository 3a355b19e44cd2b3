use core::cmp::Ordering::{Equal, Greater, Less};

use proptest::prelude::*;

use super::*;
use crate::testing::value;

#[test]
fn integers_and_floats_compare_exactly() {
    const P53: i64 = 1 << 53;
    let rows = [
        (P53 + 1, P53 as f64, Greater),
        (P53, P53 as f64, Equal),
        (P53 - 1, P53 as f64, Less),
        (-P53 - 1, -(P53 as f64), Less),
        (i64::MAX, i64::MAX as f64, Less), // the float is 2⁶³
        (i64::MIN, i64::MIN as f64, Equal),
        (i64::MIN, -1e19, Greater),
        (0, -0.0, Equal),
        (0, 5e-324, Less),
        (0, -5e-324, Greater),
        (-1, -1.5, Greater),
        (1, 1.5, Less),
        (i64::MAX, f64::INFINITY, Less),
        (i64::MIN, f64::NEG_INFINITY, Greater),
    ];
    for (int, float, expect) in rows {
        assert_eq!(compare(&Value::Int(int), &Value::Float(float)), expect, "{int} with {float}");
        assert_eq!(
            compare(&Value::Float(float), &Value::Int(int)),
            expect.reverse(),
            "{float} with {int}"
        );
    }
    assert_eq!(as_int(-0.0), Some(0));
    assert_eq!(as_int(9_223_372_036_854_775_808.0), None);
    assert_eq!(as_int(1.5), None);
    assert_eq!(as_int(f64::NAN), None);
}

proptest! {
    /// What sorting and `$in`'s binary search need.
    #[test]
    fn the_order_is_total(a in value(), b in value(), c in value()) {
        prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
        prop_assert!(compare(&a, &a).is_eq());
        prop_assert_eq!(equal(&a, &b), compare(&a, &b).is_eq());
        if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
            prop_assert!(compare(&a, &c).is_le());
        }
    }

    #[test]
    fn unifying_numbers_changes_no_comparison(a in value(), b in value()) {
        let mut unified = a.clone();
        unify_numbers(&mut unified);
        prop_assert!(equal(&a, &unified));
        prop_assert_eq!(compare(&a, &b), compare(&unified, &b));
    }
}
