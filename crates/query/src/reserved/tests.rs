use proptest::prelude::*;
use taiinet_document::{Map, Value};

use crate::{
    Query,
    testing::{attributes, content, raw_reserved_query},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_matches_is_found(
        raw in raw_reserved_query(),
        each in prop::collection::vec((attributes(), content()), 12),
    ) {
        let query = Query::parse(&Value::Map(raw))
            .map_err(|_| TestCaseError::reject("beyond a limit"))?;
        let (since, until) = query.times();
        let (authors, keys, ids) = (query.authors(), query.document_keys(), query.ids());
        for (said, content) in each {
            if !query.matches_fields(said, &content) {
                continue;
            }
            prop_assert!(since.is_none_or(|since| since <= said.created_at), "{}", query);
            prop_assert!(until.is_none_or(|until| said.created_at <= until), "{}", query);
            prop_assert!(authors.as_ref().is_none_or(|all| all.contains(&said.author)), "{}", query);
            let key = said.key.map(str::to_owned);
            prop_assert!(keys.as_ref().is_none_or(|all| key.is_some_and(|key| all.contains(&key))), "{}", query);
            prop_assert!(ids.as_ref().is_none_or(|all| said.id.is_some_and(|id| all.contains(&id))), "{}", query);
        }
    }
}

#[test]
fn times() {
    // a condition, since, until
    let rows = [
        ("5", Some(5), Some(5)),
        (r#"{"$gt": 5}"#, Some(6), None),
        (r#"{"$gte": 5, "$lt": 9}"#, Some(5), Some(8)),
        (r#"{"$gt": 5.5, "$lte": 9.5}"#, Some(6), Some(9)),
        (r#"{"$in": [7, 3, 5]}"#, Some(3), Some(7)),
        (r#"{"$gt": 9, "$lt": 3}"#, Some(10), Some(2)),
        (r#"{"$lt": -5}"#, None, Some(0)),
        (r#"{"$gt": -5}"#, None, None),
        (r#"{"$gt": 1e300}"#, Some(i64::MAX as u64), None),
        (r#"{"$lte": 9223372036854775807}"#, None, None),
        // The last time of all is before it, which the next integer below it is not.
        (r#"{"$lt": 4.6e20}"#, None, None),
        (r#"{"$gt": -4.6e20}"#, None, None),
        (r#"{"$ne": 5}"#, None, None),
        (r#"{"$exists": true}"#, None, None),
        // Never: the time is a number.
        (r#""5""#, Some(i64::MAX as u64), Some(0)),
    ];
    for (condition, since, until) in rows {
        let query: Query = format!(r#"{{"_created_at": {condition}}}"#).parse().expect("a query");
        let (from, to) = query.times();
        let millis = |time: Option<taiinet_document::Timestamp>| time.map(|t| t.as_millis());
        assert_eq!((millis(from), millis(to)), (since, until), "{condition}");
    }
    let query: Query =
        r#"{"$or": [{"_created_at": 5}, {"_created_at": {"$gt": 7}}]}"#.parse().expect("a query");
    assert_eq!(query.times().0.map(|t| t.as_millis()), Some(5));
    assert_eq!(query.times().1, None);
    assert_eq!(Query::all().times(), (None, None));
}

#[test]
fn names() {
    let keys = |text: &str| text.parse::<Query>().expect("a query").document_keys();
    let some = |keys: &[&str]| Some(keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
    assert_eq!(keys(r#"{"_key": "a", "b": 1}"#), some(&["a"]));
    assert_eq!(keys(r#"{"_key": {"$in": ["b", "a", 5]}}"#), some(&["a", "b"]));
    assert_eq!(
        keys(r#"{"$and": [{"_key": {"$in": ["b", "a"]}}, {"_key": {"$in": ["b", "c"]}}]}"#),
        some(&["b"])
    );
    assert_eq!(keys(r#"{"$or": [{"_key": "a"}, {"_key": "b", "x": 1}]}"#), some(&["a", "b"]));
    assert_eq!(keys(r#"{"$or": [{"_key": "a"}, {"x": 1}]}"#), None);
    assert_eq!(keys(r#"{"_key": {"$in": ["a", null]}}"#), None, "a document may have no key");
    assert_eq!(keys(r#"{"_key": {"$ne": "a"}}"#), None);

    let query = |field: &str, text: &str| {
        let map = Map::from([(field.to_owned(), Value::from(text))]);
        Query::parse(&Value::Map(map)).expect("a query")
    };
    let hex = "0123456789abcdef".repeat(4);
    let ids = query("_id", &hex).ids().expect("ids");
    assert_eq!(ids.iter().map(ToString::to_string).collect::<Vec<_>>(), vec![hex.clone()]);
    assert_eq!(query("_id", &hex.to_uppercase()).ids(), Some(Vec::new()), "it is no such text");
    assert_eq!(query("_id", "é".repeat(32).as_str()).ids(), Some(Vec::new()));
    assert_eq!(query("_author", "tn1x").authors(), Some(Vec::new()));
}
