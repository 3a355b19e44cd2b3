//! Whether neighbours answer our searches. A neighbour that never answers would make each search last as long as a
//! search may.

use taiinet_identity::PeerId;

use crate::{Time, limits};

/// The scores of peers that have missed a search. They outlast the links, so that a new link is no fresh start.
#[derive(Debug, Default)]
pub(crate) struct Promptness {
    /// In the order in which they last missed a search.
    late: Vec<Late>,
}

#[derive(Debug)]
struct Late {
    peer: PeerId,
    /// See [`limits::LATE_AT`].
    score: u8,
    missed_at: Time,
    rests_until: Time,
}

impl Promptness {
    /// A page of a search has ended, for which this peer has given all that it was asked.
    pub(crate) fn answered(&mut self, peer: &PeerId) {
        let Some(late) = self.late.iter_mut().find(|late| late.peer == *peer) else { return };
        late.score = late.score.saturating_sub(1);
        self.late.retain(|late| late.score > 0);
    }

    /// A search has waited for it in vain. Whether it rests from now on.
    pub(crate) fn missed(&mut self, peer: PeerId, now: Time) -> bool {
        let known = self.late.iter().position(|late| late.peer == peer);
        let last = known.map(|at| self.late[at].missed_at);
        // Searches that wait at the same time miss the same.
        if last.is_some_and(|last| now < last.after(limits::FIND_TIMEOUT)) {
            return false;
        }
        let new = || Late { peer, score: 0, missed_at: now, rests_until: Time::default() };
        let mut late = known.map_or_else(new, |at| self.late.remove(at));
        late.missed_at = now;
        late.score = late.score.saturating_add(2).min(limits::LATE_AT);
        let rests = late.score == limits::LATE_AT;
        if rests {
            late.rests_until = now.after(limits::FIND_REST);
        }
        if self.late.len() >= limits::LATE_PEERS {
            self.late.remove(0);
        }
        self.late.push(late);
        rests
    }

    /// Whether it rests: it is asked only if no other of its kind is there.
    pub(crate) fn rests(&self, peer: &PeerId, now: Time) -> bool {
        self.late.iter().any(|late| late.peer == *peer && late.rests_until > now)
    }
}
