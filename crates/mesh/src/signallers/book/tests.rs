use taiinet_identity::Identity;

use super::*;
use crate::{
    links::session,
    testing::{NOW, identity},
};

const LINK: LinkId = LinkId::from_raw(1);

/// The session's other end answers, and gives what it says first.
fn welcome(signallers: &mut Book, rng: &mut Rng, identity: &Identity, work: u8) -> Welcome {
    let Some(Ok(first)) = signallers.opened(LINK, rng, NOW) else { panic!("an opening") };
    let (session, answer) = session::accept(Purpose::Client, &first, [7; 32]).expect("an opening");
    assert!(matches!(signallers.read(LINK, &answer), Ok(Heard::Opened)));
    Welcome {
        signaller: identity.peer_id(),
        signature: identity.sign(Domain::Welcome, session.hash()),
        ice_servers: Vec::new(),
        work,
    }
}

/// One that took our join.
fn joined(rng: &mut Rng) -> Book {
    let mut signallers = Book::default();
    signallers.add(SignallerAddress { url: "ws://here".to_owned(), pinned: None }, NOW);
    assert!(matches!(signallers.due(NOW), Some(Due::Dial { index: 0, .. })));
    signallers.dialled(0, LINK, NOW);
    let welcome = welcome(&mut signallers, rng, &identity(1), 0);
    assert!(signallers.welcome(LINK, &welcome, PeerId::from_bytes([1; 32]), NOW).is_ok());
    assert!(signallers.took_join(LINK, NOW).is_some());
    signallers
}

/// What is due at this moment, up to the end of the connection.
fn dues(signallers: &mut Book, now: Time) -> Vec<&'static str> {
    let mut dues = Vec::new();
    while let Some(due) = signallers.due(now) {
        dues.push(match due {
            Due::Dial { .. } => "dial",
            Due::Ping { .. } => "ping",
            Due::Join { .. } | Due::Works => "renew",
            Due::Drop { .. } => "drop",
        });
        if matches!(due, Due::Drop { .. }) {
            break;
        }
    }
    dues
}

#[test]
fn after_a_sleep_it_is_asked_before_it_is_judged() {
    let mut rng = Rng::new([1; 32]);
    let woken = NOW.after(limits::SIGNALLER_SILENCE * 2);
    let until = woken.after(limits::WAKE_PROBE);
    assert_eq!(dues(&mut joined(&mut rng), woken), ["drop"]);
    let mut signallers = joined(&mut rng);
    assert_eq!(signallers.probe(true, woken), [LINK]);
    assert_eq!(signallers.probe(false, woken), [], "it is being asked already");
    signallers.speaks(LINK, woken);
    assert_eq!(dues(&mut signallers, woken), [""; 0]);
    assert_eq!(signallers.deadline(), Some(until));
    assert_eq!(dues(&mut signallers, until), ["drop"]);
    let mut signallers = joined(&mut rng);
    signallers.probe(true, woken);
    signallers.speaks(LINK, woken);
    signallers.hears(LINK, until);
    assert_eq!(dues(&mut signallers, until), [""; 0]);
}

#[test]
fn one_that_dozes_is_patient_with_its_signallers() {
    let mut rng = Rng::new([2; 32]);
    let late = NOW.after(limits::DOZE_SILENCE / 2).after(limits::SIGNALLER_SILENCE / 2);
    let mut signallers = joined(&mut rng);
    signallers.dozing = true;
    assert_eq!(dues(&mut signallers, late), ["ping"]);
    assert_eq!(dues(&mut signallers, NOW.after(limits::DOZE_SILENCE)), ["drop"]);
}

#[test]
fn after_a_wake_it_is_asked_for_candidates_at_once() {
    let mut rng = Rng::new([3; 32]);
    let mut signallers = joined(&mut rng);
    let mut now = NOW;
    for _ in 0..10 {
        assert_eq!(signallers.ask(&mut rng, now), [LINK]);
        now = signallers.ask_deadline().expect("it may be asked again");
    }
    assert_eq!(signallers.ask(&mut rng, now), [LINK]);
    let soon = now.after(limits::INTRODUCE_BACKOFF.0);
    assert_eq!(signallers.ask(&mut rng, soon), [], "it helped little");
    signallers.wake(soon);
    assert_eq!(signallers.ask(&mut rng, soon), [LINK]);
}

#[test]
fn a_join_that_takes_work_is_made_in_pieces_and_only_when_it_is_done() {
    let mut rng = Rng::new([1; 32]);
    let identity = crate::testing::identity(9);
    let me = crate::testing::identity(1).peer_id();
    let address = SignallerAddress { url: "ws://one".to_owned(), pinned: None };
    let mut signallers = Book::default();
    signallers.add(address, NOW);
    signallers.dialled(0, LINK, NOW);
    let welcome = welcome(&mut signallers, &mut rng, &identity, 16);
    let challenge = *signallers.known[0].session.as_ref().expect("a session").hash();
    assert!(matches!(signallers.welcome(LINK, &welcome, me, NOW), Ok(None)), "not yet");
    let (mut now, mut pieces) = (NOW, 0);
    let work = loop {
        match signallers.due(now) {
            Some(Due::Join { work, .. }) => break work,
            Some(Due::Works) => pieces += 1,
            None => now = signallers.deadline().expect("it goes on"),
            due => panic!("{due:?}"),
        }
        assert!(now.since(NOW) < limits::WORK_TIMEOUT);
    };
    assert!(pieces > 1);
    assert!(crate::signallers::work::is_done(&challenge, &me, 16, work));
    assert!(signallers.due(now).is_none(), "once");
}

#[test]
fn a_member_that_signs_anothers_address_does_not_stand_in_its_way_and_a_replay_moves_none() {
    let [squatter, honest, named] = [1, 2, 3].map(|number| identity(number).peer_id());
    let (at, later) = (NOW.timestamp(), NOW.after(core::time::Duration::from_secs(9)).timestamp());
    let mut signallers = Book::default();
    signallers.add(SignallerAddress { url: "ws://named".to_owned(), pinned: Some(named) }, NOW);
    assert!(signallers.learn("ws://honest", squatter, at, NOW));
    assert!(!signallers.knows("ws://honest", honest, at));
    assert!(signallers.learn("ws://honest", honest, at, NOW));
    // It moves, and what it said before does not bring it back.
    assert!(!signallers.learn("ws://moved", honest, later, NOW));
    assert!(!signallers.learn("ws://honest", honest, at, NOW));
    let urls = |signallers: &Book| -> Vec<String> {
        signallers.known.iter().map(|known| known.address.url.clone()).collect()
    };
    assert_eq!(urls(&signallers), ["ws://named", "ws://honest", "ws://moved"]);
    // What was named stays where it is, and belongs to no other.
    assert!(!signallers.learn("ws://elsewhere", named, later, NOW));
    assert!(!signallers.learn("ws://named", squatter, later, NOW));
    assert_eq!(urls(&signallers), ["ws://named", "ws://honest", "ws://moved"]);
}

#[test]
fn a_signaller_that_signs_another_session_or_address_is_not_believed() {
    let mut rng = Rng::new([1; 32]);
    let (identity, me) = (identity(9), PeerId::from_bytes([1; 32]));
    let mut fresh = |dialled: &str| {
        let mut signallers = Book::default();
        signallers.add(SignallerAddress { url: "ws://one".to_owned(), pinned: None }, NOW);
        signallers.dialled(0, LINK, NOW);
        let welcome = welcome(&mut signallers, &mut rng, &identity, 0);
        let opening = session::Opening { version: VERSION, dialled: dialled.to_owned() };
        let (_, first) = Dialler::new(Purpose::Client, &opening, rng.nonce()).expect("short");
        let (other, _) = session::accept(Purpose::Client, &first, [7; 32]).expect("an opening");
        let signature = identity.sign(Domain::Welcome, other.hash());
        (signallers, Welcome { signature, ..welcome.clone() }, welcome)
    };
    for dialled in ["ws://one", "ws://other"] {
        let (mut signallers, foreign, own) = fresh(dialled);
        let answer = signallers.welcome(LINK, &foreign, me, NOW).map(|_| ());
        assert_eq!(answer, Err(Misbehaviour::BadProof));
        assert!(signallers.welcome(LINK, &own, me, NOW).is_ok());
    }
}

/// A carrier of the connection can do as much: it costs the signaller nothing.
#[test]
fn a_message_that_does_not_open_ends_the_connection_and_no_more() {
    let mut rng = Rng::new([1; 32]);
    let mut signallers = joined(&mut rng);
    assert!(matches!(signallers.read(LINK, &[0; 40]), Err(Misbehaviour::BadSession)));
    assert!(signallers.offends(LINK, Misbehaviour::BadSession, &mut rng, NOW));
    let lost =
        signallers.link_down(LINK, &Disconnect::Bye, core::time::Duration::ZERO, &mut rng, NOW);
    let (_, retry_at) = lost.expect("it is known");
    assert!(retry_at < NOW.after(limits::SIGNALLER_DISTRUST.0 / 2));
    assert!(signallers.seal(LINK, &[]).is_none(), "the session is gone");
}
