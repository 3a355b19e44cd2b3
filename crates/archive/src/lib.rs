//! An archive of TaiiNet: documents that last, found again by queries.
//!
//! An [`Archive`] keeps the documents of one network that its queries match, on a [`Store`]: tables of bytes in a file
//! (`RedbStore`, with the feature `redb`) or in memory ([`MemoryStore`], which also runs in browsers). It has no clock,
//! no threads and no IO of its own but the store's; a driver beside it does the waiting.
//!
//! ```
//! use taiinet_archive::{Admission, Archive, Ask, Config, MemoryStore, Rest};
//! use taiinet_document::{Content, Document, Timestamp, VerifiedDocument, parse_map};
//! use taiinet_identity::{Identity, Seed};
//! use taiinet_query::{Query, sort::Sort};
//!
//! # let now = Timestamp::from_millis(1_800_000_000_000);
//! let mut config = Config::new("tweets".parse()?, vec![r#"{"type": "tweet"}"#.parse()?]);
//! config.indexed = vec!["likes".parse()?];
//! let mut archive = Archive::open(MemoryStore::new(), config)?;
//!
//! let identity = Identity::from_seed(&Seed::from_bytes([7; 32]));
//! let tweet = VerifiedDocument::sign(&identity, Document {
//!     network: "tweets".parse()?,
//!     created_at: now,
//!     nonce: 0,
//!     expires_at: None,
//!     key: None,
//!     next_key: None,
//!     content: Content::Open(parse_map(r#"{"type": "tweet", "likes": 5}"#)?),
//! })?;
//! assert_eq!(archive.admit(&tweet, now)?, Admission::Stored);
//! archive.commit()?; // from here on nothing takes it away but its author, its time, and want of room
//!
//! let ask = Ask {
//!     query: r#"{"likes": {"$gt": 4}}"#.parse()?,
//!     sort: "likes:desc".parse()?,
//!     since: None,
//!     until: None,
//!     after: None,
//!     limit: 20,
//!     bytes: 1 << 20,
//! };
//! let page = archive.find(&ask, 100_000_000, now)?;
//! assert_eq!(page.documents.len(), 1);
//! assert_eq!(page.rest, Rest::Finished);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//! - **What [`Archive::commit`] has returned for is kept** if the process is killed or the power fails at any moment.
//!   A full disk is an error: the archive can be read, takes nothing more, and goes on once there is room.
//! - **In whatever order documents come, what is found in the end is the same**, as long as there is room. The newest
//!   version under a key replaces the older ones ([`taiinet_document::Versions`]) for good: when it expires or is
//!   deleted, none of the older ones comes back. A deletion waits for what it deletes.
//! - **A deletion leaves when nothing can come any more that it is about**: when that has expired, or is older than
//!   what is taken ([`Config::max_backdate`], [`Config::keep`], [`Archive::floor`]). Where neither is so it stays, about
//!   300 bytes, in its author's share.
//! - **A page never claims to be all when it is not** ([`Rest`]), and pages do not shift: a cursor is a place in the
//!   order, not a number of documents.
//! - **Bounded**: what one search does by its budget, what waits for a commit by [`limits::WAITING_BYTES`], the rest by
//!   quotas. What leaves for want of room is not deleted; it raises a floor, so that it is not fetched again.
//!
//! Out of scope: transactions over several documents, joins, permissions.

mod admission;
mod admit;
mod archive;
mod check;
mod config;
mod entries;
mod error;
mod find;
mod layout;
mod leave;
pub mod limits;
mod lookup;
mod meta;
mod open;
mod reconcile;
mod record;
#[cfg(feature = "redb")]
mod salvage;
mod stats;
mod store;
mod stored;
mod tables;
mod usage;

pub use admission::{Admission, Refusal};
pub use archive::Archive;
pub use check::Report;
pub use config::Config;
pub use error::ArchiveError;
pub use find::{Ask, Page, Rest};
pub use lookup::Export;
pub use reconcile::{Answering, Pull, PullStep, Pulled, Unwanted};
#[cfg(feature = "redb")]
pub use salvage::Repaired;
pub use stats::Stats;
#[cfg(feature = "redb")]
pub use store::RedbStore;
pub use store::{
    Changes, Chunk, Direction, MemoryStore, Row, RowChanges, Rows, Span, Store, StoreError, Table,
};
