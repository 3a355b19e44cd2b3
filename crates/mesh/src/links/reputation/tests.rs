#![allow(clippy::unwrap_used)]

use core::time::Duration;

use super::*;
use crate::testing::NOW;

const BAD: Misbehaviour = Misbehaviour::InvalidSignature;

fn peer(number: u32) -> PeerId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    PeerId::from_bytes(bytes)
}

fn after(seconds: u64) -> Time {
    NOW.after(Duration::from_secs(seconds))
}

/// Charges until the peer is listed; how often, and what it says.
fn list(reputation: &mut Reputation, what: Misbehaviour, now: Time) -> (u32, Blacklisted) {
    for count in 1..1000 {
        if let Verdict::Blacklisted(listed) = reputation.charge(peer(1), what, now) {
            return (count, listed);
        }
    }
    panic!("{what:?} leads to nothing")
}

#[test]
fn offences_add_up_to_suspicion_and_then_to_the_blacklist() {
    let mut reputation = Reputation::default();
    assert_eq!(reputation.charge(peer(1), BAD, NOW), Verdict::Noted);
    assert_eq!(reputation.charge(peer(1), BAD, NOW), Verdict::Suspect);
    assert!(reputation.is_suspect(&peer(1), NOW) && !reputation.is_suspect(&peer(2), NOW));
    let (count, listed) = list(&mut reputation, BAD, NOW);
    assert_eq!(count, 8);
    assert!(reputation.is_blacklisted(&peer(1), NOW) && !reputation.is_blacklisted(&peer(2), NOW));
    assert_eq!((listed.misbehaviour, listed.times), (Some(BAD), 1));
    assert_eq!(reputation.blacklist(NOW), [listed]);
    assert!(!reputation.is_listed_by_hand(&peer(1), NOW));
}

#[test]
fn points_are_forgiven_with_time() {
    let mut reputation = Reputation::default();
    for minute in 0..60 {
        // Ten points a minute are ten forgiven.
        let now = after(minute * 60);
        assert!(!matches!(reputation.charge(peer(1), BAD, now), Verdict::Blacklisted(_)));
        assert_eq!(reputation.points(&peer(1), now), 10);
    }
    assert_eq!(reputation.points(&peer(1), after(3600)), 0);
}

#[test]
fn what_is_nobodys_fault_for_certain_costs_nothing() {
    let mut reputation = Reputation::default();
    for what in [Misbehaviour::OutOfTime, Misbehaviour::LongOver, Misbehaviour::BrokenPromise] {
        for _ in 0..10_000 {
            assert_eq!(reputation.charge(peer(1), what, NOW), Verdict::Noted);
        }
    }
    assert!(reputation.records.is_empty());
}

#[test]
fn each_time_on_the_blacklist_is_twice_as_long_up_to_a_day() {
    let mut reputation = Reputation::default();
    let mut now = NOW;
    let mut lengths = Vec::new();
    for times in 1..=12 {
        let (_, listed) = list(&mut reputation, BAD, now);
        assert_eq!(listed.times, times);
        let until = Time::from(listed.until.unwrap());
        lengths.push(until.since(now).as_secs() / 60);
        assert!(reputation.is_blacklisted(&peer(1), until.before(Duration::from_millis(1))));
        assert!(!reputation.is_blacklisted(&peer(1), until));
        now = until;
    }
    assert_eq!(lengths[..4], [10, 20, 40, 80]);
    assert_eq!(lengths[11], 24 * 60);
    // A day of peace, and the first time is the first again.
    let (_, listed) = list(&mut reputation, BAD, now.after(limits::LISTING_REMEMBERED));
    assert_eq!(listed.times, 13, "not forgotten while it was not needed to make room");
    let mut kept = Reputation::new(&[listed], now);
    let long_after = Time::from(listed.until.unwrap()).after(limits::LISTING_REMEMBERED);
    assert!(kept.to_keep(long_after).is_empty());
    kept = Reputation::new(&[listed], long_after);
    assert_eq!(list(&mut kept, BAD, long_after).1.times, 1);
}

#[test]
fn by_hand_it_stays_until_it_is_unblocked() {
    let mut reputation = Reputation::default();
    reputation.list(peer(1), None, NOW).unwrap();
    reputation.list(peer(2), Some(after(60).timestamp()), NOW).unwrap();
    let year = after(365 * 24 * 3600);
    assert!(reputation.is_listed_by_hand(&peer(1), year));
    assert!(reputation.is_blacklisted(&peer(2), after(59)));
    assert!(!reputation.is_blacklisted(&peer(2), after(60)));
    assert_eq!(reputation.charge(peer(1), BAD, year), Verdict::Noted);
    assert!(reputation.unblock(&peer(1), year));
    assert!(!reputation.unblock(&peer(1), year) && !reputation.is_blacklisted(&peer(1), year));
}

#[test]
fn what_was_kept_counts_in_the_next_run() {
    let mut first = Reputation::default();
    let (_, listed) = list(&mut first, BAD, NOW);
    first.list(peer(7), None, NOW).unwrap();
    let kept = first.to_keep(NOW);
    let mut second = Reputation::new(&kept, after(10));
    assert_eq!(second.blacklist(after(10)), kept);
    let over = Time::from(listed.until.unwrap());
    assert_eq!(second.to_keep(over).len(), 2, "it was once: the next time is longer");
    assert_eq!(list(&mut second, BAD, over).1.times, 2);
}

#[test]
fn thousands_of_names_displace_neither_peers_listed_by_hand_nor_other_listed_ones() {
    let mut reputation = Reputation::default();
    reputation.list(peer(0), None, NOW).unwrap();
    list(&mut reputation, BAD, NOW);
    for number in 10..u32::try_from(limits::REPUTATIONS).unwrap() + 500 {
        reputation.charge(peer(number), BAD, NOW);
    }
    assert!(reputation.records.len() <= limits::REPUTATIONS);
    assert!(reputation.is_blacklisted(&peer(0), NOW) && reputation.is_blacklisted(&peer(1), NOW));
    for number in 0..u32::try_from(limits::LISTED_BY_HAND).unwrap() - 1 {
        reputation.list(peer(100_000 + number), None, NOW).unwrap();
    }
    assert_eq!(reputation.list(peer(2), None, NOW), Err(BlacklistError::Full));
}
