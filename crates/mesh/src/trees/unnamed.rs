//! Documents that no root has named yet.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use taiinet_document::DocumentId;

use crate::{Time, wire::IdPrefix};

/// Those that came in the last while, as many as there is room for: the oldest give way.
#[derive(Debug)]
pub(super) struct Unnamed {
    ids: BTreeMap<IdPrefix, DocumentId>,
    /// In the order in which they came; those that were named drop out at the front.
    order: VecDeque<(Time, IdPrefix)>,
    most: usize,
    lasts: Duration,
}

impl Unnamed {
    pub(super) const fn new(most: usize, lasts: Duration) -> Self {
        Self { ids: BTreeMap::new(), order: VecDeque::new(), most, lasts }
    }

    pub(super) fn insert(&mut self, id: DocumentId, now: Time) {
        let short = IdPrefix::from(&id);
        self.ids.insert(short, id);
        self.order.push_back((now, short));
        self.expire(now);
    }

    /// A root has named it. Which it is, if it is one of these.
    pub(super) fn take(&mut self, short: &IdPrefix) -> Option<DocumentId> {
        self.ids.remove(short)
    }

    /// All of them, the oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = DocumentId> {
        self.order.iter().filter_map(|(_, short)| self.ids.get(short).copied())
    }

    fn expire(&mut self, now: Time) {
        let stale = now.before(self.lasts);
        while let Some((at, short)) = self.order.front().copied()
            && (at <= stale || self.order.len() > self.most || !self.ids.contains_key(&short))
        {
            self.order.pop_front();
            self.ids.remove(&short);
        }
    }
}
