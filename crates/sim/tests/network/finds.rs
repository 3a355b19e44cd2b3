//! Searches: the neighbours' recent documents, found once, checked, and given to no other.

use std::{collections::BTreeSet, time::Duration};

use taiinet_document::{DocumentId, SignedDocument};
use taiinet_mesh::{
    FindId, Misbehaviour, limits,
    wire::{DocumentFrame, Find, FindFrame, Found, Frame, Rest},
};
use taiinet_sim::{Manners, PeerIndex, WireId, World, forge};

use crate::common::{Setting, meshed, network, seconds, seeds, sparse};

fn search(setting: &mut Setting, peer: PeerIndex, query: &str, limit: u16) -> FindId {
    setting.world.find(peer, query, limit).expect("it searches for little")
}

/// Waits for the end of a search.
fn finished(setting: &mut Setting, peer: PeerIndex, find: FindId) -> (Vec<DocumentId>, bool) {
    let done = |world: &World| world.found(peer, find).done.is_some();
    assert!(setting.world.run_until(limits::FIND_TIMEOUT + seconds(1), done));
    let found = setting.world.found(peer, find);
    let unique: BTreeSet<_> = found.documents.iter().collect();
    assert_eq!(unique.len(), found.documents.len(), "each once");
    (found.documents, found.done.expect("it is over").1)
}

fn publish(setting: &mut Setting, count: usize) -> Vec<DocumentId> {
    let mut ids = Vec::new();
    for number in 0..count {
        let by = setting.peers[number % setting.peers.len()];
        let content = format!(r#"{{"number": {number}, "even": {}}}"#, number % 2 == 0);
        ids.push(setting.world.publish(by, &content).expect("there is room"));
        setting.world.run_for(Duration::from_millis(100));
    }
    ids
}

/// One that was not there when they were published, and takes part now.
fn newcomer(setting: &mut Setting) -> PeerIndex {
    setting.world.run_for(seconds(20));
    let spec = taiinet_sim::PeerSpec::new(network(), &[setting.signaller]);
    let late = setting.world.add_peer(spec);
    setting.world.subscribe(late, "{}");
    late
}

#[test]
fn a_newcomer_finds_what_was_published_before_it_came() {
    for seed in seeds(0..3) {
        let mut setting = meshed(seed, 8);
        let ids = publish(&mut setting, 40);
        let late = newcomer(&mut setting);
        // It asks before it has a neighbour.
        let find = search(&mut setting, late, r#"{"even": true}"#, 100);
        let (found, complete) = finished(&mut setting, late, find);
        let expected: Vec<_> = ids.iter().copied().step_by(2).collect();
        assert!(complete, "seed {seed}");
        assert_eq!(found, expected.iter().rev().copied().collect::<Vec<_>>(), "the newest first");
        // They were found, not received: a search delivers nothing and passes nothing on.
        let deliveries = setting.world.deliveries(late).len();
        assert_eq!(deliveries, 0, "seed {seed}");
        assert_eq!(setting.world.status(late).counters.received, 0);
        let rejected = setting.world.counters().rejected;
        assert!(rejected.is_empty(), "seed {seed}: {rejected:?}");
        // As few as are wanted, of the newest.
        let find = search(&mut setting, late, "{}", 5);
        let (found, complete) = finished(&mut setting, late, find);
        let newest: BTreeSet<_> = ids.iter().rev().take(5).copied().collect();
        assert_eq!((found.into_iter().collect::<BTreeSet<_>>(), complete), (newest, false));
        setting.still_works();
        setting.sound();
    }
}

#[test]
fn our_own_documents_are_found_with_those_of_others() {
    let mut setting = meshed(10, 4);
    let ids = publish(&mut setting, 10);
    setting.world.run_for(seconds(1));
    let peer = setting.peers[0];
    let find = search(&mut setting, peer, "{}", 3);
    let (found, complete) = finished(&mut setting, peer, find);
    assert_eq!(found, ids.iter().rev().take(3).copied().collect::<Vec<_>>());
    assert!(!complete, "there are more");
    // A found document that was delivered already is not delivered again.
    let before = setting.world.deliveries(peer).len();
    let find = search(&mut setting, peer, "{}", 100);
    let (found, complete) = finished(&mut setting, peer, find);
    assert_eq!((found.len(), complete), (10, true));
    assert_eq!(setting.world.deliveries(peer).len(), before);
}

#[test]
fn alone_it_waits_for_a_neighbour_and_then_gives_up() {
    let mut setting = crate::common::started(20, 1);
    let peer = setting.peers[0];
    let find = search(&mut setting, peer, "{}", 3);
    let (found, complete) = finished(&mut setting, peer, find);
    assert_eq!((found, complete), (Vec::new(), false));
}

#[test]
fn a_neighbour_that_dies_or_is_mute_only_makes_it_incomplete() {
    let mut setting = sparse(30, 4);
    let ids = publish(&mut setting, 10);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let find = search(&mut setting, victim, "{}", 50);
    let (found, complete) = finished(&mut setting, victim, find);
    assert_eq!((found.len(), complete), (ids.len(), false), "a puppet does not answer searches");
    assert!(setting.world.wire(wire).ended().is_none(), "that is no offence");
    let find = search(&mut setting, victim, "{}", 50);
    setting.world.run_for(Duration::from_millis(500));
    setting.world.hang_up(wire);
    let (_, complete) = finished(&mut setting, victim, find);
    assert!(!complete);
    assert!(setting.world.counters().rejected.is_empty());
}

#[test]
fn a_dozer_is_asked_only_when_nobody_else_is_there_and_answers_at_once() {
    let mut setting = meshed(40, 3);
    setting.world.run_for(seconds(5));
    for dozer in setting.peers.clone().into_iter().skip(1) {
        setting.world.doze(dozer, true);
    }
    publish(&mut setting, 6);
    let late = newcomer(&mut setting);
    // All that are awake, but one that came late as well, doze.
    let find = search(&mut setting, late, "{}", 50);
    let (found, complete) = finished(&mut setting, late, find);
    assert_eq!((found.len(), complete), (6, true));
    // And it has heard that they do.
    let linked = |world: &World| {
        let links = world.status(late).links;
        world.neighbours(late).len() == 3 && links.iter().filter(|link| link.dozing).count() == 2
    };
    assert!(setting.world.run_until(seconds(10), linked));
    setting.world.freeze(setting.peers[1]);
    let find = search(&mut setting, late, r#"{"even": true}"#, 50);
    let (found, complete) = finished(&mut setting, late, find);
    assert_eq!((found.len(), complete), (3, true), "the search does not wait for the frozen one");
}

/// Who asks makes the work: large answers to search after search cost those that give them nothing, and
/// hold up nothing else that they send.
#[test]
fn many_large_searches_cost_no_neighbour_its_link_and_hold_no_document_up() {
    let mut setting = meshed(45, 5);
    for number in 0..3_000 {
        let by = setting.peers[number % 5];
        setting.world.publish(by, &format!(r#"{{"number": {number}}}"#)).expect("there is room");
        if number % 10 == 0 {
            setting.world.run_for(Duration::from_millis(20));
        }
    }
    let late = newcomer(&mut setting);
    assert!(setting.world.run_until(seconds(10), |world| world.neighbours(late).len() == 5));
    let since = setting.world.now();
    // As many as it may ask at once.
    for number in 0..limits::FIND_REQUESTS.0 / 2 {
        let find = search(&mut setting, late, "{}", 3_500);
        setting.world.publish(setting.peers[0], &format!(r#"{{"live": {number}}}"#)).expect("room");
        let (found, complete) = finished(&mut setting, late, find);
        assert!(found.len() >= 3_000 && complete, "{number}: {}, {complete}", found.len());
        setting.arrives(seconds(1), |published| published.at >= since);
    }
    assert_eq!(setting.world.neighbours(late).len(), 5);
    let rejected = setting.world.counters().rejected;
    assert!(rejected.is_empty(), "{rejected:?}");
}

// ---- Attacks ----

/// A puppet that was asked, and the request.
fn asked(setting: &mut Setting, victim: PeerIndex, wire: WireId, find: FindId) -> u32 {
    let request = |world: &World| {
        world.wire(wire).frames().iter().rev().find_map(|frame| match frame {
            Frame::Find(FindFrame::Find(find)) => Some(find.request),
            _ => None,
        })
    };
    let is_asked = |world: &World| request(world).is_some();
    assert!(setting.world.run_until(seconds(1), is_asked), "{find:?} of {victim:?}");
    request(&setting.world).expect("it was asked")
}

fn found(request: u32, documents: Vec<SignedDocument>, rest: Rest) -> Found {
    Found { request, documents, rest, until: Vec::new() }
}

/// Of one moment, as they are asked for.
fn in_order(mut documents: Vec<SignedDocument>) -> Vec<SignedDocument> {
    documents.sort_by_key(|document| std::cmp::Reverse(document.id()));
    documents
}

fn bring(setting: &mut Setting, wire: WireId, request: u32, documents: Vec<SignedDocument>) {
    setting
        .world
        .speak(wire, &[Frame::Find(FindFrame::Found(found(request, documents, Rest::Follows)))]);
    setting.world.run_for(Duration::from_millis(300));
}

#[test]
fn forged_foreign_and_unwanted_answers_are_charged_and_never_found() {
    let mut setting = sparse(50, 3);
    let victim = setting.peers[0];
    let author = setting.world.identity();
    let now = setting.world.now().as_millis();
    let make = |content: &str| forge::document(&author, &network(), now, content);
    let right = make(r#"{"wanted": 1, "number": 1}"#);
    let forged = forge::with_bad_signature(&right);
    let foreign = forge::document(&author, &"elsewhere".parse().expect("a name"), now, "{}");
    let future = forge::document(&author, &network(), now + 3_600_000, r#"{"wanted": 1}"#);
    for (document, offence) in [
        (forged, Misbehaviour::InvalidSignature),
        (foreign, Misbehaviour::WrongNetwork),
        (make(r#"{"wanted": 2}"#), Misbehaviour::Unasked),
        (future, Misbehaviour::OutOfTime),
    ] {
        let wire = setting.befriend(victim, Manners::HONEST).1;
        let before = setting.refused(victim, offence);
        let find = search(&mut setting, victim, r#"{"wanted": 1}"#, 10);
        let request = asked(&mut setting, victim, wire, find);
        bring(&mut setting, wire, request, vec![document]);
        assert_eq!(setting.refused(victim, offence), before + 1, "{offence:?}");
        // The good one is still good, and comes once.
        bring(&mut setting, wire, request, vec![right.clone(), right.clone()]);
        let (found, _) = finished(&mut setting, victim, find);
        assert_eq!(found, [right.id()]);
        setting.world.hang_up(wire);
        setting.world.run_for(seconds(1));
    }
    // It was found; it was neither delivered, nor passed on, nor does it count as seen.
    let id = right.id();
    let anywhere = |world: &World| {
        world.peers().iter().any(|peer| world.deliveries(*peer).iter().any(|got| got.id == id))
    };
    assert!(!anywhere(&setting.world));
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let push = taiinet_mesh::wire::Push { hops: 0, document: right };
    setting.world.speak(wire, &[Frame::Documents(DocumentFrame::Push(push))]);
    assert!(setting.world.run_until(seconds(2), anywhere), "a live copy is delivered as ever");
    setting.sound();
}

#[test]
fn answers_that_nobody_asked_for_end_the_link() {
    let mut setting = sparse(60, 3);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let author = setting.world.identity();
    let now = setting.world.now().as_millis();
    let document = forge::document(&author, &network(), now, "{}");
    let enough = limits::BLACKLISTED_AT / Misbehaviour::Unasked.weight();
    for request in 0..2 * enough {
        let request = request + 1_000;
        let documents = vec![document.clone()];
        setting.world.speak(
            wire,
            &[Frame::Find(FindFrame::Found(found(
                request,
                documents,
                Rest::Finished { left_out: false },
            )))],
        );
    }
    setting.world.run_for(seconds(2));
    assert_eq!(setting.refused(victim, Misbehaviour::Unasked), u64::from(enough));
    assert!(setting.world.wire(wire).ended().is_some());
    setting.still_works();
}

#[test]
fn more_documents_than_asked_for_are_refused() {
    let mut setting = sparse(70, 3);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let author = setting.world.identity();
    let now = setting.world.now().as_millis();
    let document = |number: u32| {
        forge::document(&author, &network(), now, &format!(r#"{{"wanted": {number}}}"#))
    };
    let find = search(&mut setting, victim, r#"{"wanted": {"$gte": 0}}"#, 5);
    let request = asked(&mut setting, victim, wire, find);
    // Copies count as well: an answer has no use for them.
    bring(&mut setting, wire, request, vec![document(0); 5]);
    bring(&mut setting, wire, request, vec![document(1)]);
    let (found, _) = finished(&mut setting, victim, find);
    assert_eq!(found, [document(0).id()]);
    assert_eq!(setting.refused(victim, Misbehaviour::Unasked), 1);
}

/// Two bring in one frame each as many as one may: the application gets as many as it asked for.
#[test]
fn never_more_are_found_than_were_asked_for() {
    let mut setting = sparse(75, 3);
    let victim = setting.peers[0];
    let wires = [0, 1].map(|_| setting.befriend(victim, Manners::HONEST).1);
    let author = setting.world.identity();
    let now = setting.world.now().as_millis();
    let documents = |from: u32| {
        let numbers = from..from + 5;
        let document = |number| {
            forge::document(&author, &network(), now, &format!(r#"{{"wanted": {number}}}"#))
        };
        in_order(numbers.map(document).collect())
    };
    let find = search(&mut setting, victim, r#"{"wanted": {"$gte": 0}}"#, 6);
    for (place, wire) in (0..).zip(wires) {
        let request = asked(&mut setting, victim, wire, find);
        bring(&mut setting, wire, request, documents(place * 10));
    }
    let (found, complete) = finished(&mut setting, victim, find);
    assert_eq!((found.len(), complete), (6, false));
    assert!(setting.world.counters().rejected.is_empty());
}

/// A search is over, and its answers go on, with documents or without.
#[test]
fn answers_without_end_to_a_search_that_is_over_end_the_link() {
    for (seed, with_documents) in [(76, true), (77, false)] {
        let mut setting = sparse(seed, 3);
        let victim = setting.peers[0];
        let wire = setting.befriend(victim, Manners::HONEST).1;
        let author = setting.world.identity();
        let find = search(&mut setting, victim, "{}", 20);
        let request = asked(&mut setting, victim, wire, find);
        finished(&mut setting, victim, find);
        let now = setting.world.now().as_millis();
        let document = forge::document(&author, &network(), now, r#"{"late": 1}"#);
        let documents = if with_documents { vec![document] } else { Vec::new() };
        for _ in 0..20 {
            bring(&mut setting, wire, request, documents.clone());
        }
        assert_eq!(setting.refused(victim, Misbehaviour::Unasked), 0, "it was slow, no more");
        for _ in 0..20 {
            bring(&mut setting, wire, request, documents.clone());
        }
        assert!(setting.refused(victim, Misbehaviour::Unasked) > 0);
        assert!(setting.world.wire(wire).ended().is_some(), "the flood still has its link");
        setting.still_works();
    }
}

/// Searches in any number, as expensive as can be, hold no peer up: the flood loses its link, and live
/// documents pass as ever.
#[test]
fn a_flood_of_searches_is_held_to_its_budget_and_displaces_no_live_document() {
    let mut setting = sparse(80, 5);
    let text = "x".repeat(10_000);
    for number in 0..150 {
        let by = setting.peers[number % 5];
        let content = format!(r#"{{"number": {number}, "text": "{text}"}}"#);
        setting.world.publish(by, &content).expect("a neighbour takes them");
        setting.world.run_for(Duration::from_millis(50));
    }
    setting.world.run_for(seconds(2));
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let ask = |request: u32| {
        let (query, sort, after) = ("{}".to_owned(), String::new(), Vec::new());
        Frame::Find(FindFrame::Find(Find { request, query, sort, after, limit: u16::MAX }))
    };
    let (burst, rate) = limits::FIND_REQUESTS;
    for request in 0..burst {
        setting.world.speak(wire, &[ask(request)]);
    }
    setting.world.run_for(Duration::from_millis(200));
    let queued = |world: &World| {
        let links = world.status(victim).links;
        links.iter().map(|link| link.queued_bytes).max().unwrap_or(0)
    };
    let bound = limits::DATA_LANE_BYTES + limits::CONTROL_LANE_BYTES + 2 * limits::FOUND_LANE_BYTES;
    assert!(queued(&setting.world) <= bound, "{}", queued(&setting.world));
    assert_eq!(setting.refused(victim, Misbehaviour::FindFlood), 0, "that much is allowed");
    // While it is being served, a live document overtakes all that.
    let since = setting.world.now();
    let id = setting.world.publish(victim, r#"{"live": true}"#).expect("there is room");
    let overtakes = |world: &World| world.wire(wire).pushed().contains(&id);
    assert!(setting.world.run_until(seconds(2), overtakes));
    setting.arrives(seconds(2), |published| published.at >= since);
    let served = |world: &World| {
        let frames = world.wire(wire).frames().iter();
        frames.filter(|frame| matches!(frame, Frame::Find(FindFrame::Found(_)))).count()
    };
    assert!(served(&setting.world) > 0);
    for request in 0..200 {
        setting.world.speak(wire, &[ask(burst + request)]);
        setting.world.run_for(Duration::from_millis(20));
    }
    assert!(setting.refused(victim, Misbehaviour::FindFlood) >= 50);
    assert!(setting.world.wire(wire).ended().is_some(), "the flood still has its link");
    assert!(rate <= 2, "so that an attacker costs little");
    setting.still_works();
    setting.sound();
}

#[test]
fn queries_that_are_none_are_charged() {
    let mut setting = sparse(90, 3);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    for query in ["", "{", "[]", r#"{"a": {"$near": 1}}"#, r#"{"a": {"$regex": "("}}"#] {
        let (query, sort, after) = (query.to_owned(), String::new(), Vec::new());
        let find = Find { request: 1, query, sort, after, limit: 1 };
        setting.world.speak(wire, &[Frame::Find(FindFrame::Find(find))]);
    }
    setting.world.run_for(seconds(1));
    assert_eq!(setting.refused(victim, Misbehaviour::InvalidQuery), 5);
    setting.still_works();
}
