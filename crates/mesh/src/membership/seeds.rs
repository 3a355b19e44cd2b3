//! Addresses at which members of the pool are, to be dialled until a link to each is there.

use taiinet_document::Timestamp;
use taiinet_identity::PeerId;

use crate::{
    LinkId, SignallerAddress, Time, limits,
    rng::{Backoff, Rng},
};

#[derive(Debug)]
struct Seed {
    address: SignallerAddress,
    /// Whether the operator named it; those stay for ever.
    given: bool,
    /// The peer that was found there.
    peer: Option<PeerId>,
    /// When that one signed the address, if it was learned.
    said_at: Timestamp,
    link: Option<LinkId>,
    retry: Backoff,
    retry_at: Time,
}

/// The addresses.
#[derive(Debug, Default)]
pub(crate) struct Seeds(Vec<Seed>);

impl Seeds {
    pub(crate) fn new(given: &[SignallerAddress], now: Time) -> Self {
        let mut seeds = Self::default();
        for address in given.iter().take(limits::SEEDS) {
            seeds.insert(address.clone(), true, Timestamp::default(), now);
        }
        seeds
    }

    /// The operator names these from now on. What was named before stays only if somebody was found there,
    /// like an address that was learned.
    pub(crate) fn rename(&mut self, given: &[SignallerAddress], now: Time) {
        let given = &given[..given.len().min(limits::SEEDS)];
        for seed in &mut self.0 {
            seed.given = given.contains(&seed.address);
        }
        self.0.retain(|seed| seed.given || seed.peer.is_some());
        for address in given {
            self.insert(address.clone(), true, Timestamp::default(), now);
        }
        // Those that were learned last make room.
        while self.0.len() > limits::SEEDS {
            let Some(index) = self.0.iter().rposition(|seed| !seed.given) else { return };
            self.0.remove(index);
        }
    }

    fn insert(&mut self, address: SignallerAddress, given: bool, said_at: Timestamp, now: Time) {
        if self.0.iter().any(|seed| seed.address == address) {
            return;
        }
        let peer = address.pinned;
        let retry = Backoff::new(limits::SEED_BACKOFF);
        self.0.push(Seed { address, given, peer, said_at, link: None, retry, retry_at: now });
    }

    /// A member says where it is, and did so at that time; remembered for when its presence is long
    /// gone. No member keeps another from an address by signing it first.
    pub(crate) fn learn(&mut self, url: &str, peer: PeerId, said_at: Timestamp, now: Time) {
        let of_peer = |seed: &&mut Seed| seed.peer == Some(peer);
        if let Some(seed) = self.0.iter_mut().find(of_peer) {
            if !seed.given && seed.said_at < said_at {
                url.clone_into(&mut seed.address.url);
                seed.said_at = said_at;
            }
            return;
        }
        // Which peer is at an address that was named without a key is found out there.
        if self.0.iter().any(|seed| seed.address.url == url && seed.peer.is_none()) {
            return;
        }
        if self.0.len() >= limits::SEEDS {
            // The one that has failed for longest makes room.
            let worst = self.0.iter().enumerate().filter(|(_, seed)| !seed.given);
            let worst = worst.filter(|(_, seed)| seed.link.is_none());
            let Some((index, _)) = worst.max_by_key(|(_, seed)| seed.retry_at) else { return };
            self.0.swap_remove(index);
        }
        let address = SignallerAddress { url: url.to_owned(), pinned: Some(peer) };
        self.insert(address, false, said_at, now);
    }

    /// An address to dial now; `linked` says whether there is a link to a peer already.
    pub(crate) fn due(
        &mut self,
        linked: impl Fn(&PeerId) -> bool,
        rng: &mut Rng,
        now: Time,
    ) -> Option<SignallerAddress> {
        let seed = self.0.iter_mut().find(|seed| seed.retry_at <= now && seed.link.is_none())?;
        seed.retry_at = now.after(seed.retry.wait(rng));
        let linked = seed.peer.as_ref().is_some_and(linked);
        (!linked).then(|| seed.address.clone())
    }

    /// The address is being dialled.
    pub(crate) fn dialled(&mut self, address: &SignallerAddress, link: LinkId) {
        if let Some(seed) = self.0.iter_mut().find(|seed| seed.address == *address) {
            seed.link = Some(link);
        }
    }

    /// The peer that is there has proven its key.
    pub(crate) fn proven(&mut self, link: LinkId, peer: PeerId) {
        if let Some(seed) = self.0.iter_mut().find(|seed| seed.link == Some(link)) {
            seed.peer = Some(peer);
            seed.retry.reset();
        }
    }

    /// The link is gone.
    pub(crate) fn link_down(&mut self, link: LinkId, rng: &mut Rng, now: Time) {
        if let Some(seed) = self.0.iter_mut().find(|seed| seed.link == Some(link)) {
            seed.link = None;
            seed.retry_at = now.after(seed.retry.wait(rng));
        }
    }

    /// When one is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let waiting = self.0.iter().filter(|seed| seed.link.is_none());
        waiting.map(|seed| seed.retry_at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, NOW};

    fn address(url: &str) -> SignallerAddress {
        SignallerAddress { url: url.to_owned(), pinned: None }
    }

    #[test]
    fn what_is_named_anew_is_dialled_and_what_is_not_named_any_more_is_not() {
        let mut rng = Rng::new([1; 32]);
        let mut seeds = Seeds::new(&[address("ws://a"), address("ws://b")], NOW);
        seeds.dialled(&address("ws://b"), LinkId::from_raw(1));
        seeds.proven(LinkId::from_raw(1), testing::identity(1).peer_id());
        let many: Vec<_> = (0..limits::SEEDS - 1).map(|n| address(&format!("ws://{n}"))).collect();
        seeds.rename(&many, NOW);
        assert_eq!(seeds.0.len(), limits::SEEDS, "the member at b stays, and nobody was at a");
        assert_eq!(seeds.due(|_| false, &mut rng, NOW), Some(address("ws://0")));
        seeds.rename(&[vec![address("ws://c")], many].concat(), NOW);
        assert_eq!(seeds.0.len(), limits::SEEDS, "what was only learned makes room");
        assert!(seeds.0.iter().all(|seed| seed.given));
    }

    #[test]
    fn each_is_dialled_until_there_is_a_link_and_ever_more_rarely() {
        let mut rng = Rng::new([1; 32]);
        let mut seeds = Seeds::new(&[address("ws://a")], NOW);
        let mut now = NOW;
        for _ in 0..20 {
            assert_eq!(seeds.due(|_| false, &mut rng, now), Some(address("ws://a")));
            assert_eq!(seeds.due(|_| false, &mut rng, now), None, "not twice at once");
            seeds.dialled(&address("ws://a"), LinkId::from_raw(1));
            assert_eq!(seeds.deadline(), None, "it is being dialled");
            seeds.link_down(LinkId::from_raw(1), &mut rng, now);
            let next = seeds.deadline().expect("again");
            assert!(next > now && next.since(now) <= limits::SEED_BACKOFF.1 * 5 / 4);
            now = next;
        }
    }

    #[test]
    fn a_seed_that_is_linked_otherwise_is_not_dialled() {
        let (mut rng, peer) = (Rng::new([1; 32]), testing::identity(1).peer_id());
        let mut seeds = Seeds::new(&[address("ws://a")], NOW);
        let _ = seeds.due(|_| false, &mut rng, NOW);
        seeds.dialled(&address("ws://a"), LinkId::from_raw(1));
        seeds.proven(LinkId::from_raw(1), peer);
        seeds.link_down(LinkId::from_raw(1), &mut rng, NOW);
        let later = seeds.deadline().expect("again");
        assert_eq!(seeds.due(|linked| *linked == peer, &mut rng, later), None);
    }

    #[test]
    fn what_is_learned_is_bounded_and_never_displaces_what_was_given() {
        let mut seeds = Seeds::new(&[address("ws://given")], NOW);
        for number in 0..=255 {
            seeds.learn(
                &format!("ws://{number}"),
                testing::identity(number).peer_id(),
                NOW.timestamp(),
                NOW,
            );
        }
        assert_eq!(seeds.0.len(), limits::SEEDS);
        assert!(seeds.0.iter().any(|seed| seed.address.url == "ws://given"));
        // Nor does a peer take over an address that another has.
        seeds.learn("ws://given", testing::identity(7).peer_id(), NOW.timestamp(), NOW);
        let given: Vec<_> =
            seeds.0.iter().filter(|seed| seed.address.url == "ws://given").collect();
        assert!(given.len() == 1 && given[0].peer.is_none());
    }

    #[test]
    fn a_peer_that_signs_anothers_address_does_not_stand_in_its_way() {
        let (squatter, honest) = (testing::identity(1).peer_id(), testing::identity(2).peer_id());
        let mut seeds = Seeds::default();
        seeds.learn("ws://honest", squatter, NOW.timestamp(), NOW);
        seeds.learn("ws://honest", honest, NOW.timestamp(), NOW);
        let (mut rng, mut found) = (Rng::new([1; 32]), Vec::new());
        for raw in 0..2 {
            let address = seeds.due(|_| false, &mut rng, NOW).expect("two to dial");
            seeds.dialled(&address, LinkId::from_raw(raw));
            found.push(address.pinned);
        }
        assert_eq!(found, [Some(squatter), Some(honest)]);
    }

    #[test]
    fn a_replay_takes_nobody_back_to_an_earlier_address() {
        let peer = testing::identity(1).peer_id();
        let later = NOW.after(core::time::Duration::from_secs(9)).timestamp();
        let mut seeds = Seeds::default();
        seeds.learn("ws://old", peer, NOW.timestamp(), NOW);
        seeds.learn("ws://new", peer, later, NOW);
        seeds.learn("ws://old", peer, NOW.timestamp(), NOW);
        assert_eq!(seeds.0.len(), 1);
        assert_eq!(seeds.0[0].address.url, "ws://new");
    }
}
