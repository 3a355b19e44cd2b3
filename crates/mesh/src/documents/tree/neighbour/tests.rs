#![allow(clippy::unwrap_used)]

use core::time::Duration;

use super::*;
use crate::testing::NOW;

fn id(number: u32) -> DocumentId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    DocumentId::from_bytes(bytes)
}

const LINK: LinkId = LinkId::from_raw(1);

#[test]
fn thousands_of_false_announcements_grow_nothing_and_have_one_deadline() {
    let mut neighbour = Neighbour::new(NOW);
    let (mut asked, recent) = (BTreeMap::new(), Recent::default());
    for number in 0..100_000 {
        neighbour.promise(id(number), limits::GRAFT_AFTER, NOW);
    }
    assert!(neighbour.promised.len() <= limits::PROMISED_IDS);
    assert!(neighbour.queue.len() <= limits::PROMISED_IDS);

    let due = neighbour.deadline(false).unwrap();
    assert_eq!(due, NOW.after(limits::GRAFT_AFTER));
    let Some(ids) = neighbour.ask(LINK, &mut asked, &recent, due) else { panic!() };
    assert_eq!(ids.len(), limits::IDS_PER_FRAME);
    assert_eq!(neighbour.ask(LINK, &mut asked, &recent, due), None, "one request at a time");

    // None of it comes: all of it is forgotten, and nothing more is believed for a while.
    let broken = due.after(limits::PROMISE);
    assert_eq!(neighbour.deadline(false), Some(broken));
    assert_eq!(neighbour.broken(broken).unwrap().len(), limits::IDS_PER_FRAME);
    assert!(neighbour.promised.is_empty() && neighbour.queue.is_empty());
    neighbour.promise(id(7), limits::GRAFT_AFTER, broken);
    assert!(neighbour.promised.is_empty());
    neighbour.promise(id(7), limits::GRAFT_AFTER, broken.after(limits::DISTRUST));
    assert_eq!(neighbour.promised.len(), 1);
}

#[test]
fn a_document_asked_of_one_is_not_asked_of_another_until_it_fails() {
    let (mut one, mut other) = (Neighbour::new(NOW), Neighbour::new(NOW));
    let (mut asked, recent) = (BTreeMap::new(), Recent::default());
    one.promise(id(1), limits::GRAFT_AFTER, NOW);
    other.promise(id(1), limits::GRAFT_AFTER, NOW);
    let due = NOW.after(limits::GRAFT_AFTER);
    assert!(one.ask(LINK, &mut asked, &recent, due).is_some());
    assert_eq!(other.ask(LinkId::from_raw(2), &mut asked, &recent, due), None);
    let broken = due.after(limits::PROMISE);
    for id in one.broken(broken).unwrap() {
        asked.remove(&id);
    }
    let graft = other.ask(LinkId::from_raw(2), &mut asked, &recent, broken);
    assert_eq!(graft, Some(vec![id(1)]));
}

#[test]
fn progress_gives_more_time() {
    let mut neighbour = Neighbour::new(NOW);
    let (mut asked, recent) = (BTreeMap::new(), Recent::default());
    neighbour.promise(id(1), limits::GRAFT_AFTER, NOW);
    neighbour.promise(id(2), limits::GRAFT_AFTER, NOW);
    let due = NOW.after(limits::GRAFT_AFTER);
    neighbour.ask(LINK, &mut asked, &recent, due).unwrap();
    let later = due.after(limits::PROMISE - Duration::from_millis(1));
    assert!(neighbour.fulfilled(&id(1), later));
    assert_eq!(neighbour.broken(due.after(limits::PROMISE)), None);
    assert!(neighbour.broken(later.after(limits::PROMISE)).is_some());
}

#[test]
fn the_same_document_is_served_three_times_only() {
    let mut neighbour = Neighbour::new(NOW);
    for _ in 0..limits::SERVINGS {
        neighbour.request(id(1)).unwrap();
        neighbour.served();
    }
    assert_eq!(neighbour.request(id(1)), Err(Misbehaviour::RequestFlood));
    for number in 2..2 + limits::REQUESTED_IDS as u32 {
        neighbour.request(id(number)).unwrap();
    }
    assert_eq!(neighbour.request(id(9999)), Err(Misbehaviour::RequestFlood));
}

#[test]
fn announcements_are_gathered_and_bounded() {
    let mut neighbour = Neighbour::new(NOW);
    for number in 0..limits::OWED_IDS as u32 + 5 {
        neighbour.owe(id(number), NOW);
    }
    assert_eq!(neighbour.announce(NOW), None);
    let (mut now, mut count) = (NOW, 0);
    while let Some(at) = neighbour.announce_at {
        now = at;
        let Some(DocumentFrame::Have(ids)) = neighbour.announce(now) else { panic!() };
        count += ids.len();
    }
    assert_eq!(count, limits::OWED_IDS);
    assert!(now > NOW);
}

#[test]
fn one_prune_answers_all_copies_on_their_way() {
    let mut neighbour = Neighbour::new(NOW);
    assert_eq!(neighbour.prune(NOW), Some(DocumentFrame::Prune));
    assert!(!neighbour.eager);
    assert_eq!(neighbour.prune(NOW), None);
    assert_eq!(neighbour.prune(NOW.after(limits::PRUNE_EVERY)), Some(DocumentFrame::Prune));
    neighbour.graft();
    assert!(neighbour.eager);
    assert_eq!(neighbour.prune(NOW.after(limits::PRUNE_EVERY)), Some(DocumentFrame::Prune));
}

#[test]
fn while_we_doze_nothing_is_gathered() {
    let mut neighbour = Neighbour::new(NOW);
    let (mut asked, recent) = (BTreeMap::new(), Recent::default());
    // Also what was being gathered when we began to.
    neighbour.owe(id(1), NOW);
    neighbour.promise(id(2), limits::GRAFT_AFTER, NOW);
    assert_eq!(neighbour.announce(NOW), None);
    assert_eq!(neighbour.ask(LINK, &mut asked, &recent, NOW), None);
    for round in [0, 10] {
        neighbour.set_unbatched(true, NOW);
        assert_eq!(neighbour.deadline(false), Some(NOW));
        assert_eq!(neighbour.announce(NOW), Some(DocumentFrame::Have(vec![id(round + 1)])));
        let graft = neighbour.ask(LINK, &mut asked, &recent, NOW);
        assert_eq!(graft, Some(vec![id(round + 2)]));
        neighbour.fulfilled(&id(round + 2), NOW);
        assert_eq!(neighbour.deadline(false), None);
        neighbour.owe(id(11), NOW);
        neighbour.promise(id(12), limits::GRAFT_AFTER, NOW);
    }
    neighbour.set_unbatched(false, NOW);
    neighbour.announce(NOW);
    neighbour.owe(id(20), NOW);
    assert_eq!(neighbour.announce(NOW), None);
}

/// Asking makes both ends push to each other; but nobody is to rely on one that dozes.
#[test]
fn a_dozer_that_asks_does_not_offer_to_push() {
    for (dozes, eager) in [(false, true), (true, false)] {
        let mut neighbour = Neighbour::new(NOW);
        neighbour.prune(NOW);
        neighbour.set_unbatched(dozes, NOW);
        neighbour.promise(id(1), limits::GRAFT_AFTER, NOW);
        let later = NOW.after(limits::GRAFT_AFTER);
        let asked = neighbour.ask(LINK, &mut BTreeMap::new(), &Recent::default(), later);
        assert!(asked.is_some());
        assert_eq!(neighbour.eager, eager);
    }
}

#[test]
fn what_a_dozer_announced_is_awaited_longer_from_others() {
    let mut neighbour = Neighbour { dozing: true, ..Neighbour::new(NOW) };
    neighbour.promise(id(1), limits::GRAFT_AFTER, NOW);
    let due = NOW.after(limits::GRAFT_AFTER).after(limits::DOZE_GRAFT_AFTER);
    assert_eq!(neighbour.deadline(false), Some(due));
}

#[test]
fn what_had_no_room_among_the_promises_is_compared_once_there_is_some() {
    let mut neighbour = Neighbour::new(NOW);
    let count = u32::try_from(limits::PROMISED_IDS).unwrap();
    for number in 0..=count {
        neighbour.promise(id(number), limits::GRAFT_AFTER, NOW);
    }
    let later = NOW.after(limits::COMPARE_AFTER);
    assert!(!neighbour.compares(later), "still full");
    for number in 0..count {
        neighbour.fulfilled(&id(number), NOW);
    }
    neighbour.queue.clear();
    assert_eq!(neighbour.deadline(false), Some(later));
    assert_eq!(neighbour.deadline(true), None, "not while the application is behind");
    assert!(!neighbour.compares(NOW) && neighbour.compares(later) && !neighbour.compares(later));
}

#[test]
fn comparisons_go_on_where_the_last_one_ended() {
    let mut neighbour = Neighbour::new(NOW);
    let ids: Vec<DocumentId> = (0..20_000).map(id).collect();
    let mut told = BTreeSet::new();
    for _ in 0..3 {
        neighbour.announce_missing(&ids, NOW);
        told.extend(neighbour.owed.drain(..));
    }
    assert_eq!(told.len(), ids.len());
}
