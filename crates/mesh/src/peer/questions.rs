//! What can be asked of a peer.

use std::collections::BTreeSet;

use taiinet_document::{Before, DocumentId, Key, Map, Timestamp};
use taiinet_identity::{PeerId, Recipient, Signed};

use super::Peer;
#[cfg(doc)]
use crate::Config;
use crate::{
    Blacklisted, Counters, LinkStatus, PublishError, PublishOptions, SignallerAddress, Stamps,
    Status, Time, TreeStatus, links::Link, trees::Place, wire::Presence,
};

impl Peer {
    /// Its key, by which others know it.
    pub fn id(&self) -> PeerId {
        self.cx.id()
    }

    /// What gives our documents their time: to go on after an earlier run, and for drivers that sign
    /// themselves.
    pub const fn stamps(&self) -> &Stamps {
        &self.cx.stamps
    }

    /// Whether a peer is a neighbour that keeps up with what it is sent.
    pub fn has_room_for(&self, peer: PeerId) -> bool {
        self.cx.links.iter().any(|link| link.peer == peer && link.takes_more())
    }

    /// A picture of it.
    pub fn status(&self, now: Time) -> Status {
        Status {
            links: self.cx.links.iter().map(|link| self.link_status(link, now)).collect(),
            spreading: self.cx.spreading,
            interest_bytes: self.trees.heap_bytes()
                + self.routes.heap_bytes()
                + self.delegation.heap_bytes(),
            supply: self.delegation.status(self.interest.wants()),
            trees: self.trees.places().map(|place| self.tree_status(place)).collect(),
            signallers: self.signallers.status(),
            ice_servers: self.cx.ice.chosen(),
            candidates: self.membership.known(),
            private: self.interest.private(),
            failed: self.membership.failures(),
            blacklist: self.cx.reputation.blacklist(now),
            counters: self.cx.counters.clone(),
        }
    }

    fn tree_status(&self, place: Place) -> TreeStatus {
        let Place { slot, root, parent, depth, children, peers } = place;
        let parent = parent.and_then(|link| self.cx.links.peer(link));
        TreeStatus { slot: slot.0, root, parent, depth, children, peers }
    }

    /// What it did so far.
    pub const fn counters(&self) -> &Counters {
        &self.cx.counters
    }

    fn link_status(&self, link: &Link, now: Time) -> LinkStatus {
        let service = self.documents.service(link.id);
        LinkStatus {
            link: link.id,
            peer: link.peer,
            state: link.state(),
            incoming: link.incoming,
            eager: service.eager,
            relayed: link.relayed,
            archive: link.keeps().cloned(),
            dozing: link.dozing,
            since: link.since(),
            round_trip_ms: link
                .round_trip()
                .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            documents_sent: link.lanes.documents_sent(),
            documents_received: service.received,
            duplicates: service.duplicates,
            rejected: link.offences,
            points: self.cx.reputation.points(&link.peer, now),
            queued_bytes: link.lanes.queued(),
        }
    }

    /// How many documents of our own no neighbour has taken yet.
    pub fn untaken(&self) -> usize {
        self.documents.untaken()
    }

    /// The recipients that a document with these options would be sealed to now; none, if it is for
    /// everyone. A driver that has several threads seals in those of its callers.
    ///
    /// # Errors
    /// [`PublishError::NoRecipient`], [`PublishError::Seal`]
    pub fn recipients(
        &mut self,
        content: &Map,
        options: &PublishOptions,
        now: Time,
    ) -> Result<BTreeSet<Recipient>, PublishError> {
        self.cx.now = now;
        self.interest.recipients(&mut self.cx, content, options)
    }

    /// Our own presence.
    pub fn presence(&mut self, now: Time) -> Signed<Presence> {
        self.cx.now = now;
        self.cx.own_presence()
    }

    /// The presences of the neighbours, for others to reach them.
    pub fn neighbours(&self, now: Time) -> Vec<Signed<Presence>> {
        self.cx.links.presences(&self.id(), now)
    }

    /// Until when these documents may come: the latest end that their authors set them, if all of them are held here
    /// and each has one. A deletion is not needed for longer.
    pub fn expiry_of(&self, ids: &[DocumentId]) -> Option<Timestamp> {
        let ends = ids.iter().map(|id| self.cx.store.find(id)?.expires_at());
        ends.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// What a version that we write under this key must be later than, of the versions of the last minutes: for
    /// [`Stamps::next`].
    pub fn before(&self, key: &Key) -> Before {
        self.cx.store.before(self.id(), key)
    }

    /// The neighbours' names.
    pub fn neighbour_ids(&self) -> impl Iterator<Item = PeerId> {
        self.cx.links.active().map(|link| link.peer)
    }

    /// The signallers that others have told of: for [`Config::signaller_cache`] in the next run.
    pub fn signaller_cache(&self) -> Vec<SignallerAddress> {
        self.signallers.cache()
    }

    /// The peers that are blacklisted, and those that were and are remembered for it: for
    /// [`Config::blacklist`] in the next run.
    pub fn blacklist_to_keep(&self, now: Time) -> Vec<Blacklisted> {
        self.cx.reputation.to_keep(now)
    }
}
