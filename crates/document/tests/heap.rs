//! What documents say that they hold, against what an allocator gave them.

use allocation_counter::measure;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use taiinet_document::{
    Content, Document, Map, Timestamp, Value, VerifiedDocument, limits, parse_map,
};
use taiinet_identity::{Identity, Seed};

fn sign(content: Map) -> VerifiedDocument {
    let identity = Identity::from_seed(&Seed::from_bytes([1; 32]));
    let document = Document {
        network: "test".parse().expect("a name"),
        created_at: Timestamp::from_millis(1),
        nonce: 0,
        expires_at: None,
        key: Some("key".into()),
        next_key: None,
        content: Content::Open(content),
    };
    VerifiedDocument::sign(&identity, document).expect("within the limits")
}

/// What a thing takes, and what it says.
fn weigh<T>(make: impl FnOnce() -> T, size: impl Fn(&T) -> usize) -> (usize, usize) {
    let mut made = None;
    let held = measure(|| made = Some(make())).bytes_current;
    let held = usize::try_from(held).expect("it frees nothing of others");
    (held, made.as_ref().map_or(0, size))
}

fn shapes() -> Vec<Map> {
    let half = limits::VALUES / 2 - 1;
    let list = |value: Value, count| vec![value; count].into_iter().collect::<Value>();
    let one = |value: Value| Map::from([("a".to_owned(), value)]);
    let numbered = |count: usize| (0..count).map(|n| (format!("{n:x}"), Value::Null)).collect();
    let mut shapes = vec![
        Map::new(),
        one(list(one(Value::Null).into(), half)),
        one(list(Map::from([(String::new(), Value::Null)]).into(), half)),
        one(list(Value::Null, 2 * half)),
        one(list("x".into(), 2 * half)),
        one(Value::Bytes(vec![7; 200_000])),
        one("x".repeat(200_000).into()),
    ];
    for count in [1, 10, 11, 12, 13, 100, 1000, 2 * half] {
        shapes.push(numbered(count));
    }
    shapes
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        any::<Vec<u8>>().prop_map(Value::Bytes),
    ];
    scalar.prop_recursive(5, 200, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::List),
            prop::collection::btree_map(any::<String>(), inner, 0..20).prop_map(Value::Map),
        ]
    })
}

#[test]
fn what_is_counted_is_what_stands_on_the_heap() {
    let mut shapes = shapes();
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..200 {
        let value = value().new_tree(&mut runner).expect("a value").current();
        shapes.push(Map::from([("a".to_owned(), value)]));
    }
    let mut most = 0;
    for shape in shapes {
        let text = taiinet_document::to_json_line(&shape).expect("a text");
        let signed = sign(shape);
        let key = Identity::from_seed(&Seed::from_bytes([1; 32])).public_key();
        let wire = signed.to_bytes().into_signed();
        let bytes = wire.size();

        // As it comes from a neighbour, beside the bytes, which the caller holds too.
        let (held, counted) = weigh(
            || wire.clone().verify(&key).expect("a document"),
            |verified| verified.heap_size() - verified.signed().heap_size(),
        );
        assert!(held <= counted, "{held} bytes are held, {counted} are counted: {text:.100}");
        assert!(counted <= 3 * held + 512, "{held} are held, {counted} are counted: {text:.100}");
        most = most.max(held / bytes);
        // No document takes more than so much, whatever its author thinks of.
        assert!(held < 6 * 1024 * 1024, "{held} bytes");

        // Kept bytes are the bytes and nothing else.
        let (held, counted) = weigh(|| signed.to_bytes(), |kept| kept.signed().heap_size());
        assert_eq!(held, 0, "they are shared");
        assert!(bytes <= counted + 96 && counted <= bytes, "{counted} of {bytes}");

        // As it was read from text.
        let (held, counted) =
            weigh(|| Value::Map(parse_map(&text).expect("a map")), Value::heap_size);
        assert!(held <= counted, "{held} bytes are held, {counted} are counted: {text:.100}");
    }
    assert!(most > 100, "the shapes are the expensive ones: {most}");
}
