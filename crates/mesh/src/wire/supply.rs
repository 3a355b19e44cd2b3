//! Frames of peers that want the same, and pass it to each other beside the trees.

use serde::{Deserialize, Serialize};
use taiinet_document::{Network, Timestamp};
use taiinet_identity::{Domain, Signable, Signed};
use taiinet_query::RoutingKey;

use super::{presence::Joined, tree::Slot, within::peek_within};
use crate::{Misbehaviour, limits};

/// How a peer finds a neighbour that supplies it with what it wants, and is supplied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SupplyFrame {
    /// Someone who could be a supplier is to offer the seeker a link.
    Seek(Seek),
    /// Be my supplier: send me what stands under this key.
    Supply(RoutingKey),
    /// I am your supplier of this: you need not have it of your parents.
    Supplies(RoutingKey),
    /// I am not your supplier of this, or not any more.
    Refuse(RoutingKey),
    /// Be my supplier of this no more.
    Release(RoutingKey),
}

/// A search on its way: up the tree to where someone else wants the key, and down to a peer that does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seek {
    /// The tree.
    pub slot: Slot,
    /// How many links it may still go.
    pub hops: u8,
    /// Whether it goes down: then it does not go up any more.
    pub down: bool,
    /// What is sought, as the seeker signed it.
    pub sought: Signed<Sought>,
}

/// "Who gets this and has room for a link to me?"
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sought {
    /// The network.
    pub network: Network,
    /// What the seeker wants.
    pub key: RoutingKey,
    /// The signaller that it joined, by which a link can be offered to it.
    pub joined: Option<Joined>,
    /// When it was signed. It holds for [`limits::SOUGHT_LASTS`].
    pub issued_at: Timestamp,
}

impl Signable for Sought {
    const DOMAIN: Domain = Domain::Sought;
}

impl Sought {
    /// What a signed one says, **unverified**, if it is no larger than one may be.
    ///
    /// # Errors
    /// [`Misbehaviour::Oversize`], [`Misbehaviour::Undecodable`].
    pub fn peek(signed: &Signed<Self>) -> Result<Self, Misbehaviour> {
        peek_within(signed, limits::SOUGHT_BYTES)
    }
}
