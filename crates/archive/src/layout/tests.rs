use proptest::prelude::*;

use super::*;

fn id(byte: u8) -> DocumentId {
    DocumentId::from_bytes([byte; 32])
}

proptest! {
    #[test]
    fn spots_are_ordered_as_marks_are(
        (a, b) in (0..TIME_END, 0..TIME_END),
        (x, y) in (any::<[u8; 32]>(), any::<[u8; 32]>()),
    ) {
        let mark = |time, id| Mark {
            created_at: Timestamp::from_millis(time),
            id: DocumentId::from_bytes(id),
        };
        for (a, b) in [(mark(a, x), mark(b, y)), (mark(a, x), mark(a, y))] {
            prop_assert_eq!(Spot::of(&a).cmp(&Spot::of(&b)), a.cmp(&b));
            prop_assert_eq!(Spot::of(&a).created_at(), a.created_at);
        }
    }

    #[test]
    fn what_ends_with_a_spot_gives_it_back(field in 0..16_usize, value: Vec<u8>, time in 0..TIME_END) {
        let spot = Spot::new(Timestamp::from_millis(time), &id(7));
        let key = field_key(field, &value, spot);
        prop_assert_eq!(Spot::ending(&key), Some(spot));
        prop_assert_eq!(field_value(&key), Some(value.as_slice()));
    }

    /// The heaviest are among those of the greatest weight, and weights are a fifth apart at most.
    #[test]
    fn weights_ascend(a: u64, b: u64) {
        let (less, more) = (a.min(b), a.max(b));
        prop_assert!(weight(less) <= weight(more));
        if u128::from(more) * 4 > u128::from(less) * 5 + 16 {
            prop_assert!(weight(less) < weight(more));
        }
    }
}

#[test]
fn keys_of_others_do_not_meet() {
    let peer = |byte| PeerId::from_bytes([byte; 32]);
    assert_ne!(head_prefix(&peer(1), "a"), head_prefix(&peer(2), "a"));
    assert_ne!(head_prefix(&peer(1), "a"), head_prefix(&peer(1), "b"));
    assert_ne!(grave_prefix(&peer(1), &id(1)), grave_prefix(&peer(2), &id(1)));
}

#[test]
fn what_has_no_bytes_is_no_key() {
    assert_eq!(Spot::ending(b"short"), None);
    assert_eq!(field_value(b"short"), None);
}
