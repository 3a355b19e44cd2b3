//! What clients say of circuits, and what is said to them.

use taiinet_identity::PeerId;
use taiinet_mesh::{
    Time,
    limits::{CIRCUIT_MESSAGE_BYTES, CIRCUIT_WINDOW, WIRE_BYTES},
    session::OPENING_BYTES,
    wire::{CircuitFrame, CircuitPart, FromSignaller, codec},
};

use super::{
    Desk,
    circuits::{Name, Stage},
    costs,
};
use crate::{ClientId, refused::Refused};

/// What becomes of a client's asking for a circuit.
enum Asks {
    /// It is opened, if this one agrees.
    Opens(ClientId),
    /// The other has asked first, and the client hears of that what it needs to agree.
    IsAsked,
    /// There is none.
    Declined(Refused),
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
        let most = match part {
            // What makes a session is short.
            CircuitPart::Open(_) | CircuitPart::Accept(_) => OPENING_BYTES,
            _ => WIRE_BYTES,
        };
        if part.carries().is_some_and(|bytes| bytes > most + CIRCUIT_MESSAGE_BYTES) {
            return Err(Refused::Undecodable);
        }
        let other = self.clients.of_peer(&(network, peer)).filter(|other| *other != id);
        if let CircuitPart::Open(_) = part {
            match self.asks(id, other, now)? {
                Asks::Opens(other) => self.pass_on(other, me, part),
                Asks::IsAsked => {}
                Asks::Declined(why) => {
                    self.count(why);
                    self.tell_end(id, peer, why);
                }
            }
            return Ok(());
        }
        // What was said of a circuit that is over meanwhile is no fault.
        let Some(other) = other else { return Ok(()) };
        let name = (id, other);
        match (part, self.circuits.stage(name)) {
            (part @ CircuitPart::Accept(_), Some(Stage::Asked)) => {
                let relaying = self.config.relaying.as_ref();
                if !relaying.is_some_and(|relaying| self.circuits.may_agree(id, relaying)) {
                    self.end_circuit(name, Refused::Circuits, now);
                    return Ok(());
                }
                self.circuits.agree(name, now);
                self.counters.circuits_opened += 1;
                self.carry(name, me, part, now);
            }
            (part @ CircuitPart::Message(_), Some(Stage::Open)) => {
                self.carry(name, me, part, now);
            }
            (CircuitPart::Took(bytes), Some(Stage::Open)) => {
                return self.circuits.take((other, id), bytes as usize, now);
            }
            (part @ CircuitPart::End(_), Some(Stage::Asking | Stage::Asked | Stage::Open)) => {
                self.circuits.end(name, now);
                self.pass_on(other, me, part);
            }
            _ => {}
        }
        Ok(())
    }

    /// A client asks for a circuit.
    ///
    /// # Errors
    /// [`Refused::OutOfTurn`] if it has asked for it before.
    fn asks(&mut self, id: ClientId, other: Option<ClientId>, now: Time) -> Result<Asks, Refused> {
        let Some(relaying) = &self.config.relaying else {
            return Ok(Asks::Declined(Refused::NoRelay));
        };
        let Some(other) = other else { return Ok(Asks::Declined(Refused::Absent)) };
        match self.circuits.stage((id, other)) {
            Some(Stage::Asked) => return Ok(Asks::IsAsked),
            Some(Stage::Asking | Stage::Open) => return Err(Refused::OutOfTurn),
            Some(Stage::Over) => return Ok(Asks::Declined(Refused::TooOften)),
            None => {}
        }
        let Some(of) = self.clients.get_mut(id).map(|client| client.ranges) else {
            return Err(Refused::OutOfTurn);
        };
        if !self.circuits.has_room(id, of, other, relaying) {
            return Ok(Asks::Declined(Refused::Circuits));
        }
        if !self.clients.get_mut(other).is_some_and(|other| other.asked_of_it.has(1, now)) {
            return Ok(Asks::Declined(Refused::TooOften));
        }
        // Who asks pays at once for what both may say before anything is taken.
        if !self.pay(id, 2 * CIRCUIT_WINDOW, now) {
            return Ok(Asks::Declined(Refused::Quota));
        }
        if let Some(other) = self.clients.get_mut(other) {
            other.asked_of_it.take(1, now);
        }
        self.circuits.open((id, other), of, now);
        Ok(Asks::Opens(other))
    }

    /// Whether the quotas let a client say so much.
    fn pay(&mut self, id: ClientId, bytes: usize, now: Time) -> bool {
        let Some(client) = self.clients.get_mut(id) else { return false };
        let from = client.ranges;
        self.circuits.pay(bytes, from, now, || client.allowance.relayed.take(bytes, now))
    }

    /// Passes on a message of an open circuit.
    fn carry(&mut self, name: Name, me: PeerId, part: CircuitPart, now: Time) {
        let bytes = part.carries().unwrap_or(0);
        if !self.circuits.send(name, bytes, now) {
            self.end_circuit(name, Refused::Window, now);
            return;
        }
        if self.clients.spend(name.0, costs::frame(bytes), now).is_err() {
            self.end_circuit(name, Refused::Quota, now);
            return;
        }
        self.counters.circuit_bytes += bytes.saturating_sub(CIRCUIT_MESSAGE_BYTES) as u64;
        self.pass_on(name.1, me, part);
    }

    /// Tells senders what was taken, in turns, as far as the quotas go.
    pub(super) fn pay_circuits(&mut self, now: Time) {
        for (name, bytes) in self.circuits.due(now) {
            let (from, to) = name;
            let told = if self.pay(from, bytes, now) { bytes } else { 0 };
            self.circuits.told(name, told);
            if let Some(peer) = self.name_of(to).filter(|_| told > 0) {
                let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                self.pass_on(from, peer, CircuitPart::Took(bytes));
            }
        }
    }

    /// Ends those that are not used.
    pub(super) fn end_late_circuits(&mut self, now: Time) {
        for name in self.circuits.late(now) {
            self.end_circuit(name, Refused::Idle, now);
        }
        self.circuits.sweep(now);
    }

    /// A client has gone, under this name, and with it its circuits.
    pub(super) fn end_circuits_of(&mut self, client: ClientId, peer: PeerId) {
        let others: Vec<(ClientId, Stage)> = self.circuits.others(client).collect();
        for (other, stage) in others {
            self.circuits.close((client, other));
            if stage != Stage::Over {
                self.tell_end(other, peer, Refused::Absent);
            }
        }
    }

    /// Ends a circuit, and tells both.
    fn end_circuit(&mut self, name: Name, why: Refused, now: Time) {
        self.count(why);
        self.circuits.end(name, now);
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
