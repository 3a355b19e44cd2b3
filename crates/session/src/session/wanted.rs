//! What is subscribed to, and what contradicts itself.

use taiinet_mesh::TooManySubscriptions;
use taiinet_query::{Query, SharedQuery};

/// What is subscribed to.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// Where documents flood, no other peer is told of it; where they go by routes, others are told its routing keys.
    Open(Query),
    /// What no other peer is told of: where documents go by routes, they are told that this peer wants everything.
    Discreet(Query),
    /// What others are told of, with a key.
    Private(SharedQuery),
}

impl Wanted {
    /// A discreet subscription, if nothing that is wanted with it tells others its query: that it is private as well,
    /// or has a backlog.
    ///
    /// # Errors
    /// [`Indiscreet`]
    pub fn discreet(query: Query, is_private: bool, has_backlog: bool) -> Result<Self, Indiscreet> {
        match (is_private, has_backlog) {
            (true, _) => Err(Indiscreet::Private),
            (_, true) => Err(Indiscreet::Backlog),
            (false, false) => Ok(Self::Discreet(query)),
        }
    }
}

/// Why a subscription cannot be discreet: something else that is wanted of it tells others its query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Indiscreet {
    /// It is private as well.
    #[error(
        "a subscription is discreet or private, not both: a private one announces its query to the whole network"
    )]
    Private,
    /// It has a backlog.
    #[error(
        "a discreet subscription has no backlog: what was published before is looked for by asking other peers, which \
         tells them the query"
    )]
    Backlog,
}

/// Why there is no subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// There are as many as there may be.
    #[error(transparent)]
    TooMany(#[from] TooManySubscriptions),
    /// It is to be discreet, and cannot.
    #[error(transparent)]
    Indiscreet(#[from] Indiscreet),
}
