#![allow(clippy::unwrap_used)]

use core::time::Duration;

use super::*;
use crate::testing::NOW;

const WAIT: Duration = Duration::from_millis(250);

fn id(number: u32) -> DocumentId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    DocumentId::from_bytes(bytes)
}

const LINK: LinkId = LinkId::from_raw(1);

#[test]
fn thousands_of_false_announcements_grow_nothing_and_have_one_deadline() {
    let mut promises = Promises::new(NOW);
    let (mut asked, recent) = (Asked::default(), Recent::default());
    for number in 0..100_000 {
        promises.promise(id(number), WAIT, NOW);
    }
    assert!(promises.promised.len() <= limits::PROMISED_IDS);
    assert!(promises.queue.len() <= limits::PROMISED_IDS);

    let due = promises.deadline().unwrap();
    assert_eq!(due, NOW.after(WAIT));
    let ids = promises.ask(LINK, &mut asked, &recent, due).unwrap();
    assert_eq!(ids.len(), limits::IDS_PER_FRAME);
    assert_eq!(promises.ask(LINK, &mut asked, &recent, due), None, "one request at a time");

    // None of it comes: all of it is forgotten, and nothing more is believed for a while.
    let broken = due.after(limits::PROMISE);
    assert_eq!(promises.deadline(), Some(broken));
    assert_eq!(promises.broken(false, broken).unwrap().len(), limits::IDS_PER_FRAME);
    assert!(promises.promised.is_empty() && promises.queue.is_empty());
    promises.promise(id(7), WAIT, broken);
    assert!(promises.promised.is_empty());
    promises.promise(id(7), WAIT, broken.after(limits::DISTRUST));
    assert_eq!(promises.promised.len(), 1);
}

#[test]
fn a_document_asked_of_one_is_not_asked_of_another_until_it_fails() {
    let (mut one, mut other) = (Promises::new(NOW), Promises::new(NOW));
    let (mut asked, recent) = (Asked::default(), Recent::default());
    one.promise(id(1), WAIT, NOW);
    other.promise(id(1), WAIT, NOW);
    let due = NOW.after(WAIT);
    assert!(one.ask(LINK, &mut asked, &recent, due).is_some());
    assert_eq!(other.ask(LinkId::from_raw(2), &mut asked, &recent, due), None);
    let broken = due.after(limits::PROMISE);
    for id in one.broken(false, broken).unwrap() {
        asked.remove(&id);
    }
    let graft = other.ask(LinkId::from_raw(2), &mut asked, &recent, broken);
    assert_eq!(graft, Some(vec![id(1)]));
}

#[test]
fn progress_gives_more_time() {
    let mut promises = Promises::new(NOW);
    let (mut asked, recent) = (Asked::default(), Recent::default());
    promises.promise(id(1), WAIT, NOW);
    promises.promise(id(2), WAIT, NOW);
    let due = NOW.after(WAIT);
    promises.ask(LINK, &mut asked, &recent, due).unwrap();
    let later = due.after(limits::PROMISE - Duration::from_millis(1));
    assert!(promises.sent(&id(1), later).asked);
    assert_eq!(promises.broken(false, due.after(limits::PROMISE)), None);
    assert!(promises.broken(false, later.after(limits::PROMISE)).is_some());
}

#[test]
fn what_had_no_room_among_the_promises_is_compared_once_there_is_some() {
    let mut promises = Promises::new(NOW);
    let count = u32::try_from(limits::PROMISED_IDS).unwrap();
    for number in 0..=count {
        promises.promise(id(number), WAIT, NOW);
    }
    let later = NOW.after(limits::COMPARE_AFTER);
    assert!(!promises.compares(later), "still full");
    for number in 0..count {
        promises.settled(&id(number));
    }
    promises.queue.clear();
    assert_eq!(promises.deadline(), Some(later));
    assert!(!promises.compares(NOW) && promises.compares(later) && !promises.compares(later));
}

#[test]
fn what_another_brought_need_not_come_and_counts_until_it_does() {
    let mut promises = Promises::new(NOW);
    let (mut asked, recent) = (Asked::default(), Recent::default());
    for number in 0..100 {
        promises.promise(id(number), Duration::ZERO, NOW);
    }
    promises.ask(LINK, &mut asked, &recent, NOW).unwrap();
    for number in 0..100 {
        promises.settled(&id(number));
    }
    promises.promise(id(200), Duration::ZERO, NOW);
    assert_eq!(promises.ask(LINK, &mut asked, &recent, NOW), None, "it has enough to send");
    // It sends one of them: we had asked for it. That it skips the rest is no offence.
    assert!(promises.sent(&id(1), NOW).asked && !promises.sent(&id(1), NOW).asked);
    let later = NOW.after(limits::PROMISE);
    assert_eq!(promises.deadline(), Some(later));
    assert_eq!(promises.broken(false, later), None);
    assert!(promises.ask(LINK, &mut asked, &recent, later).is_some());
}

#[test]
fn what_is_gone_breaks_no_promise_but_a_neighbour_that_has_nothing_is_not_believed() {
    let mut promises = Promises::new(NOW);
    let (mut asked, recent) = (Asked::default(), Recent::default());
    let ids: Vec<DocumentId> = (0..400).map(id).collect();
    for id in &ids {
        promises.promise(*id, Duration::ZERO, NOW);
    }
    assert_eq!(promises.gone(&ids[..1], NOW), Err(Misbehaviour::Unasked), "it was asked nothing");
    promises.ask(LINK, &mut asked, &recent, NOW).unwrap();
    promises.settled(&ids[1]);
    assert_eq!(promises.gone(&ids[..2], NOW), Ok(vec![ids[0]]), "another brought the second");
    assert_eq!(promises.gone(&ids[2..399], NOW).unwrap().len(), 397);
    promises.promise(id(1000), Duration::ZERO, NOW);
    assert!(promises.promised.contains_key(&id(1000)));
    promises.gone(&ids[399..], NOW).unwrap();
    assert_eq!(promises.broken(false, NOW.after(limits::PROMISE)), None);
    assert!(promises.promised.is_empty());
    promises.promise(id(1001), Duration::ZERO, NOW);
    assert!(promises.promised.is_empty(), "not believed for a while");
    assert_eq!(promises.gone(&ids[..1], NOW), Err(Misbehaviour::Unasked), "it has answered all");
}
