//! Values and queries at random, for the tests.

mod naive;

use proptest::prelude::*;
use taiinet_document::{DocumentId, Map, Timestamp, Value};
use taiinet_identity::{Identity, PeerId, Seed};

use crate::Attributes;

pub(crate) use naive::{matches as naive_matches, sort_values};

/// Any value, of few names and literals, so that things often meet.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(5, 24, 3, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            1 => prop::collection::btree_map(name(), inner, 0..4).prop_map(Value::Map),
        ]
    })
}

/// The content of a document.
pub(crate) fn content() -> impl Strategy<Value = Map> {
    prop::collection::btree_map(name(), value(), 1..4)
}

/// What reserved fields say: few authors, keys, names and times, so that they often meet.
pub(crate) fn attributes() -> impl Strategy<Value = Attributes<'static>> {
    let key = prop::sample::select(vec![None, Some("a"), Some("b")]);
    let time = prop_oneof![4 => 0..6_u64, 1 => any::<u64>()];
    (author(), key, 0..3_u8, time).prop_map(|(author, key, id, time)| Attributes {
        id: Some(DocumentId::from_bytes([id; 32])),
        author,
        owner: author,
        key,
        created_at: Timestamp::from_millis(time),
    })
}

/// One of three keys that are usable.
fn author() -> impl Strategy<Value = PeerId> {
    (0..3_u8).prop_map(|seed| Identity::from_seed(&Seed::from_bytes([seed; 32])).peer_id())
}

/// A query for reserved fields, and now and then for another.
pub(crate) fn raw_reserved_query() -> impl Strategy<Value = Map> {
    let name = prop::sample::select(vec!["_id", "_author", "_key", "_created_at"]);
    let said = prop_oneof![
        3 => attributes().prop_map(|said| Value::from(said.author.to_string())),
        3 => (0..3_u8).prop_map(|id| Value::from(DocumentId::from_bytes([id; 32]).to_string())),
        3 => prop::sample::select(vec!["a", "b"]).prop_map(Value::from),
        6 => scalar(),
    ]
    .boxed();
    let one_of = prop::collection::vec(said.clone(), 0..4).prop_map(Value::List);
    let side = prop::sample::select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]);
    let leaf = prop_oneof![
        4 => (name.clone(), side, said).prop_map(|(name, side, said)| one(name, one(side, said))),
        2 => (name, prop::sample::select(vec!["$in", "$nin"]), one_of)
            .prop_map(|(name, side, list)| one(name, one(side, list))),
        1 => (path(), literal()).prop_map(|(path, literal)| one(&path, literal)),
    ];
    leaf.prop_recursive(3, 12, 3, |query| {
        let join = prop::sample::select(vec!["$and", "$or", "$nor"]);
        (join, prop::collection::vec(query, 1..4))
            .prop_map(|(join, branches)| one(join, branches.into_iter().collect::<Value>()))
    })
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        6 => (-2..6_i64).prop_map(Value::Int),
        1 => any::<i64>().prop_map(Value::Int),
        3 => (-4..12_i32).prop_map(|halves| Value::Float(f64::from(halves) / 2.0)),
        1 => any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::Float),
        6 => "[a-c]{0,3}".prop_map(Value::String),
        1 => prop::collection::vec(0..3_u8, 0..3).prop_map(Value::Bytes),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "a", "b", "0", "0", "1"]).prop_map(str::to_owned)
}

pub(crate) fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..4).prop_map(|names| names.join("."))
}

fn one(name: &str, operand: impl Into<Value>) -> Map {
    Map::from([(name.to_owned(), operand.into())])
}

fn values() -> impl Strategy<Value = Value> {
    prop::collection::vec(literal(), 0..4).prop_map(Value::List)
}

/// What a query asks for: mostly something that documents often have.
fn literal() -> impl Strategy<Value = Value> {
    prop_oneof![3 => scalar(), 1 => value()]
}

/// A map of one or two operators that needs no others below it.
fn simple_operators() -> impl Strategy<Value = Map> {
    let comparison =
        prop::sample::select(vec!["$eq", "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$contains"]);
    let of_list = prop::sample::select(vec!["$in", "$nin", "$all", "$contains"]);
    let kind = prop::sample::select(vec![
        "double", "string", "object", "array", "binData", "bool", "null", "int", "number", "date",
    ]);
    let operator = prop_oneof![
        6 => (comparison, literal()).prop_map(|(name, operand)| one(name, operand)),
        4 => (of_list, values()).prop_map(|(name, operand)| one(name, operand)),
        1 => any::<bool>().prop_map(|wanted| one("$exists", wanted)),
        1 => prop::collection::vec(kind, 1..3).prop_map(|kinds| one("$type", kinds.into_iter().collect::<Value>())),
        1 => (0..4_i64).prop_map(|size| one("$size", size)),
        1 => (prop::sample::select(vec![-3_i64, -1, 1, 2, 3]), -1..3_i64)
            .prop_map(|(divisor, remainder)| one("$mod", [divisor, remainder].into_iter().collect::<Value>())),
        1 => ("[a-c.^]{0,3}", prop::sample::select(vec!["", "i", "ims"])).prop_map(|(source, options)| {
            let mut map = one("$regex", source);
            map.insert("$options".to_owned(), options.into());
            map
        }),
    ];
    prop::collection::vec(operator, 1..3).prop_map(|maps| maps.into_iter().flatten().collect())
}

/// Several tests of one path, some of them of a single element.
pub(crate) fn raw_narrow_query() -> impl Strategy<Value = Map> {
    let test = (prop::bool::ANY, simple_operators()).prop_map(|(element, operators)| {
        if element { one("$elemMatch", operators) } else { operators }
    });
    let inner = simple_operators().prop_map(|operators| one("$elemMatch", one("b", operators)));
    let test = prop_oneof![4 => test, 1 => inner];
    (prop::sample::select(vec!["a", "a.b", "a.0"]), prop::collection::vec(test, 1..4)).prop_map(
        |(path, tests)| {
            one("$and", tests.into_iter().map(|test| one(path, test)).collect::<Value>())
        },
    )
}

/// Content with lists in lists, and lists of maps, where [`raw_narrow_query`] looks.
pub(crate) fn narrow_content() -> impl Strategy<Value = Map> {
    let value = scalar().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            2 => inner.prop_map(|value| one("b", value).into()),
        ]
    });
    value.prop_map(|value| one("a", value))
}

/// Queries as they may be written, also redundant and contradictory ones; all are valid unless their
/// literals hold names with `$`, which these do not.
pub(crate) fn raw_query() -> impl Strategy<Value = Map> {
    let leaf = prop_oneof![
        (path(), literal()).prop_map(|(path, literal)| one(&path, literal)),
        (path(), simple_operators()).prop_map(|(path, operators)| one(&path, operators)),
        Just(Map::new()),
    ];
    leaf.prop_recursive(4, 24, 3, |query| {
        let operators = simple_operators().prop_recursive(3, 8, 2, {
            let query = query.clone();
            move |operators| {
                prop_oneof![
                    operators.clone().prop_map(|map| one("$not", map)),
                    operators.clone().prop_map(|map| one("$elemMatch", map)),
                    query.clone().prop_map(|map| one("$elemMatch", map)),
                    prop::collection::vec(operators.clone(), 1..3).prop_map(|maps| one(
                        "$all",
                        maps.into_iter().map(|map| one("$elemMatch", map)).collect::<Value>()
                    )),
                    (operators.clone(), operators).prop_map(|(mut a, b)| {
                        a.extend(b);
                        a
                    }),
                ]
            }
        });
        let join = prop::sample::select(vec!["$and", "$or", "$nor"]);
        prop_oneof![
            (path(), operators).prop_map(|(path, operators)| one(&path, operators)),
            (join, prop::collection::vec(query.clone(), 1..4))
                .prop_map(|(join, branches)| one(join, branches.into_iter().collect::<Value>())),
            (query.clone(), query).prop_map(|(mut a, b)| {
                a.extend(b);
                a
            }),
        ]
    })
}
