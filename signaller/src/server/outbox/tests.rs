use futures::FutureExt as _;

use super::*;

fn outbox(messages: usize, bytes: usize) -> (Outbox, Waiting) {
    super::outbox(OutboxLimits { messages, bytes, share: 0 }, Room::new(usize::MAX))
}

fn put(outbox: &Outbox, bytes: &[u8]) -> bool {
    outbox.put(bytes.to_vec(), Instant::now(), &mut Vec::new())
}

#[test]
fn all_that_waits_comes_at_once_and_then_the_goodbye() {
    let (outbox, waiting) = outbox(8, 100);
    let mut batch = Batch::default();
    assert_eq!(waiting.next(&mut batch).now_or_never(), None);
    assert!(put(&outbox, b"one") && put(&outbox, b"two"));
    outbox.close(Parting::Full);
    assert_eq!(waiting.next(&mut batch).now_or_never(), Some(Next::Write));
    assert_eq!(batch.messages, [b"one", b"two"]);
    batch.messages.clear();
    assert_eq!(waiting.next(&mut batch).now_or_never(), Some(Next::Close(Parting::Full)));
}

#[test]
fn one_wake_for_all_that_waits() {
    let (outbox, waiting) = outbox(8, 100);
    let (mut batch, mut wakes) = (Batch::default(), Vec::new());
    for _ in 0..3 {
        assert!(outbox.put(vec![1], Instant::now(), &mut wakes));
    }
    assert_eq!(wakes.len(), 1);
    assert_eq!(waiting.next(&mut batch).now_or_never(), Some(Next::Write));
    assert!(outbox.put(vec![1], Instant::now(), &mut wakes));
    assert_eq!(wakes.len(), 2);
}

#[test]
fn what_is_written_together_is_as_old_as_the_first_of_it() {
    let (outbox, waiting) = outbox(8, 100);
    let (mut batch, mut wakes) = (Batch::default(), Vec::new());
    let first = Instant::now();
    let later = first + std::time::Duration::from_secs(1);
    for since in [first, later] {
        assert!(outbox.put(vec![1], since, &mut wakes));
    }
    assert_eq!(waiting.next(&mut batch).now_or_never(), Some(Next::Write));
    assert_eq!(batch.since, Some(first));
    batch.messages.clear();
    assert!(outbox.put(vec![1], later, &mut wakes));
    assert_eq!(waiting.next(&mut batch).now_or_never(), Some(Next::Write));
    assert_eq!(batch.since, Some(later));
}

#[test]
fn full_by_messages_or_by_bytes_until_they_are_written() {
    let (outbox, waiting) = outbox(2, 10);
    let mut batch = Batch::default();
    assert!(put(&outbox, &[0; 4]) && put(&outbox, &[0; 4]));
    assert!(!put(&outbox, &[]), "too many");
    assert_eq!(waiting.next(&mut batch).now_or_never(), Some(Next::Write));
    assert!(!put(&outbox, &[0; 4]), "what is being written counts");
    waiting.written(8);
    assert!(put(&outbox, &[0; 10]));
    assert_eq!(outbox.cut(), Some(1));
    batch.messages.clear();
    assert_eq!(waiting.next(&mut batch).now_or_never(), Some(Next::Cut));
    assert_eq!(waiting.cut().now_or_never(), Some(()));
}

#[test]
fn a_reader_that_is_gone_gets_nothing() {
    let (outbox, waiting) = outbox(2, 10);
    drop(waiting);
    assert!(!put(&outbox, &[1]));
    assert_eq!(outbox.cut(), None);
}

/// A client that has more than its share waiting when there is no room in all makes room for the others.
#[test]
fn what_waits_for_all_is_bounded_and_everybody_has_a_share() {
    let room = Room::new(100);
    let limits = OutboxLimits { messages: 100, bytes: 80, share: 10 };
    let ((sleeper, sleeping), (other, waiting)) =
        (super::outbox(limits, room.clone()), super::outbox(limits, room.clone()));
    assert!(put(&sleeper, &[0; 80]) && put(&other, &[0; 20]));
    assert!(!put(&sleeper, &[0]) && !put(&other, &[0]), "100 wait, and more than a share for each");
    let (third, _reads) = super::outbox(limits, room.clone());
    assert!(put(&third, &[0; 10]) && !put(&third, &[0]), "its share");
    assert_eq!(room.waiting(), 110);
    drop(sleeping);
    assert_eq!(room.waiting(), 30, "a reader that is gone takes no room");
    assert!(put(&other, &[0; 60]));
    drop((waiting, other, third, _reads, sleeper));
    assert_eq!(room.waiting(), 0);
}
