//! What all rooms share.

use std::collections::VecDeque;

use taiinet_document::Timestamp;
use taiinet_identity::{Identity, PeerId, Signed};

use crate::{
    Config, Counters, Event, LinkId, Misbehaviour, Output, SignallerRelay, Time,
    documents::{Keyring, Recent, Stamps},
    limits,
    links::{Links, Reputation},
    membership::{OwnPresence, Said, Topology},
    notice::Notice,
    rng::Rng,
    routes::Spreading,
    signallers::IceServers,
    wire::Presence,
};

/// The context in which each room works: the time, our identity, and what belongs to no room alone. What
/// a room wants to tell the others is a [`Notice`].
#[derive(Debug)]
pub(crate) struct Cx {
    pub(crate) now: Time,
    pub(crate) identity: Identity,
    pub(crate) config: Config,
    pub(crate) topology: Topology,
    pub(crate) rng: Rng,
    /// When we began.
    pub(crate) started: Time,
    /// Whether our timers come late.
    pub(crate) dozing: bool,
    /// What neighbours believe of that, and since when.
    pub(crate) told_doze: (bool, Time),
    /// When neighbours were asked last because all of them were silent.
    pub(crate) asked_at: Option<Time>,
    /// Whether something waits for an archive, and none is a neighbour.
    pub(crate) wants_archive: bool,
    /// Whether something has changed that may call for new links.
    pub(crate) view_changed: bool,
    /// Until when searches wait for an archive that may yet become a neighbour.
    pub(crate) archive_until: Option<Time>,
    /// How documents spread, as the root said last.
    pub(crate) spreading: Spreading,
    /// Whether we want everything.
    pub(crate) open: bool,
    pub(crate) links: Links,
    pub(crate) reputation: Reputation,
    pub(crate) presence: OwnPresence,
    /// The servers that help to find a path to others.
    pub(crate) ice: IceServers,
    /// The documents of the live window.
    pub(crate) store: Recent,
    pub(crate) keyring: Keyring,
    /// What our own documents say of their time.
    pub(crate) stamps: Stamps,
    pub(crate) counters: Counters,
    pub(crate) out: VecDeque<Output>,
    pub(crate) notices: VecDeque<Notice>,
}

impl Cx {
    pub(crate) fn new(identity: Identity, mut config: Config, mut rng: Rng, now: Time) -> Self {
        config.max_links = config.max_links.max(1);
        if config.signaller_relay == SignallerRelay::Only {
            config.max_links = config.max_links.min(limits::CIRCUITS);
            config.target_links = config.target_links.min(limits::CIRCUITS_ENOUGH);
        }
        config.target_links = config.target_links.min(config.max_links);
        Self {
            now,
            identity,
            topology: Topology::new(config.direct.take()),
            started: now,
            dozing: false,
            told_doze: (false, Time::default()),
            asked_at: None,
            wants_archive: false,
            view_changed: true,
            archive_until: None,
            spreading: Spreading::default(),
            open: false,
            links: Links::default(),
            reputation: Reputation::new(&config.blacklist, now),
            presence: OwnPresence::default(),
            ice: IceServers::default(),
            store: Recent::new(config.store_bytes),
            keyring: Keyring::new(rng.split(), config.verified.take()),
            stamps: Stamps::default(),
            counters: Counters::default(),
            out: VecDeque::new(),
            notices: VecDeque::new(),
            config,
            rng,
        }
    }

    /// Our name.
    pub(crate) fn id(&self) -> PeerId {
        self.identity.peer_id()
    }

    /// Tells the other rooms.
    pub(crate) fn notify(&mut self, notice: Notice) {
        self.notices.push_back(notice);
    }

    /// Tells the application.
    pub(crate) fn event(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }

    /// Counts an offence without charging the peer that it came from.
    pub(crate) fn reject(&mut self, from: Option<PeerId>, misbehaviour: Misbehaviour) {
        self.count(misbehaviour);
        self.event(Event::Rejected { peer: from, misbehaviour });
    }

    pub(crate) fn count(&mut self, misbehaviour: Misbehaviour) {
        *self.counters.rejected.entry(misbehaviour).or_default() += 1;
    }

    /// Whether the neighbour at the other end of a link is not believed.
    pub(crate) fn is_suspect(&self, link: LinkId) -> bool {
        self.links.peer(link).is_some_and(|peer| self.reputation.is_suspect(&peer, self.now))
    }

    /// Our own presence, fresh enough to be passed on.
    pub(crate) fn own_presence(&mut self) -> Signed<Presence> {
        let said = Said {
            network: &self.config.network,
            address: self.topology.address(),
            archive: self.config.archive.as_ref(),
            open: self.open,
        };
        self.presence.current(&self.identity, said, self.now)
    }

    /// From when on we care for documents: from our start, as far as they are live.
    pub(crate) fn cares_since(&self) -> Timestamp {
        let start = self.topology.cares_since(self.started.before(self.config.silence));
        start.max(self.now.before(limits::LIVE_WINDOW)).timestamp()
    }
}
