#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::{NOW, document, identity};

const AWAKE: LinkId = LinkId::from_raw(2);
/// It comes first in the order of links.
const DOZER: LinkId = LinkId::from_raw(1);

fn broadcast(links: &[LinkId]) -> Broadcast {
    let mut broadcast = Broadcast::new(Rng::new([1; 32]), limits::STORE_BYTES);
    for link in links {
        broadcast.won(*link, Vec::new(), NOW);
    }
    broadcast
}

fn id(number: u8) -> DocumentId {
    DocumentId::from_bytes([number; 32])
}

/// The frames on links in what is to be done.
fn frames(acts: Vec<Act>) -> Vec<(LinkId, Frame)> {
    let frame = |act| match act {
        Act::Control { link, frame } => Some((link, frame)),
        _ => None,
    };
    acts.into_iter().filter_map(frame).collect()
}

#[test]
fn a_dozer_is_asked_last_to_push_never_and_its_silence_is_no_offence() {
    let mut broadcast = broadcast(&[AWAKE, DOZER]);
    assert_eq!(broadcast.neighbour_dozes(DOZER, true), Some(Frame::Prune));
    for link in [DOZER, AWAKE] {
        broadcast.announced(link, &[id(1)], true, NOW).unwrap();
    }
    broadcast.announced(DOZER, &[id(2)], true, NOW).unwrap();
    let later = NOW.after(limits::PROMISE);
    let asked = frames(broadcast.tick(later, |_| true));
    let expected =
        [(AWAKE, id(1)), (DOZER, id(2))].map(|(link, id)| (link, Frame::Graft(vec![id])));
    assert_eq!(asked[..2], expected);
    assert_eq!(asked[2..], [(DOZER, Frame::Prune)], "it sends this one, and announces the next");
    // Neither keeps its promise.
    let broken = broadcast.tick(later.after(limits::PROMISE), |_| true);
    let blamed: Vec<LinkId> = broken
        .iter()
        .filter_map(|act| match act {
            Act::Broken { link } => Some(*link),
            _ => None,
        })
        .collect();
    assert_eq!(blamed, [AWAKE]);
}

#[test]
fn where_all_doze_they_push_to_each_other() {
    let mut broadcast = broadcast(&[DOZER]);
    assert_eq!(broadcast.neighbour_dozes(DOZER, true), None);
    broadcast.announced(DOZER, &[id(1)], true, NOW).unwrap();
    let asked = frames(broadcast.tick(NOW.after(limits::PROMISE), |_| true));
    assert_eq!(asked, [(DOZER, Frame::Graft(vec![id(1)]))]);
}

#[test]
fn what_a_dozer_writes_it_pushes_and_what_it_passes_on_it_announces_at_once() {
    for dozing in [false, true] {
        let mut broadcast = broadcast(&[AWAKE, DOZER]);
        broadcast.neighbour_mut(AWAKE).unwrap().eager = false;
        broadcast.set_dozing(dozing, NOW);
        let author = identity(1);
        let mut pushed = |nonce, from| {
            let acts = broadcast.spread(&document(&author, nonce, 10), 0, from, NOW);
            let push = |act: &Act| match act {
                Act::Push { link, .. } => Some(*link),
                _ => None,
            };
            acts.iter().filter_map(push).collect::<Vec<_>>()
        };
        assert_eq!(pushed(1, None).contains(&AWAKE), dozing);
        assert_eq!(pushed(2, Some(DOZER)), []);
        let announced = frames(broadcast.tick(NOW, |_| true));
        assert_eq!(announced.len(), usize::from(dozing), "{announced:?}");
    }
}
