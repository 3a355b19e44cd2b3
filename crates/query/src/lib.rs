//! TaiiNet's query language: MongoDB's, for documents in a mesh.
//!
//! A [`Query`] says which documents a peer wants:
//!
//! ```
//! use taiinet_document::parse_map;
//! use taiinet_query::Query;
//!
//! let query: Query = r#"{"type": "tweet", "likes": {"$gt": 4}, "tags": "rust"}"#.parse()?;
//!
//! let tweet = r#"{"type": "tweet", "likes": 5, "tags": ["mesh", "rust"]}"#;
//! assert!(query.matches(&parse_map(tweet)?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The language
//! A query is a map. Each name is a field with what it must be, or an operator that joins queries; all
//! must hold. A value without operators means equality. Operators and fields are never mixed in one
//! map.
//!
//! | operator | operand | holds if |
//! |---|---|---|
//! | `$eq`, `$ne` | a value | the field equals it, or does not; a missing field equals null |
//! | `$gt` `$gte` `$lt` `$lte` | a value | the field is greater or less, and of the same type bracket: numbers with numbers, strings with strings |
//! | `$in`, `$nin` | a list | the field equals one of them, or none |
//! | `$all` | a list | the field, or some element of it, equals each of them; or fulfils each of several `{"$elemMatch": …}`; none: never |
//! | `$contains` | a value, or a list of them | the field is a string with this part, or a list with this element; of a list: with each of them; none: never. TaiiNet's own |
//! | `$exists` | true or false; as in MongoDB a number other than 0 is true, 0 and null are false, but anything else is an error | the field is there, even if null |
//! | `$type` | a name or BSON number, or a list of them | `double` 1, `string` 2, `object` 3, `array` 4, `binData` 5, `bool` 8, `null` 10, `int` 16 and `long` 18 (the same here: integers of 64 bits), `number` |
//! | `$regex`, `$options` | strings | the field is a string in which the expression finds something; options: `i` case, `m` lines, `s` dot, `x` extended |
//! | `$size` | a whole number | the field is a list of so many elements |
//! | `$mod` | `[divisor, remainder]` | the field is a number which, its fraction cut off, leaves the remainder |
//! | `$elemMatch` | a query, or operators | the field is a list with one element that fulfils all of it |
//! | `$not` | operators | they do not hold; so also where the field is missing |
//! | `$and`, `$or`, `$nor` | a list of queries | each, some or none of them matches |
//!
//! Anything else is an error that names the operator and its place ([`QueryError`]).
//!
//! **Lists.** A test of a field also holds if it holds for an element of the field's list. Lists inside
//! that list are not searched, but a list operand may equal one of them. Two operators may be fulfilled
//! by two different elements; `$elemMatch` asks for one that fulfils all:
//!
//! ```
//! # use taiinet_document::parse_map;
//! # use taiinet_query::Query;
//! let document = parse_map(r#"{"marks": [1, 9]}"#)?;
//! let any: Query = r#"{"marks": {"$gt": 3, "$lt": 6}}"#.parse()?;
//! let one: Query = r#"{"marks": {"$elemMatch": {"$gt": 3, "$lt": 6}}}"#.parse()?;
//! assert!(any.matches(&document)); // 9 > 3, and 1 < 6
//! assert!(!one.matches(&document));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Paths.** `"a.b"` is the field `b` of the map `a`, or of the maps in the list `a`, at any depth, but
//! not of maps in a list directly inside a list. A number is a key and, in a list, an index: `"a.0"`;
//! what an index at the end of a path leads to is tested as it is, even if it is a list. Strings and
//! lists have no fields. `{"a.b": null}` matches where `a` is missing, null or a scalar, and for a list
//! only where some map in it lacks `b`.
//!
//! **Values.** Integers and floats compare by their exact value, strings by their UTF-8 bytes, maps
//! regardless of the order of their keys, bytes by length first. Lists and maps of one bracket compare
//! element by element in MongoDB's order of types: null, numbers, strings, maps, lists, bytes,
//! booleans.
//!
//! **Reserved fields** of a signed document: `_id`, `_author`, `_owner`, `_key`, `_created_at`
//! ([`Query::matches_document`]).
//!
//! A value holds no names with `$`: `{"a": {"b": {"$gt": 1}}}` and `{"a": {"$eq": {"$foo": 1}}}` are
//! errors, since they would match nothing that was meant. A field with such a name is reached by its path,
//! `"a.$foo"`. In JSON, the numbers of MongoDB's Extended JSON are read as numbers, and its other types
//! (`$date`, `$oid`, …) are errors: see [`taiinet_document::json`].
//!
//! **Regular expressions** give the answers of PCRE2 in UTF mode, which MongoDB has, as far as they can be
//! had in linear time. With the option `i`, or `(?i)`, characters are the same that Unicode's simple case
//! folding makes the same: `ß` and `ẞ`, `σ`, `ς` and `Σ`, `k` and the Kelvin sign, but not `ı` and `I`, nor
//! `ß` and `ss`. `\d`, `\w`, `\s`, `\b` and `[:alpha:]` know ASCII, whatever the options. `$` also stands
//! before a line's end that ends the text (`\z` does not); lines end with `\n`. There are:
//!
//! - characters, `.`, `\t` `\n` `\r` `\f` `\e` `\a` `\0`, `\xe9` `\x{e9}` (and JavaScript's `\u00e9`);
//! - `\d` `\w` `\s` `\h` `\v`, their opposites, `\N`; classes `[a-z\d[:punct:]]` and `[^…]`;
//! - `^` `$` `\A` `\z` `\Z` `\b` `\B`;
//! - `(…)`, `(?:…)`, `(?<name>…)`, `|`, comments `(?#…)`; `(?i)`, `(?-i)`, `(?i:…)`, and so for `m`, `s`, `x`;
//! - `*` `+` `?` `{2}` `{2,}` `{2,3}`, also lazy.
//!
//! What PCRE2 has beside these is an error that names it: look-around, back-references, recursion,
//! possessive counts, `\p{…}`, `\R`, `\Q…\E`, verbs.
//!
//! # Normal form
//! A query is kept in a normal form, and printed in it:
//!
//! ```
//! # use taiinet_query::Query;
//! let query: Query = r#"{"$or": [{"a": 2}, {"$and": [{"a": {"$in": [1.0]}}]}]}"#.parse()?;
//! assert_eq!(query.to_string(), r#"{"a":{"$in":[1,2]}}"#);
//! assert_eq!(query, r#"{"a": {"$not": {"$nin": [2, 1]}}}"#.parse()?);
//! # Ok::<(), taiinet_query::QueryError>(())
//! ```
//!
//! # Sorting and indexes
//! [`sort`] gives each document a place in an order, as bytes: a cursor. [`index_keys`] says under which
//! keys a document stands in an index of a path, [`Query::bounds`] between which keys all stand that a
//! query can match; what is found there is matched then:
//!
//! ```
//! # use taiinet_query::{Path, Query};
//! let query: Query = r#"{"likes": {"$gt": 4, "$lte": 9}}"#.parse()?;
//! let bounds = query.bounds(&"likes".parse::<Path>()?).expect("the query says something of likes");
//! assert_eq!(bounds.ranges().len(), 3); // from 4 to 9; lists, of several likes; and longer lists
//! assert!(query.bounds(&"name".parse::<Path>()?).is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Routing keys
//! A few bits of its values tell peers where a document may be wanted. [`Query::routing_keys`] gives a query its keys,
//! [`DocumentKeys`] a document what it has of them, and each document that a query matches stands under one of its
//! keys:
//!
//! ```
//! # use taiinet_document::{Timestamp, parse_map};
//! # use taiinet_identity::PeerId;
//! # use taiinet_query::{Attributes, DocumentKeys, Query, RoutingKey};
//! # let author = PeerId::from_bytes([7; 32]);
//! # let created_at = Timestamp::from_millis(1);
//! # let attributes = Attributes { id: None, author, owner: author, key: None, created_at };
//! let query: Query = r#"{"type": "tweet", "likes": {"$gte": 20, "$lt": 30}}"#.parse()?;
//! let keys = query.routing_keys();
//! let likes = |likes: i64| {
//!     let tweet = parse_map(&format!(r#"{{"type": "tweet", "likes": {likes}}}"#));
//!     Ok::<_, Box<dyn std::error::Error>>(DocumentKeys::of_fields(attributes, &tweet?))
//! };
//! assert!(keys.matches(&likes(25)?));
//! assert!(!keys.matches(&likes(90)?));
//!
//! let wider: Query = r#"{"type": "tweet"}"#.parse()?;
//! let wider = wider.routing_keys();
//! assert!(keys.iter().all(|key| wider.iter().any(|other| other.covers(key))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A key has one or two [`Term`]s, or none, for any document. A term is 8 bytes: a path's hash, a type, and the
//! first bits of a value's code: of a number a posit, so that they are a range of numbers, of all else a hash, which
//! is the same or not; or it says that there are several values. Equality makes a term, a range up to
//! [`limits::ROUTING_CELLS`]; where a document may fulfil two operators by two elements of a list, one more for
//! several values. `$and` takes the two most selective paths, each term of one with each of the other; `$or` the
//! keys of all its branches. Where that would be too many keys, there are fewer bits, then one term is left,
//! then none. A query that asks for plain values only may have [`limits::EQUALITY_KEYS`].
//!
//! What is most selective is a guess: first equality of `_id`, then of `_author`, `_owner` and `_key`, of texts,
//! of numbers; then ranges of numbers, the narrower before the wider; last booleans and types. Nothing is keyed that
//! a document without the field may fulfil (`null`, `$ne`, `$not`, `$exists`), nor by a path with a number in it:
//! documents cannot list what they do not have, nor list elements by their places.
//!
//! Whoever has a key can make it wider ([`RoutingKey::widened`]) and see what it covers
//! ([`RoutingKey::covers`]). A [`KeySet`] holds many in few bytes, and joins with others.
//!
//! # Strangers
//! Queries and documents come from strangers. [`limits`] bound a query; matching visits each value of a
//! document at most once for each clause and each name in its path, in recursion bounded by the query.
//! The most expensive clause is a regular expression: at most [`limits::REGEX_BYTES`] of states for each
//! character, [`limits::STRANGERS_REGEX_BYTES`] if the query is a stranger's ([`SharedQuery`]). Where many
//! strangers have queries evaluated, [`Query::matches_within`] does no more work than it has [`Fuel`] for,
//! and [`Query::heap_bytes`] says what keeping a query takes.
//!
//! ```
//! # use taiinet_query::Query;
//! let error = r#"{"$or": [{"a": 1}, {"age": {"$gtt": 18}}]}"#.parse::<Query>().unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "$or[1].age.$gtt: there is no operator `$gtt`; did you mean `$gt`?"
//! );
//! ```

mod ast;
mod bounds;
mod encoding;
mod error;
mod eval;
mod fuel;
mod heap;
mod index;
mod keys;
pub mod limits;
mod normal;
mod order;
mod parse;
mod path;
mod pattern;
mod query;
mod reserved;
mod routing;
mod shared;
pub mod sort;
mod subject;
#[cfg(test)]
mod testing;
mod text;
mod types;
mod walk;

pub use ast::Path;
pub use bounds::{Bounds, KeyRange};
pub use error::{Place, QueryError};
pub use fuel::{Fuel, OutOfFuel};
pub use index::{Index, Scratch};
pub use keys::{IndexKeys, index_keys};
pub use path::PathError;
pub use query::Query;
pub use routing::{DocumentKeys, KeySet, Pair, RoutingKey, RoutingKeys, Term};
pub use shared::SharedQuery;
pub use subject::Attributes;
