//! Links through the front door: greeted, proven, admitted, refused.

use core::time::Duration;

use taiinet_document::Timestamp;
use taiinet_identity::Signature;

use super::Peer;
use crate::{
    ChannelBinding, Disconnect, Event, LinkId, Misbehaviour, Time,
    frame::{Frame, Hello, Neighbour, Presence, Refusal, RefusalReason, VERSION},
    limits,
    link::{Handshake, Link},
};

impl Peer {
    pub(super) fn link_up(&mut self, link: LinkId, binding: ChannelBinding, now: Time) {
        if let Some(knock) = self.signallers.opened(link, &mut self.rng, now) {
            self.tell(link, &knock, now);
            return;
        }
        let hello = Hello {
            version: VERSION,
            network: self.config.network.clone(),
            peer: self.identity.peer_id(),
            nonce: self.rng.nonce(),
        };
        let Some(state) = self.links.get_mut(&link) else { return };
        if let Some(hello) = state.opened(binding, hello, now) {
            self.control(link, &hello, now);
        }
    }

    pub(super) fn hello(
        &mut self,
        link: LinkId,
        hello: Hello,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        let Some(state) = self.links.get_mut(&link) else { return Ok(()) };
        let result = state.hello(hello, &self.identity, &self.config.network);
        if result == Err(Misbehaviour::WrongNetwork) {
            self.offence(link, Misbehaviour::WrongNetwork, now);
            self.refuse(link, RefusalReason::Network, now);
            return Ok(());
        }
        let (handshake, frames) = result?;
        if handshake == Handshake::OtherVersion {
            self.refuse(link, RefusalReason::Version, now);
        }
        for frame in frames {
            self.control(link, &frame, now);
        }
        Ok(())
    }

    pub(super) fn proof(
        &mut self,
        link: LinkId,
        proof: &Signature,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        let Some(state) = self.links.get_mut(&link) else { return Ok(()) };
        state.proof(proof)?;
        let (peer, incoming) = (state.peer, state.incoming);
        // A second link to the same peer: it would not have made it if the first still served.
        let older = self.other_link(link, |other| other.peer == peer && other.is_admitted());
        if !self.allows(&peer) {
            self.refuse(link, RefusalReason::NotAdmitted, now);
            return Ok(());
        }
        if older.is_some_and(|older| self.loses_glare(link, older, now)) {
            self.refuse(link, RefusalReason::AlreadyLinked, now);
            return Ok(());
        }
        self.seeds.proven(link, peer);
        if let Some(older) = older {
            self.close(older, None, Disconnect::Refused(RefusalReason::AlreadyLinked), now);
        }
        if !self.has_room(incoming, Link::is_admitted) {
            self.refuse(link, RefusalReason::Full, now);
            return Ok(());
        }
        let presence = self.own_presence(now);
        let since = self.cares_since(now);
        let neighbour = Neighbour {
            presence: Some(presence),
            since,
            digests: self.broadcast.recent.digests(since),
        };
        if let Some(state) = self.links.get_mut(&link) {
            state.admit(now);
            state.we_doze = self.dozing;
        }
        self.control(link, &Frame::Neighbour(neighbour), now);
        Ok(())
    }

    /// The other end takes us as a neighbour: the link is active.
    pub(super) fn neighbour(
        &mut self,
        link: LinkId,
        neighbour: Neighbour,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        if neighbour.digests.len() > limits::DIGESTS {
            return Err(Misbehaviour::Oversize);
        }
        let Some(state) = self.links.get_mut(&link) else { return Ok(()) };
        if !state.accepted()? {
            // We have refused it; the link is closing.
            return Ok(());
        }
        let (peer, session) = (state.peer, state.session);
        let fits = |body: &Presence| {
            body.network == self.config.network && crate::candidates::in_time(body, now)
        };
        if let Some(presence) = neighbour.presence
            && presence.signer() == peer
            && fits(&Presence::peek(&presence)?)
        {
            let presence = presence.verify().map_err(|_| Misbehaviour::InvalidSignature)?;
            if let Some(state) = self.links.get_mut(&link) {
                state.presence = Some(presence.clone());
            }
            self.learn_address(&presence, peer, now);
        }
        // A place among the dials is free.
        self.restless = true;
        self.signalling.end(session);
        self.candidates.succeeded(&peer);
        let mut missed = self.broadcast.recent.differing(neighbour.since, &neighbour.digests, now);
        missed.extend(self.directory.announcements(neighbour.since, now));
        let acts = self.broadcast.won(link, missed, now);
        self.act(acts, now);
        self.event(Event::PeerConnected { peer, link });
        if self.dozing {
            self.control(link, &Frame::Doze(true), now);
        }
        self.ask_newcomer(link, now);
        if self.config.direct.is_some() {
            // The whole pool is to be linked: who is in it is told at once.
            let presences = self.presences_for(&peer, now);
            self.control(link, &Frame::Shuffle(presences), now);
        }
        self.weigh_surplus(now);
        Ok(())
    }

    /// From when on we care for documents: from our start, as far as they are live.
    fn cares_since(&self, now: Time) -> Timestamp {
        let start = match self.config.direct {
            // What the others have said before counts for a new member of the pool.
            Some(_) => Time::default(),
            None => self.started.before(limits::START_MARGIN),
        };
        start.max(now.before(limits::LIVE_WINDOW)).timestamp()
    }

    pub(super) fn refused(
        &mut self,
        link: LinkId,
        refusal: Refusal,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        if refusal.instead.len() > limits::PRESENCES_PER_FRAME {
            return Err(Misbehaviour::Oversize);
        }
        let Some(state) = self.links.get(&link) else { return Ok(()) };
        let (peer, proven) = (state.peer, state.is_proven());
        if proven {
            self.hear(link, refusal.instead, now)?;
        }
        self.close(link, None, Disconnect::Refused(refusal.reason), now);
        let wait = Duration::from_millis(u64::from(refusal.retry_after_ms));
        self.candidates.rest(&peer, wait, now);
        Ok(())
    }

    pub(super) fn refuse(&mut self, link: LinkId, reason: RefusalReason, now: Time) {
        let Some(state) = self.links.get(&link) else { return };
        let (peer, proven) = (state.peer, state.is_proven());
        let instead = if proven {
            let mut instead = self.neighbour_presences(&peer, now);
            self.rng.sample(&mut instead, limits::PRESENCES_PER_FRAME / 2);
            instead
        } else {
            Vec::new()
        };
        let retry_after_ms = self.retry_after_ms();
        let refusal = Refusal { reason, retry_after_ms, instead };
        self.close(link, Some(Frame::Refuse(refusal)), Disconnect::Refused(reason), now);
    }

    /// When somebody that we have no room for may ask again.
    pub(super) fn retry_after_ms(&mut self) -> u32 {
        let wait = self.rng.jitter(limits::REFUSED_FOR);
        u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)
    }

    pub(super) fn other_link(&self, not: LinkId, wanted: impl Fn(&Link) -> bool) -> Option<LinkId> {
        self.links.values().find(|link| link.id != not && wanted(link)).map(|link| link.id)
    }

    /// Whether another link may become a neighbour, given those that `count`: never more than the
    /// maximum, and a share of them always links that we opened ourselves.
    pub(super) fn has_room(&self, incoming: bool, count: impl Fn(&Link) -> bool) -> bool {
        let all = self.links.values().filter(|link| count(link)).count();
        let strangers = self.links.values().filter(|link| count(link) && link.incoming).count();
        all < self.config.max_links && (!incoming || strangers < self.max_incoming())
    }

    pub(super) fn max_incoming(&self) -> usize {
        (self.config.max_links * limits::INCOMING_SHARE)
            .div_ceil(100)
            .clamp(1, self.config.max_links)
    }
}
