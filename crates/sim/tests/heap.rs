//! What an idle peer takes of the heap.

use std::time::Duration;

use allocation_counter::measure;
use taiinet_sim::{DeskConfig, PeerSpec, World, WorldConfig};

const PEERS: i64 = 60;

#[test]
fn an_idle_peer_takes_little_memory() {
    let mut world = None;
    let held = measure(|| {
        let mut all = World::new(1, WorldConfig::default());
        let signaller = all.add_signaller(DeskConfig::default());
        let spec = PeerSpec::new("idle".parse().expect("a name"), &[signaller]);
        let peers = all.add_peers(PEERS as usize, &spec);
        for peer in &peers {
            all.subscribe(*peer, r#"{"topic": 1}"#);
        }
        all.run_for(Duration::from_secs(60));
        world = Some(all);
    });
    let world = world.expect("it ran");
    let links: usize = world.alive().into_iter().map(|peer| world.neighbours(peer).len()).sum();
    let each = held.bytes_current / PEERS;
    println!("{each} bytes a peer, {} links", links as f64 / PEERS as f64);
    // What the simulator keeps for each is in it: its messages, its records, its keys.
    assert!(each < 128 * 1024, "{each} bytes a peer");
    assert!(links >= 5 * PEERS as usize, "they are linked: {links}");
}
