//! Documents of TaiiNet: what peers publish, sign, verify and carry.
//!
//! A [`Document`] is content with its network, times and options. Its author signs it into a
//! [`SignedDocument`], whose exact bytes travel the mesh; a receiver turns that into a
//! [`VerifiedDocument`], the only form that is delivered to an application.

mod document;
mod json;
pub mod limits;
mod signed;
mod value;

pub use document::{Content, Document, Network, NetworkError, Timestamp};
pub use json::JsonError;
pub use signed::{DocumentError, DocumentId, SignedDocument, VerifiedDocument};
pub use value::{Map, Value, ValueError};
