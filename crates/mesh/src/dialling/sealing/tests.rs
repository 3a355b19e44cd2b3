#![allow(clippy::unwrap_used)]

use core::time::Duration;

use super::*;
use crate::testing::{NOW, identity, network};

fn sealed(from: &Identity, to: PeerId, at: Time) -> Signed<Signal> {
    let mut rng = Rng::new([3; 32]);
    let mut sealer = Sealer { identity: from, network: &network(), rng: &mut rng, now: at };
    sealer.seal(to, 7, SignalPart::Offer("v=0 secret".to_owned())).unwrap()
}

#[test]
fn only_the_recipient_reads_a_signal() {
    let (a, b, eve) = (identity(1), identity(2), identity(3));
    let signal = sealed(&a, b.peer_id(), NOW);
    let bytes = codec::encode(&signal);
    assert!(!bytes.windows(6).any(|window| window == b"secret"));
    let verified = verify(signal, &network(), NOW).unwrap();
    let part = SignalPart::Offer("v=0 secret".to_owned());
    assert_eq!(open(&verified, &b), Some(SignalBody { session: 7, part }));
    assert_eq!(open(&verified, &eve), None);
}

#[test]
fn sealed_parts_of_one_cannot_be_signed_by_another() {
    let (a, b, eve) = (identity(1), identity(2), identity(3));
    let stolen = sealed(&a, b.peer_id(), NOW).peek().unwrap();
    let forged = verify(Signed::new(&eve, &stolen), &network(), NOW).unwrap();
    assert_eq!(open(&forged, &b), None);
}

#[test]
fn altered_foreign_early_and_late_signals_are_refused() {
    let (a, b) = (identity(1), identity(2));
    let signal = sealed(&a, b.peer_id(), NOW);
    let mut bytes = codec::encode(&signal);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let altered: Signed<Signal> = codec::decode(&bytes).unwrap();
    assert_eq!(verify(altered, &network(), NOW), Err(Misbehaviour::InvalidSignature));
    let elsewhere = "elsewhere".parse().unwrap();
    assert_eq!(verify(signal.clone(), &elsewhere, NOW), Err(Misbehaviour::WrongNetwork));
    let early = NOW.before(limits::CLOCK_SKEW + Duration::from_secs(1));
    assert_eq!(verify(signal.clone(), &network(), early), Err(Misbehaviour::OutOfTime));
    let late = NOW.after(limits::SIGNAL_LIFE + limits::CLOCK_SKEW + Duration::from_secs(1));
    assert_eq!(verify(signal, &network(), late), Err(Misbehaviour::OutOfTime));
}
