//! Roots that fell silent. Without these a root that is gone draws peers back again and again: each hears of it
//! from a neighbour that has not noticed yet.

use core::time::Duration;
use std::collections::VecDeque;

use taiinet_document::Timestamp;
use taiinet_identity::PeerId;

use crate::limits;

/// A root that fell silent is followed again only with a bulletin that is so much newer than its last one, and
/// twice as much each further time.
const BURIED_FOR: Duration = Duration::from_secs(2);
/// At most.
const BURIED_FOR_MOST: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
pub(super) struct Tombs(VecDeque<Tomb>);

#[derive(Debug)]
struct Tomb {
    root: PeerId,
    /// The bulletin with which it is followed again.
    newer_than: Timestamp,
    buried_for: Duration,
}

impl Tombs {
    /// A root is silent; this was the last of its bulletins.
    pub(super) fn bury(&mut self, root: PeerId, last: Timestamp) {
        let known = self.0.iter().position(|tomb| tomb.root == root);
        let buried_for = known
            .and_then(|at| self.0.remove(at))
            .map_or(BURIED_FOR, |tomb| tomb.buried_for.saturating_mul(2).min(BURIED_FOR_MOST));
        let millis = u64::try_from(buried_for.as_millis()).unwrap_or(u64::MAX);
        let newer_than = Timestamp::from_millis(last.as_millis().saturating_add(millis));
        self.0.push_back(Tomb { root, newer_than, buried_for });
        if self.0.len() > limits::TOMBS {
            self.0.pop_front();
        }
    }

    /// A root has been followed for long: what was before does not count any more.
    pub(super) fn forget(&mut self, root: &PeerId) {
        self.0.retain(|tomb| tomb.root != *root);
    }

    /// Whether a root that was silent has not said enough since.
    pub(super) fn holds(&self, root: &PeerId, issued_at: Timestamp) -> bool {
        self.0.iter().any(|tomb| tomb.root == *root && issued_at <= tomb.newer_than)
    }
}
