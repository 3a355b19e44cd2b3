//! New links: negotiated through signallers and neighbours, or dialled by address.

pub mod description;
mod negotiations;
mod sealing;

use core::time::Duration;

use taiinet_identity::{PeerId, Signed, Verified};

pub(crate) use sealing::verify;

use crate::{
    Dial, Disconnect, LinkId, Misbehaviour, Negotiation, Output, SignallerRelay,
    cx::Cx,
    limits,
    links::Link,
    notice::{Candidacy, Notice},
    signallers::Signallers,
    wire::{RefusalReason, Signal, SignalFrame, SignalPart},
};
use negotiations::{Negotiations, Outgoing, Route};
use sealing::Sealer;

/// The room of negotiations.
#[derive(Debug, Default)]
pub(crate) struct Dialling {
    negotiations: Negotiations,
}

impl Dialling {
    pub(crate) fn frame(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        frame: SignalFrame,
    ) -> Result<(), Misbehaviour> {
        match frame {
            SignalFrame::Signal(signal) => self.neighbour_signal(cx, link, signal),
            SignalFrame::Unreachable(peer) => {
                self.unreachable(cx, peer, link);
                Ok(())
            }
        }
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice, signallers: &Signallers) {
        match notice {
            Notice::Dial(candidacy) if cx.config.signaller_relay != SignallerRelay::Only => {
                self.dial(cx, candidacy, signallers);
            }
            Notice::NeighbourUp(up) => self.negotiations.end(up.session),
            Notice::LinkDown(down) => {
                self.negotiations.end(down.session);
                self.lost_route(cx, down.link);
            }
            Notice::RouteLost(link) => self.lost_route(cx, *link),
            Notice::Signalled { via, signal } => {
                self.signal(cx, signal, Route::Signaller(*via));
            }
            Notice::Unreachable { peer, via } => self.unreachable(cx, *peer, *via),
            _ => {}
        }
    }

    /// Our transport has a part for the other end.
    pub(crate) fn local_part(&mut self, cx: &mut Cx, link: LinkId, part: Negotiation) {
        let Some(state) = cx.links.get(link) else { return };
        let (session, incoming) = (state.session, state.incoming);
        let part = match part {
            Negotiation::Description(text) if incoming => SignalPart::Answer(text),
            Negotiation::Description(text) => SignalPart::Offer(text),
            Negotiation::Candidate(text) => SignalPart::Candidate(text),
        };
        match self.negotiations.send(session, part, &mut sealer(cx)) {
            Some(outgoing) => send(cx, outgoing),
            None => cx.close(link, Disconnect::NoRoute),
        }
    }

    /// Offers a link to a candidate.
    fn dial(&mut self, cx: &mut Cx, candidacy: &Candidacy, signallers: &Signallers) {
        let peer = candidacy.peer;
        if cx.topology.is_full() {
            if let Some(url) = candidacy.address.clone() {
                cx.dial_address(Some(peer), url);
            }
            return;
        }
        let routes = routes(cx, candidacy, &signallers.joined(candidacy.joined));
        let session = cx.rng.next_u64();
        let link = cx.links.open(peer, false, session, cx.now);
        link.sought = candidacy.sought;
        let link = link.id;
        self.negotiations.begin(session, link, peer, routes);
        let dial = Dial::Offer { to: peer, ice_servers: cx.ice.chosen() };
        cx.out.push_back(Output::Dial { link, dial });
    }

    fn unreachable(&mut self, cx: &mut Cx, peer: PeerId, via: LinkId) {
        let rerouted = self.negotiations.unreachable(peer, via, &mut sealer(cx));
        follow(cx, rerouted);
    }

    fn lost_route(&mut self, cx: &mut Cx, via: LinkId) {
        let rerouted = self.negotiations.lost_route(via, &mut sealer(cx));
        follow(cx, rerouted);
    }

    /// A signal from a neighbour: for us, or to be passed on to another neighbour.
    fn neighbour_signal(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        signal: Signed<Signal>,
    ) -> Result<(), Misbehaviour> {
        let now = cx.now;
        let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
        state.budgets.signal(now)?;
        let verified = verify(signal, &cx.config.network, now)?;
        let to = verified.to;
        if to == cx.id() {
            self.signal(cx, &verified, Route::Neighbour(link));
            return Ok(());
        }
        let next = |next: &Link| next.id != link && next.peer == to && next.takes_more();
        let next = cx.links.find(next).filter(|next| {
            cx.links.get_mut(*next).is_some_and(|next| next.budgets.may_pass_on(now))
        });
        match next {
            Some(next) => cx.send(next, SignalFrame::Signal(verified.signed().clone())),
            None => cx.send(link, SignalFrame::Unreachable(to)),
        }
        Ok(())
    }

    /// A signal for us.
    fn signal(&mut self, cx: &mut Cx, signal: &Verified<Signal>, route: Route) {
        let peer = signal.signer();
        if cx.reputation.is_blacklisted(&peer, cx.now) {
            return;
        }
        let Some(body) = sealing::open(signal, &cx.identity) else { return };
        let link = self.negotiations.link(body.session, &peer);
        match (body.part, link) {
            (SignalPart::Offer(offer), None) => {
                self.offered(cx, peer, body.session, offer, route);
            }
            (SignalPart::Answer(answer), Some(link)) => {
                remote_part(cx, link, Negotiation::Description(answer));
            }
            (SignalPart::Candidate(candidate), Some(link)) => {
                remote_part(cx, link, Negotiation::Candidate(candidate));
            }
            (SignalPart::Refuse { reason, retry_after_ms }, Some(link)) => {
                if cx.links.get(link).is_some_and(Link::is_dialling) {
                    cx.close(link, Disconnect::Refused(reason));
                    let wait = Duration::from_millis(retry_after_ms.into());
                    cx.notify(Notice::Rest { peer, wait });
                }
            }
            // Of a negotiation that is over, or was never ours.
            (SignalPart::Offer(_), Some(_))
            | (
                SignalPart::Answer(_) | SignalPart::Candidate(_) | SignalPart::Refuse { .. },
                None,
            ) => {}
        }
    }

    /// A peer offers a link.
    fn offered(&mut self, cx: &mut Cx, peer: PeerId, session: u64, offer: String, route: Route) {
        if peer == cx.id() || !self.negotiations.is_new(peer, session) {
            return;
        }
        // Glare: both offer at once. The offer of the smaller key stands, unless it must have been lost: where
        // its route ended at a connection that the other end has no more.
        let ours = |link: &&Link| link.peer == peer && link.is_dialling() && !link.relayed;
        let ours = cx.links.iter().find(ours);
        if let Some(ours) = ours {
            let lost = cx.now.since(ours.since()) >= limits::OFFER_LOST;
            if !ours.incoming && cx.id() < peer && !lost {
                return;
            }
            let ours = ours.id;
            cx.close(ours, Disconnect::Local);
        }
        // A peer that offers has no link to us, whatever we believe: it does not count as one here.
        let counts = |link: &Link| link.peer != peer;
        let room = cx.config.signaller_relay != SignallerRelay::Only
            && !cx.reputation.is_resting(&peer, cx.now)
            && cx.has_room(true, |link| counts(link) && link.is_admitted())
            && self.free_pending(cx, &peer, route);
        if !room {
            decline(cx, peer, session, route);
            return;
        }
        let link = cx.links.open(peer, true, session, cx.now).id;
        self.negotiations.begin(session, link, peer, vec![route]);
        let dial = Dial::Answer { to: peer, offer, ice_servers: cx.ice.chosen() };
        cx.out.push_back(Output::Dial { link, dial });
    }

    /// Whether another offer has a place among those that are pending. When all are taken, the routes
    /// share them: of the route with the most, the new one counted, one that is chosen at random has to
    /// go. So no peer keeps newcomers out by offering before them.
    fn free_pending(&self, cx: &mut Cx, newcomer: &PeerId, route: Route) -> bool {
        let is_pending = |link: &&Link| link.incoming && !link.is_admitted() && !link.relayed;
        let pending = cx.links.iter().filter(is_pending);
        let mut all: Vec<(Option<Route>, Option<LinkId>)> =
            pending.map(|link| (self.negotiations.route(link.session), Some(link.id))).collect();
        let counts = |link: &Link| link.peer != *newcomer && (link.is_admitted() || link.incoming);
        if all.len() < limits::PENDING_LINKS / 2 && cx.has_room(true, counts) {
            return true;
        }
        all.push((Some(route), None));
        let count = |route| all.iter().filter(|(other, _)| *other == route).count();
        let most = all.iter().map(|(route, _)| count(*route)).max();
        let crowd = all.iter().filter(|(route, _)| Some(count(*route)) == most);
        let crowd: Vec<Option<LinkId>> = crowd.map(|(_, link)| *link).collect();
        let Some(Some(gone)) = cx.rng.choose(&crowd).copied() else { return false };
        let Some(link) = cx.links.get(gone) else { return true };
        let (peer, session) = (link.peer, link.session);
        if link.is_dialling()
            && let Some(route) = self.negotiations.route(session)
        {
            decline(cx, peer, session, route);
        }
        cx.refuse(gone, RefusalReason::Full);
        true
    }
}

/// Tells a peer that its offer is not taken.
fn decline(cx: &mut Cx, peer: PeerId, session: u64, route: Route) {
    let retry_after_ms = cx.retry_after_ms();
    let part = SignalPart::Refuse { reason: RefusalReason::Full, retry_after_ms };
    if let Some(signal) = sealer(cx).seal(peer, session, part) {
        send(cx, Outgoing { route, signal });
    }
}

fn sealer(cx: &mut Cx) -> Sealer<'_> {
    Sealer { identity: &cx.identity, network: &cx.config.network, rng: &mut cx.rng, now: cx.now }
}

/// The ways to a candidate, best last: the signaller that it joined, one that told us of it, a
/// neighbour that did, any other signaller. `joined` are the links to signallers, best first. Best of all is a link to
/// itself that a signaller relays: a signaller that would rather relay than introduce is not asked.
fn routes(cx: &Cx, candidacy: &Candidacy, joined: &[LinkId]) -> Vec<Route> {
    let heard_from = &candidacy.heard_from;
    let mut routes: Vec<Route> = joined.iter().rev().map(|link| Route::Signaller(*link)).collect();
    let neighbours = heard_from
        .iter()
        .filter(|link| {
            cx.links.get(**link).is_some_and(|link| link.is_active() && !link.is_doubted())
        })
        .map(|link| Route::Neighbour(*link));
    let place = routes.len().saturating_sub(1);
    routes.splice(place..place, neighbours);
    // A signaller that told us of it has it.
    if let Some(told) = heard_from.iter().rev().find(|link| joined.contains(link)) {
        routes.retain(|route| route.link() != *told);
        routes.push(Route::Signaller(*told));
    }
    let relayed = |link: &Link| {
        link.relayed && link.peer == candidacy.peer && link.is_active() && !link.is_doubted()
    };
    if let Some(link) = cx.links.find(relayed) {
        routes.retain(|route| route.link() != link);
        routes.push(Route::Neighbour(link));
    }
    routes
}

fn send(cx: &mut Cx, outgoing: Outgoing) {
    let Outgoing { route, signal } = outgoing;
    match route {
        Route::Signaller(via) => cx.notify(Notice::Signal { via, signal }),
        Route::Neighbour(link) => {
            // Our own are few, and go whatever others had us pass on.
            if let Some(state) = cx.links.get_mut(link) {
                let _ = state.budgets.may_pass_on(cx.now);
            }
            cx.send(link, SignalFrame::Signal(signal));
        }
    }
}

fn follow(cx: &mut Cx, (outgoing, stranded): (Vec<Outgoing>, Vec<LinkId>)) {
    for outgoing in outgoing {
        send(cx, outgoing);
    }
    for link in stranded {
        // A link whose channel is open needs no more signals.
        if cx.links.get(link).is_some_and(Link::is_dialling) {
            cx.close(link, Disconnect::NoRoute);
        }
    }
}

fn remote_part(cx: &mut Cx, link: LinkId, part: Negotiation) {
    if cx.links.get(link).is_some_and(Link::is_dialling) {
        cx.out.push_back(Output::Negotiate { link, part });
    }
}

#[cfg(test)]
mod tests;
