//! A signaller's front door: a desk in a pool, to which anything happens; and what it believes of other
//! signallers.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use taiinet_document::{Content, Map, Value};
use taiinet_identity::Domain;
use taiinet_mesh::{
    ChannelBinding, Direct, Input, LinkFailure, LinkId, SignallerAddress, Time, limits,
    session::{ANSWER_BYTES, Declined, Purpose},
    wire::{
        DocumentFrame, Frame, FromSignaller, Hello, Joined, POOL, PoolFrame, Push, ToSignaller,
        codec,
    },
};
use taiinet_signaller::{
    ClientId, Desk, DeskConfig, DeskInput, DeskOutput, JoinWork, Relaying, fuzz::News,
};

use super::{
    bytes::Bytes,
    member::{Member, VICTIM},
    other::{Heard, Other, hello},
    world::World,
};
use crate::fixture::{NOW, identity, named, network};

/// Connections at once, in all and from one address.
const CLIENTS: (usize, usize) = (8, 4);

/// Links that are relayed.
const RELAYING: Relaying = Relaying {
    circuits: 4,
    circuits_per_peer: 2,
    bytes_per_peer: 20_000,
    bytes_per_second: 40_000,
};

struct Signaller {
    desk: Desk,
    now: Time,
    /// Clients that are connected, and their sessions.
    clients: Vec<ClientId>,
    sessions: BTreeMap<ClientId, Other>,
    /// Clients whose bytes happened to open a session.
    strangers: BTreeSet<ClientId>,
    next_client: u64,
    /// Links to other members, and what the desk said on them when it greeted.
    links: Vec<(LinkId, bool, Option<Hello>)>,
    others: BTreeMap<LinkId, Other>,
    member: Member,
    news: News,
}

pub(super) fn run(data: &[u8]) {
    let mut world = play(data, |_| {});
    world.pass(700_000);
    world.check();
    assert_eq!(world.news.expire(Time::from_millis(u64::MAX)), 0, "nothing lives for ever");
    world.desk.handle(DeskInput::Drain, world.now);
    world.drain();
    assert_eq!(world.desk.status(world.now).clients, 0);
}

fn play(data: &[u8], look: impl FnMut(&Signaller)) -> Signaller {
    let mut bytes = Bytes::new(data);
    Signaller::new(bytes.u8()).play(&mut bytes, look)
}

impl Signaller {
    fn new(kind: u8) -> Self {
        let seed = SignallerAddress {
            url: "wss://2.example".to_owned(),
            pinned: (kind & 1 == 1).then(|| identity(2).peer_id()),
        };
        let pool = Direct { seeds: vec![seed], ..Direct::default() };
        let config = DeskConfig {
            clients: CLIENTS.0,
            clients_per_address: CLIENTS.1,
            networks: if kind & 2 == 2 { vec![network()] } else { Vec::new() },
            pool: (kind & 4 == 0).then_some(pool),
            work: JoinWork { bits: if kind & 8 == 8 { 2 } else { 0 }, from_clients: 2 },
            relaying: (kind & 16 == 0).then_some(RELAYING),
            ..DeskConfig::default()
        };
        let desk = Desk::new(identity(VICTIM), config, [7; 32], NOW);
        let news = News::new(desk.id());
        Self {
            desk,
            now: NOW,
            clients: Vec::new(),
            sessions: BTreeMap::new(),
            strangers: BTreeSet::new(),
            next_client: 0,
            links: Vec::new(),
            others: BTreeMap::new(),
            member: Member::default(),
            news,
        }
    }

    fn says(&mut self, client: ClientId, frame: &ToSignaller) {
        let bytes = self.sessions.entry(client).or_default().seal(codec::encode(frame));
        self.desk.handle(DeskInput::Message { client, bytes }, self.now);
        self.drain();
    }

    fn gone(&mut self, client: ClientId) {
        self.clients.retain(|known| *known != client);
        self.sessions.remove(&client);
        self.desk.handle(DeskInput::Disconnected { client }, self.now);
    }

    fn join(&mut self, bytes: &mut Bytes<'_>) {
        let Some(client) = bytes.choose(&self.clients) else { return };
        let challenge = self.sessions.get(&client).and_then(Other::hash);
        let challenge = challenge.unwrap_or_else(|| [bytes.u8(); 32]);
        let joined = Joined { signaller: self.desk.id(), challenge };
        let name = if bytes.below(16) == 0 { POOL } else { "vectors" };
        let presence = Member::presence(bytes, name, Some(joined), self.now);
        // Two bits of work: one of a few numbers does it.
        self.says(client, &ToSignaller::Join { presence, work: bytes.below(8) as u64 });
    }

    /// Another signaller proves its key.
    fn greet(&mut self, bytes: &mut Bytes<'_>) {
        let Some((link, they_offered, hello)) = bytes.choose_by(&self.links) else { return };
        if hello.is_none() {
            let input = if they_offered {
                Input::LinkUp { link, binding: ChannelBinding::NONE }
            } else {
                let bytes = self.others.entry(link).or_default().open(Purpose::Pool);
                Input::Message { link, bytes }
            };
            self.desk.handle(DeskInput::Pool(input), self.now);
            self.drain();
        }
        let hello = self.links.iter().find(|(known, ..)| *known == link);
        let Some(hello) = hello.and_then(|(_, _, hello)| hello.clone()) else { return };
        let number = Member::key(bytes);
        let binding = self.others.entry(link).or_default().binding();
        let proof = Member::proof(number, &hello, binding, they_offered);
        self.tells(link, &proof);
        let neighbour = self.member.neighbour(bytes, POOL, self.now);
        self.tells(link, &[neighbour]);
    }

    fn tells(&mut self, link: LinkId, frames: &[Frame]) {
        for frame in frames {
            let frame = codec::encode(frame);
            let whole = !codec::needs_fragments(&frame);
            for piece in if whole { vec![frame] } else { codec::fragment(&frame) } {
                let mut message = codec::MessageWriter::default();
                message.push(&piece);
                let bytes = self.others.entry(link).or_default().seal(message.finish());
                self.desk.handle(DeskInput::Pool(Input::Message { link, bytes }), self.now);
            }
        }
        self.drain();
    }

    fn member_says(&mut self, bytes: &mut Bytes<'_>) {
        let Some((link, ..)) = bytes.choose_by(&self.links) else { return };
        let frame = match bytes.below(4) {
            0 => self.member.frame(bytes, POOL, self.now),
            1 => Frame::Pool(PoolFrame::Relay(Member::signal(
                bytes,
                network().as_str(),
                None,
                self.now,
            ))),
            _ => {
                let author = identity(Member::key(bytes));
                let content = Content::Open(self.fields(bytes));
                let document = taiinet_document::Document {
                    network: named(POOL),
                    created_at: Member::when(bytes, self.now),
                    nonce: bytes.u8().into(),
                    expires_at: None,
                    key: None,
                    next_key: None,
                    content,
                };
                let Ok(document) = taiinet_document::VerifiedDocument::sign(&author, document)
                else {
                    return;
                };
                Frame::Documents(DocumentFrame::Push(Push {
                    hops: 0,
                    document: document.signed().clone(),
                }))
            }
        };
        self.tells(link, &[frame]);
    }

    /// What a member publishes: the clients that have joined it, those that have left, and nonsense.
    fn fields(&self, bytes: &mut Bytes<'_>) -> Map {
        let mut joined = Vec::new();
        for _ in 0..bytes.below(4) {
            let signaller = Member::somebody(bytes);
            let join = Joined { signaller, challenge: [bytes.u8(); 32] };
            let presence = Member::presence(bytes, "vectors", Some(join), self.now);
            joined.push(Value::Bytes(codec::encode(&presence)));
        }
        let mut left = Vec::new();
        for _ in 0..bytes.below(4) {
            let item = match bytes.below(4) {
                0 => Value::Bytes(bytes.some().to_vec()),
                1 => Value::Int(1),
                _ => Value::Bytes(codec::encode(&(
                    network(),
                    Member::somebody(bytes),
                    Member::when(bytes, self.now),
                ))),
            };
            left.push(item);
        }
        Map::from([("joined".to_owned(), joined.into()), ("left".to_owned(), left.into())])
    }

    fn told(&mut self, client: ClientId, bytes: &[u8]) {
        let other = self.sessions.entry(client).or_default();
        if matches!(other, Other::Nobody) {
            // It spoke without a session, and is told that there is none; unless what it said happened to
            // open one, to which no end has the key.
            let declined = codec::decode::<Declined>(bytes).is_ok();
            let bytes = bytes.len();
            assert!(declined || self.strangers.contains(&client) || bytes >= ANSWER_BYTES);
            if !declined {
                self.strangers.insert(client);
            }
            return;
        }
        let Heard::Message(frame) = other.hears(Purpose::Client, bytes) else { return };
        let frame: FromSignaller = codec::decode(&frame).expect("a frame");
        if let FromSignaller::Welcome(welcome) = frame {
            let key = welcome.signaller.public_key().expect("a key");
            let hash = other.hash().expect("a session");
            assert!(key.verify(Domain::Welcome, &hash, &welcome.signature).is_ok());
        }
    }

    fn greeted(&mut self, link: LinkId, bytes: &[u8]) {
        let other = self.others.entry(link).or_default();
        let dialled = self.links.iter().any(|(known, dialled, _)| *known == link && *dialled);
        if matches!(other, Other::Nobody) && !dialled {
            // As with clients: the member spoke without a session.
            return;
        }
        let message = match other.hears(Purpose::Pool, bytes) {
            Heard::Opening(bytes) => {
                self.desk.handle(DeskInput::Pool(Input::Message { link, bytes }), self.now);
                return;
            }
            Heard::Message(message) => message,
            Heard::Made | Heard::Declined => return,
        };
        if let Some(hello) = hello(&message) {
            for (known, _, said) in &mut self.links {
                if *known == link {
                    *said = Some(hello.clone());
                }
            }
        }
    }
}

impl World for Signaller {
    const STEPS: usize = 96;
    const CALLS: usize = 200;

    fn clock(&mut self) -> &mut Time {
        &mut self.now
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let now = self.now;
        match bytes.below(16) {
            0 => {
                let millis = u64::from(bytes.u16()) << bytes.below(4);
                self.pass(millis);
                self.news.expire(self.now);
            }
            1 | 2 => {
                self.next_client += 1;
                let client = ClientId::from(self.next_client);
                let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, bytes.u8() % 4));
                self.clients.push(client);
                self.desk.handle(DeskInput::Connected { client, address }, now);
                if bytes.bool() {
                    let first = self.sessions.entry(client).or_default().open(Purpose::Client);
                    self.desk.handle(DeskInput::Message { client, bytes: first }, now);
                }
            }
            3 => {
                let Some(client) = bytes.choose(&self.clients) else { return };
                if bytes.bool() {
                    self.desk.handle(DeskInput::CrowdedOut { client }, now);
                } else {
                    self.gone(client);
                }
            }
            4 => {
                let Some(client) = bytes.choose(&self.clients) else { return };
                let raw = bytes.bool();
                let mut message = bytes.some().to_vec();
                if !raw {
                    message = self.sessions.entry(client).or_default().seal(message);
                }
                self.desk.handle(DeskInput::Message { client, bytes: message }, now);
            }
            5..=7 => self.join(bytes),
            8 | 9 => {
                let Some(client) = bytes.choose(&self.clients) else { return };
                let frame = match bytes.below(8) {
                    0 => {
                        let mut other = Other::default();
                        let first = other.dial(Purpose::Client, bytes.u8().into());
                        if self.sessions.get(&client).is_none_or(|old| old.hash().is_none()) {
                            self.sessions.insert(client, other);
                        }
                        self.desk.handle(DeskInput::Message { client, bytes: first }, now);
                        return;
                    }
                    1 => match bytes.u8() {
                        want @ 128.. => {
                            ToSignaller::IntroduceFor { want, key: Member::routing_key(bytes) }
                        }
                        want => ToSignaller::Introduce { want },
                    },
                    2 => ToSignaller::Ping(bytes.u32()),
                    3 => ToSignaller::Leave,
                    6 | 7 => ToSignaller::Circuit(Member::circuit(bytes)),
                    _ => ToSignaller::Signal(Member::signal(bytes, network().as_str(), None, now)),
                };
                self.says(client, &frame);
            }
            10 => {
                if let Some(link) = self.desk.accept([127, 0, 0, bytes.below(3) as u8].into(), now)
                {
                    self.links.push((link, false, None));
                }
            }
            11 => self.greet(bytes),
            12 | 13 => self.member_says(bytes),
            14 => {
                let Some((link, ..)) = bytes.choose_by(&self.links) else { return };
                self.links.retain(|(known, ..)| *known != link);
                self.others.remove(&link);
                let down = Input::LinkDown { link, cause: LinkFailure::Remote };
                self.desk.handle(DeskInput::Pool(down), now);
            }
            _ => {
                let fields = self.fields(bytes);
                let member = identity(Member::key(bytes)).peer_id();
                let items: usize = fields
                    .values()
                    .map(|items| match items {
                        Value::List(items) => items.len(),
                        _ => 0,
                    })
                    .sum();
                assert!(self.news.take(member, &fields, now).len() <= items);
            }
        }
    }

    fn drain(&mut self) {
        let mut count = 0;
        while let Some(output) = self.desk.poll_output() {
            count += 1;
            assert!(count < 20_000, "it has no end of things to do");
            match output {
                DeskOutput::Send { client, bytes } => self.told(client, &bytes),
                DeskOutput::Close { client, .. } => self.gone(client),
                DeskOutput::Dial { link, .. } => self.links.push((link, true, None)),
                DeskOutput::SendTo { link, bytes } => self.greeted(link, &bytes),
                DeskOutput::CloseLink { link } => {
                    self.links.retain(|(known, ..)| *known != link);
                    self.others.remove(&link);
                    let down = Input::LinkDown { link, cause: LinkFailure::Local };
                    self.desk.handle(DeskInput::Pool(down), self.now);
                }
            }
        }
    }

    fn check(&self) {
        let status = self.desk.status(self.now);
        assert!(status.clients <= CLIENTS.0);
        assert!(status.joined <= status.clients && status.networks <= status.joined);
        assert!(status.members <= limits::POOL_LINKS);
        assert!(status.circuits <= RELAYING.circuits);
    }

    fn due(&mut self) -> Option<Time> {
        self.desk.poll_timeout()
    }

    fn time_out(&mut self) {
        self.desk.handle_timeout(self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::world::comes_past_every_door, *};

    #[test]
    fn mutations_of_the_seeds_come_past_every_door() {
        comes_past_every_door("desk", |input, passed| {
            play(input, |world| {
                let status = world.desk.status(world.now);
                passed([
                    status.joined > 1,
                    status.introductions > 0,
                    status.signals > 0,
                    status.members > 0,
                    status.remote > 0,
                    status.refused.len() > 1,
                    status.circuits > 0,
                ]);
            });
        });
    }
}
