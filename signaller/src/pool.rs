//! A signaller among others: what each tells all about its clients, and signals between them.
//!
//! The pool is a network ([`POOL`]) on the same mesh core, whose peers are signallers and whose links
//! are WebSockets. Each publishes documents that hold the presences of its own clients, as those
//! signed them, and the names of those that left. A signaller that receives such a document verifies each
//! presence before it keeps or uses it, and takes none that was not made for the very signaller that
//! publishes it: so a member of the pool can invent, alter or take over no client. It can keep silent.
//!
//! A signal goes straight to the signaller that its recipient has joined, and is verified there.

mod fair_queue;
mod incoming;
mod members;
pub(crate) mod news;
mod outgoing;
mod output;
mod pairs;
mod remote_clients;
mod replays;
mod sent;

use core::net::IpAddr;
use std::collections::{BTreeSet, VecDeque};

use taiinet_document::{Content, Network};
use taiinet_identity::{Identity, PeerId, Signed, Verified};
use taiinet_mesh::{
    Budget, Config, Dial, Direct, Disconnect, Event, Input, LinkId, Misbehaviour, Output, Peer,
    PublishOptions, Time, limits as mesh_limits,
    wire::{POOL, Presence, Signal, Undeliverable},
};
use taiinet_query::Query;

use crate::{addresses::Ranges, limits, refused::Refused, view::MemberView};
use incoming::Incoming;
use members::Members;
use news::News;
use outgoing::Outgoing;
pub(crate) use output::PoolOutput;
pub(crate) use remote_clients::RemoteClients;

/// The pool, as one of its members sees it.
#[derive(Debug)]
pub(crate) struct Pool {
    peer: Peer,
    remote: RemoteClients,
    members: Members,
    incoming: Incoming,
    outgoing: Outgoing,
    outputs: VecDeque<PoolOutput>,
    news: News,
    /// When what is new is told, and when all is, because a newcomer is here.
    tell_at: Option<Time>,
    all_at: Option<Time>,
    /// How often all may still be told.
    all: Budget,
    /// How many links to others ended because of what those did.
    misbehaved: u64,
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
            remote: RemoteClients::new(id),
            members: Members::default(),
            incoming: Incoming::new(now),
            outgoing: Outgoing::default(),
            outputs: VecDeque::new(),
            news: News::default(),
            tell_at: None,
            all_at: None,
            all: Budget::new(limits::POOL_ALL, now),
            misbehaved: 0,
        }
    }

    #[cfg(test)]
    pub(crate) const fn peer(&mut self) -> &mut Peer {
        &mut self.peer
    }

    // ---- The mesh core's time and links ----

    pub(crate) fn handle(&mut self, input: Input, now: Time) {
        self.peer.handle(input, now);
    }

    pub(crate) fn accept(&mut self, from: IpAddr, now: Time) -> Option<LinkId> {
        self.peer.accept_link(from, now)
    }

    pub(crate) fn handle_timeout(&mut self, now: Time) {
        if self.peer.poll_timeout().is_some_and(|due| due <= now) {
            self.peer.handle_timeout(now);
        }
        if self.tell_at.is_some_and(|due| due <= now) {
            self.tell(now);
        }
        self.outgoing.run(&mut self.peer, &mut self.outputs, now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let outgoing = self.outgoing.deadline();
        let due = [self.peer.poll_timeout(), self.tell_at, self.all_at, outgoing];
        due.into_iter().flatten().min()
    }

    /// Whether it is time to tell everything.
    pub(crate) fn is_to_tell_all(&mut self, now: Time) -> bool {
        let due = self.all_at.is_some_and(|due| due <= now);
        if due {
            // Not again and again because a member comes and goes.
            let may = self.all.take(limits::POOL_ALL_COST, now);
            self.all_at = (!may).then(|| now.after(limits::POOL_ALL_AGAIN));
            return may;
        }
        false
    }

    /// Parts with members that are not admitted any more; what they said before counts no longer than
    /// that of others that have gone.
    pub(crate) fn recheck(&mut self, admits: impl Fn(&PeerId) -> bool, now: Time) {
        for member in self.members() {
            if !admits(&member) {
                self.peer.expel(member, now);
                self.members.forget(&member);
            }
        }
    }

    /// What is to be done; what others published is taken in on the way. `refused` hears of what was
    /// wrong with it.
    pub(crate) fn poll_output(
        &mut self,
        admits: impl Fn(&PeerId) -> bool,
        mut refused: impl FnMut(Refused),
        now: Time,
    ) -> Option<PoolOutput> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            return Some(match self.peer.poll_output(now)? {
                Output::Dial { link, dial: Dial::Direct { url } } => PoolOutput::Dial { link, url },
                Output::Send { link, bytes, .. } => PoolOutput::Send { link, bytes },
                Output::Close { link } => PoolOutput::Close { link },
                Output::Relayed { from, signal } => PoolOutput::Signal { from, signal },
                Output::Undeliverable { from: member, undeliverable } => {
                    let Undeliverable { network, from, to } = undeliverable.clone();
                    if !self.outgoing.believes(member, undeliverable, now) {
                        refused(Refused::FalseName);
                        continue;
                    }
                    PoolOutput::Undeliverable { network, from, to }
                }
                Output::Deliver(delivery) => {
                    let author = delivery.document.author();
                    if author == self.peer.id() || delivery.subscriptions.is_empty() {
                        continue;
                    }
                    // An author that is no member of ours has nothing to tell. Once there is a link it
                    // tells everything.
                    if !self.members.has(&author) {
                        refused(Refused::NotAdmitted);
                        continue;
                    }
                    if let Content::Open(fields) = delivery.document.content() {
                        let mut forged = false;
                        let Self { remote, incoming, .. } = self;
                        news::read(fields, |item| {
                            let may = || incoming.charge_news(author, now);
                            let taken =
                                item.and_then(|item| remote.take_if(author, item, may, now));
                            if let Err(why) = taken {
                                forged |= why == Refused::Signature;
                                refused(why);
                            }
                        });
                        if forged {
                            self.forges(author, now);
                        }
                    }
                    continue;
                }
                Output::Event(Event::PeerConnected { peer, .. }) if !admits(&peer) => {
                    refused(Refused::NotAdmitted);
                    self.peer.expel(peer, now);
                    continue;
                }
                Output::Event(Event::PeerConnected { peer, .. }) => {
                    self.members.came(peer);
                    // The newcomer shall know all that are here; several at once are told together.
                    self.all_at.get_or_insert(now.after(limits::POOL_ALL_AFTER));
                    continue;
                }
                Output::Event(Event::PeerDisconnected { peer, cause }) => {
                    self.misbehaved += u64::from(matches!(cause, Disconnect::Misbehaved(_)));
                    self.members.left(peer, now);
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

    // ---- Where clients are ----

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

    /// Tells the pool what is new, if there is any other in it.
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

    /// Other signallers, and how it stands with each.
    pub(crate) fn view(&self, with_names: bool, now: Time) -> Vec<MemberView> {
        let status = self.peer.status(now);
        let named = |peer| with_names.then_some(peer);
        let links = status.links.iter().map(|link| {
            MemberView::linked(link.state, now.since(link.since).as_secs(), named(link.peer))
        });
        let failed = status.failed.iter().map(|(peer, cause)| {
            MemberView::failed(named(*peer), with_names.then(|| cause.to_string()))
        });
        links.chain(failed).take(limits::SHOWN_MEMBERS).collect()
    }

    /// The operator names other members.
    pub(crate) fn renew(&mut self, direct: Direct, now: Time) {
        let allowed = direct.allowed.clone();
        self.peer.set_direct(direct, now);
        if let Some(allowed) = allowed {
            self.members.retain(|member| allowed.contains(member));
        }
    }

    /// How many members are kept out for what they did.
    pub(crate) fn blacklisted(&self, now: Time) -> usize {
        self.peer.status(now).blacklist.len()
    }

    /// How many presences of clients of others are known.
    pub(crate) fn presences(&self) -> usize {
        self.remote.len()
    }

    /// Some clients of others in a network, which can be reached now.
    pub(crate) fn some_of(
        &self,
        network: &Network,
        but: &PeerId,
        from: PeerId,
        want: usize,
        now: Time,
    ) -> Vec<Signed<Presence>> {
        self.remote.some(network, but, from, want, self.members.linked(), now)
    }

    /// Other signallers that a peer may turn to, with their addresses.
    pub(crate) fn signallers(&self, now: Time) -> Vec<Signed<Presence>> {
        let mut known = self.peer.neighbours(now);
        known.retain(|presence| presence.peek().is_ok_and(|body| body.reachable_at().is_some()));
        known
    }

    pub(crate) fn expire(&mut self, now: Time) {
        self.remote.expire(limits::POOL_FORGOTTEN, now);
        self.members.expire(now);
        let members = &self.members;
        self.outgoing.expire(|member| members.has(member), now);
        self.incoming.expire(|member| members.has(member), now);
    }

    // ---- Signals ----

    /// The other signaller that has this peer.
    pub(crate) fn place_of(&self, network: &Network, to: &PeerId, now: Time) -> Option<PeerId> {
        self.remote.place_of(network, to, self.members.linked(), now)
    }

    /// Whether a signal of this content of a client here went to another signaller before.
    pub(crate) fn has_passed(&self, sender: PeerId, body: &Signal) -> bool {
        self.outgoing.has_passed(sender, body)
    }

    /// How many links to others ended because of what those did, so far.
    pub(crate) const fn misbehaved(&self) -> u64 {
        self.misbehaved
    }

    /// How many signals went to other signallers, so far.
    pub(crate) const fn relayed(&self) -> u64 {
        self.outgoing.count()
    }

    /// Sends the signal of a client, which comes from these ranges, to where its recipient is, as soon
    /// as it may go. [`PoolOutput`] says if it does not.
    pub(crate) fn relay(
        &mut self,
        place: PeerId,
        from: Ranges,
        body: Signal,
        signal: Signed<Signal>,
        now: Time,
    ) {
        self.outgoing.push(place, from, body, signal, &mut self.outputs, now);
        self.outgoing.run(&mut self.peer, &mut self.outputs, now);
    }

    /// Checks a signal that another signaller passes on for one of its clients, without any expensive work.
    pub(crate) fn check(
        &self,
        member: PeerId,
        sender: PeerId,
        body: &Signal,
        now: Time,
    ) -> Result<(), Refused> {
        let sent_at = Time::from(body.sent_at);
        if sent_at > now.after(mesh_limits::CLOCK_SKEW)
            || now.since(sent_at) > mesh_limits::SIGNAL_LIFE
        {
            return Err(Refused::OutOfTime);
        }
        if !self.remote.is_at(&body.network, &sender, member, now) {
            return Err(Refused::FalseName);
        }
        if self.incoming.has_arrived(sender, body) {
            return Err(Refused::Replayed);
        }
        Ok(())
    }

    /// Charges the signaller that passes on a signal, and its sender, before the signature is verified.
    pub(crate) fn charge(
        &mut self,
        member: PeerId,
        sender: PeerId,
        to: PeerId,
        now: Time,
    ) -> Result<(), Refused> {
        self.incoming.charge(member, sender, to, now)
    }

    /// Checks the signature of one that was found good otherwise, and that it came for the first time.
    pub(crate) fn verify(
        &mut self,
        signal: Signed<Signal>,
        now: Time,
    ) -> Result<Verified<Signal>, Refused> {
        self.incoming.verify(signal, now)
    }

    /// A member passed on, or told of, what its clients have not validly signed. An honest one verifies
    /// that first; so this costs it points, and at last its link ([`Misbehaviour::weight`]).
    pub(crate) fn forges(&mut self, member: PeerId, now: Time) {
        self.peer.blame(member, Misbehaviour::InvalidSignature, now);
    }

    /// Says that a signal's recipient is not here.
    pub(crate) fn undeliverable(
        &mut self,
        member: PeerId,
        undeliverable: Undeliverable,
        now: Time,
    ) {
        self.outgoing.answer(&mut self.peer, member, undeliverable, now);
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use taiinet_identity::Seed;

    use super::*;

    /// Every client's presence goes to every member: not each time that one knocks.
    #[test]
    fn a_member_that_comes_and_goes_does_not_make_it_tell_everything_each_time() {
        let identity = Identity::from_seed(&Seed::from_bytes([1; 32]));
        let start = Time::from_millis(1_800_000_000_000);
        let mut pool = Pool::new(identity, Direct::default(), [1; 32], start);
        let at = |tenths: u64| start.after(Duration::from_millis(100 * tenths));
        let mut told = Vec::new();
        for tenths in 0..1200 {
            pool.all_at.get_or_insert(at(tenths).after(limits::POOL_ALL_AFTER));
            if pool.is_to_tell_all(at(tenths)) {
                told.push(tenths);
            }
        }
        assert_eq!(told.first(), Some(&2), "the first is told at once");
        assert!((8..16).contains(&told.len()), "{told:?}");
        // After some quiet, a newcomer is told at once again.
        pool.all_at = Some(at(3000));
        assert!(pool.is_to_tell_all(at(3000)));
    }
}
