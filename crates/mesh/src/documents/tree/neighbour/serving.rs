//! What a neighbour asked us for.

use core::mem;
use std::collections::{BTreeMap, VecDeque};

use taiinet_document::DocumentId;

use crate::{Misbehaviour, limits, wire::DocumentFrame};

/// The requests of one neighbour.
#[derive(Debug, Default)]
pub(crate) struct Serving {
    /// What waits for room in its lane.
    requested: VecDeque<DocumentId>,
    /// How often each was requested.
    servings: BTreeMap<DocumentId, u8>,
    /// How many documents were announced to it and not requested yet: a peer that keeps the rules
    /// asks for no more.
    announced: u64,
    /// What it asked for and is not kept any more.
    gone: Vec<DocumentId>,
}

impl Serving {
    /// So many documents were announced to it.
    pub(crate) const fn announced(&mut self, count: usize) {
        self.announced = self.announced.saturating_add(count as u64);
    }

    /// It asks for a document that we have (`kept`) or had.
    ///
    /// # Errors
    /// [`Misbehaviour::RequestFlood`]
    pub(crate) fn request(&mut self, id: DocumentId, kept: bool) -> Result<(), Misbehaviour> {
        let left = self.announced.checked_sub(1).ok_or(Misbehaviour::RequestFlood)?;
        if self.requested.len() + self.gone.len() >= limits::REQUESTED_IDS {
            return Err(Misbehaviour::RequestFlood);
        }
        if self.servings.len() >= limits::SERVINGS_REMEMBERED {
            self.servings.clear();
        }
        let servings = self.servings.entry(id).or_insert(0);
        if *servings >= limits::SERVINGS {
            return Err(Misbehaviour::RequestFlood);
        }
        *servings += 1;
        self.announced = left;
        if kept {
            self.requested.push_back(id);
        } else {
            self.gone.push(id);
        }
        Ok(())
    }

    /// What it waits for.
    pub(crate) fn requested(&self) -> Option<DocumentId> {
        self.requested.front().copied()
    }

    /// It got that.
    pub(crate) fn served(&mut self) {
        self.requested.pop_front();
    }

    /// It does not get that: we do not have it any more.
    pub(crate) fn not_served(&mut self) {
        self.gone.extend(self.requested.pop_front());
    }

    /// What it is to be told of that.
    pub(crate) fn tell_gone(&mut self) -> Option<DocumentFrame> {
        (!self.gone.is_empty()).then(|| DocumentFrame::Gone(mem::take(&mut self.gone)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> DocumentId {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        DocumentId::from_bytes(bytes)
    }

    #[test]
    fn the_same_document_is_served_three_times_only() {
        let mut serving = Serving::default();
        serving.announced(10_000);
        for _ in 0..limits::SERVINGS {
            serving.request(id(1), true).expect("often enough");
            serving.served();
        }
        assert_eq!(serving.request(id(1), true), Err(Misbehaviour::RequestFlood));
        for number in 2..2 + limits::REQUESTED_IDS as u32 {
            serving.request(id(number), true).expect("so many at once");
        }
        assert_eq!(serving.request(id(9999), true), Err(Misbehaviour::RequestFlood));
    }

    #[test]
    fn nobody_is_served_more_than_was_announced_to_it() {
        let mut serving = Serving::default();
        assert_eq!(serving.request(id(1), true), Err(Misbehaviour::RequestFlood));
        serving.announced(2);
        serving.request(id(1), true).expect("announced");
        serving.request(id(2), false).expect("announced");
        assert_eq!(serving.request(id(3), true), Err(Misbehaviour::RequestFlood));
        assert_eq!(serving.tell_gone(), Some(DocumentFrame::Gone(vec![id(2)])));
        // What was evicted while it waited.
        serving.not_served();
        assert_eq!(serving.tell_gone(), Some(DocumentFrame::Gone(vec![id(1)])));
        assert_eq!((serving.tell_gone(), serving.requested()), (None, None));
    }
}
