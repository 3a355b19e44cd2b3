#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use taiinet_document::{
    Difference, Differences, DocumentId, Held, Inquiry, Mark, ShortId, Stretch,
    limits::INQUIRY_PIECES,
};
use taiinet_identity::{Identity, NextKey, Seed, Signature, Signed};
use taiinet_query::{DocumentKeys, KeySet, Query, RoutingKey};

use super::*;
use crate::{
    Misbehaviour, limits, testing,
    wire::{
        self, Ask, Beacon, Brings, Bulletin, Compare, Differs, DocumentFrame, Entry, Find,
        FindFrame, Found, Fragment, Frame, FrameKind, FromSignaller, Given, Hello, IdPrefix,
        Inquire, Join, Joined, Keep, LinkFrame, Neighbour, Outcome, Passed, Piece, PoolFrame,
        Presence, Push, Reading, Refusal, RefusalReason, Rest, RouteFrame, Routed, Seek, Signal,
        SignalFrame, Slot, Sought, SupplyFrame, SyncFrame, ToSignaller, Took, TreeFrame,
        Undeliverable, ViewFrame, Want, Way, critical,
    },
};

fn marks() -> impl Strategy<Value = Mark> {
    (any::<u64>(), any::<[u8; 32]>()).prop_map(|(millis, id)| Mark {
        created_at: taiinet_document::Timestamp::from_millis(millis),
        id: DocumentId::from_bytes(id),
    })
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = (marks(), any::<u32>(), any::<u128>());
    proptest::collection::vec(
        piece.prop_map(|(until, count, sum)| Piece { until, count, sum }),
        0..50,
    )
}

fn inquiries() -> impl Strategy<Value = Inquiry> {
    let stretch = (marks(), pieces()).prop_map(|(from, pieces)| Stretch { from, pieces });
    (any::<[u8; 32]>(), proptest::collection::vec(stretch, 0..6))
        .prop_map(|(salt, stretches)| Inquiry { salt, stretches })
}

fn short_ids() -> impl Strategy<Value = Vec<ShortId>> {
    proptest::collection::vec(any::<[u8; 16]>().prop_map(ShortId::from_bytes), 0..70)
}

fn differences() -> impl Strategy<Value = Differences> {
    let held = prop_oneof![short_ids().prop_map(Held::Ids), pieces().prop_map(Held::Pieces)];
    let difference = (any::<u16>(), held).prop_map(|(piece, held)| Difference { piece, held });
    (any::<u16>(), proptest::collection::vec(difference, 0..6))
        .prop_map(|(first, pieces)| Differences { first, pieces })
}

fn any_rest() -> impl Strategy<Value = Rest> {
    let ended = any::<bool>().prop_map(|left_out| Rest::Finished { left_out });
    let more = any::<bool>().prop_map(|left_out| Rest::More { left_out });
    prop_oneof![Just(Rest::Follows), ended, more]
}

fn frames() -> impl Strategy<Value = Frame> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..300);
    let ids = proptest::collection::vec(any::<[u8; 32]>().prop_map(DocumentId::from_bytes), 0..20);
    prop_oneof![
        any::<u32>().prop_map(|value| Frame::Link(LinkFrame::Ping(value))),
        any::<u32>().prop_map(|value| Frame::Link(LinkFrame::Ack(value))),
        Just(Frame::Link(LinkFrame::Bye)),
        any::<u64>().prop_map(|groups| Frame::Documents(DocumentFrame::Feed(groups))),
        ids.clone().prop_map(|ids| Frame::Documents(DocumentFrame::Gone(ids))),
        ids.clone().prop_map(|value| Frame::Documents(DocumentFrame::Have(value))),
        ids.prop_map(|value| Frame::Documents(DocumentFrame::Graft(value))),
        (any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(a, b)| {
            let mut bytes = [0; 64];
            bytes[..32].copy_from_slice(&a);
            bytes[32..].copy_from_slice(&b);
            Frame::Link(LinkFrame::Proof(Signature::from_bytes(bytes)))
        }),
        (any::<bool>(), bytes())
            .prop_map(|(last, bytes)| Frame::Fragment(Fragment { last, bytes })),
        (any::<u8>(), any::<u32>(), 0..2000_usize).prop_map(|(hops, nonce, bytes)| {
            let document = testing::document(&testing::identity(1), nonce, bytes);
            Frame::Documents(DocumentFrame::Push(Push {
                hops,
                document: document.signed().clone(),
            }))
        }),
        (any::<[u8; 32]>(), marks(), pieces()).prop_map(|(salt, from, pieces)| {
            Frame::Sync(SyncFrame::Compare(Compare { salt, from, pieces }))
        }),
        (any::<u32>(), inquiries()).prop_map(|(request, inquiry)| {
            Frame::Sync(SyncFrame::Inquire(Inquire { request, inquiry }))
        }),
        (any::<u32>(), differences()).prop_map(|(request, differences)| {
            Frame::Sync(SyncFrame::Differs(Differs { request, differences }))
        }),
        (any::<u32>(), short_ids())
            .prop_map(|(request, ids)| Frame::Sync(SyncFrame::Want(Want { request, ids }))),
        (any::<u32>(), 0..3_u32, any::<bool>()).prop_map(|(request, count, last)| {
            let document = |nonce| testing::document(&testing::identity(1), nonce, 10);
            let documents = (0..count).map(|nonce| document(nonce).signed().clone()).collect();
            Frame::Sync(SyncFrame::Given(Given { request, documents, last }))
        }),
        Just(()).prop_map(|()| {
            let presence = testing::presence(&testing::identity(2), testing::NOW);
            Frame::Link(LinkFrame::Neighbour(Neighbour {
                presence: Some(presence.signed().clone()),
                since: testing::NOW.timestamp(),
            }))
        }),
        any::<bool>().prop_map(|value| Frame::Link(LinkFrame::Doze(value))),
        (any::<u32>(), ".*", ".*", any::<Vec<u8>>(), any::<u16>()).prop_map(
            |(request, query, sort, after, limit)| {
                Frame::Find(FindFrame::Find(Find { request, query, sort, after, limit }))
            }
        ),
        (any::<u32>(), 0..3_u32, any_rest(), any::<Vec<u8>>()).prop_map(
            |(request, count, rest, until)| {
                let document = |nonce| testing::document(&testing::identity(1), nonce, 10);
                let documents = (0..count).map(|nonce| document(nonce).signed().clone()).collect();
                Frame::Find(FindFrame::Found(Found { request, documents, rest, until }))
            }
        ),
        (any::<u32>(), 0..3_u32).prop_map(|(request, count)| {
            let document = |nonce| testing::document(&testing::identity(1), nonce, 10);
            let documents = (0..count).map(|nonce| document(nonce).signed().clone()).collect();
            Frame::Find(FindFrame::Keep(Keep { request, documents }))
        }),
        (any::<u32>(), proptest::collection::vec(0..8_u8, 0..300)).prop_map(
            |(request, outcomes)| {
                let outcomes = outcomes.into_iter().map(Outcome::from).collect();
                Frame::Find(FindFrame::Took(Took { request, outcomes }))
            }
        ),
        any::<u32>().prop_map(|retry_after_ms| {
            let instead = [testing::presence(&testing::identity(3), testing::NOW)];
            Frame::Link(LinkFrame::Refuse(Refusal {
                reason: RefusalReason::Full,
                retry_after_ms,
                instead: instead.iter().map(|presence| presence.signed().clone()).collect(),
            }))
        }),
    ]
}

/// Decodes as a receiver would.
fn read(message: &[u8], assembler: &mut Assembler) -> Result<Vec<Frame>, Misbehaviour> {
    let mut frames = Vec::new();
    for bytes in MessageReader::new(message)? {
        match decode(bytes?)? {
            Frame::Fragment(fragment) => {
                if let Some(whole) = assembler.push(&fragment)? {
                    frames.push(decode(&whole)?);
                }
            }
            frame => frames.push(frame),
        }
    }
    Ok(frames)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_was_encoded_decodes(frame in frames()) {
        prop_assert_eq!(decode::<Frame>(&encode(&frame)), Ok(frame));
    }

    #[test]
    fn a_message_gives_its_frames_back(mut frames in proptest::collection::vec(frames(), 1..6)) {
        // As many as have room in one message.
        let mut bytes = 0;
        frames.retain(|frame| {
            bytes += encode(frame).len() + 4;
            bytes <= limits::PACKED_BYTES
        });
        let mut read_frames = Vec::new();
        for bytes in MessageReader::new(&message(&frames)).unwrap() {
            read_frames.push(decode::<Frame>(bytes.unwrap()).unwrap());
        }
        prop_assert_eq!(read_frames, frames);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let mut assembler = Assembler::default();
        let _ = read(&bytes, &mut assembler);
        let _ = decode::<Frame>(&bytes);
        let _ = decode::<ToSignaller>(&bytes);
        let _ = decode::<FromSignaller>(&bytes);
    }

    #[test]
    fn a_cut_or_longer_frame_is_refused(frame in frames(), cut in 1..64_usize) {
        let bytes = encode(&frame);
        let short = &bytes[..bytes.len().saturating_sub(cut)];
        prop_assert_ne!(decode::<Frame>(short), Ok(frame.clone()));
        let mut long = bytes;
        long.push(0);
        prop_assert_eq!(decode::<Frame>(&long), Err(Misbehaviour::Undecodable));
    }

    #[test]
    fn a_large_frame_goes_in_pieces(bytes in 17_000..250_000_usize) {
        let document = testing::document(&testing::identity(1), 7, bytes);
        let frame = Frame::Documents(DocumentFrame::Push(Push { hops: 3, document: document.signed().clone() }));
        let encoded = encode(&frame);
        prop_assert!(needs_fragments(&encoded));
        let mut assembler = Assembler::default();
        let mut whole = Vec::new();
        for piece in fragment(&encoded) {
            let mut writer = MessageWriter::default();
            prop_assert!(writer.push(&piece), "a piece fits into a message");
            whole.extend(read(&writer.finish(), &mut assembler).unwrap());
        }
        prop_assert_eq!(whole, vec![frame]);
    }
}

fn find(query: &str, limit: u16) -> Find {
    Find { request: 1, query: query.to_owned(), sort: String::new(), after: Vec::new(), limit }
}

fn found(request: u32) -> Found {
    let rest = Rest::Finished { left_out: false };
    Found { request, documents: Vec::new(), rest, until: Vec::new() }
}

fn keep() -> Keep {
    Keep { request: 5, documents: Vec::new() }
}

fn took() -> Took {
    Took { request: 5, outcomes: vec![Outcome::Known, Outcome::Refused] }
}

/// The order of the variants is the format: new ones come last.
#[test]
fn the_numbers_of_frames_never_change() {
    let fragment = Frame::Fragment(Fragment { last: true, bytes: vec![7] });
    let found = Frame::Find(FindFrame::Found(found(1)));
    let find = Frame::Find(FindFrame::Find(find("{}", 3)));
    for (frame, bytes) in [
        (Frame::Link(LinkFrame::Bye), &[1, 4][..]),
        (Frame::Link(LinkFrame::Ping(1)), &[1, 5, 1]),
        (Frame::Documents(DocumentFrame::Have(Vec::new())), &[4, 1, 0]),
        (Frame::Documents(DocumentFrame::Feed(5)), &[4, 3, 5]),
        (Frame::Documents(DocumentFrame::Gone(Vec::new())), &[4, 4, 0]),
        (Frame::Link(LinkFrame::Ack(2)), &[1, 7, 2]),
        (fragment, &[0, 1, 1, 7]),
        (Frame::Link(LinkFrame::Doze(true)), &[1, 8, 1]),
        (find, &[6, 0, 1, 2, b'{', b'}', 0, 0, 3]),
        (found, &[6, 1, 1, 0, 1, 0]),
        (Frame::Find(FindFrame::Keep(keep())), &[6, 2, 5, 0]),
        (Frame::Find(FindFrame::Took(took())), &[6, 3, 5, 2, 1, 7]),
        (Frame::Tree(TreeFrame::Leave(SLOT)), &[8, 4, 0]),
        (Frame::Route(RouteFrame::Wants(KeySet::EVERYTHING)), &[9, 0, 1, 0]),
        (Frame::Supply(SupplyFrame::Supply(RoutingKey::Any)), &[10, 1, 0]),
        (Frame::Supply(SupplyFrame::Release(RoutingKey::Any)), &[10, 4, 0]),
    ] {
        assert_eq!(encode(&frame), bytes, "{frame:?}");
    }
}

/// A signaller passes a signal on as it came.
#[test]
fn a_signal_is_the_same_message_to_a_signaller_and_from_one() {
    let from = Identity::from_seed(&Seed::from_bytes([1; 32]));
    let signal = Signal {
        network: "a".parse().unwrap(),
        to: from.peer_id(),
        sent_at: taiinet_document::Timestamp::from_millis(5),
        sealed: vec![7; 300],
    };
    let signal = Signed::new(&from, &signal);
    let message = encode(&ToSignaller::Signal(signal.clone()));
    assert_eq!(message, encode(&FromSignaller::Signal(signal.clone())));
    assert_eq!(decode(&message), Ok(FromSignaller::Signal(signal)));
}

#[test]
fn an_empty_message_and_one_over_the_limit_are_refused() {
    assert_eq!(MessageReader::new(&[]).err(), Some(Misbehaviour::Undecodable));
    let large = vec![0; limits::MESSAGE_BYTES + 1];
    assert_eq!(MessageReader::new(&large).err(), Some(Misbehaviour::Oversize));
}

#[test]
fn a_length_beyond_the_message_is_refused() {
    for message in [&[0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..], &[5, 1, 2], &[0x80, 0x80, 0x80]] {
        let first = MessageReader::new(message).unwrap().next();
        assert_eq!(first, Some(Err(Misbehaviour::Undecodable)));
    }
}

#[test]
fn fragments_are_bounded_and_never_nest() {
    let piece = |last, bytes| Fragment { last, bytes };
    let mut assembler = Assembler::default();
    let mut result = Ok(None);
    for _ in 0..limits::FRAME_BYTES / 10_000 + 1 {
        result = assembler.push(&piece(false, vec![0; 10_000]));
    }
    assert_eq!(result, Err(Misbehaviour::Oversize));
    assert_eq!(assembler.push(&piece(false, Vec::new())), Err(Misbehaviour::Undecodable));
    let inner = encode(&Frame::Fragment(piece(true, vec![1])));
    assert_eq!(assembler.push(&piece(true, inner)), Err(Misbehaviour::Undecodable));
}

/// What each may hold at most, a message has room for: nothing honest needs to be cut, and nothing is
/// too long for a transport.
#[test]
fn the_largest_of_each_frame_fits_into_a_message() {
    let most = limits::PRESENCE_BYTES;
    // The longest presence there is, and one padded to the limit.
    let end = taiinet_document::Timestamp::from_millis(u64::MAX);
    let longest = Presence {
        network: "n".repeat(64).parse().unwrap(),
        joined: Some(Joined { signaller: testing::identity(1).peer_id(), challenge: [7; 32] }),
        issued_at: end,
        expires_at: end,
        address: Some(format!("wss://{}", "a".repeat(limits::ADDRESS_BYTES - 6))),
        next_key: Some(NextKey::from_bytes([7; 32])),
        archive: None,
        open: false,
    };
    let signed = Signed::new(&testing::identity(1), &longest);
    assert!(signed.size() <= most && encode(&signed).len() <= most, "{}", signed.size());
    assert_eq!(Presence::peek(&signed), Ok(longest.clone()));
    let over = Presence { address: longest.address.clone().map(|url| url + "a"), ..longest };
    let over = Signed::new(&testing::identity(1), &over);
    assert_eq!(Presence::peek(&over), Err(Misbehaviour::Oversize));

    let sealed = vec![0; limits::SEALED_BYTES];
    let network: taiinet_document::Network = "n".repeat(64).parse().unwrap();
    let to = testing::identity(2).peer_id();
    let signal = Signal { network: network.clone(), to, sent_at: end, sealed };
    let larger = Signal { sealed: vec![0; limits::SEALED_BYTES + 1], ..signal.clone() };
    let signal = Signed::new(&testing::identity(1), &signal);
    assert!(Signal::peek(&signal).is_ok());
    let larger = Signed::new(&testing::identity(1), &larger);
    assert_eq!(Signal::peek(&larger), Err(Misbehaviour::Oversize));

    let ids = vec![DocumentId::from_bytes([1; 32]); limits::IDS_PER_FRAME];
    let presences = vec![signed.clone(); limits::PRESENCES_PER_FRAME];
    let from = Mark { created_at: end, id: ids[0] };
    let piece = Piece { until: from, count: u32::MAX, sum: u128::MAX };
    let compare = Compare { salt: [1; 32], from, pieces: vec![piece; limits::PIECES] };
    // Where each stands in a stretch of its own it takes two messages.
    let stretches = vec![Stretch { from, pieces: vec![piece; 16] }; INQUIRY_PIECES / 16];
    let inquiry = Inquiry { salt: [1; 32], stretches };
    let short = ShortId::from_bytes([1; 16]);
    let query = "q".repeat(limits::FIND_QUERY_BYTES);
    let (request, retry_after_ms) = (u32::MAX, u32::MAX);
    for frame in [
        Frame::View(ViewFrame::Shuffle(presences.clone())),
        Frame::Link(LinkFrame::Refuse(Refusal {
            reason: RefusalReason::Full,
            retry_after_ms,
            instead: presences.clone(),
        })),
        Frame::Link(LinkFrame::Neighbour(Neighbour { presence: Some(signed), since: end })),
        Frame::Sync(SyncFrame::Compare(compare)),
        Frame::Sync(SyncFrame::Inquire(Inquire { request, inquiry })),
        Frame::Sync(SyncFrame::Want(Want { request, ids: vec![short; limits::WANTED_IDS] })),
        Frame::Documents(DocumentFrame::Have(ids.clone())),
        Frame::Documents(DocumentFrame::Graft(ids)),
        Frame::Find(FindFrame::Find(Find {
            request,
            query,
            sort: "x".repeat(taiinet_query::limits::SORT_BYTES),
            after: vec![7; taiinet_query::limits::PLACE_BYTES],
            limit: u16::MAX,
        })),
        Frame::Signal(SignalFrame::Signal(signal.clone())),
        Frame::Pool(PoolFrame::Relay(signal.clone())),
        Frame::Pool(PoolFrame::Undeliverable(Undeliverable { network, from: to, to })),
        Frame::Tree(TreeFrame::Bulletin(passed(limits::NAMES_PER_BULLETIN))),
        Frame::Tree(TreeFrame::Join(Join {
            slot: SLOT,
            newest: Some((to, end)),
            brings: brings(),
        })),
    ] {
        assert!(!needs_fragments(&encode(&frame)), "{frame:?}");
    }
    for frame in [
        FromSignaller::Introduced { presences: presences.clone(), retry_after_ms },
        FromSignaller::Signallers(presences),
        FromSignaller::Signal(signal),
    ] {
        assert!(encode(&frame).len() <= limits::MESSAGE_BYTES, "{frame:?}");
    }
}

const SLOT: Slot = Slot(0);

/// A bulletin that names so many documents.
fn passed(count: usize) -> Passed {
    let bulletin = Bulletin {
        network: "n".repeat(64).parse().unwrap(),
        slot: SLOT,
        issued_at: taiinet_document::Timestamp::from_millis(u64::MAX),
        after: taiinet_document::Timestamp::from_millis(u64::MAX - 500),
        beat_ms: u32::MAX,
        peers: u32::MAX,
        spreading: 1,
        named: vec![Entry { id: IdPrefix([1; 8]), about: DocumentKeys::EVERYTHING }; count],
    };
    Passed { depth: u8::MAX, bulletin: Signed::new(&testing::identity(1), &bulletin) }
}

/// As large as can be.
fn sought() -> Signed<Sought> {
    let sought = Sought {
        network: "n".repeat(64).parse().unwrap(),
        key: testing::routing_key(r#"{"a":1,"b":2}"#),
        joined: Some(Joined { signaller: testing::identity(2).peer_id(), challenge: [1; 32] }),
        issued_at: taiinet_document::Timestamp::from_millis(u64::MAX),
    };
    Signed::new(&testing::identity(1), &sought)
}

#[test]
fn what_is_sought_has_room_and_no_more_than_that() {
    assert!(sought().size() <= limits::SOUGHT_BYTES, "{}", sought().size());
    assert!(Sought::peek(&sought()).is_ok());
    let large: Signed<Sought> = decode(&encode(&passed(100).bulletin)).unwrap();
    assert_eq!(Sought::peek(&large), Err(Misbehaviour::Oversize));
}

/// What wants as much as there is room to say.
fn brings() -> Brings {
    let queries = (0..6000).map(|n| format!(r#"{{"n":"{n}"}}"#).parse::<Query>().unwrap());
    let keys: Vec<_> = queries
        .flat_map(|query| query.routing_keys().iter().copied().collect::<Vec<_>>())
        .collect();
    let keys = KeySet::of(keys, limits::KEYS_BYTES);
    assert!(keys.wire_bytes() > taiinet_query::limits::KEY_SET_BYTES / 2);
    Brings { peers: u32::MAX, open: u32::MAX, keys: Some(keys) }
}

/// One frame of each kind, in order, group by group.
fn every_kind() -> Vec<Vec<Frame>> {
    let presence = testing::presence(&testing::identity(1), testing::NOW).signed().clone();
    let document = testing::document(&testing::identity(1), 1, 10).signed().clone();
    let peer = testing::identity(2).peer_id();
    let signal = Signed::new(
        &testing::identity(1),
        &Signal {
            network: testing::network(),
            to: peer,
            sent_at: testing::NOW.timestamp(),
            sealed: vec![1],
        },
    );
    let since = testing::NOW.timestamp();
    let hello = Hello::new(testing::network(), peer, [1; 32]);
    let refusal = Refusal { reason: RefusalReason::Full, retry_after_ms: 0, instead: Vec::new() };
    let undeliverable = Undeliverable { network: testing::network(), from: peer, to: peer };
    let compare = Compare { salt: [1; 32], from: since.into(), pieces: Vec::new() };
    let inquiry = Inquiry { salt: [1; 32], stretches: Vec::new() };
    vec![
        vec![Fragment { last: true, bytes: vec![1] }.into()],
        vec![
            LinkFrame::Hello(hello).into(),
            LinkFrame::Proof(Signature::from_bytes([0; 64])).into(),
            LinkFrame::Neighbour(Neighbour { presence: None, since }).into(),
            LinkFrame::Refuse(refusal).into(),
            LinkFrame::Bye.into(),
            LinkFrame::Ping(1).into(),
            LinkFrame::Pong(1).into(),
            LinkFrame::Ack(1).into(),
            LinkFrame::Doze(true).into(),
        ],
        vec![
            ViewFrame::Shuffle(vec![presence]).into(),
            ViewFrame::ShuffleReply(Vec::new()).into(),
            ViewFrame::Surplus(true).into(),
        ],
        vec![SignalFrame::Signal(signal.clone()).into(), SignalFrame::Unreachable(peer).into()],
        vec![
            DocumentFrame::Push(Push { hops: 0, document: document.clone() }).into(),
            DocumentFrame::Have(Vec::new()).into(),
            DocumentFrame::Graft(Vec::new()).into(),
            DocumentFrame::Feed(u64::MAX).into(),
            DocumentFrame::Gone(Vec::new()).into(),
            DocumentFrame::Routed(Routed { way: Way::Aside, hops: 0, also: None, document }).into(),
        ],
        vec![
            SyncFrame::Compare(compare).into(),
            SyncFrame::Inquire(Inquire { request: 1, inquiry }).into(),
            SyncFrame::Differs(Differs { request: 1, differences: Differences::default() }).into(),
            SyncFrame::Want(Want { request: 1, ids: Vec::new() }).into(),
            SyncFrame::Given(Given { request: 1, documents: Vec::new(), last: true }).into(),
        ],
        vec![
            FindFrame::Find(find("{}", 1)).into(),
            FindFrame::Found(found(1)).into(),
            FindFrame::Keep(keep()).into(),
            FindFrame::Took(took()).into(),
        ],
        vec![PoolFrame::Relay(signal).into(), PoolFrame::Undeliverable(undeliverable).into()],
        vec![
            TreeFrame::Beacon(Beacon { slot: SLOT, follows: None, depth: None }).into(),
            TreeFrame::Bulletin(passed(1)).into(),
            TreeFrame::Join(Join { slot: SLOT, newest: None, brings: brings() }).into(),
            TreeFrame::Brings(SLOT, brings()).into(),
            TreeFrame::Leave(SLOT).into(),
        ],
        vec![
            RouteFrame::Wants(KeySet::EVERYTHING).into(),
            RouteFrame::Ask(Ask { slot: SLOT, id: IdPrefix([1; 8]), hops: 1 }).into(),
        ],
        vec![
            SupplyFrame::Seek(Seek { slot: SLOT, hops: 1, down: true, sought: sought() }).into(),
            SupplyFrame::Supply(RoutingKey::Any).into(),
            SupplyFrame::Supplies(RoutingKey::Any).into(),
            SupplyFrame::Refuse(RoutingKey::Any).into(),
            SupplyFrame::Release(RoutingKey::Any).into(),
        ],
    ]
}

#[test]
fn what_a_later_version_adds_is_skipped_and_what_it_insists_on_is_told_apart() {
    let groups = every_kind();
    for (group, frames) in groups.iter().enumerate() {
        for (number, frame) in frames.iter().enumerate() {
            let bytes = encode(frame);
            assert_eq!(usize::from(bytes[0]), group);
            assert!(group == 0 || usize::from(bytes[1]) == number);
            for bytes in [bytes.clone(), critical(bytes)] {
                assert_eq!(wire::read(&bytes), Ok(Reading::Frame(frame.clone())));
                assert!(wire::cost_of(&bytes) > 0);
            }
        }
        let (group, number) = (group as u8, frames.len() as u8);
        if group > 0 {
            let (kind, next) = (FrameKind { group, number }, vec![group, number, 1, 2, 3]);
            assert_eq!(wire::read(&next), Ok(Reading::Unknown(kind)), "{kind}");
            assert_eq!(wire::read(&critical(next)), Ok(Reading::Critical(kind)), "{kind}");
        }
    }
    let kind = FrameKind { group: groups.len() as u8, number: 0 };
    let next = vec![kind.group, 0];
    assert_eq!(wire::read(&next), Ok(Reading::Unknown(kind)));
    // What can be no frame of any version is no frame.
    for bytes in [&[][..], &[0x80, 0], &[1], &[1, 0x80, 1], &[0xc1, 0]] {
        assert_eq!(wire::read(bytes), Err(Misbehaviour::Undecodable), "{bytes:?}");
    }
}
