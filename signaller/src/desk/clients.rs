//! The clients that are connected: by connection, peer, network and address.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    net::IpAddr,
};

use rand_chacha::ChaCha12Rng;
use rand_core::Rng as _;
use taiinet_document::Network;
use taiinet_identity::{PeerId, Signed, Verified};
use taiinet_mesh::{Budget, Time, wire::Presence};
use taiinet_query::RoutingKey;

use super::{
    allowance::Allowance,
    api::ClientId,
    client::{Client, Stage},
    config::DeskConfig,
    rendezvous::Rendezvous,
};
use crate::{
    addresses::{AddressCounts, Ranges},
    limits,
    refused::Refused,
    sweep::Sweep,
};

/// The members of a network.
#[derive(Debug)]
struct Occupants {
    clients: Vec<ClientId>,
    /// From where the first of them came.
    opened_from: Ranges,
}

/// What is counted of a range of addresses.
#[derive(Debug)]
struct Origin {
    connections: usize,
    /// Networks that were opened from there.
    networks: usize,
    /// Work that its clients may still make.
    work: Budget,
}

impl Origin {
    fn new((burst, per_second): (u32, u32), share: u32, now: Time) -> Self {
        let work = (burst.saturating_mul(share), per_second.saturating_mul(share));
        Self { connections: 0, networks: 0, work: Budget::new(work, now) }
    }

    /// Whether it is as good as a fresh one. Coming back does not refill what was spent.
    fn is_idle(&self, now: Time) -> bool {
        self.connections == 0 && self.networks == 0 && self.work.is_full(now)
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Clients {
    clients: BTreeMap<ClientId, Client>,
    by_peer: BTreeMap<(Network, PeerId), ClientId>,
    networks: BTreeMap<Network, Occupants>,
    rendezvous: Rendezvous,
    origins: AddressCounts<Origin>,
    /// What is left to peers that have left.
    allowances: BTreeMap<PeerId, Allowance>,
    swept: Sweep<PeerId>,
}

impl Clients {
    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    pub(super) fn joined(&self) -> usize {
        self.by_peer.len()
    }

    pub(super) fn networks(&self) -> usize {
        self.networks.len()
    }

    pub(super) fn get_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.clients.get_mut(&id)
    }

    /// All connections, in order.
    pub(super) fn ids(&self) -> Vec<ClientId> {
        self.clients.keys().copied().collect()
    }

    /// All peers that have joined, with their networks.
    pub(super) fn peers(&self) -> impl Iterator<Item = (&(Network, PeerId), ClientId)> {
        self.by_peer.iter().map(|(peer, id)| (peer, *id))
    }

    /// The presences of all that have joined.
    pub(super) fn presences(&self) -> impl Iterator<Item = &Verified<Presence>> {
        self.clients.values().filter_map(Client::presence)
    }

    /// How far each is.
    pub(super) fn stages(&self) -> impl Iterator<Item = &Stage> {
        self.clients.values().map(|client| &client.stage)
    }

    /// All networks, and how many peers each has.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (&Network, usize)> {
        self.networks.iter().map(|(network, occupants)| (network, occupants.clients.len()))
    }

    /// Some peers of a network.
    pub(super) fn some_names(&self, network: &Network) -> Vec<PeerId> {
        let clients = self.networks.get(network).map_or(&[][..], |occupants| &occupants.clients);
        let some = clients.iter().take(limits::SHOWN_PEERS);
        some.filter_map(|client| Some(self.presence(*client)?.signer())).collect()
    }

    /// The presence of a client, if it has joined.
    pub(super) fn presence(&self, id: ClientId) -> Option<&Verified<Presence>> {
        self.clients.get(&id)?.presence()
    }

    /// The connection of a peer in a network.
    pub(super) fn of_peer(&self, peer: &(Network, PeerId)) -> Option<ClientId> {
        self.by_peer.get(peer).copied()
    }

    /// Those that fell silent, or are out of their time.
    pub(super) fn late(&self, now: Time) -> Vec<ClientId> {
        let late = self.clients.iter().filter(|(_, client)| client.deadline() <= now);
        late.map(|(id, _)| *id).collect()
    }

    // ---- Coming and going ----

    /// Takes in a connection, if there is room for one from this address.
    pub(super) fn connect(
        &mut self,
        id: ClientId,
        address: IpAddr,
        config: &DeskConfig,
        now: Time,
    ) -> bool {
        self.origins.sweep(limits::SWEPT_AT_ONCE, |origin| origin.is_idle(now));
        let ranges = config.prefixes.ranges(address);
        let most = config.clients_per_address;
        let has_room = self.clients.len() < config.clients
            && (self.origins.len() < limits::ADDRESSES || self.origins.has(ranges))
            && self.origins.all(ranges, |origin, share| {
                origin.connections < most.saturating_mul(share as usize)
            });
        if has_room {
            let work = config.budgets.work_per_address;
            let fresh = |share| Origin::new(work, share, now);
            self.origins.update(ranges, fresh, |origin| origin.connections += 1);
            self.clients.insert(id, Client::new(ranges, &config.budgets, now));
        }
        has_room
    }

    /// Forgets a connection. Gives the name of the peer that has left with it, and its network.
    pub(super) fn remove(&mut self, id: ClientId, now: Time) -> Option<(Network, PeerId)> {
        let client = self.clients.remove(&id)?;
        let one_less = |origin: &mut Origin| {
            origin.connections = origin.connections.saturating_sub(1);
        };
        self.origins.release(client.ranges, one_less, |origin| origin.is_idle(now));
        let Client { stage: Stage::Joined { presence, .. }, allowance, named, .. } = client else {
            return None;
        };
        for key in named {
            self.rendezvous.remove(&presence.network, key, id);
        }
        // Coming back does not refill what was spent.
        if !allowance.is_full(now) && self.allowances.len() < limits::ALLOWANCES {
            self.allowances.insert(presence.signer(), allowance);
        }
        let peer = (presence.network.clone(), presence.signer());
        if let Entry::Occupied(mut network) = self.networks.entry(peer.0.clone()) {
            network.get_mut().clients.retain(|member| *member != id);
            if network.get().clients.is_empty() {
                let Occupants { opened_from, .. } = network.remove();
                let one_less = |origin: &mut Origin| {
                    origin.networks = origin.networks.saturating_sub(1);
                };
                self.origins.release(opened_from, one_less, |origin| origin.is_idle(now));
            }
        }
        if self.by_peer.get(&peer) != Some(&id) {
            return None;
        }
        self.by_peer.remove(&peer);
        Some(peer)
    }

    /// Whether a client may be a member of a network: one that is here already takes no further place.
    pub(super) fn has_room(&self, id: ClientId, peer: &(Network, PeerId)) -> bool {
        let Some(client) = self.clients.get(&id) else { return false };
        if client.presence().is_some() || self.by_peer.contains_key(peer) {
            return true;
        }
        match self.networks.get(&peer.0) {
            Some(network) => network.clients.len() < limits::PRESENCES_PER_NETWORK,
            None => {
                let most = limits::NETWORKS_PER_ADDRESS;
                self.networks.len() < limits::NETWORKS
                    && self.origins.all(client.ranges, |origin, share| {
                        origin.networks < most.saturating_mul(share as usize)
                    })
            }
        }
    }

    /// A client has joined, for the first time or again. Gives the older connection of its peer, which
    /// is to be closed, and is forgotten here: the peer would not have made the newer one if the older
    /// served.
    pub(super) fn join(
        &mut self,
        id: ClientId,
        presence: Verified<Presence>,
        challenge: [u8; 32],
        now: Time,
    ) -> Option<ClientId> {
        let client = self.clients.get_mut(&id)?;
        let (again, ranges) = (client.presence().is_some(), client.ranges);
        let peer = (presence.network.clone(), presence.signer());
        client.stage = Stage::Joined { presence: Box::new(presence), challenge };
        let older = self.by_peer.insert(peer.clone(), id).filter(|older| *older != id);
        if let Some(older) = older {
            self.remove(older, now);
        }
        if let Some(left) = self.allowances.remove(&peer.1)
            && let Some(client) = self.clients.get_mut(&id)
        {
            client.allowance = left;
        }
        if !again {
            let network = match self.networks.entry(peer.0) {
                Entry::Occupied(network) => network.into_mut(),
                Entry::Vacant(network) => {
                    // The client's connection counts there, so there is a count.
                    let one_more = |origin: &mut Origin| origin.networks += 1;
                    self.origins.change(ranges, one_more);
                    network.insert(Occupants { clients: Vec::new(), opened_from: ranges })
                }
            };
            network.clients.push(id);
        }
        older
    }

    // ---- What they may do ----

    /// Charges a client, and the ranges that it comes from, for work that is going to be done for it.
    pub(super) fn spend(&mut self, id: ClientId, cost: usize, now: Time) -> Result<(), Refused> {
        let Some(client) = self.clients.get_mut(&id) else { return Err(Refused::OverBudget) };
        let has = client.work.has(cost, now)
            && self.origins.all(client.ranges, |origin, _| origin.work.has(cost, now));
        if !has {
            return Err(Refused::OverBudget);
        }
        client.work.take(cost, now);
        let take = |origin: &mut Origin| {
            origin.work.take(cost, now);
        };
        self.origins.change(client.ranges, take);
        Ok(())
    }

    /// Forgets some of what makes no difference any more.
    pub(super) fn sweep(&mut self, now: Time) {
        self.origins.sweep(limits::SWEPT_EACH_SECOND, |origin| origin.is_idle(now));
        let Self { allowances, swept, .. } = self;
        swept.run(allowances, limits::SWEPT_EACH_SECOND, |allowance| allowance.is_full(now));
    }

    // ---- Introductions ----

    /// Members of a network at random, but not the one that asks.
    pub(super) fn some_of(
        &mut self,
        network: &Network,
        asker: ClientId,
        want: usize,
        rng: &mut ChaCha12Rng,
        now: Time,
    ) -> Vec<Signed<Presence>> {
        let Self { networks, clients, .. } = self;
        let members = networks.get_mut(network).map(|occupants| &mut occupants.clients);
        members.map_or_else(Vec::new, |members| some(members, clients, (asker, want), rng, now))
    }

    /// A client that has joined this network names a key of what it wants.
    pub(super) fn names(&mut self, id: ClientId, network: &Network, key: RoutingKey) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if client.named.contains(&key) {
            return;
        }
        if client.named.len() >= limits::KEYS_NAMED
            && let Some(oldest) = client.named.pop_front()
        {
            self.rendezvous.remove(network, oldest, id);
        }
        client.named.push_back(key);
        self.rendezvous.insert(network, key, id);
    }

    /// Some of those that have named a key, at random, but not the one that asks.
    pub(super) fn some_that_named(
        &mut self,
        network: &Network,
        key: &RoutingKey,
        (asker, want): (ClientId, usize),
        rng: &mut ChaCha12Rng,
        now: Time,
    ) -> Vec<Signed<Presence>> {
        let Self { rendezvous, clients, .. } = self;
        let members = rendezvous.at(network, key);
        members.map_or_else(Vec::new, |members| some(members, clients, (asker, want), rng, now))
    }
}

/// So many of these clients at random, but not the one that asks.
fn some(
    members: &mut [ClientId],
    clients: &BTreeMap<ClientId, Client>,
    (asker, want): (ClientId, usize),
    rng: &mut ChaCha12Rng,
    now: Time,
) -> Vec<Signed<Presence>> {
    let mut chosen = Vec::new();
    // A partial shuffle in place: the order of the members means nothing.
    for index in 0..members.len() {
        if chosen.len() == want {
            break;
        }
        let rest = (members.len() - index) as u64;
        let other = index + usize::try_from(rng.next_u64() % rest).unwrap_or(0);
        members.swap(index, other);
        let Some(member) = members.get(index).filter(|member| **member != asker) else {
            continue;
        };
        let presence = clients.get(member).and_then(Client::presence);
        if let Some(presence) = presence
            && Time::from(presence.expires_at) > now
        {
            chosen.push(presence.signed().clone());
        }
    }
    chosen
}

#[cfg(test)]
impl Clients {
    /// Whether nothing is left of any client.
    pub(super) fn is_bare(&self) -> bool {
        self.clients.is_empty()
            && self.networks.is_empty()
            && self.origins.len() == 0
            && self.allowances.is_empty()
            && self.rendezvous.is_empty()
    }

    /// Fills a network with clients that are not there.
    pub(super) fn crowd(&mut self, network: &Network, most: usize) {
        let network = self.networks.get_mut(network).expect("there is one");
        network.clients.resize(most, ClientId(9999));
    }
}
