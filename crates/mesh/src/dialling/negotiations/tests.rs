#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
    dialling::sealing::{open, verify},
    rng::Rng,
    testing::{NOW, identity, network},
};

#[test]
fn a_lost_route_is_replaced_by_the_next_and_what_was_sent_goes_again() {
    let (a, b) = (identity(1), identity(2));
    let mut rng = Rng::new([3; 32]);
    let network = network();
    let mut sealer = Sealer { identity: &a, network: &network, rng: &mut rng, now: NOW };
    let link = LinkId::from_raw;
    let mut negotiations = Negotiations::default();
    let routes = vec![Route::Neighbour(link(8)), Route::Signaller(link(9))];
    negotiations.begin(7, link(1), b.peer_id(), routes);
    let offer = SignalPart::Offer("offer".to_owned());
    let first = negotiations.send(7, offer.clone(), &mut sealer).unwrap();
    assert_eq!(first.route, Route::Signaller(link(9)));

    let (again, stranded) = negotiations.unreachable(b.peer_id(), link(9), &mut sealer);
    assert!(stranded.is_empty());
    assert_eq!(again[0].route, Route::Neighbour(link(8)));
    let verified = verify(again[0].signal.clone(), &network, NOW).unwrap();
    assert_eq!(open(&verified, &b).unwrap().part, offer);

    let (again, stranded) = negotiations.lost_route(link(8), &mut sealer);
    assert!(again.is_empty());
    assert_eq!(stranded, [link(1)]);
}

#[test]
fn a_replayed_offer_is_known() {
    let mut negotiations = Negotiations::default();
    let peer = identity(1).peer_id();
    assert!(negotiations.is_new(peer, 1));
    assert!(!negotiations.is_new(peer, 1));
    assert!(negotiations.is_new(peer, 2));
    for session in 10..10_000 {
        negotiations.is_new(peer, session);
    }
    assert!(negotiations.seen.len() <= limits::OFFERS_REMEMBERED);
}
