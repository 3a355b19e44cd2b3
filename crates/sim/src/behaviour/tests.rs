//! What hostile peers make of what they send.

use taiinet_document::Timestamp;
use taiinet_mesh::wire::{Join, LinkFrame, Passed, Push, Slot};

use super::*;

struct Peers {
    rng: Rng,
    ring: Ring,
    us: Identity,
    other: Identity,
}

impl Peers {
    fn new() -> Self {
        let mut rng = Rng::new(2);
        let [us, other] = [(); 2].map(|()| Identity::generate(rng.crypto()));
        Self { rng, ring: Ring::default(), us, other }
    }

    fn filter(&mut self, behaviours: &[Behaviour], frames: &[Frame]) -> Filtered {
        let mut hand = Hand { identity: &self.us, ring: &mut self.ring, rng: &mut self.rng };
        filter(behaviours, &mut hand, codec::message(frames))
    }

    /// What is left of a frame.
    fn left_of(&mut self, behaviour: Behaviour, frame: &Frame) -> Vec<Frame> {
        self.left(behaviour, core::slice::from_ref(frame))
    }

    /// What is left of the frames, read again.
    fn left(&mut self, behaviour: Behaviour, frames: &[Frame]) -> Vec<Frame> {
        let messages = self.filter(&[behaviour], frames).messages;
        let frames = messages.iter().flat_map(|message| frames::encoded(message));
        frames.map(|frame| codec::decode(frame).expect("a frame")).collect()
    }
}

fn network() -> taiinet_document::Network {
    "tests".parse().expect("a name")
}

fn push(by: &Identity) -> Frame {
    let document = forge::document(by, &network(), 1, "{}");
    Frame::Documents(DocumentFrame::Push(Push { hops: 1, document }))
}

fn have() -> Frame {
    Frame::Documents(DocumentFrame::Have(Vec::new()))
}

#[test]
fn one_that_drops_documents_drops_those_of_others_and_nothing_else() {
    let mut peers = Peers::new();
    let (own, others) = (push(&peers.us), push(&peers.other));
    let filtered =
        peers.filter(&[Behaviour::DropsDocuments], &[others.clone(), have(), own.clone()]);
    assert_eq!(filtered.messages, [codec::message(&[have(), own])]);
    assert!(matches!(filtered.pretended[..], [Frame::Link(LinkFrame::Ack(_))]));
    assert!(peers.left_of(Behaviour::DropsDocuments, &others).is_empty());
    let us = peers.us.peer_id();
    let censored = peers.other.peer_id();
    assert!(peers.left_of(Behaviour::Censors(censored), &others).is_empty());
    assert_eq!(peers.left_of(Behaviour::Censors(us), &others), [others]);
    let ping = Frame::Link(LinkFrame::Ping(1));
    assert_eq!(peers.left(Behaviour::DropsEverything, &[have(), ping.clone()]), [ping]);
}

#[test]
fn what_is_added_comes_before_what_is_sent() {
    let mut peers = Peers::new();
    let document = push(&peers.other);
    let left = peers.left_of(Behaviour::FloodsInvalid(2), &document);
    let [first, second, last] = &left[..] else { panic!("{left:?}") };
    assert_eq!((first, last), (second, &document));
    assert!(document_in(first).is_some_and(|forged| Some(forged) != document_in(&document)));
    let left = peers.left(Behaviour::Promises(3), &[have()]);
    assert!(matches!(&left[0], Frame::Documents(DocumentFrame::Have(ids)) if ids.len() == 3));
}

#[test]
fn lies_about_what_is_wanted_are_in_the_place_of_the_truth() {
    let mut peers = Peers::new();
    let keys = Some(KeySet::EVERYTHING);
    let brings = Brings { peers: 3, open: 2, keys };
    let join = Join { slot: Slot(0), newest: None, brings };
    let join = Frame::Tree(TreeFrame::Join(join));
    let mut brought = |behaviour| match &peers.left_of(behaviour, &join)[..] {
        [Frame::Tree(TreeFrame::Join(join))] => join.brings.clone(),
        other => panic!("{other:?}"),
    };
    let nothing = brought(Behaviour::ClaimsNothing);
    assert!(nothing.keys.is_some_and(|keys| keys.is_empty()) && nothing.peers == 3);
    assert_eq!(brought(Behaviour::ClaimsAll).open, CLAIMED);
}

#[test]
fn a_root_signs_what_it_hides_and_invents_and_passes_on_the_bulletins_of_others_as_they_are() {
    let mut peers = Peers::new();
    let hidden = core::iter::repeat_with(|| Identity::generate(peers.rng.crypto()).peer_id())
        .find(is_hidden)
        .expect("a third");
    peers.ring.authors.insert(IdPrefix([1; 8]), hidden);
    let entry = |byte| Entry { id: IdPrefix([byte; 8]), about: DocumentKeys::EVERYTHING };
    let bulletin = Bulletin {
        network: network(),
        slot: Slot(0),
        issued_at: Timestamp::from_millis(1),
        after: Timestamp::from_millis(0),
        beat_ms: 1000,
        peers: 2,
        spreading: 1,
        named: vec![entry(1), entry(2)],
    };
    for (behaviour, by_us, by_other) in
        [(Behaviour::HidesAuthors, 1, 2), (Behaviour::InventsNames(5), 7, 2)]
    {
        for (ours, count) in [(true, by_us), (false, by_other)] {
            let by = if ours { &peers.us } else { &peers.other };
            let passed = Passed { depth: 0, bulletin: Signed::new(by, &bulletin) };
            let left = peers.left(behaviour, &[Frame::Tree(TreeFrame::Bulletin(passed))]);
            let [Frame::Tree(TreeFrame::Bulletin(passed))] = &left[..] else { panic!("{left:?}") };
            let verified = passed.bulletin.clone().verify().expect("signed");
            assert_eq!(verified.named.len(), count, "{behaviour:?} {ours}");
        }
    }
}

#[test]
fn accomplices_are_told_of_and_nobody_else() {
    let mut peers = Peers::new();
    let presence = |of: &Identity| forge::presence(of, &network(), None, 1);
    let (us, other) = (presence(&peers.us), presence(&peers.other));
    let shuffle = Frame::View(ViewFrame::Shuffle(vec![us.clone(), other]));
    let left = peers.left(Behaviour::TellsOfAccomplices, &[shuffle]);
    assert_eq!(left, [Frame::View(ViewFrame::Shuffle(vec![us]))]);
}
