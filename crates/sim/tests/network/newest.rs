//! Documents under keys: all agree on which is the newest.

use std::{collections::BTreeSet, time::Duration};

use taiinet_document::{DocumentId, Timestamp};
use taiinet_mesh::{
    PublishOptions, limits,
    wire::{DocumentFrame, Frame, Push},
};
use taiinet_sim::{Manners, PeerIndex, World, forge};

use crate::common::{Setting, meshed, network, seconds, seeds, sparse};

fn publish(setting: &mut Setting, by: PeerIndex, key: usize, version: usize) -> DocumentId {
    let options = PublishOptions { key: Some(key.to_string().into()), ..PublishOptions::default() };
    let content = format!(r#"{{"key": {key}, "version": {version}}}"#);
    setting.world.publish_with(by, &content, options).expect("there is room")
}

fn delivered(world: &World, peer: PeerIndex) -> Vec<DocumentId> {
    world.deliveries(peer).iter().map(|delivered| delivered.id).collect()
}

/// Of two of one millisecond the one with the greater id once counted, so that in half of the cases the
/// older one did.
#[test]
fn of_versions_of_one_millisecond_the_last_counts_for_subscribers_searches_and_newcomers() {
    for seed in seeds(0..3) {
        let mut setting = meshed(seed, 6);
        let author = setting.peers[0];
        let versions: Vec<[DocumentId; 3]> = (0..20)
            .map(|key| [1, 2, 3].map(|version| publish(&mut setting, author, key, version)))
            .collect();
        let last: BTreeSet<_> = versions.iter().map(|[.., last]| *last).collect();
        let peers = setting.peers.clone();
        assert!(setting.world.run_until(seconds(10), |world| {
            peers.iter().all(|peer| last.is_subset(&delivered(world, *peer).into_iter().collect()))
        }));
        setting.world.run_for(seconds(20));
        for peer in &peers {
            let delivered = delivered(&setting.world, *peer);
            let place = |id| delivered.iter().position(|delivered| delivered == id);
            for [first, second, last] in &versions {
                assert!(place(first) < place(last) && place(second) < place(last), "seed {seed}");
                assert!(
                    place(first).is_none()
                        || place(second).is_none()
                        || place(first) < place(second)
                );
            }
        }
        let late =
            setting.world.add_peer(taiinet_sim::PeerSpec::new(network(), &[setting.signaller]));
        for asks in [author, peers[3], late] {
            let find = setting.world.find(asks, "{}", 100).expect("it searches for little");
            let done = |world: &World| world.found(asks, find).done.is_some();
            assert!(setting.world.run_until(limits::FIND_TIMEOUT + seconds(1), done));
            let found: BTreeSet<_> =
                setting.world.found(asks, find).documents.into_iter().collect();
            assert_eq!(found, last, "seed {seed}, {asks:?}");
        }
        setting.nobody_honest_is_blamed();
    }
}

#[test]
fn a_version_that_was_overtaken_on_its_way_is_passed_on_and_not_delivered() {
    let mut setting = sparse(40, 4);
    let victim = setting.peers[0];
    let (_, wire) = setting.befriend(victim, Manners::HONEST);
    let author = setting.world.identity();
    let now = setting.world.now().as_millis();
    let [older, newer] = [0, 1].map(|later| {
        let content = format!(r#"{{"version": {later}}}"#);
        forge::keyed(&author, &network(), Timestamp::from_millis(now + later), "profile", &content)
    });
    for document in [&newer, &older] {
        let push = Push { hops: 0, document: document.clone() };
        setting.world.speak(wire, &[Frame::Documents(DocumentFrame::Push(push))]);
        setting.world.run_for(seconds(2));
    }
    for peer in setting.peers.clone() {
        assert_eq!(delivered(&setting.world, peer), [newer.id()], "{peer:?}");
        assert_eq!(setting.world.status(peer).counters.received, 2, "{peer:?}");
    }
    setting.nobody_honest_is_blamed();
}

#[test]
fn of_a_burst_of_versions_the_last_counts() {
    let mut setting = meshed(50, 3);
    let author = setting.peers[0];
    let mut last = None;
    for version in 0..3000 {
        last = Some(publish(&mut setting, author, 1, version));
        if version % 250 == 0 {
            // As neighbours take them: only so many wait for that.
            setting.world.run_for(Duration::from_millis(100));
        }
    }
    let peers = setting.peers.clone();
    let newest = |world: &World, peer| delivered(world, peer).last().copied();
    let all = |world: &World| peers.iter().all(|peer| newest(world, *peer) == last);
    assert!(setting.world.run_until(seconds(10), all));
    setting.nobody_honest_is_blamed();
}
