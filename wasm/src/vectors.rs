//! What native and browser builds must compute alike, byte for byte: one text, compared with
//! `wasm/vectors.json` natively and in the browsers.
//!
//! The heart of it is a whole mesh in the simulator: every message of every peer enters one hash, so
//! wherever the targets differed (the width of integers, the order of maps, floats), it would show.

use core::{fmt::Write, time::Duration};

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde::Serialize;
use taiinet_document::{
    Content, Deletion, Document, DocumentId, DocumentIds, Key, PeerSet, Sealed, SignedDocument,
    Timestamp, UnknownContent, VerifiedDocument, Writers,
    json::{parse_map, to_json_line},
};
use taiinet_identity::{
    Domain, Identity, NextKey, OpeningKey, Recipient, RecipientKey, Seed, Signed, seal,
};
use taiinet_mesh::wire::{DocumentFrame, Frame, LinkFrame, Presence, Push, ViewFrame, codec};
use taiinet_query::{Index, Query, sort::Sort};
use taiinet_sim::{DeskConfig, PeerSpec, World, WorldConfig};

/// Documents of every kind of value.
const DOCUMENTS: [&str; 6] = [
    r#"{"type":"tweet","text":"hällo ✓","likes":5}"#,
    r#"{"min":-9223372036854775808,"max":9223372036854775807,"half":0.5,"tiny":5e-324,"huge":1.7976931348623157e308,"one":1.0,"minus":-0.0}"#,
    r#"{"list":[1,[2,[3,{"deep":null}]],true],"bytes":{"$bytes":"AAEC/w=="},"empty":{}}"#,
    r#"{"a":{"b":[{"c":1},{"c":2.5},{"d":"x"}]}}"#,
    r#"{"name":"Zoë","tags":["p2p","mesh"],"age":41}"#,
    r#"{}"#,
];

/// Queries of every operator.
const QUERIES: [&str; 15] = [
    r#"{}"#,
    r#"{"type":"tweet","likes":{"$gt":4}}"#,
    r#"{"$or":[{"half":{"$gte":0.5,"$lt":0.6}},{"likes":{"$in":[5,6]}}]}"#,
    r#"{"a.b.c":{"$gt":2}}"#,
    r#"{"text":{"$regex":"^H[äö]LLO","$options":"i"}}"#,
    r#"{"text":{"$regex":"(?i:^\\x{48}Ä(?-i)LL)o \\W$"}}"#,
    r#"{"name":{"$regex":"^[^À-Ý]O[à-ý]$","$options":"i"}}"#,
    r#"{"age":{"$gt":{"$numberLong":"40"}}}"#,
    r#"{"tags":{"$all":["mesh","p2p"]},"age":{"$mod":[4,1]}}"#,
    r#"{"list":{"$size":3},"bytes":{"$type":"binData"}}"#,
    r#"{"tags":{"$contains":"mesh"}}"#,
    r#"{"a.b":{"$elemMatch":{"c":{"$ne":1},"d":{"$exists":false}}}}"#,
    r#"{"$nor":[{"type":"tweet"},{"max":{"$exists":true}}]}"#,
    r#"{"huge":{"$gt":9223372036854775807},"min":{"$lt":-1e18}}"#,
    r#"{"age":{"$not":{"$lte":40}},"name":{"$nin":["x",null]}}"#,
];

/// What is no query.
const REFUSED: [&str; 5] = [
    r#"{"$or":[{"a":{"$gtt":1}}]}"#,
    r#"{"a":{"$regex":"("}}"#,
    r#"{"a":{"$gt":{"$date":"2025-08-01"}}}"#,
    r#"{"a":{"$ne":{"b":{"$foo":1}}}}"#,
    r#"{"a":"#,
];

/// Orders of documents.
const SORTS: [&str; 3] = ["", "age,name:desc", "huge:desc,list,text:desc,_created_at:asc"];

#[derive(Serialize)]
struct Vectors {
    identities: Vec<(String, String)>,
    signatures: Vec<String>,
    documents: Vec<DocumentVector>,
    frames: Vec<String>,
    sealed: (String, String),
    private: PrivateVector,
    agreed: String,
    queries: Vec<(String, String)>,
    refused: Vec<String>,
    places: Vec<(String, Vec<String>)>,
    mesh: Mesh,
}

#[derive(Serialize)]
struct DocumentVector {
    json: String,
    id: String,
    wire: String,
}

/// A document that is for some.
#[derive(Serialize)]
struct PrivateVector {
    wire: String,
    /// How it opens for a subscription, a peer, and another.
    opened: Vec<String>,
}

#[derive(Serialize)]
struct Mesh {
    delivered: usize,
    happenings: u64,
    hash: String,
}

/// All of it, as one text.
pub fn text() -> String {
    let ann = identity(1);
    let unknown = UnknownContent::new(4, b"of a later version").map(Content::Unknown);
    let documents: Vec<VerifiedDocument> = (0..)
        .zip(DOCUMENTS)
        .map(|(n, json)| sign(&ann, n, json))
        .chain(unknown.map(|content| sign_content(&ann, 7, content)))
        .chain(keys_and_deletions(&ann))
        .collect();
    let vectors = Vectors {
        identities: (0..4)
            .map(|n| (identity(n).peer_id().to_string(), identity(n).peer_id().to_did_key()))
            .collect(),
        signatures: [Domain::Document, Domain::Hello, Domain::Presence, Domain::Signal]
            .map(|domain| hex(ann.sign(domain, b"content").as_bytes()))
            .to_vec(),
        documents: documents
            .iter()
            .map(|document| DocumentVector {
                json: document
                    .content()
                    .fields()
                    .and_then(|fields| to_json_line(fields).ok())
                    .unwrap_or_default(),
                id: document.id().to_string(),
                wire: hex(&codec::encode(document.signed())),
            })
            .collect(),
        frames: frames(&ann, documents[0].signed()),
        sealed: sealed(),
        private: private(&ann),
        agreed: agreed(),
        queries: QUERIES.map(|query| (query.to_owned(), matches(query, &documents))).to_vec(),
        refused: REFUSED
            .map(|query| query.parse::<Query>().err().map_or_else(String::new, |e| e.to_string()))
            .to_vec(),
        places: SORTS.map(|sort| (sort.to_owned(), places(sort, &documents))).to_vec(),
        mesh: mesh(),
    };
    serde_json::to_string_pretty(&vectors).unwrap_or_default()
}

/// Checks a signature so many times, as that of a document is checked.
///
/// # Panics
/// When one does not hold, which cannot be.
pub fn verify(times: u32) {
    let ann = identity(1);
    let (content, key) = (DOCUMENTS[0].as_bytes(), ann.public_key());
    let signature = ann.sign(Domain::Document, content);
    for _ in 0..times {
        key.verify(Domain::Document, content, &signature).expect("it holds");
    }
}

fn identity(number: u8) -> Identity {
    Identity::from_seed(&Seed::from_bytes([number; 32]))
}

fn sign(author: &Identity, nonce: u32, json: &str) -> VerifiedDocument {
    sign_content(author, nonce, Content::Open(parse_map(json).expect("a document")))
}

/// Versions of a shared document by its owner and another, and both kinds of deletions.
fn keys_and_deletions(ann: &Identity) -> [VerifiedDocument; 5] {
    let writers = PeerSet::new([2, 3].map(|n| identity(n).peer_id())).expect("two peers");
    let ids = [9, 8].map(|byte| DocumentId::from_bytes([byte; 32]));
    let ids = DocumentIds::new(ids).expect("two ids");
    let open = || Content::Open(parse_map("{}").expect("a document"));
    let shared = |writers| Some(Key::shared("a key", writers));
    [
        (8, shared(Writers::Anyone), open()),
        (9, shared(Writers::Peers(writers)), open()),
        (10, Some(Key::of("a key", identity(2).peer_id())), open()),
        (11, Some("a key".into()), Content::Deleted(Deletion::Key)),
        (12, None, Content::Deleted(Deletion::Documents(ids))),
    ]
    .map(|(nonce, key, content)| sign_keyed(ann, nonce, key, content))
}

fn sign_content(author: &Identity, nonce: u32, content: Content) -> VerifiedDocument {
    sign_keyed(author, nonce, (nonce == 1).then(|| "a key".into()), content)
}

fn sign_keyed(
    author: &Identity,
    nonce: u32,
    key: Option<Key>,
    content: Content,
) -> VerifiedDocument {
    let document = Document {
        network: "vectors".parse().expect("a network's name"),
        created_at: Timestamp::from_millis(1_800_000_000_000 + u64::from(nonce)),
        nonce,
        expires_at: nonce.is_multiple_of(2).then(|| Timestamp::from_millis(1_900_000_000_000)),
        key,
        next_key: (nonce == 2).then(|| NextKey::from_bytes([7; 32])),
        content,
    };
    VerifiedDocument::sign(author, document).expect("within the limits")
}

fn frames(ann: &Identity, document: &SignedDocument) -> Vec<String> {
    let presence = Presence {
        network: "vectors".parse().expect("a network's name"),
        joined: None,
        issued_at: Timestamp::from_millis(1),
        expires_at: Timestamp::from_millis(u64::MAX),
        address: None,
        next_key: None,
        archive: None,
        open: false,
    };
    let frames = [
        Frame::Documents(DocumentFrame::Push(Push { hops: 3, document: document.clone() })),
        Frame::Documents(DocumentFrame::Have(vec![document.id(); 2])),
        Frame::View(ViewFrame::Shuffle(vec![Signed::new(ann, &presence)])),
        Frame::Link(LinkFrame::Ack(u32::MAX)),
    ];
    frames.iter().map(|frame| hex(&codec::message(core::slice::from_ref(frame)))).collect()
}

/// Sealed to another peer with a known generator, and opened by it (HPKE, RFC 9180).
fn sealed() -> (String, String) {
    let (info, to) = (b"taiinet/1 vectors", identity(2));
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let sealed = seal(&to.peer_id(), info, b"for your eyes only", &mut rng).unwrap_or_default();
    let opened = to.open(info, &sealed).unwrap_or_default();
    (hex(&sealed), String::from_utf8_lossy(&opened).into())
}

/// Sealed to a subscription and a peer with a known generator, one field in clear, and opened by both.
fn private(ann: &Identity) -> PrivateVector {
    let mut rng = ChaCha20Rng::from_seed([4; 32]);
    let (subscription, peer, other) = (RecipientKey::generate(&mut rng), identity(2), identity(3));
    let content = parse_map(DOCUMENTS[0]).expect("a document");
    let recipients = [Recipient::Subscription(subscription.id()), Recipient::Peer(peer.peer_id())];
    let network = "vectors".parse().expect("a network's name");
    let author = ann.peer_id();
    let sealed = Sealed::seal(content, &["type"], &recipients, author, &network, &mut rng);
    let document = sign_content(ann, 6, Content::Sealed(sealed.expect("two usable keys")));
    let open = |key: OpeningKey<'_>| match document.open([key]) {
        Ok(opened) => {
            let text = to_json_line(&opened.fields).unwrap_or_default();
            format!("{} {text}", taiinet_session::Privacy::of(Some(&opened)))
        }
        Err(error) => error.to_string(),
    };
    PrivateVector {
        wire: hex(&codec::encode(document.signed())),
        opened: vec![
            open(OpeningKey::Subscription(&subscription)),
            open(OpeningKey::Identity(&peer)),
            open(OpeningKey::Identity(&other)),
        ],
    }
}

/// On how many of the cases that MongoDB's engines agree on we agree, too.
fn agreed() -> String {
    const CASES: &str = include_str!("../../crates/query/tests/data/agreed.ndjson");
    let holds = |line: &str| -> Option<bool> {
        let case: serde_json::Value = serde_json::from_str(line).ok()?;
        let query: Query = case["q"].to_string().parse().ok()?;
        let document = parse_map(&case["d"].to_string()).ok()?;
        Some(query.matches(&document) == case["e"].as_bool()?)
    };
    let agreed = CASES.lines().filter(|line| holds(line) == Some(true)).count();
    format!("{agreed} of {}", CASES.lines().count())
}

/// Which of the documents match, asked one by one and of the index.
fn matches(query: &str, documents: &[VerifiedDocument]) -> String {
    let query: Query = query.parse().expect("a query");
    let mut index = Index::with_seed(1);
    index.insert(0, query.clone());
    let letter = |document: &VerifiedDocument| match (
        query.matches_document(document),
        index.matches_document(document).len(),
    ) {
        (true, 1) => 'x',
        (false, 0) => '-',
        _ => '?',
    };
    documents.iter().map(letter).collect()
}

/// Where each of the documents that have fields stands.
fn places(sort: &str, documents: &[VerifiedDocument]) -> Vec<String> {
    let sort: Sort = sort.parse().expect("a sort");
    let places = documents.iter().filter_map(|document| sort.place_of(document));
    places.map(|place| place.to_string()).collect()
}

/// Twelve peers, half a minute, some loss of peers: the hash over all that happened.
fn mesh() -> Mesh {
    let mut world = World::new(7, WorldConfig::default());
    let signaller = world.add_signaller(DeskConfig::default());
    let spec = PeerSpec::new("vectors".parse().expect("a network's name"), &[signaller]);
    let peers = world.add_peers(12, &spec);
    for (number, peer) in peers.iter().enumerate() {
        world.subscribe(*peer, &format!(r#"{{"number":{{"$mod":[{},0]}}}}"#, number % 3 + 1));
    }
    world.run_for(Duration::from_secs(10));
    for number in 0..60 {
        let by = peers[number % 5];
        world.publish(by, &format!(r#"{{"number":{number}}}"#)).expect("there is room");
        world.run_for(Duration::from_millis(100));
        if number == 30 {
            world.crash(peers[11]);
        }
    }
    world.run_for(Duration::from_secs(14));
    let delivered = peers.iter().map(|peer| world.deliveries(*peer).len()).sum();
    Mesh { delivered, happenings: world.trace_entries(), hash: hex(&world.trace_hash()) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    /// `TAIINET_BLESS=1 cargo test -p taiinet-wasm` writes the file again.
    #[test]
    fn the_native_build_computes_the_shared_vectors() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors.json");
        let text = super::text();
        if std::env::var_os("TAIINET_BLESS").is_some() {
            std::fs::write(path, &text).expect("the file can be written");
        }
        assert_eq!(text, std::fs::read_to_string(path).expect("the file can be read"));
    }
}
