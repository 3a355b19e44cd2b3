//! A hostile member of the network: with keys of its own it signs, seals and proves whatever it likes.

mod rooted;

use taiinet_document::{
    Content, Deletion, Difference, Differences, Document, DocumentId, DocumentIds, Held, Inquiry,
    Key, Map, Mark, PeerSet, ShortId, SignedDocument, Stretch, Subscription, Timestamp,
    UnknownContent, VerifiedDocument, Writers,
};
use taiinet_identity::{
    Domain, NextKey, PeerId, Recipient, RecipientId, Signed, signature_file::SignatureFile,
};
use taiinet_mesh::{
    ChannelBinding, Time, limits,
    session::{Dialler, Opening, Purpose},
    wire::{
        CircuitFrame, CircuitPart, Compare, Differs, DocumentFrame, Features, Find, FindFrame,
        Found, Fragment, Frame, Given, Hello, Inquire, Joined, Keep, Kept, LinkFrame, Neighbour,
        Outcome, Piece, PoolFrame, Presence, Push, Refusal, RefusalReason, Rest, Signal,
        SignalBody, SignalFrame, SignalPart, SyncFrame, Took, Undeliverable, VERSION, ViewFrame,
        Want, codec,
    },
};

use super::bytes::Bytes;
use crate::fixture::{identity, map, named, network, sign};

/// How many keys a member has: the identities from 2 on. Identity 1 is attacked.
const KEYS: usize = 5;
/// The identity that is attacked.
pub(super) const VICTIM: u8 = 1;

const NEXT_KEY: NextKey = NextKey::from_bytes([7; 32]);

const CONTENTS: [&str; 5] = [
    r#"{"type":"tweet","likes":5,"text":"hello"}"#,
    r#"{"type":"tweet","likes":4.5,"tags":["a","b",{"c":[1]}]}"#,
    r#"{}"#,
    r#"{"a":{"b":[{"c":1},{"c":2.5},{"d":"x"}]},"_id":"no","_author":7}"#,
    r#"{"joined":[{"$bytes":"AAEC"}],"left":[1,{"$bytes":""}]}"#,
];

/// Queries, some of which are none.
pub(super) const QUERIES: [&str; 7] = [
    r#"{}"#,
    r#"{"type":"tweet"}"#,
    r#"{"likes":{"$gt":4}}"#,
    r#"{"$or":[{"a.b.c":1},{"text":{"$regex":"^h"}}]}"#,
    r#"{"_author":{"$in":["tn1"]},"tags":{"$contains":"a"}}"#,
    r#"{"$nor":[{}]}"#,
    r#"{"$nothing":1}"#,
];

/// Orders, some of which are none.
pub(super) const SORTS: [&str; 6] =
    ["", "likes:desc", "_created_at:asc", "type,likes:desc,_created_at:desc", "a.b.c", "likes:up"];

/// What it made so far, to be spoken of again.
#[derive(Debug, Default)]
pub(super) struct Member {
    made: Vec<DocumentId>,
    recipients: Vec<RecipientId>,
}

impl Member {
    /// One of its keys.
    pub(super) fn key(bytes: &mut Bytes<'_>) -> u8 {
        2 + u8::try_from(bytes.below(KEYS)).unwrap_or_default()
    }

    pub(super) fn somebody(bytes: &mut Bytes<'_>) -> PeerId {
        match bytes.below(8) {
            0 => PeerId::from_bytes([0; 32]),
            1 => PeerId::from_bytes([bytes.u8(); 32]),
            2 | 3 => identity(VICTIM).peer_id(),
            _ => identity(Self::key(bytes)).peer_id(),
        }
    }

    /// It made something that it may speak of.
    pub(super) fn heard_of(&mut self, id: DocumentId) {
        if self.made.len() < 256 {
            self.made.push(id);
        }
    }

    /// Mostly about now; some times are at the edge of what counts, some extreme.
    pub(super) fn when(bytes: &mut Bytes<'_>, now: Time) -> Timestamp {
        let offset: i64 = match bytes.below(16) {
            0 => 119_000,
            1 => 121_000,
            2 => -290_000,
            3 => -301_000,
            4 => 601_000,
            5 => 599_000,
            6 => i64::MAX,
            7 => i64::MIN,
            8 => -i64::from(bytes.u32()),
            _ => i64::from(bytes.u16()) - 0x7fff,
        };
        Timestamp::from_millis(now.as_millis().saturating_add_signed(offset))
    }

    fn network(bytes: &mut Bytes<'_>, usually: &str) -> taiinet_document::Network {
        if bytes.below(16) == 0 { named("elsewhere") } else { named(usually) }
    }

    pub(super) fn presence(
        bytes: &mut Bytes<'_>,
        usually: &str,
        joined: Option<Joined>,
        now: Time,
    ) -> Signed<Presence> {
        let issued_at = Self::when(bytes, now);
        let expires_at = match bytes.below(4) {
            0 => Self::when(bytes, now),
            _ => Timestamp::from_millis(issued_at.as_millis().saturating_add(600_000)),
        };
        let choice = bytes.below(12);
        let next_key = (choice >= 6).then_some(NEXT_KEY);
        let open = choice.is_multiple_of(2);
        let address = match choice % 6 {
            0 => Some(format!("wss://{}.example", bytes.below(200))),
            1 => Some(bytes.text()),
            2 => Some("ws://".to_owned() + &"x".repeat(usize::from(bytes.u16() % 1024))),
            _ => None,
        };
        let network = Self::network(bytes, usually);
        let archive = (choice % 6 == 4).then(|| Self::kept(choice));
        let presence =
            Presence { network, joined, issued_at, expires_at, address, next_key, archive, open };
        let signed = Signed::new(&identity(Self::key(bytes)), &presence);
        if bytes.below(8) == 0 { Self::altered(&signed, bytes) } else { signed }
    }

    /// What it says that it keeps, at times too much.
    fn kept(choice: usize) -> Kept {
        let queries = QUERIES.iter().cycle().take(choice).map(|query| (*query).to_owned());
        Kept { since: Timestamp::default(), queries: queries.collect(), indexed: Vec::new() }
    }

    /// The same with a byte of it changed, if that is still something.
    fn altered<T>(of: &T, bytes: &mut Bytes<'_>) -> T
    where
        T: serde::Serialize + serde::de::DeserializeOwned + Clone,
    {
        let mut wire = codec::encode(of);
        let at = usize::from(bytes.u16()) % wire.len().max(1);
        if let Some(byte) = wire.get_mut(at) {
            *byte ^= bytes.u8();
        }
        codec::decode(&wire).unwrap_or_else(|_| of.clone())
    }

    pub(super) fn content(&mut self, bytes: &mut Bytes<'_>) -> Content {
        match bytes.below(8) {
            0 => Content::Deleted(self.deletion(bytes)),
            1 | 2 => {
                let recipient = RecipientId::from_bytes([bytes.u8(); 32]);
                self.recipients.push(recipient);
                let query = match bytes.below(4) {
                    0 => bytes.text(),
                    _ => bytes.choose(&QUERIES).unwrap_or_default().to_owned(),
                };
                Content::Subscription(Subscription { query, recipient })
            }
            3 => {
                use rand_core::SeedableRng;
                let mut rng = rand_chacha::ChaCha20Rng::from_seed([bytes.u8(); 32]);
                let author = identity(Self::key(bytes)).peer_id();
                let to = [Recipient::Peer(Self::somebody(bytes))];
                let fields = map(CONTENTS[0]);
                let sealed = taiinet_document::Sealed::seal(
                    fields,
                    &["type"],
                    &to,
                    author,
                    &network(),
                    &mut rng,
                );
                sealed.map_or(Content::Open(Map::new()), Content::Sealed)
            }
            4 => {
                let length = bytes.u16();
                let text = "x".repeat(length.into());
                match UnknownContent::new(length.to_le_bytes()[0], text.as_bytes()) {
                    Some(unknown) => Content::Unknown(unknown),
                    None => Content::Open([("text".to_owned(), text.into())].into()),
                }
            }
            _ => Content::Open(map(bytes.choose(&CONTENTS).unwrap_or("{}"))),
        }
    }

    /// Of what it made, of what there is not, or of a key.
    fn deletion(&self, bytes: &mut Bytes<'_>) -> Deletion {
        let ids = match bytes.below(4) {
            0 => (0..=bytes.u8()).map(|n| DocumentId::from_bytes([n; 32])).collect(),
            1 => (0..=bytes.below(4)).filter_map(|_| bytes.choose(&self.made)).collect(),
            _ => Vec::new(),
        };
        DocumentIds::new(ids).map_or(Deletion::Key, Deletion::Documents)
    }

    /// Of few names, so that versions of one document come together, and with few or many writers.
    pub(super) fn document_key(bytes: &mut Bytes<'_>) -> Key {
        let name = match bytes.below(8) {
            0 => bytes.text(),
            _ => bytes.choose(&["a", "b"]).unwrap_or_default().to_owned(),
        };
        match bytes.below(8) {
            0 => Key::shared(name, Writers::Anyone),
            1 => {
                let many = (0..bytes.below(64)).map(|n| PeerId::from_bytes([n as u8; 32]));
                let writers = PeerSet::new(many.chain([Self::somebody(bytes)]));
                writers.map_or("many".into(), |peers| Key::shared(name, Writers::Peers(peers)))
            }
            2 | 3 => Key::of(name, Self::somebody(bytes)),
            _ => Key::new(name),
        }
    }

    /// A place in some order, or something else.
    pub(super) fn cursor(bytes: &mut Bytes<'_>) -> Vec<u8> {
        match bytes.below(8) {
            0 => bytes.some().to_vec(),
            1 => vec![bytes.u8(); 40 + usize::from(bytes.u16() % 400)],
            2 => [&[0xdf; 9][..], &[bytes.u8(); 40]].concat(),
            3 => vec![bytes.u8(); 40],
            _ => Vec::new(),
        }
    }

    pub(super) fn document(
        &mut self,
        bytes: &mut Bytes<'_>,
        usually: &str,
        now: Time,
    ) -> SignedDocument {
        let content = self.content(bytes);
        let author = identity(Self::key(bytes));
        let created_at = Self::when(bytes, now);
        let key = match (bytes.below(4), &content) {
            (_, Content::Deleted(Deletion::Documents(_))) => None,
            (0 | 1, Content::Subscription(subscription)) => Some(subscription.key().into()),
            (0 | 1, Content::Deleted(Deletion::Key)) => {
                let recipient = bytes.choose(&self.recipients);
                recipient.map(|recipient| format!("subscription {recipient}").into())
            }
            (2, _) | (_, Content::Deleted(Deletion::Key)) => Some(Self::document_key(bytes)),
            _ => None,
        };
        let network = Self::network(bytes, usually);
        let nonce = bytes.u8();
        let document = Document {
            network,
            created_at,
            nonce: nonce.into(),
            expires_at: (bytes.below(4) == 0).then(|| Self::when(bytes, now)),
            key,
            next_key: (nonce % 4 == 3).then_some(NEXT_KEY),
            content,
        };
        let verified = VerifiedDocument::sign(&author, document)
            .unwrap_or_else(|_| sign(&author, 0, now, Content::Open(Map::new())));
        self.heard_of(verified.id());
        let signed = verified.signed().clone();
        if bytes.below(8) == 0 { Self::altered(&signed, bytes) } else { signed }
    }

    fn mark(&self, bytes: &mut Bytes<'_>, now: Time) -> Mark {
        let id = bytes.choose(&self.made);
        let created_at = Self::when(bytes, now);
        id.map_or(created_at.into(), |id| Mark { created_at, id })
    }

    /// Mostly in order, and mostly not too long.
    fn compare(&self, bytes: &mut Bytes<'_>, now: Time) -> Compare {
        let from = self.mark(bytes, now);
        let count =
            if bytes.below(8) == 0 { usize::from(bytes.u16() % 300) } else { bytes.below(5) };
        let mut pieces: Vec<Piece> = (0..count)
            .map(|_| Piece {
                until: self.mark(bytes, now),
                count: bytes.u8().into(),
                sum: bytes.u8().into(),
            })
            .collect();
        if bytes.below(8) > 0 {
            pieces.retain(|piece| piece.until > from);
            pieces.sort_by_key(|piece| piece.until);
            pieces.dedup_by_key(|piece| piece.until);
        }
        Compare { salt: [bytes.u8(); 32], from, pieces }
    }

    /// As archives ask one another and answer.
    fn reconciles(&mut self, bytes: &mut Bytes<'_>, usually: &str, now: Time) -> SyncFrame {
        let request = bytes.below(4) as u32;
        match bytes.below(4) {
            0 => SyncFrame::Inquire(Inquire { request, inquiry: self.inquiry(bytes, now) }),
            1 => {
                let differences = self.differences(bytes, now);
                SyncFrame::Differs(Differs { request, differences })
            }
            2 => SyncFrame::Want(Want { request, ids: self.short_ids(bytes) }),
            _ => SyncFrame::Given(Given {
                request,
                documents: (0..bytes.below(3))
                    .map(|_| self.document(bytes, usually, now))
                    .collect(),
                last: bytes.bool(),
            }),
        }
    }

    pub(super) fn inquiry(&self, bytes: &mut Bytes<'_>, now: Time) -> Inquiry {
        let stretch = |bytes: &mut Bytes<'_>| {
            let Compare { from, pieces, .. } = self.compare(bytes, now);
            Stretch { from, pieces }
        };
        let mut stretches: Vec<Stretch> = (0..=bytes.below(3)).map(|_| stretch(bytes)).collect();
        if bytes.below(8) > 0 {
            stretches.retain(|stretch| !stretch.pieces.is_empty());
            stretches.sort_by_key(|stretch| stretch.from);
        }
        Inquiry { salt: [bytes.u8(); 32], stretches }
    }

    pub(super) fn differences(&self, bytes: &mut Bytes<'_>, now: Time) -> Differences {
        let difference = |bytes: &mut Bytes<'_>| Difference {
            piece: bytes.below(8) as u16,
            held: match bytes.below(2) {
                0 => Held::Ids(self.short_ids(bytes)),
                _ => Held::Pieces(self.compare(bytes, now).pieces),
            },
        };
        let first = bytes.below(4) as u16;
        let pieces = (0..bytes.below(4)).map(|_| difference(bytes)).collect();
        Differences { first, pieces }
    }

    /// Mostly ascending.
    pub(super) fn short_ids(&self, bytes: &mut Bytes<'_>) -> Vec<ShortId> {
        let mut ids: Vec<ShortId> = self.ids(bytes).iter().map(ShortId::from).collect();
        if bytes.below(8) > 0 {
            ids.sort_unstable();
            ids.dedup();
        }
        ids
    }

    fn ids(&self, bytes: &mut Bytes<'_>) -> Vec<DocumentId> {
        match bytes.below(8) {
            0 => vec![DocumentId::from_bytes([bytes.u8(); 32]); usize::from(bytes.u16() % 500)],
            1 => {
                let (start, count) = (bytes.u8(), bytes.u16() % 500);
                let id = |n: u16| {
                    let mut id = [start; 32];
                    id[..2].copy_from_slice(&n.to_be_bytes());
                    DocumentId::from_bytes(id)
                };
                (0..count).map(id).collect()
            }
            _ => (0..=bytes.below(4)).filter_map(|_| bytes.choose(&self.made)).collect(),
        }
    }

    pub(super) fn signal(
        bytes: &mut Bytes<'_>,
        usually: &str,
        from: Option<u8>,
        now: Time,
    ) -> Signed<Signal> {
        let text = match bytes.below(4) {
            0 => bytes.text(),
            _ => "v=0\r\n".to_owned(),
        };
        let part = match bytes.below(5) {
            0 => SignalPart::Answer(text),
            1 => SignalPart::Candidate(text),
            2 => SignalPart::Refuse { reason: Self::reason(bytes), retry_after_ms: bytes.u32() },
            _ => SignalPart::Offer(text),
        };
        let from = identity(from.unwrap_or_else(|| Self::key(bytes)));
        let to = Self::somebody(bytes);
        let body = codec::encode(&SignalBody { session: bytes.below(4) as u64, part });
        let network = Self::network(bytes, usually);
        let info = [
            b"taiinet/1 signal",
            &from.peer_id().as_bytes()[..],
            to.as_bytes(),
            network.as_str().as_bytes(),
        ]
        .concat();
        use rand_core::SeedableRng;
        let mut rng = rand_chacha::ChaCha20Rng::from_seed([bytes.u8(); 32]);
        let sealed = taiinet_identity::seal(&to, &info, &body, &mut rng);
        let sealed = sealed.unwrap_or_else(|_| bytes.some().to_vec());
        let signal = Signal { network, to, sent_at: Self::when(bytes, now), sealed };
        let signed = Signed::new(&from, &signal);
        if bytes.below(8) == 0 { Self::altered(&signed, bytes) } else { signed }
    }

    pub(super) fn reason(bytes: &mut Bytes<'_>) -> RefusalReason {
        // Those that this version knows, and one that it does not.
        RefusalReason::from(bytes.u8() % 13)
    }

    /// Of a link that a signaller relays, or does not.
    pub(super) fn circuit(bytes: &mut Bytes<'_>) -> CircuitFrame {
        let peer = Self::somebody(bytes);
        let opening = Opening { version: VERSION, dialled: String::new() };
        let part = match bytes.below(8) {
            0..=2 => match Dialler::new(Purpose::Circuit, &opening, [bytes.u8(); 32]) {
                Ok((_, first)) => CircuitPart::Open(first),
                Err(_) => CircuitPart::Open(Vec::new()),
            },
            3 => CircuitPart::Open(bytes.some().to_vec()),
            4 => CircuitPart::Accept(bytes.some().to_vec()),
            5 => CircuitPart::Message(bytes.some().to_vec()),
            6 => CircuitPart::Took(bytes.u32()),
            _ => CircuitPart::End(Self::reason(bytes)),
        };
        CircuitFrame { peer, part }
    }

    pub(super) fn presences(
        bytes: &mut Bytes<'_>,
        usually: &str,
        now: Time,
    ) -> Vec<Signed<Presence>> {
        let count = if bytes.below(8) == 0 { bytes.below(20) } else { bytes.below(4) };
        (0..count).map(|_| Self::presence(bytes, usually, None, now)).collect()
    }

    /// Any frame between peers.
    pub(super) fn frame(&mut self, bytes: &mut Bytes<'_>, usually: &str, now: Time) -> Frame {
        match bytes.below(33) {
            0 => Frame::Link(LinkFrame::Hello(Self::hello(Self::key(bytes), usually))),
            1 => Frame::Link(LinkFrame::Proof(
                identity(Self::key(bytes)).sign(Domain::Hello, bytes.some()),
            )),
            2 => self.neighbour(bytes, usually, now),
            3 => Frame::Link(LinkFrame::Refuse(Refusal {
                reason: Self::reason(bytes),
                retry_after_ms: bytes.u32(),
                instead: Self::presences(bytes, usually, now),
            })),
            4 => Frame::Link(LinkFrame::Bye),
            5 => Frame::Link(LinkFrame::Ping(bytes.u32())),
            6 => Frame::Link(LinkFrame::Pong(bytes.u8().into())),
            7 => Frame::View(ViewFrame::Shuffle(Self::presences(bytes, usually, now))),
            8 => Frame::View(ViewFrame::ShuffleReply(Self::presences(bytes, usually, now))),
            9 | 10 => {
                let document = self.document(bytes, usually, now);
                Frame::Documents(DocumentFrame::Push(Push { hops: bytes.u8(), document }))
            }
            11 => Frame::Documents(DocumentFrame::Have(self.ids(bytes))),
            12 => Frame::Documents(DocumentFrame::Graft(self.ids(bytes))),
            13 => Frame::Documents(match bytes.below(3) {
                0 => DocumentFrame::Gone(self.ids(bytes)),
                1 => DocumentFrame::Feed(0),
                _ => DocumentFrame::Feed(u64::from(bytes.u32()) << 32 | u64::from(bytes.u32())),
            }),
            14 => match bytes.below(7) {
                2 => Frame::Sync(SyncFrame::Compare(self.compare(bytes, now))),
                3..7 => Frame::Sync(self.reconciles(bytes, usually, now)),
                surplus => Frame::View(ViewFrame::Surplus(surplus == 1)),
            },
            15 => Frame::Link(LinkFrame::Ack(if bytes.bool() {
                bytes.u8().into()
            } else {
                bytes.u32()
            })),
            16 => Frame::Signal(SignalFrame::Signal(Self::signal(bytes, usually, None, now))),
            17 => Frame::Signal(SignalFrame::Unreachable(Self::somebody(bytes))),
            18 => Frame::Fragment(Fragment {
                last: bytes.bool(),
                bytes: vec![bytes.u8(); usize::from(bytes.u16() % 16_300)],
            }),
            19 => Frame::Link(LinkFrame::Doze(bytes.bool())),
            20 => Frame::Find(FindFrame::Find(Find {
                request: bytes.u8().into(),
                query: bytes.choose(&QUERIES).unwrap_or_default().to_owned(),
                limit: bytes.u16(),
                sort: bytes.choose(&SORTS).unwrap_or_default().to_owned(),
                after: Self::cursor(bytes),
            })),
            21 => Frame::Find(FindFrame::Found(Found {
                request: bytes.below(3) as u32,
                documents: (0..bytes.below(3))
                    .map(|_| self.document(bytes, usually, now))
                    .collect(),
                // Those that this version knows, and one that it does not.
                rest: Rest::from(bytes.u8() % 6),
                until: Self::cursor(bytes),
            })),
            22 => Frame::Pool(PoolFrame::Relay(Self::signal(bytes, usually, None, now))),
            23 => Frame::Pool(PoolFrame::Undeliverable(Undeliverable {
                network: Self::network(bytes, usually),
                from: Self::somebody(bytes),
                to: Self::somebody(bytes),
            })),
            24 => Frame::Find(FindFrame::Keep(Keep {
                request: bytes.u8().into(),
                documents: self.some_documents(bytes, usually, now),
            })),
            25 => Frame::Find(FindFrame::Took(Took {
                request: bytes.below(8) as u32,
                outcomes: Self::outcomes(bytes),
            })),
            26 | 27 => self.tree_frame(bytes, usually, now),
            28 => self.route_frame(bytes),
            29 | 30 => Self::supply_frame(bytes, usually, now),
            _ => self.routed(bytes, usually, now),
        }
    }

    /// Few documents, or more than there may be.
    pub(super) fn some_documents(
        &mut self,
        bytes: &mut Bytes<'_>,
        usually: &str,
        now: Time,
    ) -> Vec<SignedDocument> {
        let document = self.document(bytes, usually, now);
        match bytes.below(8) {
            0 => vec![document; limits::KEEP_DOCUMENTS + bytes.below(2)],
            count => (1..count).map(|_| self.document(bytes, usually, now)).collect(),
        }
    }

    pub(super) fn outcomes(bytes: &mut Bytes<'_>) -> Vec<Outcome> {
        // Those that this version knows, and one that it does not.
        (0..bytes.below(8)).map(|_| Outcome::from(bytes.u8() % 9)).collect()
    }

    pub(super) fn neighbour(&mut self, bytes: &mut Bytes<'_>, usually: &str, now: Time) -> Frame {
        let presence = bytes.bool().then(|| Self::presence(bytes, usually, None, now));
        Frame::Link(LinkFrame::Neighbour(Neighbour { presence, since: Self::when(bytes, now) }))
    }

    pub(super) fn hello(number: u8, network: &str) -> Hello {
        let hello = Hello::new(named(network), identity(number).peer_id(), [number; 32]);
        // Each other one has an archive, or says so.
        let archive = if number.is_multiple_of(2) { Features::ARCHIVE } else { hello.features };
        // And all but one take part in the trees.
        let features = if number == 5 { archive } else { archive.and(Features::TREES) };
        Hello { features, ..hello }
    }

    /// The frames with which it proves its key: as one end of a link to the peer that said `theirs`.
    pub(super) fn proof(
        number: u8,
        theirs: &Hello,
        binding: ChannelBinding,
        they_offered: bool,
    ) -> [Frame; 2] {
        let ours = Self::hello(number, theirs.network.as_str());
        let (offerer, answerer) = if they_offered { (theirs, &ours) } else { (&ours, theirs) };
        let content = Hello::proof_content(offerer, answerer, binding, !they_offered);
        let proof = identity(number).sign(Domain::Hello, &content);
        [Frame::Link(LinkFrame::Hello(ours)), Frame::Link(LinkFrame::Proof(proof))]
    }
}

/// For a seed.
pub(super) fn signature_file() -> String {
    let signer = identity(VICTIM);
    let signature = signer.sign(Domain::File, b"hello\n");
    SignatureFile { signer: signer.peer_id(), signature }.to_string()
}
