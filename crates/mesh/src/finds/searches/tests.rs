#![allow(clippy::unwrap_used)]

use core::time::Duration;

use taiinet_document::{Content, DocumentId};
use taiinet_query::sort::Sort;

use super::*;
use crate::testing::{self, NOW, identity};

const LINK: LinkId = LinkId::from_raw(1);
const OTHER: LinkId = LinkId::from_raw(2);

fn wish(query: &str, limit: usize) -> Wish {
    let (query, sort) = (query.parse().unwrap(), Sort::newest());
    Wish { query, sort, after: None, limit, bytes: limits::FOUND_BYTES }
}

/// A search whose own store has nothing, and which asks these.
fn begin(finds: &mut Searches, query: &str, limit: usize, links: &[LinkId]) -> FindId {
    let find = finds.begin(wish(query, limit), limits::FIND_TIMEOUT, NOW).unwrap();
    finds.own(find, None, false);
    for link in links {
        finds.source(find, *link);
        ask(finds, find, *link).unwrap();
    }
    find
}

fn ask(finds: &mut Searches, find: FindId, link: LinkId) -> Option<Find> {
    finds.ask(find, link, &mut Budgets::new(NOW), NOW)
}

/// One of so many milliseconds before now: the first is the newest.
fn document(before: u64) -> Arc<VerifiedDocument> {
    let created_at = Time::from_millis(NOW.as_millis() - before);
    testing::document_at(&identity(1), 0, 10, created_at)
}

fn place(before: u64) -> Place {
    Sort::newest().place_of(&document(before)).unwrap()
}

/// What a neighbour sends in answer to a request.
fn brings(finds: &mut Searches, link: LinkId, request: u32, documents: &[u64]) {
    for before in documents {
        let document = document(*before);
        let find = finds.brings(link, request, document.signed().size()).unwrap().unwrap();
        assert_eq!(finds.check(find, link, &document), Ok(Ok(())));
        finds.found(find, Hit { document, opened: None });
    }
}

fn ends(finds: &mut Searches, link: LinkId, request: u32, until: Option<u64>) {
    finds.answered(link, request, until.map(place), false).unwrap();
}

/// Of each search that gives something: what, whether that is all, and from where it goes on.
fn given(finds: &mut Searches, now: Time) -> Vec<(Vec<u64>, bool, Option<Place>)> {
    let before = |hit: &Hit| NOW.as_millis() - hit.document.created_at.as_millis();
    let all = finds.give(now).into_iter();
    all.map(|given| (given.hits.iter().map(before).collect(), given.complete, given.cursor))
        .collect()
}

const LATE: Time = Time::from_millis(NOW.as_millis() + limits::FIND_TIMEOUT.as_millis() as u64);

#[test]
fn what_several_have_comes_in_one_order_each_once_and_page_by_page() {
    let mut finds = Searches::default();
    let find = begin(&mut finds, "{}", 3, &[LINK, OTHER]);
    brings(&mut finds, LINK, 1, &[1, 3, 5]);
    ends(&mut finds, LINK, 1, Some(5));
    assert_eq!(given(&mut finds, NOW), [], "the other may have what comes before");
    brings(&mut finds, OTHER, 2, &[1, 2]);
    ends(&mut finds, OTHER, 2, None);
    assert_eq!(given(&mut finds, NOW), [(vec![1, 2, 3], false, Some(place(3)))]);
    assert_eq!((given(&mut finds, NOW), finds.turns()), (vec![], vec![]), "it rests");
    assert_eq!(finds.deadline(), None);

    assert!(finds.go_on(find, 3, NOW));
    assert_eq!(finds.turns(), [(find, LINK)], "the other has no more");
    let question = ask(&mut finds, find, LINK).unwrap();
    assert_eq!((question.request, question.after), (3, place(5).as_bytes().to_vec()));
    brings(&mut finds, LINK, 3, &[7]);
    ends(&mut finds, LINK, 3, None);
    assert_eq!(given(&mut finds, NOW), [(vec![5, 7], true, None)]);
    assert!(!finds.go_on(find, 3, NOW), "it is over");
}

#[test]
fn a_neighbour_that_dies_or_comes_in_the_middle_of_it_is_replaced_at_the_place() {
    let mut finds = Searches::default();
    let find = begin(&mut finds, "{}", 2, &[LINK]);
    brings(&mut finds, LINK, 1, &[1, 2]);
    ends(&mut finds, LINK, 1, Some(2));
    assert_eq!(given(&mut finds, NOW), [(vec![1, 2], false, Some(place(2)))]);
    finds.link_down(LINK);
    finds.go_on(find, 2, NOW);
    finds.source(find, OTHER);
    let question = ask(&mut finds, find, OTHER).unwrap();
    assert_eq!(question.after, place(2).as_bytes());
    brings(&mut finds, OTHER, question.request, &[3]);
    ends(&mut finds, OTHER, question.request, None);
    assert_eq!(given(&mut finds, NOW), [(vec![3], false, None)], "what the first had is not known");
}

#[test]
fn a_search_is_over_when_all_have_answered_or_there_are_enough_or_time_is_up() {
    let mut finds = Searches::default();
    begin(&mut finds, "{}", 2, &[LINK, OTHER]);
    ends(&mut finds, LINK, 1, None);
    ends(&mut finds, LINK, 1, None);
    assert_eq!(given(&mut finds, NOW), []);
    ends(&mut finds, OTHER, 2, None);
    assert_eq!(given(&mut finds, NOW), [(vec![], true, None)]);

    begin(&mut finds, "{}", 2, &[LINK, OTHER]);
    ends(&mut finds, LINK, 3, None);
    finds.link_down(OTHER);
    assert_eq!(given(&mut finds, NOW), [(vec![], false, None)], "one is gone");

    begin(&mut finds, "{}", 2, &[LINK, OTHER]);
    finds.answered(LINK, 5, None, true).unwrap();
    ends(&mut finds, OTHER, 6, None);
    assert_eq!(given(&mut finds, NOW), [(vec![], false, None)], "one has left out something");

    let find = begin(&mut finds, "{}", 2, &[LINK]);
    let mut tired = Budgets::new(NOW);
    while tired.may_ask_to_find(1, NOW) {}
    finds.source(find, OTHER);
    assert!(finds.ask(find, OTHER, &mut tired, NOW).is_none());
    ends(&mut finds, LINK, 7, None);
    assert_eq!(given(&mut finds, NOW), [(vec![], false, None)], "one could not be asked");

    let find = begin(&mut finds, "{}", 2, &[LINK, OTHER]);
    brings(&mut finds, LINK, 8, &[1, 2]);
    ends(&mut finds, LINK, 8, None);
    assert_eq!(given(&mut finds, LATE), [(vec![1, 2], false, None)], "the other is too slow");
    assert!(finds.brings(OTHER, 9, 1).unwrap().is_none(), "and no offender");
    assert!(!finds.end(find));

    let find = finds.begin(wish("{}", 2), limits::FIND_TIMEOUT, NOW).unwrap();
    assert_eq!(finds.deadline(), Some(Time::default()), "our own store has its turn");
    finds.own(find, None, false);
    assert_eq!(given(&mut finds, NOW), [], "a neighbour may still come");
    assert_eq!(finds.deadline(), Some(LATE));
    assert_eq!(given(&mut finds, LATE), [(vec![], false, None)]);
    assert_eq!(finds.deadline(), None);
}

#[test]
fn an_answer_brings_what_was_asked_and_no_more() {
    let mut finds = Searches::default();
    let unasked = Some(Misbehaviour::Unasked);
    assert_eq!(finds.brings(LINK, 1, 100).err(), unasked, "nothing was asked for");
    let find = begin(&mut finds, "{}", 2, &[LINK]);
    assert_eq!(finds.brings(OTHER, 2, 100).err(), unasked, "it was not asked");
    for _ in 0..2 {
        assert!(finds.brings(LINK, 1, 100).unwrap().is_some());
    }
    assert_eq!(finds.brings(LINK, 1, 100).err(), unasked, "two were asked for");
    // An answer that comes late is no offence.
    assert!(finds.end(find));
    assert!(finds.brings(LINK, 1, 100).unwrap().is_none());

    begin(&mut finds, "{}", 50, &[LINK]);
    assert!(finds.brings(LINK, 2, limits::FOUND_BYTES).is_ok());
    assert_eq!(finds.brings(LINK, 2, 1).err(), unasked, "more bytes than an answer has");
}

#[test]
fn what_does_not_match_or_stands_where_it_should_not_is_an_offence() {
    let unasked = Err(Misbehaviour::Unasked);
    let mut finds = Searches::default();
    let find = begin(&mut finds, r#"{"no": 1}"#, 9, &[LINK]);
    assert_eq!(finds.check(find, LINK, &document(1)).err(), unasked.err());
    let find = begin(&mut finds, "{}", 9, &[LINK]);
    brings(&mut finds, LINK, 2, &[2]);
    assert_eq!(finds.check(find, LINK, &document(2)), Ok(Ok(())), "a copy is no offence");
    for before in [0, 1] {
        assert_eq!(finds.check(find, LINK, &document(before)).err(), unasked.err(), "not behind");
    }
    assert_eq!(finds.answered(LINK, 2, Some(place(1)), false), unasked, "nor is that");
    // It would be asked for ever.
    let find = begin(&mut finds, "{}", 1, &[LINK]);
    ends(&mut finds, LINK, 3, Some(5));
    assert_eq!(finds.turns(), [(find, LINK)]);
    ask(&mut finds, find, LINK).unwrap();
    assert_eq!(finds.answered(LINK, 4, Some(place(5)), false), unasked);
    assert_eq!(finds.turns(), []);
}

/// A peer that answers chooses the documents that we evaluate our query on, and one that seals chooses what we
/// open: all of an answer takes no more than an honest one does, and all that a search opens as much again.
#[test]
fn all_that_an_answer_or_what_is_sealed_has_us_evaluate_takes_the_fuel_of_one_search() {
    let mut finds = Searches::default();
    let query = r#"{"text": {"$regex": "(x?){30}x{10}$"}}"#;
    let find = begin(&mut finds, query, 1000, &[LINK, OTHER]);
    let author = identity(1);
    let mut expensive: Vec<_> =
        (0..400).map(|nonce| testing::document(&author, nonce, 2_000)).collect();
    expensive.sort_by_key(|document| core::cmp::Reverse(document.id()));
    let evaluated = |link, documents: &[Arc<VerifiedDocument>], finds: &mut Searches| {
        let matching = documents.iter().filter(|one| finds.check(find, link, one) == Ok(Ok(())));
        matching.count()
    };
    let (first, rest) = expensive.split_at(200);
    assert!((1..30).contains(&evaluated(LINK, first, &mut finds)));
    assert_eq!(evaluated(LINK, rest, &mut finds), 0, "it is used up");
    let cheap = document(5);
    assert_eq!(finds.check(find, LINK, &cheap), Ok(Ok(())), "but for what is cheap");
    assert!(evaluated(OTHER, first, &mut finds) > 0, "nobody uses up what others have");

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

/// Of what is found more quickly than it can be given the first is kept, and the rest is asked for again.
#[test]
fn a_search_holds_no_more_than_there_is_room_for_and_loses_nothing() {
    let mut finds = Searches::default();
    let find = begin(&mut finds, "{}", 1000, &[LINK, OTHER]);
    let mut expensive: Vec<_> =
        (0..20).map(|nonce| testing::expensive(&identity(1), nonce)).collect();
    expensive.sort_by_key(|document| core::cmp::Reverse(document.id()));
    let last = Sort::newest().place_of(&expensive[19]);
    for document in &expensive {
        finds.found(find, Hit { document: Arc::clone(document), opened: None });
    }
    let room = limits::FIND_HEAP_BYTES / expensive[0].heap_size();
    assert_eq!(finds.running[&find].hits.len(), room);
    // Both say that they have given all there is; what had to go is asked for again.
    finds.answered(LINK, 1, last, false).unwrap();
    finds.answered(OTHER, 2, None, false).unwrap();
    assert_eq!(finds.turns(), [(find, LINK), (find, OTHER)]);
    let after = Sort::newest().place_of(&expensive[room - 1]).unwrap();
    assert_eq!(ask(&mut finds, find, OTHER).unwrap().after, after.as_bytes());
    assert_eq!(given(&mut finds, LATE)[0].0.len(), room);
}

/// An archive that has looked at much and found nothing says how far it came: the search goes on from there.
#[test]
fn where_nothing_was_found_in_time_it_goes_on_from_where_all_have_come_to() {
    let mut finds = Searches::default();
    let find = begin(&mut finds, "{}", 2, &[LINK, OTHER]);
    ends(&mut finds, OTHER, 2, None);
    ends(&mut finds, LINK, 1, Some(50));
    ask(&mut finds, find, LINK).unwrap();
    ends(&mut finds, LINK, 3, Some(90));
    assert_eq!(given(&mut finds, NOW), []);
    assert_eq!(given(&mut finds, LATE), [(vec![], false, Some(place(90)))]);
    assert!(finds.go_on(find, 2, LATE));
    let question = ask(&mut finds, find, LINK).unwrap();
    assert_eq!(question.after, place(90).as_bytes());
    brings(&mut finds, LINK, question.request, &[95]);
    ends(&mut finds, LINK, question.request, None);
    assert_eq!(given(&mut finds, LATE), [(vec![95], true, None)]);
}

#[test]
fn of_several_versions_the_newest_is_given() {
    let mut finds = Searches::default();
    let find = begin(&mut finds, "{}", 9, &[LINK, OTHER]);
    let version =
        |seconds| testing::keyed(&identity(1), "key", NOW.after(Duration::from_secs(seconds)));
    for document in [version(2), version(1), version(3)] {
        finds.found(find, Hit { document, opened: None });
    }
    ends(&mut finds, LINK, 1, None);
    ends(&mut finds, OTHER, 2, None);
    let ids: Vec<DocumentId> = finds
        .give(NOW)
        .into_iter()
        .flat_map(|given| given.hits)
        .map(|hit| hit.document.id())
        .collect();
    assert_eq!(ids, [version(3).id()]);
}

/// However much the application searches, no neighbour is given cause to complain.
#[test]
fn we_ask_well_below_what_we_must_be_allowed() {
    let mut ours = Searches::default();
    let (mut our_end, mut their_end) = (Budgets::new(NOW), Budgets::new(NOW));
    let mut asked = 0;
    for tenth in 0..3_000 {
        let now = NOW.after(Duration::from_millis(tenth * 100));
        let find = ours.begin(wish("{}", 10), limits::FIND_TIMEOUT, now).unwrap();
        ours.source(find, LINK);
        if ours.ask(find, LINK, &mut our_end, now).is_some() {
            asked += 1;
            their_end.find(now).unwrap();
        }
        assert!(ours.end(find));
    }
    assert!((290..400).contains(&asked), "{asked}");
}

#[test]
fn there_are_only_so_many_at_once() {
    let mut finds = Searches::default();
    for _ in 0..limits::FINDS {
        finds.begin(wish("{}", 1), limits::FIND_TIMEOUT, NOW).unwrap();
    }
    assert_eq!(finds.begin(wish("{}", 1), limits::FIND_TIMEOUT, NOW).err(), Some(TooManyFinds));
    assert_eq!(finds.running().len(), limits::FINDS);
    // Those that rest have places of their own, and no more than so many.
    let mut finds = Searches::default();
    let mut rest = || {
        let find = finds.begin(wish("{}", 1), limits::FIND_TIMEOUT, NOW).ok()?;
        finds.own(find, Some(place(9)), false);
        finds.found(find, Hit { document: document(1), opened: None });
        finds.give(NOW);
        Some(find)
    };
    let resting = (0..).map_while(|_| rest()).count();
    assert_eq!(resting, limits::FINDS_AT_REST);
}

/// A neighbour that answers from where it was asked to go on, and not behind that, doubles nothing.
#[test]
fn what_was_given_before_does_not_come_again() {
    let mut finds = Searches::default();
    let find = begin(&mut finds, "{}", 2, &[LINK]);
    brings(&mut finds, LINK, 1, &[1, 2]);
    ends(&mut finds, LINK, 1, Some(2));
    assert_eq!(given(&mut finds, NOW), [(vec![1, 2], false, Some(place(2)))]);
    finds.go_on(find, 2, NOW);
    let question = ask(&mut finds, find, LINK).unwrap();
    brings(&mut finds, LINK, question.request, &[2, 3]);
    ends(&mut finds, LINK, question.request, None);
    assert_eq!(given(&mut finds, NOW), [(vec![3], true, None)]);
}

#[test]
fn one_that_is_slow_and_brings_much_is_not_silent() {
    let waited = |bytes| {
        let mut finds = Searches::default();
        begin(&mut finds, "{}", 2, &[LINK, OTHER]);
        ends(&mut finds, OTHER, 2, None);
        finds.brings(LINK, 1, bytes).unwrap();
        assert_eq!(given(&mut finds, LATE), [(vec![], false, None)]);
        finds.waited()
    };
    let (much, other) = (limits::FIND_LATE.1, (OTHER, false));
    assert_eq!(waited(much - 1), [(LINK, true), other]);
    assert_eq!(waited(much), [other]);
}
