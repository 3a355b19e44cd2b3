//! Peers of other versions: what one side does not know costs neither anything.

use core::time::Duration;
use std::collections::BTreeSet;

use taiinet_document::{DocumentId, Mark, SignedDocument, Timestamp};
use taiinet_mesh::{
    Disconnect, Event, Incompatible, Misbehaviour, limits,
    wire::{
        Compare, DocumentFrame, FindFrame, Found, Frame, FrameKind, LinkFrame, Piece, Push,
        RefusalReason, Rest, SyncFrame, ViewFrame, codec, critical,
    },
};
use taiinet_sim::{Manners, PeerIndex, WireId, World, forge};

use crate::common::{Setting, network, seconds, sparse};

const NEWER: Manners = Manners { is_newer: true, ..Manners::HONEST };

/// Frames that this version does not know: one more in each group, and one of a group to come.
fn of_the_next_version() -> Vec<Vec<u8>> {
    (1..64_u8).map(|group| [&[group, 127][..], b"what is to come"].concat()).collect()
}

fn rejected(setting: &Setting) -> u64 {
    setting.world.counters().rejected.values().sum()
}

fn why_lost(setting: &Setting, wire: WireId) -> Vec<Disconnect> {
    let (victim, puppet) = (setting.peers[0], setting.world.wire(wire).ours().peer);
    let lost = setting.world.events(victim).iter().filter_map(|(_, event)| match event {
        Event::PeerDisconnected { peer, cause } if *peer == puppet => Some(cause.clone()),
        _ => None,
    });
    lost.collect()
}

#[test]
fn a_neighbour_of_the_next_version_is_a_neighbour_like_any_other() {
    let mut setting = sparse(1, 4);
    let victim = setting.peers[0];
    let (_, wire) = setting.befriend(victim, NEWER);
    let before = rejected(&setting);
    for round in 0..20 {
        for frame in of_the_next_version() {
            setting.world.speak_frame(wire, &frame);
        }
        // One that is too large for a message.
        let large = [&[1, 127][..], &vec![7; limits::MESSAGE_BYTES * 2]].concat();
        for piece in codec::fragment(&large) {
            setting.world.speak_frame(wire, &piece);
        }
        setting.world.publish(victim, &format!(r#"{{"round": {round}}}"#)).expect("there is room");
        setting.world.run_for(seconds(1));
    }
    assert!(setting.world.wire(wire).is_neighbour(), "{:?}", setting.world.wire(wire).ended());
    assert_eq!(rejected(&setting), before);
    let links = setting.world.status(victim).links;
    assert!(links.iter().all(|link| link.points == 0), "{links:?}");
    // What this version says is understood there.
    assert!(setting.world.wire(wire).pushed().len() >= 20);
    setting.still_works();
    setting.sound();
}

#[test]
fn a_peer_that_needs_what_we_do_not_know_is_parted_with_and_not_blamed() {
    let mut setting = sparse(2, 4);
    let victim = setting.peers[0];
    let kind = FrameKind { group: 1, number: 127 };
    let (_, wire) = setting.befriend(victim, NEWER);
    let before = rejected(&setting);
    setting.world.speak_frame(wire, &critical(vec![kind.group, kind.number, 1, 2, 3]));
    setting.world.run_for(seconds(2));
    assert!(setting.world.wire(wire).ended().is_some());
    assert!(setting.world.wire(wire).refused().is_some(), "it is told why");
    assert_eq!(why_lost(&setting, wire), [Disconnect::Incompatible(Incompatible::Frame(kind))]);
    assert_eq!(rejected(&setting), before);
    assert!(setting.world.status(victim).blacklist.is_empty());
    setting.still_works();
    setting.sound();
}

/// Skipping is not free: a peer that sends nothing but unknown frames is slowed, and then cut.
#[test]
fn a_flood_of_unknown_frames_holds_nobody_up_and_ends() {
    let mut setting = sparse(3, 4);
    let victim = setting.peers[0];
    let (_, wire) = setting.befriend(victim, NEWER);
    let message = unknown_frames();
    for round in 0..20 {
        for _ in 0..50 {
            setting.world.speak_raw(wire, message.clone());
        }
        setting.world.publish(victim, &format!(r#"{{"round": {round}}}"#)).expect("there is room");
        setting.world.run_for(seconds(1));
    }
    assert!(setting.world.wire(wire).ended().is_some());
    assert_eq!(why_lost(&setting, wire), [Disconnect::Misbehaved(Misbehaviour::WorkFlood)]);
    setting.arrives(seconds(2), |_| true);
    setting.still_works();
    setting.sound();
}

/// A message of nothing but frames that this version does not know: a twentieth of what a link may make us do
/// at once.
fn unknown_frames() -> Vec<u8> {
    let mut writer = codec::MessageWriter::default();
    while writer.push(&[63, 1]) {}
    writer.finish()
}

/// How long a neighbour takes to answer a ping that follows so many messages of unknown frames.
fn answers_after(setting: &mut Setting, wire: WireId, messages: usize) -> Duration {
    let message = unknown_frames();
    let begun = setting.world.now();
    for _ in 0..messages {
        setting.world.speak_raw(wire, message.clone());
    }
    setting.world.speak(wire, &[Frame::Link(LinkFrame::Ping(7))]);
    let pong = |frame: &Frame| matches!(frame, Frame::Link(LinkFrame::Pong(7)));
    let answered =
        setting.world.run_until(seconds(20), |world| world.wire(wire).frames().iter().any(pong));
    assert!(answered, "{:?}", setting.world.wire(wire).ended());
    setting.world.now().since(begun)
}

#[test]
fn to_reconnect_pays_no_debt() {
    // Nearly all that a link may make us do at once.
    const MESSAGES: usize = 15;
    let mut setting = sparse(5, 4);
    let victim = setting.peers[0];
    let (puppet, first) = setting.befriend(victim, NEWER);
    let took = answers_after(&mut setting, first, MESSAGES);
    assert!(took < seconds(1), "{took:?}");
    setting.world.hang_up(first);
    let second = setting.world.call(puppet, setting.world.id(victim));
    assert!(setting.world.run_until(seconds(5), |world| world.wire(second).is_neighbour()));
    let took = answers_after(&mut setting, second, MESSAGES);
    assert!(took > seconds(1), "{took:?}");
    setting.still_works();
    setting.sound();
}

/// What follows the proof in the same message is not dealt with either.
#[test]
fn a_peer_that_owes_work_is_no_neighbour_until_it_is_paid() {
    let mut setting = sparse(6, 4);
    let victim = setting.peers[0];
    let name = setting.world.id(victim);
    let (puppet, first) = setting.befriend(victim, NEWER);
    setting.world.set_manners(puppet, Manners { proves: false, accepts: false, ..NEWER });
    let second = setting.world.call(puppet, name);
    let greeted = |world: &World| world.wire(second).theirs().is_some();
    assert!(setting.world.run_until(seconds(5), greeted));
    for _ in 0..30 {
        setting.world.speak_raw(first, unknown_frames());
    }
    setting.world.run_for(seconds(1));
    setting.world.prove(second);
    setting.world.run_for(Duration::from_millis(300));
    assert!(!setting.world.wire(second).is_neighbour());
    let refusals = setting.world.wire(second).frames().iter().filter_map(|frame| match frame {
        Frame::Link(LinkFrame::Refuse(refusal)) => Some(refusal.reason),
        _ => None,
    });
    assert_eq!(refusals.collect::<Vec<_>>(), [RefusalReason::TooOften]);
    // It is paid with time.
    setting.world.run_for(seconds(30));
    setting.world.set_manners(puppet, NEWER);
    let third = setting.world.call(puppet, name);
    assert!(setting.world.run_until(seconds(5), |world| world.wire(third).is_neighbour()));
    setting.still_works();
    setting.sound();
}

/// Documents of an author of the next version: what they say is in clear, or of kinds that this version does
/// not know; and one under a key that a newer one replaces.
struct Newer {
    open: SignedDocument,
    unknown: Vec<SignedDocument>,
    replaced: SignedDocument,
}

impl Newer {
    fn new(setting: &mut Setting) -> Self {
        let author = setting.world.identity();
        let now = setting.world.now().as_millis();
        let write = |number: u64, kind, key| {
            let text = format!(r#"{{"number": {number}}}"#);
            let document = forge::document(&author, &network(), now - 100 + number, &text);
            forge::of_the_next_version(&author, &document, kind, key)
        };
        Self {
            open: write(0, None, None),
            replaced: write(1, Some(4), Some("profile")),
            unknown: vec![
                write(2, Some(4), None),
                write(3, Some(127), None),
                write(4, Some(4), Some("profile")),
            ],
        }
    }

    fn all(&self) -> impl Iterator<Item = &SignedDocument> {
        self.unknown.iter().chain([&self.open, &self.replaced])
    }

    /// What is not replaced under its key.
    fn current(&self) -> BTreeSet<DocumentId> {
        self.unknown.iter().chain([&self.open]).map(SignedDocument::id).collect()
    }

    fn push(&self, setting: &mut Setting, wire: WireId) {
        // The newer version comes first, so that the older is known to be replaced at once.
        for document in self.all() {
            let push = Push { hops: 0, document: document.clone() };
            setting.world.speak(wire, &[Frame::Documents(DocumentFrame::Push(push))]);
        }
    }
}

/// Two peers that are no neighbours.
fn strangers(setting: &Setting) -> [PeerIndex; 2] {
    let peers = &setting.peers;
    let pairs = peers.iter().flat_map(|one| peers.iter().map(move |two| [*one, *two]));
    let apart =
        |[one, two]: &[PeerIndex; 2]| one != two && !setting.world.neighbours(*one).contains(two);
    pairs.into_iter().find(apart).expect("each has few links")
}

fn nobody_is_charged(setting: &Setting) {
    assert_eq!(rejected(setting), 0, "{:?}", setting.world.counters().rejected);
    for peer in &setting.peers {
        let links = setting.world.status(*peer).links;
        assert!(links.iter().all(|link| link.points == 0), "{links:?}");
    }
}

#[test]
fn what_only_later_versions_read_goes_from_one_to_another_through_earlier_ones() {
    let mut setting = sparse(4, 8);
    let [near, far] = strangers(&setting);
    let wire = setting.befriend(near, NEWER).1;
    let other = setting.befriend(far, NEWER).1;
    let newer = Newer::new(&mut setting);
    newer.push(&mut setting, wire);
    let all: BTreeSet<DocumentId> = newer.all().map(SignedDocument::id).collect();
    let arrived = |world: &World| {
        let pushed: BTreeSet<DocumentId> = world.wire(other).pushed().into_iter().collect();
        all.iter().all(|id| pushed.contains(id))
    };
    assert!(setting.world.run_until(seconds(5), arrived), "it is not passed on");
    setting.world.run_for(seconds(2));
    // As it was signed, to the byte.
    for document in newer.all() {
        let mut pushed = setting.world.wire(other).pushed_documents();
        assert!(pushed.any(|pushed| pushed == document));
    }
    for peer in setting.peers.clone() {
        let delivered = setting.world.deliveries(peer).iter().map(|delivered| delivered.id);
        assert_eq!(delivered.collect::<Vec<_>>(), [newer.open.id()], "what it can read, once");
        assert_eq!(setting.world.status(peer).counters.unknown, 4);
    }
    nobody_is_charged(&setting);
    setting.still_works();
    setting.sound();
}

#[test]
fn what_is_not_known_is_kept_compared_and_replaced_like_all_else() {
    let mut setting = sparse(5, 4);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, NEWER).1;
    let newer = Newer::new(&mut setting);
    newer.push(&mut setting, wire);
    setting.world.run_for(seconds(2));
    // One that comes later and has nothing asks what there is, and for all of that.
    let late = setting.befriend(victim, NEWER).1;
    let until = Mark::from(setting.world.now().timestamp());
    let pieces = vec![Piece { until, count: 0, sum: 0 }];
    let compare = Compare { salt: [7; 32], from: Timestamp::default().into(), pieces };
    setting.world.speak(late, &[Frame::Sync(SyncFrame::Compare(compare))]);
    setting.world.run_for(seconds(1));
    let announced = setting.world.wire(late).frames().iter().find_map(|frame| match frame {
        Frame::Documents(DocumentFrame::Have(ids)) => Some(ids.clone()),
        _ => None,
    });
    let announced = announced.expect("it is told what there is");
    assert_eq!(announced.iter().copied().collect::<BTreeSet<_>>(), newer.current());
    setting.world.speak(late, &[Frame::Documents(DocumentFrame::Graft(announced))]);
    setting.world.run_for(seconds(1));
    let served: BTreeSet<_> = setting.world.wire(late).pushed().into_iter().collect();
    assert_eq!(served, newer.current());
    nobody_is_charged(&setting);
    setting.sound();
}

/// A neighbour of the next version sees that a document matches where this one cannot.
#[test]
fn what_a_later_version_finds_for_us_is_neither_found_nor_held_against_it() {
    let mut setting = sparse(6, 4);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, NEWER).1;
    let newer = Newer::new(&mut setting);
    newer.push(&mut setting, wire);
    setting.world.run_for(seconds(1));
    let more = Newer::new(&mut setting);
    let find = setting.world.find(victim, r#"{"number": {"$gte": 0}}"#, 50).expect("it may search");
    setting.world.run_for(seconds(1));
    let asked = setting.world.wire(wire).frames().iter().rev().find_map(|frame| match frame {
        Frame::Find(FindFrame::Find(find)) => Some(find.request),
        _ => None,
    });
    // Some that were pushed before, and some that are new.
    let mut documents: Vec<_> = newer.all().chain(more.all()).cloned().collect();
    // The newest first.
    let time = |document: &SignedDocument| document.decode().map(|decoded| decoded.created_at).ok();
    documents.sort_by_key(|document| std::cmp::Reverse((time(document), document.id())));
    let (rest, until) = (Rest::Finished { left_out: false }, Vec::new());
    let found = Found { request: asked.expect("it asks"), documents, rest, until };
    setting.world.speak(wire, &[Frame::Find(FindFrame::Found(found))]);
    let done = |world: &World| world.found(victim, find).done.is_some();
    assert!(setting.world.run_until(seconds(5), done));
    let found: BTreeSet<_> = setting.world.found(victim, find).documents.into_iter().collect();
    assert_eq!(found, BTreeSet::from([newer.open.id(), more.open.id()]));
    nobody_is_charged(&setting);
    setting.still_works();
    setting.sound();
}

#[test]
fn a_presence_with_a_next_key_is_passed_on_as_it_was_signed() {
    let mut setting = sparse(7, 4);
    let victim = setting.peers[0];
    let newer = setting.befriend(victim, Manners { shows: true, ..NEWER }).0;
    let newer = setting.world.puppet(newer).id();
    let wire = setting.befriend(victim, NEWER).1;
    let heard = |world: &World| {
        let frames = world.wire(wire).frames().iter();
        let shown = frames.filter_map(|frame| match frame {
            Frame::View(ViewFrame::ShuffleReply(presences)) => Some(presences),
            _ => None,
        });
        shown.flatten().find(|presence| presence.signer() == newer).cloned()
    };
    for _ in 0..10 {
        setting.world.speak(wire, &[Frame::View(ViewFrame::Shuffle(Vec::new()))]);
        setting.world.run_for(seconds(10));
    }
    let presence = heard(&setting.world).expect("it is told of the other");
    let presence = presence.verify().expect("it was not touched");
    assert_eq!(presence.next_key, Some(forge::NEXT_KEY));
    nobody_is_charged(&setting);
    setting.sound();
}
