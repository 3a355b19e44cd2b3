use std::cell::Cell;
use std::rc::Rc;

use taiinet_document::{Content, Deletion, Document, parse_map};
use taiinet_identity::{Identity, Seed};
use taiinet_mesh::{Audience, Config, limits};

use super::*;
use crate::{
    LIVE_LIMIT, LiveError, LiveOptions,
    unsealed::{LOOK_WORK, MAX_UNSEALED},
};

struct Names;

impl Waiters for Names {
    type Subscription = u8;
    type Publish = &'static str;
    type Flush = &'static str;
    type Find = &'static str;
    type Recipients = Rc<Cell<bool>>;

    fn has_left(waiter: &Rc<Cell<bool>>) -> bool {
        waiter.get()
    }
}

const START: Time = Time::from_millis(1_000_000);

fn identity() -> Identity {
    Identity::from_seed(&Seed::from_bytes([1; 32]))
}

fn session() -> Session<Names> {
    let config = Config::new("n".parse().expect("a name"));
    Session::new(Peer::new(identity(), config, [2; 32], START))
}

fn document(number: u32) -> Arc<VerifiedDocument> {
    let document = Document {
        network: "n".parse().expect("a name"),
        created_at: START.timestamp(),
        nonce: number,
        expires_at: None,
        key: None,
        next_key: None,
        content: Content::Open(parse_map(r#"{"a": 1}"#).expect("a map")),
    };
    Arc::new(VerifiedDocument::sign(&identity(), document).expect("signed"))
}

fn unsealed(waiter: &Rc<Cell<bool>>) -> Unsealed<Rc<Cell<bool>>> {
    let content = parse_map(r#"{"a": 1}"#).expect("a map");
    let options = PublishOptions { audience: Audience::Subscribers, ..PublishOptions::default() };
    Unsealed { content, options, waiter: Rc::clone(waiter) }
}

fn actions(session: &mut Session<Names>, now: Time) -> Vec<Action<Names>> {
    std::iter::from_fn(|| session.poll_action(now)).collect()
}

/// To which subscriptions documents were delivered.
fn delivered(session: &mut Session<Names>, now: Time) -> Vec<Vec<u8>> {
    let actions = actions(session, now).into_iter();
    let of = |action| match action {
        Action::Deliver { subscriptions, .. } => Some(subscriptions),
        _ => None,
    };
    actions.filter_map(of).collect()
}

/// Of each content whose recipients were decided, how many they are.
fn decided(session: &mut Session<Names>, now: Time) -> Vec<Option<usize>> {
    session.handle_timeout(now);
    let actions = actions(session, now).into_iter();
    let of = |action| match action {
        Action::Recipients { recipients, .. } => {
            Some(recipients.ok().map(|recipients| recipients.len()))
        }
        _ => None,
    };
    actions.filter_map(of).collect()
}

fn query(text: &str) -> SharedQuery {
    text.parse().expect("a query")
}

fn open(text: &str) -> Wanted {
    Wanted::Open(query(text).into_query())
}

#[test]
fn what_is_wanted_discreetly_comes_and_is_never_looked_for() {
    let mut session = session();
    let wanted = query(r#"{"a": 1}"#);
    let discreet = || Wanted::discreet(wanted.clone().into_query(), false, false).expect("so far");
    session.subscribe(7, discreet(), None, START).expect("room");
    let other = Wanted::Discreet(query(r#"{"a": 2}"#).into_query());
    session.subscribe(6, other, None, START).expect("room");
    let backlog = Some((wanted.clone(), Backlog::Last(5)));
    let refused = session.subscribe(8, discreet(), backlog, START);
    assert_eq!(refused, Err(SubscribeError::Indiscreet(Indiscreet::Backlog)));
    session.publish(document(1), Until::Neighbour, "one", START);
    assert_eq!(delivered(&mut session, START), [[7]]);
    assert!(!session.unsubscribe(8, START), "nothing is left of what was refused");
    let both = |is_private, has_backlog| {
        Wanted::discreet(wanted.clone().into_query(), is_private, has_backlog).map(drop)
    };
    assert_eq!(both(true, false), Err(Indiscreet::Private));
    assert_eq!(both(false, true), Err(Indiscreet::Backlog));
}

#[test]
fn documents_come_under_the_names_of_the_driver_until_it_unsubscribes() {
    let mut session = session();
    session.subscribe(7, open("{}"), None, START).expect("room");
    session.subscribe(8, open(r#"{"a": 1}"#), None, START).expect("room");
    session.subscribe(9, open(r#"{"a": 2}"#), None, START).expect("room");
    session.publish(document(1), Until::Neighbour, "one", START);
    assert_eq!(delivered(&mut session, START), [[7, 8]]);
    assert!(session.unsubscribe(7, START));
    assert!(!session.unsubscribe(7, START));
    session.publish(document(2), Until::Neighbour, "two", START);
    assert_eq!(delivered(&mut session, START), [[8]]);
    assert!(session.unsubscribe(8, START));
    session.publish(document(3), Until::Neighbour, "three", START);
    assert_eq!(delivered(&mut session, START), [[0; 0]; 0], "it has no subscriber any more");
}

#[test]
fn what_no_neighbour_takes_is_lost_and_a_flush_says_so() {
    let mut session = session();
    session.publish(document(1), Until::Neighbour, "one", START);
    session.flush("flush");
    let late = START.after(limits::LIVE_WINDOW + limits::CLOCK_SKEW);
    let mut told = Vec::new();
    for now in [START, late] {
        session.handle_timeout(now);
        for action in actions(&mut session, now) {
            match action {
                Action::Publication(Outcome::Lost(waiter)) => {
                    told.push((waiter, 1));
                }
                Action::Publication(Outcome::Flushed(waiter, lost)) => {
                    told.push((waiter, lost.lost));
                }
                _ => {}
            }
        }
    }
    assert_eq!(told, [("one", 1), ("flush", 1)]);
}

#[test]
fn recipients_are_waited_for_as_long_as_somebody_wants_to() {
    let mut session = session();
    let [one, other, none] = [0; 3].map(|_| Rc::new(Cell::new(false)));
    let second = Duration::from_secs(1);
    session.find_recipients(unsealed(&none), Duration::ZERO, START).expect("room");
    assert_eq!(decided(&mut session, START), [None], "without a wait the answer comes at once");
    session.find_recipients(unsealed(&one), second, START).expect("room");
    session.find_recipients(unsealed(&other), second * 2, START).expect("room");
    assert_eq!(decided(&mut session, START), [None; 0]);
    assert!(session.poll_timeout().is_some_and(|at| at < START.after(second)));
    assert_eq!(
        decided(&mut session, START.after(second)),
        [None],
        "the first has waited long enough"
    );
    other.set(true);
    assert_eq!(decided(&mut session, START.after(second * 3)), [None; 0], "the second has left");
}

#[test]
fn a_content_is_decided_on_as_soon_as_somebody_subscribes_privately() {
    let mut session = session();
    let waiter = Rc::new(Cell::new(false));
    session.find_recipients(unsealed(&waiter), Duration::from_secs(9), START).expect("room");
    session.subscribe(1, Wanted::Private(query(r#"{"a": 1}"#)), None, START).expect("room");
    let soon = START.after(Duration::from_millis(100));
    assert_eq!(decided(&mut session, soon), [Some(1)]);
}

/// Strangers decide what it costs to look for recipients, again and again while a content waits.
#[test]
fn expensive_queries_of_strangers_take_so_much_of_a_look_and_keep_no_content_waiting() {
    const CONTENTS: usize = 10;
    let mut session = session();
    let hostile = query(r#"{"text": {"$regex": "(a?){30}a{30}b"}}"#);
    session.subscribe(1, Wanted::Private(hostile), None, START).expect("room");
    let waiter = Rc::new(Cell::new(false));
    let text = "a".repeat(1000);
    let content = parse_map(&format!(r#"{{"text": "{text}", "a": 1}}"#)).expect("a map");
    let wait = Duration::from_secs(9);
    for _ in 0..CONTENTS {
        let waiting = Unsealed { content: content.clone(), ..unsealed(&waiter) };
        assert!(session.await_recipients(waiting, wait, START).is_ok());
    }
    let mut now = START;
    let mut look = |session: &mut Session<Names>| {
        now = now.after(Duration::from_millis(100));
        let before = session.peer().counters().matching_work;
        let decided = decided(session, now);
        let work = session.peer().counters().matching_work - before;
        assert!(work < 2 * LOOK_WORK, "{work}");
        (decided, work)
    };
    for _ in 0..CONTENTS {
        let (decided, work) = look(&mut session);
        assert_eq!(decided, [None; 0]);
        assert!(work >= LOOK_WORK / 2, "{work}");
    }
    // Each has its turn.
    session.subscribe(2, Wanted::Private(query(r#"{"a": 1}"#)), None, START).expect("room");
    let mut all = Vec::new();
    for _ in 0..CONTENTS {
        all.extend(look(&mut session).0);
    }
    assert_eq!(all, [Some(1); CONTENTS]);
}

#[test]
fn so_many_wait_for_recipients_and_no_more() {
    let mut session = session();
    let waiter = Rc::new(Cell::new(false));
    let wait = Duration::from_secs(1);
    for _ in 0..MAX_UNSEALED {
        session.find_recipients(unsealed(&waiter), wait, START).expect("room");
    }
    assert!(session.find_recipients(unsealed(&waiter), wait, START).is_err());
    let end = session.cut_off();
    assert_eq!(end.recipients.len(), MAX_UNSEALED);
    assert!(session.find_recipients(unsealed(&waiter), wait, START).is_ok());
}

#[test]
fn a_search_is_over_once() {
    let mut session = session();
    let Ok(find) = session.find(query("{}"), FindOptions::newest(9), "one", START) else {
        panic!("no room")
    };
    assert_eq!(session.find_waiter(find), Some(&"one"));
    assert_eq!(session.end_find(find), Some("one"));
    assert_eq!(session.find_waiter(find), None);
    let Ok(_) = session.find(query("{}"), FindOptions::newest(9), "two", START) else {
        panic!("no room")
    };
    let late = START.after(limits::FIND_TIMEOUT * 2);
    session.handle_timeout(late);
    let done = actions(&mut session, late).into_iter().filter_map(|action| match action {
        Action::FindDone { waiter, .. } => Some(waiter),
        _ => None,
    });
    assert_eq!(done.collect::<Vec<_>>(), ["two"], "the first was ended already");
}

#[test]
fn in_the_end_all_that_wait_are_given_back() {
    let mut session = session();
    session.publish(document(1), Until::Neighbour, "one", START);
    let Ok(_) = session.find(query("{}"), FindOptions::newest(9), "find", START) else {
        panic!("no room")
    };
    session.leave(START);
    let end = session.cut_off();
    assert_eq!((end.publishes, end.finds), (vec!["one"], vec!["find"]));
}

/// What became of documents: who shows them, and who is to show them no more.
fn told(session: &mut Session<Names>, now: Time) -> Vec<(Vec<u8>, &'static str)> {
    session.handle_timeout(now);
    let actions = actions(session, now).into_iter();
    let of = |action| match action {
        Action::Deliver { subscriptions, replaces: None, .. } => Some((subscriptions, "new")),
        Action::Deliver { subscriptions, .. } => Some((subscriptions, "update")),
        Action::Remove { subscriptions, removed } => Some((subscriptions, removed.reason.as_str())),
        Action::Conflict { subscriptions, .. } => Some((subscriptions, "conflict")),
        _ => None,
    };
    actions.filter_map(of).collect()
}

#[test]
fn subscriptions_are_told_of_updates_of_what_is_gone_and_of_two_versions_of_one_moment() {
    let mut session = session();
    session.subscribe(1, open(r#"{"a": 1}"#), None, START).expect("room");
    session.subscribe(2, open("{}"), None, START).expect("room");
    let mut at = 0;
    let mut say = |session: &mut Session<Names>, content: Content, life: Option<u64>| {
        at += 1;
        let now = START.after(Duration::from_millis(at));
        let document = Document {
            created_at: now.timestamp(),
            key: Some("k".into()),
            expires_at: life.map(|life| now.after(Duration::from_millis(life)).timestamp()),
            content,
            ..document(1).document().clone()
        };
        let document = VerifiedDocument::sign(&identity(), document).expect("signed");
        session.publish(Arc::new(document), Until::Neighbour, "k", now);
        told(session, now)
    };
    let fields = |text: &str| Content::Open(parse_map(text).expect("a map"));
    assert_eq!(say(&mut session, fields(r#"{"a": 1}"#), None), [(vec![1, 2], "new")]);
    let changed = say(&mut session, fields(r#"{"a": 2}"#), None);
    assert_eq!(changed, [(vec![1], "replaced"), (vec![2], "update")]);
    let deleted = say(&mut session, Content::Deleted(Deletion::Key), None);
    assert_eq!(deleted, [(vec![2], "deleted")]);
    assert_eq!(say(&mut session, fields(r#"{"a": 1}"#), Some(10)), [(vec![1, 2], "new")]);
    assert_eq!(told(&mut session, START.after(Duration::from_millis(13))), []);
    assert!(
        session.poll_timeout().is_some_and(|due| due <= START.after(Duration::from_millis(14)))
    );
    let over = told(&mut session, START.after(Duration::from_millis(14)));
    assert_eq!(over, [(vec![1, 2], "expired")]);
    // Another instance of the same author says something else in the same millisecond.
    let now = START.after(Duration::from_millis(20));
    for nonce in 1..=2 {
        let document = Document {
            created_at: now.timestamp(),
            key: Some("other".into()),
            ..document(nonce).document().clone()
        };
        let document = VerifiedDocument::sign(&identity(), document).expect("signed");
        session.publish(Arc::new(document), Until::Neighbour, "k", now);
    }
    assert!(told(&mut session, now).contains(&(vec![1, 2], "conflict")));
}

#[test]
fn a_live_set_has_what_comes_and_ends() {
    let mut session = session();
    let told = |session: &mut Session<Names>| {
        let live = actions(session, START).into_iter().filter_map(|action| match action {
            Action::Live { subscriptions, change } => Some((subscriptions, change)),
            _ => None,
        });
        live.collect::<Vec<_>>()
    };
    let all = || query("{}");
    for limit in [0, LIVE_LIMIT + 1] {
        let options = LiveOptions { limit, ..LiveOptions::default() };
        assert_eq!(session.live(7, all(), options, START), Err(LiveError::Limit { limit }));
    }
    assert_eq!(session.live(7, all(), LiveOptions::default(), START), Ok(()));
    assert_eq!(session.live(8, all(), LiveOptions::default(), START), Ok(()));
    session.subscribe(9, open("{}"), None, START).expect("room");
    let states = told(&mut session);
    assert_eq!(states.len(), 2);
    assert!(states.iter().all(|(_, change)| matches!(change, LiveChange::State(_))));
    session.publish(document(1), Until::Neighbour, "one", START);
    let [(subscriptions, LiveChange::Insert { index: 0, document, .. })] = &told(&mut session)[..]
    else {
        panic!("something else")
    };
    assert_eq!((&subscriptions[..], document.id()), (&[7, 8][..], self::document(1).id()));
    assert!(session.end_live(7, START) && !session.end_live(7, START));
    session.publish(self::document(2), Until::Neighbour, "two", START);
    assert_eq!(told(&mut session)[0].0, [8]);
    assert!(session.end_live(8, START));
    session.publish(self::document(3), Until::Neighbour, "three", START);
    assert!(told(&mut session).is_empty());
    assert!(session.unsubscribe(9, START), "that is another matter");
}
