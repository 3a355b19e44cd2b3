//! What follows from offences, through the front door.

use taiinet_document::Timestamp;
use taiinet_identity::PeerId;

use super::Peer;
use crate::{
    BlacklistError, Blacklisted, Disconnect, Event, LinkId, Misbehaviour, Output, Time,
    frame::RefusalReason, limits, reputation::Verdict,
};

impl Peer {
    /// Has nothing to do with a peer any more ([`Blacklisted`]), until then or for ever. Links to it are
    /// closed.
    ///
    /// # Errors
    /// [`BlacklistError`]
    pub fn blacklist(
        &mut self,
        peer: PeerId,
        until: Option<Timestamp>,
        now: Time,
    ) -> Result<(), BlacklistError> {
        if peer == self.identity.peer_id() {
            return Err(BlacklistError::Ourselves);
        }
        self.reputation.list(peer, until, now)?;
        self.candidates.forget(&peer);
        let links: Vec<LinkId> =
            self.links.values().filter(|link| link.peer == peer).map(|link| link.id).collect();
        for link in links {
            self.refuse_with(link, RefusalReason::NotAdmitted, Disconnect::Blacklisted, now);
        }
        self.seek(now);
        self.hurry(now);
        Ok(())
    }

    /// Forgives a peer whatever it did. Whether it was blacklisted.
    pub fn lift(&mut self, peer: &PeerId, now: Time) -> bool {
        self.reputation.lift(peer, now)
    }

    /// Who is blacklisted, and who was and is remembered for it: for [`crate::Config::blacklist`] in the
    /// next run.
    pub fn blacklist_to_keep(&self, now: Time) -> Vec<Blacklisted> {
        self.reputation.to_keep(now)
    }

    /// Counts an offence, charges whoever it was for certain, and closes the link over what is fatal
    /// or too much.
    pub(super) fn offence(&mut self, link: LinkId, misbehaviour: Misbehaviour, now: Time) {
        *self.counters.rejected.entry(misbehaviour).or_default() += 1;
        let Some(state) = self.links.get_mut(&link) else { return };
        state.offences += 1;
        let impatient = !state.patience.take(misbehaviour.strain(), now);
        // What is done in a name that was not proven is not held against it.
        let proven = state.is_proven().then_some(state.peer);
        self.outputs.push_back(Output::Event(Event::Rejected { peer: proven, misbehaviour }));
        let mut closes = misbehaviour.is_fatal() || impatient;
        if let Some(peer) = proven {
            if impatient {
                self.reputation.rest(peer, now);
            }
            match self.reputation.charge(peer, misbehaviour, now) {
                Verdict::Noted => {}
                Verdict::Suspect => {
                    if let Some(prune) = self.broadcast.distrust(link, now) {
                        self.control(link, &prune, now);
                    }
                }
                Verdict::Blacklisted(listed) => {
                    closes = true;
                    self.candidates.forget(&peer);
                    self.event(Event::Blacklisted(listed));
                }
            }
        }
        if closes {
            self.close(link, None, Disconnect::Misbehaved(misbehaviour), now);
        }
        if impatient && let Some(peer) = proven {
            self.candidates.rest(&peer, limits::USELESS_RESTS, now);
        }
    }

    /// Too much of what one peer signed came over a link. It is an offence if the peer is at its other
    /// end; whoever merely passed it on is not to blame.
    pub(super) fn blame_signer(
        &mut self,
        link: LinkId,
        signer: PeerId,
        misbehaviour: Misbehaviour,
    ) -> Result<(), Misbehaviour> {
        if self.links.get(&link).is_some_and(|link| link.peer == signer) {
            return Err(misbehaviour);
        }
        *self.counters.rejected.entry(misbehaviour).or_default() += 1;
        Ok(())
    }

    /// Whether a neighbour may send another shuffle or comparison.
    pub(super) fn may_exchange(&mut self, link: LinkId, now: Time) -> Result<(), Misbehaviour> {
        let Some(state) = self.links.get_mut(&link) else { return Ok(()) };
        if state.exchanges.take(1, now) { Ok(()) } else { Err(Misbehaviour::ExchangeFlood) }
    }

    /// Whether we want a link to this peer at all.
    pub(super) fn is_welcome(&self, peer: &PeerId, now: Time) -> bool {
        !self.reputation.is_blacklisted(peer, now) && !self.reputation.is_resting(peer, now)
    }
}
