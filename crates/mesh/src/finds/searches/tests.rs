#![allow(clippy::unwrap_used)]

use core::time::Duration;

use taiinet_document::Content;

use super::*;
use crate::testing::{self, NOW, document_at, identity};

const LINK: LinkId = LinkId::from_raw(1);

fn at(seconds: u64) -> Time {
    NOW.after(Duration::from_secs(seconds))
}

/// So many documents of so many bytes, one a millisecond.
fn recent(count: u32, bytes: usize) -> Recent {
    let author = identity(1);
    let mut recent = Recent::default();
    for nonce in 0..count {
        let created_at = NOW.after(Duration::from_millis(nonce.into()));
        recent.insert(&document_at(&author, nonce, bytes, created_at), 0, at(100));
    }
    recent
}

fn asked(query: &str, limit: u16) -> Find {
    Find { request: 1, query: query.to_owned(), limit, since: Timestamp::default() }
}

/// What a neighbour that asks is given.
fn given(asked: &Find, budgets: &mut Budgets, recent: &Recent, now: Time) -> Vec<SignedDocument> {
    answer(asked, budgets, recent, now).unwrap().documents
}

fn times(documents: &[SignedDocument]) -> Vec<u64> {
    let since = |document: &SignedDocument| {
        let document = document.decode().unwrap();
        document.created_at.as_millis() - NOW.timestamp().as_millis()
    };
    documents.iter().map(since).collect()
}

#[test]
fn the_newest_that_match_come_first_and_no_more_than_asked_for() {
    let recent = recent(50, 10);
    let mut budgets = Budgets::new(at(0));
    let found = given(&asked("{}", 3), &mut budgets, &recent, at(100));
    assert_eq!(times(&found), [49, 48, 47]);
    let since = NOW.after(Duration::from_millis(48)).timestamp();
    let newer = Find { since, ..asked("{}", 10) };
    assert_eq!(times(&given(&newer, &mut budgets, &recent, at(100))), [49, 48]);
    let early = format!(r#"{{"_created_at": {{"$lt": {}}}}}"#, NOW.as_millis() + 2);
    let found = given(&asked(&early, 10), &mut budgets, &recent, at(100));
    assert_eq!(times(&found), [1, 0]);
    assert_eq!(given(&asked(r#"{"no": 1}"#, 10), &mut budgets, &recent, at(100)), []);
    assert_eq!(given(&asked("{}", 0), &mut budgets, &recent, at(100)), []);
}

#[test]
fn what_expired_is_not_found() {
    let mut recent = Recent::default();
    let document = taiinet_document::Document {
        network: testing::network(),
        created_at: NOW.timestamp(),
        nonce: 1,
        expires_at: Some(at(10).timestamp()),
        key: None,
        next_key: None,
        content: taiinet_document::Content::Open(taiinet_document::Map::new()),
    };
    recent.insert(&Arc::new(VerifiedDocument::sign(&identity(1), document).unwrap()), 0, NOW);
    let mut budgets = Budgets::new(at(0));
    assert_eq!(given(&asked("{}", 9), &mut budgets, &recent, at(9)).len(), 1);
    assert_eq!(given(&asked("{}", 9), &mut budgets, &recent, at(10)).len(), 0);
}

#[test]
fn only_so_many_documents_are_looked_at_and_so_many_bytes_sent() {
    let many = recent(5_000, 10);
    let mut budgets = Budgets::new(at(0));
    let found = given(&asked("{}", u16::MAX), &mut budgets, &many, at(100));
    assert_eq!(found.len(), limits::FIND_DOCUMENTS);
    let large = recent(30, 100_000);
    let found = given(&asked("{}", u16::MAX), &mut budgets, &large, at(100));
    let bytes: usize = found.iter().map(SignedDocument::size).sum();
    assert!(bytes <= limits::FOUND_BYTES && bytes > limits::FOUND_BYTES - 101_000, "{bytes}");
}

/// A search takes of us as much work as it may, and its link pays for it, whatever its query and whatever
/// strangers wrote.
#[test]
fn an_expensive_query_is_evaluated_as_far_as_its_fuel_goes_and_hides_nothing_that_is_cheap() {
    // 400 texts that would match, each after thousands of steps for each of its bytes, and then one more
    // that is older and short.
    let mut recent = Recent::default();
    let author = identity(1);
    recent.insert(&document_at(&author, 1000, 10, NOW), 0, at(1));
    for nonce in 0..400 {
        recent.insert(&document_at(&author, nonce, 2_000, at(1)), 0, at(1));
    }
    let expression = "(x?){50}x{10}$";
    let expensive = asked(&format!(r#"{{"text": {{"$regex": "{expression}"}}}}"#), 1000);
    let Answer { documents: found, complete, fuel } =
        answer(&expensive, &mut Budgets::new(NOW), &recent, at(1)).unwrap();
    assert!(!complete, "and it says so");
    assert!((1..30).contains(&found.len()), "{} were evaluated", found.len());
    assert_eq!(times(&found[found.len() - 1..]), [0], "the short one too");
    assert!((limits::FIND_FUEL / 2..=limits::FIND_FUEL).contains(&fuel), "{fuel}");
    // What is cheap is looked at as before, and costs what it takes.
    let Answer { documents: found, complete, fuel } =
        answer(&asked("{}", 1000), &mut Budgets::new(NOW), &recent, at(1)).unwrap();
    assert!(complete);
    assert_eq!(found.len(), 401);
    assert!((400 * 2_000..limits::FIND_FUEL).contains(&fuel), "{fuel}");
}

/// A peer that answers chooses the documents that we evaluate our query on, and one that seals chooses what we
/// open: all of an answer takes no more than an honest one does, and all that a search opens as much again.
#[test]
fn all_that_an_answer_or_what_is_sealed_has_us_evaluate_takes_the_fuel_of_one_search() {
    let mut finds = Searches::default();
    let query = r#"{"text": {"$regex": "(x?){30}x{10}$"}}"#.parse().unwrap();
    let find = finds.begin(query, 1000, NOW).unwrap();
    let other = LinkId::from_raw(2);
    for link in [LINK, other] {
        finds.ask(find, link, &mut Budgets::new(NOW), NOW).unwrap();
    }
    let author = identity(1);
    let expensive: Vec<_> =
        (0..400).map(|nonce| testing::document(&author, nonce, 2_000)).collect();
    let cheap = testing::document(&author, 1000, 10);
    let evaluated = |link, finds: &mut Searches| {
        let matching = expensive.iter().filter(|one| finds.matches(find, link, one) == Ok(true));
        matching.count()
    };
    assert!((1..30).contains(&evaluated(LINK, &mut finds)));
    assert_eq!(evaluated(LINK, &mut finds), 0, "it is used up");
    assert_eq!(finds.matches(find, LINK, &cheap), Ok(true), "but for what is cheap");
    assert!(evaluated(other, &mut finds) > 0, "nobody uses up what others have");

    let opened = |document: &VerifiedDocument, finds: &mut Searches| {
        let Content::Open(says) = document.content() else { unreachable!() };
        finds.matches_opened(find, document, says)
    };
    let evaluated = expensive.iter().filter(|one| opened(one, &mut finds)).count();
    assert!((1..30).contains(&evaluated), "{evaluated}");
    assert!(opened(&cheap, &mut finds));
    // And the exchanges are of the search, however many keys there are for each.
    let may = |keys, finds: &mut Searches| (0..).take_while(|_| finds.may_open(find, keys)).count();
    assert_eq!(may(33, &mut finds), limits::FIND_OPENINGS / 33);
    assert_eq!(may(1, &mut finds), limits::FIND_OPENINGS % 33);
}

/// A document is decoded to be looked at, and some take a hundred times their bytes then.
#[test]
fn what_is_expensive_to_decode_is_expensive_to_look_at() {
    let mut recent = Recent::default();
    for nonce in 0..60 {
        recent.insert(&testing::expensive(&identity(1), nonce), 0, NOW);
    }
    let mut looked_at = 0;
    let looked = look(&recent, &Query::all(), Timestamp::default(), NOW, |_, _| {
        looked_at += 1;
        true
    });
    assert!((5..20).contains(&looked_at) && !looked.complete, "{looked_at}");
}

#[test]
fn a_search_finds_no_more_than_there_is_room_for() {
    let mut finds = Searches::default();
    let find = finds.begin(SharedQuery::all(), 1000, NOW).unwrap();
    let expensive = |nonce| testing::expensive(&identity(1), nonce);
    let taken =
        (0..10).map(expensive).take_while(|one| finds.found(find, one.id(), one.heap_size()));
    assert_eq!(taken.count(), 1 + limits::FIND_HEAP_BYTES / expensive(0).heap_size());
    assert_eq!(finds.over(NOW), [(find, false)], "that is not all");
}

/// Whoever answers says whether there may be more, whatever the cause.
#[test]
fn an_answer_that_leaves_out_something_says_so() {
    let complete = |asked: &Find, recent: &Recent| {
        answer(asked, &mut Budgets::new(NOW), recent, at(100)).unwrap().complete
    };
    let few = recent(10, 10);
    assert!(complete(&asked("{}", 10), &few), "as many as there are");
    assert!(!complete(&asked("{}", 9), &few), "the limit of the one that asks");
    assert!(complete(&asked(r#"{"no": 1}"#, 1), &few));
    assert!(!complete(&asked("{}", 100), &recent(20, 100_000)), "the bytes of an answer");
    let many = recent(limits::FIND_DOCUMENTS as u32 + 1, 1);
    assert!(!complete(&asked(r#"{"no": 1}"#, 1), &many), "what is looked at");
    // What had to go for want of room, and is not too old yet.
    let mut small = Recent::new(20_000);
    for nonce in 0..3 {
        small.insert(&document_at(&identity(1), nonce, 8_000, at(1)), 0, at(1));
    }
    assert!(!complete(&asked("{}", 9), &small));
}

#[test]
fn more_searches_than_the_budget_are_a_flood() {
    let recent = recent(1, 10);
    let mut budgets = Budgets::new(at(0));
    for _ in 0..limits::FIND_REQUESTS.0 {
        answer(&asked("{}", 1), &mut budgets, &recent, NOW).unwrap();
    }
    let flood = answer(&asked("{}", 1), &mut budgets, &recent, NOW);
    assert_eq!(flood, Err(Misbehaviour::FindFlood));
    // Each link has its own.
    assert!(answer(&asked("{}", 1), &mut Budgets::new(NOW), &recent, NOW).is_ok());
    assert!(answer(&asked("{}", 1), &mut budgets, &recent, at(1)).is_ok());
    let mut another = Budgets::new(NOW);
    let wrong = answer(&asked(r#"{"a": {"$near": 1}}"#, 1), &mut another, &recent, NOW);
    assert_eq!(wrong, Err(Misbehaviour::InvalidQuery));
    // What one may ask oneself may be too much to ask of others.
    let expensive = r#"{"a": {"$regex": "^.{0,140}$"}}"#;
    assert!(expensive.parse::<Query>().is_ok());
    let expensive = answer(&asked(expensive, 1), &mut another, &recent, NOW);
    assert_eq!(expensive, Err(Misbehaviour::InvalidQuery));
    let long = asked(&"x".repeat(limits::FIND_QUERY_BYTES + 1), 1);
    let long = answer(&long, &mut another, &recent, NOW);
    assert_eq!(long, Err(Misbehaviour::Oversize));
}

/// However much the application searches, no neighbour is given cause to complain.
#[test]
fn we_ask_well_below_what_we_must_be_allowed() {
    let mut ours = Searches::default();
    let (mut our_end, mut their_end) = (Budgets::new(NOW), Budgets::new(NOW));
    let recent = recent(1, 10);
    let mut asked = 0;
    for tenth in 0..3_000 {
        let now = NOW.after(Duration::from_millis(tenth * 100));
        let find = ours.begin(SharedQuery::all(), 10, now).unwrap();
        if let Some(question) = ours.ask(find, LINK, &mut our_end, now) {
            asked += 1;
            answer(&question, &mut their_end, &recent, now).unwrap();
        }
        assert!(ours.end(find));
    }
    assert!((290..400).contains(&asked), "{asked}");
}

#[test]
fn a_search_is_over_when_all_have_answered_or_one_is_not_needed_or_time_is_up() {
    let mut finds = Searches::default();
    let other = LinkId::from_raw(2);
    let begin = |links: &[LinkId], finds: &mut Searches| {
        let find = finds.begin(SharedQuery::all(), 2, NOW).unwrap();
        for link in links {
            assert!(finds.ask(find, *link, &mut Budgets::new(NOW), NOW).is_some());
        }
        find
    };
    let find = begin(&[LINK, other], &mut finds);
    finds.answered(LINK, find.0, true);
    finds.answered(LINK, find.0, true);
    assert_eq!(finds.over(NOW), []);
    finds.answered(other, find.0, true);
    assert_eq!(finds.over(NOW), [(find, true)]);

    let find = begin(&[LINK, other], &mut finds);
    finds.answered(LINK, find.0, true);
    finds.link_down(other);
    assert_eq!(finds.over(NOW), [(find, false)], "one is gone");

    let find = begin(&[LINK, other], &mut finds);
    finds.answered(LINK, find.0, false);
    finds.answered(other, find.0, true);
    assert_eq!(finds.over(NOW), [(find, false)], "one has more");

    let find = begin(&[LINK], &mut finds);
    let mut tired = Budgets::new(NOW);
    while tired.may_ask_to_find(1, NOW) {}
    assert!(finds.ask(find, other, &mut tired, NOW).is_none());
    finds.answered(LINK, find.0, true);
    assert_eq!(finds.over(NOW), [(find, false)], "one could not be asked");

    let find = begin(&[LINK], &mut finds);
    let author = identity(1);
    for nonce in 0..2 {
        assert!(finds.found(find, testing::document(&author, nonce, 1).id(), 100));
    }
    assert!(!finds.found(find, testing::document(&author, 0, 1).id(), 100), "each once");
    assert_eq!(finds.over(NOW), [(find, true)], "as many as wanted");

    let find = begin(&[], &mut finds);
    assert_eq!(finds.over(NOW), [], "a neighbour may still come");
    assert_eq!(finds.deadline(), Some(NOW.after(limits::FIND_TIMEOUT)));
    assert_eq!(finds.over(NOW.after(limits::FIND_TIMEOUT)), [(find, false)]);
    assert_eq!(finds.deadline(), None);
}

#[test]
fn an_answer_brings_what_was_asked_and_no_more() {
    let mut finds = Searches::default();
    let id = testing::document(&identity(1), 1, 1).id();
    let invented = finds.brings(LINK, 1, &id, 100);
    assert_eq!(invented.err(), Some(Misbehaviour::Unasked), "nothing was asked for");
    let find = finds.begin(SharedQuery::all(), 2, NOW).unwrap();
    let uninvited = finds.brings(LINK, find.0, &id, 100);
    assert_eq!(uninvited.err(), Some(Misbehaviour::Unasked), "it was not asked");
    finds.ask(find, LINK, &mut Budgets::new(NOW), NOW).unwrap();
    assert!(finds.brings(LINK, find.0, &id, 100).unwrap().is_some());
    finds.found(find, id, 100);
    assert!(finds.brings(LINK, find.0, &id, 100).unwrap().is_none(), "it is known");
    let third = finds.brings(LINK, find.0, &id, 100);
    assert_eq!(third.err(), Some(Misbehaviour::Unasked), "two were asked for");
    // An answer that comes late is no offence.
    assert!(finds.end(find));
    assert!(finds.brings(LINK, find.0, &id, 100).unwrap().is_none());

    let find = finds.begin(SharedQuery::all(), 50, NOW).unwrap();
    finds.ask(find, LINK, &mut Budgets::new(NOW), NOW).unwrap();
    assert!(finds.brings(LINK, find.0, &id, limits::FOUND_BYTES).is_ok());
    let more = finds.brings(LINK, find.0, &id, 1);
    assert_eq!(more.err(), Some(Misbehaviour::Unasked), "that is more bytes than an answer has");
}

#[test]
fn there_are_only_so_many_at_once() {
    let mut finds = Searches::default();
    for _ in 0..limits::FINDS {
        finds.begin(SharedQuery::all(), 1, NOW).unwrap();
    }
    assert_eq!(finds.begin(SharedQuery::all(), 1, NOW), Err(TooManyFinds));
    assert_eq!(finds.running().len(), limits::FINDS);
}
