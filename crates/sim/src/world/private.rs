//! Private subscriptions, sealed documents, and a tap on every wire.

use taiinet_document::{Content, DocumentId};
use taiinet_mesh::{PublishError, PublishOptions, SubscriptionId};
use taiinet_query::SharedQuery;

use super::World;
use crate::{Node, PeerIndex};

impl World {
    /// Subscribes a peer privately to what matches `query` (JSON), until it restarts.
    ///
    /// # Panics
    /// If the query is not valid, or there are too many.
    pub fn subscribe_privately(&mut self, peer: PeerIndex, query: &str) -> SubscriptionId {
        let query: SharedQuery = query.parse().expect("a test's query is valid");
        let now = self.now();
        let subscription = self.peers[peer.0].peer.subscribe_privately(query, now);
        self.dirty.insert(Node::Peer(peer));
        subscription.expect("a test subscribes to few queries")
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, peer: PeerIndex, subscription: SubscriptionId) {
        let now = self.time_of(peer);
        self.peers[peer.0].peer.unsubscribe(subscription, now);
        self.dirty.insert(Node::Peer(peer));
    }

    /// Publishes with options; what is published so is left out of [`crate::Audit`].
    ///
    /// # Errors
    /// [`PublishError`], as the peer says.
    pub fn publish_with(
        &mut self,
        peer: PeerIndex,
        content: &str,
        options: PublishOptions,
    ) -> Result<DocumentId, PublishError> {
        self.publish_content(peer, Content::Open(crate::forge::fields(content)), options)
    }

    /// The same of any content: a deletion, say.
    ///
    /// # Errors
    /// [`PublishError`], as the peer says.
    pub fn publish_content(
        &mut self,
        peer: PeerIndex,
        content: Content,
        options: PublishOptions,
    ) -> Result<DocumentId, PublishError> {
        let now = self.time_of(peer);
        let id = self.peers[peer.0].peer.publish(content, options, now)?;
        self.dirty.insert(Node::Peer(peer));
        self.trace.note(self.now, peer.0, "publish", 0, id.as_bytes());
        Ok(id)
    }

    /// From now on keeps every message of peers and signallers, as it leaves its sender.
    pub fn tap(&mut self) {
        self.tapped.get_or_insert_default();
    }

    /// What was overheard since [`Self::tap`].
    pub fn tapped(&self) -> &[Vec<u8>] {
        self.tapped.as_deref().unwrap_or_default()
    }
}
