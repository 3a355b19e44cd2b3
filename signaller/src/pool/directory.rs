//! Who has joined which of the other signallers, by the peers' own signed word.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_document::{Network, Timestamp};
use taiinet_identity::{PeerId, Signed, Verified};
use taiinet_mesh::{Time, frame::Presence, limits as mesh_limits};

use super::news::{Item, Left};
use crate::{Refused, limits};

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
pub(crate) struct Directory {
    own: PeerId,
    networks: BTreeMap<Network, BTreeMap<PeerId, Seats>>,
    /// How many seats each signaller has filled.
    filled: BTreeMap<PeerId, usize>,
    seats: usize,
}

impl Directory {
    pub(crate) const fn new(own: PeerId) -> Self {
        Self { own, networks: BTreeMap::new(), filled: BTreeMap::new(), seats: 0 }
    }

    /// How many seats are known.
    pub(crate) const fn len(&self) -> usize {
        self.seats
    }

    /// Takes what a signaller says of its own clients. All that is cheap is checked before the
    /// signature.
    pub(super) fn take(&mut self, signaller: PeerId, item: Item, now: Time) -> Result<(), Refused> {
        match item {
            Item::Joined(presence) => self.joined(signaller, presence, now),
            Item::Left(left) => self.left(signaller, left, now),
        }
    }

    fn joined(
        &mut self,
        signaller: PeerId,
        presence: Signed<Presence>,
        now: Time,
    ) -> Result<(), Refused> {
        let body = Presence::peek(&presence).map_err(|_| Refused::Undecodable)?;
        if body.joined.is_none_or(|joined| joined.signaller != signaller) {
            return Err(Refused::Challenge);
        }
        let (issued, expires) = (Time::from(body.issued_at), Time::from(body.expires_at));
        if issued > now.after(mesh_limits::CLOCK_SKEW)
            || expires <= now
            || expires.since(issued) > mesh_limits::PRESENCE_LIFE
        {
            return Err(Refused::OutOfTime);
        }
        let peer = presence.signer();
        if self.is_old(signaller, &body.network, &peer, body.issued_at) {
            return Ok(());
        }
        let presence = presence.verify().map_err(|_| Refused::Signature)?;
        self.fill(signaller, body.network, peer, Seat::Here(Box::new(presence)))
    }

    fn left(&mut self, signaller: PeerId, left: Left, now: Time) -> Result<(), Refused> {
        if Time::from(left.at) > now.after(mesh_limits::CLOCK_SKEW) {
            return Err(Refused::OutOfTime);
        }
        // Of whom nothing is known nothing needs to be remembered, but for what may still come.
        if self.is_old(signaller, &left.network, &left.peer, left.at) {
            return Ok(());
        }
        self.fill(signaller, left.network, left.peer, Seat::Left(left.at))
    }

    fn seats(&self, network: &Network, peer: &PeerId) -> Option<&Seats> {
        self.networks.get(network)?.get(peer)
    }

    fn is_old(&self, signaller: PeerId, network: &Network, peer: &PeerId, at: Timestamp) -> bool {
        let seat = self.seats(network, peer).and_then(|seats| seats.get(&signaller));
        seat.is_some_and(|seat| seat.since() >= at)
    }

    fn fill(
        &mut self,
        signaller: PeerId,
        network: Network,
        peer: PeerId,
        seat: Seat,
    ) -> Result<(), Refused> {
        let known = self.seats(&network, &peer).is_some_and(|seats| seats.contains_key(&signaller));
        if !known {
            let filled = self.filled.get(&signaller).copied().unwrap_or(0);
            let new_network = !self.networks.contains_key(&network);
            if filled >= limits::POOL_SEATS_PER_SIGNALLER
                || self.seats >= limits::POOL_SEATS
                || new_network && self.networks.len() >= limits::NETWORKS
            {
                return Err(Refused::Joins);
            }
            self.seats += 1;
            self.filled.insert(signaller, filled + 1);
        }
        self.networks.entry(network).or_default().entry(peer).or_default().insert(signaller, seat);
        Ok(())
    }

    /// Drops what is over.
    pub(super) fn expire(&mut self, now: Time) {
        let Self { networks, filled, seats, .. } = self;
        networks.retain(|_, peers| {
            peers.retain(|_, places| {
                places.retain(|signaller, seat| {
                    let lives = seat.ends_at() > now;
                    if !lives {
                        *seats -= 1;
                        if let Some(count) = filled.get_mut(signaller) {
                            *count -= 1;
                        }
                    }
                    lives
                });
                !places.is_empty()
            });
            !peers.is_empty()
        });
        filled.retain(|_, count| *count > 0);
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
        let others = peers.range(from..).chain(peers.range(..from)).take(limits::POOL_LOOK);
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
