//! What the tests share.

use std::{ops::Range, time::Duration};

use taiinet_document::Network;
use taiinet_mesh::{Event, Misbehaviour};
use taiinet_sim::{
    Audit, DeskConfig, Manners, PeerIndex, PeerSpec, Published, PuppetIndex, PuppetSpec,
    SignallerIndex, WireId, World, WorldConfig,
};

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) fn network() -> Network {
    "tests".parse().expect("a valid name")
}

/// The seeds that a test runs with: these; with `SIM_SEED=n` that one alone, with `SIM_SEEDS=n` so many
/// from the first of these.
pub(crate) fn seeds(usual: Range<u64>) -> Range<u64> {
    let number = |name| std::env::var(name).ok()?.parse().ok();
    match (number("SIM_SEED"), number("SIM_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(count)) => usual.start..usual.start + count,
        (None, None) => usual,
    }
}

pub(crate) struct Setting {
    pub(crate) world: World,
    pub(crate) signaller: SignallerIndex,
    pub(crate) peers: Vec<PeerIndex>,
}

/// So many peers that know one signaller, just started.
pub(crate) fn started(seed: u64, count: usize) -> Setting {
    started_with(seed, count, WorldConfig::default())
}

pub(crate) fn started_with(seed: u64, count: usize, config: WorldConfig) -> Setting {
    let mut world = World::new(seed, config);
    let signaller = world.add_signaller(DeskConfig::default());
    let peers = world.add_peers(count, &PeerSpec::new(network(), &[signaller]));
    Setting { world, signaller, peers }
}

/// So many peers that hang together, each subscribed to everything.
pub(crate) fn meshed(seed: u64, count: usize) -> Setting {
    let mut setting = started(seed, count);
    for peer in setting.peers.clone() {
        setting.world.subscribe(peer, "{}");
    }
    setting.connect();
    setting
}

/// So many peers that hang together with few links each, so that puppets find room; subscribed to
/// everything.
pub(crate) fn sparse(seed: u64, count: usize) -> Setting {
    let mut world = World::new(seed, WorldConfig::default());
    let signaller = world.add_signaller(DeskConfig::default());
    let spec = PeerSpec { target_links: 3, max_links: 8, ..PeerSpec::new(network(), &[signaller]) };
    let peers = world.add_peers(count, &spec);
    for peer in &peers {
        world.subscribe(*peer, "{}");
    }
    let mut setting = Setting { world, signaller, peers };
    setting.connect();
    setting.world.run_for(seconds(5));
    setting
}

impl Setting {
    /// Waits until every peer has what it should of the documents that count; then checks that
    /// none got more.
    pub(crate) fn arrives(&mut self, limit: Duration, counts: impl Fn(&Published) -> bool) {
        let end = self.world.now().after(limit);
        loop {
            let audit = Audit::of(&self.world, &counts);
            assert!(audit.repeated.is_empty() && audit.unasked.is_empty(), "{audit:?}");
            if audit.missing.is_empty() {
                assert!(audit.due > 0, "nothing was due");
                return;
            }
            let (missing, due) = (audit.missing.len(), audit.due);
            let late = self.world.now() >= end;
            assert!(!late, "{missing} of {due} missing\n{}", describe(&self.world));
            self.world.run_for(Duration::from_millis(500));
        }
    }

    /// An honest peer publishes, and all honest peers get it: the mesh still works.
    pub(crate) fn still_works(&mut self) {
        let alive = self.world.alive();
        let since = self.world.now();
        for peer in &alive {
            self.world.publish(*peer, r#"{"are": "you there"}"#).expect("there is room");
        }
        self.arrives(seconds(10), |published| published.at >= since);
        self.nobody_honest_is_blamed();
    }

    /// How often a peer refused something for this.
    pub(crate) fn refused(&self, peer: PeerIndex, what: Misbehaviour) -> u64 {
        self.world.status(peer).counters.rejected.get(&what).copied().unwrap_or(0)
    }

    pub(crate) fn connect(&mut self) {
        let world = &mut self.world;
        let connected = world.run_until(seconds(30), World::is_connected);
        assert!(connected, "still in {} parts: {}", world.components().len(), describe(world));
    }

    pub(crate) fn puppet(&mut self, manners: Manners) -> PuppetIndex {
        let identity = self.world.identity();
        self.world.add_puppet(PuppetSpec {
            identity,
            network: network(),
            signaller: self.signaller,
            manners,
        })
    }

    /// A puppet that has become an honest neighbour of a peer.
    pub(crate) fn befriend(&mut self, peer: PeerIndex, manners: Manners) -> (PuppetIndex, WireId) {
        let honest = Manners { greets: true, proves: true, accepts: true, pongs: true, ..manners };
        // A peer that happens to have no room says so; then another asks, later.
        for _ in 0..10 {
            let puppet = self.puppet(honest);
            let wire = self.world.call(puppet, self.world.id(peer));
            if self.world.run_until(seconds(5), |world| world.wire(wire).is_neighbour()) {
                return (puppet, wire);
            }
        }
        panic!("{peer:?} takes no puppet: {:?}", self.world.status(peer).links);
    }

    /// A puppet whose channel to a peer is open at both ends, and that has said at most its hello.
    pub(crate) fn stranger(&mut self, peer: PeerIndex, manners: Manners) -> WireId {
        for _ in 0..10 {
            let puppet = self.puppet(manners);
            let wire = self.world.call(puppet, self.world.id(peer));
            let greeted = |world: &World| world.wire(wire).theirs().is_some();
            if self.world.run_until(seconds(5), greeted) {
                return wire;
            }
        }
        panic!("{peer:?} answers no puppet: {:?}", self.world.status(peer).links);
    }

    /// No peer that keeps the rules was ever blacklisted, or is so much as suspected.
    pub(crate) fn nobody_honest_is_blamed(&self) {
        let honest: Vec<_> = self.world.peers().iter().map(|peer| self.world.id(*peer)).collect();
        for peer in self.world.peers() {
            for (at, event) in self.world.events(peer) {
                if let Event::Blacklisted(listed) = event {
                    assert!(!honest.contains(&listed.peer), "{peer:?} at {at:?}: {listed:?}");
                }
            }
            for link in self.world.status(peer).links {
                assert!(!honest.contains(&link.peer) || link.points == 0, "{peer:?}: {link:?}");
            }
        }
    }

    pub(crate) fn sound(&self) {
        self.nobody_honest_is_blamed();
        assert_eq!(self.world.violations(), &[] as &[String]);
    }
}

/// A picture of a world for a failed assertion.
pub(crate) fn describe(world: &World) -> String {
    use std::fmt::Write as _;
    let mut text = format!("after {:?}, degrees {:?}\n", world.elapsed(), world.degrees());
    for peer in world.alive() {
        let status = world.status(peer);
        if world.neighbours(peer).is_empty() {
            let _ = writeln!(text, "{peer:?}: {status:?}");
        }
    }
    text
}
