use proptest::prelude::*;
use taiinet_document::{
    Content, Deletion, Document, DocumentId, DocumentIds, Map, Timestamp, UnknownContent, Value,
    VerifiedDocument, parse_map,
};
use taiinet_identity::{Identity, PeerId, Seed};

use super::*;
use crate::{
    Attributes, limits,
    testing::{
        attributes, content, narrow_content, raw_narrow_query, raw_query, raw_reserved_query,
    },
};

fn said() -> Attributes<'static> {
    Attributes {
        id: Some(DocumentId::from_bytes([1; 32])),
        author: PeerId::from_bytes([7; 32]),
        owner: PeerId::from_bytes([7; 32]),
        key: None,
        created_at: Timestamp::from_millis(1_700_000_000_000),
    }
}

fn query(raw: &Map) -> Result<Query, TestCaseError> {
    Query::parse(&Value::Map(raw.clone())).map_err(|_| TestCaseError::reject("beyond a limit"))
}

/// What a query must not do: match a document that stands under none of its keys.
fn check(query: &Query, attributes: Attributes<'_>, content: &Map) -> Result<(), TestCaseError> {
    let keys = query.routing_keys();
    prop_assert!(keys.len() <= limits::EQUALITY_KEYS);
    let document = DocumentKeys::of_fields(attributes, content);
    prop_assert!(document.len() <= limits::DOCUMENT_VALUES);
    prop_assert!(
        !query.matches_fields(attributes, content) || keys.matches(&document),
        "{} by {:?} misses {:?}",
        query,
        keys,
        content
    );
    let set = KeySet::of(keys.iter().copied(), limits::KEY_SET_BYTES);
    prop_assert_eq!(set.matches(&document), keys.matches(&document));
    for key in &keys {
        for level in 0..40 {
            let wider = key.widened(level);
            prop_assert!(wider.covers(key) && wider.terms().all(|term| term.level() <= level));
            prop_assert!(!key.matches(&document) || wider.matches(&document), "{:?}", key);
        }
        let others = keys.iter().filter(|other| *other != key);
        prop_assert!(others.into_iter().all(|other| !other.covers(key)));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_matches_stands_under_a_key(
        raw in raw_query(),
        contents in prop::collection::vec(content(), 12),
    ) {
        let query = query(&raw)?;
        for content in contents {
            check(&query, said(), &content)?;
        }
    }

    #[test]
    fn what_matches_by_several_tests_stands_under_a_key(
        raw in raw_narrow_query(),
        contents in prop::collection::vec(narrow_content(), 24),
    ) {
        let query = query(&raw)?;
        for content in &contents {
            check(&query, said(), content)?;
        }
    }

    #[test]
    fn what_matches_by_reserved_fields_stands_under_a_key(
        raw in raw_reserved_query(),
        attributes in prop::collection::vec(attributes(), 12),
        content in content(),
    ) {
        let query = query(&raw)?;
        for attributes in attributes {
            check(&query, attributes, &content)?;
        }
    }
}

fn keys_of(text: &str) -> RoutingKeys {
    let query: Query = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    query.routing_keys()
}

fn document(text: &str) -> DocumentKeys {
    DocumentKeys::of_fields(said(), &parse_map(text).unwrap_or_else(|e| panic!("{text}: {e}")))
}

fn range(side: &str, value: Value) -> Map {
    [("a".to_owned(), Value::Map([(side.to_owned(), value)].into()))].into()
}

/// Numbers that are close to each other, of all sizes; texts that begin alike, some longer than what counts.
fn near() -> impl Strategy<Value = Value> {
    let long = (prop::sample::select(vec![0, 1, 15, 31, 32, 93, 94, 95]), "[\0a-c]{0,3}");
    prop_oneof![
        (-40..40_i64).prop_map(Value::Int),
        (0..60_u32, -2..3_i64).prop_map(|(bit, by)| Value::Int((1 << bit) + by)),
        (-40..40_i32, -9..9_i32)
            .prop_map(|(by, power)| Value::Float(f64::from(by) * 2_f64.powi(power))),
        long.prop_map(|(length, end)| Value::String("b".repeat(length) + &end)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_within_a_range_stands_under_a_key(
        sides in prop::sample::select(vec![["$gt", "$lt"], ["$gte", "$lte"], ["$gt", "$lte"], ["$gte", "$lt"]]),
        ends in [near(), near()],
        values in prop::collection::vec(near(), 16),
        one_of in prop::collection::vec(near(), 1..14),
    ) {
        let [from, to] = ends.map(Value::from);
        let (from, to) = (range(sides[0], from), range(sides[1], to));
        let both = |name: &str| Map::from([(
            name.to_owned(),
            Value::List([&from, &to].map(|range| Value::Map(range.clone())).into()),
        )]);
        for raw in [&from, &to, &both("$and"), &both("$or"), &range("$in", Value::List(one_of.clone()))] {
            let query = query(raw)?;
            for value in values.iter().chain(&one_of) {
                check(&query, said(), &[("a".to_owned(), value.clone())].into())?;
            }
            check(&query, said(), &[("a".to_owned(), Value::List(values.clone()))].into())?;
        }
    }

    /// All documents under the one stand under the other.
    #[test]
    fn what_is_covered_is_within(
        raws in prop::collection::vec(prop_oneof![raw_query(), raw_narrow_query()], 3),
        contents in prop::collection::vec(narrow_content(), 16),
    ) {
        let queries: Result<Vec<Query>, _> = raws.iter().map(query).collect();
        let keys: Vec<RoutingKey> = queries?.iter().flat_map(|query| query.routing_keys().0).collect();
        let documents: Vec<DocumentKeys> =
            contents.iter().map(|content| DocumentKeys::of_fields(said(), content)).collect();
        for (a, b) in keys.iter().flat_map(|a| keys.iter().map(move |b| (a, b))) {
            if a.covers(b) {
                let all = documents.iter().all(|d| !b.matches(d) || a.matches(d));
                prop_assert!(all, "{:?} covers {:?}", a, b);
            }
        }
    }
}

/// How many keys, how many of them of two terms; none at all for any document.
#[test]
fn queries_have_the_keys_that_say_most() {
    let rows: &[(&str, Option<(usize, usize)>)] = &[
        ("{}", None),
        (r#"{"a": {"$in": []}}"#, Some((0, 0))),
        (r#"{"a": "x"}"#, Some((1, 0))),
        (r#"{"a": "x", "b": "y", "c": "z"}"#, Some((1, 1))),
        (r#"{"a": {"$in": ["x", "y", "z"]}}"#, Some((3, 0))),
        (r#"{"$or": [{"a": "x"}, {"b": "y"}]}"#, Some((2, 0))),
        (r#"{"$or": [{"a": "x", "c": "v"}, {"b": "y", "c": "w"}]}"#, Some((2, 2))),
        (r#"{"$or": [{"a": "x"}, {"b": "y"}], "c": "z"}"#, Some((2, 2))),
        (r#"{"$or": [{"a": "x"}, {"b": {"$ne": 1}}]}"#, None),
        (r#"{"a": {"$ne": 1}}"#, None),
        (r#"{"a": {"$exists": true}}"#, None),
        (r#"{"a": null}"#, None),
        (r#"{"a": {"$not": {"$gt": 1}}}"#, None),
        // A path with an index is not listed by documents.
        (r#"{"a.0": "x"}"#, None),
        (r#"{"a.0": "x", "b": "y"}"#, Some((1, 0))),
    ];
    for (text, expected) in rows {
        let keys = keys_of(text);
        let two = keys.iter().filter(|key| matches!(key, RoutingKey::Two(_))).count();
        let found = (!keys.is_any()).then_some((keys.len(), two));
        assert_eq!(found, *expected, "{text}: {keys:?}");
    }
}

#[test]
fn a_wider_key_covers_a_narrower_one_and_nothing_else() {
    let only = |text: &str| match keys_of(text).0.as_slice() {
        [key] => *key,
        keys => panic!("{text}: {keys:?}"),
    };
    let (topic, other) = (only(r#"{"a": "x"}"#), only(r#"{"a": "y"}"#));
    let both = only(r#"{"a": "x", "b": "y"}"#);
    let text = only(r#"{"a": {"$type": "string"}}"#);
    assert!(topic.covers(&both) && topic.covers(&topic) && RoutingKey::Any.covers(&both));
    assert!(text.covers(&topic) && text.covers(&both));
    for (narrow, wide) in
        [(&both, &topic), (&topic, &text), (&topic, &other), (&topic, &RoutingKey::Any)]
    {
        assert!(!narrow.covers(wide), "{narrow:?} {wide:?}");
    }
    assert_eq!(topic.widened(0), text);
    assert!(topic.widened(12).covers(&both) && !both.covers(&topic.widened(12)));
}

#[test]
fn too_many_values_stand_under_all_keys_of_their_path_only() {
    let many: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let many = format!(r#"{{"a": [{}], "b": "x"}}"#, many.join(","));
    let many = document(&many);
    assert!(!many.is_everything());
    assert!(keys_of(r#"{"a": 7}"#).matches(&many) && keys_of(r#"{"b": "x"}"#).matches(&many));
    assert!(!keys_of(r#"{"b": "y"}"#).matches(&many));
    let fields = |count: usize| {
        let fields: Vec<String> = (0..count).map(|n| format!(r#""f{n}": {n}"#)).collect();
        document(&format!("{{{}}}", fields.join(",")))
    };
    assert!(!fields(100).is_everything() && fields(100).len() <= limits::DOCUMENT_VALUES);
    assert!(keys_of(r#"{"f99": 99}"#).matches(&fields(100)));
    assert!(fields(5_000).is_everything() && keys_of(r#"{"z": 1}"#).matches(&fields(5_000)));
}

#[test]
fn a_key_has_one_form_on_the_wire() {
    for text in ["{}", r#"{"a": "x"}"#, r#"{"a": "x", "b": 1}"#] {
        for key in &keys_of(text) {
            let bytes = postcard::to_allocvec(key).expect("bytes");
            assert!([1, 9, 17].contains(&bytes.len()), "{bytes:?}");
            assert_eq!(postcard::from_bytes(&bytes), Ok(*key));
        }
    }
    let is_term = |word: u64| Term::from_bytes(word.to_be_bytes()).is_some();
    assert!(is_term(0xabcd_2f00_0000_0004) && is_term(0xabcd_7800_0000_0001));
    for wrong in [
        0xabcd_2f80_0000_0004, // a bit that does not count
        0xabcd_2000_0000_0027, // more bits than there are
        0xabcd_7800_0000_0002,
        0xabcd_f000_0000_0001,
        0xabcd_1000_0000_0000, // no type
        0xabcd_0000_0000_0000,
    ] {
        assert!(!is_term(wrong), "{wrong:x}");
    }
    let two = |a: u64, b: u64| [&[2][..], &a.to_be_bytes(), &b.to_be_bytes()].concat();
    let (wide, narrow, other) =
        (0xabcd_2f00_0000_0004, 0xabcd_2f00_0000_0005, 0xabcd_2ff0_0000_0008_u64);
    assert!(postcard::from_bytes::<RoutingKey>(&two(narrow, other)).is_ok());
    for wrong in
        [two(other, narrow), two(wide, wide), two(wide, narrow), vec![3], vec![1, 0], Vec::new()]
    {
        assert!(postcard::from_bytes::<RoutingKey>(&wrong).is_err(), "{wrong:?}");
    }
}

/// Of documents of a uniform number, and ranges: the unwanted for each that is wanted.
fn unwanted(documents: &[DocumentKeys], queries: impl Iterator<Item = (i64, i64)>) -> f64 {
    let (mut wanted, mut found) = (0, 0);
    for (from, to) in queries {
        let keys = keys_of(&format!(r#"{{"t": "x", "a": {{"$gte": {from}, "$lt": {to}}}}}"#));
        assert!(!keys.is_any() && keys.len() <= limits::ROUTING_KEYS);
        wanted += to - from;
        found += documents.iter().filter(|document| keys.matches(document)).count();
    }
    (found as f64 - wanted as f64) / wanted as f64
}

#[test]
fn few_documents_stand_under_a_key_that_are_not_wanted() {
    let field = |n: i64| document(&format!(r#"{{"t": "x", "a": {n}}}"#));
    let documents: Vec<DocumentKeys> = (0..10_000).map(field).collect();
    let equal = unwanted(&documents, (0..60).map(|i| (i * 163 + 7, i * 163 + 17)));
    let widths = (0..40).map(|i| (i * 97 + 5, i * 97 + 5 + (1 << (i % 12))));
    let log_uniform = unwanted(&documents, widths);
    println!("unwanted per wanted: ranges of ten {equal:.2}, log-uniform {log_uniform:.2}");
    assert!(equal <= 1.0 && log_uniform <= 1.0, "{equal} {log_uniform}");
}

#[test]
fn each_of_many_values_has_a_key() {
    let authors = |count: usize| {
        let all: Vec<String> = (0..count).map(|n| format!(r#""author {n}""#)).collect();
        keys_of(&format!(r#"{{"type": "tweet", "by": {{"$in": [{}]}}}}"#, all.join(",")))
    };
    let post = |by: &str| document(&format!(r#"{{"type": "tweet", "by": "author {by}"}}"#));
    let fifty = authors(50);
    assert_eq!(fifty.len(), 50);
    assert!(fifty.matches(&post("49")) && !fifty.matches(&post("50")));
    assert!(authors(limits::EQUALITY_KEYS).len() == limits::EQUALITY_KEYS);
    // More than that, and whatever has ranges, is coarser.
    assert!(authors(100).len() <= limits::ROUTING_KEYS && authors(100).matches(&post("99")));
    let mixed = keys_of(r#"{"$or": [{"a": {"$gt": 5, "$lt": 9}}, {"a": {"$in": [20, 40, 60]}}]}"#);
    assert!(!mixed.is_any() && mixed.len() <= limits::ROUTING_KEYS, "{mixed:?}");
}

#[test]
fn what_a_document_has_can_be_told_of_some_paths() {
    let all = document(r#"{"a": "x", "b": [1, 2], "c": true}"#);
    let paths = KeySet::of(keys_of(r#"{"a": "x", "b": 1}"#).0, limits::KEY_SET_BYTES).paths();
    let some = all.only(|path| paths.contains(&path));
    // The text, the list, both numbers, and that they are several.
    assert_eq!((paths.len(), some.len()), (2, 5));
    assert_eq!(postcard::to_allocvec(&some).expect("bytes").len(), 1 + 4 * 8 + 3);
    for query in [r#"{"a": "x"}"#, r#"{"b": 2}"#, r#"{"b": {"$gt": 0, "$lt": 9}}"#] {
        assert!(keys_of(query).matches(&some), "{query}");
    }
    for query in [r#"{"a": "y"}"#, r#"{"b": 3}"#, r#"{"c": true}"#] {
        assert!(!keys_of(query).matches(&some), "{query}");
    }
    assert!(DocumentKeys::EVERYTHING.only(|_| false).is_everything());
}

#[test]
fn what_nobody_can_see_is_under_all_keys() {
    let author = Identity::from_seed(&Seed::from_bytes([3; 32]));
    let sign = |content: Content| {
        let document = Document {
            network: "a".parse().expect("a network"),
            created_at: Timestamp::from_millis(1),
            nonce: 0,
            expires_at: None,
            key: None,
            next_key: None,
            content,
        };
        DocumentKeys::of(&VerifiedDocument::sign(&author, document).expect("signs"))
    };
    let fields = || parse_map(r#"{"a": "x"}"#).expect("fields");
    let open = sign(Content::Open(fields()));
    assert!(keys_of(r#"{"a": "x"}"#).matches(&open) && !keys_of(r#"{"a": "y"}"#).matches(&open));
    let ids = DocumentIds::new([DocumentId::from_bytes([1; 32])]).expect("few");
    let deleted = Content::Deleted(Deletion::Documents(ids));
    let unknown =
        Content::Unknown(UnknownContent::new(9, b"what is to come").expect("a later version"));
    for hidden in [deleted, unknown] {
        assert!(sign(hidden).is_everything());
    }
}

/// As long and as nested as queries can be.
#[test]
fn hostile_queries_have_few_keys() {
    let numbers: Vec<String> = (0..900).map(|n| n.to_string()).collect();
    let ors = (0..60).map(|i| format!(r#"{{"f{i}":{i},"g":{{"$gt":{i}}}}}"#)).collect::<Vec<_>>();
    let mut nested = r#"{"a":1,"b":2}"#.to_owned();
    for i in 0..13 {
        nested = format!(r#"{{"$or":[{{"x{i}":{i},"$or":[{{"y":1}},{{"z":2}}]}},{nested}]}}"#);
        if Query::from_json(&nested).is_err() {
            break;
        }
        assert!(keys_of(&nested).len() <= limits::EQUALITY_KEYS);
    }
    let path = vec!["a"; 32].join(".");
    for text in [
        format!(r#"{{"a":{{"$in":[{}]}}}}"#, numbers.join(",")),
        format!(r#"{{"$or":[{}]}}"#, ors.join(",")),
        format!(r#"{{"$and":[{}]}}"#, ors.join(",")),
        format!(r#"{{"{path}":{{"$gt":1,"$lt":1.0000001}}}}"#),
        format!(r#"{{"a":"{}"}}"#, r"\u0000".repeat(600)),
    ] {
        assert!(keys_of(&text).len() <= limits::EQUALITY_KEYS, "{text}");
    }
}
