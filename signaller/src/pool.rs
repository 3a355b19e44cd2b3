//! A signaller among others: what each tells all about who has joined it, and signals between them.
//!
//! The pool is a network ([`POOL`]) on the same mesh core, whose peers are signallers and whose links
//! are WebSockets. Each publishes documents that hold the presences of its own clients, as those
//! signed them, and the names of those who left. Whoever receives such a document verifies each
//! presence before it keeps or uses it, and takes none that was not made for the very signaller that
//! publishes it: so a member of the pool can invent, alter or take over nobody. It can keep silent.
//!
//! A signal goes straight to the signaller that its recipient has joined, and is verified there.

mod directory;
mod news;
mod replays;

use std::collections::BTreeSet;

use taiinet_document::{Content, Network};
use taiinet_identity::{Identity, PeerId, Signed, Verified};
use taiinet_mesh::{
    ChannelBinding, Config, Dial, Direct, Event, Input, LinkId, Output, Peer, PublishOptions, Time,
    frame::{Astray, POOL, Presence, Signal},
    limits as mesh_limits,
};
use taiinet_query::Query;

use crate::{Refused, limits};
pub(crate) use directory::Directory;
use news::News;
use replays::Replays;

/// What a desk is to do for its pool, or has learned from it.
#[derive(Debug)]
pub(crate) enum PoolOutput {
    /// Open a connection to another signaller.
    Dial { link: LinkId, url: String },
    /// Send a message to one.
    Send { link: LinkId, bytes: Vec<u8> },
    /// Close a connection to one.
    Close { link: LinkId },
    /// A signal for a client here, from one there.
    Signal { from: PeerId, signal: Signed<Signal> },
    /// A signal of a client here found nobody.
    Astray(Astray),
}

/// The pool, as one of its members sees it.
#[derive(Debug)]
pub(crate) struct Pool {
    peer: Peer,
    directory: Directory,
    replays: Replays,
    news: News,
    /// When what is new is told, and when all is, because somebody new came.
    tell_at: Option<Time>,
    all_at: Option<Time>,
}

impl Pool {
    pub(crate) fn new(identity: Identity, direct: Direct, seed: [u8; 32], now: Time) -> Self {
        // The name is a constant that keeps the rules of names.
        let network: Network = POOL.parse().unwrap_or_else(|_| unreachable!("{POOL} is a name"));
        let config = Config {
            target_links: mesh_limits::POOL_LINKS,
            max_links: mesh_limits::POOL_LINKS,
            direct: Some(direct),
            ..Config::new(network)
        };
        let id = identity.peer_id();
        let mut peer = Peer::new(identity, config, seed, now);
        if let Ok(everything) = Query::from_json("{}") {
            // One subscription is never too many.
            let _ = peer.subscribe(everything);
        }
        Self {
            peer,
            directory: Directory::new(id),
            replays: Replays::default(),
            news: News::default(),
            tell_at: None,
            all_at: None,
        }
    }

    // ---- The mesh core's time and links ----

    pub(crate) fn handle(&mut self, input: Input, now: Time) {
        self.peer.handle(input, now);
    }

    pub(crate) fn accept(&mut self, now: Time) -> Option<LinkId> {
        self.peer.accept_link(ChannelBinding::NONE, now)
    }

    pub(crate) fn handle_timeout(&mut self, now: Time) {
        if self.peer.poll_timeout().is_some_and(|due| due <= now) {
            self.peer.handle_timeout(now);
        }
        if self.tell_at.is_some_and(|due| due <= now) {
            self.tell(now);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        [self.peer.poll_timeout(), self.tell_at, self.all_at].into_iter().flatten().min()
    }

    /// Whether it is time to tell everything.
    pub(crate) fn is_to_tell_all(&mut self, now: Time) -> bool {
        let due = self.all_at.is_some_and(|due| due <= now);
        if due {
            self.all_at = None;
        }
        due
    }

    /// What is to be done; what others published is taken in on the way. `refused` hears of what was
    /// wrong with it.
    pub(crate) fn poll_output(
        &mut self,
        mut refused: impl FnMut(Refused),
        now: Time,
    ) -> Option<PoolOutput> {
        loop {
            return Some(match self.peer.poll_output(now)? {
                Output::Dial { link, dial: Dial::Direct { url } } => PoolOutput::Dial { link, url },
                Output::Send { link, bytes } => PoolOutput::Send { link, bytes },
                Output::Close { link } => PoolOutput::Close { link },
                Output::Relayed { from, signal } => PoolOutput::Signal { from, signal },
                Output::Astray(astray) => PoolOutput::Astray(astray),
                Output::Deliver(delivery) => {
                    let author = delivery.document.author();
                    if author != self.peer.id()
                        && let Content::Open(fields) = delivery.document.content()
                    {
                        news::read(fields, |news| {
                            if let Err(why) =
                                news.and_then(|news| self.directory.take(author, news, now))
                            {
                                refused(why);
                            }
                        });
                    }
                    continue;
                }
                Output::Event(Event::PeerConnected { .. }) => {
                    // The newcomer shall know who is here; several at once are told together.
                    self.all_at.get_or_insert(now.after(limits::POOL_ALL_AFTER));
                    continue;
                }
                _ => continue,
            });
        }
    }

    pub(crate) fn leave(&mut self, now: Time) {
        self.tell(now);
        self.peer.leave(now);
    }

    // ---- Who is where ----

    /// A client has joined, or joined again.
    pub(crate) fn joined(&mut self, presence: &Verified<Presence>, now: Time) {
        self.news.joined(presence.signed().clone());
        self.tell_at.get_or_insert(now.after(limits::POOL_TELL_AFTER));
    }

    /// A client has left.
    pub(crate) fn left(&mut self, network: Network, peer: PeerId, now: Time) {
        self.news.left(network, peer, now.timestamp());
        self.tell_at.get_or_insert(now.after(limits::POOL_TELL_AFTER));
    }

    /// Tells the pool what is new, if there is anybody else in it.
    fn tell(&mut self, now: Time) {
        self.tell_at = None;
        let documents = self.news.documents();
        if self.members().is_empty() {
            return;
        }
        for content in documents {
            if self.peer.publish(content, PublishOptions::default(), now).is_err() {
                // No room: all is told once more when there is.
                self.all_at.get_or_insert(now.after(limits::POOL_ALL_AGAIN));
                return;
            }
        }
    }

    /// The other members that are linked.
    pub(crate) fn members(&self) -> BTreeSet<PeerId> {
        self.peer.neighbour_ids().collect()
    }

    /// How many presences of clients of others are known.
    pub(crate) fn presences(&self) -> usize {
        self.directory.len()
    }

    /// Some clients of others in a network, who can be reached now.
    pub(crate) fn some_of(
        &self,
        network: &Network,
        but: &PeerId,
        from: PeerId,
        want: usize,
        now: Time,
    ) -> Vec<Signed<Presence>> {
        self.directory.some(network, but, from, want, &self.members(), now)
    }

    /// Other signallers that a peer may turn to, with their addresses.
    pub(crate) fn signallers(&self, now: Time) -> Vec<Signed<Presence>> {
        let mut known = self.peer.neighbours(now);
        known.retain(|presence| presence.peek().is_ok_and(|body| body.address.is_some()));
        known
    }

    pub(crate) fn expire(&mut self, now: Time) {
        self.directory.expire(now);
        self.replays.expire(now);
    }

    // ---- Signals ----

    /// Sends a client's signal to where its recipient is; whether there is such a place.
    pub(crate) fn relay(
        &mut self,
        network: &Network,
        to: &PeerId,
        signal: &Signed<Signal>,
        now: Time,
    ) -> bool {
        let members = self.members();
        let place = self.directory.place_of(network, to, &members, now);
        place.is_some_and(|signaller| self.peer.relay(signaller, signal.clone(), now))
    }

    /// Checks a signal that another signaller passes on for one of its clients.
    pub(crate) fn check(
        &mut self,
        from: PeerId,
        signal: Signed<Signal>,
        now: Time,
    ) -> Result<Verified<Signal>, Refused> {
        let body = signal.peek().map_err(|_| Refused::Undecodable)?;
        if body.sealed.len() > mesh_limits::SEALED_BYTES {
            return Err(Refused::Undecodable);
        }
        let sent_at = Time::from(body.sent_at);
        if sent_at > now.after(mesh_limits::CLOCK_SKEW)
            || now.since(sent_at) > mesh_limits::SIGNAL_LIFE
        {
            return Err(Refused::OutOfTime);
        }
        if !self.directory.is_at(&body.network, &signal.signer(), from, now) {
            return Err(Refused::FalseName);
        }
        let signal = signal.verify().map_err(|_| Refused::Signature)?;
        if self.replays.is_one(&signal, now) { Err(Refused::Replayed) } else { Ok(signal) }
    }

    /// Says that a signal found nobody here.
    pub(crate) fn astray(&mut self, to: PeerId, astray: Astray, now: Time) {
        self.peer.astray(to, astray, now);
    }
}
