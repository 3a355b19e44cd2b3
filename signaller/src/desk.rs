//! What a signaller does, without any IO: clients' messages and the time in, answers out.

mod allowance;
mod client;
mod pool;
mod standing;
mod turn;

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
};

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng};
use taiinet_document::Network;
use taiinet_identity::{Domain, Identity, PeerId, Signed};
use taiinet_mesh::{
    Direct, Input, LinkId, Reputation, Time,
    frame::{
        FromSignaller, POOL, Presence, RefusalReason, Signal, ToSignaller, VERSION, Welcome, codec,
    },
    limits as mesh_limits, work,
};

use crate::{Admission, limits, pool::Pool};
use allowance::Allowance;
pub(crate) use allowance::Shares;
use client::{Client, Stage, prefix};
pub use turn::Turn;

/// Names a connection. The driver chooses it and never uses it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(u64);

impl From<u64> for ClientId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// What happened.
#[derive(Debug, Clone)]
pub enum DeskInput {
    /// A connection was opened.
    Connected {
        /// Its name from now on.
        client: ClientId,
        /// Where it comes from.
        address: IpAddr,
    },
    /// A message arrived: one frame.
    Message {
        /// From whom.
        client: ClientId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A connection is gone.
    Disconnected {
        /// Which.
        client: ClientId,
    },
    /// Something happened to a connection with another signaller, which [`Desk::accept`] or
    /// [`DeskOutput::Dial`] named.
    Pool(Input),
    /// The signaller is going to stop: say so to everybody and close.
    Drain,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskOutput {
    /// Send a message.
    Send {
        /// To whom.
        client: ClientId,
        /// One frame.
        bytes: Vec<u8>,
    },
    /// Close a connection once what was sent to it is out.
    Close {
        /// Which.
        client: ClientId,
    },
    /// Open a connection to another signaller; report [`Input::LinkUp`] or [`Input::LinkDown`].
    Dial {
        /// Its name from now on.
        link: LinkId,
        /// Its address.
        url: String,
    },
    /// Send a message to another signaller; report [`Input::Sent`].
    SendTo {
        /// Over which connection.
        link: LinkId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Close a connection to another signaller once what was sent is out; report [`Input::LinkDown`].
    CloseLink {
        /// Which.
        link: LinkId,
    },
}

/// How a signaller serves.
#[derive(Debug, Clone)]
pub struct DeskConfig {
    /// The networks served; empty for all.
    pub networks: Vec<Network>,
    /// Connections at once.
    pub clients: usize,
    /// Connections at once from one address or prefix.
    pub clients_per_address: usize,
    /// STUN servers that are told to peers, as `stun:HOST:PORT`; `stun::PORT` is this host.
    pub ice_servers: Vec<String>,
    /// What each client may do, at once and each second.
    pub budgets: Budgets,
    /// The work that a join takes.
    pub work: JoinWork,
    /// TURN servers that are told to peers.
    pub turn: Option<Turn>,
    /// How it takes part in a pool of signallers; none: it stands alone.
    pub pool: Option<Direct>,
}

impl Default for DeskConfig {
    fn default() -> Self {
        Self {
            networks: Vec::new(),
            clients: limits::CLIENTS,
            clients_per_address: limits::CLIENTS_PER_ADDRESS,
            ice_servers: Vec::new(),
            budgets: Budgets::default(),
            work: JoinWork::default(),
            turn: None,
            pool: None,
        }
    }
}

/// What one client may do: so much at once, and so much each second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Frames of any kind.
    pub frames: (u32, u32),
    /// Joins, the first and renewals.
    pub joins: (u32, u32),
    /// Introductions.
    pub introductions: (u32, u32),
    /// Signals.
    pub signals: (u32, u32),
    /// Of these, signals for one and the same peer.
    pub signals_to_one: (u32, u32),
    /// Signals from all for one client.
    pub signals_for_one: (u32, u32),
    /// Their bytes.
    pub signal_bytes_for_one: (u32, u32),
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            frames: limits::FRAMES,
            joins: limits::JOINS,
            introductions: limits::INTRODUCTIONS,
            signals: limits::SIGNALS,
            signals_to_one: limits::SIGNALS_TO_ONE,
            signals_for_one: limits::SIGNALS_FOR_ONE,
            signal_bytes_for_one: limits::SIGNAL_BYTES_FOR_ONE,
        }
    }
}

/// The work that joins take (`taiinet_mesh::work`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinWork {
    /// In zero bits: each more doubles it; 20 take about a tenth of a second.
    pub bits: u8,
    /// Asked for while there are so many connections.
    pub from_clients: usize,
}

impl Default for JoinWork {
    /// None, ever.
    fn default() -> Self {
        Self { bits: 0, from_clients: 0 }
    }
}

/// Why something from a client was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refused {
    /// Too many connections, in all or from its address.
    #[error("too many connections")]
    Connections,
    /// Too many networks or presences.
    #[error("too many joins")]
    Joins,
    /// Bytes that are no frame, or too many.
    #[error("no frame")]
    Undecodable,
    /// A frame that has no place at this point.
    #[error("out of turn")]
    OutOfTurn,
    /// Another version of the protocol.
    #[error("another version")]
    Version,
    /// A join that does not answer this connection's challenge.
    #[error("a join for another signaller or connection")]
    Challenge,
    /// A join whose times do not hold.
    #[error("a join out of its time")]
    OutOfTime,
    /// A join without the work that was asked for.
    #[error("a join without its work")]
    Work,
    /// A join whose signature does not hold.
    #[error("a join with an invalid signature")]
    Signature,
    /// A network that is not served.
    #[error("a network that is not served")]
    Network,
    /// A peer or network that the operator does not admit.
    #[error("a peer or network that is not admitted")]
    NotAdmitted,
    /// A signal in somebody else's name, or for another network.
    #[error("a signal in a false name")]
    FalseName,
    /// A signal that another signaller has passed on before.
    #[error("a signal that came before")]
    Replayed,
    /// A peer that misbehaved here, and is blacklisted for a while.
    #[error("a peer that is blacklisted")]
    Blacklisted,
    /// Frames without end.
    #[error("a flood of frames")]
    Flood,
    /// More than its budget.
    #[error("too often")]
    TooOften,
}

impl Refused {
    /// What the client is told.
    const fn reason(self) -> RefusalReason {
        match self {
            Self::Connections | Self::Joins => RefusalReason::Full,
            Self::Version => RefusalReason::Version,
            Self::Network | Self::NotAdmitted => RefusalReason::Network,
            Self::Blacklisted => RefusalReason::NotAdmitted,
            Self::TooOften => RefusalReason::TooOften,
            _ => RefusalReason::Invalid,
        }
    }
}

/// A picture of a desk at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeskStatus {
    /// Connections.
    pub clients: usize,
    /// Peers that have joined.
    pub joined: usize,
    /// Their networks.
    pub networks: usize,
    /// Joins that held, so far.
    pub joins: u64,
    /// Presences told, so far.
    pub introductions: u64,
    /// Signals passed on, so far.
    pub signals: u64,
    /// Signals for peers that are not here, so far.
    pub unreachable: u64,
    /// Peers that are blacklisted now.
    pub blacklisted: usize,
    /// How often a peer was blacklisted, so far.
    pub blacklistings: u64,
    /// Other signallers of the pool that are linked.
    pub members: usize,
    /// Presences of their clients.
    pub remote: usize,
    /// Signals passed on to other signallers, so far.
    pub relayed: u64,
    /// What other signallers said that was refused, so far.
    pub refused_of_pool: BTreeMap<Refused, u64>,
    /// What was refused, so far.
    pub refused: BTreeMap<Refused, u64>,
}

/// Who is in a network.
#[derive(Debug)]
struct Members {
    clients: Vec<ClientId>,
    /// From where the first of them came.
    opened_from: IpAddr,
}

/// What is counted of an address.
#[derive(Debug, Default)]
struct Address {
    connections: usize,
    /// Networks that were opened from there.
    networks: usize,
}

impl Address {
    const fn is_of_no_use(&self) -> bool {
        self.connections == 0 && self.networks == 0
    }
}

/// A signaller, without any IO.
#[derive(Debug)]
pub struct Desk {
    identity: Identity,
    config: DeskConfig,
    rng: ChaCha12Rng,
    clients: BTreeMap<ClientId, Client>,
    by_peer: BTreeMap<(Network, PeerId), ClientId>,
    networks: BTreeMap<Network, Members>,
    addresses: BTreeMap<IpAddr, Address>,
    /// What is left to peers that have left.
    allowances: BTreeMap<PeerId, Allowance>,
    outputs: VecDeque<DeskOutput>,
    next_check: Time,
    counters: DeskStatus,
    admission: Option<Box<dyn Admission>>,
    reputation: Reputation,
    pool: Option<Pool>,
}

impl Desk {
    /// A desk that opens now. `seed` feeds its generator, which chooses challenges and whom to
    /// introduce.
    pub fn new(identity: Identity, config: DeskConfig, seed: [u8; 32], now: Time) -> Self {
        let mut rng = ChaCha12Rng::from_seed(seed);
        let mut pool_seed = [0; 32];
        rng.fill_bytes(&mut pool_seed);
        let direct = config.pool.clone();
        let pool = direct.map(|direct| Pool::new(identity.clone(), direct, pool_seed, now));
        Self {
            identity,
            config,
            rng,
            clients: BTreeMap::new(),
            by_peer: BTreeMap::new(),
            networks: BTreeMap::new(),
            addresses: BTreeMap::new(),
            allowances: BTreeMap::new(),
            outputs: VecDeque::new(),
            next_check: now.after(limits::CHECK_EVERY),
            counters: DeskStatus::default(),
            admission: None,
            reputation: Reputation::default(),
            pool,
        }
    }

    /// The same desk, at which only those may join whom this admits.
    #[must_use]
    pub fn with_admission(mut self, admission: Box<dyn Admission>) -> Self {
        self.admission = Some(admission);
        self
    }

    /// Closes whoever has joined, or is of our pool, and is not admitted any more. Call it when what the admission says
    /// has changed.
    pub fn recheck(&mut self, now: Time) {
        let names = self.by_peer.iter();
        let gone = names.filter(|((network, peer), _)| !self.admits(peer, network));
        let gone: Vec<ClientId> = gone.map(|(_, client)| *client).collect();
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

    /// Its name.
    pub fn id(&self) -> PeerId {
        self.identity.peer_id()
    }

    /// Takes what happened.
    pub fn handle(&mut self, input: DeskInput, now: Time) {
        match input {
            DeskInput::Connected { client, address } => self.connected(client, address, now),
            DeskInput::Message { client, bytes } => self.message(client, bytes, now),
            DeskInput::Disconnected { client } => self.forget(client, now),
            DeskInput::Pool(input) => {
                if let Some(pool) = &mut self.pool {
                    pool.handle(input, now);
                }
            }
            DeskInput::Drain => {
                let clients: Vec<ClientId> = self.clients.keys().copied().collect();
                for client in clients {
                    self.tell_refusal(client, RefusalReason::Leaving, limits::RETRY_AFTER);
                    self.close(client, now);
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
        if now < self.next_check {
            return;
        }
        self.next_check = now.after(limits::CHECK_EVERY);
        let late: Vec<ClientId> = self
            .clients
            .iter()
            .filter(|(_, client)| client.deadline() <= now)
            .map(|(id, _)| *id)
            .collect();
        for client in late {
            self.close(client, now);
        }
        self.allowances.retain(|_, allowance| !allowance.is_full(now));
        if let Some(pool) = &mut self.pool {
            pool.expire(now);
        }
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Time> {
        let check = (!self.clients.is_empty() || self.pool.is_some()).then_some(self.next_check);
        let pool = self.pool.as_ref().and_then(Pool::poll_timeout);
        [check, pool].into_iter().flatten().min()
    }

    /// What to do next; call it until it is `None` after each other call.
    pub fn poll_output(&mut self) -> Option<DeskOutput> {
        self.outputs.pop_front()
    }

    /// A picture of it.
    pub fn status(&self, now: Time) -> DeskStatus {
        DeskStatus {
            clients: self.clients.len(),
            joined: self.by_peer.len(),
            networks: self.networks.len(),
            blacklisted: self.reputation.blacklist(now).len()
                + self.pool.as_ref().map_or(0, |pool| pool.blacklisted(now)),
            members: self.pool.as_ref().map_or(0, |pool| pool.members().len()),
            remote: self.pool.as_ref().map_or(0, Pool::presences),
            ..self.counters.clone()
        }
    }

    // ---- Connections ----

    fn connected(&mut self, id: ClientId, address: IpAddr, now: Time) {
        let prefix = prefix(address);
        let from_there = self.addresses.get(&prefix).map_or(0, |address| address.connections);
        if self.clients.len() >= self.config.clients
            || from_there >= self.config.clients_per_address
        {
            *self.counters.refused.entry(Refused::Connections).or_default() += 1;
            self.tell_refusal(id, RefusalReason::Full, limits::FULL_RETRY_AFTER);
            self.outputs.push_back(DeskOutput::Close { client: id });
            return;
        }
        self.addresses.entry(prefix).or_default().connections += 1;
        self.clients.insert(id, Client::new(prefix, &self.config.budgets, now));
    }

    fn forget(&mut self, id: ClientId, now: Time) {
        let Some(client) = self.clients.remove(&id) else { return };
        self.uncount(client.prefix, |address| &mut address.connections);
        let Stage::Joined { presence, .. } = client.stage else { return };
        // Coming back does not refill what was spent.
        let Client { allowance, .. } = client;
        if !allowance.is_full(now) && self.allowances.len() < limits::ALLOWANCES {
            self.allowances.insert(presence.signer(), allowance);
        }
        let key = (presence.network.clone(), presence.signer());
        if self.by_peer.get(&key) == Some(&id) {
            self.by_peer.remove(&key);
            if let Some(pool) = &mut self.pool {
                pool.left(key.0.clone(), key.1, now);
            }
        }
        if let Some(members) = self.networks.get_mut(&key.0) {
            members.clients.retain(|member| *member != id);
            if members.clients.is_empty() {
                let opened_from = members.opened_from;
                self.networks.remove(&key.0);
                self.uncount(opened_from, |address| &mut address.networks);
            }
        }
    }

    fn uncount(&mut self, prefix: IpAddr, what: impl Fn(&mut Address) -> &mut usize) {
        if let Some(address) = self.addresses.get_mut(&prefix) {
            let count = what(address);
            *count = count.saturating_sub(1);
            if address.is_of_no_use() {
                self.addresses.remove(&prefix);
            }
        }
    }

    /// Whether there is room for another member of a network, from this address.
    fn has_room(&self, network: &Network, from: IpAddr) -> bool {
        match self.networks.get(network) {
            Some(members) => members.clients.len() < limits::PRESENCES_PER_NETWORK,
            None => {
                let opened = self.addresses.get(&from).map_or(0, |address| address.networks);
                self.networks.len() < limits::NETWORKS && opened < limits::NETWORKS_PER_ADDRESS
            }
        }
    }

    fn close(&mut self, client: ClientId, now: Time) {
        self.forget(client, now);
        self.outputs.push_back(DeskOutput::Close { client });
    }

    // ---- Messages ----

    fn message(&mut self, id: ClientId, bytes: Vec<u8>, now: Time) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.heard = now;
        // Who goes on after its budget is spent is not told each time.
        if !client.frames.take(1, now) {
            *self.counters.refused.entry(Refused::Flood).or_default() += 1;
            self.charge(id, Refused::Flood, now);
            self.close(id, now);
            return;
        }
        let result = if bytes.len() > mesh_limits::MESSAGE_BYTES {
            Err(Refused::Undecodable)
        } else {
            codec::decode(&bytes).map_err(|_| Refused::Undecodable)
        };
        if let Err(refused) = result.and_then(|frame| self.frame(id, frame, bytes, now)) {
            self.refuse(id, refused, now);
        }
    }

    /// Takes a frame, and the message that it was in.
    fn frame(
        &mut self,
        id: ClientId,
        frame: ToSignaller,
        message: Vec<u8>,
        now: Time,
    ) -> Result<(), Refused> {
        match frame {
            ToSignaller::Knock { version, nonce } => self.knock(id, version, &nonce, now),
            ToSignaller::Join { presence, work } => self.join(id, presence, work, now),
            ToSignaller::Introduce { want } => self.introduce(id, want, now),
            ToSignaller::Signal(signal) => self.signal(id, signal, message, now),
            ToSignaller::Ping(number) => {
                self.say(id, &FromSignaller::Pong(number));
                Ok(())
            }
            ToSignaller::Leave => {
                self.close(id, now);
                Ok(())
            }
        }
    }

    fn knock(
        &mut self,
        id: ClientId,
        version: u16,
        nonce: &[u8; 32],
        now: Time,
    ) -> Result<(), Refused> {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(()) };
        if !matches!(client.stage, Stage::Connected { .. }) {
            return Err(Refused::OutOfTurn);
        }
        if version != VERSION {
            return Err(Refused::Version);
        }
        let mut challenge = [0; 32];
        self.rng.fill_bytes(&mut challenge);
        let work = if self.clients.len() >= self.config.work.from_clients {
            self.config.work.bits
        } else {
            0
        };
        let Some(client) = self.clients.get_mut(&id) else { return Ok(()) };
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
    fn join(
        &mut self,
        id: ClientId,
        presence: Signed<Presence>,
        work: u64,
        now: Time,
    ) -> Result<(), Refused> {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(()) };
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
        let admission = self.admission.as_ref();
        if admission.is_some_and(|admission| !admission.admits(&presence.signer(), &body.network)) {
            return Err(Refused::NotAdmitted);
        }
        if self.reputation.is_blacklisted(&presence.signer(), now) {
            return Err(Refused::Blacklisted);
        }
        // Neither the network nor the name may change on a connection.
        if let Stage::Joined { presence: earlier, .. } = &client.stage
            && (earlier.network != body.network || earlier.signer() != presence.signer())
        {
            return Err(Refused::OutOfTurn);
        }
        let prefix = client.prefix;
        let again = matches!(client.stage, Stage::Joined { .. });
        // Who is here already takes no further place.
        let key = (body.network, presence.signer());
        if !again && !self.by_peer.contains_key(&key) && !self.has_room(&key.0, prefix) {
            return Err(Refused::Joins);
        }
        let presence = presence.verify().map_err(|_| Refused::Signature)?;
        let Some(client) = self.clients.get_mut(&id) else { return Ok(()) };
        self.counters.joins += 1;
        if let Some(pool) = &mut self.pool {
            pool.joined(&presence, now);
        }
        let peer = presence.signer();
        client.stage = Stage::Joined { presence: Box::new(presence), challenge };
        // The newer connection of a peer counts: it would not have made it if the older served.
        if let Some(older) = self.by_peer.insert(key.clone(), id)
            && older != id
        {
            self.tell_refusal(older, RefusalReason::AlreadyLinked, limits::RETRY_AFTER);
            self.close(older, now);
        }
        if let Some(left) = self.allowances.remove(&peer)
            && let Some(client) = self.clients.get_mut(&id)
        {
            client.allowance = left;
        }
        if !again {
            let members = self.networks.entry(key.0).or_insert_with(|| {
                self.addresses.entry(prefix).or_default().networks += 1;
                Members { clients: Vec::new(), opened_from: prefix }
            });
            members.clients.push(id);
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

    fn introduce(&mut self, id: ClientId, want: u8, now: Time) -> Result<(), Refused> {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(()) };
        let Stage::Joined { presence, .. } = &client.stage else {
            return Err(Refused::OutOfTurn);
        };
        if !client.allowance.introductions.take(1, now) {
            return Err(Refused::TooOften);
        }
        let network = presence.network.clone();
        let want = usize::from(want).min(mesh_limits::PRESENCES_PER_FRAME);
        let asker = presence.signer();
        let mut presences = self.some_of(&network, id, want, now);
        presences.extend(self.some_of_pool(&network, &asker, want, now));
        self.sample(&mut presences, want);
        self.counters.introductions += presences.len() as u64;
        let retry_after_ms = 0;
        self.say(id, &FromSignaller::Introduced { presences, retry_after_ms });
        Ok(())
    }

    /// Members of a network at random, but not the one who asks.
    fn some_of(
        &mut self,
        network: &Network,
        asker: ClientId,
        want: usize,
        now: Time,
    ) -> Vec<Signed<Presence>> {
        let Some(Members { clients: members, .. }) = self.networks.get_mut(network) else {
            return Vec::new();
        };
        let mut chosen = Vec::new();
        // A partial shuffle in place: the order of the members means nothing.
        for index in 0..members.len() {
            if chosen.len() == want {
                break;
            }
            let rest = (members.len() - index) as u64;
            let other = index + usize::try_from(self.rng.next_u64() % rest).unwrap_or(0);
            members.swap(index, other);
            let Some(member) = members.get(index).filter(|member| **member != asker) else {
                continue;
            };
            let client = self.clients.get(member);
            if let Some(Client { stage: Stage::Joined { presence, .. }, .. }) = client
                && Time::from(presence.expires_at) > now
            {
                chosen.push(presence.signed().clone());
            }
        }
        chosen
    }

    /// Passes a signal on, unopened and as it came.
    ///
    /// Its signature is for the recipient to check, who trusts no signaller. Here it is enough that
    /// it bears the name that was proven on this connection: by a join that is signed over this
    /// connection's challenge. A client that signs falsely in its own name harms nobody: the
    /// recipient drops that and holds it against no signaller. What the recipient *would* hold
    /// against us, because everybody can see it, is caught here.
    ///
    /// Where another signaller stands between, there is no such proof: what we pass on to the pool
    /// and what the pool passes on to us is verified each time ([`Self::relay`], [`Self::relayed`]).
    fn signal(
        &mut self,
        id: ClientId,
        signal: Signed<Signal>,
        message: Vec<u8>,
        now: Time,
    ) -> Result<(), Refused> {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(()) };
        let Stage::Joined { presence, .. } = &client.stage else {
            return Err(Refused::OutOfTurn);
        };
        if !client.allowance.signals.take(1, now) {
            return Err(Refused::TooOften);
        }
        let body = Signal::peek(&signal).map_err(|_| Refused::Undecodable)?;
        if signal.signer() != presence.signer() || body.network != presence.network {
            return Err(Refused::FalseName);
        }
        let Signal { network, to, sealed, .. } = body;
        if !client.allowance.to.take(to, now) {
            return Err(Refused::TooOften);
        }
        let key = (network, to);
        let passed = if self.by_peer.contains_key(&key) {
            // A signal is the same message to a signaller and from one.
            self.hand_over(&key, sealed.len(), message, now)
        } else {
            self.relay(&key.0, &to, signal, now)?
        };
        if !passed {
            self.counters.unreachable += 1;
            self.say(id, &FromSignaller::Unreachable(to));
        }
        Ok(())
    }

    /// Gives a signal to its recipient, if that is here and has room for it.
    fn hand_over(
        &mut self,
        to: &(Network, PeerId),
        bytes: usize,
        message: Vec<u8>,
        now: Time,
    ) -> bool {
        let Some(recipient) = self.by_peer.get(to).copied() else { return false };
        let Some(client) = self.clients.get_mut(&recipient) else { return false };
        if !client.may_receive(bytes, now) {
            *self.counters.refused.entry(Refused::TooOften).or_default() += 1;
            return false;
        }
        self.counters.signals += 1;
        self.outputs.push_back(DeskOutput::Send { client: recipient, bytes: message });
        true
    }

    // ---- Answers ----

    fn say(&mut self, client: ClientId, frame: &FromSignaller) {
        self.outputs.push_back(DeskOutput::Send { client, bytes: codec::encode(frame) });
    }

    fn tell_refusal(
        &mut self,
        client: ClientId,
        reason: RefusalReason,
        retry_after: core::time::Duration,
    ) {
        let retry_after_ms = u32::try_from(retry_after.as_millis()).unwrap_or(u32::MAX);
        self.say(client, &FromSignaller::Refused { reason, retry_after_ms });
    }

    fn refuse(&mut self, client: ClientId, refused: Refused, now: Time) {
        *self.counters.refused.entry(refused).or_default() += 1;
        self.charge(client, refused, now);
        let retry_after = match refused {
            Refused::Joins | Refused::Blacklisted => limits::FULL_RETRY_AFTER,
            _ => limits::RETRY_AFTER,
        };
        self.tell_refusal(client, refused.reason(), retry_after);
        if refused != Refused::TooOften {
            self.close(client, now);
        }
    }
}

#[cfg(test)]
mod tests;
