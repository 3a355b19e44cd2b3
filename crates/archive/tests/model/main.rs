//! The archive against a list of documents and the rules as plain text has them.

mod exchange;
mod naive;
mod random;
mod reconcile;

use core::time::Duration;

use naive::{Naive, expected};
use proptest::prelude::*;
use random::{Step, step, steps};
use taiinet_archive::{Admission, Archive, Ask, Config, MemoryStore, Rest, Store};
use taiinet_document::{Timestamp, VerifiedDocument};
use taiinet_query::{Query, sort::Sort};

const QUERIES: [&str; 16] = [
    "{}",
    r#"{"likes": 3}"#,
    r#"{"likes": {"$gt": 2}}"#,
    r#"{"likes": {"$gte": 2, "$lt": 5}}"#,
    r#"{"likes": {"$in": [1, 4, null]}}"#,
    r#"{"likes": null}"#,
    r#"{"likes": {"$not": {"$gt": 2}}}"#,
    r#"{"type": "tweet"}"#,
    r#"{"type": {"$lt": "tweet"}}"#,
    r#"{"type": {"$gt": "post"}, "likes": {"$lte": 4}}"#,
    r#"{"type": "tweet", "likes": 3}"#,
    r#"{"$or": [{"likes": 1}, {"type": "post"}]}"#,
    r#"{"likes": {"$elemMatch": {"$gt": 1, "$lt": 4}}}"#,
    r#"{"_key": "a"}"#,
    r#"{"_created_at": {"$gt": 1000006, "$lte": 1000014}}"#,
    "AUTHOR",
];

const SORTS: [&str; 8] = [
    "_created_at:desc",
    "_created_at:asc",
    "likes:desc",
    "likes:asc",
    "likes:desc,_created_at:asc",
    "type:asc,likes:desc",
    "other:asc",
    "type:desc",
];

fn query(text: &str) -> Query {
    match text {
        "AUTHOR" => format!(r#"{{"_author": "{}"}}"#, random::author(1).peer_id()).parse(),
        text => text.parse(),
    }
    .expect("a query")
}

fn config(kept: &str, indexed: &[&str], backdate: Option<u64>) -> Config {
    let mut config = Config::new(random::network(), vec![query(kept)]);
    config.indexed = indexed.iter().map(|path| path.parse().expect("a path")).collect();
    config.max_backdate = backdate.map(Duration::from_millis);
    config
}

/// All pages of what is asked, each with so little work and room.
fn all_pages<S: Store>(
    archive: &Archive<S>,
    mut ask: Ask,
    mut budget: u64,
    now: Timestamp,
) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for _ in 0..10_000 {
        let page = archive.find(&ask, budget, now).expect("finds");
        assert!(page.documents.len() <= ask.limit, "more than was asked for");
        assert_eq!(page.unjudged, 0);
        // One document is looked at in any case.
        assert!(page.work <= budget.saturating_add(200_000), "{} for {budget}", page.work);
        all.extend(page.documents);
        match page.rest {
            Rest::Finished => return all,
            Rest::More(place) => {
                assert!(ask.after.is_none_or(|after| after < place), "no way was made");
                ask.after = Some(place);
            }
            // The only way on is more work.
            Rest::TooCostly => budget *= 2,
        }
    }
    panic!("the pages do not end")
}

#[derive(Debug, Clone)]
struct Question {
    query: usize,
    sort: usize,
    since: Option<u64>,
    until: Option<u64>,
    limit: usize,
    bytes: usize,
    budget: u64,
}

fn question() -> impl Strategy<Value = Question> {
    let moment = || prop::option::weighted(0.2, 1_000_000..1_000_020_u64);
    (
        (0..QUERIES.len(), 0..SORTS.len()),
        (moment(), moment()),
        (1..7_usize, prop_oneof![Just(1_usize), Just(500), Just(1 << 20)]),
        prop_oneof![Just(0_u64), 1_000..200_000_u64, Just(u64::MAX)],
    )
        .prop_map(|((query, sort), (since, until), (limit, bytes), budget)| Question {
            query,
            sort,
            since,
            until,
            limit,
            bytes,
            budget: budget.max(1),
        })
}

fn ask(question: &Question) -> Ask {
    Ask {
        query: query(QUERIES[question.query]),
        sort: SORTS[question.sort].parse::<Sort>().expect("a sort"),
        since: question.since.map(Timestamp::from_millis),
        until: question.until.map(Timestamp::from_millis),
        after: None,
        limit: question.limit,
        bytes: question.bytes,
    }
}

const INDEXED: [&[&str]; 3] = [&[], &["likes"], &["type", "likes", "_key"]];

proptest! {
    /// Whatever comes, and in whatever order: the pages together are what the rules say, in order, each once.
    #[test]
    fn finds_what_the_rules_say(
        steps in steps(step(), 40),
        questions in prop::collection::vec(question(), 12),
        kept in prop::sample::select(vec!["{}", "{}", r#"{"likes": {"$gt": 1}}"#, "AUTHOR"]),
        indexed in prop::sample::select(INDEXED.to_vec()),
        backdate in prop_oneof![Just(None), Just(Some(12_u64))],
    ) {
        let config = config(kept, indexed, backdate);
        let mut archive = Archive::open(MemoryStore::new(), config.clone()).expect("opens");
        let mut naive = Naive::new(config.clone());
        let mut now = 1_000_010;
        for step in &steps {
            let moment = Timestamp::from_millis(now);
            match step {
                Step::Admit(document) => {
                    let admission = archive.admit(document, moment).expect("admits");
                    naive.admit(document, moment);
                    match admission {
                        Admission::Stored => prop_assert!(naive.holds(document)),
                        Admission::Known => {}
                        other => prop_assert!(!naive.holds(document), "{:?}", other),
                    }
                }
                Step::Wait(millis) => {
                    now += millis;
                    let moment = Timestamp::from_millis(now);
                    while archive.expire(moment, 3).expect("expires") > 0 {}
                    naive.expire(moment);
                }
                Step::Commit => archive.commit().expect("commits"),
                Step::Open => {
                    archive.commit().expect("commits");
                    let store = archive.into_store();
                    archive = Archive::open(store, config.clone()).expect("opens");
                }
            }
        }
        let now = Timestamp::from_millis(now);
        let report = archive.check().expect("checks");
        prop_assert!(report.is_clean(), "{:?}", report);
        for owner in (0..3).map(|number| random::author(number).peer_id()) {
            for name in ["a", "b"] {
                let found = archive.head(&owner, name, now).expect("reads");
                prop_assert_eq!(found, naive.head(owner, name, now));
            }
        }
        for question in &questions {
            let ask = ask(question);
            let expected = expected(&naive, &ask, now);
            prop_assert_eq!(all_pages(&archive, ask, question.budget, now), expected, "{:?}", question);
        }
    }

    /// Two archives that get the same documents in different orders have the same in the end.
    #[test]
    fn the_order_of_arrival_does_not_matter(
        steps in steps(random::document_step(), 30),
        seed in any::<u64>(),
        kept in prop::sample::select(vec!["{}", r#"{"likes": {"$gt": 1}}"#]),
        later in 0..40_u64,
    ) {
        let documents: Vec<&VerifiedDocument> = steps.iter().filter_map(Step::document).collect();
        let mut shuffled = documents.clone();
        random::shuffle(&mut shuffled, seed);
        let now = Timestamp::from_millis(1_000_010);
        let end = Timestamp::from_millis(1_000_010 + later);
        let results = [documents, shuffled].map(|documents| {
            let config = config(kept, &["likes"], Some(25));
            let mut archive = Archive::open(MemoryStore::new(), config).expect("opens");
            for document in documents {
                archive.admit(document, now).expect("admits");
            }
            while archive.expire(end, 100).expect("expires") > 0 {}
            let ask = Ask {
                query: Query::all(),
                sort: Sort::newest(),
                since: None,
                until: None,
                after: None,
                limit: 5,
                bytes: 1 << 20,
            };
            let found = all_pages(&archive, ask, u64::MAX, end);
            let stats = archive.stats().expect("says");
            (found, stats.documents, stats.deletions, stats.traces, stats.footprint)
        });
        prop_assert_eq!(&results[0], &results[1]);
    }
}
