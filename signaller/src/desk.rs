//! What a signaller does, without any IO: clients' messages and the time in, answers out.

mod allowance;
mod api;
mod circuits;
mod client;
mod clients;
mod config;
mod costs;
mod introductions;
mod joins;
mod offences;
mod outputs;
mod pool;
mod relaying;
mod rendezvous;
mod renewal;
mod signals;
mod turn;
mod view;

use core::time::Duration;
use std::net::IpAddr;

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng};
use taiinet_document::Network;
use taiinet_identity::{Identity, PeerId};
use taiinet_mesh::{
    Reputation, Time, limits as mesh_limits,
    session::Declined,
    wire::{FromSignaller, RefusalReason, ToSignaller, codec},
};

use crate::{Admission, limits, parting::Parting, pool::Pool, refused::Refused};
pub use api::{ClientId, DeskInput, DeskOutput, DeskStatus};
use circuits::Circuits;
use clients::Clients;
pub use config::{Budgets, DeskConfig, JoinWork, Relaying};
use outputs::Outputs;
pub use outputs::Unsealed;
pub use turn::Turn;

/// A signaller, without any IO.
#[derive(Debug)]
pub struct Desk {
    identity: Identity,
    config: DeskConfig,
    rng: ChaCha12Rng,
    clients: Clients,
    circuits: Circuits,
    outputs: Outputs,
    next_check: Time,
    counters: DeskStatus,
    admission: Option<Box<dyn Admission>>,
    reputation: Reputation,
    pool: Option<Pool>,
}

impl Desk {
    /// A desk that opens now. `seed` feeds its generator, which chooses challenges and the
    /// clients to introduce.
    pub fn new(identity: Identity, mut config: DeskConfig, seed: [u8; 32], now: Time) -> Self {
        let mut rng = ChaCha12Rng::from_seed(seed);
        let mut pool_seed = [0; 32];
        rng.fill_bytes(&mut pool_seed);
        if let Some(relaying) = &config.relaying {
            config.budgets = config.budgets.relaying(relaying);
        }
        let direct = config.pool.clone();
        let pool = direct.map(|direct| Pool::new(identity.clone(), direct, pool_seed, now));
        Self {
            identity,
            circuits: Circuits::new(config.relaying.as_ref(), now),
            config,
            rng,
            clients: Clients::default(),
            outputs: Outputs::default(),
            next_check: now.after(limits::CHECK_EVERY),
            counters: DeskStatus::default(),
            admission: None,
            reputation: Reputation::default(),
            pool,
        }
    }

    /// The same desk, at which only those may join that this admits.
    #[must_use]
    pub fn with_admission(mut self, admission: Box<dyn Admission>) -> Self {
        self.admission = Some(admission);
        self
    }

    /// Closes every client that has joined, and every member of our pool, that is not admitted any more.
    /// Call it when what the admission says has changed.
    pub fn recheck(&mut self, now: Time) {
        let names = self.clients.peers();
        let gone = names
            .filter(|((network, peer), _)| !self.serves(network) || !self.admits(peer, network));
        let gone: Vec<ClientId> = gone.map(|(_, client)| client).collect();
        for client in gone {
            self.refuse(client, Refused::NotAdmitted, now);
        }
        if let Some(pool) = &mut self.pool {
            let admission = self.admission.as_ref();
            pool.recheck(|member| admission.is_none_or(|list| list.admits_member(member)), now);
        }
        self.drain_pool(now);
    }

    fn admits(&self, peer: &PeerId, network: &Network) -> bool {
        self.admission.as_ref().is_none_or(|admission| admission.admits(peer, network))
    }

    /// Its key, by which peers and other signallers know it.
    pub fn id(&self) -> PeerId {
        self.identity.peer_id()
    }

    /// Takes what happened.
    pub fn handle(&mut self, input: DeskInput, now: Time) {
        match input {
            DeskInput::Connected { client, address } => self.connected(client, address, now),
            DeskInput::Message { client, bytes } => self.message(client, bytes, now),
            DeskInput::Disconnected { client } => {
                self.outputs.forget(client);
                self.forget(client, now);
            }
            DeskInput::CrowdedOut { client } => {
                if self.clients.get_mut(client).is_some() {
                    self.refuse(client, Refused::Connections, now);
                }
            }
            DeskInput::Pool(input) => {
                if let Some(pool) = &mut self.pool {
                    pool.handle(input, now);
                }
            }
            DeskInput::Drain => {
                for client in self.clients.ids() {
                    self.tell_refusal(client, RefusalReason::Leaving, limits::RETRY_AFTER);
                    self.close(client, Parting::Stopping, now);
                }
                if let Some(pool) = &mut self.pool {
                    pool.leave(now);
                }
            }
        }
        self.drain_pool(now);
    }

    /// Closes what fell silent or is out of its time; call it when [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Time) {
        self.tick_pool(now);
        self.pay_circuits(now);
        if now < self.next_check {
            return;
        }
        self.next_check = now.after(limits::CHECK_EVERY);
        for client in self.clients.late(now) {
            self.close(client, Parting::Refused, now);
        }
        self.end_late_circuits(now);
        self.clients.sweep(now);
        if let Some(pool) = &mut self.pool {
            pool.expire(now);
        }
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Time> {
        let has_work = self.clients.len() > 0 || self.pool.is_some();
        let check = has_work.then_some(self.next_check);
        let pool = self.pool.as_ref().and_then(Pool::poll_timeout);
        [check, pool, self.circuits.poll_timeout()].into_iter().flatten().min()
    }

    /// What to do next; call it until it is `None` after each other call.
    pub fn poll_output(&mut self) -> Option<DeskOutput> {
        self.outputs.poll()
    }

    /// As [`Self::poll_output`], but frames are not sealed yet: for tests of a signaller that says
    /// other things than this desk.
    #[doc(hidden)]
    pub fn poll_unsealed(&mut self) -> Option<Unsealed> {
        self.outputs.poll_unsealed()
    }

    /// Seals a frame in a client's session.
    #[doc(hidden)]
    pub fn seal(&mut self, client: ClientId, frame: &[u8]) -> Option<Vec<u8>> {
        self.outputs.seal(client, frame)
    }

    /// A picture of it.
    pub fn status(&self, now: Time) -> DeskStatus {
        let (pool, relaying) = (self.pool.as_ref(), self.config.relaying.as_ref());
        DeskStatus {
            clients: self.clients.len(),
            joined: self.clients.joined(),
            circuits: self.circuits.len(),
            circuits_limit: relaying.map_or(0, |relaying| relaying.circuits),
            circuit_bytes_limit: relaying.map_or(0, |relaying| relaying.bytes_per_second),
            networks: self.clients.networks(),
            blacklisted: self.reputation.blacklist(now).len()
                + pool.map_or(0, |pool| pool.blacklisted(now)),
            members: pool.map_or(0, |pool| pool.members().len()),
            remote: pool.map_or(0, Pool::presences),
            relayed: pool.map_or(0, Pool::relayed),
            ..self.counters.clone()
        }
    }

    /// How many links to other signallers ended because of what those did, so far.
    pub fn misbehaved(&self) -> u64 {
        self.pool.as_ref().map_or(0, Pool::misbehaved)
    }

    // ---- Connections ----

    fn connected(&mut self, id: ClientId, address: IpAddr, now: Time) {
        if !self.clients.connect(id, address, &self.config, now) {
            self.count(Refused::Connections);
            self.tell_refusal(id, RefusalReason::Full, limits::FULL_RETRY_AFTER);
            self.outputs.push_back(DeskOutput::Close { client: id, why: Parting::Full });
        }
    }

    fn forget(&mut self, id: ClientId, now: Time) {
        if let Some(presence) = self.clients.presence(id) {
            self.end_circuits_of(id, presence.signer());
        }
        if let Some((network, peer)) = self.clients.remove(id, now)
            && let Some(pool) = &mut self.pool
        {
            pool.left(network, peer, now);
        }
    }

    fn close(&mut self, client: ClientId, why: Parting, now: Time) {
        self.forget(client, now);
        self.outputs.push_back(DeskOutput::Close { client, why });
    }

    // ---- Messages ----

    fn message(&mut self, id: ClientId, bytes: Vec<u8>, now: Time) {
        let Some(client) = self.clients.get_mut(id) else { return };
        client.heard = now;
        // A client that goes on after its budget is spent is not told each time.
        if !client.frames.take(1, now) {
            self.count(Refused::Flood);
            self.charge(id, Refused::Flood, now);
            self.close(id, Refused::Flood.parting(), now);
            return;
        }
        if let Err(refused) = self.take(id, bytes, now) {
            self.refuse(id, refused, now);
        }
    }

    /// Takes a message. Its cost is charged before anything of it is read; but it is opened in any case,
    /// which is cheap: a session that has missed one opens none that follow.
    fn take(&mut self, id: ClientId, sealed: Vec<u8>, now: Time) -> Result<(), Refused> {
        if sealed.len() > mesh_limits::WIRE_BYTES {
            return Err(Refused::Undecodable);
        }
        let opened = self.outputs.open(id, &sealed);
        self.clients.spend(id, costs::frame(sealed.len()), now)?;
        let Some(opened) = opened else { return self.open_session(id, &sealed, now) };
        let message = opened.map_err(|_| Refused::Session)?;
        let frame = ToSignaller::read(&message).map_err(|_| Refused::Undecodable)?;
        // What a later version says is skipped, at its cost.
        let Some(frame) = frame else { return Ok(()) };
        match frame {
            ToSignaller::Join { presence, work } => self.join(id, presence, work, now),
            ToSignaller::Introduce { want } => self.introduce(id, want, now),
            ToSignaller::IntroduceFor { want, key } => self.introduce_for(id, (want, key), now),
            ToSignaller::Signal(signal) => self.signal(id, signal, message, now),
            ToSignaller::Circuit(frame) => self.circuit(id, frame, now),
            ToSignaller::Ping(number) => {
                self.say(id, &FromSignaller::Pong(number));
                Ok(())
            }
            ToSignaller::Leave => {
                self.close(id, Parting::Left, now);
                Ok(())
            }
        }
    }

    // ---- Answers ----

    fn say(&mut self, client: ClientId, frame: &FromSignaller) {
        self.outputs.say(client, codec::encode(frame));
    }

    fn tell_refusal(&mut self, client: ClientId, reason: RefusalReason, retry_after: Duration) {
        let retry_after_ms = u32::try_from(retry_after.as_millis()).unwrap_or(u32::MAX);
        if self.outputs.has_session(client) {
            self.say(client, &FromSignaller::Refused { reason, retry_after_ms });
        } else {
            // That much can be said without one.
            let bytes = Declined { reason, retry_after_ms }.encode();
            self.outputs.push_back(DeskOutput::Send { client, bytes });
        }
    }

    fn count(&mut self, refused: Refused) {
        *self.counters.refused.entry(refused).or_default() += 1;
    }

    fn refuse(&mut self, client: ClientId, refused: Refused, now: Time) {
        self.count(refused);
        self.charge(client, refused, now);
        let retry_after = match refused {
            Refused::Connections | Refused::Joins | Refused::Blacklisted => {
                limits::FULL_RETRY_AFTER
            }
            _ => limits::RETRY_AFTER,
        };
        self.tell_refusal(client, refused.reason(), retry_after);
        let stays = match refused {
            // There is no session, and a client that was told so opens none on this connection.
            _ if !self.outputs.has_session(client) => false,
            Refused::TooOften => true,
            // A client that goes on although it was told to wait makes work, if only for the answers.
            Refused::OverBudget => {
                self.clients.get_mut(client).is_some_and(|client| client.overdrafts.take(1, now))
            }
            _ => false,
        };
        if !stays {
            self.close(client, refused.parting(), now);
        }
    }
}

#[cfg(test)]
mod tests;
