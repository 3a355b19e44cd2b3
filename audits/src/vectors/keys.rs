//! Keys, names, signatures.

use serde_json::{Value as Json, json};
use taiinet_identity::{Domain, PeerId};

use crate::fixture::{hex, identity};

const DOMAINS: [Domain; 8] = [
    Domain::Document,
    Domain::Hello,
    Domain::Presence,
    Domain::Signal,
    Domain::Welcome,
    Domain::File,
    Domain::Bulletin,
    Domain::Sought,
];

/// Texts that are no peer's name, and why.
fn refused() -> [(&'static str, String); 7] {
    let name = identity(1).peer_id().to_string();
    let mut mixed = name.clone();
    mixed.replace_range(20.., &name[20..].to_uppercase());
    [
        ("a letter changed", name.replace("tn1", "tn1q")),
        ("another prefix", name.replacen("tn1", "bc1", 1)),
        ("upper and lower case", mixed),
        ("not canonical: y = p + 3", PeerId::from_bytes(not_canonical()).to_string()),
        ("of small order", PeerId::from_bytes([0; 32]).to_string()),
        (
            "a did:key of an X25519 key",
            "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc".into(),
        ),
        ("nothing", String::new()),
    ]
}

fn not_canonical() -> [u8; 32] {
    let mut bytes = [0xff; 32];
    (bytes[0], bytes[31]) = (0xf0, 0x7f);
    bytes
}

pub(super) fn vectors() -> Json {
    let identities: Vec<Json> = (0..4)
        .map(|number| {
            let identity = identity(number);
            let peer = identity.peer_id();
            json!({
                "seed": hex(identity.seed().expose()),
                "peer_id": hex(peer.as_bytes()),
                "text": peer.to_string(),
                "did_key": peer.to_did_key(),
                "x25519": hex(&identity.public_key().to_x25519()),
            })
        })
        .collect();
    let signatures: Vec<Json> = DOMAINS
        .into_iter()
        .map(|domain| {
            let content = b"content";
            let message = [domain.as_str().as_bytes(), blake3::hash(content).as_bytes()].concat();
            json!({
                "seed": hex(&[1; 32]),
                "domain": domain.as_str(),
                "content": hex(content),
                "signed_message": hex(&message),
                "signature": hex(identity(1).sign(domain, content).as_bytes()),
            })
        })
        .collect();
    let refused: Vec<Json> = refused()
        .into_iter()
        .map(|(why, text)| {
            assert!(text.parse::<PeerId>().is_err(), "{why}: {text}");
            json!({ "why": why, "text": text })
        })
        .collect();
    json!({ "identities": identities, "signatures": signatures, "no_peer_ids": refused })
}
