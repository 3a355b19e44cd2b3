#![allow(clippy::unwrap_used)]

use core::time::Duration;

use taiinet_identity::{Identity, Seed};

use super::*;
use crate::{
    testing::{NOW, archive, identity, network, presence},
    wire::Kept,
};

const LINK: LinkId = LinkId::from_raw(1);

fn learn(candidates: &mut Candidates, presence: Signed<Presence>) -> Result<bool, Misbehaviour> {
    candidates.learn(
        presence,
        (LINK, Source::Stranger),
        &network(),
        || (),
        &mut Rng::new([1; 32]),
        NOW,
    )
}

fn peer(number: u64) -> Identity {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    Identity::from_seed(&Seed::from_bytes(seed))
}

#[test]
fn only_signed_presences_of_this_network_and_time_enter() {
    let mut candidates = Candidates::default();
    let honest = presence(&identity(1), NOW);
    assert_eq!(learn(&mut candidates, honest.signed().clone()), Ok(true));
    assert_eq!(learn(&mut candidates, honest.signed().clone()), Ok(false), "known");

    let other = presence(&identity(2), NOW);
    let mut bytes = crate::wire::codec::encode(other.signed());
    bytes[..32].copy_from_slice(identity(3).peer_id().as_bytes());
    let forged = crate::wire::codec::decode(&bytes).unwrap();
    assert_eq!(learn(&mut candidates, forged), Err(Misbehaviour::InvalidSignature));

    let elsewhere = Presence { network: "elsewhere".parse().unwrap(), ..(*other).clone() };
    let elsewhere = Signed::new(&identity(2), &elsewhere);
    assert_eq!(learn(&mut candidates, elsewhere), Err(Misbehaviour::WrongNetwork));
    let expired = presence(&identity(2), NOW.before(limits::PRESENCE_LIFE));
    assert_eq!(learn(&mut candidates, expired.signed().clone()), Err(Misbehaviour::OutOfTime));
    let future = presence(&identity(2), NOW.after(Duration::from_secs(121)));
    assert_eq!(learn(&mut candidates, future.signed().clone()), Err(Misbehaviour::OutOfTime));
    let endless = Presence { expires_at: NOW.after(Duration::MAX).timestamp(), ..(*other).clone() };
    let endless = Signed::new(&identity(2), &endless);
    assert_eq!(learn(&mut candidates, endless), Err(Misbehaviour::OutOfTime));
    assert_eq!(candidates.len(), 1);
}

#[test]
fn the_view_is_bounded_and_those_that_failed_go_first() {
    let mut candidates = Candidates::default();
    let mut rng = Rng::new([1; 32]);
    for number in 0..limits::PASSIVE_VIEW as u64 {
        // From several, for none may fill it.
        let chosen = peer(2000 + number % 3).peer_id();
        let from = (LinkId::from_raw(2 + number % 3), Source::Chosen(chosen));
        let presence = presence(&peer(number), NOW).signed().clone();
        candidates.learn(presence, from, &network(), || (), &mut rng, NOW).unwrap();
    }
    let victim = peer(5).peer_id();
    candidates.failed(&victim, Disconnect::DialTimeout, &mut rng, NOW);
    for number in 1000..1010 {
        learn(&mut candidates, presence(&peer(number), NOW).signed().clone()).unwrap();
        assert!(candidates.get(&victim).is_none());
    }
    assert_eq!(candidates.len(), limits::PASSIVE_VIEW);
}

#[test]
fn one_source_fills_half_of_the_view_at_most_and_displaces_nobody_elses() {
    let mut candidates = Candidates::default();
    let mut rng = Rng::new([1; 32]);
    let honest = (LinkId::from_raw(7), Source::Chosen(peer(2000).peer_id()));
    for number in 0..20 {
        let presence = presence(&peer(number), NOW).signed().clone();
        candidates.learn(presence, honest, &network(), || (), &mut rng, NOW).unwrap();
    }
    for number in 1000..1300 {
        learn(&mut candidates, presence(&peer(number), NOW).signed().clone()).unwrap();
    }
    assert!((0..20).all(|number| candidates.get(&peer(number).peer_id()).is_some()));
    assert_eq!(candidates.len(), 20 + limits::PASSIVE_SHARE);
}

/// A peer that ends its link and comes again, under its own key or another, has told as much as before.
#[test]
fn to_reconnect_is_no_fresh_start() {
    for source in [Source::Stranger, Source::Chosen(peer(2000).peer_id())] {
        let mut candidates = Candidates::default();
        let mut rng = Rng::new([1; 32]);
        let honest = (LinkId::from_raw(1), Source::Chosen(peer(2001).peer_id()));
        for number in 0..40 {
            let presence = presence(&peer(number), NOW).signed().clone();
            candidates.learn(presence, honest, &network(), || (), &mut rng, NOW).unwrap();
        }
        for number in 1000..1400 {
            let from = (LinkId::from_raw(number / 30), source);
            let presence = presence(&peer(number), NOW).signed().clone();
            candidates.learn(presence, from, &network(), || (), &mut rng, NOW).unwrap();
            if number % 30 == 29 {
                candidates.lost_route(from.0);
            }
        }
        assert!((0..40).all(|number| candidates.get(&peer(number).peer_id()).is_some()));
        assert_eq!(candidates.len(), 40 + limits::PASSIVE_SHARE);
    }
}

#[test]
fn a_candidate_rests_after_a_failure_and_longer_after_the_next() {
    let mut candidates = Candidates::default();
    let mut rng = Rng::new([1; 32]);
    let peer = identity(1).peer_id();
    learn(&mut candidates, presence(&identity(1), NOW).signed().clone()).unwrap();
    let rest = |candidates: &Candidates| candidates.deadline(|_| false, false).unwrap().since(NOW);
    candidates.failed(&peer, Disconnect::DialTimeout, &mut rng, NOW);
    assert_eq!(candidates.pick(|_| false, false, |_| true, &mut rng, NOW), None);
    let first = rest(&candidates);
    candidates.failed(&peer, Disconnect::DialTimeout, &mut rng, NOW);
    candidates.failed(&peer, Disconnect::DialTimeout, &mut rng, NOW);
    assert!(rest(&candidates) > first);
    candidates.rest(&peer, Duration::MAX, NOW);
    assert_eq!(rest(&candidates), limits::REDIAL_BACKOFF.1, "whatever it asks for");
    assert_eq!(candidates.failures(), [(peer, Disconnect::DialTimeout)]);
    candidates.wake(NOW);
    assert_eq!(candidates.pick(|_| false, false, |_| true, &mut rng, NOW), Some(peer));
}

/// A signaller whose pool heard of a member without an address, or with one that is none, wanted to be
/// called again at once, for as long as that presence lived.
#[test]
fn no_candidate_is_waited_for_that_cannot_be_dialled() {
    let mut rng = Rng::new([1; 32]);
    for (address, dialled) in
        [(None, false), (Some("nowhere"), false), (Some("wss://a.example"), true)]
    {
        let mut candidates = Candidates::default();
        let mut body = (*presence(&identity(1), NOW)).clone();
        body.address = address.map(str::to_owned);
        learn(&mut candidates, Signed::new(&identity(1), &body)).unwrap();
        let picked = candidates.pick(|_| false, true, |_| true, &mut rng, NOW);
        assert_eq!(picked.is_some(), dialled, "{address:?}");
        assert_eq!(candidates.deadline(|_| false, true).is_some(), dialled, "{address:?}");
    }
}

/// Archives are few and wanted by all: they are told of, and not forgotten among many others; and what one says of
/// itself has bounds.
#[test]
fn archives_are_told_of_and_known_on() {
    let mut candidates = Candidates::default();
    let mut rng = Rng::new([1; 32]);
    let keeps = |number: u8, kept: Kept| archive(&identity(number), NOW, kept).signed().clone();
    learn(&mut candidates, keeps(255, Kept::default())).unwrap();
    let told_of = identity(255).peer_id();
    for number in 1..=200_u8 {
        // Each told of by another one that was chosen.
        let from = (LINK, Source::Chosen(identity(number).peer_id()));
        let other = presence(&identity(number), NOW).signed().clone();
        let _ = candidates.learn(other, from, &network(), || (), &mut rng, NOW);
        let some = candidates.some(3, &identity(0).peer_id(), &mut rng, NOW);
        assert!(some.iter().any(|presence| presence.signer() == told_of), "after {number}");
    }
    assert_eq!(candidates.len(), limits::PASSIVE_VIEW);
    let is_archive = |presence: &Presence| presence.archive.is_some();
    let picked = candidates.pick(|_| false, false, is_archive, &mut rng, NOW);
    assert_eq!(picked, Some(told_of));
    assert_eq!(candidates.pick(|peer| *peer == told_of, false, is_archive, &mut rng, NOW), None);

    let long = |bytes: usize| Kept { queries: vec!["x".repeat(bytes)], ..Kept::default() };
    let too_long = keeps(21, long(limits::KEPT_BYTES));
    assert_eq!(learn(&mut candidates, too_long), Err(Misbehaviour::Oversize));
    for kept in [long(limits::KEPT_BYTES), long(10)] {
        assert!(learn(&mut candidates, keeps(22, kept.within_limits())).is_ok());
    }
}

#[test]
fn why_a_peer_could_not_reach_us_is_kept_before_it_is_known_and_says_more_than_a_dial_that_took_too_long()
 {
    let mut candidates = Candidates::default();
    let mut rng = Rng::new([1; 32]);
    let dialler = peer(1);
    let full = Disconnect::Link(crate::LinkFailure::Mistaken {
        what: "the server is full".to_owned(),
        cure: "raise its quota".to_owned(),
    });
    candidates.noted(&dialler.peer_id(), full.clone());
    assert_eq!(candidates.failures(), []);
    learn(&mut candidates, presence(&dialler, NOW).signed().clone()).unwrap();
    assert_eq!(candidates.failures(), [(dialler.peer_id(), full.clone())]);
    candidates.failed(&dialler.peer_id(), Disconnect::DialTimeout, &mut rng, NOW);
    assert_eq!(candidates.failures(), [(dialler.peer_id(), full.clone())]);
    candidates.failed(&dialler.peer_id(), Disconnect::NoRoute, &mut rng, NOW);
    assert_eq!(candidates.failures(), [(dialler.peer_id(), Disconnect::NoRoute)]);
    candidates.succeeded(&dialler.peer_id());
    assert_eq!(candidates.failures(), []);

    for number in 100..1000 {
        candidates.noted(&peer(number).peer_id(), full.clone());
    }
    learn(&mut candidates, presence(&peer(100), NOW).signed().clone()).unwrap();
    learn(&mut candidates, presence(&peer(999), NOW).signed().clone()).unwrap();
    assert_eq!(candidates.failures(), [(peer(999).peer_id(), full)], "few are kept");
}
