//! How a peer is described and started.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, AtomicUsize},
    },
};

use getrandom::SysRng;
use rand_core::UnwrapErr;
use taiinet_document::Network;
use taiinet_identity::Identity;
use taiinet_mesh::{Blacklisted, Config, Peer, Quota, SignallerAddress, SignallerRelay, limits};
use taiinet_session::{Session, backlog::Backlog};
use taiinet_webrtc::{Bandwidth, Links, WebRtc, WebRtcConfig, check_roots};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{Notify, broadcast, mpsc, watch},
};

#[cfg(feature = "archive")]
use crate::archive::{ArchiveOptions, ArchiveStartError, Keeper};
use crate::{
    address::parse_signaller,
    blacklist,
    clock::Clock,
    driver::Driver,
    error::Error,
    events::EVENTS,
    net::{Inner, TaiiNet},
    signaller_cache,
    stamps::KeptStamps,
    tally::Tally,
    whereabouts::Whereabouts,
};

/// Signed documents that wait for the driver.
const PUBLISHES: usize = 64;

/// Describes a peer; from [`TaiiNet::builder`]. [`connect`](Self::connect) reports what is wrong with the
/// description.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `connect`"]
pub struct Builder {
    network: Option<String>,
    signallers: Vec<String>,
    identity: Option<Identity>,
    links: (usize, usize),
    quota: Quota,
    blacklist: Option<PathBuf>,
    blacklisted: Vec<Blacklisted>,
    signaller_cache: Option<PathBuf>,
    stamps: Option<PathBuf>,
    bind: Vec<IpAddr>,
    relay_only: bool,
    signaller_relay: SignallerRelay,
    introduce_by_interest: bool,
    port_mapping: bool,
    extra_roots: Vec<u8>,
    bandwidth: Bandwidth,
    #[cfg(feature = "archive")]
    archive: Option<ArchiveOptions>,
}

/// How many neighbours an archive accepts at least: those that look for what was before are linked to it.
#[cfg(feature = "archive")]
const ARCHIVE_LINKS: usize = 64;

impl Default for Builder {
    fn default() -> Self {
        Self {
            network: None,
            signallers: Vec::new(),
            identity: None,
            links: Self::LINKS,
            quota: Quota::default(),
            blacklist: None,
            blacklisted: Vec::new(),
            signaller_cache: None,
            stamps: None,
            bind: Vec::new(),
            relay_only: false,
            signaller_relay: SignallerRelay::default(),
            introduce_by_interest: false,
            port_mapping: true,
            extra_roots: Vec::new(),
            bandwidth: Bandwidth::default(),
            #[cfg(feature = "archive")]
            archive: None,
        }
    }
}

impl Builder {
    /// How many neighbours are looked for, and how many accepted at most, if nothing else is said.
    pub const LINKS: (usize, usize) = (limits::TARGET_LINKS, limits::MAX_LINKS);

    /// The network to take part in, 1 to 64 bytes; must be given. Peers of other networks see nothing
    /// of it.
    pub fn network(mut self, name: impl Into<String>) -> Self {
        self.network = Some(name.into());
        self
    }

    /// A signaller to be introduced to others by: `ws://HOST:PORT` or `wss://HOST`, and behind a `#`,
    /// if you know it, the key that it must prove. May be given more than once, or several with commas
    /// between them, as an environment's variable may hold them; three are used at a time.
    pub fn signaller(mut self, address: impl AsRef<str>) -> Self {
        let urls = SignallerAddress::urls(address.as_ref());
        if urls.is_empty() {
            // `connect` says what is wrong with it.
            self.signallers.push(address.as_ref().to_owned());
        }
        self.signallers.extend(urls);
        self
    }

    /// The peer's identity; a fresh one if not given. Key files are read with
    /// [`taiinet::keyfile`](crate::keyfile).
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// How many neighbours to look for, and how many to accept at most; 6 and 10 if not given.
    pub const fn links(mut self, target: usize, max: usize) -> Self {
        self.links = (target, max);
        self
    }

    /// How much one author may write in this network: this peer is held back at that rate, and drops
    /// what others write beyond twice of it. All peers of a network must say the same.
    pub const fn quota(mut self, quota: Quota) -> Self {
        self.quota = quota;
        self
    }

    /// Peers to keep out from the start, besides those that the [file](Self::blacklist_file) lists.
    pub fn blacklisted(mut self, listed: impl IntoIterator<Item = Blacklisted>) -> Self {
        self.blacklisted.extend(listed);
        self
    }

    /// A file that keeps the blacklist from run to run ([`crate::blacklist`]); it need not exist yet.
    pub fn blacklist_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.blacklist = Some(path.into());
        self
    }

    /// A file that keeps the signallers that others tell of from run to run; it need not exist yet.
    pub fn signallers_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.signaller_cache = Some(path.into());
        self
    }

    /// A file that keeps the time of the last document from run to run; it need not exist yet. Each
    /// document of one identity bears a later time than the one before, so that it is clear which of two
    /// under one key is newer: with this file also across runs, should the clock be set back or a run
    /// end in the middle of a burst, and with several processes at once.
    pub fn stamp_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.stamps = Some(path.into());
        self
    }

    /// Local addresses for WebRTC links, instead of every address of this machine.
    pub fn bind(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.bind.extend(addresses);
        self
    }

    /// Whether WebRTC links go only through the TURN servers that a signaller names: no peer learns this
    /// one's addresses. Links that a signaller relays ([`Self::signaller_relay`]) hide them from other peers as
    /// well; without those and without such a server there are no links then.
    pub const fn relay_only(mut self, relay_only: bool) -> Self {
        self.relay_only = relay_only;
        self
    }

    /// When links may be relayed by a signaller whose operator allows that; where no direct one can be had, if
    /// not given. The signaller sees which two peers are linked and how much they say, but not what.
    pub const fn signaller_relay(mut self, when: SignallerRelay) -> Self {
        self.signaller_relay = when;
        self
    }

    /// Whether signallers introduce this peer to others that want the same: in a large network it then finds sooner those that
    /// supply it. They are told hashes of what it subscribes to, as its neighbours are, but never of discreet subscriptions. They
    /// can guess what these stand for, and whoever guesses a query can ask them who has it. By default they are told nothing.
    pub const fn introduce_by_interest(mut self, by_interest: bool) -> Self {
        self.introduce_by_interest = by_interest;
        self
    }

    /// Whether the router may be asked, by PCP (RFC 6887) or NAT-PMP (RFC 6886), for a port that leads to
    /// each link while it is opened, as is done by default: a peer behind a NAT that lets no direct links
    /// through is then reached. On Linux; elsewhere none is asked.
    pub const fn port_mapping(mut self, port_mapping: bool) -> Self {
        self.port_mapping = port_mapping;
        self
    }

    /// Certificate authorities in PEM that `wss://` signallers may have their certificates from,
    /// beside the web's.
    pub fn extra_roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.extra_roots = pem.into();
        self
    }

    /// What the links of this peer, and of others that are given a clone of it, carry in all: it counts them, and
    /// may have caps. A peer with caps passes on as much as they allow, and its neighbours get the rest elsewhere.
    pub fn bandwidth(mut self, bandwidth: Bandwidth) -> Self {
        self.bandwidth = bandwidth;
        self
    }

    /// Keeps documents in an archive, and answers peers that look for some; see [`ArchiveOptions`]. It takes part like
    /// any peer. What it misses while it does not run, but for the last five minutes, it does not get.
    #[cfg(feature = "archive")]
    pub fn archive(mut self, options: ArchiveOptions) -> Self {
        self.archive = Some(options);
        self
    }

    /// Starts the peer on the current tokio runtime. It returns as soon as it runs;
    /// [`TaiiNet::connected`] waits for a first neighbour.
    ///
    /// # Errors
    /// [`Error::NoNetwork`], [`Error::Network`], [`Error::Signaller`], [`Error::TooManySignallers`],
    /// [`Error::Links`], [`Error::Roots`], [`Error::Random`], [`Error::Blacklist`]; with an archive what it
    /// cannot be opened for.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn connect(self) -> Result<TaiiNet, Error> {
        #[cfg_attr(not(feature = "archive"), expect(unused_mut))]
        let mut config = self.config()?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        let identity = match self.identity {
            Some(identity) => identity,
            // The generator has just been seen to work.
            None => Identity::generate(&mut UnwrapErr(SysRng)),
        };
        let network = config.network.clone();
        let clock = Arc::new(Clock::new());
        let relief = Arc::new(Notify::new());
        #[cfg(not(feature = "archive"))]
        let archive = None;
        #[cfg(feature = "archive")]
        let archive = match &self.archive {
            Some(options) => {
                config.importers = options.import_from.iter().copied().collect();
                config.max_links = config.max_links.max(ARCHIVE_LINKS);
                // What has passed while it did not run, and others still have.
                config.silence = limits::LIVE_WINDOW;
                let opened = options.open(network.clone()).map_err(ArchiveStartError::from)?;
                config.archive = Some(options.kept(opened.keeps_since(clock.now().timestamp())));
                let keeper = Keeper::start(opened, Arc::clone(&clock), Arc::clone(&relief));
                Some(keeper.map_err(ArchiveStartError::from)?)
            }
            None => None,
        };
        let peer = Peer::new(identity.clone(), config, seed, clock.now());
        let stamps = KeptStamps::new(peer.stamps().clone(), self.stamps);
        let transport = WebRtc::new(WebRtcConfig {
            bind: self.bind,
            extra_roots: self.extra_roots,
            relay_only: self.relay_only,
            no_port_mapping: !self.port_mapping,
        });
        let (links, inputs) = Links::within(transport, self.bandwidth);

        let (controls, control_queue) = mpsc::unbounded_channel();
        let (publishes, publish_queue) = mpsc::channel(PUBLISHES);
        let (events, _) = broadcast::channel(EVENTS);
        let (neighbours, neighbour_count) = watch::channel(0);
        let subscriptions = Arc::new(AtomicUsize::new(0));
        let private = Arc::new(AtomicUsize::new(0));
        let tally = Arc::<Tally>::default();
        let inner = Inner {
            identity,
            network,
            clock: Arc::clone(&clock),
            stamps,
            controls,
            publishes,
            events: events.downgrade(),
            neighbours: neighbour_count,
            relief: Arc::clone(&relief),
            subscriptions: Arc::clone(&subscriptions),
            private: Arc::clone(&private),
            lives: Arc::default(),
            next_subscription: AtomicU64::new(0),
            tally: Arc::clone(&tally),
            nonce: AtomicU32::new(getrandom::u32()?),
        };
        let driver = Driver {
            session: Session::new(peer),
            links,
            inputs,
            blacklist: self.blacklist,
            signaller_cache: self.signaller_cache,
            clock,
            whereabouts: Whereabouts::new(),
            controls: control_queue,
            publishes: publish_queue,
            events,
            neighbours,
            relief,
            subscriptions,
            private,
            multi_threaded: Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread,
            tally,
            inboxes: BTreeMap::new(),
            feeds: BTreeMap::new(),
            backlog: Backlog::default(),
            held: BTreeSet::new(),
            keeps: BTreeMap::new(),
            archive,
            open_links: 0,
        };
        tokio::spawn(driver.run());
        Ok(TaiiNet::new(inner))
    }

    fn config(&self) -> Result<Config, Error> {
        let network: Network = self.network.as_deref().ok_or(Error::NoNetwork)?.parse()?;
        if self.signallers.len() > limits::SIGNALLERS {
            return Err(Error::TooManySignallers);
        }
        let (target, max) = self.links;
        if !(1 <= target && target <= max && max <= limits::MAX_LINKS) {
            return Err(Error::Links { target, max });
        }
        if !self.extra_roots.is_empty() {
            check_roots(&self.extra_roots)?;
        }
        let signallers = self.signallers.iter().map(|given| {
            parse_signaller(given).map_err(|cause| Error::Signaller { given: given.clone(), cause })
        });
        Ok(Config {
            signallers: signallers.collect::<Result<_, _>>()?,
            signaller_cache: self
                .signaller_cache
                .as_deref()
                .map(signaller_cache::read)
                .unwrap_or_default(),
            target_links: target,
            max_links: max,
            quota: self.quota,
            signaller_relay: self.signaller_relay,
            introduce_by_interest: self.introduce_by_interest,
            blacklist: {
                let mut listed =
                    self.blacklist.as_deref().map_or(Ok(Vec::new()), blacklist::read)?;
                listed.extend(&self.blacklisted);
                listed
            },
            ..Config::new(network)
        })
    }
}

impl TaiiNet {
    /// Begins to describe a peer.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(builder: Builder) -> String {
        builder.config().expect_err("a fault").to_string()
    }

    #[test]
    fn a_fault_names_its_field() {
        let good = || TaiiNet::builder().network("n").signaller("ws://127.0.0.1:7700");
        good().links(1, 2).config().expect("a good description");
        assert!(fault(TaiiNet::builder()).starts_with("no network"));
        assert!(fault(good().network("")).starts_with("network:"));
        assert!(fault(good().signaller("http://x")).starts_with("signaller `http://x`:"));
        assert!(fault(good().signaller("")).starts_with("signaller ``:"));
        let listed =
            TaiiNet::builder().network("n").signaller("ws://one,\n WSS://two.example:1 \n");
        let urls = listed.config().expect("two").signallers.into_iter().map(|one| one.url);
        assert_eq!(urls.collect::<Vec<_>>(), ["ws://one", "wss://two.example:1"]);
        assert!(fault(good().links(0, 2)).starts_with("links:"));
        assert!(fault(good().links(3, 2)).starts_with("links:"));
        assert!(fault(good().links(3, 11)).starts_with("links:"));
        let many = (0..16).fold(good(), |builder, _| builder.signaller("ws://127.0.0.1:1"));
        assert!(fault(many).starts_with("signallers:"));
        assert!(fault(good().extra_roots("no certificate")).starts_with("extra_roots:"));
    }
}
