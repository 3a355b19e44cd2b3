//! Orders, places, and the keys and bounds of indexes.

use taiinet_document::{DocumentId, Map, Timestamp, parse_map};
use taiinet_query::{
    Attributes, Fuel, IndexKeys, Path, Query, index_keys, limits,
    sort::{Place, Sort},
};

use crate::fixture::identity;

/// A line each: an order, a path, a query, then documents. All of it is also a place.
pub(super) fn sort(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (sort, path, query) = (next().parse::<Sort>(), next().parse::<Path>(), next().parse());
    let sort = sort.ok();
    if let Some(sort) = &sort {
        let canonical = sort.to_string();
        assert!(canonical.len() <= limits::SORT_BYTES, "{canonical}");
        assert_eq!(canonical.parse().as_ref(), Ok(sort), "{canonical}");
    }
    let sort = sort.unwrap_or_default();
    hostile(data, &sort);
    let documents: Vec<Map> = lines.filter_map(|line| parse_map(line).ok()).take(8).collect();
    let said = |number| said(u8::try_from(number).unwrap_or_default());
    let of = |(number, content): (usize, &Map)| place(&sort, said(number), content);
    let mut places: Vec<Place> = documents.iter().enumerate().map(of).collect();
    places.sort();
    assert!(places.is_sorted_by(|a, b| a < b), "no two documents share one");
    let query: Result<Query, _> = query;
    let paths = path.iter().chain(sort.fields().iter().map(|(path, _)| path));
    for (path, (number, content)) in
        paths.flat_map(|path| documents.iter().enumerate().map(move |d| (path, d)))
    {
        let keys = keys(path, said(number), content);
        if let Ok(query) = &query {
            bounds(query, path, said(number), content, &keys);
        }
    }
}

fn said(number: u8) -> Attributes<'static> {
    Attributes {
        id: Some(DocumentId::from_bytes([number; 32])),
        author: identity(1 + number / 2 % 2).peer_id(),
        owner: identity(1).peer_id(),
        key: (number % 2 == 1).then_some("a"),
        created_at: Timestamp::from_millis(u64::from(number) * 50),
    }
}

/// What a neighbour says is a place.
fn hostile(bytes: &[u8], sort: &Sort) {
    let lengths = limits::PLACE_BYTES_LEAST..=limits::PLACE_BYTES;
    assert_eq!(Place::from_bytes(bytes).is_ok(), lengths.contains(&bytes.len()));
    let shorter = bytes.get(..bytes.len().min(limits::PLACE_BYTES)).unwrap_or_default();
    if let Ok(place) = Place::from_bytes(shorter) {
        let _ = sort.moment(&place);
        assert_eq!(place.as_bytes(), shorter);
    }
}

fn place(sort: &Sort, said: Attributes<'_>, content: &Map) -> Place {
    let place = sort.place(said, content);
    assert_eq!(Place::from_bytes(place.as_bytes()).as_ref(), Ok(&place));
    assert_eq!(Some(sort.moment(&place)), said.id.map(|id| (said.created_at, id)));
    for fuel in [0, 100, u64::MAX] {
        if let Ok(within) = sort.place_within(said, content, &Fuel::new(fuel)) {
            assert_eq!(within, place, "with too little fuel there is none");
        }
    }
    place
}

fn keys(path: &Path, said: Attributes<'_>, content: &Map) -> IndexKeys {
    let keys = index_keys(path, said, content);
    assert!((1..=limits::INDEX_KEYS).contains(&keys.keys.len()));
    assert!(keys.keys.is_sorted_by(|a, b| a < b));
    assert!(keys.keys.iter().all(|key| key.len() <= limits::SORT_VALUE_BYTES));
    keys
}

/// What matches is found, by whichever path it is looked up.
fn bounds(query: &Query, path: &Path, said: Attributes<'_>, content: &Map, keys: &IndexKeys) {
    let Some(bounds) = query.bounds(path) else { return };
    let ranges = bounds.ranges();
    assert!(ranges.len() <= limits::BOUNDS + 1);
    assert!(ranges.iter().all(|range| range.start < range.end), "none is empty");
    assert!(ranges.is_sorted_by(|a, b| a.end < b.start), "none touches another");
    let is_found = keys.keys.iter().any(|key| bounds.contains(key));
    assert!(is_found || !query.matches_fields(said, content), "{query} by {}", path.as_str());
}
