use proptest::prelude::*;
use taiinet_document::{Content, Deletion, Document, Timestamp, UnknownContent, Value};
use taiinet_identity::{Identity, Seed};

use super::*;
use crate::testing::{content, raw_query};

fn query(text: &str) -> Query {
    text.parse().expect(text)
}

fn map(text: &str) -> Map {
    taiinet_document::parse_map(text).expect(text)
}

/// Numbers on both sides of where integers and floats part, and near each other.
fn number() -> impl Strategy<Value = Value> {
    const EDGE: i64 = 1 << 53;
    prop_oneof![
        6 => (0..40_i64).prop_map(Value::Int),
        3 => (0..80_i32).prop_map(|halves| Value::Float(f64::from(halves) / 2.0)),
        2 => (EDGE - 2..EDGE + 6).prop_map(Value::Int),
        1 => (-EDGE - 6..-EDGE + 2).prop_map(Value::Int),
        1 => (-2..4_i64).prop_map(|more| Value::Float((EDGE + 2 * more) as f64)),
        1 => prop::sample::select(vec![i64::MAX, i64::MAX - 1, i64::MIN, i64::MIN + 1]).prop_map(Value::Int),
        1 => prop::sample::select(vec![9.3e18, 9_223_372_036_854_775_808.0, -9.3e18, -0.0, 5e-324, f64::MAX]).prop_map(Value::Float),
    ]
}

fn text() -> impl Strategy<Value = Value> {
    "[a-b]{0,2}|prefixed[a-b]{0,2}".prop_map(Value::String)
}

fn attribute() -> impl Strategy<Value = Value> {
    prop_oneof![8 => number(), 4 => text(), 1 => Just(Value::Null), 1 => any::<bool>().prop_map(Value::Bool)]
}

/// Documents of a few attributes, some lists, some one level down.
fn document() -> impl Strategy<Value = Map> {
    let value = prop_oneof![
        5 => attribute(),
        1 => prop::collection::vec(attribute(), 0..4).prop_map(Value::List),
        1 => prop::collection::btree_map("[xy]", attribute(), 0..2).prop_map(Value::Map),
        1 => prop::collection::vec(prop::collection::btree_map("[xy]", attribute(), 0..2).prop_map(Value::Map), 0..3)
            .prop_map(Value::List),
    ];
    prop::collection::btree_map("[a-d]", value, 0..5)
}

/// What subscriptions look like: a few comparisons of a few attributes.
fn subscription() -> impl Strategy<Value = Map> {
    let one = |name: &str, value: Value| Value::Map(Map::from([(name.to_owned(), value)]));
    let range = prop::sample::select(vec!["$gt", "$gte", "$lt", "$lte"]);
    let test = prop_oneof![
        4 => attribute(),
        4 => (range.clone(), prop_oneof![3 => number(), 1 => text()]).prop_map(move |(name, end)| one(name, end)),
        4 => (range.clone(), number(), range, number())
            .prop_map(|(a, x, b, y)| Value::Map(Map::from([(a.to_owned(), x), (b.to_owned(), y)]))),
        2 => prop::collection::vec(attribute(), 0..5).prop_map(move |list| one("$in", Value::List(list))),
        1 => attribute().prop_map(move |value| one("$ne", value)),
        1 => text().prop_map(move |value| one("$contains", value)),
        1 => any::<bool>().prop_map(move |wanted| one("$exists", wanted.into())),
        1 => number().prop_map(move |end| one("$not", one("$gte", end))),
    ];
    let path = prop_oneof![5 => "[a-d]", 1 => "[a-d]\\.[xy]"];
    let all = prop::collection::btree_map(path, test, 0..4).boxed();
    prop_oneof![
        4 => all.clone(),
        1 => (all.clone(), prop::collection::vec(all, 1..4)).prop_map(|(mut all, any)| {
            all.insert("$or".to_owned(), any.into_iter().collect());
            all
        }),
    ]
}

/// Puts queries in and takes some out, and compares with asking each, along the way.
fn check(queries: Vec<(u8, Option<Map>)>, documents: &[Map]) -> Result<(), TestCaseError> {
    let mut index = Index::new();
    let mut plain: BTreeMap<u8, Query> = BTreeMap::new();
    let mut scratch = Scratch::default();
    let rounds = queries.len();
    for (round, (key, change)) in queries.into_iter().enumerate() {
        match change.map(|map| Query::parse(&Value::Map(map))) {
            Some(Ok(query)) => {
                index.insert(key, query.clone());
                plain.insert(key, query);
            }
            Some(Err(_)) => {}
            None => prop_assert_eq!(index.remove(&key), plain.remove(&key).is_some()),
        }
        prop_assert_eq!(index.len(), plain.len());
        if round % 32 != 0 && round + 1 != rounds {
            continue;
        }
        for document in documents {
            let expected: Vec<u8> = plain
                .iter()
                .filter(|(_, query)| query.matches(document))
                .map(|(key, _)| *key)
                .collect();
            prop_assert_eq!(&index.matches(document), &expected, "{:?} {:?}", document, &plain);
            let mut visited = Vec::new();
            index.visit(&mut scratch, document, |key| visited.push(key));
            visited.sort_unstable();
            prop_assert_eq!(visited, expected);
        }
    }
    // What is taken out leaves nothing behind.
    for key in plain.keys() {
        prop_assert!(index.remove(key));
    }
    prop_assert!(index.is_empty() && index.entries.is_empty() && index.queries.is_empty());
    prop_assert_eq!(index.terms.in_use(), (0, 0));
    prop_assert!(index.tree.is_empty());
    Ok(())
}

/// The keys of those of some queries that match.
fn found(queries: &[&str], content: &str) -> Vec<usize> {
    let mut index = Index::new();
    for (key, text) in queries.iter().enumerate() {
        index.insert(key, query(text));
    }
    index.matches(&map(content))
}

#[test]
fn a_key_has_one_query() {
    let mut index = Index::new();
    assert!(index.is_empty());
    index.insert(7, query(r#"{"a": 1}"#));
    index.insert(3, query(r#"{"b": {"$gt": 1}}"#));
    assert_eq!(index.matches(&map(r#"{"a": 1, "b": 2}"#)), [3, 7], "ascending");
    index.insert(7, query(r#"{"a": 2}"#));
    assert_eq!((index.len(), index.matches(&map(r#"{"a": 1, "b": 2}"#))), (2, vec![3]));
    assert!(index.contains(&7) && index.remove(&7) && !index.remove(&7) && !index.contains(&7));
    assert_eq!(index.matches(&map(r#"{"a": 2, "b": 2}"#)), [3]);
}

#[test]
fn each_key_is_found_once() {
    let both = r#"{"$or": [{"a": 1}, {"b": {"$gt": 1}}]}"#;
    let (set, range, text) =
        (r#"{"a": {"$in": [1, 2]}}"#, r#"{"b": {"$gt": 1}}"#, r#"{"c": {"$regex": "x"}}"#);
    let queries = [both, set, range, text].repeat(20);
    let all: Vec<usize> = (0..queries.len()).collect();
    assert_eq!(found(&queries, r#"{"a": [1, 2, 1], "b": [2, 3, 900, 2], "c": ["x", "xx"]}"#), all);
    let mut index = Index::new();
    index.insert((), query(both));
    let (mut scratch, mut count) = (Scratch::default(), 0);
    index.visit(&mut scratch, &map(r#"{"a": 1, "b": 2}"#), |()| count += 1);
    assert_eq!(count, 1);
}

#[test]
fn ranges_on_lists_may_be_met_by_different_elements() {
    let between = [r#"{"a": {"$gt": 3, "$lt": 2}}"#, r#"{"a": {"$gt": 2, "$lt": 3}}"#].repeat(30);
    let all: Vec<usize> = (0..between.len()).collect();
    assert_eq!(found(&between, r#"{"a": [0, 9]}"#), all);
    assert_eq!(
        found(&between, r#"{"a": 2.5}"#),
        all.iter().copied().filter(|k| k % 2 == 1).collect::<Vec<_>>()
    );
}

#[test]
fn a_list_has_its_elements_and_none_between() {
    let queries = [r#"{"a": 1}"#, r#"{"a": 2}"#, r#"{"a": 3}"#];
    assert_eq!(found(&queries, r#"{"a": [1, 3]}"#), [0, 2]);
}

/// An expression is no key: whatever its letters and options, the evaluator is asked.
#[test]
fn regexes_are_found_whatever_the_case() {
    let folded = [
        r#"{"a": {"$regex": "^straße", "$options": "i"}}"#,
        r#"{"a": {"$regex": "(?i)^STRA"}}"#,
        r#"{"a": {"$regex": "^STRA"}}"#,
        r#"{"a": "straße"}"#,
        r#"{"a": {"$not": {"$regex": "SS", "$options": "i"}}}"#,
    ]
    .repeat(30);
    let kinds = |wanted: &[usize]| {
        (0..folded.len()).filter(|k| wanted.contains(&(k % 5))).collect::<Vec<_>>()
    };
    assert_eq!(found(&folded, r#"{"a": "STRAẞE"}"#), kinds(&[0, 1, 2, 4]));
    assert_eq!(found(&folded, r#"{"a": "straße"}"#), kinds(&[0, 1, 3, 4]));
    assert_eq!(found(&folded, r#"{"a": ["ſtra", "ss"]}"#), kinds(&[1]));
    assert_eq!(found(&folded, "{}"), kinds(&[4]));
}

#[test]
fn null_is_found_among_elements() {
    let queries =
        [r#"{"a": {"$contains": null}}"#, r#"{"a": null}"#, r#"{"a": {"$in": [null, 1]}}"#];
    assert_eq!(found(&queries, r#"{"a": [null]}"#), [0, 1, 2]);
    assert_eq!(found(&queries, r#"{"a": [1]}"#), [2]);
    assert_eq!(found(&queries, "{}"), [1, 2]);
}

#[test]
fn large_integers_compare_exactly() {
    let exact = ["$gt", "$gte", "$lt", "$lte", "$eq"]
        .map(|name| format!("{{\"a\": {{\"{name}\": 9007199254740993}}}}"));
    let rounded = ["$gt", "$gte", "$lt", "$lte"]
        .map(|name| format!("{{\"a\": {{\"{name}\": 9007199254740992.0}}}}"));
    let queries: Vec<&str> = exact.iter().chain(&rounded).map(String::as_str).collect();
    assert_eq!(found(&queries, r#"{"a": 9007199254740992}"#), [2, 3, 6, 8]);
    assert_eq!(found(&queries, r#"{"a": 9007199254740993}"#), [1, 3, 4, 5, 6]);
    assert_eq!(found(&queries, r#"{"a": 9007199254740994.0}"#), [0, 1, 5, 6]);
}

#[test]
fn documents_have_reserved_fields() {
    let author = Identity::from_seed(&Seed::from_bytes([1; 32]));
    let by = author.peer_id();
    let document = |content| {
        let document = Document {
            network: "test".parse().expect("a name"),
            created_at: Timestamp::from_millis(1_000),
            nonce: 0,
            expires_at: None,
            key: Some("profile".into()),
            next_key: None,
            content,
        };
        VerifiedDocument::sign(&author, document).expect("signs")
    };
    let open = document(Content::Open(map(r#"{"a": 1, "_author": "me", "_created_at": 5}"#)));
    let queries = [
        format!(r#"{{"_author": "{by}", "a": 1}}"#),
        r#"{"_author": "me"}"#.to_owned(),
        r#"{"_created_at": {"$gte": 1000}, "_key": "profile"}"#.to_owned(),
        format!(r#"{{"_id": "{}"}}"#, open.id()),
        r#"{"_id": {"$exists": false}}"#.to_owned(),
        "{}".to_owned(),
    ];
    let mut index = Index::with_seed(9);
    for (key, text) in queries.iter().enumerate() {
        index.insert(key, query(text));
    }
    assert_eq!(index.matches_document(&open), [0, 2, 3, 5]);
    for (key, text) in queries.iter().enumerate() {
        assert_eq!(
            query(text).matches_document(&open),
            index.matches_document(&open).contains(&key)
        );
    }
    assert_eq!(index.matches_document(&document(Content::Deleted(Deletion::Key))), [0; 0]);
    let unknown = UnknownContent::new(4, b"what is to come").expect("of a later version");
    assert_eq!(index.matches_document(&document(Content::Unknown(unknown))), [0; 0]);
    // The content alone has no reserved fields but its own.
    assert_eq!(index.matches(&map(r#"{"_author": "me"}"#)), [1, 4, 5]);
}

#[test]
fn one_scratch_serves_several_indexes() {
    let mut scratch = Scratch::default();
    let (mut small, mut large) = (Index::new(), Index::new());
    small.insert(1, query(r#"{"b": {"$gt": 0}}"#));
    for i in 0..50 {
        large.insert(i, query(&format!(r#"{{"a{i}": {i}}}"#)));
    }
    let document = map(r#"{"a7": 7, "b": 1, "a49": 49}"#);
    for _ in 0..3 {
        let mut keys = Vec::new();
        large.visit(&mut scratch, &document, |key| keys.push(key));
        small.visit(&mut scratch, &document, |key| keys.push(key));
        keys.sort_unstable();
        assert_eq!(keys, [1, 7, 49]);
    }
}

/// Copies in the tree are bounded, whatever is asked.
#[test]
fn sets_and_ranges_do_not_multiply_without_bound() {
    let mut index = Index::new();
    let set: Vec<String> = (0..60).map(|i| i.to_string()).collect();
    let set = set.join(",");
    for key in 0..40 {
        let fields: Vec<String> =
            (0..9).map(|i| format!(r#""f{i}": {{"$in": [{set},{}]}}"#, 100 + key)).collect();
        index.insert(key, query(&format!("{{{}}}", fields.join(","))));
    }
    assert!(index.tree.rows() <= 40 * 61, "{} rows", index.tree.rows());
}

proptest! {
    #[test]
    fn finds_what_asking_each_finds(
        queries in prop::collection::vec((any::<u8>(), prop::option::weighted(0.8, subscription())), 1..120),
        documents in prop::collection::vec(document(), 1..10),
    ) {
        check(queries, &documents)?;
    }

    #[test]
    fn whatever_the_language_allows(
        queries in prop::collection::vec((any::<u8>(), prop::option::weighted(0.9, raw_query())), 1..40),
        documents in prop::collection::vec(content(), 1..12),
    ) {
        check(queries, &documents)?;
    }
}
