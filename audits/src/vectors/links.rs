//! Frames between peers, the handshake, signals.

use rand_core::UnwrapErr;
use serde_json::{Value as Json, json};
use taiinet_document::{
    Content, Difference, Differences, Held, Inquiry, Mark, ShortId, Stretch, VerifiedDocument,
};
use taiinet_identity::{Domain, NextKey, PeerId, Signature, Signed, seal};
use taiinet_mesh::{
    ChannelBinding,
    wire::{
        Compare, Differs, DocumentFrame, Features, Find, FindFrame, Found, Fragment, Frame, Given,
        Hello, Inquire, Joined, Keep, Kept, LinkFrame, Neighbour, Outcome, Piece, PoolFrame,
        Presence, Push, Refusal, RefusalReason, Rest, Signal, SignalBody, SignalFrame, SignalPart,
        SyncFrame, Took, Undeliverable, ViewFrame, Want, codec,
    },
};
use taiinet_query::sort::Sort;

use super::{Recorder, trees};
use crate::fixture::{NOW, at, hex, identity, map, network, sign};

pub(super) fn presence(of: u8, joined: Option<Joined>, address: Option<&str>) -> Signed<Presence> {
    let presence = Presence {
        network: network(),
        joined,
        issued_at: at(0),
        expires_at: at(600),
        address: address.map(str::to_owned),
        next_key: address.map(|_| NextKey::from_bytes([7; 32])),
        archive: None,
        open: false,
    };
    Signed::new(&identity(of), &presence)
}

fn document() -> VerifiedDocument {
    sign(&identity(1), 1, NOW, Content::Open(map(r#"{"text":"hello"}"#)))
}

/// Every kind of frame, with what is in it.
pub(super) fn examples() -> Vec<(&'static str, Frame)> {
    before_trees().into_iter().chain(trees::examples()).collect()
}

fn before_trees() -> Vec<(&'static str, Frame)> {
    let (one, two) = (identity(1).peer_id(), identity(2).peer_id());
    let document = document();
    let id = document.id();
    let joined = Joined { signaller: identity(9).peer_id(), challenge: [7; 32] };
    let presence = |of| presence(of, None, None);
    let (hello_one, hello_two) = hellos();
    let content = Hello::proof_content(&hello_one, &hello_two, ChannelBinding::NONE, true);
    let proof = identity(1).sign(Domain::Hello, &content);
    let signal = || signal(1, 2, SignalPart::Answer("v=0\r\n".to_owned())).0;
    let neighbour = Neighbour {
        presence: Some(self::presence(1, Some(joined), Some("wss://signaller.example"))),
        since: at(-2),
    };
    let refusal =
        Refusal { reason: RefusalReason::Full, retry_after_ms: 4000, instead: vec![presence(3)] };
    let piece = |until, count, sum| Piece { until, count, sum };
    let pieces = vec![
        piece(Mark { created_at: at(-30), id }, 0, 0),
        piece(at(120).into(), 2, sum_of(&compared())),
    ];
    let compare = Compare { salt: SALT, from: at(-60).into(), pieces };
    let [find, found] = newest();
    let mut ours = Piece::empty(at(120).into());
    for id in compared() {
        ours.add(&SALT, &id[..16]);
    }
    let stretch = Stretch { from: at(-60).into(), pieces: vec![compare.pieces[0], ours] };
    let inquiry = Inquiry { salt: SALT, stretches: vec![stretch] };
    let short = ShortId::from(&id);
    let cut = vec![piece(at(0).into(), 1, 7), piece(at(120).into(), 70, u128::MAX)];
    let differences = Differences {
        first: 0,
        pieces: vec![
            Difference { piece: 0, held: Held::Ids(vec![short]) },
            Difference { piece: 1, held: Held::Pieces(cut) },
        ],
    };
    let documents = vec![document.signed().clone()];
    vec![
        ("fragment", Frame::Fragment(Fragment { last: true, bytes: vec![1, 2, 3] })),
        ("hello", Frame::Link(LinkFrame::Hello(hello_one))),
        ("proof", Frame::Link(LinkFrame::Proof(proof))),
        ("neighbour", Frame::Link(LinkFrame::Neighbour(neighbour))),
        ("refuse", Frame::Link(LinkFrame::Refuse(refusal))),
        ("bye", Frame::Link(LinkFrame::Bye)),
        ("ping", Frame::Link(LinkFrame::Ping(300))),
        ("pong", Frame::Link(LinkFrame::Pong(300))),
        ("ack", Frame::Link(LinkFrame::Ack(u32::MAX))),
        ("doze", Frame::Link(LinkFrame::Doze(true))),
        ("shuffle", Frame::View(ViewFrame::Shuffle(vec![presence(1), presence(2)]))),
        ("shuffle reply", Frame::View(ViewFrame::ShuffleReply(Vec::new()))),
        ("surplus", Frame::View(ViewFrame::Surplus(true))),
        ("signal", Frame::Signal(SignalFrame::Signal(signal()))),
        ("unreachable", Frame::Signal(SignalFrame::Unreachable(two))),
        (
            "push",
            Frame::Documents(DocumentFrame::Push(Push {
                hops: 3,
                document: document.signed().clone(),
            })),
        ),
        ("have", Frame::Documents(DocumentFrame::Have(vec![id]))),
        ("graft", Frame::Documents(DocumentFrame::Graft(vec![id]))),
        ("feed", Frame::Documents(DocumentFrame::Feed(u64::MAX))),
        ("gone", Frame::Documents(DocumentFrame::Gone(vec![id]))),
        trees::routed_example(),
        ("compare", Frame::Sync(SyncFrame::Compare(compare))),
        ("inquire", Frame::Sync(SyncFrame::Inquire(Inquire { request: 1, inquiry }))),
        ("differs", Frame::Sync(SyncFrame::Differs(Differs { request: 1, differences }))),
        ("want", Frame::Sync(SyncFrame::Want(Want { request: 2, ids: vec![short] }))),
        ("given", Frame::Sync(SyncFrame::Given(Given { request: 2, documents, last: false }))),
        ("find", find),
        ("found", found),
        (
            "keep",
            Frame::Find(FindFrame::Keep(Keep {
                request: 3,
                documents: vec![document.signed().clone()],
            })),
        ),
        (
            "took",
            Frame::Find(FindFrame::Took(Took {
                request: 3,
                outcomes: (0..8).map(Outcome::from).collect(),
            })),
        ),
        ("relay", Frame::Pool(PoolFrame::Relay(signal()))),
        (
            "undeliverable",
            Frame::Pool(PoolFrame::Undeliverable(Undeliverable {
                network: network(),
                from: one,
                to: two,
            })),
        ),
    ]
}

/// A search for the newest, and the whole of its answer.
fn newest() -> [Frame; 2] {
    let (query, sort, after) = (r#"{"a":1}"#.to_owned(), String::new(), Vec::new());
    let find = Find { request: 1, query, sort, after, limit: 20 };
    let rest = Rest::Finished { left_out: false };
    let documents = vec![document().signed().clone()];
    let found = Found { request: 1, documents, rest, until: Vec::new() };
    [Frame::Find(FindFrame::Find(find)), Frame::Find(FindFrame::Found(found))]
}

/// Frames of kinds that are among the [`examples`], with what else may be in them.
pub(super) fn others() -> Vec<(&'static str, Frame)> {
    let sort: Sort = "text:desc".parse().expect("an order");
    let place = |document: &VerifiedDocument| {
        sort.place_of(document).map(|place| place.as_bytes().to_vec()).unwrap_or_default()
    };
    let (first, second) = (document(), sign(&identity(1), 2, NOW, Content::Open(map("{}"))));
    let find = Find {
        request: 2,
        query: "{}".to_owned(),
        sort: sort.to_string(),
        after: place(&first),
        limit: 1,
    };
    let found = |documents, rest, until| {
        Frame::Find(FindFrame::Found(Found { request: 2, documents, rest, until }))
    };
    let page = vec![second.signed().clone()];
    let more = |left_out| Rest::More { left_out };
    let left_out = true;
    let with_trees = Hello { features: Features::TREES, ..hellos().0 };
    let archive = Hello { features: Features::ARCHIVE, ..hellos().0 };
    let kept = Kept {
        since: at(-86_400),
        queries: vec![r#"{"type":"tweet"}"#.to_owned()],
        indexed: vec!["likes".to_owned()],
    };
    let keeps = Presence { archive: Some(kept), ..presence(1, None, None).peek().expect("one") };
    let keeps = Signed::new(&identity(1), &keeps);
    let neighbour = Neighbour { presence: Some(keeps), since: at(-2) };
    let mut others = vec![
        ("hello of a peer with trees", Frame::Link(LinkFrame::Hello(with_trees))),
        ("hello of an archive", Frame::Link(LinkFrame::Hello(archive))),
        ("neighbour with an archive", Frame::Link(LinkFrame::Neighbour(neighbour))),
        ("find, in an order, from a place on", Frame::Find(FindFrame::Find(find))),
        ("found, and a part follows", found(page.clone(), Rest::Follows, Vec::new())),
        ("found, and there is more", found(page.clone(), more(false), place(&second))),
        ("found, something left out, and there is more", found(page, more(true), place(&second))),
        ("nothing found, something left out", found(vec![], Rest::Finished { left_out }, vec![])),
    ];
    others.extend(trees::others());
    others
}

/// What a comparison is keyed with.
const SALT: [u8; 32] = [8; 32];

/// The ids of which a comparison tells the sum.
fn compared() -> [[u8; 32]; 2] {
    [[0x11; 32], [0x22; 32]]
}

fn sum_of(ids: &[[u8; 32]]) -> u128 {
    ids.iter().fold(0, |sum, id| {
        let mut begin = [0; 16];
        begin.copy_from_slice(&blake3::keyed_hash(&SALT, id).as_bytes()[..16]);
        sum.wrapping_add(u128::from_le_bytes(begin))
    })
}

pub(super) fn frames() -> Json {
    let shown = |(what, frame): (&str, Frame)| json!({ "what": what, "shown": format!("{frame:?}"), "frame": hex(&codec::encode(&frame)) });
    let frames: Vec<Json> = examples().into_iter().map(shown).collect();
    let others: Vec<Json> = others().into_iter().map(shown).collect();
    let pings = [Frame::Link(LinkFrame::Ping(1)), Frame::Link(LinkFrame::Ping(300))];
    json!({
        "frames": frames,
        "others_of_the_same_kinds": others,
        "message_of_ping_1_and_ping_300": hex(&codec::message(&pings)),
        "fragments": fragments(),
        "ranks": trees::ranks(),
        "in_bulletin": trees::in_bulletin(),
        "compare": {
            "salt": hex(&SALT),
            "ids": compared().map(|id| hex(&id)),
            "sum": hex(&sum_of(&compared()).to_be_bytes()),
        },
    })
}

/// A frame of just too many bytes, and what its pieces are.
fn fragments() -> Json {
    let frame = vec![0xaa; taiinet_mesh::limits::PACKED_BYTES - 2];
    assert!(codec::needs_fragments(&frame) && !codec::needs_fragments(&frame[1..]));
    let pieces = codec::fragment(&frame);
    let begin = |piece: &Vec<u8>| json!({ "begins": hex(&piece[..8]), "bytes": piece.len() });
    json!({ "frame_bytes": frame.len(), "fragments": pieces.iter().map(begin).collect::<Vec<_>>() })
}

/// Of peer 1, which offers, and peer 2.
fn hellos() -> (Hello, Hello) {
    let hello = |number: u8| Hello::new(network(), identity(number).peer_id(), [number; 32]);
    (hello(1), hello(2))
}

pub(super) fn handshake() -> Json {
    let description = |first: &str| {
        let rest = ["5A"; 31].join(":");
        format!("v=0\r\na=fingerprint:sha-256 {first}:{rest}\r\n")
    };
    let descriptions = [description("FF"), description("01")];
    let binding = ChannelBinding::of_descriptions(&descriptions[0], &descriptions[1]);
    let binding = binding.expect("a fingerprint each");
    let (offerer, answerer) = hellos();
    let proof = |by: u8, by_offerer: bool| {
        let content = Hello::proof_content(&offerer, &answerer, binding, by_offerer);
        let signature = identity(by).sign(Domain::Hello, &content);
        json!({ "seed": hex(&[by; 32]), "content": hex(&content), "frame": frame(signature) })
    };
    json!({
        "descriptions": descriptions,
        "binding": hex(binding.as_bytes()),
        "hello_of_offerer": hex(&codec::encode(&offerer)),
        "hello_of_answerer": hex(&codec::encode(&answerer)),
        "proof_of_offerer": proof(1, true),
        "proof_of_answerer": proof(2, false),
    })
}

fn frame(proof: Signature) -> String {
    hex(&codec::encode(&Frame::Link(LinkFrame::Proof(proof))))
}

/// A signal, what it was drawn, and the info that it is sealed under.
pub(super) fn signal(from: u8, to: u8, part: SignalPart) -> (Signed<Signal>, Vec<u8>, String) {
    let (sender, to) = (identity(from), identity(to).peer_id());
    let body = codec::encode(&SignalBody { session: 0x0102_0304_0506_0708, part });
    let info = info(sender.peer_id(), to);
    let mut rng = UnwrapErr(Recorder::new(9));
    let sealed = seal(&to, &info, &body, &mut rng).expect("a usable key");
    let signal = Signal { network: network(), to, sent_at: at(0), sealed };
    (Signed::new(&sender, &signal), body, rng.0.given.concat())
}

/// As section 13 has it, written a second time: a real peer opens what was sealed under it.
pub(crate) fn info(from: PeerId, to: PeerId) -> Vec<u8> {
    let network = network();
    [b"taiinet/1 signal", &from.as_bytes()[..], to.as_bytes(), network.as_str().as_bytes()].concat()
}

pub(super) fn signals() -> Json {
    let parts = [
        ("offer", SignalPart::Offer("v=0\r\n".to_owned())),
        ("answer", SignalPart::Answer("v=0\r\n".to_owned())),
        ("candidate", SignalPart::Candidate("candidate:1 1 udp 1 192.0.2.1 9 typ host".to_owned())),
        ("refuse", SignalPart::Refuse { reason: RefusalReason::Full, retry_after_ms: 4000 }),
    ];
    let vector = |(what, part): (&str, SignalPart)| {
        let (signed, body, random) = signal(1, 2, part);
        let (from, to) = (signed.signer(), identity(2));
        let sealed = signed.peek().expect("a signal").sealed;
        let opened = to.open(&info(from, to.peer_id()), &sealed);
        assert_eq!(opened.as_ref(), Ok(&body));
        json!({
            "what": what,
            "from_seed": hex(&[1; 32]),
            "to_seed": hex(&[2; 32]),
            "info": hex(&info(from, to.peer_id())),
            "body": hex(&body),
            "random_ikmE": random,
            "signed": hex(&codec::encode(&signed)),
        })
    };
    Json::Array(parts.into_iter().map(vector).collect())
}

#[cfg(test)]
mod tests {
    use taiinet_identity::Domain;
    use taiinet_mesh::{
        Config, Dial, Input, Output, Peer, SignallerAddress,
        session::{self, Purpose},
        wire::{FromSignaller, Welcome},
    };

    use super::*;

    /// What is sealed here by the book is opened by the core.
    #[test]
    fn a_peer_answers_the_offer_of_the_vectors() {
        let mut config = Config::new(network());
        config.signallers.push(SignallerAddress { url: "wss://a.example".into(), pinned: None });
        let mut peer = Peer::new(identity(2), config, [1; 32], NOW);
        let mut first = None;
        peer.handle_timeout(NOW);
        while let Some(output) = peer.poll_output(NOW) {
            if let Output::Dial { link, .. } = output {
                let binding = ChannelBinding::NONE;
                peer.handle(Input::LinkUp { link, binding }, NOW);
            } else if let Output::Send { link, bytes, .. } = output {
                first = Some((link, bytes));
            }
        }
        let (link, first) = first.expect("it opens a session");
        let (mut session, answer) =
            session::accept(Purpose::Client, &first, [4; 32]).expect("an opening");
        peer.handle(Input::Message { link, bytes: answer }, NOW);
        let signaller = identity(9);
        let welcome = Welcome {
            signaller: signaller.peer_id(),
            signature: signaller.sign(Domain::Welcome, session.hash()),
            ice_servers: Vec::new(),
            work: 0,
        };
        let offer = signal(1, 2, SignalPart::Offer("v=0\r\n".to_owned())).0;
        let frames =
            [FromSignaller::Welcome(welcome), FromSignaller::Joined, FromSignaller::Signal(offer)];
        for frame in frames {
            let bytes = session.seal(&codec::encode(&frame)).expect("it fits");
            peer.handle(Input::Message { link, bytes }, NOW);
        }
        let answers = std::iter::from_fn(|| peer.poll_output(NOW)).any(|output| {
            let Output::Dial { dial: Dial::Answer { to, offer, .. }, .. } = output else {
                return false;
            };
            to == identity(1).peer_id() && offer == "v=0\r\n"
        });
        assert!(answers);
    }
}
