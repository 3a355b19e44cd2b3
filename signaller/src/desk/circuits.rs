//! Links that are relayed between two clients of one network, where its operator allows that.
//!
//! A circuit is asked for by one client and agreed to by the other; what it carries then is sealed in a session of
//! the two, and is nothing to us but so many bytes. Nothing of it is kept here: what one says goes at once into
//! what waits for the other, and each may have only so much on its way ([`CIRCUIT_WINDOW`]). The other end says
//! what it took, and that is passed back when the quotas allow it: so they slow a client down, and nothing is lost.
//! A first window is paid for when a circuit is opened, that none gets more by opening many.

use std::collections::{BTreeMap, VecDeque};

use taiinet_identity::PeerId;
use taiinet_mesh::{
    Budget, Time,
    limits::{CIRCUIT_MESSAGE_BYTES, CIRCUIT_WINDOW, WIRE_BYTES},
    wire::{CircuitFrame, CircuitPart, FromSignaller, codec},
};

use super::{Desk, config::Relaying, costs};
use crate::{ClientId, addresses::Ranges, limits, refused::Refused};

/// How far a circuit is, for one of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has asked for it.
    Asking,
    /// It is asked for it.
    Asked,
    /// Both have agreed.
    Open,
}

/// One direction of a circuit.
#[derive(Debug)]
struct Way {
    stage: Stage,
    /// Where the one comes from that asked for the circuit.
    of: Ranges,
    /// What was passed on and its sender was not told to be taken.
    outstanding: usize,
    /// Of that, what was taken: the quotas are in its way.
    owed: usize,
    /// When its sender said something last.
    heard: Time,
}

/// The ways from one client to another.
type Name = (ClientId, ClientId);

/// The circuits that there are.
#[derive(Debug)]
pub(super) struct Circuits {
    /// Two ways for each.
    ways: BTreeMap<Name, Way>,
    /// Those whose sender waits to be told what was taken.
    owing: VecDeque<Name>,
    pay_at: Time,
    /// What all may still say.
    bytes: Budget,
}

impl Circuits {
    pub(super) fn new(relaying: Option<&Relaying>, now: Time) -> Self {
        let bytes = relaying.map_or((0, 0), Relaying::bytes);
        Self {
            ways: BTreeMap::new(),
            owing: VecDeque::new(),
            pay_at: now,
            bytes: Budget::new(bytes, now),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ways.len() / 2
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        (!self.owing.is_empty()).then_some(self.pay_at)
    }

    /// The other ends of a client's circuits.
    fn others(&self, client: ClientId) -> impl Iterator<Item = (ClientId, &Way)> {
        let (first, last) = ((client, 0.into()), (client, u64::MAX.into()));
        self.ways.range(first..=last).map(|((_, other), way)| (*other, way))
    }

    fn count(&self, client: ClientId, asked: bool) -> usize {
        self.others(client).filter(|(_, way)| (way.stage == Stage::Asked) == asked).count()
    }

    /// Whether another may be opened from one client to another.
    fn has_room(&self, from: ClientId, of: Ranges, to: ClientId, relaying: &Relaying) -> bool {
        let each = relaying.circuits_per_peer;
        let site = (relaying.circuits / limits::CIRCUITS_SHARE).max(each);
        let of_site = |way: &&Way| way.stage != Stage::Asked && way.of.narrow() == of.narrow();
        self.len() < relaying.circuits
            && self.count(from, false) < each
            && self.count(to, false) < each
            // Strangers that only ask leave room for others.
            && self.count(to, true) < 2 * each
            && self.ways.values().filter(of_site).count() < 2 * site
    }

    fn open(&mut self, (from, to): Name, of: Ranges, now: Time) {
        let way = |stage| Way { stage, of, outstanding: 0, owed: 0, heard: now };
        self.ways.insert((from, to), way(Stage::Asking));
        self.ways.insert((to, from), way(Stage::Asked));
    }

    fn close(&mut self, (from, to): Name) {
        self.ways.remove(&(to, from));
        self.ways.remove(&(from, to));
    }

    /// Those over which nothing has come for too long, or that were not agreed to in time.
    fn late(&self, now: Time) -> Vec<Name> {
        let late = self.ways.iter().filter(|((from, to), way)| {
            let heard = self.ways.get(&(*to, *from)).map_or(way.heard, |other| other.heard);
            let limit = match way.stage {
                Stage::Open => limits::CIRCUIT_IDLE,
                Stage::Asking | Stage::Asked => limits::JOIN_TIMEOUT,
            };
            from < to && way.heard.max(heard).after(limit) <= now
        });
        late.map(|(name, _)| *name).collect()
    }
}

impl Desk {
    /// A client says something of a circuit.
    pub(super) fn circuit(
        &mut self,
        id: ClientId,
        frame: CircuitFrame,
        now: Time,
    ) -> Result<(), Refused> {
        let CircuitFrame { peer, part } = frame;
        let presence = self.clients.presence(id).ok_or(Refused::OutOfTurn)?;
        let (me, network) = (presence.signer(), presence.network.clone());
        if part.carries().is_some_and(|bytes| bytes > WIRE_BYTES + CIRCUIT_MESSAGE_BYTES) {
            return Err(Refused::Undecodable);
        }
        let other = self.clients.of_peer(&(network, peer)).filter(|other| *other != id);
        if let CircuitPart::Open(_) = part {
            match self.may_open(id, other, now)? {
                Ok(Some(other)) => self.pass_on(other, me, part),
                // The other has asked first, and hears of that what it needs to agree.
                Ok(None) => {}
                Err(why) => {
                    self.count(why);
                    self.tell_end(id, peer, why);
                }
            }
            return Ok(());
        }
        // What was said of a circuit that is over meanwhile is no fault.
        let Some(other) = other else { return Ok(()) };
        let Some(way) = self.circuits.ways.get_mut(&(id, other)) else { return Ok(()) };
        let stage = way.stage;
        way.heard = now;
        match part {
            CircuitPart::Accept(_) if stage == Stage::Asked => {
                if !self.pay_window(id, now) {
                    self.end_circuit((id, other), Refused::Quota);
                    return Ok(());
                }
                for name in [(id, other), (other, id)] {
                    if let Some(way) = self.circuits.ways.get_mut(&name) {
                        way.stage = Stage::Open;
                    }
                }
                self.counters.circuits_opened += 1;
                self.carry((id, other), me, part, now);
            }
            CircuitPart::Message(_) if stage == Stage::Open => {
                self.carry((id, other), me, part, now);
            }
            CircuitPart::Took(bytes) if stage == Stage::Open => {
                return self.took((other, id), bytes as usize, now);
            }
            CircuitPart::End(_) => {
                self.circuits.close((id, other));
                self.pass_on(other, me, part);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a client may open a circuit: to whom; none if the other has asked for one.
    fn may_open(
        &mut self,
        id: ClientId,
        other: Option<ClientId>,
        now: Time,
    ) -> Result<Result<Option<ClientId>, Refused>, Refused> {
        let Some(relaying) = self.config.relaying.clone() else { return Ok(Err(Refused::NoRelay)) };
        let Some(other) = other else { return Ok(Err(Refused::Absent)) };
        match self.circuits.ways.get(&(id, other)).map(|way| way.stage) {
            Some(Stage::Asked) => return Ok(Ok(None)),
            Some(Stage::Asking | Stage::Open) => return Err(Refused::OutOfTurn),
            None => {}
        }
        let Some(of) = self.clients.get_mut(id).map(|client| client.ranges) else {
            return Ok(Err(Refused::Absent));
        };
        if !self.circuits.has_room(id, of, other, &relaying) {
            return Ok(Err(Refused::Circuits));
        }
        if !self.pay_window(id, now) {
            return Ok(Err(Refused::Quota));
        }
        self.circuits.open((id, other), of, now);
        Ok(Ok(Some(other)))
    }

    /// Pays for what a client may say before anything is taken.
    fn pay_window(&mut self, id: ClientId, now: Time) -> bool {
        let Some(client) = self.clients.get_mut(id) else { return false };
        self.circuits.bytes.has(CIRCUIT_WINDOW, now)
            && client.allowance.relayed.take(CIRCUIT_WINDOW, now)
            && self.circuits.bytes.take(CIRCUIT_WINDOW, now)
    }

    /// Passes on a message of an open circuit, if its sender has kept to the window.
    fn carry(&mut self, name: Name, me: PeerId, part: CircuitPart, now: Time) {
        let bytes = part.carries().unwrap_or(0);
        let Some(way) = self.circuits.ways.get_mut(&name) else { return };
        // One message more may be a farewell.
        if way.outstanding >= CIRCUIT_WINDOW + WIRE_BYTES + CIRCUIT_MESSAGE_BYTES {
            self.end_circuit(name, Refused::Window);
            return;
        }
        way.outstanding += bytes;
        if self.clients.spend(name.0, costs::frame(bytes), now).is_err() {
            self.end_circuit(name, Refused::Quota);
            return;
        }
        let message = bytes - CIRCUIT_MESSAGE_BYTES;
        self.counters.circuit_bytes += u64::try_from(message).unwrap_or(u64::MAX);
        self.pass_on(name.1, me, part);
    }

    /// So many bytes that came this way were taken.
    fn took(&mut self, name: Name, bytes: usize, now: Time) -> Result<(), Refused> {
        let Some(way) = self.circuits.ways.get_mut(&name) else { return Ok(()) };
        let owed = way.owed.checked_add(bytes).filter(|owed| *owed <= way.outstanding);
        let before = core::mem::replace(&mut way.owed, owed.ok_or(Refused::OutOfTurn)?);
        if before == 0 {
            let is_first = self.circuits.owing.is_empty();
            self.circuits.owing.push_back(name);
            if is_first {
                self.circuits.pay_at = now;
            }
        }
        Ok(())
    }

    /// Tells senders what was taken, in turns, as far as the quotas go.
    pub(super) fn pay_circuits(&mut self, now: Time) {
        if self.circuits.owing.is_empty() || now < self.circuits.pay_at {
            return;
        }
        for _ in 0..self.circuits.owing.len() {
            let Some(name) = self.circuits.owing.pop_front() else { break };
            let Some(way) = self.circuits.ways.get_mut(&name) else { continue };
            let (from, to) = name;
            // A window at most, whatever was taken: each has its turn.
            let bytes = way.owed.min(CIRCUIT_WINDOW);
            let Some(client) = self.clients.get_mut(from) else { continue };
            if self.circuits.bytes.has(bytes, now) && client.allowance.relayed.take(bytes, now) {
                self.circuits.bytes.take(bytes, now);
                way.owed -= bytes;
                way.outstanding -= bytes;
                let rest = way.owed;
                if let Some(peer) = self.name_of(to) {
                    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                    self.pass_on(from, peer, CircuitPart::Took(bytes));
                }
                if rest == 0 {
                    continue;
                }
            }
            self.circuits.owing.push_back(name);
        }
        self.circuits.pay_at = now.after(limits::CIRCUIT_PACE);
    }

    /// Ends those that are not used.
    pub(super) fn end_late_circuits(&mut self, now: Time) {
        for name in self.circuits.late(now) {
            self.end_circuit(name, Refused::Idle);
        }
    }

    /// A client has gone, under this name, and with it its circuits.
    pub(super) fn end_circuits_of(&mut self, client: ClientId, peer: PeerId) {
        let others: Vec<ClientId> = self.circuits.others(client).map(|(other, _)| other).collect();
        for other in others {
            self.circuits.close((client, other));
            self.tell_end(other, peer, Refused::Absent);
        }
    }

    /// Ends a circuit, and tells both.
    fn end_circuit(&mut self, name: Name, why: Refused) {
        self.count(why);
        self.circuits.close(name);
        for (client, other) in [name, (name.1, name.0)] {
            if let Some(peer) = self.name_of(other) {
                self.tell_end(client, peer, why);
            }
        }
    }

    fn name_of(&self, client: ClientId) -> Option<PeerId> {
        self.clients.presence(client).map(|presence| presence.signer())
    }

    fn tell_end(&mut self, client: ClientId, peer: PeerId, why: Refused) {
        self.pass_on(client, peer, CircuitPart::End(why.reason()));
    }

    fn pass_on(&mut self, client: ClientId, peer: PeerId, part: CircuitPart) {
        let frame = FromSignaller::Circuit(CircuitFrame { peer, part });
        self.outputs.say(client, codec::encode(&frame));
    }
}
