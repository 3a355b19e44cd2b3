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
        self.publications.give(document(number), waiter);
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
    let flushed = Outcome::Flushed("flush", 0);
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
    let flushed = Outcome::Flushed("flush", 0);
    assert_eq!(at.told(), [Outcome::Taken("two", id(2)), flushed]);
}

#[test]
fn what_is_lost_or_refused_is_told_and_counted_until_the_next_flush() {
    let mut at = At::new(9);
    at.give(1, "one");
    at.publications.lost(id(1));
    at.publications.lost(id(7));
    at.publications.give(document(2), "two");
    at.publications.offer(|_| Err(PublishError::OutOfTime));
    let [lost, refused] = [Outcome::Lost("one"), Outcome::Refused("two", PublishError::OutOfTime)];
    assert_eq!(at.told(), [lost, refused]);
    for lost in [2, 0] {
        at.publications.flush("flush");
        assert_eq!(at.told(), [Outcome::Flushed("flush", lost)]);
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
    let flushed = Outcome::Flushed("flush", 0);
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
