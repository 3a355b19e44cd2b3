//! The order of all documents.

use serde::{Deserialize, Serialize};

use crate::{DocumentId, Timestamp, VerifiedDocument};

/// A place in the order of all documents: by time, then by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// A document's time.
    pub created_at: Timestamp,
    /// Its id.
    pub id: DocumentId,
}

/// Before all documents of this time.
impl From<Timestamp> for Mark {
    fn from(created_at: Timestamp) -> Self {
        Self { created_at, id: DocumentId::from_bytes([0; 32]) }
    }
}

impl From<&VerifiedDocument> for Mark {
    fn from(document: &VerifiedDocument) -> Self {
        Self { created_at: document.created_at, id: document.id() }
    }
}
