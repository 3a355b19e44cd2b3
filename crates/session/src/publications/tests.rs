use taiinet_document::{Content, Document, Map, Timestamp};
use taiinet_identity::{Identity, Seed};

use super::*;

type Outcomes = Vec<Outcome<&'static str, &'static str>>;

fn document(number: u32) -> Arc<VerifiedDocument> {
    let identity = Identity::from_seed(&Seed::from_bytes([1; 32]));
    let document = Document {
        network: "n".parse().expect("a name"),
        created_at: Timestamp::from_millis(1),
        nonce: number,
        expires_at: None,
        key: None,
        next_key: None,
        content: Content::Open(Map::new()),
    };
    Arc::new(VerifiedDocument::sign(&identity, document).expect("signed"))
}

fn id(number: u32) -> DocumentId {
    document(number).id()
}

/// Publications whose core has this much room left.
struct At {
    publications: Publications<&'static str, &'static str>,
    room: usize,
}

impl At {
    fn new(room: usize) -> Self {
        Self { publications: Publications::default(), room }
    }

    fn offer(&mut self) -> bool {
        let room = &mut self.room;
        self.publications.offer(|document| {
            *room = room.checked_sub(1).ok_or(PublishError::Busy)?;
            Ok(document.id())
        })
    }

    fn give(&mut self, number: u32, waiter: &'static str) {
        self.give_until(Until::Neighbour, number, waiter);
    }

    fn give_until(&mut self, until: Until, number: u32, waiter: &'static str) {
        self.publications.give(document(number), until, waiter);
        self.offer();
    }

    fn told(&mut self) -> Outcomes {
        std::iter::from_fn(|| self.publications.poll()).collect()
    }
}

#[test]
fn a_flush_waits_for_what_came_before_it_and_for_nothing_else() {
    let mut at = At::new(9);
    at.give(1, "one");
    at.give(2, "two");
    at.publications.flush("flush");
    at.give(3, "three");
    at.publications.taken(id(2));
    assert_eq!(at.told(), [Outcome::Taken("two", id(2))]);
    at.publications.taken(id(1));
    let flushed = Outcome::Flushed("flush", Failures::default());
    assert_eq!(at.told(), [Outcome::Taken("one", id(1)), flushed]);
}

#[test]
fn a_flush_waits_for_what_the_core_has_no_room_for_yet() {
    let mut at = At::new(1);
    at.give(1, "one");
    at.give(2, "two");
    assert!(!at.publications.has_room());
    assert_eq!(at.publications.waiting(), 1);
    at.publications.flush("flush");
    at.publications.taken(id(1));
    assert_eq!(at.told(), [Outcome::Taken("one", id(1))]);
    assert!(!at.offer(), "still no room");
    at.room = 1;
    assert!(at.offer());
    assert!(at.publications.has_room());
    assert!(!at.offer(), "nothing waits any more");
    at.publications.taken(id(2));
    let flushed = Outcome::Flushed("flush", Failures::default());
    assert_eq!(at.told(), [Outcome::Taken("two", id(2)), flushed]);
}

#[test]
fn what_is_lost_or_refused_is_told_and_counted_until_the_next_flush() {
    let mut at = At::new(9);
    at.give(1, "one");
    at.publications.lost(id(1));
    at.publications.lost(id(7));
    at.publications.give(document(2), Until::Neighbour, "two");
    at.publications.offer(|_| Err(PublishError::OutOfTime));
    let [lost, refused] = [Outcome::Lost("one"), Outcome::Refused("two", PublishError::OutOfTime)];
    assert_eq!(at.told(), [lost, refused]);
    for lost in [2, 0] {
        at.publications.flush("flush");
        let failures = Failures { lost, unconfirmed: 0 };
        assert_eq!(at.told(), [Outcome::Flushed("flush", failures)]);
    }
}

#[test]
fn a_document_that_is_given_twice_is_taken_for_both() {
    let mut at = At::new(9);
    at.give(1, "one");
    at.give(1, "again");
    at.publications.flush("flush");
    at.publications.taken(id(1));
    at.publications.taken(id(1));
    let flushed = Outcome::Flushed("flush", Failures::default());
    let taken = |waiter| Outcome::Taken(waiter, id(1));
    assert_eq!(at.told(), [taken("one"), taken("again"), flushed]);
}

#[test]
fn in_the_end_all_that_wait_are_given_back() {
    let mut at = At::new(1);
    at.give(1, "one");
    at.give(2, "two");
    assert_eq!(at.publications.drain(), ["one", "two"]);
    assert!(at.publications.has_room());
}

#[test]
fn what_is_for_the_network_waits_for_a_neighbour_and_for_the_root() {
    for named_first in [false, true] {
        let mut at = At::new(9);
        at.give_until(Until::Network, 1, "network");
        at.give(1, "neighbour");
        at.publications.flush("flush");
        if named_first {
            at.publications.named(id(1));
            assert_eq!(at.told(), [], "nobody else may have it yet");
        }
        at.publications.taken(id(1));
        let neighbour = Outcome::Taken("neighbour", id(1));
        let network = Outcome::Taken("network", id(1));
        let flushed = Outcome::Flushed("flush", Failures::default());
        if named_first {
            assert_eq!(at.told(), [network, neighbour, flushed]);
        } else {
            assert_eq!(at.told(), [neighbour]);
            at.publications.named(id(2));
            at.publications.taken(id(1));
            assert_eq!(at.told(), [], "that was another document, or another neighbour");
            at.publications.named(id(1));
            assert_eq!(at.told(), [network, flushed]);
        }
        assert_eq!(at.publications.deadline(), None);
    }
}

#[test]
fn what_no_root_names_is_unconfirmed_and_what_no_neighbour_takes_is_lost() {
    let mut at = At::new(9);
    at.give_until(Until::Network, 1, "taken");
    at.give_until(Until::Network, 2, "named");
    at.give_until(Until::Network, 3, "lost");
    at.give(4, "neighbour");
    at.publications.flush("flush");
    at.publications.taken(id(1));
    at.publications.named(id(2));
    at.publications.lost(id(3));
    assert_eq!(at.told(), [Outcome::Lost("lost")]);
    let end = Time::from_millis(1).after(limits::LIVE_WINDOW);
    assert_eq!(at.publications.deadline(), Some(end));
    at.publications.expire(end.before(core::time::Duration::from_millis(1)));
    assert_eq!(at.told(), []);
    at.publications.expire(end);
    let mut told = at.told();
    told.sort_by_key(|outcome| matches!(outcome, Outcome::Lost(_)));
    assert_eq!(told, [Outcome::Unconfirmed("taken"), Outcome::Lost("named")]);
    assert_eq!(at.publications.deadline(), None);
    // The core says so as well, and it counts once.
    at.publications.lost(id(2));
    at.publications.taken(id(4));
    let failures = Failures { lost: 2, unconfirmed: 1 };
    let flushed = Outcome::Flushed("flush", failures);
    assert_eq!(at.told(), [Outcome::Taken("neighbour", id(4)), flushed]);
}

#[test]
fn no_more_wait_for_the_network_at_once_than_a_root_can_name_soon() {
    let mut at = At::new(2 * UNCONFIRMED);
    let most = u32::try_from(UNCONFIRMED).expect("not so many");
    (0..most).for_each(|number| at.give_until(Until::Network, number, "network"));
    assert!(at.publications.has_room());
    at.give_until(Until::Network, most, "waits");
    at.give(most + 1, "behind it");
    assert_eq!(at.publications.waiting(), 2, "they are published in order");
    at.publications.taken(id(7));
    assert!(!at.offer());
    at.publications.named(id(7));
    assert!(at.offer());
    assert!(at.publications.has_room());
    assert_eq!(at.publications.drain().len(), UNCONFIRMED + 1);
}
