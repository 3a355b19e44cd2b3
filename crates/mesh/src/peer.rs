//! The front door of the core.

use std::collections::VecDeque;

use taiinet_document::{Content, DocumentId};
use taiinet_identity::{Identity, PeerId};
use taiinet_query::Query;

use crate::{
    Config, Input, Output, PublishError, PublishOptions, Status, SubscriptionId, Time,
    TooManySubscriptions, SignallerAddress,
};

/// A peer, without any IO: it takes [`Input`]s and the time, and gives [`Output`]s.
#[derive(Debug)]
pub struct Peer {
    identity: Identity,
    outputs: VecDeque<Output>,
}

impl Peer {
    /// A peer that starts now. `seed` feeds its generator: fresh entropy in real life, a chosen
    /// number in the simulator.
    pub fn new(identity: Identity, config: Config, seed: [u8; 32], now: Time) -> Self {
        let _ = (config, seed, now);
        Self { identity, outputs: VecDeque::new() }
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
        let _ = query;
        Err(TooManySubscriptions)
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, subscription: SubscriptionId) {
        let _ = subscription;
    }

    /// Signs and publishes a document. It is held until a neighbour has taken it
    /// ([`crate::Event::Taken`]).
    ///
    /// # Errors
    /// [`PublishError`]
    pub fn publish(
        &mut self,
        content: Content,
        options: PublishOptions,
        now: Time,
    ) -> Result<DocumentId, PublishError> {
        let _ = (content, options, now);
        Err(PublishError::Busy)
    }

    /// Adds a signaller to those it knows.
    pub fn add_signaller(&mut self, address: SignallerAddress, now: Time) {
        let _ = (address, now);
    }

    /// Says goodbye to everybody; nothing but closing links comes after it.
    pub fn leave(&mut self, now: Time) {
        let _ = now;
    }

    /// Takes what happened.
    pub fn handle(&mut self, input: Input, now: Time) {
        let _ = (input, now);
    }

    /// Does what is due by `now`; call it when [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Time) {
        let _ = now;
    }

    /// What to do next; call it until it is `None` after each other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// How many documents of our own no neighbour has taken yet.
    pub fn untaken(&self) -> usize {
        0
    }

    /// A picture of it.
    pub fn status(&self) -> Status {
        Status::default()
    }
}
