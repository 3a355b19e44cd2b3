#![allow(clippy::unwrap_used)]

use taiinet_document::Network;
use taiinet_identity::Verified;
use taiinet_query::DocumentKeys;

use super::*;
use crate::{
    testing::{self, NOW, identity},
    wire::{Bulletin, IdPrefix},
};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An office for so many seconds in a network of so many peers, of which so many want everything, and so many bytes a second.
fn decides(office: &mut Office, from: u64, (peers, open, bytes): (u32, u32, usize)) -> Spreading {
    decides_having_met(office, from, (peers, open, bytes), Crowd::default())
}

/// The same where the root has met these.
fn decides_having_met(
    office: &mut Office,
    from: u64,
    (peers, open, bytes): (u32, u32, usize),
    met: Crowd,
) -> Spreading {
    let mut spreading = Spreading::Flood;
    for second in from..from + 300 {
        let now = NOW.after(seconds(second));
        office.name(Entry::of_all(IdPrefix([0; 8])), bytes, now);
        (_, spreading) = office.issue(Crowd { peers, open }, met, now);
    }
    spreading
}

#[test]
fn documents_flood_where_that_is_cheaper_and_what_was_decided_stays_until_it_is_wrong_by_two() {
    let cases = [
        // What floods begins to go by routes,
        ((63, 0, 10_000), Spreading::Flood),
        ((64, 0, 10_000), Spreading::Route),
        // and what goes by routes ends that at half as much.
        ((32, 0, 10_000), Spreading::Route),
        ((31, 0, 10_000), Spreading::Flood),
        ((63, 0, 10_000), Spreading::Flood),
        ((100, 34, 10_000), Spreading::Flood),
        ((100, 33, 10_000), Spreading::Route),
        ((100, 66, 10_000), Spreading::Route),
        ((100, 67, 10_000), Spreading::Flood),
        // It is half of the load that the root of one of two trees sees.
        ((100, 67, 300), Spreading::Flood),
        ((100, 0, 300), Spreading::Flood),
        ((100, 0, 400), Spreading::Route),
        ((100, 0, 200), Spreading::Route),
        ((100, 0, 150), Spreading::Flood),
        ((u32::MAX, u32::MAX, usize::MAX), Spreading::Flood),
        ((u32::MAX, 0, usize::MAX), Spreading::Route),
        ((0, u32::MAX, usize::MAX), Spreading::Flood),
    ];
    let mut office = Office::new(Spreading::Flood, NOW);
    for (turn, (network, spreading)) in cases.into_iter().enumerate() {
        let from = turn as u64 * 300;
        assert_eq!(decides(&mut office, from, network), spreading, "{network:?}");
    }
}

#[test]
fn what_one_child_tells_of_thousands_does_not_count_against_what_many_say_of_themselves() {
    let busy = 10_000;
    let lie = (u32::MAX, u32::MAX, busy);
    let few = Crowd { peers: limits::CROWD - 1, open: 0 };
    let [closed, open] = [1, limits::CROWD / 2].map(|open| Crowd { peers: limits::CROWD, open });
    let mut office = Office::new(Spreading::Flood, NOW);
    assert_eq!(decides_having_met(&mut office, 0, lie, few), Spreading::Flood, "too few");
    assert_eq!(decides_having_met(&mut office, 300, lie, closed), Spreading::Route);
    assert_eq!(decides_having_met(&mut office, 600, lie, closed), Spreading::Route);
    let mut office = Office::new(Spreading::Flood, NOW);
    let truth = (1000, 0, busy);
    assert_eq!(decides_having_met(&mut office, 0, truth, open), Spreading::Flood);
    // Nor does a child that hides thousands make a network small.
    let many = Crowd { peers: 96, open: 0 };
    assert_eq!(decides_having_met(&mut office, 300, (1, 0, busy), many), Spreading::Route);
}

/// A peer that changes its parent stands below two for a moment.
#[test]
fn what_is_better_for_a_moment_changes_nothing() {
    let mut office = Office::new(Spreading::Flood, NOW);
    let mut issue = |second, peers| {
        let now = NOW.after(seconds(second));
        office.name(Entry::of_all(IdPrefix([0; 8])), 10_000, now);
        office.issue(Crowd { peers, open: 0 }, Crowd::default(), now).1
    };
    let hold = limits::TURNS_AFTER.as_secs();
    for second in 0..10 * hold {
        let peers = if second % hold == 0 { 50 } else { 70 };
        assert_eq!(issue(second, peers), Spreading::Flood, "{second}");
    }
    for second in 10 * hold..11 * hold {
        issue(second, 70);
    }
    assert_eq!(issue(11 * hold, 70), Spreading::Route);
}

#[test]
fn what_a_bulletin_names_is_bounded_and_in_order_and_the_rest_waits() {
    let mut office = Office::new(Spreading::Route, NOW);
    let about = DocumentKeys::of(&testing::document(&identity(1), 1, 10));
    let entry = |n: usize| Entry { id: IdPrefix((n as u64).to_be_bytes()), about: about.clone() };
    let all = limits::NAMES_WAITING + 10;
    for n in 0..all {
        office.name(entry(n), 100, NOW);
    }
    let mut named = Vec::new();
    for turn in 0.. {
        let (now, root) = (NOW.after(seconds(turn)), identity(1));
        let (entries, _) = office.issue(Crowd { peers: 100, open: 0 }, Crowd::default(), now);
        if entries.is_empty() {
            break;
        }
        assert!(entries.len() <= limits::NAMES_PER_BULLETIN);
        named.extend(entries.iter().map(|entry| entry.id));
        let network: Network = "n".repeat(64).parse().unwrap();
        let bulletin = Bulletin {
            network,
            slot: Slot(0),
            issued_at: now.timestamp(),
            after: taiinet_document::Timestamp::from_millis(0),
            beat_ms: 1000,
            peers: 100,
            spreading: 1,
            named: entries,
        };
        let signed = Verified::sign(&root, bulletin).signed().clone();
        assert!(Bulletin::peek(&signed).is_ok(), "{} bytes", signed.size());
    }
    // The oldest gave way.
    assert!(named.into_iter().eq((10..all).map(|n| entry(n).id)));
}
