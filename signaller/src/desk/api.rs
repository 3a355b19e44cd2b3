//! What a desk is told, what it wants done, and how it is.

use std::{collections::BTreeMap, net::IpAddr};

use taiinet_mesh::{Input, LinkId};

use crate::{histogram::Histogram, parting::Parting, refused::Refused};

/// Names a connection. The driver chooses it and never uses it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub(super) u64);

impl From<u64> for ClientId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// What happened.
#[derive(Debug, Clone)]
pub enum DeskInput {
    /// A connection was opened.
    Connected {
        /// Its name from now on.
        client: ClientId,
        /// Where it comes from.
        address: IpAddr,
    },
    /// A message arrived: one of the client's session.
    Message {
        /// The connection that it came over.
        client: ClientId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A connection is gone.
    Disconnected {
        /// The connection, by the name under which it was reported.
        client: ClientId,
    },
    /// A connection's place is needed for another.
    CrowdedOut {
        /// The connection, by the name under which it was reported.
        client: ClientId,
    },
    /// Something happened to a connection with another signaller, which [`crate::Desk::accept`] or
    /// [`DeskOutput::Dial`] named.
    Pool(Input),
    /// The signaller is going to stop: say so to all and close.
    Drain,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskOutput {
    /// Send a message.
    Send {
        /// The connection to send it over.
        client: ClientId,
        /// One message, sealed in the client's session.
        bytes: Vec<u8>,
    },
    /// Close a connection once what was sent to it is out.
    Close {
        /// The connection, by the name under which it was reported.
        client: ClientId,
        /// What its transport may say of it: to the client itself all was said before.
        why: Parting,
    },
    /// Open a connection to another signaller; report [`Input::LinkUp`] or [`Input::LinkDown`].
    Dial {
        /// Its name from now on.
        link: LinkId,
        /// Its address.
        url: String,
    },
    /// Send a message to another signaller; report [`Input::Sent`].
    SendTo {
        /// The connection to send it over.
        link: LinkId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Close a connection to another signaller once what was sent is out; report [`Input::LinkDown`].
    CloseLink {
        /// The connection, by the name under which it was reported.
        link: LinkId,
    },
}

/// A picture of a desk at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeskStatus {
    /// Connections.
    pub clients: usize,
    /// Peers that have joined.
    pub joined: usize,
    /// Their networks.
    pub networks: usize,
    /// Joins that held, so far.
    pub joins: u64,
    /// How long peers took from their connection to their first join, so far.
    pub joins_took: Histogram,
    /// Presences told, so far.
    pub introductions: u64,
    /// Signals passed on, so far.
    pub signals: u64,
    /// Signals that did not reach their recipients, as their senders were told, so far.
    pub unreachable: u64,
    /// Peers that are blacklisted now.
    pub blacklisted: usize,
    /// How often a peer was blacklisted, so far.
    pub blacklistings: u64,
    /// Other signallers of the pool that are linked.
    pub members: usize,
    /// Presences of their clients.
    pub remote: usize,
    /// Links that are relayed.
    pub circuits: usize,
    /// And how many there may be; none where nothing is relayed.
    pub circuits_limit: usize,
    /// Bytes that may be relayed each second.
    pub circuit_bytes_limit: u32,
    /// Relayed links that both ends agreed to, so far.
    pub circuits_opened: u64,
    /// Bytes that were relayed, so far.
    pub circuit_bytes: u64,
    /// Signals passed on to other signallers, so far.
    pub relayed: u64,
    /// What other signallers said that was refused, so far.
    pub refused_of_pool: BTreeMap<Refused, u64>,
    /// What was refused, so far.
    pub refused: BTreeMap<Refused, u64>,
}
