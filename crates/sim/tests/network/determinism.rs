//! The same seed gives the same run, to the last byte.

use taiinet_sim::{Node, WorldConfig};

use crate::common::{seconds, started_with};

fn run(seed: u64) -> ([u8; 32], u64) {
    let config = WorldConfig {
        link_loss: 0.02,
        signal_loss: 0.05,
        dial_failure: 0.1,
        ..WorldConfig::default()
    };
    let mut setting = started_with(seed, 12, config);
    for peer in setting.peers.clone() {
        setting.world.subscribe(peer, "{}");
    }
    for number in 0..20 {
        let by = setting.peers[number % 12];
        setting.world.publish(by, &format!(r#"{{"number": {number}}}"#)).expect("there is room");
        setting.world.run_for(seconds(1));
        if number == 8 {
            setting.world.crash(setting.peers[3]);
            let left = setting.peers[6..].iter().map(|peer| Node::Peer(*peer)).collect();
            let right = setting.peers[..6].iter().map(|peer| Node::Peer(*peer)).collect();
            setting.world.partition(&[left, right]);
        }
        if number == 17 {
            setting.world.heal();
            setting.world.restart(setting.peers[3]);
        }
    }
    setting.world.run_for(seconds(20));
    (setting.world.trace_hash(), setting.world.trace_entries())
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let (hash, entries) = run(5);
    assert!(entries > 5_000, "only {entries} things happened");
    assert_eq!(run(5), (hash, entries));
    assert_ne!(run(6).0, hash);
}
