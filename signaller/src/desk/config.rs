//! How a signaller serves.

use taiinet_document::Network;
use taiinet_mesh::Direct;

use super::turn::Turn;
use crate::{addresses::Prefixes, limits};

/// How a signaller serves.
#[derive(Debug, Clone)]
pub struct DeskConfig {
    /// The networks served; empty for all.
    pub networks: Vec<Network>,
    /// The addresses (`wss://…`) by which it is known: a client that dialled another is refused. If none, it
    /// does not know, and vouches for whatever was dialled.
    pub known_as: Option<Vec<String>>,
    /// Connections at once.
    pub clients: usize,
    /// Connections at once from what counts as one address.
    pub clients_per_address: usize,
    /// What counts as one address.
    pub prefixes: Prefixes,
    /// STUN servers that are told to peers, as `stun:HOST:PORT`; `stun::PORT` is this host.
    pub ice_servers: Vec<String>,
    /// What each client may do, at once and each second.
    pub budgets: Budgets,
    /// The work that a join takes.
    pub work: JoinWork,
    /// TURN servers that are told to peers.
    pub turn: Option<Turn>,
    /// Which links between clients it relays; none, if none.
    pub relaying: Option<Relaying>,
    /// How it takes part in a pool of signallers; none: it stands alone.
    pub pool: Option<Direct>,
}

impl Default for DeskConfig {
    fn default() -> Self {
        Self {
            networks: Vec::new(),
            known_as: None,
            clients: limits::CLIENTS,
            clients_per_address: limits::CLIENTS_PER_ADDRESS,
            prefixes: Prefixes::default(),
            ice_servers: Vec::new(),
            budgets: Budgets::default(),
            work: JoinWork::default(),
            turn: None,
            relaying: None,
            pool: None,
        }
    }
}

/// The links that are relayed between clients that have no direct path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relaying {
    /// At once, in all.
    pub circuits: usize,
    /// At once, of one peer; at most half of them, rounded up, are such that others asked for.
    pub circuits_per_peer: usize,
    /// Bytes that one peer may say over them each second.
    pub bytes_per_peer: u32,
    /// And all peers together.
    pub bytes_per_second: u32,
}

impl Default for Relaying {
    fn default() -> Self {
        Self {
            circuits: limits::CIRCUITS,
            circuits_per_peer: taiinet_mesh::limits::CIRCUITS,
            bytes_per_peer: limits::CIRCUIT_BYTES_PER_PEER,
            bytes_per_second: limits::CIRCUIT_BYTES,
        }
    }
}

impl Relaying {
    /// What all may say at once, and each second.
    pub(super) fn bytes(&self) -> (u32, u32) {
        bytes(self.bytes_per_second)
    }

    /// And those of what counts as one address.
    pub(super) fn bytes_of_address(&self) -> (u32, u32) {
        let share = self.bytes_per_second / limits::CIRCUITS_SHARE as u32;
        bytes(share.max(self.bytes_per_peer))
    }

    /// Frames that a client may send besides, at once and each second: of what it says, and of what it took.
    pub(crate) fn frames(&self) -> (u32, u32) {
        let each_second = self.bytes_per_peer / taiinet_mesh::limits::CIRCUIT_MESSAGE_BYTES as u32;
        let circuits = u32::try_from(self.circuits_per_peer).unwrap_or(u32::MAX);
        let each_second = each_second.saturating_mul(circuits.saturating_add(4)) / 4;
        (each_second.max(200), each_second)
    }
}

/// At once two seconds of it, and some windows in any case.
fn bytes(each_second: u32) -> (u32, u32) {
    let windows = 8 * taiinet_mesh::limits::CIRCUIT_WINDOW as u32;
    (each_second.saturating_mul(2).max(windows), each_second)
}

/// What one client may do: so much at once, and so much each second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Frames of any kind.
    pub frames: (u32, u32),
    /// Joins, the first and renewals.
    pub joins: (u32, u32),
    /// Introductions.
    pub introductions: (u32, u32),
    /// Signals.
    pub signals: (u32, u32),
    /// Of these, signals for one and the same peer.
    pub signals_to_one: (u32, u32),
    /// Signals from all for one client.
    pub signals_for_one: (u32, u32),
    /// Their bytes.
    pub signal_bytes_for_one: (u32, u32),
    /// Work that it makes, of whatever kind ([`limits::WORK`]).
    pub work: (u32, u32),
    /// Work that all clients of what counts as one address make together.
    pub work_per_address: (u32, u32),
    /// Bytes that it says over links that are relayed.
    pub relayed: (u32, u32),
}

impl Budgets {
    /// With what a client needs whose links are relayed.
    pub(super) fn relaying(self, relaying: &Relaying) -> Self {
        let more = |(at_once, each_second): (u32, u32), of: u32| {
            let (frames, frames_each_second) = relaying.frames();
            (
                at_once.saturating_add(frames.saturating_mul(of)),
                each_second.saturating_add(frames_each_second.saturating_mul(of)),
            )
        };
        Self {
            frames: more(self.frames, 1),
            work: more(self.work, limits::CIRCUIT_FRAME_WORK),
            relayed: bytes(relaying.bytes_per_peer),
            ..self
        }
    }
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            frames: limits::FRAMES,
            joins: limits::JOINS,
            introductions: limits::INTRODUCTIONS,
            signals: limits::SIGNALS,
            signals_to_one: limits::SIGNALS_TO_ONE,
            signals_for_one: limits::SIGNALS_FOR_ONE,
            signal_bytes_for_one: limits::SIGNAL_BYTES_FOR_ONE,
            work: limits::WORK,
            work_per_address: limits::WORK_PER_ADDRESS,
            relayed: (0, 0),
        }
    }
}

/// The work that joins take (`taiinet_mesh::work`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinWork {
    /// In zero bits: each more doubles it; 20 take about a tenth of a second.
    pub bits: u8,
    /// Asked for while there are so many connections.
    pub from_clients: usize,
}

impl Default for JoinWork {
    /// None, ever.
    fn default() -> Self {
        Self { bits: 0, from_clients: 0 }
    }
}
