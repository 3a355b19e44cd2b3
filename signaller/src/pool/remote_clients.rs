//! The clients of the other signallers, by the peers' own signed word.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use taiinet_document::{Network, Timestamp};
use taiinet_identity::{PeerId, Signed, Verified};
use taiinet_mesh::{Time, limits as mesh_limits, wire::Presence};

use super::news::{Item, Left};
use crate::{limits, refused::Refused};

/// A peer at one signaller.
#[derive(Debug)]
enum Seat {
    Here(Box<Verified<Presence>>),
    /// It has left; remembered for a presence that was overtaken on its way.
    Left(Timestamp),
}

impl Seat {
    fn since(&self) -> Timestamp {
        match self {
            Self::Here(presence) => presence.issued_at,
            Self::Left(at) => *at,
        }
    }

    const fn is_left(&self) -> bool {
        matches!(self, Self::Left(_))
    }

    /// When it is of no use any more.
    fn ends_at(&self) -> Time {
        match self {
            Self::Here(presence) => presence.expires_at.into(),
            Self::Left(at) => Time::from(*at).after(mesh_limits::PRESENCE_LIFE),
        }
    }
}

/// The seats of one peer, by signaller.
type Seats = BTreeMap<PeerId, Seat>;

/// The clients of the other signallers.
#[derive(Debug)]
pub(crate) struct RemoteClients {
    own: PeerId,
    networks: BTreeMap<Network, Peers>,
    /// The networks by their numbers, which are never used again.
    numbers: BTreeMap<u64, Network>,
    next_number: u64,
    /// All seats by when they end: the network's number, the peer and the signaller.
    endings: BTreeSet<(Time, u64, PeerId, PeerId)>,
    /// What each signaller has filled.
    filled: BTreeMap<PeerId, Filled>,
    seats: usize,
}

/// The peers of one network.
#[derive(Debug)]
struct Peers {
    number: u64,
    seats: BTreeMap<PeerId, Seats>,
    /// The signaller that told of the network first.
    opened_by: PeerId,
}

/// How much a signaller has filled.
#[derive(Debug, Default)]
struct Filled {
    seats: usize,
    /// Of these, of peers that have left.
    left: usize,
    /// Networks that it was the first to tell of.
    networks: usize,
}

impl RemoteClients {
    pub(crate) const fn new(own: PeerId) -> Self {
        Self {
            own,
            networks: BTreeMap::new(),
            numbers: BTreeMap::new(),
            next_number: 0,
            endings: BTreeSet::new(),
            filled: BTreeMap::new(),
            seats: 0,
        }
    }

    /// How many seats are known.
    pub(crate) const fn len(&self) -> usize {
        self.seats
    }

    /// Takes what a signaller says of its own clients, whatever that costs.
    pub(crate) fn take(&mut self, signaller: PeerId, item: Item, now: Time) -> Result<(), Refused> {
        self.take_if(signaller, item, || true, now)
    }

    /// Takes what a signaller says of its own clients. All that is cheap is checked before the
    /// signature, and last whether that may be verified.
    pub(super) fn take_if(
        &mut self,
        signaller: PeerId,
        item: Item,
        may_verify: impl FnOnce() -> bool,
        now: Time,
    ) -> Result<(), Refused> {
        // So what comes never has to wait for a sweep.
        self.expire(limits::POOL_FORGOTTEN_FOR_ONE, now);
        match item {
            Item::Joined(presence) => self.joined(signaller, presence, may_verify, now),
            Item::Left(left) => self.left(signaller, left, now),
        }
    }

    fn joined(
        &mut self,
        signaller: PeerId,
        presence: Signed<Presence>,
        may_verify: impl FnOnce() -> bool,
        now: Time,
    ) -> Result<(), Refused> {
        let body = Presence::peek(&presence).map_err(|_| Refused::Undecodable)?;
        if body.joined.is_none_or(|joined| joined.signaller != signaller) {
            return Err(Refused::Challenge);
        }
        if !body.is_in_time(now) {
            return Err(Refused::OutOfTime);
        }
        let peer = presence.signer();
        if self.is_old(signaller, &body.network, &peer, body.issued_at) {
            return Ok(());
        }
        if !self.has_room(signaller, &body.network, &peer) {
            return Err(Refused::Joins);
        }
        if !may_verify() {
            return Err(Refused::TooOften);
        }
        let presence = presence.verify().map_err(|_| Refused::Signature)?;
        self.fill(signaller, body.network, peer, Seat::Here(Box::new(presence)))
    }

    fn left(&mut self, signaller: PeerId, left: Left, now: Time) -> Result<(), Refused> {
        if Time::from(left.at) > now.after(mesh_limits::CLOCK_SKEW) {
            return Err(Refused::OutOfTime);
        }
        let ends_at = Seat::Left(left.at).ends_at();
        if ends_at <= now || self.is_old(signaller, &left.network, &left.peer, left.at) {
            return Ok(());
        }
        // It is remembered for what may still come, which costs no signature: so only for a few, and
        // in networks that there are.
        let many = |filled: &Filled| filled.left >= limits::POOL_LEFT_PER_SIGNALLER;
        if self.filled.get(&signaller).is_some_and(many) {
            self.empty(signaller, &left.network, &left.peer);
            return Ok(());
        }
        if !self.networks.contains_key(&left.network) {
            return Ok(());
        }
        self.fill(signaller, left.network, left.peer, Seat::Left(left.at))
    }

    fn seats(&self, network: &Network, peer: &PeerId) -> Option<&Seats> {
        self.networks.get(network)?.seats.get(peer)
    }

    fn is_old(&self, signaller: PeerId, network: &Network, peer: &PeerId, at: Timestamp) -> bool {
        let seat = self.seats(network, peer).and_then(|seats| seats.get(&signaller));
        seat.is_some_and(|seat| seat.since() >= at)
    }

    /// Whether there is room for a seat of this signaller.
    fn has_room(&self, signaller: PeerId, network: &Network, peer: &PeerId) -> bool {
        let known = self.seats(network, peer).is_some_and(|seats| seats.contains_key(&signaller));
        let filled = self.filled.get(&signaller);
        let (seats, networks) = filled.map_or((0, 0), |filled| (filled.seats, filled.networks));
        let has_network = self.networks.contains_key(network)
            || self.networks.len() < limits::POOL_NETWORKS
                && networks < limits::POOL_NETWORKS_PER_SIGNALLER;
        let has_seat = seats < limits::POOL_SEATS_PER_SIGNALLER && self.seats < limits::POOL_SEATS;
        known || has_network && has_seat
    }

    fn fill(
        &mut self,
        signaller: PeerId,
        network: Network,
        peer: PeerId,
        seat: Seat,
    ) -> Result<(), Refused> {
        if !self.has_room(signaller, &network, &peer) {
            return Err(Refused::Joins);
        }
        let new_network = !self.networks.contains_key(&network);
        let filled = self.filled.entry(signaller).or_default();
        filled.networks += usize::from(new_network);
        filled.left += usize::from(seat.is_left());
        filled.seats += 1;
        self.seats += 1;
        let peers = match self.networks.entry(network) {
            Entry::Occupied(peers) => peers.into_mut(),
            Entry::Vacant(entry) => {
                let number = self.next_number;
                self.next_number += 1;
                self.numbers.insert(number, entry.key().clone());
                entry.insert(Peers { number, seats: BTreeMap::new(), opened_by: signaller })
            }
        };
        let (number, ends_at) = (peers.number, seat.ends_at());
        let earlier = peers.seats.entry(peer).or_default().insert(signaller, seat);
        if let Some(earlier) = earlier {
            self.endings.remove(&(earlier.ends_at(), number, peer, signaller));
            self.uncount(signaller, &earlier);
        }
        self.endings.insert((ends_at, number, peer, signaller));
        Ok(())
    }

    fn uncount(&mut self, signaller: PeerId, seat: &Seat) {
        self.seats = self.seats.saturating_sub(1);
        if let Some(filled) = self.filled.get_mut(&signaller) {
            filled.seats = filled.seats.saturating_sub(1);
            filled.left = filled.left.saturating_sub(usize::from(seat.is_left()));
            if filled.seats == 0 && filled.networks == 0 {
                self.filled.remove(&signaller);
            }
        }
    }

    /// Forgets where a peer was.
    fn empty(&mut self, signaller: PeerId, network: &Network, peer: &PeerId) {
        let Some(peers) = self.networks.get_mut(network) else { return };
        let Some(seats) = peers.seats.get_mut(peer) else { return };
        let Some(seat) = seats.remove(&signaller) else { return };
        if seats.is_empty() {
            peers.seats.remove(peer);
        }
        let (number, opened_by, is_empty) = (peers.number, peers.opened_by, peers.seats.is_empty());
        self.endings.remove(&(seat.ends_at(), number, *peer, signaller));
        if is_empty {
            self.networks.remove(network);
            self.numbers.remove(&number);
            if let Some(filled) = self.filled.get_mut(&opened_by) {
                filled.networks = filled.networks.saturating_sub(1);
                if filled.seats == 0 && filled.networks == 0 {
                    self.filled.remove(&opened_by);
                }
            }
        }
        self.uncount(signaller, &seat);
    }

    /// Drops what is over, so many at most.
    pub(crate) fn expire(&mut self, most: usize, now: Time) {
        for _ in 0..most {
            let Some(first) = self.endings.first().copied() else { return };
            let (ends_at, number, peer, signaller) = first;
            if ends_at > now {
                return;
            }
            self.endings.pop_first();
            if let Some(network) = self.numbers.get(&number).cloned() {
                self.empty(signaller, &network, &peer);
            }
        }
    }

    /// Where a peer can be reached now: the latest of its signallers that is linked.
    pub(super) fn place_of(
        &self,
        network: &Network,
        peer: &PeerId,
        linked: &BTreeSet<PeerId>,
        now: Time,
    ) -> Option<PeerId> {
        let (signaller, _) = latest(self.seats(network, peer)?, linked, now)?;
        Some(signaller)
    }

    /// Whether a peer has joined this signaller.
    pub(super) fn is_at(
        &self,
        network: &Network,
        peer: &PeerId,
        signaller: PeerId,
        now: Time,
    ) -> bool {
        let seat = self.seats(network, peer).and_then(|seats| seats.get(&signaller));
        matches!(seat, Some(Seat::Here(presence)) if Time::from(presence.expires_at) > now)
    }

    /// Some peers of a network that can be reached now: those that follow `from` in the order of
    /// keys, which are as good as random.
    pub(super) fn some(
        &self,
        network: &Network,
        but: &PeerId,
        from: PeerId,
        want: usize,
        linked: &BTreeSet<PeerId>,
        now: Time,
    ) -> Vec<Signed<Presence>> {
        let Some(peers) = self.networks.get(network) else { return Vec::new() };
        let others = peers.seats.range(from..).chain(peers.seats.range(..from));
        let others = others.take(limits::POOL_LOOK);
        let others = others.filter(|(peer, _)| *peer != but && **peer != self.own);
        let reachable = others.filter_map(|(_, seats)| latest(seats, linked, now));
        reachable.take(want).map(|(_, presence)| presence.signed().clone()).collect()
    }
}

fn latest<'a>(
    seats: &'a Seats,
    linked: &BTreeSet<PeerId>,
    now: Time,
) -> Option<(PeerId, &'a Verified<Presence>)> {
    let here = seats.iter().filter_map(|(signaller, seat)| match seat {
        Seat::Here(presence) => Some((*signaller, &**presence)),
        Seat::Left(_) => None,
    });
    let here = here.filter(|(signaller, presence)| {
        linked.contains(signaller) && Time::from(presence.expires_at) > now
    });
    here.max_by_key(|(_, presence)| presence.issued_at)
}

#[cfg(test)]
mod tests;
