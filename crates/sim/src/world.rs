//! The world: what is in it, and what can be done to it.

mod desks;
mod faults;
mod inspect;
mod links;
mod pool;
mod private;
mod puppets;
mod run;

use core::time::Duration;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use taiinet_document::{Content, DocumentId, Map, Opened};
use taiinet_identity::{Identity, PeerId};
use taiinet_mesh::{
    BlacklistError, Config, Event, FindId, FindOptions, Input, LinkId, Peer, PublishError,
    PublishOptions, SharedVerification, SignallerAddress, SubscriptionId, Time, TooManyFinds,
    wire::FrameKind,
};
use taiinet_query::{Query, SharedQuery};

use crate::{
    Behaviour, Keep, Node, PeerIndex, PeerSpec, Puppet, WorldConfig,
    behaviour::Ring,
    channel::{EndId, Ends},
    desk::DeskNode,
    queue::Queue,
    rng::Rng,
    trace::Trace,
};

/// When a world begins, in milliseconds since the Unix epoch.
pub(crate) const GENESIS: u64 = 1_700_000_000_000;

/// A document as it was delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivered {
    /// The document's id.
    pub id: DocumentId,
    /// The peer that wrote it.
    pub author: PeerId,
    /// Links it crossed.
    pub hops: u8,
    /// The neighbour it came from; none for the peer's own.
    pub from: Option<PeerId>,
    /// When it was delivered.
    pub at: Time,
    /// In which life of the peer: 0 before the first restart.
    pub life: u32,
    /// What it says, if it was sealed to the peer.
    pub opened: Option<Arc<Opened>>,
}

/// A document as it was published.
#[derive(Debug, Clone)]
pub struct Published {
    /// The document's id.
    pub id: DocumentId,
    /// The peer that published it.
    pub by: PeerIndex,
    /// When it was published.
    pub at: Time,
    /// Its content.
    pub content: Map,
}

/// What a search has found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Which documents, in order.
    pub documents: Vec<DocumentId>,
    /// When it was over, and whether it was complete.
    pub done: Option<(Time, bool)>,
}

/// What became of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It takes part.
    Alive,
    /// It said goodbye.
    Left,
    /// It was killed.
    Crashed,
}

/// What a peer has sent to others over its links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of these, those that are documents on their way.
    pub document_bytes: u64,
}

/// A peer's subscription, which it makes again after a restart.
struct Subscribed {
    query: Query,
    is_discreet: bool,
}

impl Subscribed {
    fn begin(&self, peer: &mut Peer) -> SubscriptionId {
        let query = self.query.clone();
        let begun =
            if self.is_discreet { peer.subscribe_discreetly(query) } else { peer.subscribe(query) };
        begun.expect("a test subscribes to few queries")
    }
}

struct PeerNode {
    identity: Identity,
    spec: PeerSpec,
    subscribed: Vec<Subscribed>,
    peer: Peer,
    life: Life,
    lives: u32,
    links: BTreeMap<LinkId, EndId>,
    wake: Option<u64>,
    dozing: bool,
    /// What happened to it since it froze; none while it runs.
    frozen: Option<Vec<Input>>,
    /// Time-outs handled at one moment.
    ticks: (u64, u32),
    time_outs: u64,
    deliveries: Vec<Delivered>,
    changes: Vec<DocumentId>,
    events: Vec<(Time, Event)>,
    found: BTreeMap<FindId, Found>,
    /// What it does otherwise than an honest peer; none, if it is one.
    behaviours: Option<Vec<Behaviour>>,
    traffic: Traffic,
    /// Microseconds at which what all links sent so far will have left, where the uplink is limited.
    leaves: u64,
}

/// A virtual network on a virtual clock.
///
/// Everything that happens follows from the seed and the calls made: two worlds that were made and
/// used alike have the same [`World::trace_hash`].
pub struct World {
    config: WorldConfig,
    rng: Rng,
    now: u64,
    queue: Queue,
    trace: Trace,
    ends: Ends,
    described: BTreeMap<String, EndId>,
    peers: Vec<PeerNode>,
    names: BTreeMap<PeerId, PeerIndex>,
    desks: Vec<DeskNode>,
    puppets: Vec<Puppet>,
    wakes: BTreeSet<(u64, Node)>,
    dirty: BTreeSet<Node>,
    groups: BTreeMap<Node, usize>,
    published: Vec<Published>,
    /// What was delivered and not taken yet, where it is not kept with the peers.
    delivered: Vec<(PeerIndex, Delivered)>,
    /// Honest peers that another cut for misbehaviour, where that is counted.
    honest_cut: u64,
    /// What hostile peers know.
    ring: Ring,
    verified: Option<SharedVerification>,
    tapped: Option<Vec<Vec<u8>>>,
    violations: Vec<String>,
    /// Bytes that peers sent, by the kind of frame.
    by_kind: BTreeMap<FrameKind, u64>,
    candidates_passed: u64,
}

impl World {
    /// An empty world.
    pub fn new(seed: u64, config: WorldConfig) -> Self {
        let kept = config.keep == Keep::Everything;
        Self {
            verified: config.shared_verification.then(SharedVerification::default),
            config,
            rng: Rng::new(seed),
            now: GENESIS,
            queue: Queue::default(),
            trace: Trace::new(kept),
            ends: Ends::default(),
            described: BTreeMap::new(),
            peers: Vec::new(),
            names: BTreeMap::new(),
            desks: Vec::new(),
            puppets: Vec::new(),
            wakes: BTreeSet::new(),
            dirty: BTreeSet::new(),
            groups: BTreeMap::new(),
            published: Vec::new(),
            delivered: Vec::new(),
            honest_cut: 0,
            ring: Ring::default(),
            tapped: None,
            violations: Vec::new(),
            by_kind: BTreeMap::new(),
            candidates_passed: 0,
        }
    }

    /// What time it is.
    pub const fn now(&self) -> Time {
        Time::from_millis(self.now)
    }

    /// What time a peer believes it is.
    pub fn time_of(&self, peer: PeerIndex) -> Time {
        let error = self.peers[peer.0].spec.clock_error;
        Time::from_millis(self.now.saturating_add_signed(error))
    }

    /// How long the world has been running.
    pub const fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now - GENESIS)
    }

    /// A fresh identity from the world's generator.
    pub fn identity(&mut self) -> Identity {
        Identity::generate(self.rng.crypto())
    }

    /// Fresh random bytes from the world's generator.
    pub fn entropy(&mut self) -> [u8; 32] {
        self.rng.bytes()
    }

    // ---- Peers ----

    /// A new peer, which starts now.
    pub fn add_peer(&mut self, spec: PeerSpec) -> PeerIndex {
        let identity = self.identity();
        self.add_peer_with(identity, spec)
    }

    /// A new peer with this key, which starts now.
    pub fn add_peer_with(&mut self, identity: Identity, spec: PeerSpec) -> PeerIndex {
        let peer = self.start(&identity, &spec);
        let index = PeerIndex(self.peers.len());
        self.names.insert(identity.peer_id(), index);
        self.peers.push(PeerNode {
            identity,
            spec,
            subscribed: Vec::new(),
            peer,
            life: Life::Alive,
            lives: 0,
            links: BTreeMap::new(),
            wake: None,
            dozing: false,
            frozen: None,
            ticks: (0, 0),
            time_outs: 0,
            deliveries: Vec::new(),
            changes: Vec::new(),
            events: Vec::new(),
            found: BTreeMap::new(),
            behaviours: None,
            traffic: Traffic::default(),
            leaves: 0,
        });
        self.dirty.insert(Node::Peer(index));
        index
    }

    /// So many new peers alike.
    pub fn add_peers(&mut self, count: usize, spec: &PeerSpec) -> Vec<PeerIndex> {
        (0..count).map(|_| self.add_peer(spec.clone())).collect()
    }

    fn start(&mut self, identity: &Identity, spec: &PeerSpec) -> Peer {
        let address = |signaller: &crate::SignallerIndex| SignallerAddress {
            url: signaller.url(),
            pinned: None,
        };
        let config = Config {
            signallers: spec.signallers.iter().map(address).collect(),
            target_links: spec.target_links,
            max_links: spec.max_links,
            quota: spec.quota,
            silence: spec.silence,
            store_bytes: spec.store_bytes,
            signaller_relay: spec.signaller_relay,
            introduce_by_interest: spec.introduce_by_interest,
            archive: spec.archive.clone(),
            verified: self.verified.clone(),
            ..Config::new(spec.network.clone())
        };
        let seed = self.rng.bytes();
        let now = Time::from_millis(self.now.saturating_add_signed(spec.clock_error));
        Peer::new(identity.clone(), config, seed, now)
    }

    /// Subscribes a peer to the documents that match `query` (JSON); it does so again after a
    /// restart.
    ///
    /// # Panics
    /// If the query is not valid.
    pub fn subscribe(&mut self, peer: PeerIndex, query: &str) {
        self.begin(peer, query, false);
    }

    /// The same discreetly: others hear that it wants everything.
    ///
    /// # Panics
    /// If the query is not valid.
    pub fn subscribe_discreetly(&mut self, peer: PeerIndex, query: &str) -> SubscriptionId {
        self.begin(peer, query, true)
    }

    fn begin(&mut self, peer: PeerIndex, query: &str, is_discreet: bool) -> SubscriptionId {
        let query = Query::from_json(query).expect("a test's query is valid");
        let subscribed = Subscribed { query, is_discreet };
        let node = &mut self.peers[peer.0];
        let id = subscribed.begin(&mut node.peer);
        node.subscribed.push(subscribed);
        self.dirty.insert(Node::Peer(peer));
        id
    }

    /// Publishes `content` (a JSON object) by a peer.
    ///
    /// # Errors
    /// [`PublishError`], as the peer says.
    pub fn publish(&mut self, peer: PeerIndex, content: &str) -> Result<DocumentId, PublishError> {
        let content = crate::forge::fields(content);
        let (at, now) = (self.now(), self.time_of(peer));
        let node = &mut self.peers[peer.0];
        let open = Content::Open(content.clone());
        let id = node.peer.publish(open, PublishOptions::default(), now)?;
        self.dirty.insert(Node::Peer(peer));
        self.ring.authors.insert((&id).into(), self.id(peer));
        self.published.push(Published { id, by: peer, at, content });
        self.trace.note(self.now, peer.0, "publish", 0, id.as_bytes());
        Ok(id)
    }

    /// Makes a peer hostile: from now on it does this. With nothing to do it behaves well, and is hostile all the same.
    pub fn behave(&mut self, peer: PeerIndex, behaviours: Vec<Behaviour>) {
        self.peers[peer.0].behaviours = Some(behaviours);
    }

    /// A peer keeps another out from now on.
    ///
    /// # Errors
    /// [`BlacklistError`], as the peer says.
    pub fn blacklist(&mut self, peer: PeerIndex, other: PeerId) -> Result<(), BlacklistError> {
        let now = self.time_of(peer);
        self.peers[peer.0].peer.blacklist(other, None, now)?;
        self.dirty.insert(Node::Peer(peer));
        Ok(())
    }

    /// A peer forgives another; whether that was blacklisted.
    pub fn unblock(&mut self, peer: PeerIndex, other: &PeerId) -> bool {
        let now = self.time_of(peer);
        self.peers[peer.0].peer.unblock(other, now)
    }

    /// Tells a peer whether its application is behind with its deliveries.
    pub fn set_behind(&mut self, peer: PeerIndex, behind: bool) {
        self.input(peer, Input::Behind(behind));
    }

    /// Tells a peer that its device woke up. If it was frozen, it runs again, and learns this before
    /// all else.
    pub fn wake(&mut self, peer: PeerIndex) {
        let missed = self.peers[peer.0].frozen.take();
        self.input(peer, Input::Wake);
        self.resume_peer(peer, missed);
    }

    /// A peer begins to doze, as a browser's hidden tab does, or ceases to: while it dozes its
    /// timers come once a minute.
    pub fn doze(&mut self, peer: PeerIndex, dozing: bool) {
        self.peers[peer.0].dozing = dozing;
        self.input(peer, Input::Doze(dozing));
    }

    /// Freezes a peer, as a sleeping device: it does nothing and hears of nothing until
    /// [`Self::thaw`] or [`Self::wake`].
    pub fn freeze(&mut self, peer: PeerIndex) {
        self.settle();
        self.peers[peer.0].frozen.get_or_insert_default();
        self.dirty.insert(Node::Peer(peer));
    }

    /// A frozen peer runs again, unaware of its sleep.
    pub fn thaw(&mut self, peer: PeerIndex) {
        let missed = self.peers[peer.0].frozen.take();
        self.resume_peer(peer, missed);
    }

    /// First its timers come, then what happened meanwhile: the worse order of the two.
    fn resume_peer(&mut self, peer: PeerIndex, missed: Option<Vec<Input>>) {
        let now = self.time_of(peer);
        let node = &mut self.peers[peer.0];
        if node.life == Life::Alive && node.peer.poll_timeout().is_some_and(|due| due <= now) {
            node.peer.handle_timeout(now);
        }
        self.dirty.insert(Node::Peer(peer));
        for input in missed.into_iter().flatten() {
            self.input(peer, input);
        }
    }

    /// A peer looks for the recent documents that match `query` (JSON).
    ///
    /// # Errors
    /// [`TooManyFinds`], as the peer says.
    ///
    /// # Panics
    /// If the query is not valid.
    pub fn find(
        &mut self,
        peer: PeerIndex,
        query: &str,
        limit: u16,
    ) -> Result<FindId, TooManyFinds> {
        let query: SharedQuery = query.parse().expect("a test's query is valid");
        let now = self.time_of(peer);
        let find = self.peers[peer.0].peer.find(query, FindOptions::newest(limit), now)?;
        self.dirty.insert(Node::Peer(peer));
        Ok(find)
    }

    /// What a search of a peer has found so far.
    pub fn found(&self, peer: PeerIndex, find: FindId) -> Found {
        self.peers[peer.0].found.get(&find).cloned().unwrap_or_default()
    }

    /// Gives a living peer an input.
    fn input(&mut self, peer: PeerIndex, input: Input) {
        let now = self.time_of(peer);
        let node = &mut self.peers[peer.0];
        if node.life == Life::Crashed {
            return;
        }
        if let Some(missed) = &mut node.frozen {
            missed.push(input);
            return;
        }
        node.peer.handle(input, now);
        self.dirty.insert(Node::Peer(peer));
    }
}
