//! What happens to a live result set, and what it is.

use std::sync::Arc;

use taiinet_document::DocumentId;
use taiinet_session::{LiveState, Removal};

use crate::delivery::Delivery;

/// What happens to a [`Live`](crate::Live) result set. Applied one after the other to a plain list that is empty in the
/// beginning, the events make it the set.
///
/// ```
/// # use taiinet::{Delivery, LiveEvent};
/// fn apply(list: &mut Vec<Delivery>, event: LiveEvent) {
///     match event {
///         LiveEvent::Insert { index, document } => list.insert(index, document),
///         LiveEvent::Update { from, to, document } => {
///             list.remove(from);
///             list.insert(to, document);
///         }
///         LiveEvent::Remove { index, .. } => drop(list.remove(index)),
///         _ => {}
///     }
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum LiveEvent {
    /// A document is new in it.
    Insert {
        /// Where it stands from now on; those from there on move one further.
        index: usize,
        /// The document.
        document: Delivery,
    },
    /// A new version takes the place of another one.
    Update {
        /// Where the older version stands, which is taken out.
        from: usize,
        /// Where the new one is put in then; often the same place.
        to: usize,
        /// The new version; [`Delivery::replaces`] is the older one.
        document: Delivery,
    },
    /// A document is in it no more.
    Remove {
        /// Where it stands; those behind it move one up.
        index: usize,
        /// The document.
        id: DocumentId,
        /// Why it is gone; [`Removal::Outranked`] if others come before it.
        reason: Removal,
    },
    /// What is known of the whole is something else.
    State(LiveState),
}

/// A live result set at a moment. Cheap to clone.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LiveSnapshot {
    /// The documents, in order.
    pub documents: Arc<Vec<Delivery>>,
    /// What is known of the whole.
    pub state: LiveState,
}
