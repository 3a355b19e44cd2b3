//! Whether neighbours answer what is looked for. One that does not would have each search of ours last as long as
//! a search may.

use taiinet_identity::PeerId;

use crate::{Time, limits};

/// How those peers answer that have let a search wait in vain; also after their links have ended.
#[derive(Debug, Default)]
pub(crate) struct Promptness {
    /// The one that missed a search last is the last.
    late: Vec<Late>,
}

#[derive(Debug, Clone)]
struct Late {
    peer: PeerId,
    /// Two for each search that it has missed, less one for each that it has not.
    score: u8,
    missed_at: Time,
    rests_until: Time,
}

impl Promptness {
    /// A page of a search ended, and nothing of this peer's was lacking.
    pub(crate) fn answered(&mut self, peer: &PeerId) {
        let Some(late) = self.late.iter_mut().find(|late| late.peer == *peer) else { return };
        late.score = late.score.saturating_sub(1);
        self.late.retain(|late| late.score > 0);
    }

    /// A search has waited for it in vain. Whether it rests from now on.
    pub(crate) fn missed(&mut self, peer: PeerId, now: Time) -> bool {
        let known = self.late.iter().position(|late| late.peer == peer);
        let before = known.map(|at| self.late.remove(at));
        let mut late = match before {
            // Searches that wait at the same time miss the same.
            Some(late) if now < late.missed_at.after(limits::FIND_TIMEOUT) => {
                self.late.push(late);
                return false;
            }
            Some(late) => late,
            None => Late { peer, score: 0, missed_at: now, rests_until: Time::default() },
        };
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

    /// Whether it is asked only where nobody else is there.
    pub(crate) fn rests(&self, peer: &PeerId, now: Time) -> bool {
        self.late.iter().any(|late| late.peer == *peer && late.rests_until > now)
    }
}
