use core::cmp::Ordering;

use proptest::prelude::*;
use taiinet_document::{Deletion, Network, parse_map};
use taiinet_identity::PeerId;

use super::*;
use crate::{
    PathError,
    testing::{attributes, content, path, sort_values},
};

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![Direction::Ascending, Direction::Descending])
}

/// Fields as they may be written, each once.
fn fields() -> impl Strategy<Value = Vec<(String, Direction)>> {
    let reserved = prop::sample::select(vec!["_created_at", "_author", "_key", "_id"]);
    let field = prop_oneof![3 => path(), 1 => reserved.prop_map(str::to_owned)];
    prop::collection::vec((field, direction()), 0..=limits::SORT_FIELDS).prop_map(|mut fields| {
        let mut seen = std::collections::BTreeSet::new();
        fields.retain(|(field, _)| seen.insert(field.clone()));
        fields
    })
}

fn by(fields: &[(String, Direction)]) -> Sort {
    let fields: Vec<_> = fields.iter().map(|(field, way)| (field.as_str(), *way)).collect();
    Sort::by(&fields).expect("an order")
}

/// The order as it is documented, by comparing values.
fn naive(
    fields: &[(String, Direction)],
    a: (Attributes<'_>, &Map),
    b: (Attributes<'_>, &Map),
) -> Ordering {
    let towards = |direction, order: Ordering| match direction {
        Direction::Ascending => order,
        Direction::Descending => order.reverse(),
    };
    let mut order = Ordering::Equal;
    for (field, direction) in fields {
        let extreme = |(said, content): (Attributes<'_>, &Map)| {
            let mut values = match field.as_str() {
                "_created_at" => vec![Some(Value::Int(
                    said.created_at.as_millis().try_into().unwrap_or(i64::MAX),
                ))],
                "_author" => vec![Some(said.author.to_string().into())],
                "_key" => vec![Some(said.key.map_or(Value::Null, Value::from))],
                "_id" => vec![Some(said.id.map_or(Value::Null, |id| id.to_string().into()))],
                path => sort_values(content, path),
            };
            values.sort_by(|a, b| towards(*direction, whole(a.as_ref(), b.as_ref())));
            values.into_iter().next().expect("a value")
        };
        order = order
            .then_with(|| towards(*direction, whole(extreme(a).as_ref(), extreme(b).as_ref())));
    }
    let last = fields.last().filter(|(field, _)| field == "_created_at").or(fields.first());
    let time = last.map_or(Direction::Descending, |(_, direction)| *direction);
    let moment = |(said, _): (Attributes<'_>, &Map)| (said.created_at, said.id);
    order.then_with(|| towards(time, moment(a).cmp(&moment(b))))
}

fn whole(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => order::compare(a, b),
        _ => a.is_some().cmp(&b.is_some()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn places_have_the_order_of_documents(
        fields in fields(),
        a in (attributes(), content()),
        b in (attributes(), content()),
    ) {
        let sort = by(&fields);
        let places = [&a, &b].map(|(said, content)| sort.place(*said, content));
        prop_assert_eq!(
            places[0].cmp(&places[1]),
            naive(&fields, (a.0, &a.1), (b.0, &b.1)),
            "by {}", sort
        );
    }

    #[test]
    fn a_place_says_when_and_which(fields in fields(), said in attributes(), content in content()) {
        let sort = by(&fields);
        let place = sort.place(said, &content);
        prop_assert_eq!(sort.moment(&place), (said.created_at, said.id.expect("an id")));
        prop_assert_eq!(Place::from_bytes(place.as_bytes()), Ok(place));
    }

    /// Each page ends with a cursor, which travels as bytes; documents are held in any order.
    #[test]
    fn paging_gives_each_document_once_and_in_order(
        fields in fields(),
        documents in prop::collection::vec((attributes(), content()), 0..40),
        page in 1..7_usize,
    ) {
        let sort = by(&fields);
        let documents: Vec<_> = documents.into_iter().enumerate().map(|(i, (mut said, content))| {
            said.id = Some(DocumentId::from_bytes([i as u8; 32]));
            (said, content)
        }).collect();
        let mut cursor: Option<Vec<u8>> = None;
        let mut got: Vec<usize> = Vec::new();
        loop {
            let after = cursor.as_ref().map(|bytes| Place::from_bytes(bytes).expect("a cursor"));
            let mut rest: Vec<_> = documents.iter().enumerate()
                .map(|(i, (said, content))| (sort.place(*said, content), i))
                .filter(|(place, _)| after.as_ref().is_none_or(|after| place > after))
                .collect();
            rest.sort();
            rest.truncate(page);
            let Some((last, _)) = rest.last() else { break };
            cursor = Some(last.as_bytes().to_vec());
            got.extend(rest.iter().map(|(_, i)| *i));
        }
        let mut expected: Vec<usize> = (0..documents.len()).collect();
        expected.sort_by(|a, b| {
            let [a, b] = [*a, *b].map(|i| (documents[i].0, &documents[i].1));
            naive(&fields, a, b)
        });
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn the_canonical_text_parses_to_the_same(fields in fields()) {
        let sort = by(&fields);
        let text = sort.to_string();
        prop_assert_eq!(&Sort::parse(&text).expect("its own text"), &sort);
        prop_assert_eq!(Sort::parse(&text).expect("its own text").to_string(), text);
    }

    #[test]
    fn no_text_panics(text in "[a-c_$.,: é]{0,20}|.{0,40}") {
        if let Ok(sort) = Sort::parse(&text) {
            prop_assert_eq!(Sort::parse(&sort.to_string()), Ok(sort));
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..500), fields in fields()) {
        let sort = by(&fields);
        match Place::from_bytes(&bytes) {
            Ok(place) => {
                prop_assert_eq!(place.as_bytes(), &bytes);
                let _ = sort.moment(&place);
            }
            Err(error) => prop_assert!(error.bytes < 40 || error.bytes > limits::PLACE_BYTES),
        }
    }
}

fn said(millis: u64) -> Attributes<'static> {
    Attributes {
        id: Some(DocumentId::from_bytes([1; 32])),
        author: PeerId::from_bytes([7; 32]),
        owner: PeerId::from_bytes([7; 32]),
        key: None,
        created_at: Timestamp::from_millis(millis),
    }
}

fn sort(text: &str) -> Sort {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn values_sort_as_documented() {
    // by what, contents in that order
    let rows = [
        (
            "a",
            r#"{"a":[]} {"a":null} {"a":-1} {"a":2.5} {"a":"A"} {"a":"a"} {"a":{}} {"a":[[]]} {"a":{"$bytes":""}} {"a":true}"#,
        ),
        ("a:desc", r#"{"a":[1,"x"]} {"a":[5,null]} {"a":3} {} {"a":[]}"#),
        ("a", r#"{"a":[]} {"a":[5,null]} {"a":[1,"x"]} {"a":3}"#),
        ("a", r#"{"a":9007199254740992.0} {"a":9007199254740993} {"a":9007199254740994.0}"#),
        ("a.b", r#"{"a":[{"b":9},{}]} {"a":[{"b":9},{"b":2}]} {"a":{"b":3}}"#),
        ("a.b:desc", r#"{"a":[{"b":9},{}]} {"a":[{"b":8},{"b":2}]} {"a":{"b":3}} {"a":[]}"#),
        ("a.0", r#"{"a":["x","a"]} {"a":["y"]} {"a":[["a"]]}"#),
        ("a:desc,b", r#"{"a":2,"b":1} {"a":2,"b":2} {"a":1,"b":0}"#),
    ];
    for (text, contents) in rows {
        let order = sort(text);
        let places = contents
            .split(' ')
            .map(|content| order.place(said(5), &parse_map(content).expect("JSON")));
        assert!(places.collect::<Vec<_>>().is_sorted_by(|a, b| a < b), "by {text}: {contents}");
    }
}

/// Cursors travel: these bytes may not change.
#[test]
fn places_are_as_documented() {
    let content = parse_map(r#"{"a": "b", "c": []}"#).expect("JSON");
    let rows = [
        ("_created_at:asc", "0000000000000102", "01"),
        ("", "fffffffffffffefd", "fe"),
        ("a", "306300 0000000000000102", "01"),
        ("a:desc", "cf9cff fffffffffffffefd", "fe"),
        ("a,_created_at:desc", "306300 fffffffffffffefd", "fe"),
        ("c:desc,a", "f7 306300 fffffffffffffefd", "fe"),
        // The time is also a number where it is not the last field.
        ("_created_at:desc,b", "df3f8fdfffffffffff 10 fffffffffffffefd", "fe"),
    ];
    for (text, head, id) in rows {
        let place = sort(text).place(said(0x102), &content);
        let hex: String = place.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, head.replace(' ', "") + &id.repeat(32), "{text}");
    }
}

#[test]
fn places_are_bounded() {
    let long = "x".repeat(1_000);
    let content = parse_map(&format!(r#"{{"a":"{long}","b":"{long}","c":"{long}","d":"{long}"}}"#));
    let place = sort("a,b:desc,c,d").place(said(5), &content.expect("JSON"));
    assert_eq!(place.as_bytes().len(), limits::PLACE_BYTES);
    assert!(Place::from_bytes(place.as_bytes()).is_ok());
    assert_eq!(Place::from_bytes(&[0; 39]), Err(PlaceError { bytes: 39 }));
    assert!(Place::from_bytes(&vec![0; limits::PLACE_BYTES + 1]).is_err());
}

#[test]
fn the_text_is_canonical() {
    let rows = [
        ("", "_created_at:desc"),
        (" ", "_created_at:desc"),
        ("_created_at:desc", "_created_at:desc"),
        ("_created_at", "_created_at:asc"),
        ("likes:desc,name:asc", "likes:desc,name:asc"),
        (" likes:desc , name", "likes:desc,name:asc"),
        ("likes:desc,_created_at:desc", "likes:desc"),
        ("likes,_created_at", "likes:asc"),
        ("likes:desc,_created_at", "likes:desc,_created_at:asc"),
        ("_created_at,likes", "_created_at:asc,likes:asc"),
        ("dc:title:asc", "dc:title:asc"),
        ("a.0.b:desc", "a.0.b:desc"),
    ];
    for (written, canonical) in rows {
        assert_eq!(sort(written).to_string(), canonical, "for {written}");
        assert_eq!(sort(written), sort(canonical));
    }
    assert!(sort("_created_at:desc").is_newest() && Sort::newest().is_newest());
    assert!(!Sort::oldest().is_newest() && !sort("a:desc").is_newest());
    assert_eq!(sort("_created_at:asc"), Sort::oldest());
}

#[test]
fn errors_say_what_is_wrong() {
    let long = "x".repeat(limits::SORT_BYTES + 1);
    let name = |field: &str| field.to_owned();
    let path = |field: &str, reason| SortError::Path { field: name(field), reason };
    let rows = [
        (long.as_str(), SortError::TooLong { bytes: 513 }),
        // The canonical text is longer.
        (&long[2..], SortError::TooLong { bytes: 515 }),
        ("a,b,c,d,e", SortError::TooManyFields),
        ("a,,b", path("", PathError::Empty)),
        (":desc", path("", PathError::Empty)),
        ("$a", path("$a", PathError::Operator)),
        ("a:down", SortError::Direction { field: name("a"), found: name("down") }),
        ("a:", SortError::Direction { field: name("a"), found: name("") }),
        ("a :asc", SortError::Unwritable { field: name("a ") }),
        ("a,b:desc,a:desc", SortError::Twice { field: name("a") }),
    ];
    for (text, error) in rows {
        assert_eq!(Sort::parse(text), Err(error), "{text}");
    }
    let deep = vec!["a"; limits::PATH_PARTS + 1].join(".");
    assert_eq!(Sort::parse(&deep), Err(path(&deep, PathError::TooManyNames)));
    assert_eq!(
        Sort::by(&[("a,b", Direction::Ascending)]),
        Err(SortError::Unwritable { field: name("a,b") })
    );
}

/// A stranger's document must not cost more than an archive allows.
#[test]
fn work_is_bounded_by_fuel() {
    let numbers: Vec<Value> = (0..16_000).map(Value::Int).collect();
    let content = Map::from([("a".to_owned(), Value::List(numbers))]);
    let sort = sort("a");
    assert_eq!(sort.place_within(said(5), &content, &Fuel::new(100_000)), Err(OutOfFuel));
    let fuel = Fuel::new(3_000_000);
    assert_eq!(sort.place_within(said(5), &content, &fuel), Ok(sort.place(said(5), &content)));
}

#[test]
fn what_has_no_fields_has_no_place() {
    use taiinet_document::{Content, Document};
    use taiinet_identity::{Identity, Seed};
    let network: Network = "tests".parse().expect("a name");
    let signed = |content| {
        let document = Document {
            network: network.clone(),
            created_at: Timestamp::from_millis(5),
            nonce: 7,
            expires_at: None,
            key: Some("k".into()),
            next_key: None,
            content,
        };
        let identity = Identity::from_seed(&Seed::from_bytes([7; 32]));
        VerifiedDocument::sign(&identity, document).expect("a document")
    };
    assert_eq!(Sort::newest().place_of(&signed(Content::Deleted(Deletion::Key))), None);
    let open = signed(Content::Open(Map::new()));
    let place = Sort::newest().place_of(&open).expect("a place");
    assert_eq!(Sort::newest().moment(&place), (open.created_at, open.id()));
    assert_eq!(Sort::newest().at(open.created_at, open.id()), place);
    let oldest = Sort::oldest();
    assert_eq!(Some(oldest.at(open.created_at, open.id())), oldest.place_of(&open));
}
