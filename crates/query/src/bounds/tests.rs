use proptest::prelude::*;
use taiinet_document::parse_map;

use super::*;
use crate::{
    IndexKeys, keys, limits,
    subject::Subject,
    testing::{
        attributes, content, narrow_content, path, raw_narrow_query, raw_query, raw_reserved_query,
    },
    walk::Fields,
};

/// What a query must not do: match a document that is not found by its bounds.
fn is_found(query: &Query, path: &Path, fields: &dyn Fields) -> bool {
    let keys = keys::keys(path, fields);
    assert!(!keys.keys.is_empty() && keys.keys.len() <= limits::INDEX_KEYS);
    assert!(keys.keys.is_sorted() && keys.keys.iter().all(|key| key.len() <= 96));
    query.bounds(path).is_none_or(|bounds| {
        let ranges = bounds.ranges();
        assert!(ranges.len() <= limits::BOUNDS + 1);
        assert!(ranges.iter().all(|range| range.start < range.end));
        assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
        keys.keys.iter().any(|key| bounds.contains(key))
    })
}

fn query(raw: &Map) -> Result<Query, TestCaseError> {
    Query::parse(&Value::Map(raw.clone())).map_err(|_| TestCaseError::reject("beyond a limit"))
}

/// A string about as long as what counts of it.
fn long() -> impl Strategy<Value = Value> {
    (92..97_usize, "[a-c]{0,2}").prop_map(|(n, end)| Value::String("b".repeat(n) + &end))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_matches_is_found(
        raw in raw_query(),
        path in path(),
        contents in prop::collection::vec(content(), 12),
    ) {
        let (query, path) = (query(&raw)?, path.parse().expect("a path"));
        for content in contents {
            prop_assert!(
                !query.matches(&content) || is_found(&query, &path, &content),
                "{} at {} misses {:?}", query, path, content
            );
        }
    }

    /// As above, where several tests meet the same few values.
    #[test]
    fn what_matches_by_several_tests_is_found(
        raw in raw_narrow_query(),
        contents in prop::collection::vec(narrow_content(), 24),
    ) {
        let query = query(&raw)?;
        for path in ["a", "a.b", "a.0"].map(Path::new) {
            for content in &contents {
                prop_assert!(
                    !query.matches(content) || is_found(&query, &path, content),
                    "{} at {} misses {:?}", query, path, content
                );
            }
        }
    }

    #[test]
    fn what_matches_by_reserved_fields_is_found(
        raw in raw_reserved_query(),
        attributes in prop::collection::vec(attributes(), 12),
        content in content(),
    ) {
        let query = query(&raw)?;
        for attributes in attributes {
            for name in crate::subject::RESERVED {
                let path = name.parse().expect("a path");
                prop_assert!(
                    !query.matches_fields(attributes, &content)
                        || is_found(&query, &path, &Subject::new(attributes, &content)),
                    "{} at {} misses {:?}", query, path, attributes
                );
            }
        }
    }

    #[test]
    fn what_is_alike_as_far_as_it_counts_is_found(
        side in prop::sample::select(vec!["$eq", "$gt", "$gte", "$lt", "$lte"]),
        literal in long(),
        values in prop::collection::vec(long(), 12),
    ) {
        let operator = Value::Map([(side.to_owned(), literal)].into());
        let query = query(&[("a".to_owned(), operator)].into())?;
        for value in values {
            let content = [("a".to_owned(), value)].into();
            prop_assert!(!query.matches(&content) || is_found(&query, &Path::new("a"), &content));
        }
    }
}

fn bounds(query: &str, path: &str) -> Option<String> {
    let query: Query = query.parse().expect("a query");
    query.bounds(&path.parse().expect("a path")).map(|bounds| {
        let (overflow, ranges) =
            bounds.ranges().split_last().map_or((true, [].as_slice()), |(last, ranges)| {
                (last.contains(IndexKeys::OVERFLOW), ranges)
            });
        assert!(overflow, "documents with too many values may match");
        let all: Vec<String> = ranges.iter().map(shown).collect();
        all.join(" ")
    })
}

fn shown(range: &KeyRange) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (start, end) = (hex(&range.start), hex(&range.end));
    if range.end == after(&range.start) { start } else { format!("{start}-{end}") }
}

/// Of bytes as they are documented: 30 begins a string, 31 ends all strings; 20 numbers; f0 is the key of
/// documents with several values.
#[test]
fn bounds_are_tight_where_they_can_be() {
    let rows: &[(&str, &str, Option<&str>)] = &[
        ("{}", "a", None),
        (r#"{"b": 1}"#, "a", None),
        (r#"{"a": "x"}"#, "a", Some("307900")),
        (r#"{"a": "x"}"#, "a.b", None),
        (r#"{"a": {"b": "x"}}"#, "a.b", None),
        (r#"{"a": null}"#, "a", Some("10")),
        (r#"{"a": {"$in": ["x", null, "y"]}}"#, "a", Some("10 307900 307a00")),
        (r#"{"a": {"$in": []}}"#, "a", Some("")),
        (r#"{"a": {"$gt": "x"}}"#, "a", Some("30790000-31")),
        (r#"{"a": {"$gte": "x"}}"#, "a", Some("307900-31")),
        (r#"{"a": {"$lt": "x"}}"#, "a", Some("30-307900")),
        (r#"{"a": {"$lte": "x"}}"#, "a", Some("30-30790000")),
        // Two values of a list may fulfil one each; one value must fulfil both.
        (r#"{"a": {"$gt": "x", "$lt": "z"}}"#, "a", Some("30790000-307b00 f0-f1")),
        (r#"{"a": {"$gt": 1, "$lt": "z"}}"#, "a", Some("f0-f1")),
        (r#"{"a": {"$elemMatch": {"$gt": "x", "$lt": "z"}}}"#, "a", Some("30790000-307b00")),
        (r#"{"_key": {"$gt": "x", "$lt": "z"}}"#, "_key", Some("30790000-307b00")),
        (r#"{"a": {"$all": ["x", "y"]}}"#, "a", Some("307900")),
        (r#"{"a": "x", "b": 2}"#, "a", Some("307900")),
        (r#"{"$or": [{"a": "x"}, {"a": {"$gt": "y"}}]}"#, "a", Some("307900 307a0000-31")),
        (r#"{"$or": [{"a": "x"}, {"b": 1}]}"#, "a", None),
        (r#"{"$or": [{"a": "x"}, {"b": 1}], "a": {"$exists": true}}"#, "a", None),
        (r#"{"$nor": [{"a": "x"}]}"#, "a", None),
        (r#"{"a": {"$ne": "x"}}"#, "a", None),
        (r#"{"a": {"$not": {"$gt": 1}}}"#, "a", None),
        (r#"{"a": {"$exists": true}}"#, "a", None),
        (r#"{"a": {"$type": ["string", "bool"]}}"#, "a", Some("30-31 70-71")),
        (r#"{"a": {"$regex": "^x"}}"#, "a", Some("30-31")),
        (r#"{"a": {"$mod": [2, 0]}}"#, "a", Some("20-21")),
        (r#"{"a": {"$size": 2}}"#, "a", Some("50-51")),
        (r#"{"a": {"$contains": "x"}}"#, "a", Some("30-31")),
        (r#"{"a": {"$contains": true}}"#, "a", Some("7001")),
        // Fields of elements.
        (r#"{"a": {"$elemMatch": {"b": "x", "c": 1}}}"#, "a.b", Some("307900")),
        (r#"{"a": {"$elemMatch": {"b": {"$gt": "x", "$lt": "z"}}}}"#, "a.b", Some("30790000-31")),
        (r#"{"a": {"$elemMatch": {"b": "x"}}}"#, "a", Some("40-41 50-51")),
        (r#"{"a": {"$elemMatch": {"0": "x"}}}"#, "a.0", None),
    ];
    for &(query, path, expected) in rows {
        assert_eq!(bounds(query, path).as_deref(), expected, "{query} at {path}");
    }
}

/// Where tighter bounds would miss something.
#[test]
fn what_is_found_in_an_unexpected_place_is_found() {
    let rows = [
        (r#"{"a": {"$gt": 1, "$lt": 3}}"#, "a", r#"{"a": [0, 5]}"#),
        (r#"{"a.b": {"$gt": 1, "$lt": 3}}"#, "a.b", r#"{"a": [{"b": 0}, {"b": 5}]}"#),
        (
            r#"{"a": {"$elemMatch": {"b": {"$gt": 1, "$lt": 3}}}}"#,
            "a.b",
            r#"{"a": [{"b": [0, 5]}]}"#,
        ),
        (r#"{"a": {"$all": [1, 2]}}"#, "a", r#"{"a": [1, 2]}"#),
        (r#"{"a": [1, 2]}"#, "a", r#"{"a": [[1, 2], 3]}"#),
        (r#"{"a": {"$gt": [1]}}"#, "a", r#"{"a": [2]}"#),
        (r#"{"a": {"$gte": null}}"#, "a", "{}"),
        (r#"{"a": {"$size": 0}}"#, "a", r#"{"a": []}"#),
        (r#"{"a": {"$contains": "x"}}"#, "a", r#"{"a": ["x"]}"#),
        (r#"{"a.0": {"$contains": 1}}"#, "a.0", r#"{"a": [[1]]}"#),
        (r#"{"a.0": {"$elemMatch": {"b": 1}}}"#, "a.0.b", r#"{"a": [[{"b": 1}]]}"#),
        (r#"{"a": {"$elemMatch": {"$contains": "x"}}}"#, "a", r#"{"a": [["x"]]}"#),
        (r#"{"a": {"$elemMatch": {"b": null}}}"#, "a.b", r#"{"a": [[1]]}"#),
        (r#"{"a": {"$elemMatch": {"0": "x"}}}"#, "a.0", r#"{"a": [["x"]]}"#),
        (r#"{"a": {"$elemMatch": {"$size": 1, "$eq": [2]}}}"#, "a", r#"{"a": [[2]]}"#),
    ];
    for (query, path, document) in rows {
        let query: Query = query.parse().expect("a query");
        let document = parse_map(document).expect("JSON");
        assert!(query.matches(&document), "{query} on {document:?}");
        assert!(is_found(&query, &Path::new(path), &document), "{query} at {path}");
    }
}

#[test]
fn many_literals_make_few_ranges() {
    let numbers: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
    let query: Query =
        format!(r#"{{"a": {{"$in": [{}]}}}}"#, numbers.join(",")).parse().expect("a query");
    let path = Path::new("a");
    let bounds = query.bounds(&path).expect("bounds");
    assert_eq!(
        bounds.ranges().len(),
        1_000_usize.div_ceil(1_000_usize.div_ceil(limits::BOUNDS)) + 1
    );
    for n in 0..1_000 {
        let document = parse_map(&format!(r#"{{"a": {n}}}"#)).expect("JSON");
        assert!(is_found(&query, &path, &document), "{n}");
    }
    assert!(!bounds.contains(&[encoding::NUMBER]) && !bounds.contains(IndexKeys::SEVERAL));
}
