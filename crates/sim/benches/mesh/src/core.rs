//! Our mesh: real peers and a real signaller on the simulator's clock and links.

use std::time::Duration;

use taiinet_sim::{DeskConfig, PeerIndex, PeerSpec, Spread, World, WorldConfig};

use crate::{Figures, LINKS, PEERS, TEXT_BYTES, WARM_UP, cpu};

/// Runs the mesh for so long at `rate` documents a second.
pub(crate) fn measure(rate: u64, time: Duration) -> Figures {
    let config = WorldConfig {
        latency: Spread::millis(1, 2),
        bandwidth: 1_000_000,
        ..WorldConfig::default()
    };
    let mut world = World::new(1, config);
    let signaller = world.add_signaller(DeskConfig::default());
    let spec =
        PeerSpec { max_links: LINKS, ..PeerSpec::new("bench".parse().unwrap(), &[signaller]) };
    let peers = world.add_peers(PEERS, &spec);
    for peer in &peers {
        world.subscribe(*peer, "{}");
    }
    assert!(world.run_until(Duration::from_secs(60), World::is_connected), "no mesh came to be");

    publish(&mut world, &peers, rate, WARM_UP);
    world.run_for(Duration::from_secs(2));
    let (before, begun) = (world.counters(), cpu());
    let published = publish(&mut world, &peers, rate, time);
    world.run_for(Duration::from_secs(2));
    let (after, cpu) = (world.counters(), cpu() - begun);

    let delivered = after.received - before.received;
    let more = after.duplicates - before.duplicates;
    Figures { published, delivered, received: delivered + more, cpu }
}

fn publish(world: &mut World, peers: &[PeerIndex], rate: u64, time: Duration) -> u64 {
    let text = "x".repeat(TEXT_BYTES);
    let count = rate * time.as_secs();
    let begun = world.elapsed();
    for number in 0..count {
        let content = format!(r#"{{"number":{number},"text":"{text}"}}"#);
        let peer = peers[number as usize % peers.len()];
        world.publish(peer, &content).unwrap();
        let next = begun + Duration::from_micros((number + 1) * 1_000_000 / rate);
        world.run_for(next.saturating_sub(world.elapsed()));
    }
    count
}
