#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::{NOW, identity, network};

struct End {
    identity: Identity,
    link: Link,
}

fn hello(identity: &Identity, nonce: u8) -> Hello {
    Hello::new(network(), identity.peer_id(), [nonce; 32])
}

fn pair() -> (End, End) {
    let (a, b) = (identity(1), identity(2));
    let link = |peer: &Identity, incoming| {
        Link::new(LinkId::from_raw(1), peer.peer_id(), incoming, 5, NOW)
    };
    let (to_b, to_a) = (link(&b, false), link(&a, true));
    (End { identity: a, link: to_b }, End { identity: b, link: to_a })
}

impl End {
    fn open(&mut self, binding: u8, nonce: u8) -> Hello {
        let ours = hello(&self.identity, nonce);
        match self.link.opened(ChannelBinding::from_bytes([binding; 32]), ours, NOW) {
            Some(LinkFrame::Hello(hello)) => hello,
            other => panic!("{other:?}"),
        }
    }

    fn greet(&mut self, hello: Hello) -> Result<Signature, Misbehaviour> {
        match self.link.hello(hello, &self.identity, &network())? {
            (Handshake::Goes, frames) => match frames.as_slice() {
                [LinkFrame::Hello(_), LinkFrame::Proof(proof)] => Ok(*proof),
                other => panic!("{other:?}"),
            },
            (other, _) => panic!("{other:?}"),
        }
    }
}

#[test]
fn both_ends_prove_themselves() {
    let (mut a, mut b) = pair();
    let (from_a, from_b) = (a.open(9, 1), b.open(9, 2));
    let (proof_a, proof_b) = (a.greet(from_b).unwrap(), b.greet(from_a).unwrap());
    assert_eq!(b.link.proof(&proof_a), Ok(Handshake::Proven));
    assert_eq!(a.link.proof(&proof_b), Ok(Handshake::Proven));
    a.link.admit(NOW);
    assert!(!a.link.is_active(), "only one end has said yes");
    assert_eq!(a.link.accepted(), Ok(true));
    assert!(a.link.is_active());
    assert_eq!(a.link.accepted(), Err(Misbehaviour::OutOfTurn));
}

#[test]
fn somebody_in_the_middle_has_two_channels_and_is_found_out() {
    let (mut a, mut b) = pair();
    let (from_a, from_b) = (a.open(8, 1), b.open(9, 2));
    let (proof_a, proof_b) = (a.greet(from_b).unwrap(), b.greet(from_a).unwrap());
    assert_eq!(b.link.proof(&proof_a), Err(Misbehaviour::BadProof));
    assert_eq!(a.link.proof(&proof_b), Err(Misbehaviour::BadProof));
    assert!(!a.link.is_proven() && !b.link.is_proven());
}

#[test]
fn a_reflected_hello_or_proof_is_refused() {
    let (mut a, mut b) = pair();
    let (from_a, from_b) = (a.open(9, 1), b.open(9, 2));
    assert_eq!(a.greet(from_a.clone()), Err(Misbehaviour::BadProof));
    let own = a.greet(from_b).unwrap();
    assert_eq!(a.link.proof(&own), Err(Misbehaviour::BadProof));
    b.greet(from_a).unwrap();
}

#[test]
fn a_recorded_handshake_does_not_work_again() {
    let (mut a, mut b) = pair();
    let (from_a, from_b) = (a.open(9, 1), b.open(9, 2));
    a.greet(from_b).unwrap();
    let recorded = {
        b.greet(from_a.clone()).unwrap();
        let (mut again, _) = pair();
        again.open(9, 1);
        again.greet(hello(&b.identity, 2)).unwrap()
    };
    let (_, mut later) = pair();
    later.open(9, 77);
    later.greet(from_a).unwrap();
    assert_eq!(later.link.proof(&recorded), Err(Misbehaviour::BadProof));
}

#[test]
fn another_peer_network_or_version_gets_no_further() {
    let stranger = identity(3);
    let (mut a, _) = pair();
    a.open(9, 1);
    assert_eq!(a.greet(hello(&stranger, 2)), Err(Misbehaviour::BadProof));
    let b = identity(2);
    let elsewhere = Hello { network: "elsewhere".parse().unwrap(), ..hello(&b, 2) };
    let answer = a.link.hello(elsewhere, &a.identity, &network());
    assert_eq!(answer, Ok((Handshake::Incompatible(Incompatible::Network), Vec::new())));
    let newer = Hello { version: VERSION + 1, ..hello(&b, 2) };
    let answer = a.link.hello(newer, &a.identity, &network());
    let other = Incompatible::Version { theirs: VERSION + 1 };
    assert_eq!(answer, Ok((Handshake::Incompatible(other), Vec::new())));
}

#[test]
fn frames_out_of_turn_are_refused() {
    let (mut a, b) = pair();
    let proof = Signature::from_bytes([0; 64]);
    assert_eq!(a.link.proof(&proof), Err(Misbehaviour::OutOfTurn));
    assert_eq!(a.greet(hello(&b.identity, 2)), Err(Misbehaviour::OutOfTurn));
    assert_eq!(a.link.accepted(), Err(Misbehaviour::OutOfTurn));
    a.open(9, 1);
    a.greet(hello(&b.identity, 2)).unwrap();
    assert_eq!(a.greet(hello(&b.identity, 3)), Err(Misbehaviour::OutOfTurn));
}

#[test]
fn a_lost_hello_is_made_good() {
    let (mut a, mut b) = pair();
    // Ours went into a channel that was not open at their end.
    a.open(9, 1);
    let from_b = b.open(9, 2);
    let frames = a.link.hello(from_b, &a.identity, &network()).unwrap().1;
    let [LinkFrame::Hello(again), LinkFrame::Proof(proof)] = frames.as_slice() else { panic!() };
    b.greet(again.clone()).unwrap();
    assert_eq!(b.link.proof(proof), Ok(Handshake::Proven));
    // Neither had heard of the other: after a while both greet again, and one hello too many does
    // no harm.
    let (mut a, mut b) = pair();
    let (first, _) = (a.open(9, 1), b.open(9, 2));
    let again = a.link.tick(NOW.after(limits::HELLO_AGAIN)).unwrap();
    assert_eq!(again, Some(LinkFrame::Hello(first.clone())));
    b.greet(first.clone()).unwrap();
    assert_eq!(b.link.hello(first, &b.identity, &network()), Ok((Handshake::Goes, Vec::new())));
}

#[test]
fn each_stage_has_its_time() {
    let (mut a, b) = pair();
    let late = NOW.after(limits::DIAL_TIMEOUT);
    assert_eq!(a.link.deadline(), late);
    assert_eq!(a.link.tick(late), Err(Disconnect::DialTimeout));
    a.open(9, 1);
    let late = NOW.after(limits::HANDSHAKE_TIMEOUT);
    assert_eq!(a.link.tick(late), Err(Disconnect::HandshakeTimeout));
    a.greet(hello(&b.identity, 2)).unwrap();
    assert_eq!(a.link.tick(late), Err(Disconnect::HandshakeTimeout));
}

/// Two neighbours.
fn neighbours() -> Link {
    let (mut a, mut b) = pair();
    let (from_a, from_b) = (a.open(9, 1), b.open(9, 2));
    a.greet(from_b).unwrap();
    let proof = b.greet(from_a).unwrap();
    a.link.proof(&proof).unwrap();
    a.link.admit(NOW);
    a.link.accepted().unwrap();
    a.link.hears(NOW);
    a.link
}

/// Says what comes of the silence that began at [`NOW`], ticked each second from `from` to `to`.
fn silence(link: &mut Link, from: Duration, to: Duration) -> Option<Duration> {
    (from.as_secs()..=to.as_secs())
        .map(Duration::from_secs)
        .find(|at| link.tick(NOW.after(*at)) == Err(Disconnect::Silent))
}

#[test]
fn where_one_end_dozes_silence_lasts_longer() {
    let (long, short) = (limits::DOZE_SILENCE, limits::SILENCE);
    assert!(long >= Duration::from_secs(70), "a dozer's timers come once a minute");
    assert_eq!(silence(&mut neighbours(), Duration::ZERO, long), Some(short));
    for (dozing, we_doze) in [(true, false), (false, true), (true, true)] {
        let mut link = Link { dozing, we_doze, ..neighbours() };
        assert_eq!(silence(&mut link, Duration::ZERO, long * 2), Some(long));
    }
    // It woke, and is judged as others are again.
    let mut link = Link { dozing: true, ..neighbours() };
    assert_eq!(silence(&mut link, Duration::ZERO, long / 2), None);
    link.dozing = false;
    assert_eq!(link.tick(NOW.after(long / 2)), Err(Disconnect::Silent));
}

#[test]
fn after_a_wake_a_neighbour_is_pinged_and_judged_by_what_comes_from_then_on() {
    let hours = NOW.after(Duration::from_secs(10_000));
    let until = hours.after(limits::WAKE_PROBE);
    let mut link = neighbours();
    assert!(matches!(link.probe(true, hours), Some(LinkFrame::Ping(_))));
    assert_eq!(link.probe(false, hours), None, "it was asked already");
    assert!(link.is_excused(hours) && link.tick(hours).is_ok(), "it has not had time to answer");
    assert_eq!(link.tick(until), Err(Disconnect::Silent));

    let mut link = neighbours();
    link.probe(true, hours);
    link.hears(hours);
    assert!(link.is_excused(hours), "what is heard now may have been said while we slept");
    link.hears(until);
    assert!(!link.is_excused(until) && link.tick(until).is_ok());
    assert_eq!(link.tick(until.after(limits::SILENCE)), Err(Disconnect::Silent));

    // One that dozes may take longer, but not for ever.
    let mut link = Link { dozing: true, ..neighbours() };
    let soon = NOW.after(limits::DOZE_SILENCE / 2);
    link.probe(true, soon);
    assert!(link.tick(soon.after(limits::WAKE_PROBE)).is_ok());
    assert_eq!(link.tick(NOW.after(limits::DOZE_SILENCE)), Err(Disconnect::Silent));
}

#[test]
fn after_a_wake_a_link_in_the_making_has_little_time_left() {
    let (mut a, _) = pair();
    assert_eq!(a.link.probe(true, NOW), None);
    assert_eq!(a.link.deadline(), NOW.after(limits::WAKE_PROBE));
    assert_eq!(a.link.tick(NOW.after(limits::WAKE_PROBE)), Err(Disconnect::DialTimeout));
    let (mut a, _) = pair();
    let late = NOW.after(limits::DIAL_TIMEOUT / 2);
    a.link.probe(true, late);
    assert_eq!(a.link.tick(late), Err(Disconnect::DialTimeout));
    // One that gets on has the usual time.
    let (mut a, _) = pair();
    a.link.probe(true, NOW);
    a.open(9, 1);
    assert!(a.link.tick(NOW.after(limits::WAKE_PROBE)).is_ok());
}

#[test]
fn a_neighbour_that_does_not_answer_is_doubted_until_it_speaks_and_keeps_its_time() {
    let mut link = neighbours();
    let asked = NOW.after(Duration::from_secs(1));
    assert!(matches!(link.doubt(asked), Some(LinkFrame::Ping(_))));
    assert_eq!(link.doubt(asked), None, "it was asked");
    let until = asked.after(limits::DOUBTED_AFTER);
    assert_eq!(link.deadline(), until);
    assert!(link.tick(until.before(Duration::from_millis(1))).is_ok() && !link.is_doubted());
    assert!(link.tick(until).is_ok() && link.is_doubted());
    assert!(link.deadline() > until, "it is not looked at again and again");
    assert_eq!(link.doubt(until), None, "once is enough");
    link.hears(until);
    assert!(!link.is_doubted());

    // What was under way answers nothing; a pong does, however soon.
    let mut link = neighbours();
    let Some(LinkFrame::Ping(number)) = link.doubt(asked) else { panic!("a ping") };
    link.hears(asked.after(Duration::from_millis(100)));
    assert!(link.tick(until).is_ok() && link.is_doubted());
    let mut link = neighbours();
    link.doubt(asked);
    link.pong(number, asked.after(Duration::from_millis(100)));
    assert!(link.tick(until).is_ok() && !link.is_doubted());

    // Silence ends it when it always did, and is then nobody's fault.
    link.hears(until);
    link.doubt(until);
    let end = until.after(limits::SILENCE);
    assert!(link.tick(end.before(Duration::from_millis(1))).is_ok());
    assert!(link.is_excused(end.before(Duration::from_millis(1))));
    assert_eq!(link.tick(end), Err(Disconnect::Silent));

    // One that dozes answers late, and is not doubted.
    let mut link = Link { dozing: true, ..neighbours() };
    assert_eq!(link.doubt(asked), None);
    assert!(link.tick(until).is_ok() && !link.is_doubted());
}
