//! The bounds of a document, in one place.

/// The longest signed body of a document, in bytes.
pub const DOCUMENT_BYTES: usize = 256 * 1024;
/// How deep lists and maps may be nested; the content itself is depth 1.
pub const VALUE_DEPTH: usize = 32;
/// How many values a document holds at most: its content, each field of a map and each element of a
/// list count, at any depth. In memory a value may take a hundred times its bytes on the wire and
/// more; this bounds the decoded form.
pub const VALUES: usize = 16 * 1024;
/// The longest name of a network, in bytes of UTF-8.
pub const NETWORK_BYTES: usize = 64;
/// The longest `key` of a document, in bytes of UTF-8.
pub const KEY_BYTES: usize = 256;
/// How many peers a document is shared with by name, at most.
pub const WRITERS: usize = 64;
/// Of how many authors beside the owner the newest versions under one key are told apart: those whose are the newest.
pub const VERSION_AUTHORS: usize = 256;
/// How many documents one deletion names by their ids, at most.
pub const DELETED_DOCUMENTS: usize = 256;
/// The longest query that a [`crate::Subscription`] announces, in bytes of JSON.
pub const QUERY_BYTES: usize = 4096;
/// How many pieces one [`Inquiry`](crate::Inquiry) has at most.
pub const INQUIRY_PIECES: usize = 200;
/// A piece is cut into so many at most.
pub const HELD_PIECES: usize = 16;
/// How many ids are told of one piece at most.
pub const HELD_IDS: usize = 64;
