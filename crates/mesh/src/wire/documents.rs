//! Frames of documents on their way: pushed, announced, asked for.

use serde::{Deserialize, Serialize};
use taiinet_document::{DocumentId, SignedDocument};

/// How documents pass from neighbour to neighbour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DocumentFrame {
    /// A document, pushed or requested.
    Push(Push),
    /// Documents I have verified and did not push to you.
    Have(Vec<DocumentId>),
    /// Send me these, and push to me what comes.
    Graft(Vec<DocumentId>),
    /// I get these documents from another neighbour sooner: announce instead of pushing.
    Prune,
}

/// A document on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// How many links it crossed before this one, as far as anybody can tell: a hint.
    pub hops: u8,
    /// The document as its author signed it.
    pub document: SignedDocument,
}
