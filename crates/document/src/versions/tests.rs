#![allow(clippy::unwrap_used)]

use proptest::{prelude::*, sample::subsequence};

use super::*;
use crate::{DocumentId, PeerSet, Timestamp};

const OWNER: u8 = 0;

fn peer(byte: u8) -> PeerId {
    PeerId::from_bytes([byte; PeerId::LEN])
}

fn at(time: u64) -> Mark {
    Mark { created_at: Timestamp::from_millis(time), id: DocumentId::from_bytes([time as u8; 32]) }
}

fn shared(writers: &[u8]) -> Key {
    let peers = PeerSet::new(writers.iter().copied().map(peer)).unwrap();
    Key::shared("list", Writers::Peers(peers))
}

fn of() -> Key {
    Key::of("list", peer(OWNER))
}

fn times(versions: &Versions) -> Vec<u64> {
    let mut times: Vec<_> = versions.current().map(|mark| mark.created_at.as_millis()).collect();
    times.sort_unstable();
    times
}

fn versions(all: &[(u8, u64, Key)]) -> Versions {
    let mut versions = Versions::default();
    for (author, time, key) in all {
        versions.insert(peer(*author), at(*time), key);
    }
    versions
}

#[test]
fn the_newest_of_owner_and_writers_is_the_document() {
    let mut list = versions(&[(OWNER, 1, shared(&[1, 2])), (1, 2, of())]);
    assert_eq!(times(&list), [2]);
    assert!(list.insert(peer(2), at(4), &of()) && !list.insert(peer(2), at(3), &of()));
    assert_eq!(times(&list), [4]);
    list.insert(peer(OWNER), at(5), &shared(&[1]));
    assert_eq!(times(&list), [5]);
    assert_eq!(list.replaced_by(peer(2), at(4), &of()), Some(at(5)));
}

#[test]
fn without_the_right_it_is_a_document_of_its_own() {
    let mut list = versions(&[(OWNER, 1, shared(&[1])), (2, 2, of()), (3, 3, of()), (1, 4, of())]);
    assert_eq!(times(&list), [2, 3, 4]);
    assert_eq!(list.document(), Some(at(4)));
    assert_eq!(list.replaced_by(peer(2), at(2), &of()), None);
    assert_eq!(list.replaced_by(peer(2), at(1), &of()), Some(at(2)), "its own older one");
    list.insert(peer(OWNER), at(5), &Key::new("list"));
    assert_eq!(times(&list), [5]);
    // The right is taken back: what comes later is no version.
    list.insert(peer(1), at(6), &of());
    assert_eq!(times(&list), [5, 6]);
    assert_eq!(list.document(), Some(at(5)));
}

#[test]
fn a_grant_that_comes_late_or_is_lost_changes_what_is_known_by_then() {
    let mut list = versions(&[(1, 3, of()), (2, 2, of())]);
    assert_eq!((times(&list), list.document()), (vec![2, 3], None));
    list.insert(peer(OWNER), at(1), &shared(&[1, 2]));
    assert_eq!(times(&list), [3]);
    list.remove(&peer(OWNER), at(1));
    assert_eq!(times(&list), [2, 3]);
    list.remove(&peer(1), at(3));
    list.remove(&peer(2), at(2));
    assert!(list.is_empty());
}

#[test]
fn any_number_of_strangers_take_so_much_room_and_the_latest_count() {
    let name = |number: u64| {
        let mut bytes = [9; PeerId::LEN];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        PeerId::from_bytes(bytes)
    };
    let most = limits::VERSION_AUTHORS as u64;
    let mut list = Versions::default();
    for number in (1..=most + 10).rev() {
        list.insert(name(number), at(number), &of());
    }
    assert_eq!(times(&list), (11..=most + 10).collect::<Vec<_>>());
    assert_eq!(list.replaced_by(name(5), at(5), &of()), Some(at(11)));
    assert_eq!(list.replaced_by(name(500), at(500), &of()), None);
}

fn any_version() -> impl Strategy<Value = (u8, Key)> {
    let writers = subsequence(vec![1_u8, 2, 3], 0..=3).prop_map(|writers| {
        (OWNER, if writers.is_empty() { Key::new("list") } else { shared(&writers) })
    });
    let anyone = Just((OWNER, Key::shared("list", Writers::Anyone)));
    prop_oneof![2 => writers, 1 => anyone, 4 => (1_u8..5).prop_map(|author| (author, of()))]
}

proptest! {
    #[test]
    fn every_order_of_arrival_leads_to_the_same(
        all in prop::collection::vec(any_version(), 0..12),
        seed in any::<u64>(),
    ) {
        let all: Vec<_> = all
            .into_iter()
            .enumerate()
            .map(|(time, (author, key))| (author, time as u64, key))
            .collect();
        let in_order = versions(&all);
        let mut shuffled = all.clone();
        shuffled.sort_by_key(|(_, time, _)| time.wrapping_mul(seed | 1).rotate_left(17) ^ seed);
        prop_assert_eq!(&versions(&shuffled), &in_order);
        // What is replaced is what does not count.
        for (author, time, key) in &all {
            let counts = in_order.current().any(|mark| mark == at(*time));
            let replaced = in_order.replaced_by(peer(*author), at(*time), key);
            prop_assert_eq!(replaced.is_none(), counts);
            prop_assert!(replaced.is_none_or(|by| in_order.current().any(|mark| mark == by)));
        }
    }
}

fn before(versions: &Versions, author: u8, key: &Key) -> (Option<u64>, Option<u64>) {
    let Before { surely, perhaps } = versions.before(peer(author), key);
    (surely.map(Timestamp::as_millis), perhaps.map(Timestamp::as_millis))
}

#[test]
fn a_version_is_to_be_later_than_what_counts_and_not_than_what_strangers_wrote() {
    let list = versions(&[(OWNER, 1, shared(&[1, 2])), (1, 5, of()), (3, 9, of())]);
    assert_eq!(before(&list, 2, &of()), (Some(5), None), "the other writer's");
    assert_eq!(before(&list, 1, &of()), (Some(5), None), "its own");
    assert_eq!(before(&list, 3, &of()), (Some(9), None), "a stranger's own");
    assert_eq!(before(&list, 4, &of()), (Some(1), None), "the owner's replaces others");
    assert_eq!(before(&list, OWNER, &shared(&[1])), (Some(5), Some(5)));
    // Without the right it is replaced where it can be, and holds nobody up where it cannot.
    assert_eq!(before(&list, OWNER, &Key::new("list")), (Some(1), Some(5)));
    assert_eq!(before(&list, OWNER, &shared(&[3])), (Some(9), Some(5)), "the new writer's");
}

#[test]
fn where_the_owner_is_not_known_anyone_may_be_a_writer() {
    let list = versions(&[(1, 5, of()), (2, 3, of())]);
    assert_eq!(before(&list, 2, &of()), (Some(3), Some(5)));
    assert_eq!(before(&list, 4, &of()), (None, Some(5)));
    assert_eq!(before(&list, OWNER, &shared(&[2])), (Some(3), None), "no stranger holds it up");
    assert_eq!(before(&Versions::default(), 1, &of()), (None, None));
}

proptest! {
    /// Whatever is known: a version by who has the right, later than what it surely is to be, is the document.
    #[test]
    fn what_is_later_than_what_is_before_it_is_the_document(
        known in prop::collection::vec((0_u8..4, 1_u64..50, subsequence(vec![1_u8, 2, 3], 1..=3)), 0..12),
        author in 0_u8..4,
        writers in subsequence(vec![1_u8, 2, 3], 1..=3),
    ) {
        let key = |author: u8, writers: &[u8]| {
            if author == OWNER { shared(writers) } else { of() }
        };
        let mut list = Versions::default();
        for (author, time, writers) in &known {
            list.insert(peer(*author), at(*time), &key(*author, writers));
        }
        let key = key(author, &writers);
        let next = before(&list, author, &key).0.map_or(1, |surely| surely + 1);
        let had_right = author == OWNER || list.owner.as_ref().is_some_and(|(_, writers)| {
            writers.as_ref().is_some_and(|writers| writers.contains(&peer(author)))
        });
        list.insert(peer(author), at(next), &key);
        prop_assert!(!had_right || list.document() == Some(at(next)));
        prop_assert!(list.current().any(|mark| mark == at(next)));
    }
}
