//! What an operator is shown of who is here: counts by size and state, and names only if they are asked for.

use serde::{Deserialize, Serialize};
use taiinet_document::Network;
use taiinet_identity::PeerId;
use taiinet_mesh::LinkState;

#[cfg(doc)]
use crate::limits;

/// Who is here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskView {
    /// Connections that have yet to make their session.
    pub connecting: usize,
    /// Connections that have yet to join.
    pub joining: usize,
    /// Connections that have joined.
    pub joined: usize,
    /// The largest networks first, at most [`limits::SHOWN_NETWORKS`].
    pub networks: Vec<NetworkView>,
    /// Other signallers, at most [`limits::SHOWN_MEMBERS`].
    pub members: Vec<MemberView>,
}

/// A network that has peers here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkView {
    /// How many.
    pub peers: usize,
    /// Its name, if names are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Network>,
    /// And some of its peers, at most [`limits::SHOWN_PEERS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub some: Vec<PeerId>,
}

/// Another signaller of the pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// How far it is.
    pub state: MemberState,
    /// Since when, in seconds; none if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_s: Option<u64>,
    /// Its key, if names are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<PeerId>,
    /// Why it failed, if names are asked for: that may hold an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How far another signaller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberState {
    /// It is being dialled.
    Dialling,
    /// There is a connection; both ends prove who they are.
    Handshake,
    /// It is linked.
    Linked,
    /// It could not be reached.
    Failed,
}

impl MemberView {
    /// One to which there is a link, or will be.
    pub(crate) fn linked(state: LinkState, since_s: u64, peer: Option<PeerId>) -> Self {
        let state = match state {
            LinkState::Dialling => MemberState::Dialling,
            LinkState::Handshake => MemberState::Handshake,
            LinkState::Active => MemberState::Linked,
        };
        Self { state, since_s: Some(since_s), peer, why: None }
    }

    /// One to which none could be made.
    pub(crate) const fn failed(peer: Option<PeerId>, why: Option<String>) -> Self {
        Self { state: MemberState::Failed, since_s: None, peer, why }
    }
}
