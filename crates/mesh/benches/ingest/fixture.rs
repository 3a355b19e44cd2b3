//! A peer with seven active links, whose other ends are played here.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use ed25519_dalek::VerifyingKey;
use taiinet_document::{Content, Document, Map, Network, Value, VerifiedDocument};
use taiinet_identity::{Domain, Identity, Seed, Verified};
use taiinet_mesh::{
    ChannelBinding, Config, Dial, Input, LinkId, Output, Peer, SignallerAddress, Time,
    session::{Purpose, Session, accept},
    wire::{
        DocumentFrame, Frame, FromSignaller, Hello, LinkFrame, Neighbour, Presence, Push,
        ToSignaller, Welcome,
        codec::{self, MessageReader, MessageWriter},
    },
};
use taiinet_query::Query;

/// Links that a document is routed to.
pub(crate) const LINKS: usize = 6;
const NOW: Time = Time::from_millis(1_800_000_000_000);
/// The time that passes with each batch: acknowledgements and budgets go by it.
const TURN: Duration = Duration::from_millis(1);
const BINDING: ChannelBinding = ChannelBinding::from_bytes([7; 32]);

fn identity(kind: u8, number: u8) -> Identity {
    let mut seed = [kind; 32];
    seed[0] = number;
    Identity::from_seed(&Seed::from_bytes(seed))
}

fn network() -> Network {
    "bench".parse().expect("a name")
}

pub(crate) fn authors() -> Vec<Identity> {
    (0..50).map(|number| identity(1, number)).collect()
}

/// Documents of about 1 KiB with ten attributes.
pub(crate) fn documents(authors: &[Identity], count: usize) -> Vec<VerifiedDocument> {
    (0..count)
        .map(|number| {
            let mut content = Map::new();
            for attribute in 0..9_i64 {
                let value = (number as i64 * 7919 + attribute * 104_729) % 1000;
                content.insert(format!("attribute{attribute}"), Value::Int(value));
            }
            content.insert("text".to_owned(), Value::String("lorem ipsum ".repeat(65)));
            let document = Document {
                network: network(),
                created_at: NOW.timestamp(),
                nonce: number as u32,
                expires_at: None,
                key: None,
                next_key: None,
                content: Content::Open(content),
            };
            let author = &authors[number % authors.len()];
            VerifiedDocument::sign(author, document).expect("within limits")
        })
        .collect()
}

/// Equality, range, membership and `$or` in turn, each matching about one document in a thousand.
pub(crate) fn queries(count: usize) -> Vec<Query> {
    (0..count)
        .map(|number| {
            let (a, b) = (number % 9, (number + 4) % 9);
            let value = (number * 31) % 1000;
            let text = match number % 4 {
                0 => format!(r#"{{"attribute{a}": {value}}}"#),
                1 => format!(
                    r#"{{"attribute{a}": {{"$gte": {value}, "$lt": {}}}, "attribute{b}": {{"$gt": 500}}}}"#,
                    value + 2
                ),
                2 => format!(
                    r#"{{"attribute{a}": {{"$in": [{value}, {}, {}]}}, "attribute{b}": {{"$lt": 333}}}}"#,
                    value + 1,
                    value + 2
                ),
                _ => format!(
                    r#"{{"$or": [{{"attribute{a}": {value}}}, {{"attribute{b}": {value}, "attribute{a}": {{"$lt": 100}}}}]}}"#
                ),
            };
            Query::from_json(&text).expect("a query")
        })
        .collect()
}

/// What the bare check works on.
pub(crate) struct Bare {
    pub(crate) key: VerifyingKey,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: ed25519_dalek::Signature,
}

pub(crate) fn bare(document: &VerifiedDocument) -> Bare {
    let signed = document.signed();
    let mut message = Domain::Document.as_str().as_bytes().to_vec();
    message.extend_from_slice(blake3::hash(signed.body()).as_bytes());
    let wire = codec::encode(signed);
    let mut signature = [0; 64];
    signature.copy_from_slice(&wire[32..96]);
    Bare {
        key: VerifyingKey::from_bytes(signed.author().as_bytes()).expect("a key"),
        message,
        signature: ed25519_dalek::Signature::from_bytes(&signature),
    }
}

/// A message that pushes one document.
pub(crate) fn push(document: &VerifiedDocument) -> Vec<u8> {
    codec::message(&[Frame::Documents(DocumentFrame::Push(Push {
        hops: 1,
        document: document.signed().clone(),
    }))])
}

/// The peer under test.
pub(crate) struct Fixture {
    peer: Peer,
    source: LinkId,
    sinks: Vec<LinkId>,
    now: Time,
    pub(crate) forwarded: usize,
    pub(crate) deliveries: usize,
}

impl Fixture {
    pub(crate) fn new(queries: &[Query]) -> Self {
        let mut config = Config::new(network());
        config.target_links = LINKS + 1;
        config.quota = taiinet_mesh::Quota::UNBOUNDED;
        config.signallers.push(SignallerAddress { url: "ws://bench".to_owned(), pinned: None });
        let mut peer = Peer::new(identity(2, 0), config, [1; 32], NOW);
        for query in queries {
            peer.subscribe(query.clone()).expect("room");
        }
        let mut play = Play::default();
        peer.handle_timeout(NOW);
        while let Some(output) = peer.poll_output(NOW) {
            for input in play.answer(output) {
                peer.handle(input, NOW);
            }
        }
        assert_eq!(play.active.len(), LINKS + 1, "all links are up");
        let source = play.active[0];
        let sinks = play.active[1..].to_vec();
        Self { peer, source, sinks, now: NOW, forwarded: 0, deliveries: 0 }
    }

    /// Hands over messages and takes all outputs; gives the seconds that the peer took.
    pub(crate) fn take_in(&mut self, messages: &[Vec<u8>]) -> f64 {
        let inputs: Vec<Input> = messages
            .iter()
            .map(|bytes| Input::Message { link: self.source, bytes: bytes.clone() })
            .collect();
        let mut outputs = Vec::with_capacity(64);
        self.now = self.now.after(TURN);
        let start = Instant::now();
        self.peer.handle_timeout(self.now);
        for input in inputs {
            self.peer.handle(input, self.now);
        }
        while let Some(output) = self.peer.poll_output(self.now) {
            outputs.push(output);
        }
        let took = start.elapsed().as_secs_f64();
        took + self.acknowledge(outputs)
    }

    /// The sinks take what came, and say so: that the peer hears it is part of its work.
    fn acknowledge(&mut self, outputs: Vec<Output>) -> f64 {
        let mut sizes: BTreeMap<LinkId, u32> = BTreeMap::new();
        let mut inputs = Vec::new();
        for output in outputs {
            match output {
                Output::Deliver(delivery) => self.deliveries += delivery.subscriptions.len(),
                Output::Send { link, bytes, .. } => {
                    inputs.push(Input::Sent { link, bytes: bytes.len() });
                    for frame in MessageReader::new(&bytes).expect("a message") {
                        if let Ok(Frame::Documents(DocumentFrame::Push(push))) =
                            codec::decode(frame.expect("a frame"))
                        {
                            *sizes.entry(link).or_default() += push.document.size() as u32;
                            self.forwarded += 1;
                        }
                    }
                }
                _ => {}
            }
        }
        for link in &self.sinks {
            let ack = Frame::Link(LinkFrame::Ack(sizes.get(link).copied().unwrap_or_default()));
            inputs.push(Input::Message { link: *link, bytes: codec::message(&[ack]) });
        }
        let start = Instant::now();
        for input in inputs {
            self.peer.handle(input, self.now);
        }
        while self.peer.poll_output(self.now).is_some() {}
        start.elapsed().as_secs_f64()
    }
}

/// The signaller and the neighbours, as far as they are needed.
#[derive(Default)]
struct Play {
    signaller: Option<LinkId>,
    session: Option<Session>,
    neighbours: BTreeMap<LinkId, (Identity, Option<Hello>)>,
    active: Vec<LinkId>,
}

impl Play {
    fn answer(&mut self, output: Output) -> Vec<Input> {
        match output {
            Output::Dial { link, dial: Dial::Signaller { .. } } => {
                self.signaller = Some(link);
                vec![Input::LinkUp { link, binding: ChannelBinding::NONE }]
            }
            Output::Dial { link, dial: Dial::Offer { to, .. } } => {
                let identity = (0..=LINKS as u8)
                    .map(|number| identity(3, number))
                    .find(|identity| identity.peer_id() == to)
                    .expect("one of ours");
                self.neighbours.insert(link, (identity, None));
                vec![Input::LinkUp { link, binding: BINDING }]
            }
            Output::Send { link, bytes, .. } if self.signaller == Some(link) => self
                .signal(&bytes)
                .into_iter()
                .map(|bytes| Input::Message { link, bytes })
                .collect(),
            Output::Send { link, bytes, .. } => self.shake_hands(link, &bytes),
            _ => Vec::new(),
        }
    }

    /// What the signaller answers: in a session that the first message opens.
    fn signal(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let Some(session) = &mut self.session else {
            let (mut session, answer) =
                accept(Purpose::Client, bytes, [9; 32]).expect("an opening");
            let me = identity(4, 0);
            let welcome = FromSignaller::Welcome(Welcome {
                signaller: me.peer_id(),
                signature: me.sign(Domain::Welcome, session.hash()),
                ice_servers: Vec::new(),
                work: 0,
            });
            let welcome = session.seal(&codec::encode(&welcome)).expect("it fits");
            self.session = Some(session);
            return vec![answer, welcome];
        };
        let frame = session.open(bytes).expect("of the session");
        let answer = Self::told(codec::decode(&frame).expect("a frame"));
        let seal = |frame| session.seal(&codec::encode(&frame)).expect("it fits");
        answer.into_iter().map(seal).collect()
    }

    fn told(frame: ToSignaller) -> Option<FromSignaller> {
        match frame {
            ToSignaller::Join { .. } => Some(FromSignaller::Joined),
            ToSignaller::Introduce { .. } => {
                let presence = |number| {
                    let presence = Presence {
                        network: network(),
                        joined: None,
                        issued_at: NOW.timestamp(),
                        expires_at: NOW.after(Duration::from_secs(60)).timestamp(),
                        address: None,
                        next_key: None,
                        archive: None,
                        open: false,
                    };
                    Verified::sign(&identity(3, number), presence).signed().clone()
                };
                let presences = (0..=LINKS as u8).map(presence).collect();
                Some(FromSignaller::Introduced { presences, retry_after_ms: 0 })
            }
            _ => None,
        }
    }

    fn shake_hands(&mut self, link: LinkId, bytes: &[u8]) -> Vec<Input> {
        let Some((identity, theirs)) = self.neighbours.get_mut(&link) else { return Vec::new() };
        let ours = Hello::new(network(), identity.peer_id(), [5; 32]);
        let mut answer = MessageWriter::default();
        for frame in MessageReader::new(bytes).expect("a message") {
            match codec::decode(frame.expect("a frame")).expect("a frame") {
                Frame::Link(LinkFrame::Hello(hello)) => {
                    answer.push(&codec::encode(&Frame::Link(LinkFrame::Hello(ours.clone()))));
                    *theirs = Some(hello);
                }
                Frame::Link(LinkFrame::Proof(_)) => {
                    let theirs = theirs.as_ref().expect("a hello before");
                    let content = Hello::proof_content(theirs, &ours, BINDING, false);
                    let proof =
                        Frame::Link(LinkFrame::Proof(identity.sign(Domain::Hello, &content)));
                    answer.push(&codec::encode(&proof));
                    let neighbour = Neighbour { presence: None, since: NOW.timestamp() };
                    answer.push(&codec::encode(&Frame::Link(LinkFrame::Neighbour(neighbour))));
                    self.active.push(link);
                }
                _ => {}
            }
        }
        if answer.is_empty() {
            return Vec::new();
        }
        vec![Input::Message { link, bytes: answer.finish() }]
    }
}
