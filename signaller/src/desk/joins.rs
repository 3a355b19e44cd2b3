//! How a client proves its name.

use rand_core::Rng as _;
use taiinet_identity::{Domain, Signed};
use taiinet_mesh::{
    SignallerAddress, Time,
    session::{self, Purpose},
    wire::{FromSignaller, POOL, Presence, RefusalReason, VERSION, Welcome, codec},
    work,
};

use super::{Desk, api::DeskOutput, client::Stage, costs};
use crate::{ClientId, limits, parting::Parting, refused::Refused};

impl Desk {
    /// Takes the first message of a connection: makes a session, and says in it who we are. What is
    /// signed is the session's hash, and with it the address that was dialled.
    pub(super) fn open_session(
        &mut self,
        id: ClientId,
        message: &[u8],
        now: Time,
    ) -> Result<(), Refused> {
        let opening = session::opening(message).map_err(|_| Refused::Undecodable)?;
        let ours = |ours: &String| SignallerAddress::is_same(ours, &opening.dialled);
        if self.config.known_as.as_ref().is_some_and(|known| !known.iter().any(ours)) {
            return Err(Refused::Address);
        }
        self.clients.spend(id, costs::SESSION + costs::SIGN, now)?;
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let accepted = session::accept(Purpose::Client, message, seed);
        let (session, answer) = accepted.map_err(|_| Refused::Undecodable)?;
        let challenge = *session.hash();
        self.outputs.push_back(DeskOutput::Send { client: id, bytes: answer });
        self.outputs.begin(id, session);
        if opening.version != VERSION {
            return Err(Refused::Version);
        }
        let work = if self.clients.len() >= self.config.work.from_clients {
            self.config.work.bits
        } else {
            0
        };
        let Some(client) = self.clients.get_mut(id) else { return Ok(()) };
        client.stage = Stage::Challenged { challenge, work, since: now };
        let welcome = Welcome {
            signaller: self.identity.peer_id(),
            signature: self.identity.sign(Domain::Welcome, &challenge),
            ice_servers: self.config.ice_servers.clone(),
            work,
        };
        self.say(id, &FromSignaller::Welcome(welcome));
        Ok(())
    }

    /// Takes a join, for the first time or again. All that is cheap is checked before the signature.
    pub(super) fn join(
        &mut self,
        id: ClientId,
        presence: Signed<Presence>,
        work: u64,
        now: Time,
    ) -> Result<(), Refused> {
        let Some(client) = self.clients.get_mut(id) else { return Ok(()) };
        if !client.joins.take(1, now) {
            return Err(Refused::TooOften);
        }
        let challenge = client.challenge().ok_or(Refused::OutOfTurn)?;
        let body = Presence::peek(&presence).map_err(|_| Refused::Undecodable)?;
        let answers = body.joined.is_some_and(|joined| {
            joined.signaller == self.identity.peer_id() && joined.challenge == challenge
        });
        if !answers {
            return Err(Refused::Challenge);
        }
        let off = now.since(body.issued_at.into()).max(Time::from(body.issued_at).since(now));
        if off > limits::CLOCKS_AGREE {
            let clock = FromSignaller::Clock(now.timestamp());
            self.outputs.say(id, codec::encode(&clock));
        }
        if !body.is_in_time(now) {
            return Err(Refused::OutOfTime);
        }
        if let Stage::Challenged { work: bits, .. } = client.stage
            && !work::is_done(&challenge, &presence.signer(), bits, work)
        {
            return Err(Refused::Work);
        }
        if body.network.as_str() == POOL {
            return Err(Refused::Network);
        }
        if !self.serves(&body.network) {
            return Err(Refused::Network);
        }
        if !self.admits(&presence.signer(), &body.network) {
            return Err(Refused::NotAdmitted);
        }
        if self.reputation.is_blacklisted(&presence.signer(), now) {
            return Err(Refused::Blacklisted);
        }
        // Neither the network nor the name may change on a connection.
        let earlier = self.clients.presence(id);
        let again = earlier.is_some();
        if earlier.is_some_and(|earlier| {
            earlier.network != body.network || earlier.signer() != presence.signer()
        }) {
            return Err(Refused::OutOfTurn);
        }
        if !self.clients.has_room(id, &(body.network, presence.signer())) {
            return Err(Refused::Joins);
        }
        self.clients.spend(id, costs::VERIFY, now)?;
        let presence = presence.verify().map_err(|_| Refused::Signature)?;
        self.counters.joins += 1;
        if let Some(pool) = &mut self.pool {
            pool.joined(&presence, now);
        }
        let peer = presence.signer();
        if let Some(older) = self.clients.join(id, presence, challenge, now) {
            self.end_circuits_of(older, peer);
            self.tell_refusal(older, RefusalReason::AlreadyLinked, limits::RETRY_AFTER);
            self.close(older, Parting::Refused, now);
        }
        if let Some(relaying) = self.config.relaying.as_ref().filter(|_| !again) {
            let circuits = u8::try_from(relaying.circuits_per_peer).unwrap_or(u8::MAX);
            self.say(id, &FromSignaller::Relays(circuits));
        }
        self.say(id, &FromSignaller::Joined);
        if let Some(turn) = &self.config.turn {
            let servers = turn.servers(&peer, now);
            self.say(id, &FromSignaller::Turn(servers));
        }
        if !again {
            if let Some(client) = self.clients.get_mut(id) {
                self.counters.joins_took.observe(now.since(client.came));
            }
            self.tell_of_others(id, now);
        }
        Ok(())
    }
}
