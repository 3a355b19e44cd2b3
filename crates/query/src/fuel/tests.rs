use proptest::prelude::*;
use taiinet_document::{Map, Timestamp, Value};
use taiinet_identity::PeerId;

use super::*;
use crate::{
    Attributes, Query,
    testing::{content, raw_query},
};

fn attributes() -> Attributes<'static> {
    let author = PeerId::from_bytes([1; 32]);
    Attributes { id: None, author, owner: author, key: None, created_at: Timestamp::default() }
}

/// What matching takes, and what comes of it.
fn cost(query: &Query, content: &Map) -> (u64, bool) {
    let fuel = Fuel::unlimited();
    let matches = query.matches_within(attributes(), content, &fuel).expect("enough");
    (u64::MAX - fuel.left(), matches)
}

fn of(field: Value) -> Map {
    Map::from([("a".to_owned(), field)])
}

fn query(text: &str) -> Query {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The same answer with as much fuel as it takes, and none with less.
    #[test]
    fn exactly_what_it_takes_is_enough(raw in raw_query(), content in content()) {
        let Ok(query) = Query::parse(&Value::Map(raw)) else { return Ok(()) };
        let (cost, matches) = cost(&query, &content);
        prop_assert_eq!(matches, query.matches_fields(attributes(), &content));
        let within = |units| query.matches_within(attributes(), &content, &Fuel::new(units));
        prop_assert_eq!(within(cost), Ok(matches));
        prop_assert_eq!(within(cost - 1), Err(OutOfFuel));
        prop_assert_eq!(within(0), Err(OutOfFuel));
    }
}

/// A query, what makes a document of so many parts, and the work that it takes at most.
type Row<'a> = (&'a str, &'a dyn Fn(usize) -> Map, u64);

/// Each kind of work that grows with the document is paid for.
#[test]
fn work_that_grows_with_the_document_is_paid_for() {
    let text = |len: usize| of("a".repeat(len).into());
    let list = |len: usize| of(Value::List(vec![Value::List(vec![0.into()]); len]));
    let maps = |len: usize| of(Value::List(vec![Value::Map(of(1.into())); len]));
    let rows: [Row<'_>; 10] = [
        (r#"{"a":{"$regex":"(a?){30}a{30}b"}}"#, &text, 4000),
        (r#"{"a":{"$contains":"aab"}}"#, &text, 4),
        (r#"{"a":{"$in":["b","c"]}}"#, &list, 64),
        (r#"{"a":7}"#, &list, 64),
        (r#"{"a":{"$gt":[[1]]}}"#, &list, 64),
        (r#"{"a":{"$contains":7}}"#, &list, 64),
        (r#"{"a":{"$elemMatch":{"0":7}}}"#, &list, 64),
        (r#"{"a":{"$elemMatch":{"$gt":7}}}"#, &list, 64),
        (r#"{"a.a.b.c":7}"#, &maps, 64),
        (r#"{"a.0.0.0.1":7}"#, &list, 64),
    ];
    for (text, content, each) in rows {
        let query = query(text);
        let ((few, false), (many, false)) =
            (cost(&query, &content(100)), cost(&query, &content(1100)))
        else {
            panic!("{text} matches");
        };
        assert!(many - few >= 1000 * each, "{text}: {few}, then {many}");
    }
}

/// What a literal can cost is bounded by the query, however large the value is.
#[test]
fn a_long_value_costs_a_short_query_little() {
    let long = Value::String("a".repeat(200_000));
    for text in [r#"{"a":"aaa"}"#, r#"{"a":{"$gt":"b"}}"#, r#"{"a":{"$in":["b","c","d"]}}"#] {
        assert!(cost(&query(text), &of(long.clone())).0 < 3000, "{text}");
    }
    let many = Value::List(vec![0.into(); 100_000]);
    let mut lists = Map::new();
    for field in 0..20 {
        lists.insert(format!("a{field}"), many.clone());
    }
    assert!(cost(&query(r#"{"b":1}"#), &lists).0 < 1000);
}

/// 225 keys with 32 such each took 5.9 s.
#[test]
fn a_hostile_expression_is_refused_before_it_is_tried() {
    let hostile = query(r#"{"text":{"$regex":"(a?){30}a{30}b"}}"#);
    let content = Map::from([("text".to_owned(), "a".repeat(280).into())]);
    let fuel = Fuel::new(100_000);
    assert_eq!(hostile.matches_within(attributes(), &content, &fuel), Err(OutOfFuel));
    assert!(fuel.left() > 99_000, "what is refused costs nothing: {fuel:?}");
}
