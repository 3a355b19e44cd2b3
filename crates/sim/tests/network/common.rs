//! What the tests share.

use std::time::Duration;

use taiinet_document::Network;
use taiinet_sim::{
    DeskConfig, Manners, PeerIndex, PeerSpec, PuppetIndex, PuppetSpec, SignallerIndex, WireId,
    World, WorldConfig,
};



pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) fn network() -> Network {
    "tests".parse().expect("a valid name")
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

impl Setting {
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
        let honest =
            Manners { greets: true, proves: true, accepts: true, pongs: true, ..manners };
        let puppet = self.puppet(honest);
        let to = self.world.id(peer);
        let wire = self.world.call(puppet, to);
        let taken = self.world.run_until(seconds(20), |world| world.wire(wire).is_neighbour());
        assert!(taken, "{peer:?} did not take the puppet: {:?}", self.world.wire(wire));
        (puppet, wire)
    }

    pub(crate) fn sound(&self) {
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
