//! Documents of TaiiNet: what peers publish, sign, verify and carry.
//!
//! A [`Document`] is content with its network, times and options. Its author signs it into a
//! [`SignedDocument`], whose exact bytes travel the mesh and are never encoded again. A receiver
//! turns that into a [`VerifiedDocument`], the only form that is delivered to an application:
//!
//! ```text
//! sign:     Document ──VerifiedDocument::sign──▶ VerifiedDocument ──signed()──▶ SignedDocument
//! receive:  SignedDocument ──inspect()──▶ Inspected ──verify(key)──▶ VerifiedDocument
//!           (id() is known)               (decoded, limits hold)     (signature holds)
//! ```
//!
//! # On the wire
//! Everything is [postcard](https://postcard.jamesmunns.com/wire-format). A [`SignedDocument`] is
//!
//! | field | layout |
//! |---|---|
//! | author | 32 bytes |
//! | signature | 64 bytes: Ed25519 over `"taiinet/1 document" ‖ BLAKE3(body)` |
//! | body | length as varint (at most [`limits::DOCUMENT_BYTES`]), the bytes |
//!
//! and its body, the signed bytes, is a [`Document`]:
//!
//! | field | layout |
//! |---|---|
//! | network | a string (length as varint, UTF-8) of 1 to 64 bytes, no control characters |
//! | created_at | milliseconds since 1970 as varint |
//! | nonce | varint |
//! | expires_at | 0, or 1 and milliseconds as varint, later than created_at |
//! | key | 0; or a number and a string of at most 256 bytes: 1 alone, 2 for a key that anyone writes under beside its owner, 3 and 1 to 64 names of peers that do, ascending (their count as varint, 32 bytes each), 4 and the 32 bytes of the owner of the document that this is a version of |
//! | next_key | 0, or 1 and 32 bytes: [reserved](taiinet_identity::NextKey) |
//! | content | up to the end: 0 and the fields (as a map of [`Value`]), 1 for a [`Deletion`] and the ids of what it withdraws, ascending, at most 256 (their count as varint, 32 bytes each; none where the key says what), 2 and what is [`Sealed`], 3 and a [`Subscription`], or a number up to 127 and any bytes |
//!
//! A number that this version does not know is of a later one, and no fault: what is [unknown](UnknownContent)
//! is verified, kept and passed on like any other, and not delivered.
//!
//! One content has one encoding: names ascend, varints are as short as can be, nothing follows.
//! Other encodings are refused, and so are more than [`limits::VALUES`] values: what is decoded takes far
//! more room than the bytes. Documents are kept as [`VerifiedBytes`]. A document's name is
//! `BLAKE3(author ‖ BLAKE3(body))`, so that the body is hashed once for both name and signature.
//!
//! What is [`Sealed`] is a map of public fields and a [`taiinet_identity::Envelope`] that holds another;
//! only [`VerifiedDocument::open`] reads it, with a key that it was sealed to.
//!
//! [`json`] says how values are written as JSON.

mod content;
mod deletion;
mod document;
mod error;
mod few;
mod heap;
mod id;
pub mod json;
mod key;
pub mod limits;
mod mark;
mod network;
mod opened;
mod reconcile;
mod sealed;
mod signed;
mod subscription;
#[cfg(test)]
mod testing;
mod timestamp;
mod unknown;
mod value;
mod versions;

pub use content::Content;
pub use deletion::{Deletion, DocumentIds};
pub use document::Document;
pub use error::DocumentError;
pub use id::{DocumentId, DocumentIdError};
pub use json::{JsonError, parse_map, to_json_line};
pub use key::{Key, PeerSet, Sharing, Writers};
pub use mark::Mark;
pub use network::{Network, NetworkError};
pub use opened::{OpenError, Opened};
pub use reconcile::{Difference, Differences, Held, Inquiry, NoAnswer, Piece, ShortId, Stretch};
pub use sealed::{SealError, Sealed};
pub use signed::{Inspected, SignedDocument, VerifiedBytes, VerifiedDocument};
pub use subscription::Subscription;
pub use timestamp::Timestamp;
pub use unknown::UnknownContent;
pub use value::{Map, Value, ValueError};
pub use versions::{Before, Versions};
