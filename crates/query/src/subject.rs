//! A document as queries see it: its content, and the reserved fields.

use core::cell::OnceCell;

use taiinet_document::{DocumentId, Map, Timestamp, Value, VerifiedDocument};
use taiinet_identity::PeerId;

use crate::{ast::Part, walk::Fields};

/// The fields of a document that are not in its content. None of them is ever a list.
pub(crate) const RESERVED: [&str; 5] = ["_id", "_author", "_owner", "_key", "_created_at"];

/// What the reserved fields of a document say.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a> {
    /// `_id`; none before the document is signed.
    pub id: Option<DocumentId>,
    /// `_author`
    pub author: PeerId,
    /// `_owner`: the peer whose document this is a version of; mostly the author.
    pub owner: PeerId,
    /// `_key`
    pub key: Option<&'a str>,
    /// `_created_at`
    pub created_at: Timestamp,
}

impl<'a> Attributes<'a> {
    /// Those of a document.
    pub fn of(document: &'a VerifiedDocument) -> Self {
        Self {
            id: Some(document.id()),
            author: document.author(),
            owner: document.owner(),
            key: document.key_name(),
            created_at: document.created_at,
        }
    }
}

/// A document's fields. A reserved field hides one of the content with the same name; it is
/// made when a query first asks for it, and kept for the next query.
pub(crate) struct Subject<'a> {
    attributes: Attributes<'a>,
    content: &'a Map,
    id: OnceCell<Option<Value>>,
    author: OnceCell<Value>,
    owner: OnceCell<Value>,
    key: OnceCell<Option<Value>>,
    created_at: OnceCell<Value>,
}

impl<'a> Subject<'a> {
    pub(crate) const fn new(attributes: Attributes<'a>, content: &'a Map) -> Self {
        Self {
            attributes,
            content,
            id: OnceCell::new(),
            author: OnceCell::new(),
            owner: OnceCell::new(),
            key: OnceCell::new(),
            created_at: OnceCell::new(),
        }
    }

    /// `None` for what has no fields and matches nothing: a deletion, a subscription, and content that only a
    /// later version can read.
    pub(crate) fn of(document: &'a VerifiedDocument) -> Option<Self> {
        Some(Self::new(Attributes::of(document), document.content().fields()?))
    }
}

impl Subject<'_> {
    /// What a reserved field says; `None` if there is nothing, or if the name is not reserved.
    pub(crate) fn reserved(&self, name: &str) -> Option<&Value> {
        let Attributes { id, author, owner, key, created_at } = self.attributes;
        match name {
            "_id" => self.id.get_or_init(|| id.map(|id| id.to_string().into())).as_ref(),
            "_author" => Some(self.author.get_or_init(|| author.to_string().into())),
            "_owner" => Some(self.owner.get_or_init(|| owner.to_string().into())),
            "_key" => self.key.get_or_init(|| key.map(Value::from)).as_ref(),
            "_created_at" => Some(self.created_at.get_or_init(|| {
                Value::Int(i64::try_from(created_at.as_millis()).unwrap_or(i64::MAX))
            })),
            _ => None,
        }
    }
}

impl Fields for Subject<'_> {
    fn get(&self, name: &Part) -> Option<&Value> {
        if RESERVED.contains(&&*name.name) {
            self.reserved(&name.name)
        } else {
            Fields::get(self.content, name)
        }
    }
}
