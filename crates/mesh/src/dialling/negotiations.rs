//! Negotiations that are under way, and the routes of their signals.

use std::collections::{BTreeMap, VecDeque};

use taiinet_identity::{PeerId, Signed};

use super::sealing::Sealer;
use crate::{
    LinkId, limits,
    wire::{Signal, SignalPart},
};

/// The way a signal takes: the link to a signaller or to a neighbour of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Route {
    Signaller(LinkId),
    Neighbour(LinkId),
}

impl Route {
    pub(crate) const fn link(self) -> LinkId {
        match self {
            Self::Signaller(link) | Self::Neighbour(link) => link,
        }
    }
}

/// One negotiation of ours.
#[derive(Debug)]
struct Session {
    link: LinkId,
    peer: PeerId,
    route: Option<Route>,
    /// Further routes, best last.
    others: Vec<Route>,
    /// What was sent, to be sent again over another route.
    sent: Vec<SignalPart>,
}

/// The negotiations of a peer.
#[derive(Debug, Default)]
pub(crate) struct Negotiations {
    sessions: BTreeMap<u64, Session>,
    /// Offers that were seen, so that a replay starts nothing.
    seen: VecDeque<(PeerId, u64)>,
}

/// A signal to send.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) route: Route,
    pub(crate) signal: Signed<Signal>,
}

impl Negotiations {
    /// Begins a negotiation over the best of `routes` (the last).
    pub(crate) fn begin(
        &mut self,
        session: u64,
        link: LinkId,
        peer: PeerId,
        mut routes: Vec<Route>,
    ) {
        let route = routes.pop();
        let session_state = Session { link, peer, route, others: routes, sent: Vec::new() };
        self.sessions.insert(session, session_state);
    }

    /// Forgets a negotiation.
    pub(crate) fn end(&mut self, session: u64) {
        self.sessions.remove(&session);
    }

    /// The link that a negotiation with `peer` is about.
    pub(crate) fn link(&self, session: u64, peer: &PeerId) -> Option<LinkId> {
        self.sessions.get(&session).filter(|state| state.peer == *peer).map(|state| state.link)
    }

    /// Over which link the signals of a negotiation go.
    pub(crate) fn route(&self, session: u64) -> Option<Route> {
        self.sessions.get(&session)?.route
    }

    /// Whether an offer is new; remembers it.
    pub(crate) fn is_new(&mut self, peer: PeerId, session: u64) -> bool {
        if self.seen.contains(&(peer, session)) {
            return false;
        }
        if self.seen.len() >= limits::OFFERS_REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back((peer, session));
        true
    }

    /// A part of ours for the other end. None if there is no route.
    pub(crate) fn send(
        &mut self,
        session: u64,
        part: SignalPart,
        sealer: &mut Sealer<'_>,
    ) -> Option<Outgoing> {
        let state = self.sessions.get_mut(&session)?;
        if state.sent.len() < limits::PARTS_PER_SESSION {
            state.sent.push(part.clone());
        }
        let route = state.route?;
        let signal = sealer.seal(state.peer, session, part)?;
        Some(Outgoing { route, signal })
    }

    /// A route does not lead to `peer`: sends what was sent over the next one. Gives the links whose
    /// negotiation has no route left.
    pub(crate) fn unreachable(
        &mut self,
        peer: PeerId,
        via: LinkId,
        sealer: &mut Sealer<'_>,
    ) -> (Vec<Outgoing>, Vec<LinkId>) {
        self.reroute(|state| state.peer == peer && state.uses(via), via, sealer)
    }

    /// A link that signals were sent over is gone.
    pub(crate) fn lost_route(
        &mut self,
        via: LinkId,
        sealer: &mut Sealer<'_>,
    ) -> (Vec<Outgoing>, Vec<LinkId>) {
        self.reroute(|state| state.uses(via), via, sealer)
    }

    fn reroute(
        &mut self,
        concerns: impl Fn(&Session) -> bool,
        via: LinkId,
        sealer: &mut Sealer<'_>,
    ) -> (Vec<Outgoing>, Vec<LinkId>) {
        let (mut outgoing, mut stranded) = (Vec::new(), Vec::new());
        for (session, state) in &mut self.sessions {
            state.others.retain(|route| route.link() != via);
            if !concerns(state) {
                continue;
            }
            state.route = state.others.pop();
            let Some(route) = state.route else {
                stranded.push(state.link);
                continue;
            };
            for part in &state.sent {
                if let Some(signal) = sealer.seal(state.peer, *session, part.clone()) {
                    outgoing.push(Outgoing { route, signal });
                }
            }
        }
        (outgoing, stranded)
    }
}

impl Session {
    fn uses(&self, via: LinkId) -> bool {
        self.route.is_some_and(|route| route.link() == via)
    }
}

#[cfg(test)]
mod tests;
