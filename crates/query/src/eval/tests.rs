use proptest::prelude::*;
use taiinet_document::{Map, Value};

use crate::{
    Query, QueryError,
    testing::{content, naive_matches, raw_query, value},
};

fn parse(raw: &Map) -> Result<Query, TestCaseError> {
    match Query::parse(&Value::Map(raw.clone())) {
        Ok(query) => Ok(query),
        // A random query may well be too large; that is no counter-example.
        Err(
            QueryError::TooLong { .. }
            | QueryError::TooDeep { .. }
            | QueryError::TooManyClauses { .. },
        ) => Err(TestCaseError::reject("beyond a limit")),
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Normalising never changes the meaning, and the walk finds what plain enumeration finds.
    #[test]
    fn a_query_matches_as_its_plain_reading_says(
        raw in raw_query(),
        contents in prop::collection::vec(content(), 8),
    ) {
        let query = parse(&raw)?;
        for content in contents {
            prop_assert_eq!(
                query.matches(&content),
                naive_matches(&raw, &content),
                "{} on {:?}", query, content
            );
        }
    }

    #[test]
    fn the_canonical_form_parses_to_the_same(raw in raw_query()) {
        let query = parse(&raw)?;
        let text = query.to_string();
        prop_assert_eq!(&Query::from_json(&text).expect("its own text"), &query);
        let value = query.to_value();
        prop_assert_eq!(Query::parse(&value).expect("its own value").to_value(), value);
    }

    #[test]
    fn nor_and_not_complement(raw in raw_query(), content in content()) {
        let query = parse(&raw)?;
        let nor = Map::from([("$nor".to_owned(), Value::List(vec![Value::Map(raw)]))]);
        prop_assert_eq!(parse(&nor)?.matches(&content), !query.matches(&content));
    }

    #[test]
    fn double_negation_is_the_same_query(raw in raw_query()) {
        let query = parse(&raw)?;
        let nor = |raw: Map| Map::from([("$nor".to_owned(), Value::List(vec![Value::Map(raw)]))]);
        prop_assert_eq!(parse(&nor(nor(raw)))?, query);
    }

    #[test]
    fn no_value_panics(value in value(), content in content()) {
        if let Ok(query) = Query::parse(&value) {
            let _ = query.matches(&content);
        }
    }
}
