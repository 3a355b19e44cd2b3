//! Links that a signaller relays, where no direct one can be had.
//!
//! A *circuit* is the way of such a link: its messages are frames in the sessions of both ends with one
//! signaller ([`CircuitFrame`]). On it the two ends make a session of their own, and greet and prove who they are
//! over that session's hash as on every link. So the signaller sees who and how much; what it changes, repeats, holds
//! back or adds ends the link; and it proves to nobody that it is one of the two. No driver knows of circuits: what
//! is sent on such a link leaves it as frames to the signaller ([`Circuits::carry`]).
//!
//! **When.** The end whose offer of a direct link fails for want of a path, or is not open after
//! [`limits::CIRCUIT_AFTER`], asks for one, while it has fewer than [`limits::CIRCUITS_ENOUGH`] neighbours. It does not
//! count among the links that a peer wants: direct ones are dialled as before, also to the same peer. To a peer to which
//! no path was found another is asked for without a new offer. When a direct link is of use the relayed one goes, a
//! moment later, since by then it is at both ends; what was on its way over it is announced on the other. It goes as
//! well when both ends have enough direct neighbours.
//!
//! **How much.** What is on its way to the other end is bounded ([`limits::CIRCUIT_WINDOW`]): the recipient says what
//! it took, and the signaller passes that on when its quotas allow more. So nobody has to hold what has no room; where
//! more comes, the link ends, and since the signaller may have added it, no peer is to blame.
//!
//! **Whom others choose.** Anybody may ask for a link, and a signaller may ask in any name. So what has not proven
//! itself counts for nothing but its own few places, which signallers share, and what others have asked for is never
//! all that a peer has ([`limits::CIRCUITS_OF_OTHERS`]).

use std::collections::{BTreeMap, VecDeque};

use taiinet_identity::PeerId;

use crate::{
    ChannelBinding, Disconnect, LinkFailure, LinkId, Output, SignallerRelay, Time,
    cx::Cx,
    limits,
    links::Link,
    notice::{LinkDown, Notice},
    rng::Backoff,
    signallers::Signallers,
    wire::{CircuitFrame, CircuitPart, RefusalReason, ToSignaller},
};

/// How far a circuit is, as this end knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// We ask for it: our first message opens it.
    Asking,
    /// We are asked: our first message agrees to it.
    Asked,
    /// Both have.
    Open,
}

#[derive(Debug)]
struct Circuit {
    /// The link to the signaller.
    via: LinkId,
    peer: PeerId,
    stage: Stage,
    /// What came, and was not said to be taken: what waits is not.
    came: usize,
    /// Other signallers that might relay the link, best last.
    others: Vec<LinkId>,
}

/// A peer to which no direct path was found, and when a relayed link to it may be asked for.
#[derive(Debug)]
struct Apart {
    peer: PeerId,
    not_before: Time,
    backoff: Backoff,
}

/// The room of circuits.
#[derive(Debug, Default)]
pub(crate) struct Circuits {
    circuits: BTreeMap<LinkId, Circuit>,
    apart: VecDeque<Apart>,
}

impl Circuits {
    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice, signallers: &Signallers) {
        match notice {
            Notice::Dial(candidacy) if cx.config.signaller_relay == SignallerRelay::Only => {
                let peer = candidacy.peer;
                if signallers.relaying().next().is_none() {
                    let cause = Disconnect::Refused(RefusalReason::NoRelay);
                    cx.notify(Notice::NoWay { peer, cause });
                } else if !self.ask(cx, peer, signallers) {
                    cx.notify(Notice::Rest { peer, wait: limits::REDIAL_BACKOFF.0 });
                }
            }
            Notice::LinkDown(down) => self.link_down(cx, down, signallers),
            Notice::NeighbourUp(up) => {
                let is_direct = cx.links.get(up.link).is_some_and(|link| !link.relayed);
                self.apart.retain(|apart| !is_direct || apart.peer != up.peer);
                if let Some(apart) = self.apart.iter_mut().find(|apart| apart.peer == up.peer) {
                    apart.backoff.reset();
                }
                let pending =
                    |link: &Link| link.relayed && link.peer == up.peer && !link.is_admitted();
                for link in cx.links.named(|link| is_direct && pending(link)) {
                    cx.close(link, Disconnect::Local);
                }
            }
            Notice::Forget(peer) => self.apart.retain(|apart| apart.peer != *peer),
            Notice::RouteLost(via) => {
                for link in self.named(|circuit| circuit.via == *via) {
                    let why = "the signaller that relayed the link is gone".to_owned();
                    self.end(cx, link, Disconnect::Link(LinkFailure::Unreachable(why)));
                }
            }
            Notice::Woke => {
                for apart in &mut self.apart {
                    apart.backoff.reset();
                    apart.not_before = cx.now;
                }
            }
            _ => {}
        }
    }

    /// Asks for links in place of those that take too long, and parts with those that are not needed.
    pub(crate) fn tick(&mut self, cx: &mut Cx, signallers: &Signallers) {
        let now = cx.now;
        let outlived: Vec<LinkId> =
            outlived(cx).filter(|(_, at)| *at <= now).map(|(link, _)| link).collect();
        for link in outlived {
            cx.close(link, Disconnect::Refused(RefusalReason::AlreadyLinked));
        }
        for (peer, at) in self.slow(cx, signallers) {
            if at <= now {
                self.ask(cx, peer, signallers);
            }
        }
    }

    pub(crate) fn deadline(&self, cx: &Cx, signallers: &Signallers) -> Option<Time> {
        let outlived = outlived(cx).map(|(_, at)| at).min();
        let can_ask = is_wanting(cx) && self.routes(cx, signallers).next().is_some();
        let slow = can_ask
            .then(|| self.slow(cx, signallers).into_iter().map(|(_, at)| at).min())
            .flatten();
        [outlived, slow].into_iter().flatten().min()
    }

    /// Has a message of a link that is relayed leave over its circuit, and ends the circuit with the link; gives
    /// back what is for the driver.
    pub(crate) fn carry(
        &mut self,
        cx: &mut Cx,
        signallers: &mut Signallers,
        output: Output,
    ) -> Option<Output> {
        let (Output::Send { link, .. } | Output::Close { link }) = &output else {
            return Some(output);
        };
        let link = *link;
        let Some(circuit) = self.circuits.get_mut(&link) else { return Some(output) };
        let (via, peer, stage) = (circuit.via, circuit.peer, circuit.stage);
        let part = match output {
            Output::Send { bytes, .. } => match stage {
                Stage::Asking => CircuitPart::Open(bytes),
                Stage::Asked => {
                    circuit.stage = Stage::Open;
                    CircuitPart::Accept(bytes)
                }
                Stage::Open => CircuitPart::Message(bytes),
            },
            _ => {
                self.circuits.remove(&link);
                CircuitPart::End(RefusalReason::Leaving)
            }
        };
        say(cx, signallers, via, peer, part);
        None
    }

    /// A signaller says something of a circuit. Gives the message of a link that it carries.
    pub(crate) fn frame(
        &mut self,
        cx: &mut Cx,
        signallers: &mut Signallers,
        via: LinkId,
        frame: CircuitFrame,
    ) -> Option<(LinkId, Vec<u8>)> {
        let CircuitFrame { peer, part } = frame;
        let counts = part.carries();
        if let CircuitPart::Open(first) = part {
            return match self.asked(cx, via, peer) {
                Ok(link) => Some((link, first)),
                Err(reason) => {
                    say(cx, signallers, via, peer, CircuitPart::End(reason));
                    None
                }
            };
        }
        // Of one that is over it may still say something.
        let ours =
            |(_, circuit): &(&LinkId, &mut Circuit)| circuit.via == via && circuit.peer == peer;
        let (link, circuit) = self.circuits.iter_mut().find(ours)?;
        let link = *link;
        let bytes = match (part, circuit.stage) {
            (CircuitPart::Accept(answer), Stage::Asking) => {
                circuit.stage = Stage::Open;
                answer
            }
            (CircuitPart::Message(_), Stage::Open) if circuit.came >= MOST_ON_THE_WAY => {
                let why = "more came over the relayed link than was taken".to_owned();
                cx.close(link, Disconnect::Link(LinkFailure::Transport(why)));
                return None;
            }
            (CircuitPart::Message(message), Stage::Open) => message,
            (CircuitPart::Took(bytes), _) => {
                if let Some(state) = cx.links.get_mut(link) {
                    state.lanes.sent(bytes as usize);
                    cx.links.touch(link);
                }
                return None;
            }
            (CircuitPart::End(reason), stage) => {
                self.ended(cx, link, stage, reason);
                return None;
            }
            _ => return None,
        };
        circuit.came += counts.unwrap_or(0);
        Some((link, bytes))
    }

    /// Tells the other ends what was taken: what came and does not wait.
    pub(crate) fn tell_taken(&mut self, cx: &mut Cx, signallers: &mut Signallers) {
        for (link, circuit) in &mut self.circuits {
            let waiting = cx.links.get(*link).map_or((0, 0), |state| state.work.waiting());
            let waiting = waiting.0 * limits::CIRCUIT_MESSAGE_BYTES + waiting.1;
            let taken = circuit.came.saturating_sub(waiting);
            if taken >= limits::CIRCUIT_WINDOW / 4 {
                circuit.came -= taken;
                let part = CircuitPart::Took(u32::try_from(taken).unwrap_or(u32::MAX));
                say(cx, signallers, circuit.via, circuit.peer, part);
            }
        }
    }

    /// Another peer asks for a link: gives it, or why there is none.
    fn asked(&mut self, cx: &mut Cx, via: LinkId, peer: PeerId) -> Result<LinkId, RefusalReason> {
        if cx.config.signaller_relay == SignallerRelay::Never || cx.topology.is_full() {
            return Err(RefusalReason::NoRelay);
        }
        let unwanted =
            cx.reputation.is_blacklisted(&peer, cx.now) || cx.reputation.is_resting(&peer, cx.now);
        if unwanted || peer == cx.id() {
            return Err(RefusalReason::NotAdmitted);
        }
        // Of two that ask each other at once, the signaller has passed on the one that came first; and one that
        // asks again has nothing of an earlier link.
        for link in self.named(|circuit| circuit.via == via && circuit.peer == peer) {
            self.end(cx, link, Disconnect::Local);
        }
        let has_room = if is_extra(cx) {
            cx.has_room_for_extra(true, peer)
        } else {
            cx.has_room(true, |link| link.peer != peer && link.is_admitted())
        };
        if !has_room || !self.free_pending(cx, via) {
            return Err(RefusalReason::Full);
        }
        let extra = is_extra(cx);
        let state = cx.links.open(peer, true, 0, cx.now);
        state.on_circuit(extra);
        let link = state.id;
        let others = Vec::new();
        self.circuits.insert(link, Circuit { via, peer, stage: Stage::Asked, came: 0, others });
        Ok(link)
    }

    /// Whether another that is asked of us by this signaller has a place among those in their handshake. When all are
    /// taken, the signallers share them: of the one with the most, the new one counted, one that is chosen at random
    /// has to go. So no signaller keeps out those of others, nor does who comes last keep out all before.
    fn free_pending(&self, cx: &mut Cx, via: LinkId) -> bool {
        let is_pending = |link: &LinkId| cx.links.get(*link).is_some_and(is_pending);
        let pending = self.circuits.iter().filter(|(link, _)| is_pending(link));
        let mut all: Vec<(LinkId, Option<LinkId>)> =
            pending.map(|(link, circuit)| (circuit.via, Some(*link))).collect();
        if all.len() < limits::CIRCUITS {
            return true;
        }
        all.push((via, None));
        let count = |via| all.iter().filter(|(other, _)| *other == via).count();
        let most = all.iter().map(|(via, _)| count(*via)).max();
        let crowd = all.iter().filter(|(via, _)| Some(count(*via)) == most);
        let crowd: Vec<Option<LinkId>> = crowd.map(|(_, link)| *link).collect();
        let Some(Some(gone)) = cx.rng.choose(&crowd).copied() else { return false };
        cx.close(gone, Disconnect::Crowded);
        true
    }

    /// Asks for a link to a peer; whether it does.
    fn ask(&mut self, cx: &mut Cx, peer: PeerId, signallers: &Signallers) -> bool {
        let may = is_wanting(cx)
            && cx.links.find(|link| link.peer == peer && is_sure(link)).is_none()
            && !self.apart.iter().any(|apart| apart.peer == peer && apart.not_before > cx.now);
        let routes: Vec<LinkId> = self.routes_to(cx, peer, signallers).collect();
        may && self.ask_over(cx, peer, routes)
    }

    /// Asks the last of these signallers.
    fn ask_over(&mut self, cx: &mut Cx, peer: PeerId, mut others: Vec<LinkId>) -> bool {
        others.retain(|via| !self.has(*via, peer));
        let Some(via) = others.pop() else { return false };
        let extra = is_extra(cx);
        let state = cx.links.open(peer, false, 0, cx.now);
        state.on_circuit(extra);
        let link = state.id;
        self.circuits.insert(link, Circuit { via, peer, stage: Stage::Asking, came: 0, others });
        cx.opened(link, ChannelBinding::NONE);
        true
    }

    /// The signallers that relay and have room for another link of ours.
    fn routes(&self, cx: &Cx, signallers: &Signallers) -> impl Iterator<Item = LinkId> {
        let is_taken = |link: &LinkId| cx.links.get(*link).is_some_and(|link| !is_pending(link));
        signallers.relaying().filter_map(move |(via, most)| {
            let over = self.circuits.iter().filter(|(_, circuit)| circuit.via == via);
            let taken = over.filter(|(link, _)| is_taken(link)).count();
            (taken < usize::from(most)).then_some(via)
        })
    }

    /// Of these, those at which there is no circuit with this peer that has its name.
    fn routes_to(
        &self,
        cx: &Cx,
        peer: PeerId,
        signallers: &Signallers,
    ) -> impl Iterator<Item = LinkId> {
        self.routes(cx, signallers).filter(move |via| !self.has(*via, peer))
    }

    fn has(&self, via: LinkId, peer: PeerId) -> bool {
        self.circuits.values().any(|circuit| circuit.via == via && circuit.peer == peer)
    }

    fn link_down(&mut self, cx: &mut Cx, down: &LinkDown, signallers: &Signallers) {
        if down.incoming {
            return;
        }
        match (&down.cause, down.relayed, down.active) {
            // It is not needed any more.
            (Disconnect::Local, true, _) | (Disconnect::Refused(_), true, true) => {}
            (_, true, _) => self.fails(cx, down.peer),
            (cause, false, false) if is_for_want_of_a_path(cause) => {
                self.is_apart(down.peer, cx.now);
                self.ask(cx, down.peer, signallers);
            }
            (_, false, _) => {}
        }
    }

    /// The other end, or the signaller, has ended a circuit.
    fn ended(&mut self, cx: &mut Cx, link: LinkId, stage: Stage, reason: RefusalReason) {
        let Some(circuit) = self.circuits.get_mut(&link) else { return };
        let (peer, others) = (circuit.peer, core::mem::take(&mut circuit.others));
        let is_elsewhere = stage == Stage::Asking && reason == RefusalReason::Absent;
        if is_elsewhere && !others.is_empty() {
            self.end(cx, link, Disconnect::Local);
            self.ask_over(cx, peer, others);
            return;
        }
        let cause = match stage {
            Stage::Asking => Disconnect::Refused(reason),
            Stage::Asked | Stage::Open => Disconnect::Link(LinkFailure::Remote),
        };
        self.end(cx, link, cause);
    }

    /// A circuit is gone, and with it its link: nobody need be told.
    fn end(&mut self, cx: &mut Cx, link: LinkId, cause: Disconnect) {
        self.circuits.remove(&link);
        // What was to be said over it is of no use, and no driver's business.
        cx.out.retain(|output| {
            !matches!(output, Output::Send { link: of, .. } | Output::Close { link: of } if *of == link)
        });
        cx.drop_link(link, cause);
    }

    fn named(&self, which: impl Fn(&Circuit) -> bool) -> Vec<LinkId> {
        self.circuits.iter().filter(|(_, circuit)| which(circuit)).map(|(link, _)| *link).collect()
    }

    /// No direct path leads to this peer.
    fn is_apart(&mut self, peer: PeerId, now: Time) -> Option<&mut Apart> {
        if !self.apart.iter().any(|apart| apart.peer == peer) {
            if self.apart.len() >= limits::CIRCUITS_REMEMBERED {
                self.apart.pop_front();
            }
            let backoff = Backoff::new(limits::REDIAL_BACKOFF);
            self.apart.push_back(Apart { peer, not_before: now, backoff });
        }
        self.apart.iter_mut().find(|apart| apart.peer == peer)
    }

    /// A relayed link to this peer could not be had, or has ended: it rests, longer each time.
    fn fails(&mut self, cx: &mut Cx, peer: PeerId) {
        if let Some(apart) = self.is_apart(peer, cx.now) {
            apart.not_before = cx.now.after(apart.backoff.wait(&mut cx.rng));
        }
    }

    /// The peers to which a relayed link may be asked for, and from when on: those to which we have offered a
    /// direct one that is not open yet, and those that are known to have no path to us.
    fn slow(&self, cx: &Cx, signallers: &Signallers) -> Vec<(PeerId, Time)> {
        let is_linked = |peer| {
            let linked = |link: &Link| {
                link.is_admitted() && !link.is_doubted() || link.relayed && is_sure(link)
            };
            cx.links.iter().any(|link| link.peer == peer && linked(link))
        };
        let has_route = |peer| self.routes_to(cx, peer, signallers).next().is_some();
        let dialled =
            cx.links.iter().filter(|link| link.is_dialling() && !link.incoming && !link.relayed);
        let dialled = dialled.map(|link| (link.peer, link.since().after(limits::CIRCUIT_AFTER)));
        let is_known = |peer| self.apart.iter().any(|apart| apart.peer == peer);
        let dialled = dialled.filter(|(peer, _)| !is_known(*peer));
        let apart = self.apart.iter().map(|apart| (apart.peer, apart.not_before));
        let slow = apart.chain(dialled).filter(|(peer, _)| !is_linked(*peer));
        slow.filter(|(peer, _)| has_route(*peer)).collect()
    }
}

/// What an honest other end has on its way at most: the last message begins within the window, and one message more
/// may be a farewell.
const MOST_ON_THE_WAY: usize =
    limits::CIRCUIT_WINDOW + limits::WIRE_BYTES + limits::CIRCUIT_MESSAGE_BYTES;

/// Whether another has asked for a relayed link, and not proven who it is.
fn is_pending(link: &Link) -> bool {
    link.relayed && link.incoming && !link.is_admitted()
}

/// Whether a relayed link is with whom it is said to be, or was asked for by ourselves.
fn is_sure(link: &Link) -> bool {
    link.relayed && !is_pending(link)
}

/// Whether relayed links stand beside those that we want, as they do unless there are no others.
fn is_extra(cx: &Cx) -> bool {
    cx.config.signaller_relay != SignallerRelay::Only
}

/// Whether we should ask for another relayed link.
fn is_wanting(cx: &Cx) -> bool {
    if cx.config.signaller_relay == SignallerRelay::Never || cx.topology.is_full() {
        return false;
    }
    let relayed = |incoming, is_counted: fn(&Link) -> bool| {
        let links = cx.links.iter().filter(|link| link.relayed && link.incoming == incoming);
        links.filter(|link| is_counted(link)).count()
    };
    let of_others = |is_counted| relayed(true, is_counted).min(limits::CIRCUITS_OF_OTHERS);
    let direct =
        |link: &&Link| !link.relayed && link.is_admitted() && !link.dozing && !link.is_doubted();
    let neighbours = cx.links.iter().filter(direct).count()
        + relayed(false, |link| !link.dozing)
        + of_others(|link| link.is_admitted() && !link.dozing);
    relayed(false, |_| true) + of_others(Link::is_admitted) < limits::CIRCUITS
        && neighbours < limits::CIRCUITS_ENOUGH
}

/// The relayed links to peers that we were linked to directly later, and until when they stay.
fn outlived(cx: &Cx) -> impl Iterator<Item = (LinkId, Time)> {
    cx.links.iter().filter(|link| link.relayed && link.is_admitted()).filter_map(|link| {
        let is_direct = |other: &&Link| !other.relayed && other.peer == link.peer;
        let direct =
            |other: &&Link| is_direct(other) && other.is_active() && other.since() >= link.since();
        let direct = cx.links.iter().find(direct)?;
        Some((link.id, direct.since().after(limits::CIRCUIT_LINGERS)))
    })
}

/// Whether a direct link failed in a way that a relayed one would not. (A transport is mistaken of a TURN server
/// alone.)
const fn is_for_want_of_a_path(cause: &Disconnect) -> bool {
    use LinkFailure::{Mistaken, Transport, Unreachable};
    matches!(
        cause,
        Disconnect::DialTimeout | Disconnect::Link(Unreachable(_) | Transport(_) | Mistaken { .. })
    )
}

fn say(cx: &mut Cx, signallers: &mut Signallers, via: LinkId, peer: PeerId, part: CircuitPart) {
    signallers.tell(cx, via, &ToSignaller::Circuit(CircuitFrame { peer, part }));
}

#[cfg(test)]
mod tests;
