//! Frames of a link itself: the names of its ends, whether they take each other, and that they live.

use serde::{Deserialize, Serialize};
use taiinet_document::{Network, Timestamp};
use taiinet_identity::{PeerId, Signature, Signed};

use super::{codec::encode, presence::Presence, refusal::Refusal};
use crate::ChannelBinding;

/// What the two ends of a link say about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkFrame {
    /// The first frame both ways: who I say I am.
    Hello(Hello),
    /// The second frame both ways: the proof of it, over both hellos and the channel binding.
    Proof(Signature),
    /// The third frame both ways: I take you as a neighbour.
    Neighbour(Neighbour),
    /// I do not take you as a neighbour (now); the link closes.
    Refuse(Refusal),
    /// I am leaving; the link closes.
    Bye,
    /// Are you there? The number comes back.
    Ping(u32),
    /// I am.
    Pong(u32),
    /// So many more bytes of documents from you were taken
    /// ([`taiinet_document::SignedDocument::size`]).
    Ack(u32),
    /// Whether I doze: my timers come once a minute, so be patient, and rather use others.
    Doze(bool),
}

/// The version of the protocol that this crate speaks.
pub const VERSION: u16 = 1;

/// What a peer can do beyond what its version says, one bit each. Two ends
/// use what both can do; a bit that a peer does not know is ignored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features(pub u64);

impl Features {
    /// Answers searches from an archive: with more than what is recent, and more of them
    /// ([`crate::limits::ARCHIVE_REQUESTS`]).
    pub const ARCHIVE: Self = Self(1);
    /// Takes part in the rooted trees.
    pub const TREES: Self = Self(2);

    /// These and others.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether all of these are among them.
    pub const fn has(self, features: Self) -> bool {
        self.0 & features.0 == features.0
    }
}

/// Who a peer says it is. Its form is the same in every version: what a later one has to say more stands
/// in `extra`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol's version.
    pub version: u16,
    /// What the sender can do.
    pub features: Features,
    /// The network it wants to speak in.
    pub network: Network,
    /// Its name, yet to be proven.
    pub peer: PeerId,
    /// Fresh for each link.
    pub nonce: [u8; 32],
    /// Room for later versions, at most [`crate::limits::HELLO_EXTRA_BYTES`]; it is proven with the rest.
    #[serde(with = "taiinet_identity::bytes")]
    pub extra: Vec<u8>,
}

impl Hello {
    /// Of this version, of a peer that can do nothing special.
    pub const fn new(network: Network, peer: PeerId, nonce: [u8; 32]) -> Self {
        let features = Features(0);
        Self { version: VERSION, features, network, peer, nonce, extra: Vec::new() }
    }

    /// What a [`LinkFrame::Proof`] signs, in [`taiinet_identity::Domain::Hello`]: the hello of the end that offered the
    /// link, the hello of the end that answered, the channel, and whose proof it is, so that neither
    /// can be passed off as the other's.
    pub fn proof_content(
        offerer: &Self,
        answerer: &Self,
        binding: ChannelBinding,
        by_offerer: bool,
    ) -> Vec<u8> {
        let mut content = encode(offerer);
        content.extend_from_slice(&encode(answerer));
        content.extend_from_slice(binding.as_bytes());
        content.push(u8::from(by_offerer));
        content
    }
}

/// An offer to be neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// The sender's presence, for others to hear of it.
    pub presence: Option<Signed<Presence>>,
    /// From when on the sender cares for documents, by their `created_at`.
    pub since: Timestamp,
}
