//! What is sent over links, what they are charged with, and how they end.

use taiinet_document::Timestamp;
use taiinet_identity::PeerId;

use super::reputation::{BlacklistError, Verdict};
use crate::{
    Disconnect, Event, Lane, LinkId, Misbehaviour, Output,
    cx::Cx,
    limits,
    notice::{LinkDown, Notice},
    wire::{Frame, LinkFrame, RefusalReason},
};

impl Cx {
    /// Queues a control frame. A link that has no room for it does not keep up, and is closed.
    pub(crate) fn send(&mut self, link: LinkId, frame: impl Into<Frame>) {
        let Some(state) = self.links.get_mut(link) else { return };
        if state.lanes.control(&frame.into()) {
            self.links.touch(link);
        } else {
            self.close(link, Disconnect::Overloaded);
        }
    }

    /// Sends a frame that others want passed on, if there is a neighbour of this name that keeps up:
    /// it is not worth a link. Whether it was.
    pub(crate) fn pass_on(&mut self, peer: PeerId, frame: impl Into<Frame>) -> bool {
        let link = self.links.find(|link| link.peer == peer && link.takes_more());
        if let Some(link) = link {
            self.send(link, frame);
        }
        link.is_some()
    }

    /// Turns what waits on a link into messages. Whether there was something.
    pub(crate) fn transmit(&mut self, link: LinkId) -> bool {
        let Some(state) = self.links.get_mut(link) else { return false };
        let mut sent = false;
        let before = state.lanes.documents_sent();
        while let Some((lane, bytes)) = state.lanes.transmit() {
            let plain = bytes.len();
            // Only an end that was greeted has anything in its lanes, and there is a session for that.
            let Some(bytes) = state.protection.seal(bytes) else { break };
            state.lanes.carries(bytes.len() - plain);
            self.out.push_back(Output::Send { link, lane, bytes });
            sent = true;
        }
        if sent {
            state.speaks(self.now);
        }
        self.counters.sent += state.lanes.documents_sent() - before;
        sent
    }

    /// Charges a link for work that one of its frames makes, beyond what the frame itself costs. A debt
    /// keeps the frames that follow waiting.
    pub(crate) fn spend(&mut self, link: LinkId, units: u64) {
        self.links.spend(link, units, self.now);
    }

    /// Counts an offence, charges the peer if it was that for certain, and closes the link over what is fatal
    /// or too much.
    pub(crate) fn charge(&mut self, link: LinkId, misbehaviour: Misbehaviour) {
        let now = self.now;
        let Some(state) = self.links.get_mut(link) else {
            self.count(misbehaviour);
            self.notify(Notice::Offended { link, misbehaviour });
            return;
        };
        state.offences += 1;
        let intolerable = !state.budgets.tolerates(misbehaviour, now);
        // What is done in a name that was not proven is not held against it.
        let proven = state.is_proven().then_some(state.peer);
        self.reject(proven, misbehaviour);
        let mut closes = misbehaviour.is_fatal() || intolerable;
        let mut is_over = intolerable;
        if let Some(peer) = proven {
            if intolerable {
                self.reputation.rest(peer, now);
            }
            match self.reputation.charge(peer, misbehaviour, now) {
                Verdict::Noted => {}
                Verdict::Suspect => self.notify(Notice::Suspect(link)),
                Verdict::Blacklisted(listed) => {
                    (closes, is_over) = (true, true);
                    self.notify(Notice::Forget(peer));
                    self.event(Event::Blacklisted(listed));
                }
            }
        }
        if closes {
            self.close(link, Disconnect::Misbehaved(misbehaviour));
        }
        // A relayed link and a direct one to the same peer may stand beside each other for a moment.
        if let Some(peer) = proven.filter(|_| is_over) {
            for other in self.links.named(|other| other.peer == peer && other.is_proven()) {
                self.close(other, Disconnect::Misbehaved(misbehaviour));
            }
        }
        if intolerable && let Some(peer) = proven {
            self.notify(Notice::Rest { peer, wait: limits::USELESS_RESTS });
        }
    }

    /// Too much of what one peer signed came over a link. It is an offence if the peer is at its other
    /// end; a peer that merely passed it on is not to blame.
    pub(crate) fn blame_signer(
        &mut self,
        link: LinkId,
        signer: PeerId,
        misbehaviour: Misbehaviour,
    ) -> Result<(), Misbehaviour> {
        if self.links.peer(link) == Some(signer) {
            return Err(misbehaviour);
        }
        self.count(misbehaviour);
        Ok(())
    }

    /// Keeps a peer out from now on. Links to it are closed.
    pub(crate) fn blacklist(
        &mut self,
        peer: PeerId,
        until: Option<Timestamp>,
    ) -> Result<(), BlacklistError> {
        if peer == self.id() {
            return Err(BlacklistError::Ourselves);
        }
        self.reputation.list(peer, until, self.now)?;
        self.notify(Notice::Forget(peer));
        for link in self.links.named(|link| link.peer == peer) {
            self.refuse_because(link, RefusalReason::NotAdmitted, Disconnect::Blacklisted);
        }
        Ok(())
    }

    /// Closes a link.
    pub(crate) fn close(&mut self, link: LinkId, cause: Disconnect) {
        if self.links.get(link).is_some() {
            self.out.push_back(Output::Close { link });
            self.drop_link(link, cause);
        }
    }

    /// Closes a link with a last frame.
    pub(crate) fn close_saying(&mut self, link: LinkId, last: LinkFrame, cause: Disconnect) {
        let Some(state) = self.links.get_mut(link) else { return };
        if !state.is_dialling() {
            // What it sent and we have, it shall know to be taken.
            let acknowledgement = state.inbound.last_acknowledgement();
            let frames = acknowledgement.into_iter().chain([last]).map(Frame::from);
            if frames.into_iter().all(|frame| state.lanes.control(&frame)) {
                // A circuit has room for one message more than its window.
                let most = if state.relayed { 1 } else { usize::MAX };
                for bytes in state.lanes.last_words().into_iter().take(most) {
                    let Some(bytes) = state.protection.seal(bytes) else { break };
                    self.out.push_back(Output::Send { link, lane: Lane::Control, bytes });
                }
            }
        }
        self.close(link, cause);
    }

    /// Forgets a link, and tells every room.
    pub(crate) fn drop_link(&mut self, link: LinkId, cause: Disconnect) {
        let Some(state) = self.links.remove(link, self.now) else { return };
        self.view_changed = true;
        let (peer, active, incoming) = (state.peer, state.is_active(), state.incoming);
        // What went over this link and perhaps did not arrive, the other one makes good.
        let other = self.links.find(|other| other.peer == peer && other.is_active());
        let ids = state.lanes.untaken();
        if let Some(link) = other.filter(|_| active && !ids.is_empty()) {
            self.notify(Notice::Missing { link, ids });
        }
        self.notify(Notice::LinkDown(LinkDown {
            link,
            peer,
            session: state.session,
            incoming,
            relayed: state.relayed,
            extra: state.extra,
            active,
            // A peer that is not heard of after a wake may well be there, and we at another place.
            blameless: state.is_excused(self.now),
            cause: cause.clone(),
        }));
        if active {
            if other.is_none() {
                self.event(Event::PeerDisconnected { peer, cause });
            }
        } else if !incoming && cause != Disconnect::Local {
            self.event(Event::DialFailed { peer, cause });
        }
    }
}
