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
