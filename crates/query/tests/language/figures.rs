//! What sorting and indexing take: `cargo test --release -p taiinet-query --test language figures -- \
//! --ignored --nocapture`.

use core::hint::black_box;
use std::time::Instant;

use taiinet_document::{DocumentId, Map, Timestamp, Value};
use taiinet_identity::PeerId;
use taiinet_query::{
    Attributes, DocumentKeys, KeySet, Path, index_keys, limits::KEY_SET_BYTES, sort::Sort,
};

use crate::{document, query};

fn said() -> Attributes<'static> {
    Attributes {
        id: Some(DocumentId::from_bytes([1; 32])),
        author: PeerId::from_bytes([7; 32]),
        owner: PeerId::from_bytes([7; 32]),
        key: None,
        created_at: Timestamp::from_millis(1_700_000_000_000),
    }
}

#[test]
#[ignore = "measures"]
fn routing() {
    let content = document(
        r#"{"type":"tweet","text":"Hello, mesh of peers","likes":512,"lang":"en","place":"Bern","lat":46.95,"lon":7.45,"tags":["mesh","rust","p2p"],"reply":false,"at":1700000000000}"#,
    );
    let keys = DocumentKeys::of_fields(said(), &content);
    println!("{} values", keys.len());
    time("  DocumentKeys::of_fields", 5_000, || {
        black_box(DocumentKeys::of_fields(said(), black_box(&content)));
    });
    let texts = (0..400).map(|i| format!(r#"{{"type":"tweet","lang":"l{i}"}}"#));
    let ranges = (0..50)
        .map(|i| format!(r#"{{"likes":{{"$gt":{},"$lt":{}}}}}"#, 1000 + 40 * i, 1020 + 40 * i));
    let wire = |text: String| query(&text).routing_keys().iter().copied().collect::<Vec<_>>();
    let set = |count: usize| {
        KeySet::of(texts.clone().chain(ranges.clone()).flat_map(wire).take(count), KEY_SET_BYTES)
    };
    let exact = set(200);
    println!(
        "{} keys as they are, {} bytes in memory, {} sent",
        exact.len(),
        exact.heap_bytes(),
        exact.wire_bytes()
    );
    time("  KeySet::matches, which it does not", 5_000, || {
        black_box(exact.matches(black_box(&keys)));
    });
    let follow = |i: usize| {
        let text = format!(
            r#"{{"type":"t{}","{}":"u{i}"}}"#,
            i % 3,
            ["lang", "tags", "place", "text"][i % 4]
        );
        wire(text)
    };
    let many = |from: usize| KeySet::of((from..from + 2_000).flat_map(follow), KEY_SET_BYTES);
    let sets: Vec<KeySet> = (0..9).map(|i| many(800 * i)).collect();
    let [first, ..] = sets.as_slice() else { panic!("sets") };
    println!(
        "{} keys, {} bytes in memory, {} sent",
        first.len(),
        first.heap_bytes(),
        first.wire_bytes()
    );
    time("  KeySet::matches, which it does not", 5_000, || {
        black_box(first.matches(black_box(&keys)));
    });
    time("  KeySet::union of nine of 2,000", 100, || {
        black_box(KeySet::union(black_box(&sets), KEY_SET_BYTES));
    });
    let sent = postcard::to_allocvec(first).expect("bytes");
    time("  from the wire", 500, || {
        black_box(postcard::from_bytes::<KeySet>(black_box(&sent)).expect("a set"));
    });
    let paths = |i: u32| wire(format!(r#"{{"a{i}":"x","b{}":{i}}}"#, i % 7));
    let wild: Vec<KeySet> =
        (0..9).map(|i| KeySet::of((60 * i..60 * i + 60).flat_map(paths), KEY_SET_BYTES)).collect();
    time("  KeySet::union of 540 shapes", 20, || {
        black_box(KeySet::union(black_box(&wild), KEY_SET_BYTES));
    });
    let conjunction = query(r#"{"type":"tweet","likes":{"$gt":100,"$lt":120}}"#);
    time("  Query::routing_keys of a conjunction", 2_000, || {
        black_box(conjunction.routing_keys());
    });
}

/// Prints the time of one call, the best of some rounds.
fn time(what: &str, calls: u32, mut call: impl FnMut()) {
    let round = |call: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed() / calls
    };
    let best = (0..7).map(|_| round(&mut call)).min();
    println!("{what}: {:?}", best.expect("rounds"));
}

#[test]
#[ignore = "measures"]
fn figures() {
    let text = "x".repeat(281);
    let small = document(&format!(
        r#"{{"type":"tweet","text":"{text}","likes":512,"tags":["mesh","rust","p2p"],"author":{{"name":"Ada","age":36}},"at":1700000000000}}"#
    ));
    println!(
        "a document of {} bytes of JSON",
        Value::Map(small.clone()).to_json().expect("JSON").len()
    );
    for text in ["", "likes:desc", "author.name,likes:desc,tags,text", "_author"] {
        let sort: Sort = text.parse().expect("an order");
        time(&format!("  place by {sort}"), 20_000, || {
            black_box(sort.place(said(), black_box(&small)));
        });
    }
    for path in ["likes", "author.name", "text", "tags", "missing", "_author"] {
        let path: Path = path.parse().expect("a path");
        time(&format!("  index_keys of {path}"), 20_000, || {
            black_box(index_keys(&path, said(), black_box(&small)));
        });
    }
    let queries =
        [r#"{"likes":512}"#, r#"{"author.name":"Ada"}"#, r#"{"author.age":{"$gt":30,"$lt":40}}"#];
    for text in queries {
        let query = query(text);
        time(&format!("  matches {text}"), 20_000, || {
            black_box(query.matches(black_box(&small)));
        });
        let path: Path = "author.age".parse().expect("a path");
        time(&format!("  bounds of {text} at {path}"), 20_000, || {
            black_box(query.bounds(&path));
        });
    }

    println!("a document of 16,000 values");
    let list = |value: &dyn Fn(i64) -> Value| {
        Map::from([("a".to_owned(), (0..16_000).map(value).collect::<Value>())])
    };
    let wide = [
        ("numbers", list(&Value::Int)),
        ("numbers that fall", list(&|i| Value::Int(-i))),
        ("20 different numbers", list(&|i| Value::Int(i % 20))),
        ("texts", list(&|i| Value::String(format!("{:016}", -i)))),
        ("maps", list(&|i| Value::Map([("a".to_owned(), Value::Int(-i))].into()))),
    ];
    for (what, content) in &wide {
        for text in ["a", "a.a.a.a"] {
            let (sort, path): (Sort, Path) =
                (text.parse().expect("an order"), text.parse().expect("a path"));
            time(&format!("  place by {text}, {what}"), 20, || {
                black_box(sort.place(said(), black_box(content)));
            });
            time(&format!("  index_keys of {text}, {what}"), 20, || {
                black_box(index_keys(&path, said(), black_box(content)));
            });
        }
    }
}
