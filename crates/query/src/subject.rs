//! A document as queries see it: its content, and the reserved fields.

use core::cell::OnceCell;

use taiinet_document::{Map, Value, VerifiedDocument};

use crate::{ast::Part, eval::Fields};

/// A verified document's fields. A reserved field hides one of the content with the same name; it is
/// made when a query first asks for it, and kept for the next query.
pub(crate) struct Subject<'a> {
    document: &'a VerifiedDocument,
    content: &'a Map,
    id: OnceCell<Value>,
    author: OnceCell<Value>,
    key: OnceCell<Option<Value>>,
    created_at: OnceCell<Value>,
}

impl<'a> Subject<'a> {
    /// `None` for a deletion, which has no fields and matches nothing.
    pub(crate) fn new(document: &'a VerifiedDocument) -> Option<Self> {
        Some(Self {
            document,
            content: document.content().fields()?,
            id: OnceCell::new(),
            author: OnceCell::new(),
            key: OnceCell::new(),
            created_at: OnceCell::new(),
        })
    }
}

impl Fields for Subject<'_> {
    fn get(&self, name: &Part) -> Option<&Value> {
        let document = self.document;
        match &*name.name {
            "_id" => Some(self.id.get_or_init(|| document.id().to_string().into())),
            "_author" => Some(self.author.get_or_init(|| document.author().to_string().into())),
            "_key" => self.key.get_or_init(|| document.key.clone().map(Value::String)).as_ref(),
            "_created_at" => Some(self.created_at.get_or_init(|| {
                Value::Int(i64::try_from(document.created_at.as_millis()).unwrap_or(i64::MAX))
            })),
            _ => Fields::get(self.content, name),
        }
    }
}
