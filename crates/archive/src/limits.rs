//! The bounds of an archive, in one place.

/// The most fields that an archive has indexes of.
pub const INDEXED: usize = 16;
/// How far a document's time may be ahead of ours, in milliseconds.
pub const SKEW_MILLIS: u64 = 2 * 60 * 1000;
/// How many bytes of changes may wait for a commit; after that nothing is admitted until there was one.
pub const WAITING_BYTES: usize = 64 * 1024 * 1024;
/// The most documents of one page.
pub const PAGE_DOCUMENTS: usize = 1024;
/// How many documents leave at most, for want of room, when one comes.
pub const EVICTIONS: usize = 256;
/// How many faults [`Archive::check`](crate::Archive::check) tells one by one.
pub const FAULTS: usize = 100;
