//! The hostile peers of a scenario: which they are, and what they do at a time.

use std::collections::BTreeMap;

use taiinet_identity::{Identity, PeerId};

use super::sections::{Attack, Deed};
use crate::{Behaviour, PeerIndex, World, rng::Rng};

/// How many keys for each peer are tried for a hostile root: so that in about one of so many worlds another one ranks
/// better.
const TRIES_PER_PEER: u64 = 32;

/// Who is hostile, by the order in which peers join, and in which attack.
#[derive(Debug, Default)]
pub(super) struct Cast {
    of: BTreeMap<usize, usize>,
    /// The one that is to be root.
    root: Option<usize>,
}

impl Cast {
    /// Those that join late are the last, a root is the first, and the others are taken as `order` has them.
    pub(super) fn new(attacks: &[Attack], peers: usize, order: &[usize]) -> Self {
        let mut cast = Self::default();
        let mut last = peers;
        for (number, attack) in attacks.iter().enumerate() {
            if attack.joins_at_s.is_some() {
                let from = last - attack.count(peers).min(last);
                cast.of.extend((from..last).map(|peer| (peer, number)));
                last = from;
            }
        }
        for (number, attack) in attacks.iter().enumerate() {
            if attack.joins_at_s.is_some() {
                continue;
            }
            let mut wanted = attack.count(peers);
            if attack.root && wanted > 0 && cast.root.is_none() {
                cast.root = Some(0);
                cast.of.insert(0, number);
                wanted -= 1;
            }
            let free = order.iter().filter(|peer| **peer < last && !cast.of.contains_key(peer));
            let some: Vec<usize> = free.copied().take(wanted).collect();
            cast.of.extend(some.into_iter().map(|peer| (peer, number)));
        }
        cast
    }

    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    pub(super) fn contains(&self, peer: usize) -> bool {
        self.of.contains_key(&peer)
    }

    pub(super) fn is_root(&self, peer: usize) -> bool {
        self.root == Some(peer)
    }

    /// The attack that a peer is part of.
    pub(super) fn attack_of(&self, peer: usize) -> Option<usize> {
        self.of.get(&peer).copied()
    }

    /// The peers of an attack, by number.
    pub(super) fn of_attack(&self, attack: usize) -> impl Iterator<Item = usize> {
        self.of.iter().filter(move |(_, of)| **of == attack).map(|(peer, _)| *peer)
    }
}

/// What the peers of an attack do to these targets.
pub(super) fn behaviours(attack: &Attack, targets: &[PeerId]) -> Vec<Behaviour> {
    let mut behaviours = Vec::new();
    for deed in attack.does.get_ref() {
        behaviours.push(match deed {
            Deed::DropsDocuments => Behaviour::DropsDocuments,
            Deed::DropsEverything => Behaviour::DropsEverything,
            Deed::FloodsInvalid(count) => Behaviour::FloodsInvalid(count.get()),
            Deed::Promises(count) => Behaviour::Promises(count.get()),
            Deed::ClaimsAll => Behaviour::ClaimsAll,
            Deed::ClaimsNothing => Behaviour::ClaimsNothing,
            Deed::TellsOfAccomplices => Behaviour::TellsOfAccomplices,
            Deed::HidesAuthors => Behaviour::HidesAuthors,
            Deed::InventsNames(count) => Behaviour::InventsNames(count.get()),
            Deed::Censors => {
                behaviours.extend(targets.iter().copied().map(Behaviour::Censors));
                continue;
            }
            // That is a matter of links, not of what goes over them.
            Deed::Surrounds => continue,
        });
    }
    behaviours
}

/// Some peers keep all honest ones out that are no targets, or let them in again: so they dial, and are found by, the
/// targets and one another alone.
pub(super) fn surround(
    world: &mut World,
    hostile: &[PeerIndex],
    targets: &[PeerId],
    keeps_out: bool,
) {
    let all = world.peers().into_iter().filter(|peer| !world.is_hostile(*peer));
    let others: Vec<PeerId> =
        all.map(|peer| world.id(peer)).filter(|peer| !targets.contains(peer)).collect();
    for peer in hostile {
        for other in &others {
            if keeps_out {
                // Beyond the most that a peer can list there is no need.
                let _ = world.blacklist(*peer, *other);
            } else {
                world.unblock(*peer, other);
            }
        }
    }
}

/// A key of which the rank is better than those of so many honest ones, most likely.
pub(super) fn root_key(peers: usize, rng: &mut Rng) -> Identity {
    let good = u64::MAX / (peers as u64 * TRIES_PER_PEER);
    loop {
        let identity = Identity::generate(rng.crypto());
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"taiinet/1 root").update(&[0]).update(identity.peer_id().as_bytes());
        let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
        if u64::from_be_bytes([a, b, c, d, e, f, g, h]) < good {
            return identity;
        }
    }
}
