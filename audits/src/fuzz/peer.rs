//! The core's front door: one peer, to which anything happens.

mod searches;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use taiinet_document::VerifiedBytes;
use taiinet_identity::{PeerId, Signed};
use taiinet_mesh::{
    Audience, ChannelBinding, Config, Delivery, Dial, Direct, FindId, Input, KeepId, LinkFailure,
    LinkId, LinkState, Negotiation, Output, Peer, PublishOptions, Question, Reconcile,
    SignallerAddress, SubscriptionId, Time, limits,
    session::Purpose,
    wire::{
        Frame, FromSignaller, Hello, IceServer, Joined, Kept, POOL, Presence, ToSignaller, Welcome,
        codec,
    },
};

use taiinet_query::sort::{Place, Sort};

use super::{
    bytes::Bytes,
    member::{Member, QUERIES, VICTIM},
    other::{Heard, Other, hello},
    world::World,
};
use crate::fixture::{NOW, identity, named, network};

/// A link of the peer's, and what is at its other end.
#[derive(Debug)]
struct Line {
    link: LinkId,
    end: End,
    up: bool,
    /// What the peer said when it greeted.
    hello: Option<Hello>,
    /// The session, if it is no link of WebRTC.
    other: Option<Other>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Signaller,
    /// The member with this key; whether the peer offered the link.
    Member {
        number: u8,
        offered: bool,
    },
}

struct Outside {
    peer: Peer,
    now: Time,
    max_links: usize,
    direct: bool,
    network: String,
    lines: Vec<Line>,
    member: Member,
    subscriptions: Vec<SubscriptionId>,
    /// Its searches, with the order of each and the place of what it found last.
    finds: BTreeMap<FindId, (Sort, Option<Place>)>,
    /// What neighbours ask it, if it has an archive.
    questions: VecDeque<(LinkId, Question)>,
    offers: VecDeque<(LinkId, u32)>,
    /// How many documents it has archives asked to keep, and not heard of.
    keeps: BTreeMap<KeepId, usize>,
    /// What its archive is to do with those of neighbours.
    reconciles: VecDeque<(LinkId, Reconcile)>,
}

pub(super) fn run(data: &[u8]) {
    let mut world = play(data, |_| {});
    world.pass(30_000);
    world.check();
    world.peer.leave(world.now);
    world.drain();
    assert_eq!(world.peer.poll_timeout(), None);
}

fn play(data: &[u8], mut look: impl FnMut(&Peer)) -> Outside {
    let mut bytes = Bytes::new(data);
    Outside::new(bytes.u8()).play(&mut bytes, |world| look(&world.peer))
}

impl Outside {
    fn new(kind: u8) -> Self {
        let direct = kind & 1 == 1;
        let network = if direct { POOL.to_owned() } else { network().to_string() };
        let mut config = Config::new(named(&network));
        config.max_links = 4;
        config.target_links = if kind & 2 == 0 { 3 } else { 1 };
        config.store_bytes = 256 * 1024;
        config.archive = (kind & 16 == 16).then(Kept::default);
        let seed = |number: u8, pinned: bool| SignallerAddress {
            url: format!("wss://{number}.example"),
            pinned: pinned.then(|| identity(number).peer_id()),
        };
        if direct {
            config.direct = Some(Direct {
                address: (kind & 4 == 0).then(|| "wss://us.example".to_owned()),
                seeds: vec![seed(2, true), seed(3, false)],
                allowed: (kind & 8 == 8).then(|| [2, 3, 4].map(|n| identity(n).peer_id()).into()),
                known_as: None,
            });
        } else {
            config.signallers = vec![seed(2, kind & 4 == 0), seed(3, false)];
        }
        let max_links = config.max_links;
        Self {
            peer: Peer::new(identity(VICTIM), config, [7; 32], NOW),
            now: NOW,
            max_links,
            direct,
            network,
            lines: Vec::new(),
            member: Member::default(),
            subscriptions: Vec::new(),
            finds: BTreeMap::new(),
            questions: VecDeque::new(),
            offers: VecDeque::new(),
            keeps: BTreeMap::new(),
            reconciles: VecDeque::new(),
        }
    }

    fn links(&self) -> Vec<LinkId> {
        self.lines.iter().map(|line| line.link).collect()
    }

    fn end(&self, link: LinkId) -> Option<End> {
        self.lines.iter().find(|line| line.link == link).map(|line| line.end)
    }

    fn says(&mut self, link: LinkId, frames: &[Frame]) {
        let mut messages = vec![codec::MessageWriter::default()];
        for frame in frames {
            let frame = codec::encode(frame);
            let whole = !codec::needs_fragments(&frame);
            let pieces = if whole { vec![frame] } else { codec::fragment(&frame) };
            for piece in pieces {
                let pushed = messages.last_mut().is_some_and(|message| message.push(&piece));
                if !pushed {
                    let mut message = codec::MessageWriter::default();
                    message.push(&piece);
                    messages.push(message);
                }
            }
        }
        for message in messages {
            let bytes = self.sealed(link, message.finish());
            self.peer.handle(Input::Message { link, bytes }, self.now);
        }
    }

    fn sealed(&mut self, link: LinkId, message: Vec<u8>) -> Vec<u8> {
        let line = self.lines.iter_mut().find(|line| line.link == link);
        match line.and_then(|line| line.other.as_mut()) {
            Some(other) => other.seal(message),
            None => message,
        }
    }

    fn open(&mut self, bytes: &mut Bytes<'_>) {
        let waiting: Vec<LinkId> =
            self.lines.iter().filter(|line| !line.up).map(|line| line.link).collect();
        let Some(link) = bytes.choose(&waiting) else { return };
        for line in self.lines.iter_mut().filter(|line| line.link == link) {
            line.up = true;
        }
        let input = Input::LinkUp { link, binding: ChannelBinding::NONE };
        self.peer.handle(input, self.now);
        self.drain();
    }

    fn down(&mut self, link: LinkId, why: usize) {
        self.lines.retain(|line| line.link != link);
        let cause = match why {
            0 => LinkFailure::Local,
            1 => LinkFailure::Remote,
            2 => LinkFailure::Unreachable("no".to_owned()),
            _ => LinkFailure::Transport("no".to_owned()),
        };
        self.peer.handle(Input::LinkDown { link, cause }, self.now);
    }

    /// The other end does what it takes to be believed.
    fn greet(&mut self, bytes: &mut Bytes<'_>) {
        let Some(index) = (!self.lines.is_empty()).then(|| bytes.below(self.lines.len())) else {
            return;
        };
        let Line { link, end, hello, other, .. } = &self.lines[index];
        let hash = other.as_ref().and_then(Other::hash);
        let binding = other.as_ref().map_or(ChannelBinding::NONE, Other::binding);
        match (*end, hello.clone(), hash) {
            (End::Signaller, _, Some(hash)) => {
                let signaller = identity(Member::key(bytes));
                let signature = signaller.sign(taiinet_identity::Domain::Welcome, &hash);
                let welcome = Welcome {
                    signaller: signaller.peer_id(),
                    signature,
                    ice_servers: vec!["stun::3478".to_owned(), bytes.text()],
                    work: bytes.choose(&[0, 0, 4, 8, 25, 255]).unwrap_or(0),
                };
                let link = *link;
                for frame in [FromSignaller::Welcome(welcome), FromSignaller::Joined] {
                    self.signaller_frame(link, &frame);
                }
            }
            (End::Member { number, offered }, Some(hello), _) => {
                let link = *link;
                let frames = Member::proof(number, &hello, binding, offered);
                self.says(link, &frames);
                self.drain();
                let neighbour = self.member.neighbour(bytes, &self.network, self.now);
                self.says(link, &[neighbour]);
            }
            _ => {}
        }
    }

    fn signaller_frame(&mut self, link: LinkId, frame: &FromSignaller) {
        let bytes = self.sealed(link, codec::encode(frame));
        self.peer.handle(Input::Message { link, bytes }, self.now);
    }

    fn signaller_says(&mut self, link: LinkId, bytes: &mut Bytes<'_>) {
        let now = self.now;
        let frame = match bytes.below(12) {
            0 => FromSignaller::Joined,
            1 if bytes.bool() => FromSignaller::IntroducedFor {
                key: Member::routing_key(bytes),
                presences: self.introduced(bytes),
            },
            1 | 2 => FromSignaller::Introduced {
                presences: self.introduced(bytes),
                retry_after_ms: bytes.u16().into(),
            },
            3 => FromSignaller::Signal(Member::signal(bytes, &self.network, None, now)),
            4 => FromSignaller::Unreachable(Member::somebody(bytes)),
            5 => FromSignaller::Refused {
                reason: Member::reason(bytes),
                retry_after_ms: bytes.u32(),
            },
            6 => FromSignaller::Pong(bytes.u32()),
            7 => FromSignaller::Turn(vec![
                IceServer {
                    url: "turn:".to_owned() + &bytes.text(),
                    username: bytes.text(),
                    credential: bytes.text(),
                };
                bytes.below(8)
            ]),
            8 => FromSignaller::Signallers(Member::presences(bytes, POOL, now)),
            9 => FromSignaller::Relays(bytes.u8()),
            _ => FromSignaller::Circuit(Member::circuit(bytes)),
        };
        self.signaller_frame(link, &frame);
    }

    fn introduced(&self, bytes: &mut Bytes<'_>) -> Vec<Signed<Presence>> {
        let joined = bytes
            .bool()
            .then(|| Joined { signaller: Member::somebody(bytes), challenge: [bytes.u8(); 32] });
        let one = Member::presence(bytes, &self.network, joined, self.now);
        let mut all = Member::presences(bytes, &self.network, self.now);
        all.push(one);
        all
    }

    fn dialled(&mut self, link: LinkId, dial: &Dial) {
        let key = |of: &PeerId| (2..8).find(|number| identity(*number).peer_id() == *of);
        let end = match dial {
            Dial::Signaller { .. } => End::Signaller,
            Dial::Offer { to, .. } => End::Member { number: key(to).unwrap_or(2), offered: true },
            Dial::Answer { to, .. } => End::Member { number: key(to).unwrap_or(2), offered: false },
            Dial::Direct { url } => {
                let number = url.bytes().find(u8::is_ascii_digit).map_or(2, |digit| digit - b'0');
                End::Member { number, offered: true }
            }
        };
        assert!(self.end(link).is_none(), "a link's name is used once");
        let other = match dial {
            Dial::Signaller { .. } | Dial::Direct { .. } => Some(Other::default()),
            Dial::Offer { .. } | Dial::Answer { .. } => None,
        };
        self.lines.push(Line { link, end, up: false, hello: None, other });
    }

    /// What the peer sends can be read.
    fn sent(&mut self, link: LinkId, bytes: &[u8]) {
        let Some(line) = self.lines.iter_mut().find(|line| line.link == link) else { return };
        let message = match &mut line.other {
            None => bytes.to_vec(),
            Some(other) => {
                let signaller = line.end == End::Signaller;
                let purpose = if signaller { Purpose::Client } else { Purpose::Pool };
                match other.hears(purpose, bytes) {
                    Heard::Opening(bytes) => {
                        self.peer.handle(Input::Message { link, bytes }, self.now);
                        return;
                    }
                    Heard::Message(message) => message,
                    Heard::Made | Heard::Declined => return,
                }
            }
        };
        assert!(message.len() <= limits::MESSAGE_BYTES);
        if line.end == End::Signaller {
            let _: ToSignaller = codec::decode(&message).expect("a frame to a signaller");
            return;
        }
        if let Some(hello) = hello(&message) {
            line.hello = Some(hello);
        }
    }
}

impl World for Outside {
    const STEPS: usize = 96;
    const CALLS: usize = 400;

    fn clock(&mut self) -> &mut Time {
        &mut self.now
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let now = self.now;
        match bytes.below(23) {
            0 => {
                let millis = u64::from(bytes.u16()) << (bytes.below(5));
                self.pass(millis);
            }
            1 => self.pass(bytes.u8().into()),
            2 | 3 => self.open(bytes),
            4 => {
                if let Some(line) = bytes.choose(&self.links()) {
                    self.down(line, bytes.below(4));
                }
            }
            5 => {
                let Some(link) = bytes.choose(&self.links()) else { return };
                let message = bytes.some().to_vec();
                self.peer.handle(Input::Message { link, bytes: message }, now);
            }
            6..=9 => {
                let Some(link) = bytes.choose(&self.links()) else { return };
                if self.end(link) == Some(End::Signaller) {
                    self.signaller_says(link, bytes);
                } else {
                    let frames: Vec<Frame> = (0..=bytes.below(3))
                        .map(|_| self.member.frame(bytes, &self.network, now))
                        .collect();
                    self.says(link, &frames);
                }
            }
            10 | 11 => self.greet(bytes),
            12 => {
                let content = self.member.content(bytes);
                let audience = match bytes.below(4) {
                    0 => Audience::Subscribers,
                    1 => Audience::Peers(vec![Member::somebody(bytes)]),
                    _ => Audience::Everyone,
                };
                let options = PublishOptions {
                    audience,
                    public: vec!["type".to_owned()],
                    key: bytes.bool().then(|| Member::document_key(bytes)),
                    expires_at: bytes.bool().then(|| Member::when(bytes, now)),
                };
                if let Ok(id) = self.peer.publish(content, options, now) {
                    self.member.heard_of(id);
                }
            }
            13 => {
                let query = bytes.choose(&QUERIES).and_then(|query| query.parse().ok());
                let Some(query) = query else { return };
                let subscription = match bytes.below(4) {
                    0 => self.peer.subscribe_privately(query, now),
                    1 => self.peer.subscribe_discreetly(query.into_query()),
                    _ => self.peer.subscribe(query.into_query()),
                };
                self.subscriptions.extend(subscription);
            }
            14 => {
                if let Some(subscription) = bytes.choose(&self.subscriptions) {
                    self.peer.unsubscribe(subscription, now);
                }
            }
            15 => {
                self.find(bytes);
            }
            20 => {
                if let Some((link, question)) = self.questions.pop_front() {
                    self.answer(link, &question, bytes);
                }
                if let Some((link, what)) = self.reconciles.pop_front() {
                    self.reconcile(link, &what, bytes);
                }
            }
            21 => {
                if let Some((link, request)) = self.offers.pop_front() {
                    self.peer.took(link, request, Member::outcomes(bytes), now);
                }
            }
            22 => {
                let documents = self.member.some_documents(bytes, &self.network, now);
                let (count, wait) = (documents.len(), Duration::from_millis(bytes.u16().into()));
                if let Ok(keep) = self.peer.keep(documents, wait, now) {
                    self.keeps.insert(keep, count);
                }
            }
            16 => {
                let Some(link) = bytes.choose(&self.links()) else { return };
                let part = match bytes.bool() {
                    true => Negotiation::Description(bytes.text()),
                    false => Negotiation::Candidate(bytes.text()),
                };
                self.peer.handle(Input::Negotiation { link, part }, now);
            }
            17 => {
                let Some(link) = bytes.choose(&self.links()) else { return };
                let sent = usize::from(bytes.u16()) << bytes.below(4);
                self.peer.handle(Input::Sent { link, bytes: sent }, now);
            }
            18 => {
                let member = identity(Member::key(bytes)).peer_id();
                let input = match bytes.below(7) {
                    5 => {
                        let _ = self.peer.blacklist(member, None, now);
                        return;
                    }
                    6 => {
                        self.peer.unblock(&member, now);
                        return;
                    }
                    0 => Input::Behind(true),
                    1 => Input::Behind(false),
                    2 => Input::Doze(true),
                    3 => Input::Doze(false),
                    _ => Input::Wake,
                };
                self.peer.handle(input, now);
            }
            _ => {
                let number = Member::key(bytes);
                let from = [127, 0, 0, number].into();
                if self.direct
                    && let Some(link) = self.peer.accept_link(from, now)
                {
                    let end = End::Member { number, offered: false };
                    let mut other = Other::default();
                    let first = other.open(Purpose::Pool);
                    let other = Some(other);
                    self.lines.push(Line { link, end, up: true, hello: None, other });
                    self.peer.handle(Input::Message { link, bytes: first }, now);
                } else {
                    let link = LinkId::from_raw(bytes.u8().into());
                    let binding = ChannelBinding::NONE;
                    self.peer.handle(Input::LinkUp { link, binding }, now);
                }
            }
        }
    }

    fn drain(&mut self) {
        let mut count = 0;
        while let Some(output) = self.peer.poll_output(self.now) {
            count += 1;
            assert!(count < 20_000, "it has no end of things to do");
            match output {
                Output::Dial { link, dial } => self.dialled(link, &dial),
                Output::Send { link, bytes, .. } => self.sent(link, &bytes),
                Output::Close { link } => self.down(link, 0),
                Output::Deliver(Delivery { document, subscriptions, .. }) => {
                    // What may take the place of something else is told as well.
                    let is_version =
                        document.key.is_some() || document.content().fields().is_none();
                    assert!(!subscriptions.is_empty() || is_version);
                }
                Output::Found { find, document, .. } => {
                    let Some((sort, last)) = self.finds.get_mut(&find) else { continue };
                    let place = sort.place_of(&document);
                    assert!(place > *last, "in order, and each once");
                    *last = place;
                }
                Output::Asked { link, question } => {
                    assert!(question.bytes <= limits::FOUND_BYTES);
                    self.questions.push_back((link, question));
                }
                Output::Offered { link, request, documents } => {
                    assert!(documents.len() <= limits::KEEP_DOCUMENTS);
                    let network = named(&self.network);
                    let of_network = |bytes: &VerifiedBytes| {
                        bytes.decode().is_ok_and(|document| document.network == network)
                    };
                    assert!(documents.iter().all(of_network));
                    self.offers.push_back((link, request));
                }
                Output::Took { keep, outcomes } => {
                    let count = self.keeps.remove(&keep).expect("each is told of once");
                    assert!(outcomes.is_none_or(|outcomes| outcomes.len() == count));
                }
                Output::Reconcile { link, what } => self.reconciles.push_back((link, what)),
                _ => {}
            }
        }
    }

    fn check(&self) {
        let status = self.peer.status(self.now);
        let relayed = status.links.iter().filter(|link| link.relayed);
        // One in its handshake each, and those of ours that are asked for.
        assert!(relayed.clone().count() <= 3 * limits::CIRCUITS);
        let relayed_and_used = relayed.clone().filter(|link| link.state == LinkState::Active);
        assert!(relayed_and_used.count() <= limits::CIRCUITS);
        let active = status.links.iter().filter(|link| link.state == LinkState::Active);
        let active = active.filter(|link| !link.relayed);
        assert!(active.clone().count() <= self.max_links);
        assert!(active.filter(|link| link.incoming).count() < self.max_links);
        let pending = if self.direct { limits::SEEDS } else { 0 } + 2 * limits::PENDING_LINKS;
        assert!(status.links.len() - relayed.count() <= self.max_links + pending);
        let lanes = limits::CONTROL_LANE_BYTES + limits::DATA_LANE_BYTES + limits::FOUND_LANE_BYTES;
        let lanes = lanes + limits::KEEPS_AWAITED * limits::FRAME_BYTES;
        for link in &status.links {
            assert!(link.queued_bytes <= lanes + 2 * limits::FRAME_BYTES);
        }
        assert!(status.blacklist.len() <= limits::REPUTATIONS);
        assert!(status.links.iter().all(|link| link.points < limits::BLACKLISTED_AT));
        assert!(status.candidates <= limits::PASSIVE_VIEW);
        assert!(status.signallers.len() <= limits::SIGNALLERS);
        assert!(status.ice_servers.len() <= 2 * limits::ICE_SERVERS);
        assert!(status.private <= limits::DIRECTORY_ENTRIES);
        assert!(self.peer.untaken() <= limits::UNTAKEN_DOCUMENTS);
        assert!(status.trees.len() <= limits::SLOTS);
        for tree in &status.trees {
            assert!(tree.children <= status.links.len());
            assert!(tree.depth <= limits::TREE_DEPTH + 1);
        }
    }

    fn due(&mut self) -> Option<Time> {
        self.peer.poll_timeout()
    }

    fn time_out(&mut self) {
        self.peer.handle_timeout(self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::world::comes_past_every_door, *};

    #[test]
    fn mutations_of_the_seeds_come_past_every_door() {
        comes_past_every_door("peer", |input, passed| {
            let direct = input.first().is_some_and(|kind| kind & 1 == 1);
            play(input, |peer| {
                let status = peer.status(NOW);
                let active = status.links.iter().any(|link| link.state == LinkState::Active);
                passed([
                    active && direct,
                    active && !direct,
                    status.signallers.iter().any(|signaller| signaller.joined),
                    status.links.iter().any(|link| link.incoming && !direct),
                    status.counters.received > 0,
                    status.counters.delivered > 0,
                    status.private > 0,
                    status.links.iter().any(|link| link.relayed),
                    status.trees.iter().any(|tree| tree.parent.is_some()),
                    status.trees.iter().any(|tree| tree.children > 0),
                    // Documents go by routes.
                    status.counters.asked > 0,
                ]);
            });
        });
    }
}
