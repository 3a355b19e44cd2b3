//! What is no peer's fault costs none anything: in each of these runs all keep the rules.

use std::time::Duration;

use taiinet_mesh::{Misbehaviour, Quota, wire};
use taiinet_sim::{DeskConfig, Manners, PeerSpec, Spread, World, WorldConfig, forge};

use crate::common::{Setting, meshed, network, seconds, sparse};

fn nobody_is_charged(setting: &Setting) {
    let rejected = setting.world.counters().rejected;
    assert!(rejected.is_empty(), "{rejected:?}");
    setting.sound();
}

/// One user blacklists an author: what others send of it was promised and is sent, and refused.
#[test]
fn an_author_that_one_user_blacklists_costs_its_neighbours_nothing() {
    let mut setting = meshed(0, 12);
    let (user, author) = (setting.peers[0], setting.peers[7]);
    setting.world.blacklist(user, setting.world.id(author)).expect("there is room");
    setting.world.run_for(seconds(5));
    let since = setting.world.now();
    for number in 0..600 {
        let by = setting.peers[number % 12];
        setting.world.publish(by, &format!(r#"{{"number": {number}}}"#)).expect("room");
        setting.world.run_for(Duration::from_millis(500));
    }
    setting.arrives(seconds(10), |published| published.at >= since && published.by != author);
    let name = setting.world.id(author);
    let got =
        |delivered: &&taiinet_sim::Delivered| delivered.author == name && delivered.at >= since;
    assert_eq!(setting.world.deliveries(user).iter().filter(got).count(), 0);
    nobody_is_charged(&setting);
}

/// What was announced is evicted before it is asked for: stores of a tenth of a second.
#[test]
fn what_is_evicted_before_it_is_asked_for_breaks_no_promise() {
    let config = WorldConfig { latency: Spread::millis(20, 200), ..WorldConfig::default() };
    let mut world = World::new(1, config);
    let signaller = world.add_signaller(DeskConfig::default());
    // With few links, so that much is announced.
    let spec =
        PeerSpec { store_bytes: 30_000, target_links: 3, ..PeerSpec::new(network(), &[signaller]) };
    let peers = world.add_peers(20, &spec);
    let mut setting = Setting { world, signaller, peers };
    setting.connect();
    setting.world.run_for(seconds(5));
    let text = "x".repeat(3000);
    for number in 0..1000 {
        let by = setting.peers[number % 20];
        let content = format!(r#"{{"number": {number}, "text": "{text}"}}"#);
        setting.world.publish(by, &content).expect("there is room");
        setting.world.run_for(Duration::from_millis(10));
    }
    setting.world.run_for(seconds(15));
    nobody_is_charged(&setting);
}

/// An author writes more than it may, some of it here and some there. A peer that passes on what is within
/// the quota by its own count is not to blame for what others have counted.
#[test]
fn an_author_over_its_quota_costs_those_that_pass_it_on_nothing() {
    let quota = Quota { documents: (20, 1), ..Quota::default() };
    let mut world = World::new(2, WorldConfig::default());
    let signaller = world.add_signaller(DeskConfig::default());
    let spec =
        PeerSpec { quota, target_links: 3, max_links: 8, ..PeerSpec::new(network(), &[signaller]) };
    let peers = world.add_peers(6, &spec);
    let mut setting = Setting { world, signaller, peers };
    setting.connect();
    setting.world.run_for(seconds(5));
    let author = setting.world.identity();
    let now = setting.world.now().as_millis();
    let doors = [0, 3].map(|peer: usize| setting.befriend(setting.peers[peer], Manners::HONEST).1);
    for number in 0..600_usize {
        let content = format!(r#"{{"number": {number}}}"#);
        let document = forge::document(&author, &network(), now, &content);
        let push = wire::DocumentFrame::Push(wire::Push { hops: 0, document });
        setting.world.speak(doors[number % 2], &[push.into()]);
        setting.world.run_for(Duration::from_millis(10));
    }
    setting.world.run_for(seconds(20));
    let refused = |what| setting.peers.iter().map(|peer| setting.refused(*peer, what)).sum::<u64>();
    assert!(refused(Misbehaviour::AuthorFlood) > 0, "the quota was reached");
    assert_eq!(refused(Misbehaviour::BrokenPromise), 0);
    setting.sound();
}

/// A reader that is behind refuses what it asked for before: that was sent, and is fetched later.
#[test]
fn what_was_asked_for_before_the_reader_fell_behind_is_no_broken_promise() {
    let mut setting = sparse(3, 6);
    let slow = setting.peers[5];
    let text = "x".repeat(100_000);
    for number in 0..480 {
        // Full lanes: much is announced and asked for. For the second half of each eight seconds more
        // comes than has room.
        if number % 80 == 0 {
            setting.world.set_behind(slow, number % 160 == 80);
        }
        let by = setting.peers[number % 5];
        let _ = setting.world.publish(by, &format!(r#"{{"number": {number}, "text": "{text}"}}"#));
        setting.world.run_for(Duration::from_millis(40));
    }
    setting.world.set_behind(slow, false);
    setting.world.run_for(seconds(10));
    setting.arrives(seconds(60), |_| true);
    nobody_is_charged(&setting);
}
