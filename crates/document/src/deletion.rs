//! What an author withdraws.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    DocumentError, DocumentId,
    few::{few, is_few},
    heap, limits,
};

/// What a deletion withdraws. It holds for documents that come after it as well as for those that came before.
///
/// A deletion is needed for as long as what it withdraws may come. So it expires when that does: its
/// [`expires_at`](crate::Document::expires_at) is the latest of its victims', and none if one of them has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// The document under this document's key: the deletion is its newest version, and there is none to show.
    Key,
    /// These documents of the same author, whether they have keys or not. Of others' documents it says nothing.
    Documents(DocumentIds),
}

/// One to [`limits::DELETED_DOCUMENTS`] documents, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentIds(Vec<DocumentId>);

impl DocumentIds {
    /// # Errors
    /// [`DocumentError::Victims`] for none, or too many.
    pub fn new(ids: impl IntoIterator<Item = DocumentId>) -> Result<Self, DocumentError> {
        let ids = few(ids, limits::DELETED_DOCUMENTS);
        ids.map(Self).map_err(|count| DocumentError::Victims { count })
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &DocumentId> {
        self.0.iter()
    }
}

impl Deletion {
    /// The documents that it names; none if its key says which.
    pub fn documents(&self) -> impl ExactSizeIterator<Item = &DocumentId> {
        match self {
            Self::Key => [].iter(),
            Self::Documents(DocumentIds(ids)) => ids.iter(),
        }
    }

    pub(crate) const fn heap_size(&self) -> usize {
        match self {
            Self::Key => 0,
            Self::Documents(DocumentIds(ids)) => {
                heap::block(ids.capacity() * size_of::<DocumentId>())
            }
        }
    }
}

/// The ids, none for [`Deletion::Key`].
impl Serialize for Deletion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.documents())
    }
}

impl<'de> Deserialize<'de> for Deletion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ids = Vec::<DocumentId>::deserialize(deserializer)?;
        if ids.is_empty() {
            return Ok(Self::Key);
        }
        if !is_few(&ids, limits::DELETED_DOCUMENTS) {
            return Err(de::Error::custom("the ids are too many, or not in order"));
        }
        Ok(Self::Documents(DocumentIds(ids)))
    }
}
