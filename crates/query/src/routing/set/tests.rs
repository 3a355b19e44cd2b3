use proptest::prelude::*;

use super::*;
use crate::{
    limits::{KEY_SET_BYTES, KEY_SET_KEYS},
    routing::term::{Tag, Term},
};

/// Few, so that they often meet: of each type some values that share their first bits.
fn term() -> impl Strategy<Value = Term> {
    let tag = prop::sample::select(vec![0x20, 0x30, 0x50, 0x70, 0xf0]);
    let code = (0..4_u64, 0..3_u64).prop_map(|(high, low)| high << 62 | low << 27);
    let level = prop_oneof![Just(38_u8), 0..=38_u8];
    (0..4_u16, tag, code, level).prop_map(|(path, tag, code, level)| {
        Term::new(Tag::of(tag).expect("a type"), code, level).at_short(path * 1000)
    })
}

fn key() -> impl Strategy<Value = RoutingKey> {
    prop_oneof![
        term().prop_map(RoutingKey::One),
        (term(), term()).prop_map(|(a, b)| RoutingKey::both(a, b)),
    ]
}

/// Of values that keys have, at their greatest level.
fn document() -> impl Strategy<Value = DocumentKeys> {
    let terms = prop::collection::vec(term(), 0..6).prop_map(|terms| {
        let whole = |term: Term| {
            let levels = term.tag().levels();
            term.with_level(levels).with_prefix(term.prefix() << (levels - term.level()))
        };
        terms.into_iter().map(whole).collect::<Vec<_>>()
    });
    let any = prop::sample::select(vec![vec![], vec![], vec![], vec![1000]]);
    (terms, any).prop_map(|(terms, any)| DocumentKeys::of_terms(&terms, &any))
}

fn most_bytes() -> impl Strategy<Value = usize> {
    prop_oneof![1..80_usize, 80..600_usize, Just(KEY_SET_BYTES)]
}

fn bytes(set: &KeySet) -> Vec<u8> {
    postcard::to_allocvec(set).expect("bytes")
}

/// What a set must never do: match less than its keys, or be longer than allowed.
fn check(
    set: &KeySet,
    most: usize,
    keys: &[RoutingKey],
    documents: &[DocumentKeys],
) -> Result<(), TestCaseError> {
    prop_assert!(set.wire_bytes() <= most, "{} > {most}", set.wire_bytes());
    prop_assert!(set.len() <= KEY_SET_KEYS);
    prop_assert_eq!(&postcard::from_bytes::<KeySet>(&bytes(set)), &Ok(set.clone()));
    for document in documents {
        let is_wanted = keys.iter().any(|key| key.matches(document));
        prop_assert!(!is_wanted || set.matches(document), "{:?} by {:?}", document, set);
    }
    for key in keys {
        prop_assert!(set.may_hold(key), "{:?} in {:?}", key, set);
        for term in keys.iter().flat_map(RoutingKey::terms) {
            let narrower = key.terms().next().map(|own| RoutingKey::both(own, term));
            let is_covered = |narrower: &RoutingKey| keys.iter().any(|key| key.covers(narrower));
            prop_assert!(narrower.is_none_or(|n| !is_covered(&n) || set.may_hold(&n)));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_set_matches_what_its_keys_do(
        keys in prop::collection::vec(key(), 0..40),
        documents in prop::collection::vec(document(), 12),
        most in most_bytes(),
    ) {
        let set = KeySet::of(keys.iter().copied(), most);
        check(&set, most, &keys, &documents)?;
        prop_assert_eq!(set.is_empty(), keys.is_empty());
        let set = KeySet::of(keys.iter().copied(), KEY_SET_BYTES);
        prop_assert!(set.is_exact() && !set.is_everything());
        for document in documents.iter().filter(|document| !document.has_any(1000)) {
            let is_wanted = keys.iter().any(|key| key.matches(document));
            prop_assert_eq!(set.matches(document), is_wanted, "{:?} by {:?}", document, set);
        }
    }

    #[test]
    fn a_union_matches_what_its_sets_do(
        keys in prop::collection::vec((prop::collection::vec(key(), 0..24), most_bytes()), 0..6),
        documents in prop::collection::vec(document(), 12),
        most in most_bytes(),
    ) {
        let sets: Vec<KeySet> =
            keys.iter().map(|(keys, most)| KeySet::of(keys.iter().copied(), *most)).collect();
        let keys: Vec<RoutingKey> = keys.into_iter().flat_map(|(keys, _)| keys).collect();
        let union = KeySet::union(&sets, most);
        check(&union, most, &keys, &documents)?;
        for document in &documents {
            let is_wanted = sets.iter().any(|set| set.matches(document));
            prop_assert!(!is_wanted || union.matches(document), "{:?} by {:?}", document, union);
        }
        let again = KeySet::union([&union, &union], KEY_SET_BYTES);
        check(&again, KEY_SET_BYTES, &keys, &documents)?;
    }

    #[test]
    fn what_is_received_is_valid_or_refused(
        mut received in prop::collection::vec(any::<u8>(), 0..200),
        keys in prop::collection::vec(key(), 1..40),
        at in any::<prop::sample::Index>(),
        with in any::<u8>(),
        document in document(),
    ) {
        let mut altered = bytes(&KeySet::of(keys, 120));
        // Not how long it is, which has several forms in postcard.
        let index = 1 + at.index(altered.len() - 1);
        altered[index] ^= with;
        // As long as it says.
        if let Ok(length) = u8::try_from(received.len()) {
            received.insert(0, length & 0x7f);
        }
        for received in [received, altered] {
            if let Ok((set, rest)) = postcard::take_from_bytes::<KeySet>(&received) {
                let read = received.len() - rest.len();
                prop_assert_eq!(&bytes(&set), &received[..read]);
                set.matches(&document);
                prop_assert!(KeySet::union([&set], 100).wire_bytes() <= 100);
            }
        }
    }

    #[test]
    fn documents_are_received_as_they_were_sent(
        document in document(),
        mut received in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let sent = postcard::to_allocvec(&document).expect("bytes");
        prop_assert_eq!(postcard::from_bytes(&sent), Ok(document));
        received.insert(0, received.len() as u8);
        if let Ok(document) = postcard::from_bytes::<DocumentKeys>(&received) {
            prop_assert_eq!(postcard::to_allocvec(&document).expect("bytes"), received);
        }
    }
}

fn text(path: u16, value: u64) -> Term {
    let code = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Term::new(Tag::of(0x30).expect("a type"), code, u8::MAX).at_short(path)
}

/// As of 2,000 peers that follow others, of eight applications.
fn follows(from: u64, count: u64) -> Vec<RoutingKey> {
    let pair = |i: u64| RoutingKey::both(text(9, i % 8), text(10 + (i % 8) as u16, i));
    (from..from + count).map(pair).collect()
}

fn post(i: u64) -> DocumentKeys {
    let path = 10 + (i % 8) as u16;
    DocumentKeys::of_terms(&[text(9, i % 8), text(path, i), text(40, i), text(41, 7)], &[])
}

/// Of some documents that no key matches, the share that the set does.
fn unwanted(set: &KeySet, from: u64) -> f64 {
    (from..from + 4_000).filter(|i| set.matches(&post(*i))).count() as f64 / 4_000.0
}

#[test]
fn thousands_of_keys_fit_and_few_documents_match_that_should_not() {
    let set = KeySet::of(follows(0, 2_000), KEY_SET_BYTES);
    let share = unwanted(&set, 1 << 20);
    println!("2,000 keys: {} bytes, {:.3} % unwanted", set.wire_bytes(), 100.0 * share);
    assert!((0..2_000).all(|i| set.matches(&post(i))) && share <= 0.01, "{share}");
    assert!(!set.is_exact() && set.len() >= 1_980, "{}", set.len());
    let sets: Vec<KeySet> =
        (0..4).map(|i| KeySet::of(follows(1_500 * i, 1_500), KEY_SET_BYTES)).collect();
    let union = KeySet::union(&sets, KEY_SET_BYTES);
    let share = unwanted(&union, 1 << 20);
    println!("6,000 keys: {} bytes, {:.1} % unwanted", union.wire_bytes(), 100.0 * share);
    assert!((0..6_000).all(|i| union.matches(&post(i))) && share <= 0.5, "{share}");
}

#[test]
fn few_keys_are_kept_as_they_are() {
    let keys = follows(0, 250);
    let set = KeySet::of(keys.iter().copied(), KEY_SET_BYTES);
    assert!(set.is_exact() && set.len() == 250, "{}", set.len());
    assert!(!(1 << 20..1 << 21).any(|i| set.matches(&post(i))));
    assert_eq!(set.paths(), [9, 10, 11, 12, 13, 14, 15, 16, 17]);
    let half = KeySet::of(follows(0, 500), usize::MAX);
    assert!(half.heap_bytes() <= 9 * 1024, "{}", half.heap_bytes());
    // What others cover goes without saying.
    let wide = RoutingKey::One(text(9, 3));
    let set = KeySet::of(keys.into_iter().chain([wide]), KEY_SET_BYTES);
    assert_eq!(set.len(), 250 - 250 / 8 + 1);
}

#[test]
fn a_set_has_few_shapes() {
    let pair = |i: u16| RoutingKey::both(text(9, 1), text(100 + i, 1));
    let level = |i: u16| RoutingKey::One(text(50 + i / 38, 1).widened((i % 38) as u8));
    for keys in [(0..300).map(pair).collect::<Vec<_>>(), (0..300).map(level).collect()] {
        let set = KeySet::of(keys.iter().copied(), KEY_SET_BYTES);
        assert!(set.groups().len() <= group::SHAPES && !set.is_everything());
        assert!(keys.iter().all(|key| set.may_hold(key)));
    }
    // No path is common to them.
    let alone = |i: u16| RoutingKey::One(text(i, 1));
    assert!(KeySet::of((0..65).map(alone), KEY_SET_BYTES).is_everything());
    assert!(!KeySet::of((0..64).map(alone), KEY_SET_BYTES).is_everything());
    assert!(KeySet::of([RoutingKey::Any, alone(1)], KEY_SET_BYTES).is_everything());
}

/// As many values and shapes as a document and a set can have.
#[test]
fn hostile_documents_and_sets_are_asked_little() {
    let values: Vec<Term> = (0..256).map(|i| text((i / 32) as u16, i)).collect();
    let document = DocumentKeys::of_terms(&values, &[]);
    let key =
        |i: u8| RoutingKey::both(text(0, 1000).widened(38 - i), text(1, 1000).widened(20 + i % 19));
    let set = KeySet::of((0..19).map(key), KEY_SET_BYTES);
    assert!(set.groups().len() * 32 * 32 > TRIES && set.matches(&document));
}
