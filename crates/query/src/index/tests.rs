use proptest::prelude::*;
use taiinet_document::Value;
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
        if round % 16 != 0 && round + 1 != rounds {
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

proptest! {
    #[test]
    fn finds_what_asking_each_finds(
        queries in prop::collection::vec((any::<u8>(), prop::option::weighted(0.8, subscription())), 1..200),
        documents in prop::collection::vec(document(), 1..12),
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
