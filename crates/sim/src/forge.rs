//! Things as they stand on the wire, made by hand: by the book, or as a test wants them.

use taiinet_document::{
    Content, Document, Map, Network, Sealed, SignedDocument, Timestamp, UnknownContent,
    VerifiedDocument, parse_map,
};
use taiinet_identity::{Domain, Identity, NextKey, PeerId, Recipient, Signature, Signed, seal};
use taiinet_mesh::{
    ChannelBinding, limits,
    wire::{Hello, Joined, Presence, Signal, SignalBody, codec},
};

/// A hello of this protocol's version.
pub fn hello(peer: PeerId, network: &Network, nonce: [u8; 32]) -> Hello {
    Hello::new(network.clone(), peer, nonce)
}

/// The proof that follows two hellos: over the offering end's, the answering end's, the channel, and
/// whether the offering end signs.
pub fn proof(
    identity: &Identity,
    ours: &Hello,
    theirs: &Hello,
    binding: ChannelBinding,
    we_offered: bool,
) -> Signature {
    let (offerer, answerer) = if we_offered { (ours, theirs) } else { (theirs, ours) };
    let content = Hello::proof_content(offerer, answerer, binding, we_offered);
    identity.sign(Domain::Hello, &content)
}

/// A presence, issued at `now` (milliseconds) for the usual time.
pub fn presence(
    identity: &Identity,
    network: &Network,
    joined: Option<Joined>,
    now: u64,
) -> Signed<Presence> {
    let life = crate::rng::millis(limits::PRESENCE_LIFE);
    let presence = Presence {
        network: network.clone(),
        joined,
        issued_at: Timestamp::from_millis(now),
        expires_at: Timestamp::from_millis(now + life),
        address: None,
        next_key: None,
        archive: None,
        open: false,
    };
    Signed::new(identity, &presence)
}

/// A signal, sealed to `to` and signed. None if `to` is not a usable key.
pub fn signal(
    identity: &Identity,
    network: &Network,
    to: PeerId,
    body: &SignalBody,
    now: u64,
    entropy: [u8; 32],
) -> Option<Signed<Signal>> {
    use rand_core::SeedableRng as _;
    let mut rng = rand_chacha::ChaCha12Rng::from_seed(entropy);
    let info = signal_info(network, identity.peer_id(), to);
    let sealed = seal(&to, &info, &codec::encode(body), &mut rng).ok()?;
    let sent_at = Timestamp::from_millis(now);
    Some(Signed::new(identity, &Signal { network: network.clone(), to, sent_at, sealed }))
}

/// Opens a signal that was sealed to `identity`.
pub fn open_signal(identity: &Identity, signal: &Signed<Signal>) -> Option<SignalBody> {
    let body = signal.peek().ok()?;
    let info = signal_info(&body.network, signal.signer(), body.to);
    codec::decode(&identity.open(&info, &body.sealed).ok()?).ok()
}

fn signal_info(network: &Network, from: PeerId, to: PeerId) -> Vec<u8> {
    let mut info = b"taiinet/1 signal".to_vec();
    info.extend_from_slice(from.as_bytes());
    info.extend_from_slice(to.as_bytes());
    info.extend_from_slice(network.as_str().as_bytes());
    info
}

/// A document's fields from JSON.
///
/// # Panics
/// If it is not a JSON object that fits a document.
pub fn fields(json: &str) -> Map {
    parse_map(json).expect("a test's content is valid JSON")
}

/// A valid document with `content` (JSON), dated `created_at` (milliseconds).
///
/// # Panics
/// If the content does not fit into a document.
pub fn document(
    identity: &Identity,
    network: &Network,
    created_at: u64,
    content: &str,
) -> SignedDocument {
    let created_at = Timestamp::from_millis(created_at);
    signed(identity, network, created_at, None, Content::Open(fields(content)))
}

/// As [`document`], under a key.
///
/// # Panics
/// If the content does not fit into a document.
pub fn keyed(
    identity: &Identity,
    network: &Network,
    created_at: Timestamp,
    key: &str,
    content: &str,
) -> SignedDocument {
    signed(identity, network, created_at, Some(key), Content::Open(fields(content)))
}

fn signed(
    identity: &Identity,
    network: &Network,
    created_at: Timestamp,
    key: Option<&str>,
    content: Content,
) -> SignedDocument {
    let document = Document {
        network: network.clone(),
        created_at,
        nonce: 0,
        expires_at: None,
        key: key.map(Into::into),
        next_key: None,
        content,
    };
    VerifiedDocument::sign(identity, document).expect("a test's document is valid").signed().clone()
}

/// What a later version writes: the same document with its author's next key, which this one reserves, and
/// if there is a kind with content of that kind.
///
/// # Panics
/// If this version knows the kind, or there will never be one.
pub fn of_the_next_version(
    identity: &Identity,
    document: &SignedDocument,
    kind: Option<u8>,
    key: Option<&str>,
) -> SignedDocument {
    let document = document.decode().expect("a test's document is valid");
    let unknown = |kind| UnknownContent::new(kind, b"what is to come").expect("of a later version");
    let content = kind.map_or(document.content, |kind| Content::Unknown(unknown(kind)));
    let (key, next_key) = (key.map(Into::into), Some(NEXT_KEY));
    let document = Document { key, next_key, content, ..document };
    VerifiedDocument::sign(identity, document).expect("a test's document is valid").signed().clone()
}

/// What puppets of the next version say of their next key.
pub const NEXT_KEY: NextKey = NextKey::from_bytes([7; 32]);

/// A valid document whose content is sealed to some, dated `created_at` (milliseconds).
///
/// # Panics
/// If the content does not fit into a document, or has no recipient.
pub fn sealed(
    identity: &Identity,
    network: &Network,
    created_at: u64,
    content: &str,
    to: &[Recipient],
    entropy: [u8; 32],
) -> SignedDocument {
    use rand_core::SeedableRng as _;
    let mut rng = rand_chacha::ChaCha12Rng::from_seed(entropy);
    let author = identity.peer_id();
    let public: [&str; 0] = [];
    let sealed = Sealed::seal(fields(content), &public, to, author, network, &mut rng);
    let content = Content::Sealed(sealed.expect("a test's recipients have keys"));
    signed(identity, network, Timestamp::from_millis(created_at), None, content)
}

/// The same document (of the same name) with a signature that does not hold.
///
/// # Panics
/// Never: the length stays as it was.
pub fn with_bad_signature(document: &SignedDocument) -> SignedDocument {
    let mut bytes = codec::encode(document);
    if let Some(byte) = bytes.get_mut(PeerId::LEN + 5) {
        *byte ^= 1;
    }
    codec::decode(&bytes).expect("only the signature was changed")
}

/// The encoded frame of a push with a body of any size and content under a valid signature; it may
/// well not decode.
pub fn raw_push(identity: &Identity, hops: u8, body: &[u8]) -> Vec<u8> {
    // By hand, because the types refuse to hold what breaks a limit: group, variant, hops, author,
    // signature, length, body.
    let template = codec::encode(&taiinet_mesh::wire::Frame::Documents(
        taiinet_mesh::wire::DocumentFrame::Push(taiinet_mesh::wire::Push {
            hops,
            document: document(identity, &"x".parse().expect("a name"), 1, "{}"),
        }),
    ));
    let mut frame = template.get(..3).unwrap_or_default().to_vec();
    frame.extend_from_slice(identity.peer_id().as_bytes());
    frame.extend_from_slice(identity.sign(Domain::Document, body).as_bytes());
    let mut length = body.len();
    while length >= 0x80 {
        frame.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    frame.push(length as u8);
    frame.extend_from_slice(body);
    frame
}
