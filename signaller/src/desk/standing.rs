//! What a desk thinks of its clients.

use taiinet_mesh::{Misbehaviour, Reputation, Time, Verdict};

use super::{ClientId, Desk, Refused, client::Stage};

impl Refused {
    /// What it says of a client that has proven its name; nothing, if it may be without fault.
    const fn misbehaviour(self) -> Option<Misbehaviour> {
        match self {
            Self::Undecodable => Some(Misbehaviour::Undecodable),
            Self::OutOfTurn => Some(Misbehaviour::OutOfTurn),
            Self::Challenge | Self::Signature | Self::FalseName => {
                Some(Misbehaviour::InvalidSignature)
            }
            Self::Flood => Some(Misbehaviour::SignalFlood),
            _ => None,
        }
    }
}

impl Desk {
    /// Charges a client for what was refused, if it has proven who it is. At so much the desk has
    /// nothing to do with it for a while, over whatever connection; each time for longer.
    pub(super) fn charge(&mut self, id: ClientId, refused: Refused, now: Time) {
        let Some(misbehaviour) = refused.misbehaviour() else { return };
        let stage = self.clients.get(&id).map(|client| &client.stage);
        let Some(Stage::Joined { presence, .. }) = stage else { return };
        let peer = presence.signer();
        if let Verdict::Blacklisted(_) = self.reputation.charge(peer, misbehaviour, now) {
            self.counters.blacklistings += 1;
        }
    }

    /// Forgives everybody; the operator's own lists are another thing.
    pub fn forgive(&mut self) {
        self.reputation = Reputation::default();
    }
}
