#![allow(clippy::unwrap_used)]

use core::time::Duration;
use std::sync::Arc;

use proptest::prelude::*;
use taiinet_document::{Document, VerifiedDocument};
use taiinet_query::Query;

use super::*;
use crate::testing::{self, NOW, document_at, identity};

const ROOM: usize = limits::FOUND_LANE_BYTES;

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
    let (query, sort, after) = (query.to_owned(), String::new(), Vec::new());
    Find { request: 1, query, sort, after, limit }
}

fn answer(
    asked: &Find,
    budgets: &mut Budgets,
    recent: &Recent,
    room: usize,
    now: Time,
) -> Result<Page, Misbehaviour> {
    Ok(look(recent, &Wish::asked(asked, budgets, room, now)?, now))
}

fn page(asked: &Find, budgets: &mut Budgets, recent: &Recent, now: Time) -> Page {
    answer(asked, budgets, recent, ROOM, now).unwrap()
}

/// What a neighbour that asks is given.
fn given(asked: &Find, budgets: &mut Budgets, recent: &Recent, now: Time) -> Vec<SignedDocument> {
    page(asked, budgets, recent, now).documents
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
    let since = NOW.as_millis() + 48;
    let newer = format!(r#"{{"_created_at": {{"$gte": {since}}}}}"#);
    assert_eq!(times(&given(&asked(&newer, 10), &mut budgets, &recent, at(100))), [49, 48]);
    let early = format!(r#"{{"_created_at": {{"$lt": {}}}}}"#, NOW.as_millis() + 2);
    let found = given(&asked(&early, 10), &mut budgets, &recent, at(100));
    assert_eq!(times(&found), [1, 0]);
    assert_eq!(given(&asked(r#"{"no": 1}"#, 10), &mut budgets, &recent, at(100)), []);
    assert_eq!(given(&asked("{}", 0), &mut budgets, &recent, at(100)), []);
}

/// All pages of a neighbour, as whoever asks reads them.
fn pages(wish: &Wish, recent: &Recent) -> (Vec<SignedDocument>, bool) {
    let (mut all, mut wish) = (Vec::new(), wish.clone());
    loop {
        let page = look(recent, &wish, at(100));
        all.extend(page.documents);
        let Some(until) = page.until else { return (all, page.left_out) };
        assert!(wish.after.as_ref().is_none_or(|after| until > *after), "it goes on");
        wish.after = Some(until);
    }
}

proptest! {
    #[test]
    fn pages_give_each_document_once_and_in_order(
        (count, limit) in (0_u32..60, 1_usize..20),
        bytes in prop_oneof![Just(limits::FOUND_BYTES), Just(3000)],
        sort in prop_oneof![
            Just("_created_at:desc"), Just("_created_at:asc"), Just("text:desc"), Just("none:asc")
        ],
    ) {
        let recent = recent(count, 500);
        let (query, sort) = (SharedQuery::all(), Sort::parse(sort).unwrap());
        let wish = Wish { query, sort, after: None, limit, bytes };
        let (found, left_out) = pages(&wish, &recent);
        let mut expected: Vec<_> = (0..u64::from(count)).collect();
        let descending = wish.sort.is_newest() || wish.sort.to_string().starts_with("text");
        if descending {
            expected.reverse();
        }
        prop_assert_eq!(times(&found), expected);
        prop_assert!(!left_out);
    }
}

#[test]
fn what_expired_is_not_found() {
    let mut recent = Recent::default();
    let document = Document {
        expires_at: Some(at(10).timestamp()),
        ..document_at(&identity(1), 1, 1, NOW).document().clone()
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
    let nothing = page(&asked(r#"{"no": 1}"#, 1), &mut budgets, &many, at(100));
    assert!(nothing.documents.is_empty() && nothing.until.is_some(), "it goes on from there");
    let large = recent(30, 100_000);
    let found = given(&asked("{}", u16::MAX), &mut budgets, &large, at(100));
    let bytes: usize = found.iter().map(SignedDocument::size).sum();
    assert!(bytes <= limits::FOUND_BYTES && bytes > limits::FOUND_BYTES - 101_000, "{bytes}");
    // What waits for the link already has taken the room.
    let narrow = answer(&asked("{}", 9), &mut budgets, &large, 150_000, at(100)).unwrap();
    assert!(narrow.documents.len() == 1 && narrow.until.is_some());
    let none = answer(&asked("{}", 9), &mut budgets, &large, 10, at(100)).unwrap();
    assert!(none.documents.is_empty() && none.left_out);
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
    let Page { documents: found, left_out, fuel, .. } =
        page(&expensive, &mut Budgets::new(NOW), &recent, at(1));
    assert!(left_out, "and it says so");
    assert!((1..30).contains(&found.len()), "{} were evaluated", found.len());
    assert_eq!(times(&found[found.len() - 1..]), [0], "the short one too");
    assert!((limits::FIND_FUEL / 2..=limits::FIND_FUEL).contains(&fuel), "{fuel}");
    // What is cheap is looked at as before, and costs what it takes.
    let Page { documents: found, left_out, fuel, until } =
        page(&asked("{}", 1000), &mut Budgets::new(NOW), &recent, at(1));
    assert!(!left_out && until.is_none());
    assert_eq!(found.len(), 401);
    assert!((400 * 2_000..limits::FIND_FUEL).contains(&fuel), "{fuel}");
}

/// A document is decoded to be looked at, and some take a hundred times their bytes then.
#[test]
fn what_is_expensive_to_decode_is_expensive_to_look_at() {
    let mut recent = Recent::default();
    for nonce in 0..60 {
        recent.insert(&testing::expensive(&identity(1), nonce), 0, NOW);
    }
    let page = page(&asked("{}", 100), &mut Budgets::new(NOW), &recent, NOW);
    let looked_at = page.documents.len();
    assert!((5..20).contains(&looked_at) && page.left_out, "{looked_at}");
}

/// Whoever answers says whether there may be more, whatever the cause.
#[test]
fn an_answer_that_leaves_out_something_says_so() {
    let complete = |asked: &Find, recent: &Recent| {
        let page = page(asked, &mut Budgets::new(NOW), recent, at(100));
        page.until.is_none() && !page.left_out
    };
    let few = recent(10, 10);
    assert!(complete(&asked("{}", 10), &few), "as many as there are");
    assert!(!complete(&asked("{}", 9), &few), "the limit of the one that asks");
    assert!(complete(&asked(r#"{"no": 1}"#, 1), &few));
    assert!(!complete(&asked("{}", 100), &recent(20, 100_000)), "the bytes of an answer");
    let many = recent(limits::FIND_DOCUMENTS as u32 + 1, 1);
    assert!(!complete(&asked(r#"{"no": 1}"#, 1), &many), "what is looked at");
    let by_text = Find { sort: "text:asc".to_owned(), ..asked(r#"{"no": 1}"#, 1) };
    assert!(!complete(&by_text, &many), "in another order");
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
    let refused =
        |asked: &Find, budgets: &mut Budgets| answer(asked, budgets, &recent, ROOM, NOW).err();
    let mut budgets = Budgets::new(at(0));
    for _ in 0..limits::FIND_REQUESTS.0 {
        assert_eq!(refused(&asked("{}", 1), &mut budgets), None);
    }
    assert_eq!(refused(&asked("{}", 1), &mut budgets), Some(Misbehaviour::FindFlood));
    // Each link has its own.
    assert_eq!(refused(&asked("{}", 1), &mut Budgets::new(NOW)), None);
    assert!(answer(&asked("{}", 1), &mut budgets, &recent, ROOM, at(1)).is_ok());
    let mut another = Budgets::new(NOW);
    let wrong = |asked: &Find, budgets: &mut Budgets| {
        assert_eq!(refused(asked, budgets), Some(Misbehaviour::InvalidQuery), "{asked:?}");
    };
    wrong(&asked(r#"{"a": {"$near": 1}}"#, 1), &mut another);
    wrong(&Find { sort: "a:up".to_owned(), ..asked("{}", 1) }, &mut another);
    wrong(&Find { after: vec![1, 2, 3], ..asked("{}", 1) }, &mut another);
    // What one may ask oneself may be too much to ask of others.
    let expensive = r#"{"a": {"$regex": "^.{0,140}$"}}"#;
    assert!(expensive.parse::<Query>().is_ok());
    wrong(&asked(expensive, 1), &mut another);
    let long = |length: usize| "x".repeat(length);
    for too_long in [
        asked(&long(limits::FIND_QUERY_BYTES + 1), 1),
        Find { sort: long(taiinet_query::limits::SORT_BYTES + 1), ..asked("{}", 1) },
        Find { after: vec![0; taiinet_query::limits::PLACE_BYTES + 1], ..asked("{}", 1) },
    ] {
        assert_eq!(refused(&too_long, &mut another), Some(Misbehaviour::Oversize));
    }
}
