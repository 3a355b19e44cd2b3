//! Documents under keys: all agree on which is the newest.

use std::{collections::BTreeSet, time::Duration};

use taiinet_document::{DocumentId, Key, Timestamp, Writers};
use taiinet_mesh::{
    PublishError, PublishOptions, limits,
    wire::{DocumentFrame, Frame, Push},
};
use taiinet_sim::{DeskConfig, Manners, PeerIndex, PeerSpec, World, WorldConfig, forge};

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

/// Peers of which the first is an owner whose clock is ahead, and the second a writer whose clock is behind: they are
/// so many seconds apart.
fn clocks_apart(seconds: i64) -> Setting {
    let mut world = World::new(60, WorldConfig::default());
    let signaller = world.add_signaller(DeskConfig::default());
    let errors = [seconds * 500, -seconds * 500, 0, 0];
    let peers = errors.map(|clock_error| {
        world.add_peer(PeerSpec { clock_error, ..PeerSpec::new(network(), &[signaller]) })
    });
    for peer in &peers {
        world.subscribe(*peer, "{}");
    }
    let mut setting = Setting { world, signaller, peers: peers.to_vec() };
    setting.connect();
    setting
}

fn write(setting: &mut Setting, by: PeerIndex, key: Key) -> Result<DocumentId, PublishError> {
    let options = PublishOptions { key: Some(key), ..PublishOptions::default() };
    setting.world.publish_with(by, "{}", options)
}

fn is_newest_for_all(setting: &mut Setting, id: DocumentId) -> bool {
    let peers = setting.peers.clone();
    let newest = |world: &World, peer| delivered(world, peer).last() == Some(&id);
    setting.world.run_until(seconds(5), |world| peers.iter().all(|peer| newest(world, *peer)))
}

#[test]
fn a_writer_whose_clock_is_behind_the_owners_is_not_lost() {
    let mut setting = clocks_apart(55);
    let [ann, bob, ..] = setting.peers[..] else { panic!("there are four") };
    let owner = setting.world.id(ann);
    for _ in 0..3 {
        let opened = write(&mut setting, ann, Key::shared("list", Writers::Anyone)).expect("hers");
        assert!(is_newest_for_all(&mut setting, opened));
        let written = write(&mut setting, bob, Key::of("list", owner)).expect("his");
        assert!(is_newest_for_all(&mut setting, written));
    }
    // What is taken back is replaced, though it was the later one of two clocks.
    let closed = write(&mut setting, ann, Key::new("list")).expect("hers");
    assert!(is_newest_for_all(&mut setting, closed));
    setting.nobody_honest_is_blamed();
}

#[test]
fn a_writer_whose_clock_is_too_far_behind_is_told() {
    let mut setting = clocks_apart(90);
    let [ann, bob, ..] = setting.peers[..] else { panic!("there are four") };
    let owner = setting.world.id(ann);
    let opened = write(&mut setting, ann, Key::shared("list", Writers::Anyone)).expect("hers");
    assert!(is_newest_for_all(&mut setting, opened));
    let refused = write(&mut setting, bob, Key::of("list", owner));
    let Err(PublishError::VersionAhead(ahead)) = refused else { panic!("{refused:?}") };
    assert!((80..=90).contains(&ahead.by.as_secs()), "{ahead}");
    // All else he may say.
    write(&mut setting, bob, Key::new("list")).expect("his own");
    setting.nobody_honest_is_blamed();
}
