//! What queries are said to occupy is what they occupy.

use taiinet_document::{Map, parse_map};
use taiinet_query::Query;

/// A query's heap after it has matched a document, measured.
fn measured(text: &str, content: &Map) -> u64 {
    let mut query = None;
    let info = allocation_counter::measure(|| {
        let parsed: Query = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        parsed.matches(content);
        query = Some(parsed);
    });
    u64::try_from(info.bytes_current).expect("it keeps something")
}

#[test]
fn a_query_occupies_what_it_says() {
    let content = parse_map(&format!(r#"{{"text": "{}", "a": [1, 2]}}"#, "a".repeat(500)))
        .expect("a document");
    let path = vec!["abc"; 32].join(".");
    let long = "x".repeat(3800);
    let several = |count: usize, each: &dyn Fn(usize) -> String| {
        (0..count).map(each).collect::<Vec<_>>().join(",")
    };
    let literals = several(900, &|i| i.to_string());
    let words = several(120, &|i| format!(r#""word number {i}""#));
    let maps = several(60, &|i| format!(r#"{{"a":{i},"b":[{i}]}}"#));
    let fields = several(120, &|i| format!(r#""field {i}":{{"$gt":{i}}}"#));
    let regexes = several(16, &|i| format!(r#""f{i}":{{"$regex":"[a-z]{{3}}x?"}}"#));
    let queries = [
        r#"{"a":1}"#.to_owned(),
        r#"{"text":{"$regex":"rust"}}"#.to_owned(),
        r#"{"text":{"$regex":"(a?){30}a{30}b"}}"#.to_owned(),
        r#"{"text":{"$regex":"[aeiouy]{100}"}}"#.to_owned(),
        format!(r#"{{"text":"{long}"}}"#),
        format!(r#"{{"{path}":{{"$all":[{literals}]}}}}"#).replace(&literals, &literals[..380]),
        format!(r#"{{"a":{{"$in":[{literals}]}}}}"#),
        format!(r#"{{"a":{{"$in":[{words}]}}}}"#),
        format!(r#"{{"a":{{"$in":[{maps}]}}}}"#),
        format!("{{{fields}}}"),
        format!("{{{regexes}}}"),
    ];
    for text in queries {
        let query: Query = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let (said, measured) = (query.heap_bytes() as u64, measured(&text, &content));
        let short = text.get(..60).unwrap_or(&text);
        println!("{short}: {said} said, {measured} measured");
        assert!(measured <= said, "{short}: {said} said, {measured} measured");
        assert!(said <= 6 * measured, "{short}: {said} said, {measured} measured");
    }
}
