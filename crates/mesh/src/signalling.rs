//! Sealed session descriptions: made, opened, and their routes.
//!
//! A negotiation's parts are sealed to the other end (HPKE) and signed by this one, so whoever
//! carries them, signaller or peer, can neither read nor change nor invent them.

use std::collections::{BTreeMap, VecDeque};

use taiinet_document::Network;
use taiinet_identity::{Identity, PeerId, Signed, Verified, seal};

use crate::{
    LinkId, Misbehaviour, Time,
    frame::{Signal, SignalBody, SignalPart, codec},
    limits,
    rng::Rng,
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
pub(crate) struct Signalling {
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

impl Signalling {
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

/// What it takes to seal a signal.
#[derive(Debug)]
pub(crate) struct Sealer<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) network: &'a Network,
    pub(crate) rng: &'a mut Rng,
    pub(crate) now: Time,
}

impl Sealer<'_> {
    /// Seals and signs a part for `to`. None if `to` is not a usable key.
    pub(crate) fn seal(
        &mut self,
        to: PeerId,
        session: u64,
        part: SignalPart,
    ) -> Option<Signed<Signal>> {
        let body = codec::encode(&SignalBody { session, part });
        let info = info(self.network, &self.identity.peer_id(), &to);
        let sealed = seal(&to, &info, &body, self.rng.crypto()).ok()?;
        let sent_at = self.now.timestamp();
        let signal = Signal { network: self.network.clone(), to, sent_at, sealed };
        Some(Signed::new(self.identity, &signal))
    }
}

/// Checks a signal before it is opened or passed on.
///
/// # Errors
/// The [`Misbehaviour`] of whoever passed it to us.
pub(crate) fn verify(
    signal: Signed<Signal>,
    network: &Network,
    now: Time,
) -> Result<Verified<Signal>, Misbehaviour> {
    let body = Signal::peek(&signal)?;
    if body.network != *network {
        return Err(Misbehaviour::WrongNetwork);
    }
    let sent_at = Time::from(body.sent_at);
    if sent_at > now.after(limits::CLOCK_SKEW)
        || now.since(sent_at) > limits::SIGNAL_LIFE + limits::CLOCK_SKEW
    {
        return Err(Misbehaviour::OutOfTime);
    }
    signal.verify().map_err(|_| Misbehaviour::InvalidSignature)
}

/// Opens a signal that is for us. None if it was not sealed to us by its signer, or is no body: that
/// is the signer's fault, not of whoever passed it on.
pub(crate) fn open(signal: &Verified<Signal>, identity: &Identity) -> Option<SignalBody> {
    let info = info(&signal.network, &signal.signer(), &signal.to);
    let plain = identity.open(&info, &signal.sealed).ok()?;
    let body: SignalBody = codec::decode(&plain).ok()?;
    let text = match &body.part {
        SignalPart::Offer(text) | SignalPart::Answer(text) | SignalPart::Candidate(text) => text,
        SignalPart::Refuse { .. } => return Some(body),
    };
    (text.len() <= limits::NEGOTIATION_BYTES).then_some(body)
}

/// HPKE's `info`: the purpose, the network, and both ends.
fn info(network: &Network, from: &PeerId, to: &PeerId) -> Vec<u8> {
    let mut info = b"taiinet/1 signal".to_vec();
    info.extend_from_slice(from.as_bytes());
    info.extend_from_slice(to.as_bytes());
    info.extend_from_slice(network.as_str().as_bytes());
    info
}

#[cfg(test)]
mod tests;
