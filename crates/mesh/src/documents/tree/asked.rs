//! Which neighbour was asked for which document, so that each is asked of one at a time.

use core::time::Duration;
use std::collections::BTreeMap;

use taiinet_document::DocumentId;

use crate::{LinkId, Time, limits};

/// A document that was asked of a neighbour from which nothing comes is asked of another after so long at
/// the earliest.
const HOLD_BACK_LEAST: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct Asked {
    of: BTreeMap<DocumentId, (LinkId, Time)>,
    /// When each neighbour that was asked for something last sent something of it.
    heard: BTreeMap<LinkId, Time>,
    /// How long the neighbour that was asked may be silent.
    silence: Duration,
}

impl Default for Asked {
    fn default() -> Self {
        Self { of: BTreeMap::new(), heard: BTreeMap::new(), silence: HOLD_BACK_LEAST }
    }
}

impl Asked {
    pub(super) fn insert(&mut self, id: DocumentId, link: LinkId, now: Time) {
        self.of.insert(id, (link, now));
    }

    /// It came, or will not.
    pub(super) fn remove(&mut self, id: &DocumentId) {
        self.of.remove(id);
    }

    /// It will not come from this one; meanwhile another may have been asked. Whether none was.
    pub(super) fn remove_of(&mut self, link: LinkId, id: &DocumentId) -> bool {
        let its = self.of.get(id).is_some_and(|(asked, _)| *asked == link);
        if its {
            self.of.remove(id);
        }
        its
    }

    /// Nothing comes from this one any more. Gives what it was asked for.
    pub(super) fn remove_all_of(&mut self, link: LinkId) -> Vec<DocumentId> {
        let its = self.of.iter().filter(|(_, (asked, _))| *asked == link);
        let its: Vec<DocumentId> = its.map(|(id, _)| *id).collect();
        for id in &its {
            self.of.remove(id);
        }
        its
    }

    /// Takes note of when each neighbour was heard, and how long after an announcement pushes come.
    pub(super) fn note_heard(
        &mut self,
        heard: impl Iterator<Item = (LinkId, Time)>,
        wait: Duration,
    ) {
        self.heard = heard.collect();
        self.silence = (wait * 4).max(HOLD_BACK_LEAST);
    }

    /// Until when this document is not asked of another.
    pub(super) fn held_until(&self, id: &DocumentId) -> Option<Time> {
        let (link, at) = self.of.get(id).copied()?;
        let heard = self.heard.get(&link).map_or(at, |heard| at.max(*heard));
        Some(heard.after(self.silence).min(at.after(limits::HOLD_BACK)))
    }
}
