#![allow(clippy::unwrap_used)]

use core::time::Duration;

use taiinet_query::sort::Sort;

use super::*;
use crate::{
    testing::{self, NOW, document, identity, work_left},
    wire::{Frame, Kept},
};

/// A peer that searches, and its neighbours by number.
struct Asking {
    cx: Cx,
    finds: Finds,
    interest: Interest,
    links: Vec<LinkId>,
}

impl Asking {
    fn new(archives: &[bool]) -> Self {
        let mut cx = testing::cx();
        let links = (1..).zip(archives).map(|(number, is_archive)| {
            let link = testing::neighbour(&mut cx, &identity(number));
            cx.links.get_mut(link).unwrap().is_archive = *is_archive;
            link
        });
        let links = links.collect();
        let interest = Interest::new(&mut cx);
        Self { cx, finds: Finds::default(), interest, links }
    }

    /// Begins a search; the requests that neighbours get for it, by their number.
    fn begin(&mut self, wait: Duration) -> Vec<(usize, u32)> {
        for link in &self.links {
            testing::sent(&mut self.cx, *link);
        }
        let options = FindOptions { sort: Sort::newest(), after: None, limit: 10, wait };
        let query = "{}".parse().unwrap();
        self.finds.begin(&mut self.cx, query, options, &self.interest).unwrap();
        let mut asked = Vec::new();
        for (number, link) in self.links.iter().enumerate() {
            for frame in testing::sent(&mut self.cx, *link) {
                if let Frame::Find(FindFrame::Find(find)) = frame {
                    asked.push((number, find.request));
                }
            }
        }
        asked
    }

    /// A neighbour has nothing more.
    fn answers(&mut self, (number, request): (usize, u32)) {
        let rest = Rest::Finished { left_out: false };
        let answer = Found { request, documents: Vec::new(), rest, until: Vec::new() };
        self.finds.answered(&mut self.cx, self.links[number], answer, &self.interest).unwrap();
    }

    /// So much later.
    fn wait(&mut self, time: Duration) {
        self.cx.now = self.cx.now.after(time);
        self.finds.tick(&mut self.cx, &self.interest);
    }

    /// Whether searches that ended were complete.
    fn ended(&mut self) -> Vec<bool> {
        let ended = self.cx.out.drain(..).filter_map(|output| match output {
            Output::FindDone { complete, .. } => Some(complete),
            _ => None,
        });
        ended.collect()
    }

    /// A search that all but these answer.
    fn search_without(&mut self, silent: &[usize]) -> Vec<usize> {
        let asked = self.begin(limits::FIND_TIMEOUT);
        for one in asked.iter().filter(|(number, _)| !silent.contains(number)) {
            self.answers(*one);
        }
        asked.into_iter().map(|(number, _)| number).collect()
    }
}

#[test]
fn a_neighbour_that_lets_searches_wait_in_vain_is_asked_no_more_for_a_while() {
    let mut asking = Asking::new(&[true, true, false]);
    for _ in 0..2 {
        asking.cx.view_changed = false;
        assert_eq!(asking.search_without(&[0]), [0, 1, 2]);
        assert!(asking.ended().is_empty(), "it is waited for");
        asking.wait(limits::FIND_TIMEOUT);
        assert_eq!(asking.ended(), [false]);
    }
    assert!(asking.cx.view_changed, "another archive is looked for");
    assert_eq!(asking.search_without(&[0]), [1, 2]);
    assert_eq!(asking.ended(), [true]);
    // Later it is given another chance, and rests again if it lets it go by.
    asking.wait(limits::FIND_REST);
    assert_eq!(asking.search_without(&[0]), [0, 1, 2]);
    asking.wait(limits::FIND_TIMEOUT);
    assert_eq!(asking.search_without(&[0]), [1, 2]);
    asking.wait(limits::FIND_REST);
    assert_eq!(asking.search_without(&[]), [0, 1, 2]);
    assert_eq!(asking.search_without(&[]), [0, 1, 2], "it has answered");
}

#[test]
fn one_that_misses_few_searches_or_had_no_time_is_asked_on() {
    let mut asking = Asking::new(&[true, true]);
    for _ in 0..4 {
        assert_eq!(asking.search_without(&[0]), [0, 1]);
        asking.wait(limits::FIND_TIMEOUT);
        for _ in 0..2 {
            assert_eq!(asking.search_without(&[]), [0, 1]);
        }
    }
    // A search that waits only for a moment says nothing about its neighbours.
    for _ in 0..4 {
        assert_eq!(asking.begin(limits::FIND_LATE.0 / 2).len(), 2);
        asking.wait(limits::FIND_LATE.0 / 2);
        assert_eq!(asking.ended().pop(), Some(false));
    }
    // Searches at the same time miss the same.
    for _ in 0..3 {
        assert_eq!(asking.begin(limits::FIND_TIMEOUT).len(), 2);
    }
    asking.wait(limits::FIND_TIMEOUT);
    assert_eq!(asking.search_without(&[]), [0, 1]);
    // A peer that has slept has yet to read the answers.
    let mut asking = Asking::new(&[true, true]);
    for _ in 0..4 {
        assert_eq!(asking.search_without(&[0]), [0, 1]);
        asking.wait(limits::FIND_TIMEOUT + limits::OVERSLEPT);
    }
}

#[test]
fn no_page_in_between_and_no_other_link_hides_that_it_misses_searches() {
    let mut asking = Asking::new(&[true, true]);
    for _ in 0..2 {
        let asked = asking.begin(limits::FIND_TIMEOUT);
        assert_eq!(asked.len(), 2);
        asking.answers(asked[1]);
        // It says that there is more, further on, and nothing else from then on.
        let sort = Sort::newest();
        let until = sort.place_of(&document(&identity(9), 1, 10)).unwrap().as_bytes().to_vec();
        let rest = Rest::More { left_out: false };
        let more = Found { request: asked[0].1, documents: Vec::new(), rest, until };
        let link = asking.links[0];
        asking.finds.answered(&mut asking.cx, link, more, &asking.interest).unwrap();
        asking.wait(limits::FIND_TIMEOUT);
    }
    assert_eq!(asking.search_without(&[]), [1]);
    let link = testing::neighbour(&mut asking.cx, &identity(1));
    asking.cx.links.get_mut(link).unwrap().is_archive = true;
    asking.links[0] = link;
    assert_eq!(asking.search_without(&[]), [1], "it comes again");
    // Nor is it asked every other time by missing every other search.
    let mut asking = Asking::new(&[true, true]);
    let mut times = 0;
    for number in 0..20 {
        let silent: &[usize] = if number % 2 == 0 { &[0] } else { &[] };
        times += usize::from(asking.search_without(silent).contains(&0));
        asking.wait(limits::FIND_TIMEOUT);
    }
    assert!(times < 12, "{times}");
}

#[test]
fn what_only_an_archive_has_that_is_not_asked_is_left_out() {
    let keeping = |query: &str| Kept { queries: vec![query.to_owned()], ..Kept::default() };
    for (other, complete) in [(r#"{"type":"tweet"}"#, false), ("{}", true)] {
        let mut asking = Asking::new(&[true, true]);
        for (link, (number, query)) in
            asking.links.iter().zip([(1, r#"{"type":"quake"}"#), (2, other)])
        {
            let presence = testing::archive(&identity(number), NOW, keeping(query));
            asking.cx.links.get_mut(*link).unwrap().presence = Some(presence);
        }
        for _ in 0..2 {
            asking.search_without(&[0]);
            asking.wait(limits::FIND_TIMEOUT);
        }
        asking.ended();
        assert_eq!(asking.search_without(&[]), [1]);
        assert_eq!(asking.ended(), [complete], "{other}");
    }
}

#[test]
fn an_archive_that_rests_is_asked_where_there_is_no_other() {
    let mut asking = Asking::new(&[true, false]);
    for _ in 0..3 {
        assert_eq!(asking.search_without(&[0, 1]), [0, 1]);
        asking.wait(limits::FIND_TIMEOUT);
    }
    assert_eq!(asking.search_without(&[]), [0, 1], "all rest");
    assert_eq!(asking.search_without(&[]), [0, 1]);
}

#[test]
fn a_link_that_asks_pays_for_what_its_query_takes() {
    let mut cx = testing::cx();
    let link = testing::neighbour(&mut cx, &identity(1));
    for nonce in 0..20 {
        let (document, now) = (document(&identity(2), nonce, 1000), cx.now);
        cx.store.insert(&document, 0, now);
    }
    let mut costs = |query: &str| {
        let (query, sort, after) = (query.to_owned(), String::new(), Vec::new());
        let find = Find { request: 1, query, sort, after, limit: 100 };
        let before = work_left(&cx, link);
        answer(&mut cx, link, &find).unwrap();
        before - work_left(&cx, link)
    };
    let cheap = costs("{}");
    let expensive = costs(r#"{"text": {"$regex": "(x?){30}x{10}$"}}"#);
    assert!(cheap > 0 && expensive > 20 * cheap, "{cheap}, {expensive}");
    assert!(expensive <= units(limits::FIND_FUEL) as i64, "{expensive}");
}

/// We asked: to verify and evaluate what came was once at the answerer's cost, and a few searches cut
/// honest links.
#[test]
fn an_answer_to_what_we_asked_costs_its_link_nothing() {
    let mut cx = testing::cx();
    let link = testing::neighbour(&mut cx, &identity(1));
    let interest = Interest::new(&mut cx);
    let mut finds = Finds::default();
    // What it takes to evaluate this is much, too.
    let query: SharedQuery = r#"{"text": {"$regex": "(x?){30}x{10}$"}}"#.parse().unwrap();
    finds.begin(&mut cx, query, FindOptions::newest(100), &interest).unwrap();
    let mut documents: Vec<_> =
        (0..100).map(|nonce| document(&identity(2), nonce, 20).signed().clone()).collect();
    documents.sort_by_key(|document| core::cmp::Reverse(document.id()));
    let (rest, until) = (Rest::Finished { left_out: false }, Vec::new());
    let found = Found { request: 1, documents, rest, until };
    let before = work_left(&cx, link);
    finds.answered(&mut cx, link, found, &interest).unwrap();
    assert_eq!(work_left(&cx, link), before);
    let found = cx.out.iter().filter(|output| matches!(output, Output::Found { .. })).count();
    assert_eq!(found, 100);
}
