//! The bounds of a query, in one place. Peers evaluate the queries of strangers against the
//! documents of strangers; these bounds keep that linear in both.

/// The longest query, as JSON text: the text that is parsed, and the normalised one.
pub const QUERY_BYTES: usize = taiinet_document::limits::QUERY_BYTES;
/// How deep queries are nested: the whole query is depth 1, and each `$and`, `$or`, `$nor`, `$not`
/// and `$elemMatch` puts its branches one deeper. (As JSON, a query nests no deeper than a document:
/// `taiinet_document::limits::VALUE_DEPTH`.)
pub const DEPTH: usize = 16;
/// The most clauses: one for each operator on a field (each member of `$all` and `$contains` is one),
/// and one for each empty query. The operators that join clauses are not counted, nor are the
/// members of `$in`, which are looked up, not tried.
pub const CLAUSES: usize = 128;
/// The most names in a path. No document is deeper (`taiinet_document::limits::VALUE_DEPTH`).
pub const PATH_PARTS: usize = 32;
/// The most regular expressions.
pub const REGEXES: usize = 16;
/// The largest total of a query's compiled regular expressions, for queries of one's own, in about the
/// bytes that they take: some 2,000 literal characters, or `.{0,280}` twice. Each character of a text
/// costs time at most proportional to it.
pub const REGEX_BYTES: usize = 64 * 1024;
/// The same for queries of strangers ([`SharedQuery`](crate::SharedQuery)): some 250 literal
/// characters. 1.6 s for a text of 256 KiB was the worst of the hostile expressions that were
/// measured, on a busy machine.
pub const STRANGERS_REGEX_BYTES: usize = 8 * 1024;
/// The most fields of a [`Sort`](crate::sort::Sort).
pub const SORT_FIELDS: usize = 4;
/// The longest [`Sort`](crate::sort::Sort), as text.
pub const SORT_BYTES: usize = 512;
/// So much of a value's [encoding](crate::sort#values) counts for its order: values that are alike so
/// far sort as if they were equal, and have one key in an index.
pub const SORT_VALUE_BYTES: usize = 96;
/// The shortest [`Place`](crate::sort::Place): a time and the name of a document.
pub const PLACE_BYTES_LEAST: usize = 8 + 32;
/// The longest [`Place`](crate::sort::Place): values to sort by, and what the shortest has.
pub const PLACE_BYTES: usize = SORT_FIELDS * SORT_VALUE_BYTES + PLACE_BYTES_LEAST;
/// The most keys that one document has in the index of one path ([`IndexKeys`](crate::IndexKeys)).
pub const INDEX_KEYS: usize = 32;
/// The most ranges of keys that a query is looked up by ([`Bounds`](crate::Bounds)).
pub const BOUNDS: usize = 64;
/// The most [`RoutingKey`](crate::RoutingKey)s of a query that asks for ranges or types.
pub const ROUTING_KEYS: usize = 8;
/// The most of one that asks for single values only: whoever follows 50 authors has a key for each. Of more
/// values only the type is left, of numbers a range.
pub const EQUALITY_KEYS: usize = 64;
/// The most terms that stand for what a query asks of one path by ranges.
pub const ROUTING_CELLS: usize = 4;
/// The most values of a document that are kept ([`DocumentKeys`](crate::DocumentKeys)).
pub const DOCUMENT_VALUES: usize = 256;
/// The longest [`KeySet`](crate::KeySet) on the wire, in bytes.
pub const KEY_SET_BYTES: usize = 3 * 1024;
/// The most keys that a [`KeySet`](crate::KeySet) holds.
pub const KEY_SET_KEYS: usize = 8 * 1024;
