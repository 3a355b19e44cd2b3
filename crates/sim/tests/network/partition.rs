//! A network that breaks in two grows together again.

use std::time::Duration;

use taiinet_sim::Node;

use crate::common::{Setting, describe, meshed, seconds, seeds};

fn cut(setting: &mut Setting) -> (Vec<Node>, Vec<Node>) {
    let (left, right) = setting.peers.split_at(setting.peers.len() / 2);
    let nodes = |peers: &[taiinet_sim::PeerIndex]| peers.iter().map(|p| Node::Peer(*p)).collect();
    (nodes(left), nodes(right))
}

fn grows_together(seed: u64, count: usize, cut_for: Duration, signaller_on_one_side: bool) {
    let mut setting = meshed(seed, count);
    setting.world.run_for(seconds(10));
    let (mut left, right) = cut(&mut setting);
    if signaller_on_one_side {
        left.push(Node::Signaller(setting.signaller));
    }
    setting.world.partition(&[left, right]);
    let steps = u32::try_from(cut_for.as_millis() / 500).expect("short");
    for number in 0..steps {
        for peer in [setting.peers[1], setting.peers[count - 2]] {
            setting.world.publish(peer, &format!(r#"{{"number": {number}}}"#)).expect("room");
        }
        setting.world.run_for(Duration::from_millis(500));
    }
    if cut_for > seconds(8) {
        let parts = setting.world.components().len();
        assert!(parts >= 2, "seed {seed}: the cut had no effect");
    }
    setting.world.heal();
    let merged = setting.world.run_until(seconds(60), taiinet_sim::World::is_connected);
    assert!(merged, "seed {seed}: {}", describe(&setting.world));
    setting.arrives(seconds(30), |_| true);
    setting.sound();
}

#[test]
fn ten_seconds_apart_then_whole_again_with_all_documents() {
    seeds(0..4).for_each(|seed| grows_together(seed, 20, seconds(10), false));
}

#[test]
fn the_side_without_the_signaller_comes_back_as_well() {
    seeds(10..13).for_each(|seed| grows_together(seed, 20, seconds(20), true));
}

#[test]
fn a_short_break_passes_unnoticed() {
    seeds(20..22).for_each(|seed| grows_together(seed, 20, seconds(3), false));
}

#[test]
fn a_minute_apart_is_made_up_for() {
    seeds(30..32).for_each(|seed| grows_together(seed, 20, seconds(60), false));
}

#[test]
fn two_halves_that_lived_for_themselves_tell_each_other_what_they_missed() {
    seeds(40..41).for_each(|seed| grows_together(seed, 40, seconds(100), false));
}
