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

/// Of how many of our documents another archive is told at once, to find out what is lacking.
pub const WINDOW_DOCUMENTS: usize = 65_536;
/// Into how many pieces documents are cut.
pub const PIECES: usize = taiinet_document::limits::HELD_PIECES;
/// How many ids are told instead of smaller pieces.
pub const HELD_IDS: usize = taiinet_document::limits::HELD_IDS;
/// How many rows are read at most to answer another archive: twice as many as for one that has the same.
pub const INQUIRY_LOOKS: usize = 2 * WINDOW_DOCUMENTS;
/// How many bytes an answer has, about, and at most a piece's ids more.
pub const DIFFERENCES_BYTES: usize = 48 * 1024;
/// How many documents another archive is asked for at once.
pub const WANTED_IDS: usize = 256;
/// How many parts of a window wait at most until the other is asked about them.
pub const PULL_PARTS: usize = 4096;
/// How many questions another archive is asked that do not help; each document that is new allows one more.
pub const PATIENCE: u32 = 1024;
/// And how many more for each window: enough to find out that we have more.
pub const PATIENCE_PER_WINDOW: u32 = 64;
/// After so many questions and no document that was new it was not worth it.
pub const FRUITLESS_QUESTIONS: u32 = 8;
/// Of how many documents that another archive has it is remembered that they are not wanted, 22 bytes each: the newest.
/// When [`WANTED_IDS`] more have come it is asked no more for this time.
pub const UNWANTED: usize = 16 * 1024;
