//! New links through the front door: what signallers say, and signals both ways.

use core::time::Duration;

use taiinet_identity::{PeerId, Signed, Verified};

use super::Peer;
use crate::{
    Dial, Disconnect, Event, LinkId, Misbehaviour, Negotiation, Output, Time,
    budget::Budget,
    frame::{
        Frame, FromSignaller, IceServer, POOL, Presence, RefusalReason, Signal, SignalPart,
        ToSignaller, codec,
    },
    limits,
    link::Link,
    signallers::{self, Due},
    signalling::{self, Outgoing, Route, Sealer},
};

impl Peer {
    // ---- Signallers ----

    pub(super) fn signaller_message(&mut self, link: LinkId, bytes: &[u8], now: Time) {
        self.signallers.hears(link, now);
        let result = codec::decode(bytes).and_then(|frame| self.signaller_frame(link, frame, now));
        if let Err(misbehaviour) = result {
            self.reject(link, misbehaviour);
            if self.signallers.offends(link, misbehaviour, &mut self.rng, now) {
                self.outputs.push_back(Output::Close { link });
                let cause = Disconnect::Misbehaved(misbehaviour);
                self.lose_signaller(link, cause, Duration::ZERO, now);
            }
        }
    }

    /// Counts what came over a link to a signaller or a peer, and is held against nobody here.
    fn reject(&mut self, link: LinkId, misbehaviour: Misbehaviour) {
        let proven = self.links.get(&link).filter(|link| link.is_proven());
        let peer = proven.map(|link| link.peer);
        *self.counters.rejected.entry(misbehaviour).or_default() += 1;
        self.event(Event::Rejected { peer, misbehaviour });
    }

    fn signaller_frame(
        &mut self,
        link: LinkId,
        frame: FromSignaller,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        let for_anybody = matches!(
            frame,
            FromSignaller::Welcome(_) | FromSignaller::Refused { .. } | FromSignaller::Pong(_)
        );
        if !for_anybody && !self.signallers.is_proven(link) {
            return Err(Misbehaviour::Unproven);
        }
        match frame {
            FromSignaller::Welcome(welcome) => {
                let with = self.signallers.welcome(link, &welcome, self.id(), now)?;
                if welcome.work > limits::WORK_BITS {
                    self.outputs.push_back(Output::Close { link });
                    let cause = Disconnect::WorkTooHard { bits: welcome.work };
                    self.lose_signaller(link, cause, Duration::ZERO, now);
                    return Ok(());
                }
                if let Some(url) = self.signallers.url(link) {
                    self.ice_servers.insert(link, signallers::ice_servers(&welcome, url));
                }
                if let Some(with) = with {
                    self.join(link, with, 0, now);
                }
            }
            FromSignaller::Joined => {
                if let Some((url, signaller)) = self.signallers.took_join(link, now) {
                    self.restless = true;
                    self.event(Event::SignallerJoined { url, signaller });
                }
            }
            FromSignaller::Introduced { presences, retry_after_ms } => {
                let wait = Duration::from_millis(u64::from(retry_after_ms));
                self.signallers.not_before(link, wait, now);
                if !self.signallers.answers(link) {
                    return Err(Misbehaviour::Unasked);
                }
                self.hear(link, presences, now)?;
            }
            FromSignaller::Signal(signal) => {
                // A signaller passes on what others sign, unopened and unverified: whatever is wrong
                // with that is not its doing.
                let signal = self
                    .may_signal(link, now)
                    .and_then(|()| signalling::verify(signal, &self.config.network, now));
                match signal {
                    Ok(signal) if signal.to == self.identity.peer_id() => {
                        self.signal(&signal, Route::Signaller(link), now);
                    }
                    Ok(_) => return Err(Misbehaviour::OutOfTurn),
                    Err(misbehaviour) => self.reject(link, misbehaviour),
                }
            }
            FromSignaller::Unreachable(peer) => {
                // Its presence is of no use any more, unless somebody else can reach it.
                self.unreachable(peer, link, now);
            }
            FromSignaller::Refused { reason, retry_after_ms } => {
                let wait = Duration::from_millis(u64::from(retry_after_ms));
                if signallers::is_final(reason) {
                    self.outputs.push_back(Output::Close { link });
                    self.lose_signaller(link, Disconnect::Refused(reason), wait, now);
                } else {
                    self.signallers.not_before(link, wait, now);
                }
            }
            FromSignaller::Pong(_) => {}
            FromSignaller::Turn(servers) => {
                let named = servers.into_iter().take(limits::ICE_SERVERS);
                let usable = named.filter(IceServer::is_well_formed).collect();
                self.turn_servers.insert(link, usable);
            }
            FromSignaller::Signallers(presences) => self.learn_signallers(link, presences, now)?,
        }
        Ok(())
    }

    fn join(&mut self, link: LinkId, with: crate::frame::Joined, work: u64, now: Time) {
        let presence =
            signallers::presence(&self.identity, &self.config.network, Some(with), None, now);
        let join = ToSignaller::Join { presence: presence.signed().clone(), work };
        self.presence = Some(presence);
        self.tell(link, &join, now);
    }

    /// A signaller tells of others, who signed where they are.
    fn learn_signallers(
        &mut self,
        link: LinkId,
        presences: Vec<Signed<Presence>>,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        if presences.len() > limits::SIGNALLERS_TOLD {
            return Err(Misbehaviour::Oversize);
        }
        for presence in presences {
            let body = Presence::peek(&presence)?;
            if body.network.as_str() != POOL {
                return Err(Misbehaviour::WrongNetwork);
            }
            // What depends on a clock is no reason to hear nothing of the rest.
            if !crate::candidates::in_time(&body, now) {
                self.reject(link, Misbehaviour::OutOfTime);
                continue;
            }
            let Some(url) = body.reachable_at().map(str::to_owned) else { continue };
            let (signaller, said_at) = (presence.signer(), body.issued_at);
            if self.signallers.knows(&url, signaller, said_at) {
                continue;
            }
            presence.verify().map_err(|_| Misbehaviour::InvalidSignature)?;
            if self.signallers.learn(&url, signaller, said_at, now) {
                self.event(Event::SignallerLearned { url, signaller });
            }
        }
        Ok(())
    }

    pub(super) fn lose_signaller(
        &mut self,
        link: LinkId,
        cause: Disconnect,
        retry_after: Duration,
        now: Time,
    ) {
        let lost = self.signallers.lost(link, &cause, retry_after, &mut self.rng, now);
        if let Some((url, retry_at)) = lost {
            self.event(Event::SignallerLost { url, cause, retry_at });
        }
        self.ice_servers.remove(&link);
        self.turn_servers.remove(&link);
        self.signal_budgets.remove(&link);
        self.lost_route(link, now);
    }

    pub(super) fn tick_signallers(&mut self, now: Time) {
        while let Some(due) = self.signallers.due(now) {
            match due {
                Due::Dial { index, url } => {
                    let link = self.new_link();
                    self.signallers.dialled(index, link, now);
                    self.outputs.push_back(Output::Dial { link, dial: Dial::Signaller { url } });
                }
                Due::Ping { link } => self.tell(link, &ToSignaller::Ping(0), now),
                Due::Join { link, with, work } => self.join(link, with, work, now),
                Due::Works => {}
                Due::Drop { link, cause } => {
                    self.outputs.push_back(Output::Close { link });
                    self.lose_signaller(link, cause, Duration::ZERO, now);
                }
            }
        }
    }

    /// Hears of peers.
    pub(super) fn hear(
        &mut self,
        link: LinkId,
        presences: Vec<Signed<Presence>>,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        if presences.len() > limits::PRESENCES_PER_FRAME {
            return Err(Misbehaviour::Oversize);
        }
        for presence in presences {
            let peer = presence.signer();
            if peer == self.identity.peer_id() || self.reputation.is_blacklisted(&peer, now) {
                continue;
            }
            let network = &self.config.network;
            match self.candidates.hear(presence, link, network, &mut self.rng, now) {
                Ok(news) => self.restless |= news,
                // What depends on a clock is no reason to hear nothing of the rest.
                Err(Misbehaviour::OutOfTime) => self.reject(link, Misbehaviour::OutOfTime),
                Err(misbehaviour) => return Err(misbehaviour),
            }
        }
        Ok(())
    }

    // ---- Dialling ----

    /// Offers a link to a candidate.
    pub(super) fn dial(&mut self, peer: PeerId, now: Time) {
        if self.config.direct.is_some() {
            let known = self.candidates.get(&peer);
            let url = known.and_then(|(known, _)| known.reachable_at().map(str::to_owned));
            if let Some(url) = url {
                self.dial_address(peer, url, now);
            }
            return;
        }
        let routes = self.routes(&peer);
        let link = self.new_link();
        let session = self.rng.next_u64();
        self.signalling.begin(session, link, peer, routes);
        self.links.insert(link, Link::new(link, peer, false, session, now));
        let dial = Dial::Offer { to: peer, ice_servers: self.ice() };
        self.outputs.push_back(Output::Dial { link, dial });
    }

    /// The ways to a candidate, best last: the signaller that it joined, one that told us of it, a
    /// neighbour that did, any other signaller.
    fn routes(&self, peer: &PeerId) -> Vec<Route> {
        let Some((presence, heard_from)) = self.candidates.get(peer) else { return Vec::new() };
        let joined = self.signallers.joined(presence.joined);
        let mut routes: Vec<Route> =
            joined.iter().rev().map(|link| Route::Signaller(*link)).collect();
        let neighbours = heard_from
            .iter()
            .filter(|link| self.links.get(link).is_some_and(Link::is_active))
            .map(|link| Route::Neighbour(*link));
        let place = routes.len().saturating_sub(1);
        routes.splice(place..place, neighbours);
        // A signaller that told us of it has it.
        let told = heard_from.iter().rev().find(|link| joined.contains(link));
        if let Some(told) = told {
            routes.retain(|route| route.link() != *told);
            routes.push(Route::Signaller(*told));
        }
        routes
    }

    /// Servers that help to find a path; of TURN only those of the signaller that we have been with
    /// for longest: each costs an allocation.
    pub(super) fn ice(&self) -> Vec<IceServer> {
        let mut servers: Vec<IceServer> = self.ice_servers.values().flatten().cloned().collect();
        servers.sort_unstable_by(|one, other| one.url.cmp(&other.url));
        servers.dedup();
        servers.truncate(limits::ICE_SERVERS);
        let turn = self.turn_servers.values().find(|servers| !servers.is_empty());
        servers.extend(turn.into_iter().flatten().cloned());
        servers
    }

    /// Our transport has a part for the other end.
    pub(super) fn local_part(&mut self, link: LinkId, part: Negotiation, now: Time) {
        let Some(state) = self.links.get(&link) else { return };
        let (session, incoming) = (state.session, state.incoming);
        let part = match part {
            Negotiation::Description(text) if incoming => SignalPart::Answer(text),
            Negotiation::Description(text) => SignalPart::Offer(text),
            Negotiation::Candidate(text) => SignalPart::Candidate(text),
        };
        let mut sealer = Sealer {
            identity: &self.identity,
            network: &self.config.network,
            rng: &mut self.rng,
            now,
        };
        match self.signalling.send(session, part, &mut sealer) {
            Some(outgoing) => self.send_signal(outgoing, now),
            None => self.close(link, None, Disconnect::NoRoute, now),
        }
    }

    fn send_signal(&mut self, outgoing: Outgoing, now: Time) {
        match outgoing.route {
            Route::Signaller(link) => self.tell(link, &ToSignaller::Signal(outgoing.signal), now),
            Route::Neighbour(link) => {
                // Our own are few, and go whatever others had us pass on.
                let _ = self.may_pass_on(link, now);
                self.control(link, &Frame::Signal(outgoing.signal), now);
            }
        }
    }

    pub(super) fn unreachable(&mut self, peer: PeerId, via: LinkId, now: Time) {
        let mut sealer = Sealer {
            identity: &self.identity,
            network: &self.config.network,
            rng: &mut self.rng,
            now,
        };
        let rerouted = self.signalling.unreachable(peer, via, &mut sealer);
        self.follow(rerouted, now);
    }

    pub(super) fn lost_route(&mut self, via: LinkId, now: Time) {
        self.candidates.lost_route(via);
        let mut sealer = Sealer {
            identity: &self.identity,
            network: &self.config.network,
            rng: &mut self.rng,
            now,
        };
        let rerouted = self.signalling.lost_route(via, &mut sealer);
        self.follow(rerouted, now);
    }

    fn follow(&mut self, (outgoing, stranded): (Vec<Outgoing>, Vec<LinkId>), now: Time) {
        for outgoing in outgoing {
            self.send_signal(outgoing, now);
        }
        for link in stranded {
            // A link whose channel is open needs no more signals.
            if self.links.get(&link).is_some_and(Link::is_dialling) {
                self.close(link, None, Disconnect::NoRoute, now);
            }
        }
    }

    // ---- Signals in ----

    fn may_signal(&mut self, link: LinkId, now: Time) -> Result<(), Misbehaviour> {
        let budget =
            self.signal_budgets.entry(link).or_insert_with(|| Budget::new(limits::SIGNALS, now));
        if budget.take(1, now) { Ok(()) } else { Err(Misbehaviour::SignalFlood) }
    }

    /// Whether a neighbour is to get another signal, so that we keep well below what it allows us,
    /// whatever others would have us pass on.
    fn may_pass_on(&mut self, link: LinkId, now: Time) -> bool {
        let (burst, rate) = limits::SIGNALS;
        let budget = self
            .passed_budgets
            .entry(link)
            .or_insert_with(|| Budget::new((burst / 2, rate / 2), now));
        budget.take(1, now)
    }

    /// A signal from a neighbour: for us, or to be passed on to another neighbour.
    pub(super) fn neighbour_signal(
        &mut self,
        link: LinkId,
        signal: Signed<Signal>,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        self.may_signal(link, now)?;
        let verified = signalling::verify(signal, &self.config.network, now)?;
        let to = verified.to;
        if to == self.identity.peer_id() {
            self.signal(&verified, Route::Neighbour(link), now);
            return Ok(());
        }
        let next = self.other_link(link, |other| other.peer == to && other.takes_more());
        match next.filter(|next| self.may_pass_on(*next, now)) {
            Some(next) => self.control(next, &Frame::Signal(verified.signed().clone()), now),
            None => self.control(link, &Frame::Unreachable(to), now),
        }
        Ok(())
    }

    /// A signal for us.
    fn signal(&mut self, signal: &Verified<Signal>, route: Route, now: Time) {
        let peer = signal.signer();
        if self.reputation.is_blacklisted(&peer, now) {
            return;
        }
        let Some(body) = signalling::open(signal, &self.identity) else { return };
        let link = self.signalling.link(body.session, &peer);
        match (body.part, link) {
            (SignalPart::Offer(offer), None) => {
                self.offered(peer, body.session, offer, route, now);
            }
            (SignalPart::Answer(answer), Some(link)) => {
                self.remote_part(link, Negotiation::Description(answer));
            }
            (SignalPart::Candidate(candidate), Some(link)) => {
                self.remote_part(link, Negotiation::Candidate(candidate));
            }
            (SignalPart::Refuse { reason, retry_after_ms }, Some(link))
                if self.links.get(&link).is_some_and(|link| link.is_dialling()) =>
            {
                self.close(link, None, Disconnect::Refused(reason), now);
                let wait = Duration::from_millis(u64::from(retry_after_ms));
                self.candidates.rest(&peer, wait, now);
            }
            // Of a negotiation that is over, or was never ours.
            _ => {}
        }
    }

    fn remote_part(&mut self, link: LinkId, part: Negotiation) {
        if self.links.get(&link).is_some_and(Link::is_dialling) {
            self.outputs.push_back(Output::Negotiate { link, part });
        }
    }

    /// A peer offers a link.
    fn offered(&mut self, peer: PeerId, session: u64, offer: String, route: Route, now: Time) {
        if peer == self.identity.peer_id() || !self.signalling.is_new(peer, session) {
            return;
        }
        // Glare: both offer at once. The offer of the smaller key stands.
        let ours = self.links.values().find(|link| link.peer == peer && link.is_dialling());
        if let Some(ours) = ours {
            if !ours.incoming && self.identity.peer_id() < peer {
                return;
            }
            self.close(ours.id, None, Disconnect::Local, now);
        }
        // A peer that offers has no link to us, whatever we believe: it does not count as one here.
        let counts = |link: &Link| link.peer != peer;
        let pending = |link: &Link| link.incoming && !link.is_admitted();
        let room = !self.reputation.is_resting(&peer, now)
            && self.has_room(true, |link| counts(link) && (link.is_admitted() || pending(link)))
            && self.links.values().filter(|link| pending(link)).count() < limits::PENDING_LINKS / 2;
        if !room {
            let retry_after_ms = self.retry_after_ms();
            let part = SignalPart::Refuse { reason: RefusalReason::Full, retry_after_ms };
            let mut sealer = Sealer {
                identity: &self.identity,
                network: &self.config.network,
                rng: &mut self.rng,
                now,
            };
            if let Some(signal) = sealer.seal(peer, session, part) {
                self.send_signal(Outgoing { route, signal }, now);
            }
            return;
        }
        let link = self.new_link();
        self.signalling.begin(session, link, peer, vec![route]);
        self.links.insert(link, Link::new(link, peer, true, session, now));
        let dial = Dial::Answer { to: peer, offer, ice_servers: self.ice() };
        self.outputs.push_back(Output::Dial { link, dial });
    }
}
