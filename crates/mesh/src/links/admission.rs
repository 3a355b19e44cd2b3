//! The frames of a link itself: greeted, proven, admitted, refused, alive.

use core::time::Duration;

use taiinet_identity::{PeerId, Signature};

use super::link::{Handshake, Link};
use crate::{
    ChannelBinding, Disconnect, Event, Incompatible, LinkId, Misbehaviour,
    cx::Cx,
    limits,
    membership::Source,
    notice::{NeighbourUp, Notice},
    wire::{Features, Frame, Hello, LinkFrame, Neighbour, Presence, Refusal, RefusalReason},
};

/// From which stage of a link on a frame counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Proof,
    Neighbour,
}

const fn needs(frame: &Frame) -> Needs {
    match frame {
        Frame::Link(
            LinkFrame::Hello(_) | LinkFrame::Proof(_) | LinkFrame::Refuse(_) | LinkFrame::Bye,
        ) => Needs::Nothing,
        Frame::Link(LinkFrame::Neighbour(_) | LinkFrame::Ping(_) | LinkFrame::Pong(_)) => {
            Needs::Proof
        }
        Frame::Link(LinkFrame::Ack(_) | LinkFrame::Doze(_))
        | Frame::Fragment(_)
        | Frame::View(_)
        | Frame::Signal(_)
        | Frame::Documents(_)
        | Frame::Sync(_)
        | Frame::Find(_)
        | Frame::Pool(_)
        | Frame::Tree(_)
        | Frame::Route(_)
        | Frame::Supply(_) => Needs::Neighbour,
    }
}

impl Cx {
    /// Whether a frame counts on this link now.
    ///
    /// # Errors
    /// [`Misbehaviour::Unproven`], [`Misbehaviour::OutOfTurn`].
    pub(crate) fn check_turn(&self, link: LinkId, frame: &Frame) -> Result<(), Misbehaviour> {
        let Some(state) = self.links.get(link) else { return Ok(()) };
        match needs(frame) {
            Needs::Nothing => Ok(()),
            Needs::Proof | Needs::Neighbour if !state.is_proven() => Err(Misbehaviour::Unproven),
            Needs::Neighbour if !state.is_active() => Err(Misbehaviour::OutOfTurn),
            Needs::Proof | Needs::Neighbour => Ok(()),
        }
    }

    /// A frame about the link.
    pub(crate) fn link_frame(
        &mut self,
        link: LinkId,
        frame: LinkFrame,
    ) -> Result<(), Misbehaviour> {
        match frame {
            LinkFrame::Hello(hello) => return self.hello(link, hello),
            LinkFrame::Proof(proof) => return self.proof(link, &proof),
            LinkFrame::Neighbour(neighbour) => return self.neighbour(link, neighbour),
            LinkFrame::Refuse(refusal) => return self.refused(link, refusal),
            LinkFrame::Bye => self.bye(link),
            LinkFrame::Ping(number) => self.send(link, LinkFrame::Pong(number)),
            LinkFrame::Pong(number) => {
                if let Some(state) = self.links.get_mut(link) {
                    state.pong(number, self.now);
                }
            }
            LinkFrame::Ack(bytes) => return self.acknowledged(link, bytes),
            LinkFrame::Doze(dozing) => return self.neighbour_dozes(link, dozing),
        }
        Ok(())
    }

    /// The channel of a link is open.
    pub(crate) fn greet(&mut self, link: LinkId, binding: ChannelBinding) {
        let mut hello = Hello::new(self.config.network.clone(), self.id(), self.rng.nonce());
        if self.config.archive.is_some() {
            hello.features = hello.features.and(Features::ARCHIVE);
        }
        if !self.topology.is_full() {
            hello.features = hello.features.and(Features::TREES);
        }
        let Some(state) = self.links.get_mut(link) else { return };
        if let Some(hello) = state.opened(binding, hello, self.now) {
            self.send(link, hello);
        }
    }

    fn hello(&mut self, link: LinkId, hello: Hello) -> Result<(), Misbehaviour> {
        let Some(state) = self.links.get_mut(link) else { return Ok(()) };
        let (handshake, frames) = state.hello(hello, &self.identity, &self.config.network)?;
        if let Handshake::Incompatible(why) = handshake {
            self.incompatible(link, why);
        }
        for frame in frames {
            self.send(link, frame);
        }
        Ok(())
    }

    fn proof(&mut self, link: LinkId, proof: &Signature) -> Result<(), Misbehaviour> {
        let Some(state) = self.links.get_mut(link) else { return Ok(()) };
        state.proof(proof)?;
        let (peer, incoming, relayed, extra) =
            (state.peer, state.incoming, state.relayed, state.extra);
        if !self.topology.allows(&peer) || !self.is_welcome(&peer) {
            self.refuse(link, RefusalReason::NotAdmitted);
            return Ok(());
        }
        // A second link to the same peer: it would not have made it if the first still served.
        // One that is relayed goes when the direct one has come to be of use, at both ends.
        let second = |other: &Link| {
            other.id != link
                && other.peer == peer
                && other.is_admitted()
                && (relayed || !other.extra)
        };
        let older = self.links.find(second);
        if older.is_some_and(|older| self.loses_glare(link, older)) {
            self.refuse(link, RefusalReason::AlreadyLinked);
            return Ok(());
        }
        self.notify(Notice::Proven { link, peer });
        if let Some(older) = older {
            self.close(older, Disconnect::Refused(RefusalReason::AlreadyLinked));
        }
        let has_room = if extra {
            self.has_room_for_extra(incoming, peer)
        } else {
            self.has_room(incoming, Link::is_admitted)
        };
        if !has_room {
            self.refuse(link, RefusalReason::Full);
            return Ok(());
        }
        // What else is in this message would be dealt with at once.
        if !self.links.settle(link, self.now) {
            self.refuse(link, RefusalReason::TooOften);
            return Ok(());
        }
        let presence = Some(self.own_presence());
        let since = self.cares_since();
        let neighbour = Neighbour { presence, since };
        if let Some(state) = self.links.get_mut(link) {
            state.admit(self.now);
            state.set_we_doze(self.dozing, self.now);
        }
        self.send(link, LinkFrame::Neighbour(neighbour));
        Ok(())
    }

    /// The other end takes us as a neighbour: the link is active.
    fn neighbour(&mut self, link: LinkId, neighbour: Neighbour) -> Result<(), Misbehaviour> {
        let Some(state) = self.links.get_mut(link) else { return Ok(()) };
        if !state.accepted()? {
            // We have refused it; the link is closing.
            return Ok(());
        }
        let (peer, session) = (state.peer, state.session);
        let fits =
            |body: &Presence| body.network == self.config.network && body.is_in_time(self.now);
        if let Some(presence) = neighbour.presence
            && presence.signer() == peer
            && fits(&Presence::peek(&presence)?)
        {
            let presence = presence.verify().map_err(|_| Misbehaviour::InvalidSignature)?;
            if let Some(state) = self.links.get_mut(link) {
                state.presence = Some(presence);
            }
        }
        // A place among the dials is free.
        self.view_changed = true;
        if !self
            .links
            .iter()
            .any(|other| other.id != link && other.peer == peer && other.is_active())
        {
            self.event(Event::PeerConnected { peer, link });
        }
        if self.dozing {
            self.send(link, LinkFrame::Doze(true));
        }
        let since = neighbour.since;
        self.notify(Notice::NeighbourUp(NeighbourUp { link, peer, session, since }));
        Ok(())
    }

    fn bye(&mut self, link: LinkId) {
        let Some(state) = self.links.get(link) else { return };
        if state.is_proven() {
            let peer = state.peer;
            self.notify(Notice::Forget(peer));
        }
        self.close(link, Disconnect::Bye);
    }

    fn refused(&mut self, link: LinkId, refusal: Refusal) -> Result<(), Misbehaviour> {
        let Refusal { reason, retry_after_ms, instead } = refusal;
        if instead.len() > limits::PRESENCES_PER_FRAME {
            return Err(Misbehaviour::Oversize);
        }
        let Some(state) = self.links.get(link) else { return Ok(()) };
        let (peer, proven) = (state.peer, state.is_proven());
        if proven {
            let source = Source::of(state, &self.topology);
            self.notify(Notice::Heard { via: link, source, presences: instead });
        }
        self.close(link, Disconnect::Refused(reason));
        self.notify(Notice::Rest { peer, wait: Duration::from_millis(retry_after_ms.into()) });
        Ok(())
    }

    pub(crate) fn refuse(&mut self, link: LinkId, reason: RefusalReason) {
        self.refuse_because(link, reason, Disconnect::Refused(reason));
    }

    /// Refuses; `cause` is what we tell ourselves.
    pub(crate) fn refuse_because(
        &mut self,
        link: LinkId,
        reason: RefusalReason,
        cause: Disconnect,
    ) {
        let Some(state) = self.links.get(link) else { return };
        let (peer, proven) = (state.peer, state.is_proven());
        let mut instead = Vec::new();
        if proven {
            instead = self.links.presences(&peer, self.now);
            self.rng.sample(&mut instead, limits::PRESENCES_PER_FRAME / 2);
        }
        let refusal = Refusal { reason, retry_after_ms: self.retry_after_ms(), instead };
        self.close_saying(link, LinkFrame::Refuse(refusal), cause);
    }

    /// The two ends cannot be neighbours, and neither is to blame.
    pub(crate) fn incompatible(&mut self, link: LinkId, why: Incompatible) {
        let reason = match why {
            Incompatible::Version { .. } | Incompatible::Frame(_) => RefusalReason::Version,
            Incompatible::Network => RefusalReason::Network,
        };
        self.refuse_because(link, reason, Disconnect::Incompatible(why));
    }

    /// When a peer that we have no room for may ask again.
    pub(crate) fn retry_after_ms(&mut self) -> u32 {
        let wait = self.rng.jitter(limits::REFUSED_FOR);
        u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)
    }

    fn acknowledged(&mut self, link: LinkId, bytes: u32) -> Result<(), Misbehaviour> {
        let Some(state) = self.links.get_mut(link) else { return Ok(()) };
        let taken = state.lanes.acknowledged(bytes)?;
        self.links.touch(link);
        self.notify(Notice::Taken(taken));
        Ok(())
    }

    /// Whether we want a link to this peer at all.
    fn is_welcome(&self, peer: &PeerId) -> bool {
        !self.reputation.is_blacklisted(peer, self.now)
            && !self.reputation.is_resting(peer, self.now)
    }

    /// Of two links to one peer: whether the new one is to go. Where both ends dial at once, both
    /// must choose alike.
    fn loses_glare(&self, new: LinkId, older: LinkId) -> bool {
        let (Some(new), Some(older)) = (self.links.get(new), self.links.get(older)) else {
            return false;
        };
        if new.relayed && !older.relayed {
            // Whoever asks for a relayed link has no direct one, unless it has just come.
            return self.now.since(older.since()) < limits::GLARE;
        }
        // Two that ask each other for a relayed link at two signallers are told of both.
        (self.topology.is_full() || new.relayed)
            && new.incoming != older.incoming
            && self.now.since(older.since()) < limits::GLARE
            && new.incoming == (self.id() < new.peer)
    }

    /// Whether another link may become a neighbour, given those that `count`: never more than the
    /// maximum, and a share of them always links that we opened ourselves.
    pub(crate) fn has_room(&self, incoming: bool, count: impl Fn(&Link) -> bool) -> bool {
        let counted = || self.links.iter().filter(|link| !link.extra && count(link));
        let (all, strangers) =
            (counted().count(), counted().filter(|link| link.incoming || link.sought).count());
        all < self.config.max_links && (!incoming || strangers < self.max_incoming())
    }

    /// Whether a relayed link to this peer has a place, beside those that we want; it takes the place of another one
    /// to the same peer.
    pub(crate) fn has_room_for_extra(&self, incoming: bool, peer: PeerId) -> bool {
        let counts = |link: &&Link| link.extra && link.is_admitted() && link.peer != peer;
        let taken = || self.links.iter().filter(counts);
        let of_others = taken().filter(|link| link.incoming).count();
        taken().count() < limits::CIRCUITS && (!incoming || of_others < limits::CIRCUITS_OF_OTHERS)
    }

    /// How many of our neighbours may be of others' choice.
    pub(crate) fn max_incoming(&self) -> usize {
        (self.config.max_links * limits::INCOMING_SHARE)
            .div_ceil(100)
            .clamp(1, self.config.max_links)
    }
}
