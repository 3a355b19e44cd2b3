//! Where the fuzzers begin: one good input of each kind, from the vectors.

use taiinet_document::{Content, UnknownContent};
use taiinet_identity::{Identity, Seed, sealed_file};
use taiinet_mesh::wire::{Frame, LinkFrame, codec};

use super::member::{self, QUERIES};
use crate::{
    fixture::{NOW, identity, map, sign},
    vectors,
};

const JSON: [&str; 4] = [
    r#"{"type":"tweet","text":"h\u00e4llo \ud83d\ude00","likes":5,"half":-0.5e-3,"n":null}"#,
    r#"{"min":-9223372036854775808,"bytes":{"$bytes":"AAEC/w=="},"$":{"$$bytes":[true,{}]}}"#,
    r#"[1,[2,[3,{"deep":[]}]],""]"#,
    "-0",
];

const FORWARDED: [&str; 4] = [
    "192.0.2.1, 198.51.100.7",
    r#"for=192.0.2.60;proto=http;by=203.0.113.43"#,
    r#"For="[2001:db8:cafe::17]:4711", host="a,b;\"";for=_hidden"#,
    "[::ffff:10.0.0.1]:443, unknown",
];

/// Good inputs for a target; none if there is no such target.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "message" => vectors::peer_frames()
            .into_iter()
            .map(|frame| codec::message(&[frame, Frame::Link(LinkFrame::Ping(1))]))
            .collect(),
        "fragments" => vec![vec![0xff, 0x0f], vec![0, 0x20, 4, 0, 0, 1, 0xff]],
        "to_signaller" => vectors::signaller_frames()[0].clone(),
        "from_signaller" => vectors::signaller_frames()[1].clone(),
        "binding" => {
            let fingerprint =
                |byte: &str| format!("v=0\r\na=fingerprint:sha-256 {}\r\n", [byte; 32].join(":"));
            vec![format!("{}\0{}", fingerprint("AB"), fingerprint("01")).into_bytes()]
        }
        "description" => vec![
            "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
             a=candidate:1 1 udp 2113937151 a-1.local 5000 typ host\r\n\
             a=fingerprint:sha-256 AB:CD\r\na=setup:actpass\r\na=mid:0\r\n\0\
             candidate:1 1 udp 1 192.0.2.1 9 typ srflx raddr ::1 rport 7 ufrag x\n\
             candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active"
                .into(),
        ],
        "session" => vec![
            b"\x01\x01\x11wss://one.example\xff\xff\x01\x05hello\xff\x00\x00\xff".to_vec(),
            b"\x00\x01\x00\xff\x01\x02\x00\x80".to_vec(),
        ],
        "document" => documents(),
        "value" => JSON
            .into_iter()
            .filter_map(|text| taiinet_document::Value::from_json(text).ok())
            .map(|value| codec::encode(&value))
            .collect(),
        "json" => JSON.map(|text| text.as_bytes().to_vec()).to_vec(),
        "query" => {
            let queries = QUERIES.iter().chain(&[
                r#"{"a":{"$elemMatch":{"b":{"$mod":[4,1]},"c":{"$exists":false}}}}"#,
                r#"{"a":{"$all":[1,"x"],"$size":2,"$type":"array"},"b":{"$not":{"$nin":[null]}}}"#,
                r#"{"$and":[{"a":{"$regex":"^(a|b)+[c-e]{2,3}$","$options":"i"}}]}"#,
            ]);
            queries.map(|query| format!("{query}\n{}", JSON[0]).into_bytes()).collect()
        }
        "routing" => vectors::routing(),
        "sort" => sorts(),
        "envelope" => vec![vectors::sealed().0, vec![0, 0, 1]],
        "peer_id" => {
            let peer = identity(1).peer_id();
            [peer.to_string(), peer.to_did_key(), peer.to_string().to_uppercase()]
                .map(String::into_bytes)
                .to_vec()
        }
        "signature_file" => vec![member::signature_file().into_bytes()],
        "key_file" => KEYS.map(<[u8]>::to_vec).to_vec(),
        "sealed_file" => sealed_files(),
        "forwarded" => FORWARDED.map(|line| line.as_bytes().to_vec()).to_vec(),
        "peer" => histories([&PEER_LINKS, &PEER_OFFERED, &POOL_LINKS, &PEER_ROOTED]),
        "pair" => histories([&[5, 0, 1, 5, 1, 1, 0, 0xff], &[7, 0, 0, 0], &[2, 8, 0, 4]]),
        "desk" => histories([&DESK_JOINS, &DESK_POOL, &[0, 15, 1, 1, 1, 0, 0]]),
        "archive" => histories([&ARCHIVE_KEEPS, &ARCHIVE_DELETES, &ARCHIVE_IS_FULL]),
        _ => Vec::new(),
    }
}

/// An order, a path, a query and documents; and a place of each length.
fn sorts() -> Vec<Vec<u8>> {
    let text = |sort: &str, path: &str, query: &str| {
        let documents =
            [JSON[0], r#"{"a":[{"b":9},{"b":[1,"x"]}]}"#, r#"{"likes":[1,9,true],"a":null}"#];
        format!("{sort}\n{path}\n{query}\n{}\n{{}}", documents.join("\n")).into_bytes()
    };
    let mut seeds = vec![
        text("likes:desc", "likes", r#"{"likes":{"$gt":4}}"#),
        // Two values of one list, neither of which fulfils both.
        text("likes", "likes", r#"{"likes":{"$gt":5,"$lt":3}}"#),
        text("a.b,_created_at:desc", "a", r#"{"a":{"$elemMatch":{"b":{"$in":[1,9]}}}}"#),
        text("_key,a.0:desc,text,n", "_author", r#"{"_owner":"x","$or":[{"n":null},{"a.b":"x"}]}"#),
        text("", "a.b", r#"{"a.b":{"$contains":"x"},"_created_at":{"$gte":50,"$lt":100}}"#),
    ];
    seeds.extend([40, 424].map(|length| vec![0xdf; length]));
    seeds
}

fn documents() -> Vec<Vec<u8>> {
    let author = identity(1);
    let good = sign(&author, 1, NOW, Content::Open(map(JSON[0])));
    let sealed = vectors::sealed().1;
    let unknown = UnknownContent::new(4, b"what is to come").map(Content::Unknown);
    let unknown = unknown.map(|content| sign(&author, 2, NOW, content).signed().body().to_vec());
    let seeds = [good.signed().body().to_vec(), codec::encode(good.signed()), sealed];
    seeds.into_iter().chain(unknown).collect()
}

/// Keys that belong to no one, made for the tests of key files.
const KEYS: [&[u8]; 6] = [
    include_bytes!("../../../crates/identity/tests/data/keys/age.txt"),
    include_bytes!("../../../crates/identity/tests/data/keys/age-binary.age"),
    include_bytes!("../../../crates/identity/tests/data/keys/openssh"),
    include_bytes!("../../../crates/identity/tests/data/keys/openssh-passphrase"),
    include_bytes!("../../../crates/identity/tests/data/keys/pkcs8.pem"),
    include_bytes!("../../../crates/identity/tests/data/keys/pkcs8-passphrase.pem"),
];

/// What `sealed_file::seal` made once for peer 2, in both forms: it is random.
fn sealed_files() -> Vec<Vec<u8>> {
    let reader = Identity::from_seed(&Seed::from_bytes([2; 32])).peer_id();
    [sealed_file::Form::Binary, sealed_file::Form::Text]
        .into_iter()
        .filter_map(|form| {
            let mut sealed = Vec::new();
            sealed_file::seal(&[reader], &b"hello\n"[..], &mut sealed, form).ok()?;
            Some(sealed)
        })
        .collect()
}

/// Time passes; the signaller's link opens; it welcomes and introduces; a query; the link that was offered
/// opens; the member at its other end proves its key, and pushes a document.
const PEER_LINKS: [u8; 59] = [
    0, 0, 10, 0, 0, 2, 0, 10, 0, 0, 0, 0, 6, 0, 1, 0, 9, 255, 127, 1, 3, 1, 1, 1, 1, 0, 0, 0, 0,
    10, 0, 0, 2, 1, 10, 2, 0, 9, 255, 127, 13, 0, 1, 9, 2, 0, 9, 7, 0, 3, 9, 255, 127, 3, 1, 9, 1,
    1, 0,
];
/// Then that member is a root and says that documents go by routes, and it names one, for which it is asked; it joins us, and wants
/// everything; a document comes aside; later another is named; it leaves.
const PEER_ROOTED: [u8; 128] = [
    0, 0, 10, 0, 0, 2, 0, 10, 0, 0, 0, 0, 6, 0, 1, 0, 9, 255, 127, 1, 3, 1, 1, 1, 1, 0, 0, 0, 0,
    10, 0, 0, 2, 1, 10, 2, 0, 9, 255, 127, 13, 0, 1, 9, 2, 0, 26, 0, 0, 1, 0, 9, 255, 127, 0, 0, 0,
    0, 2, 0, 0, 7, 3, 0, 0, 220, 5, 0, 9, 2, 0, 26, 5, 0, 0, 2, 1, 1, 0, 9, 2, 0, 29, 2, 0, 7, 0,
    3, 9, 255, 127, 3, 1, 9, 1, 1, 0, 9, 2, 0, 26, 0, 0, 1, 0, 9, 255, 127, 0, 0, 0, 0, 2, 0, 0, 9,
    3, 0, 0, 220, 5, 0, 9, 2, 0, 26, 7, 0,
];
/// The signaller passes on a signal.
const PEER_OFFERED: [u8; 34] = [
    0, 0, 10, 0, 0, 2, 0, 10, 0, 0, 5, 0, 0, 6, 0, 3, 1, 3, 0, 2, 0, 1, 7, 9, 255, 127, 1, 0, 255,
    127, 0, 2, 1, 10,
];
/// Of the pool: a member opens, proves its key, tells of another.
const POOL_LINKS: [u8; 36] = [
    1, 0, 10, 0, 0, 2, 0, 10, 0, 0, 0, 0, 0, 9, 255, 127, 6, 0, 0, 7, 1, 1, 9, 255, 127, 1, 0, 7,
    1, 4, 1, 0, 255, 15, 0, 0,
];
/// Two clients connect, open sessions and join; one asks for a circuit to the other and for
/// peers, and sends a signal.
const DESK_JOINS: [u8; 57] = [
    0, 1, 1, 1, 1, 2, 1, 5, 0, 1, 9, 255, 127, 1, 3, 1, 0, 1, 0, 5, 1, 1, 9, 255, 127, 1, 3, 1, 1,
    1, 0, 8, 0, 6, 4, 1, 0, 5, 8, 0, 1, 8, 8, 0, 4, 1, 3, 0, 4, 1, 0, 1, 7, 9, 255, 127, 1,
];
/// A member of the pool comes, proves its key, and tells of the clients that have joined it.
const DESK_POOL: [u8; 31] = [
    0, 10, 0, 11, 0, 2, 0, 9, 255, 127, 12, 0, 2, 2, 1, 4, 2, 7, 9, 255, 127, 1, 3, 1, 3, 1, 0, 9,
    255, 127, 5,
];

/// An author writes, some of it under keys; a reader looks for it, by time and by a field.
const ARCHIVE_KEEPS: [u8; 64] = [
    16, 5, 5, 1, 5, 0, 1, 9, 0, 1, 1, 1, 1, 0, 0, 5, 1, 6, 0, 1, 8, 0, 1, 1, 2, 1, 1, 1, 0, 4, 0,
    5, 1, 5, 0, 1, 7, 0, 1, 1, 3, 1, 1, 1, 0, 4, 0, 3, 0, 1, 1, 0, 0, 1, 4, 9, 255, 255, 0, 255,
    15, 0, 4, 0,
];
/// It deletes by key and by ids.
const ARCHIVE_DELETES: [u8; 60] = [
    0, 5, 5, 1, 5, 0, 1, 9, 0, 1, 1, 1, 1, 0, 0, 5, 1, 0, 1, 0, 0, 1, 2, 0, 1, 1, 1, 1, 0, 0, 5, 1,
    0, 2, 1, 1, 0, 1, 1, 3, 1, 1, 1, 1, 0, 4, 0, 0, 1, 0, 0, 0, 0, 4, 9, 255, 255, 0, 255, 15,
];
/// There is room for little.
const ARCHIVE_IS_FULL: [u8; 40] = [
    128, 0, 1, 5, 5, 1, 4, 255, 15, 1, 9, 0, 1, 1, 1, 1, 0, 0, 5, 1, 4, 255, 15, 1, 8, 0, 1, 1, 2,
    1, 1, 0, 5, 1, 4, 255, 15, 1, 7, 0,
];

/// What happened, also at greater length.
fn histories<const N: usize>(of: [&[u8]; N]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = of.iter().map(|history| history.to_vec()).collect();
    all.push(of.iter().flat_map(|history| history[1..].to_vec()).collect());
    all.push((0..=255).collect());
    all.push((0..512_u32).map(|n| (n * 167 % 251).to_le_bytes()[0]).collect());
    all
}
