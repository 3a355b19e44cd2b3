//! Frames of circuits: links between two peers that a signaller relays.
//!
//! They stand in the sessions of both peers with their signaller, which reads to whom a frame goes and
//! puts there from whom it came; what is in it is sealed in a session of the two ([`crate::session::Purpose::Circuit`]).
//! Two peers have one circuit at a signaller at most, so its name is the other end's.

use serde::{Deserialize, Serialize};
use taiinet_identity::PeerId;

use super::refusal::RefusalReason;

/// A frame of a circuit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitFrame {
    /// The other end: the recipient to a signaller, the sender from one.
    pub peer: PeerId,
    /// What is said.
    pub part: CircuitPart,
}

/// What is said on a circuit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CircuitPart {
    /// A link is wanted; the first message of its session.
    Open(#[serde(with = "taiinet_identity::bytes")] Vec<u8>),
    /// It is agreed to, by the answer to that. Nothing else is carried before.
    Accept(#[serde(with = "taiinet_identity::bytes")] Vec<u8>),
    /// A message of the link, sealed in its session.
    Message(#[serde(with = "taiinet_identity::bytes")] Vec<u8>),
    /// So many more bytes from you were taken ([`crate::limits::CIRCUIT_WINDOW`]), and are within the quotas
    /// of the signaller.
    Took(u32),
    /// It is over, or will not be.
    End(RefusalReason),
}

impl CircuitPart {
    /// What it counts for in the window of the circuit, if it carries a message.
    pub const fn carries(&self) -> Option<usize> {
        match self {
            Self::Open(bytes) | Self::Accept(bytes) | Self::Message(bytes) => {
                Some(bytes.len() + crate::limits::CIRCUIT_MESSAGE_BYTES)
            }
            Self::Took(_) | Self::End(_) => None,
        }
    }
}
