//! The canonical form: equal meanings mostly have equal forms, and unequal ones never.

use std::collections::HashSet;

use taiinet_query::Query;

use crate::query;

#[test]
fn the_canonical_form_is_short_and_sorted() {
    // written, canonical
    let rows = [
        ("{}", "{}"),
        (r#"{"b":1,"a":{"$eq":2}}"#, r#"{"a":2,"b":1}"#),
        (r#"{"a":1.0,"b":-0.0,"c":1.5}"#, r#"{"a":1,"b":0,"c":1.5}"#),
        (r#"{"a":{"b":1.0}}"#, r#"{"a":{"b":1}}"#),
        (r#"{"$and":[{"a":1},{"$and":[{"b":2},{"a":1}]}]}"#, r#"{"a":1,"b":2}"#),
        (r#"{"$or":[{"a":1}]}"#, r#"{"a":1}"#),
        (r#"{"$or":[{"b":1},{"$or":[{"a":1},{"b":1}]}]}"#, r#"{"$or":[{"a":1},{"b":1}]}"#),
        (r#"{"$or":[{"a":3},{"a":{"$in":[2,1]}},{"a":2.0}]}"#, r#"{"a":{"$in":[1,2,3]}}"#),
        (r#"{"a":{"$in":[1]}}"#, r#"{"a":1}"#),
        (r#"{"a":{"$nin":[1,1]}}"#, r#"{"a":{"$ne":1}}"#),
        (r#"{"a":{"$ne":2,"$nin":[3,1]}}"#, r#"{"a":{"$nin":[1,2,3]}}"#),
        (r#"{"$nor":[{"a":1},{"b":2}]}"#, r#"{"a":{"$ne":1},"b":{"$ne":2}}"#),
        (r#"{"$nor":[{"a":1},{"a":2}]}"#, r#"{"a":{"$nin":[1,2]}}"#),
        (r#"{"$nor":[{"a":1,"b":2}]}"#, r#"{"$or":[{"a":{"$ne":1}},{"b":{"$ne":2}}]}"#),
        (r#"{"a":{"$not":{"$not":{"$gt":1}}}}"#, r#"{"a":{"$gt":1}}"#),
        (r#"{"a":{"$not":{"$eq":1}}}"#, r#"{"a":{"$ne":1}}"#),
        (r#"{"a":{"$not":{"$exists":false}}}"#, r#"{"a":{"$exists":true}}"#),
        (r#"{"a":{"$exists":0}}"#, r#"{"a":{"$exists":false}}"#),
        (r#"{"a":{"$exists":null}}"#, r#"{"a":{"$exists":false}}"#),
        (r#"{"a":{"$all":[2,1,2]}}"#, r#"{"a":{"$all":[1,2]}}"#),
        (r#"{"a":{"$all":[1]}}"#, r#"{"a":1}"#),
        (r#"{"$and":[{"a":1},{"a":2}]}"#, r#"{"a":{"$all":[1,2]}}"#),
        (r#"{"a":{"$contains":["y","x"]}}"#, r#"{"a":{"$contains":["x","y"]}}"#),
        (r#"{"a":{"$contains":["x"]}}"#, r#"{"a":{"$contains":"x"}}"#),
        (r#"{"a":{"$contains":[["x"]]}}"#, r#"{"a":{"$contains":[["x"]]}}"#),
        (r#"{"a":{"$gte":null}}"#, r#"{"a":null}"#),
        (r#"{"a":{"$type":["long","double"]}}"#, r#"{"a":{"$type":"number"}}"#),
        (r#"{"a":{"$type":[2,"bool"]}}"#, r#"{"a":{"$type":["string","bool"]}}"#),
        (r#"{"a":{"$regex":"x","$options":"xsmiu"}}"#, r#"{"a":{"$options":"imsx","$regex":"x"}}"#),
        (r#"{"a":{"$regex":"x","$options":""}}"#, r#"{"a":{"$regex":"x"}}"#),
        (r#"{"a":{"$mod":[2.5,1.0]}}"#, r#"{"a":{"$mod":[2,1]}}"#),
        (r#"{"a":{"$size":1.0}}"#, r#"{"a":{"$size":1}}"#),
        (r#"{"a":{"$gt":{"$numberLong":"5"}}}"#, r#"{"a":{"$gt":5}}"#),
        // What one branch implies is left out.
        (r#"{"a":1,"$or":[{"a":1},{"b":2}]}"#, r#"{"a":1}"#),
        (r#"{"$or":[{"c":{"$gt":1}},{"b":2,"c":{"$gt":1}}]}"#, r#"{"c":{"$gt":1}}"#),
        // What always or never holds.
        (r#"{"$or":[{"a":1},{}]}"#, "{}"),
        (r#"{"$or":[{"a":{"$gt":1}},{"a":{"$not":{"$gt":1}}}]}"#, "{}"),
        (r#"{"a":{"$nin":[]},"b":{"$not":{"$all":[]}}}"#, "{}"),
        (r#"{"a":{"$in":[]},"b":1}"#, r#"{"$nor":[{}]}"#),
        (r#"{"a":{"$exists":true},"$nor":[{"a":{"$exists":true}}]}"#, r#"{"$nor":[{}]}"#),
        (r#"{"a":{"$elemMatch":{"$in":[]}}}"#, r#"{"$nor":[{}]}"#),
        (r#"{"a":{"$type":"date"}}"#, r#"{"$nor":[{}]}"#),
        (r#"{"a":{"$gt":null}}"#, r#"{"$nor":[{}]}"#),
        // What does not fit into one map.
        (
            r#"{"$and":[{"a":{"$gt":1}},{"a":{"$gt":"x"}}]}"#,
            r#"{"$and":[{"a":{"$gt":"x"}}],"a":{"$gt":1}}"#,
        ),
        (
            r#"{"$and":[{"$or":[{"a":1},{"b":1}]},{"$or":[{"c":1},{"d":1}]}]}"#,
            r#"{"$and":[{"$or":[{"a":1},{"b":1}]},{"$or":[{"c":1},{"d":1}]}]}"#,
        ),
        (
            r#"{"$and":[{"a":{"$regex":"x","$options":"i"}},{"a":{"$regex":"y","$options":"s"}}]}"#,
            r#"{"$and":[{"a":{"$options":"s","$regex":"y"}}],"a":{"$options":"i","$regex":"x"}}"#,
        ),
        // Elements of lists.
        (
            r#"{"a":{"$elemMatch":{"$not":{"$gt":1,"$lt":0}}}}"#,
            r#"{"a":{"$elemMatch":{"$not":{"$gt":1,"$lt":0}}}}"#,
        ),
        (
            r#"{"a":{"$elemMatch":{"$gt":0,"$not":{"$not":{"$gt":1}}}}}"#,
            r#"{"a":{"$elemMatch":{"$gt":0,"$not":{"$not":{"$gt":1}}}}}"#,
        ),
        (
            r#"{"a":{"$elemMatch":{"$gt":0,"$not":{"$not":{"$gt":1,"$not":{"$size":1}}}}}}"#,
            r#"{"a":{"$elemMatch":{"$gt":0,"$not":{"$not":{"$gt":1,"$not":{"$size":1}}}}}}"#,
        ),
        (
            r#"{"a":{"$elemMatch":{"$not":{"$not":{"$gt":1,"$not":{"$size":1}}},"$ne":5}}}"#,
            r#"{"a":{"$elemMatch":{"$gt":1,"$ne":5,"$not":{"$size":1}}}}"#,
        ),
        (r#"{"a":{"$elemMatch":{"$nin":[]}}}"#, r#"{"a":{"$elemMatch":{"$nin":[]}}}"#),
        (r#"{"a":{"$elemMatch":{"$and":[{}]}}}"#, r#"{"a":{"$elemMatch":{}}}"#),
        (
            r#"{"a":{"$elemMatch":{"$and":[{"b":1},{"c":2}]}}}"#,
            r#"{"a":{"$elemMatch":{"b":1,"c":2}}}"#,
        ),
    ];
    for (written, canonical) in rows {
        let parsed = query(written);
        assert_eq!(parsed.to_string(), canonical, "for {written}");
        assert_eq!(query(canonical), parsed, "{canonical}");
        assert_eq!(Query::parse(&parsed.to_value()), Ok(parsed));
    }
}

#[test]
fn different_meanings_have_different_forms() {
    let written = [
        "{}",
        r#"{"$nor":[{}]}"#,
        r#"{"a":1}"#,
        r#"{"a":"1"}"#,
        r#"{"a":true}"#,
        r#"{"a":null}"#,
        r#"{"a":[1]}"#,
        r#"{"a":{"b":1}}"#,
        r#"{"a.b":1}"#,
        r#"{"a":{"$exists":false}}"#,
        r#"{"a":9007199254740993}"#,
        r#"{"a":9007199254740992}"#,
        r#"{"a":{"$in":[1,2]}}"#,
        r#"{"a":{"$all":[1,2]}}"#,
        r#"{"a":{"$nin":[1,2]}}"#,
        r#"{"a":{"$contains":["x","y"]}}"#,
        r#"{"a":{"$contains":[["x","y"]]}}"#,
        r#"{"a":{"$gt":1,"$lt":5}}"#,
        r#"{"a":{"$elemMatch":{"$gt":1,"$lt":5}}}"#,
        r#"{"a":{"$elemMatch":{"b":1}}}"#,
        r#"{"a":{"$regex":"x"}}"#,
        r#"{"a":{"$regex":"x","$options":"i"}}"#,
    ];
    let forms: HashSet<Query> = written.iter().map(|written| query(written)).collect();
    assert_eq!(forms.len(), written.len());
}

#[test]
fn the_query_for_all_is_the_empty_one() {
    assert_eq!(Query::all(), query("{}"));
    assert_eq!(Query::all().to_string(), "{}");
    assert_eq!(format!("{:?}", query(r#"{ "a" : 1 }"#)), r#"Query({"a":1})"#);
}

#[test]
fn a_query_can_be_shared_between_threads() {
    const fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Query>();
}
