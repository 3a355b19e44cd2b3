//! What an author says under a key holds for as long as it runs; and what was missed is looked for.

use std::{collections::BTreeSet, time::Duration};

use taiinet_document::DocumentId;
use taiinet_mesh::{PublishOptions, limits};
use taiinet_sim::{PeerIndex, PeerSpec, World};

use crate::common::{Setting, meshed, network, seconds, seeds, started};

fn keyed(setting: &mut Setting, by: PeerIndex, key: &str, number: u32) -> DocumentId {
    let options = PublishOptions { key: Some(key.into()), ..PublishOptions::default() };
    let content = format!(r#"{{"number": {number}}}"#);
    let id = setting.world.publish_with(by, &content, options).expect("there is room");
    setting.world.run_for(seconds(1));
    id
}

fn comes_late(setting: &mut Setting, count: usize) -> PeerIndex {
    let late = setting.world.add_peer(PeerSpec::new(network(), &[setting.signaller]));
    setting.world.subscribe(late, "{}");
    let linked = |world: &World| world.neighbours(late).len() == count;
    assert!(setting.world.run_until(seconds(30), linked));
    late
}

/// What is found, and whether that is all.
fn found(setting: &mut Setting, by: PeerIndex, limit: u16) -> (Vec<DocumentId>, bool) {
    let find = setting.world.find(by, "{}", limit).expect("it searches for little");
    let done = |world: &World| world.found(by, find).done.is_some();
    assert!(setting.world.run_until(limits::FIND_TIMEOUT + seconds(1), done));
    let found = setting.world.found(by, find);
    (found.documents, found.done.expect("it is over").1)
}

#[test]
fn a_late_comer_finds_what_an_author_holds_under_its_keys_however_old_that_is() {
    for seed in seeds(0..3) {
        let mut setting = meshed(seed, 4);
        let [author, other] = [setting.peers[0], setting.peers[1]];
        keyed(&mut setting, author, "profile", 1);
        let profile = keyed(&mut setting, author, "profile", 2);
        let place = keyed(&mut setting, author, "place", 3);
        let of_another = keyed(&mut setting, other, "profile", 4);
        let soon = setting.world.now().after(seconds(400)).timestamp();
        let expiring = PublishOptions {
            key: Some("mood".into()),
            expires_at: Some(soon),
            ..PublishOptions::default()
        };
        setting.world.publish_with(author, r#"{"number": 5}"#, expiring).expect("there is room");
        setting.world.publish(author, r#"{"without": "a key"}"#).expect("there is room");

        setting.world.run_for(limits::LIVE_WINDOW * 2);
        let late = comes_late(&mut setting, 4);
        let (ids, complete) = found(&mut setting, late, 100);
        let newest = BTreeSet::from([of_another, place, profile]);
        assert_eq!(BTreeSet::from_iter(ids), newest, "seed {seed}: the newest of each key");
        assert!(complete);
        // Its author finds its own, and so does whoever asks it later.
        assert_eq!(found(&mut setting, author, 100).0.len(), 3);
        assert_eq!(setting.world.deliveries(late).len(), 0, "they come to those that ask alone");

        // What it says now takes the place of what it said.
        let newer = keyed(&mut setting, author, "profile", 6);
        let (ids, _) = found(&mut setting, late, 100);
        assert_eq!(ids.len(), 3);
        assert!(ids.contains(&newer) && !ids.contains(&profile));
        let rejected = setting.world.counters().rejected;
        assert!(rejected.is_empty(), "seed {seed}: {rejected:?}");
    }
}

#[test]
fn a_search_that_its_limit_cuts_is_not_called_complete_and_one_of_many_answers_is() {
    let mut setting = meshed(10, 3);
    for number in 0..5 {
        let author = setting.peers[0];
        keyed(&mut setting, author, &format!("{number}"), number);
    }
    setting.world.run_for(limits::LIVE_WINDOW * 2);
    let late = comes_late(&mut setting, 3);
    assert!(found(&mut setting, late, 5).1);
    assert!(found(&mut setting, late, 6).1);
    let (ids, complete) = found(&mut setting, late, 4);
    assert_eq!((ids.len(), complete), (4, false));
    // More than one answer has room for: they are asked for until there are no more.
    let text = "x".repeat(100_000);
    for _ in 0..20 {
        let content = format!(r#"{{"text": "{text}"}}"#);
        setting.world.publish(setting.peers[0], &content).expect("there is room");
        setting.world.run_for(Duration::from_millis(500));
    }
    setting.world.run_for(seconds(5));
    let later = comes_late(&mut setting, 4);
    let (ids, complete) = found(&mut setting, later, 1000);
    assert_eq!((ids.len(), complete), (25, true));
}

#[test]
fn one_that_takes_over_looks_back_as_far_as_nobody_was_there() {
    for (silence, expected) in [(0, 0), (20, 10)] {
        let mut setting = started(20, 3);
        for peer in setting.peers.clone() {
            setting.world.subscribe(peer, "{}");
        }
        setting.connect();
        for number in 0..10 {
            let content = format!(r#"{{"number": {number}}}"#);
            setting.world.publish(setting.peers[0], &content).expect("there is room");
            setting.world.run_for(Duration::from_millis(500));
        }
        setting.world.run_for(seconds(5));
        let spec = PeerSpec::new(network(), &[setting.signaller]);
        let next = setting.world.add_peer(PeerSpec { silence: seconds(silence), ..spec });
        setting.world.subscribe(next, "{}");
        setting.world.run_for(seconds(20));
        assert_eq!(setting.world.deliveries(next).len(), expected, "{silence} s");
        setting.world.run_for(seconds(5));
    }
}
