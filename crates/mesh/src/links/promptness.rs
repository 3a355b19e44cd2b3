//! Whether neighbours answer what is looked for. One that does not would have each search of ours last as long as
//! a search may.

use std::collections::BTreeMap;

use taiinet_identity::PeerId;

use crate::{Time, limits};

/// How those peers answer that have let a search wait in vain; also after their links have ended.
#[derive(Debug, Default)]
pub(crate) struct Promptness {
    late: BTreeMap<PeerId, Late>,
}

#[derive(Debug)]
struct Late {
    /// Two for each search that it has missed, less one for each that it has not.
    score: u8,
    missed_at: Time,
    rests_until: Option<Time>,
}

impl Promptness {
    /// A page of a search ended, and nothing of this peer's was lacking.
    pub(crate) fn answered(&mut self, peer: &PeerId) {
        let Some(late) = self.late.get_mut(peer) else { return };
        late.score = late.score.saturating_sub(1);
        if late.score == 0 {
            self.late.remove(peer);
        }
    }

    /// A search has waited for it in vain. Whether it rests from now on.
    pub(crate) fn missed(&mut self, peer: PeerId, now: Time) -> bool {
        if self.late.len() >= limits::LATE_PEERS && !self.late.contains_key(&peer) {
            let first = self.late.iter().min_by_key(|(_, late)| late.missed_at);
            let Some(first) = first.map(|(peer, _)| *peer) else { return false };
            self.late.remove(&first);
        }
        let new = Late { score: 0, missed_at: Time::default(), rests_until: None };
        let late = self.late.entry(peer).or_insert(new);
        // Searches that wait at the same time miss the same.
        if late.score > 0 && now < late.missed_at.after(limits::FIND_TIMEOUT) {
            return false;
        }
        late.missed_at = now;
        late.score = late.score.saturating_add(2).min(limits::LATE_AT);
        let rests = late.score >= limits::LATE_AT;
        if rests {
            late.rests_until = Some(now.after(limits::FIND_REST));
        }
        rests
    }

    /// Whether it is asked only where nobody else is there.
    pub(crate) fn rests(&self, peer: &PeerId, now: Time) -> bool {
        let late = self.late.get(peer);
        late.and_then(|late| late.rests_until).is_some_and(|until| until > now)
    }
}
