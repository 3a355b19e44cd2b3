//! Between peers and signallers, and what signallers tell each other.

use serde_json::{Value as Json, json};
use taiinet_document::{Content, Map, Value};
use taiinet_identity::{Domain, NextKey, Signed};
use taiinet_mesh::{
    session::Purpose,
    wire::{
        CircuitFrame, CircuitPart, FromSignaller, IceServer, Joined, POOL, Presence, RefusalReason,
        SignalPart, ToSignaller, Welcome, codec,
    },
    work,
};
use taiinet_query::RoutingKey;

use super::{
    links::{presence, signal},
    sessions::session,
};
use crate::fixture::{at, hex, identity, named, network, routing_key};

/// The session's hash.
const CHALLENGE: [u8; 32] = [4; 32];
/// The signaller's number.
const SIGNALLER: u8 = 9;
const BITS: u8 = 12;

/// What peer 1 signs in order to join.
fn join() -> Signed<Presence> {
    let signaller = identity(SIGNALLER).peer_id();
    presence(1, Some(Joined { signaller, challenge: CHALLENGE }), None)
}

/// The first number that does it.
fn answer() -> u64 {
    let peer = identity(1).peer_id();
    let done = |answer: &u64| work::is_done(&CHALLENGE, &peer, BITS, *answer);
    (0..).find(done).unwrap_or_default()
}

/// Of a circuit with peer 2.
fn circuit(part: CircuitPart) -> CircuitFrame {
    CircuitFrame { peer: identity(2).peer_id(), part }
}

fn wanted() -> RoutingKey {
    routing_key(r#"{"topic":1}"#)
}

fn to_signaller() -> [(&'static str, ToSignaller); 7] {
    let signal = signal(1, 2, SignalPart::Offer("v=0\r\n".to_owned())).0;
    [
        ("join", ToSignaller::Join { presence: join(), work: answer() }),
        ("introduce", ToSignaller::Introduce { want: 8 }),
        ("ping", ToSignaller::Ping(300)),
        ("signal", ToSignaller::Signal(signal)),
        ("leave", ToSignaller::Leave),
        ("circuit", ToSignaller::Circuit(circuit(CircuitPart::Message(vec![7; 20])))),
        ("introduce for", ToSignaller::IntroduceFor { want: 4, key: wanted() }),
    ]
}

fn from_signaller() -> [(&'static str, FromSignaller); 17] {
    let signaller = identity(SIGNALLER);
    let signal = signal(1, 2, SignalPart::Offer("v=0\r\n".to_owned())).0;
    let welcome = Welcome {
        signaller: signaller.peer_id(),
        signature: signaller.sign(Domain::Welcome, &CHALLENGE),
        ice_servers: vec!["stun::3478".to_owned()],
        work: BITS,
    };
    let turn = IceServer {
        url: "turn:turn.example:3478".to_owned(),
        username: "1800003600:tn1".to_owned(),
        credential: "c2VjcmV0".to_owned(),
    };
    let other = Presence {
        network: named(POOL),
        joined: None,
        issued_at: at(0),
        expires_at: at(600),
        address: Some("wss://other.example".to_owned()),
        next_key: Some(NextKey::from_bytes([7; 32])),
        archive: None,
        open: false,
    };
    let refused = FromSignaller::Refused { reason: RefusalReason::TooOften, retry_after_ms: 2000 };
    let presences = vec![presence(2, None, None)];
    let others = presences.clone();
    let [first, answer] = session(Purpose::Circuit).2;
    [
        ("welcome", FromSignaller::Welcome(welcome)),
        ("joined", FromSignaller::Joined),
        ("introduced", FromSignaller::Introduced { presences, retry_after_ms: 0 }),
        ("signal", FromSignaller::Signal(signal)),
        ("unreachable", FromSignaller::Unreachable(identity(2).peer_id())),
        ("refused", refused),
        ("pong", FromSignaller::Pong(300)),
        ("turn", FromSignaller::Turn(vec![turn])),
        ("signallers", FromSignaller::Signallers(vec![Signed::new(&identity(8), &other)])),
        ("clock", FromSignaller::Clock(at(0))),
        ("relays", FromSignaller::Relays(4)),
        ("circuit_open", FromSignaller::Circuit(circuit(CircuitPart::Open(first)))),
        ("circuit_accept", FromSignaller::Circuit(circuit(CircuitPart::Accept(answer)))),
        ("circuit_message", FromSignaller::Circuit(circuit(CircuitPart::Message(vec![7; 20])))),
        ("circuit_took", FromSignaller::Circuit(circuit(CircuitPart::Took(8192)))),
        ("circuit_end", FromSignaller::Circuit(circuit(CircuitPart::End(RefusalReason::Absent)))),
        ("introduced for", FromSignaller::IntroducedFor { key: wanted(), presences: others }),
    ]
}

/// Both kinds of frames as they go over the wire.
pub(super) fn encoded() -> [Vec<Vec<u8>>; 2] {
    [
        to_signaller().iter().map(|(_, frame)| codec::encode(frame)).collect(),
        from_signaller().iter().map(|(_, frame)| codec::encode(frame)).collect(),
    ]
}

/// What a member of the pool tells: peer 1 has joined it, peer 2 has left.
pub(crate) fn news() -> [Map; 2] {
    let items = |name: &str, item: Vec<u8>| {
        Map::from([(name.to_owned(), Value::List(vec![Value::Bytes(item)]))])
    };
    let left = codec::encode(&(network(), identity(2).peer_id(), at(0)));
    [items("joined", codec::encode(&join())), items("left", left)]
}

pub(super) fn vectors() -> Json {
    let to: Vec<Json> = to_signaller()
        .iter()
        .map(|(what, frame)| json!({ "what": what, "frame": hex(&codec::encode(frame)) }))
        .collect();
    let from: Vec<Json> = from_signaller()
        .iter()
        .map(|(what, frame)| json!({ "what": what, "frame": hex(&codec::encode(frame)) }))
        .collect();
    let peer = identity(1).peer_id();
    let hashed = [b"taiinet/1 work", &CHALLENGE[..], peer.as_bytes(), &answer().to_le_bytes()];
    let hash = blake3::hash(&hashed.concat());
    let presence = join();
    let news: Vec<Json> = news()
        .into_iter()
        .map(|fields| json!({ "content": hex(&codec::encode(&Content::Open(fields))) }))
        .collect();
    json!({
        "signaller_seed": hex(&[SIGNALLER; 32]),
        "session": hex(&CHALLENGE),
        "presence": {
            "seed": hex(&[1; 32]),
            "body": hex(&codec::encode(&presence.peek().expect("a presence"))),
            "signed": hex(&codec::encode(&presence)),
        },
        "work": {
            "bits": BITS,
            "answer": answer(),
            "hashed": hex(&hashed.concat()),
            "hash": hex(hash.as_bytes()),
        },
        "to_signaller": to,
        "from_signaller": from,
        "pool_news": news,
    })
}
