//! How a client proves who it is.

use rand_core::Rng as _;
use taiinet_identity::{Domain, Signed};
use taiinet_mesh::{
    Time,
    frame::{FromSignaller, POOL, Presence, RefusalReason, VERSION, Welcome},
    limits as mesh_limits, work,
};

use super::{Desk, client::Stage, costs};
use crate::{ClientId, limits, refused::Refused};

impl Desk {
    pub(super) fn knock(
        &mut self,
        id: ClientId,
        version: u16,
        nonce: &[u8; 32],
        now: Time,
    ) -> Result<(), Refused> {
        let Some(client) = self.clients.get_mut(id) else { return Ok(()) };
        if !matches!(client.stage, Stage::Connected { .. }) {
            return Err(Refused::OutOfTurn);
        }
        if version != VERSION {
            return Err(Refused::Version);
        }
        self.clients.spend(id, costs::SIGN, now)?;
        let mut challenge = [0; 32];
        self.rng.fill_bytes(&mut challenge);
        let work = if self.clients.len() >= self.config.work.from_clients {
            self.config.work.bits
        } else {
            0
        };
        let Some(client) = self.clients.get_mut(id) else { return Ok(()) };
        client.stage = Stage::Challenged { challenge, work, since: now };
        let transcript = Welcome::transcript(nonce, &challenge);
        let welcome = Welcome {
            signaller: self.identity.peer_id(),
            challenge,
            signature: self.identity.sign(Domain::Welcome, &transcript),
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
        let (issued, expires) = (Time::from(body.issued_at), Time::from(body.expires_at));
        if issued > now.after(mesh_limits::CLOCK_SKEW)
            || expires <= now
            || expires.since(issued) > mesh_limits::PRESENCE_LIFE
        {
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
        if !self.config.networks.is_empty() && !self.config.networks.contains(&body.network) {
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
            self.tell_refusal(older, RefusalReason::AlreadyLinked, limits::RETRY_AFTER);
            self.close(older, now);
        }
        self.say(id, &FromSignaller::Joined);
        if let Some(turn) = &self.config.turn {
            let servers = turn.servers(&peer, now);
            self.say(id, &FromSignaller::Turn(servers));
        }
        if !again {
            self.tell_of_others(id, now);
        }
        Ok(())
    }
}
