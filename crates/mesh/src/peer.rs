//! The front door of the core.

mod direct;
mod documents;
mod doze;
mod finds;
mod handshake;
mod negotiation;
mod private;
mod standing;
mod view;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use taiinet_document::{Content, DocumentId, Map, Opened, Timestamp, VerifiedDocument};
use taiinet_identity::{Identity, PeerId, PublicKey, Recipient, Signed, Verified};
use taiinet_query::{Attributes, Index, Query, Scratch, SharedQuery};

use crate::{
    Config, Counters, Disconnect, Event, FindId, Input, LinkFailure, LinkId, LinkStatus,
    Misbehaviour, Output, PublishError, PublishOptions, SignallerAddress, Status, SubscriptionId,
    Time, TooManyFinds, TooManySubscriptions,
    broadcast::{Act, Broadcast},
    budget::Budget,
    candidates::Candidates,
    finds::Finds,
    frame::{
        Astray, Frame, IceServer, Presence, Signal, ToSignaller,
        codec::{self, MessageReader},
    },
    limits,
    link::Link,
    private::{Directory, Openings, Own, Unopened},
    quota::Quotas,
    reputation::Reputation,
    rng::Rng,
    seeds::Seeds,
    signallers::Signallers,
    signalling::Signalling,
};

/// A peer, without any IO: it takes [`Input`]s and the time, and gives [`Output`]s.
///
/// ```text
/// peer.handle(input, now);
/// while let Some(output) = peer.poll_output(now) { … }
/// let wake_at = peer.poll_timeout();     // then peer.handle_timeout(now)
/// ```
#[derive(Debug)]
pub struct Peer {
    identity: Identity,
    config: Config,
    rng: Rng,
    outputs: VecDeque<Output>,
    links: BTreeMap<LinkId, Link>,
    next_link: u64,
    /// Links that may have something to send.
    dirty: BTreeSet<LinkId>,
    signallers: Signallers,
    /// STUN servers that signallers named, and TURN servers.
    ice_servers: BTreeMap<LinkId, Vec<IceServer>>,
    turn_servers: BTreeMap<LinkId, Vec<IceServer>>,
    candidates: Candidates,
    signalling: Signalling,
    /// How many signals each link may still pass us.
    signal_budgets: BTreeMap<LinkId, Budget>,
    /// How many signals of others we may still pass to each link.
    passed_budgets: BTreeMap<LinkId, Budget>,
    broadcast: Broadcast,
    quotas: Quotas,
    reputation: Reputation,
    finds: Finds,
    seeds: Seeds,
    subscriptions: Index<SubscriptionId>,
    /// The index's working memory.
    scratch: Scratch,
    next_subscription: u64,
    private: Own,
    openings: Openings,
    directory: Directory,
    /// Keys of authors and others, once they have verified something.
    keys: BTreeMap<PeerId, PublicKey>,
    /// Our own presence, as last signed.
    presence: Option<Verified<Presence>>,
    started: Time,
    shuffle_at: Time,
    mix_at: Time,
    /// When to look for a link that can go; none while there is no surplus.
    trim_at: Option<Time>,
    counters: Counters,
    /// Whether something has changed that may call for new links.
    restless: bool,
    /// Whether our timers come late.
    dozing: bool,
    /// When we were called last.
    called: Time,
    left: bool,
}

impl Peer {
    /// A peer that starts now. `seed` feeds its generator: fresh entropy in real life, a chosen
    /// number in the simulator.
    pub fn new(identity: Identity, mut config: Config, seed: [u8; 32], now: Time) -> Self {
        config.max_links = config.max_links.max(1);
        config.target_links = config.target_links.min(config.max_links);
        let mut rng = Rng::new(seed);
        let mut signallers = Signallers::default();
        for address in &config.signallers {
            signallers.add(address.clone(), now);
        }
        for SignallerAddress { url, pinned } in &config.learned {
            if let Some(key) = pinned.filter(|_| crate::signallers::is_address(url)) {
                signallers.learn(url, key, Timestamp::default(), now);
            }
        }
        let broadcast = Broadcast::new(Rng::new(rng.nonce()), config.store_bytes);
        let subscriptions = Index::with_seed(rng.next_u64());
        let directory = Directory::new(rng.next_u64(), now);
        let quotas = Quotas::new(config.quota, now);
        let reputation = Reputation::new(&config.blacklist, now);
        let seeds = config.direct.as_ref().map(|direct| Seeds::new(&direct.seeds, now));
        let seeds = seeds.unwrap_or_default();
        Self {
            identity,
            trim_at: None,
            shuffle_at: now.after(rng.jitter(limits::SHUFFLE_EVERY)),
            mix_at: now.after(rng.jitter(limits::MIX_EVERY)),
            config,
            rng,
            outputs: VecDeque::new(),
            links: BTreeMap::new(),
            next_link: 0,
            dirty: BTreeSet::new(),
            signallers,
            ice_servers: BTreeMap::new(),
            turn_servers: BTreeMap::new(),
            candidates: Candidates::default(),
            signalling: Signalling::default(),
            signal_budgets: BTreeMap::new(),
            passed_budgets: BTreeMap::new(),
            broadcast,
            quotas,
            reputation,
            finds: Finds::default(),
            seeds,
            subscriptions,
            scratch: Scratch::default(),
            next_subscription: 0,
            private: Own::default(),
            openings: Openings::new(now),
            directory,
            keys: BTreeMap::new(),
            presence: None,
            started: now,
            counters: Counters::default(),
            restless: true,
            dozing: false,
            called: now,
            left: false,
        }
    }

    /// Its name.
    pub fn id(&self) -> PeerId {
        self.identity.peer_id()
    }

    /// Subscribes to the documents that match `query`.
    ///
    /// # Errors
    /// [`TooManySubscriptions`]
    pub fn subscribe(&mut self, query: Query) -> Result<SubscriptionId, TooManySubscriptions> {
        if self.subscriptions.len() >= limits::SUBSCRIPTIONS {
            return Err(TooManySubscriptions);
        }
        self.next_subscription += 1;
        let id = SubscriptionId(self.next_subscription);
        self.subscriptions.insert(id, query);
        Ok(id)
    }

    /// Subscribes with a key of its own: the network is told of the query and the key, so that others
    /// can seal what matches ([`Subscribers`](crate::Audience::Subscribers)). The key is wiped with the subscription.
    ///
    /// # Errors
    /// [`TooManySubscriptions`], also for more than [`limits::PRIVATE_SUBSCRIPTIONS`] of this kind.
    pub fn subscribe_privately(
        &mut self,
        query: SharedQuery,
        now: Time,
    ) -> Result<SubscriptionId, TooManySubscriptions> {
        self.begin_private(query, now)
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, subscription: SubscriptionId, now: Time) {
        self.subscriptions.remove(&subscription);
        self.end_private(subscription, now);
    }

    /// To whom a document with these options would be sealed now; nobody, if it is for everyone. A
    /// driver that has several threads seals in those of its callers.
    ///
    /// # Errors
    /// [`PublishError::NoRecipient`], [`PublishError::Seal`]
    pub fn recipients(
        &mut self,
        content: &Map,
        options: &PublishOptions,
        now: Time,
    ) -> Result<BTreeSet<Recipient>, PublishError> {
        self.choose_recipients(content, options, now)
    }

    /// Looks for recent documents that match `query`: our own first, then those of our neighbours,
    /// the newest of each first, `limit` in all. They come as [`Output::Found`], each once, and are
    /// neither delivered to subscriptions nor passed on; [`Output::FindDone`] ends the search after
    /// [`limits::FIND_TIMEOUT`] at the latest. While there is no neighbour it waits for one.
    ///
    /// # Errors
    /// [`TooManyFinds`]
    pub fn find(
        &mut self,
        query: SharedQuery,
        limit: u16,
        now: Time,
    ) -> Result<FindId, TooManyFinds> {
        self.begin_find(query, limit, now)
    }

    /// Signs and publishes a document. It is held until a neighbour has taken it ([`Event::Taken`]),
    /// or it is too old for any to accept it ([`Event::Lost`]).
    ///
    /// # Errors
    /// [`PublishError`]
    pub fn publish(
        &mut self,
        content: Content,
        options: PublishOptions,
        now: Time,
    ) -> Result<DocumentId, PublishError> {
        self.publish_document(content, options, now)
    }

    /// Publishes a document that was signed elsewhere, as [`Self::publish`] does: a driver that has
    /// several threads signs in those of its callers.
    ///
    /// # Errors
    /// [`PublishError`]
    pub fn publish_signed(
        &mut self,
        document: Arc<VerifiedDocument>,
        now: Time,
    ) -> Result<DocumentId, PublishError> {
        self.publish_verified(document, now)
    }

    /// Passes a signal of a client to the signaller that its recipient has joined, if that is a
    /// neighbour in the pool; whether it is, and keeps up: what clients send never ends its link.
    pub fn relay(&mut self, to: PeerId, signal: Signed<Signal>, now: Time) -> bool {
        self.send_to(to, &Frame::Relay(signal), now)
    }

    /// Tells a neighbour in the pool that a signal which it passed on found nobody.
    pub fn astray(&mut self, to: PeerId, astray: Astray, now: Time) -> bool {
        self.send_to(to, &Frame::Astray(astray), now)
    }

    /// The neighbours' names.
    pub fn neighbour_ids(&self) -> impl Iterator<Item = PeerId> {
        self.links.values().filter(|link| link.is_active()).map(|link| link.peer)
    }

    /// The presences of the neighbours, for others to reach them.
    pub fn neighbours(&self, now: Time) -> Vec<Signed<Presence>> {
        self.neighbour_presences(&self.id(), now)
    }

    /// Our own presence.
    pub fn presence(&mut self, now: Time) -> Signed<Presence> {
        self.own_presence(now)
    }

    /// The signallers that others have told of: for [`Config::learned`] in the next run.
    pub fn learned_signallers(&self) -> Vec<SignallerAddress> {
        self.signallers.learned()
    }

    /// Adds a signaller to those it knows.
    pub fn add_signaller(&mut self, address: SignallerAddress, now: Time) {
        self.signallers.add(address, now);
    }

    /// Says goodbye to everybody; nothing but closing links comes after it.
    pub fn leave(&mut self, now: Time) {
        self.end_all_private(now);
        for link in self.signallers.links() {
            self.tell(link, &ToSignaller::Leave, now);
            self.outputs.push_back(Output::Close { link });
        }
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.close(link, Some(Frame::Bye), Disconnect::Local, now);
        }
        self.end_finds();
        self.left = true;
    }

    /// Takes what happened.
    pub fn handle(&mut self, input: Input, now: Time) {
        if self.left {
            return;
        }
        if matches!(input, Input::Wake) {
            self.called = now;
        } else {
            self.notice_sleep(now);
        }
        match input {
            Input::LinkUp { link, binding } => self.link_up(link, binding, now),
            Input::Negotiation { link, part } => self.local_part(link, part, now),
            Input::Message { link, bytes } => self.message(link, &bytes, now),
            Input::Sent { link, bytes } => {
                if let Some(state) = self.links.get_mut(&link) {
                    state.lanes.sent(bytes);
                    self.dirty.insert(link);
                }
            }
            Input::LinkDown { link, cause } => self.link_down(link, cause, now),
            Input::Behind(behind) => self.broadcast.set_behind(behind, now),
            Input::Wake => self.wake(now),
            Input::Doze(dozing) => self.set_dozing(dozing, now),
        }
        self.seek(now);
        self.hurry(now);
    }

    /// Does what is due by `now`; call it when [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.left {
            return;
        }
        self.notice_sleep(now);
        self.tick(now);
        self.hurry(now);
    }

    fn tick(&mut self, now: Time) {
        self.tick_signallers(now);
        self.tick_seeds(now);
        self.tick_links(now);
        self.tick_broadcast(now);
        self.tick_view(now);
        self.announce_subscriptions(now);
        self.open_waiting(now);
        self.finish_finds(now);
        self.restless = true;
        self.seek(now);
    }

    /// What to do next; call it until it is `None` after each other call, or after several: what
    /// is sent on one link is packed together only here.
    pub fn poll_output(&mut self, now: Time) -> Option<Output> {
        if self.outputs.is_empty() {
            self.transmit(now);
        }
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Time> {
        if self.left {
            return None;
        }
        let links = self.links.values().map(Link::deadline);
        links
            .chain(self.signallers.deadline())
            .chain(self.broadcast.deadline())
            .chain(self.quotas.deadline())
            .chain(self.view_deadline())
            .chain(self.finds.deadline())
            .chain(self.private.deadline())
            .chain(self.openings.deadline())
            .chain(self.seeds.deadline())
            .min()
    }

    /// How many documents of our own no neighbour has taken yet.
    pub fn untaken(&self) -> usize {
        self.broadcast.outbox.len()
    }

    /// A picture of it.
    pub fn status(&self, now: Time) -> Status {
        let link = |link: &Link| {
            let neighbour = self.broadcast.neighbour(link.id);
            LinkStatus {
                link: link.id,
                peer: link.peer,
                state: link.state(),
                incoming: link.incoming,
                eager: neighbour.is_some_and(|neighbour| neighbour.eager),
                dozing: link.dozing,
                since: link.since(),
                round_trip_ms: link
                    .round_trip()
                    .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
                documents_sent: link.lanes.documents_sent(),
                documents_received: neighbour.map_or(0, |neighbour| neighbour.received),
                duplicates: neighbour.map_or(0, |neighbour| neighbour.duplicates),
                rejected: link.offences,
                points: self.reputation.points(&link.peer, now),
                queued_bytes: link.lanes.queued(),
            }
        };
        Status {
            links: self.links.values().map(link).collect(),
            signallers: self.signallers.status(),
            ice_servers: self.ice(),
            candidates: self.candidates.len(),
            private: self.directory.len(),
            failed: self.candidates.failures(),
            blacklist: self.reputation.blacklist(now),
            counters: self.counters.clone(),
        }
    }

    // ---- Messages in ----

    fn message(&mut self, link: LinkId, bytes: &[u8], now: Time) {
        if self.signallers.has(link) {
            self.signaller_message(link, bytes, now);
            return;
        }
        let Some(state) = self.links.get_mut(&link) else { return };
        state.hears(now);
        let result = MessageReader::new(bytes).and_then(|frames| {
            for frame in frames {
                if !self.links.contains_key(&link) {
                    return Ok(());
                }
                self.frame(link, codec::decode(frame?)?, now)?;
            }
            Ok(())
        });
        if let Err(misbehaviour) = result {
            self.offence(link, misbehaviour, now);
        }
    }

    /// One frame of a peer. An offence that is not fatal is charged here, and the next frame of the
    /// message goes on.
    fn frame(&mut self, link: LinkId, frame: Frame, now: Time) -> Result<(), Misbehaviour> {
        match self.dispatch(link, frame, now) {
            Err(misbehaviour) if !misbehaviour.is_fatal() => {
                self.offence(link, misbehaviour, now);
                Ok(())
            }
            result => result,
        }
    }

    fn dispatch(&mut self, link: LinkId, frame: Frame, now: Time) -> Result<(), Misbehaviour> {
        let Some(state) = self.links.get_mut(&link) else { return Ok(()) };
        match frame {
            Frame::Hello(hello) => return self.hello(link, hello, now),
            Frame::Proof(proof) => return self.proof(link, &proof, now),
            Frame::Refuse(refusal) => return self.refused(link, refusal, now),
            Frame::Bye => {
                let peer = state.peer;
                if state.is_proven() {
                    self.candidates.forget(&peer);
                }
                self.close(link, None, Disconnect::Bye, now);
                return Ok(());
            }
            _ if !state.is_proven() => return Err(Misbehaviour::Unproven),
            Frame::Neighbour(neighbour) => return self.neighbour(link, neighbour, now),
            Frame::Ping(number) => {
                self.control(link, &Frame::Pong(number), now);
                return Ok(());
            }
            Frame::Pong(number) => {
                state.pong(number, now);
                return Ok(());
            }
            _ if !state.is_active() => return Err(Misbehaviour::OutOfTurn),
            _ => {}
        }
        match frame {
            Frame::Fragment(fragment) => {
                let whole = state.assembler.push(&fragment)?;
                if let Some(neighbour) = self.broadcast.neighbour_mut(link) {
                    neighbour.progress(now);
                }
                match whole {
                    Some(frame) => self.dispatch(link, frame, now),
                    None => Ok(()),
                }
            }
            Frame::Push(push) => self.pushed(link, push, now),
            Frame::Have(ids) => self.announced(link, &ids, now),
            Frame::Graft(ids) => self.grafted(link, &ids),
            Frame::Prune => {
                if let Some(neighbour) = self.broadcast.neighbour_mut(link) {
                    neighbour.eager = false;
                }
                Ok(())
            }
            Frame::Surplus(surplus) => {
                state.surplus = surplus;
                Ok(())
            }
            Frame::Ack(bytes) => self.acknowledged(link, bytes),
            Frame::Find(find) => self.asked(link, &find, now),
            Frame::Found(found) => self.answers(link, found, now),
            Frame::Doze(dozing) => {
                self.neighbour_dozes(link, dozing, now);
                Ok(())
            }
            Frame::Shuffle(presences) => self.shuffled(link, presences, true, now),
            Frame::ShuffleReply(presences) => self.shuffled(link, presences, false, now),
            Frame::Signal(signal) => self.neighbour_signal(link, signal, now),
            Frame::Relay(signal) => self.relayed(link, signal, now),
            Frame::Astray(astray) => self.went_astray(link, astray, now),
            Frame::Compare(compare) => self.compared(link, &compare, now),
            Frame::Unreachable(peer) => {
                self.unreachable(peer, link, now);
                Ok(())
            }
            // Handled above.
            _ => Ok(()),
        }
    }

    // ---- Messages out ----

    /// Queues a control frame; a link that has no room for it does not keep up, and is closed.
    fn control(&mut self, link: LinkId, frame: &Frame, now: Time) {
        let Some(state) = self.links.get_mut(&link) else { return };
        if state.lanes.control(frame) {
            self.dirty.insert(link);
        } else {
            self.close(link, None, Disconnect::Overloaded, now);
        }
    }

    fn act(&mut self, acts: Vec<Act>, now: Time) {
        for act in acts {
            match act {
                Act::Push { link, parcel } => {
                    let Some(state) = self.links.get_mut(&link) else { continue };
                    let id = parcel.id();
                    if state.lanes.push(parcel) {
                        self.dirty.insert(link);
                    } else {
                        self.broadcast.owe(link, id, now);
                    }
                }
                Act::Control { link, frame } => self.control(link, &frame, now),
                Act::Broken { link } => self.offence(link, Misbehaviour::BrokenPromise, now),
                Act::Compare { link } => self.compare(link, now),
            }
        }
    }

    /// Turns what waits on links into messages.
    fn transmit(&mut self, now: Time) {
        while let Some(link) = self.dirty.pop_first() {
            self.serve(link);
            let Some(state) = self.links.get_mut(&link) else { continue };
            let mut sent = false;
            while let Some(bytes) = state.lanes.transmit() {
                self.outputs.push_back(Output::Send { link, bytes });
                sent = true;
            }
            if sent {
                state.speaks(now);
                // What was asked for may have room now.
                if self.broadcast.has_requests(link) && state.lanes.has_room() {
                    self.dirty.insert(link);
                }
            }
        }
    }

    /// Sends a frame to a signaller.
    fn tell(&mut self, link: LinkId, frame: &ToSignaller, now: Time) {
        self.signallers.speaks(link, now);
        self.outputs.push_back(Output::Send { link, bytes: codec::encode(frame) });
    }

    // ---- Links ----

    fn new_link(&mut self) -> LinkId {
        self.next_link += 1;
        LinkId(self.next_link)
    }

    fn link_down(&mut self, link: LinkId, cause: LinkFailure, now: Time) {
        if self.signallers.has(link) {
            self.lose_signaller(link, Disconnect::Link(cause), core::time::Duration::ZERO, now);
        } else {
            self.drop_link(link, Disconnect::Link(cause), now);
        }
    }

    /// Closes a link to a peer, with a last frame.
    fn close(&mut self, link: LinkId, last: Option<Frame>, cause: Disconnect, now: Time) {
        let Some(state) = self.links.get_mut(&link) else { return };
        // What it sent and we have, it shall know to be taken.
        let acknowledgement = self
            .broadcast
            .neighbour_mut(link)
            .and_then(|neighbour| neighbour.last_acknowledgement());
        if let Some(last) = last
            && !state.is_dialling()
            && acknowledgement.iter().chain([&last]).all(|frame| state.lanes.control(frame))
        {
            for bytes in state.lanes.last_words() {
                self.outputs.push_back(Output::Send { link, bytes });
            }
        }
        self.outputs.push_back(Output::Close { link });
        self.drop_link(link, cause, now);
    }

    /// Forgets a link to a peer, and deals with what follows from its end.
    fn drop_link(&mut self, link: LinkId, cause: Disconnect, now: Time) {
        let Some(state) = self.links.remove(&link) else { return };
        self.restless = true;
        self.dirty.remove(&link);
        self.signal_budgets.remove(&link);
        self.passed_budgets.remove(&link);
        self.seeds.lost(link, &mut self.rng, now);
        self.signalling.end(state.session);
        self.lost_route(link, now);
        let peer = state.peer;
        self.weigh_surplus(now);
        let useless = matches!(cause, Disconnect::Misbehaved(_));
        // Who is not heard of after a wake may well be there, and we at another place.
        let blameless = state.is_probed();
        if state.is_active() {
            self.broadcast.lost(link, now);
            self.finds.lost(link);
            self.finish_finds(now);
            if useless || !blameless && matches!(cause, Disconnect::Silent | Disconnect::Link(_)) {
                self.candidates.failed(&peer, cause.clone(), &mut self.rng, now);
            }
            self.signallers.ask_again(&mut self.rng, now);
            self.outputs.push_back(Output::Event(Event::PeerDisconnected { peer, cause }));
        } else if !state.incoming && cause != Disconnect::Local {
            if !blameless {
                self.candidates.failed(&peer, cause.clone(), &mut self.rng, now);
            }
            self.outputs.push_back(Output::Event(Event::DialFailed { peer, cause }));
        }
    }

    fn tick_links(&mut self, now: Time) {
        let due: Vec<LinkId> =
            self.links.values().filter(|link| link.deadline() <= now).map(|link| link.id).collect();
        for link in due {
            let Some(state) = self.links.get_mut(&link) else { continue };
            match state.tick(now) {
                Ok(Some(ping)) => self.control(link, &ping, now),
                Ok(None) => {}
                Err(cause) => self.close(link, None, cause, now),
            }
        }
    }

    /// Keeps a key that has verified something: the next time it need not be decompressed.
    fn remember_key(&mut self, key: PublicKey) {
        if self.keys.len() >= limits::AUTHOR_KEYS {
            let victim = self.keys.keys().nth(self.rng.below(self.keys.len())).copied();
            if let Some(victim) = victim {
                self.keys.remove(&victim);
            }
        }
        self.keys.insert(key.peer_id(), key);
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn deliver(
        &mut self,
        document: &Arc<VerifiedDocument>,
        hops: u8,
        from: Option<PeerId>,
        now: Time,
    ) {
        if self.subscriptions.is_empty() {
            return;
        }
        match document.content() {
            Content::Open(_) => self.deliver_fields(document, None, hops, from),
            Content::Sealed(_) => {
                let document = Arc::clone(document);
                self.deliver_sealed(Unopened { document, hops, from }, now);
            }
            Content::Deleted | Content::Subscription(_) => {}
        }
    }

    /// Delivers a document to the subscriptions that what it says in clear, or said to us, matches.
    fn deliver_fields(
        &mut self,
        document: &Arc<VerifiedDocument>,
        opened: Option<Arc<Opened>>,
        hops: u8,
        from: Option<PeerId>,
    ) {
        let fields = match (&opened, document.content()) {
            (Some(opened), _) => &opened.fields,
            (None, Content::Open(fields)) => fields,
            (None, _) => return,
        };
        let mut subscriptions = Vec::new();
        let attributes = Attributes::of(document);
        self.subscriptions.visit_fields(&mut self.scratch, attributes, fields, |subscription| {
            subscriptions.push(subscription);
        });
        if subscriptions.is_empty() {
            return;
        }
        subscriptions.sort_unstable();
        self.counters.delivered += 1;
        self.outputs.push_back(Output::Deliver(crate::Delivery {
            document: Arc::clone(document),
            opened,
            subscriptions,
            hops,
            from,
        }));
    }
}
