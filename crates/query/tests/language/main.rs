//! The language as users and attackers meet it: what matches, what is refused, what it costs.

mod agreed;
mod bounds;
mod canonical;
mod cases;
mod documents;
mod errors;
mod figures;
mod hostile;
mod limits;
mod pcre;
mod routing;

use taiinet_document::{Map, Value, parse_map};
use taiinet_query::Query;

fn query(text: &str) -> Query {
    Query::from_json(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn document(text: &str) -> Map {
    parse_map(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn field<'a>(map: &'a Map, name: &str) -> &'a Value {
    map.get(name).unwrap_or_else(|| panic!("no {name} in {map:?}"))
}
