//! Frames of documents on their way: pushed, announced, asked for.

use serde::{Deserialize, Serialize};
use taiinet_document::{DocumentId, SignedDocument};
use taiinet_query::DocumentKeys;

use super::route::Way;

/// How documents pass from neighbour to neighbour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DocumentFrame {
    /// A document, pushed or requested.
    Push(Push),
    /// Documents I have verified and did not push to you.
    Have(Vec<DocumentId>),
    /// Send me these, which you announced.
    Graft(Vec<DocumentId>),
    /// Push to me what authors of these groups write, one bit for each, and announce the rest: until I
    /// say otherwise, all. An author's group is the first byte of its id modulo 64. An author pushes its
    /// own documents in any case.
    Feed(u64),
    /// I do not have these any more, which you asked me for.
    Gone(Vec<DocumentId>),
    /// A document on its way to those that want it.
    Routed(Routed),
}

/// A document on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// How many links it crossed before this one, as far as one can tell: a hint.
    pub hops: u8,
    /// The document as its author signed it.
    pub document: SignedDocument,
}

/// A document on its way to those that want it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routed {
    /// Why it is sent over this link.
    pub way: Way,
    /// How many links it crossed before this one, as far as one can tell: a hint.
    pub hops: u8,
    /// It goes to those as well that want this: what was said under its key before, which it replaces.
    pub also: Option<Box<DocumentKeys>>,
    /// The document as its author signed it.
    pub document: SignedDocument,
}
