//! What a desk remembers of its clients' offences.

use taiinet_mesh::{Reputation, Time, Verdict};

use super::Desk;
use crate::{ClientId, Refused};

impl Desk {
    /// Charges a client for what was refused, if it has proven who it is. At so many points the desk
    /// keeps it out for a while, over whatever connection; each time for longer.
    pub(super) fn charge(&mut self, id: ClientId, refused: Refused, now: Time) {
        let Some(misbehaviour) = refused.misbehaviour() else { return };
        let Some(presence) = self.clients.presence(id) else { return };
        let peer = presence.signer();
        if let Verdict::Blacklisted(_) = self.reputation.charge(peer, misbehaviour, now) {
            self.counters.blacklistings += 1;
        }
    }

    /// Forgives all; the operator's own lists are another thing.
    pub fn forgive(&mut self) {
        self.reputation = Reputation::default();
    }
}
