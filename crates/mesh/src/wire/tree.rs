//! Frames of the rooted trees: who the root is, who stands above whom, and what the root has got.

use serde::{Deserialize, Serialize};
use taiinet_document::{DocumentId, Network, Timestamp};
use taiinet_identity::{Domain, PeerId, Signable, Signed};
use taiinet_query::{DocumentKeys, KeySet};

use super::within::peek_within;
use crate::{Misbehaviour, limits};

/// How peers follow a root, and what it tells them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TreeFrame {
    /// Where I stand in a tree.
    Beacon(Beacon),
    /// What the root says, as it came to me.
    Bulletin(Passed),
    /// Be my parent in this tree: send me what the root says.
    Join(Join),
    /// Something has changed of what I bring.
    Brings(Slot, Brings),
    /// You are not my parent in this tree any more.
    Leave(Slot),
}

/// Which of the trees of a network: below [`limits::SLOTS`]. A later version may have more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot(pub u8);

impl Slot {
    /// The tree on which a document goes, as long as that has a root: the documents are shared out evenly.
    pub(crate) fn of(id: &DocumentId) -> Self {
        let [byte, ..] = *id.as_bytes();
        Self(byte % limits::SLOTS as u8)
    }
}

/// Where a peer stands in a tree. It says so when a link is new, and when that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beacon {
    /// The tree.
    pub slot: Slot,
    /// The root that it follows, and the newest of its bulletins that it has.
    pub follows: Option<(PeerId, Timestamp)>,
    /// How many links lead from it to the root, as far as one can tell; none if it has no parent and
    /// wants newer bulletins of whoever has them.
    pub depth: Option<u8>,
}

/// A bulletin on its way down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// How many links lead from the sender to the root: a hint.
    pub depth: u8,
    /// The bulletin as its root signed it.
    pub bulletin: Signed<Bulletin>,
}

/// What the root of a tree says of its network, about once a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulletin {
    /// The network.
    pub network: Network,
    /// The tree.
    pub slot: Slot,
    /// When it was signed. It rises strictly from one bulletin of a root to the next, so that the newest
    /// is the greatest.
    pub issued_at: Timestamp,
    /// When the one before was signed, or 0 if this is the first: a receiver that has not got that one misses it.
    pub after: Timestamp,
    /// The next one follows within so many milliseconds.
    pub beat_ms: u32,
    /// How many peers stand in the tree, as they have told.
    pub peers: u32,
    /// How documents spread: 0, all to all; 1, each to those that want it. What is not known is 0.
    pub spreading: u8,
    /// The documents that have come to the root since the last one.
    pub named: Vec<Entry>,
}

impl Signable for Bulletin {
    const DOMAIN: Domain = Domain::Bulletin;
}

impl Bulletin {
    /// What a signed one says, **unverified**, if it is no larger than one may be.
    ///
    /// # Errors
    /// [`Misbehaviour::Oversize`], [`Misbehaviour::Undecodable`].
    pub fn peek(signed: &Signed<Self>) -> Result<Self, Misbehaviour> {
        peek_within(signed, limits::BULLETIN_BYTES)
    }
}

/// A document in a bulletin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// How its id begins.
    pub id: IdPrefix,
    /// What it is about, as far as anyone in the tree asks for that: whoever wants it and does not have it misses it.
    pub about: DocumentKeys,
}

impl Entry {
    /// One that everyone may want.
    #[cfg(test)]
    pub(crate) const fn of_all(id: IdPrefix) -> Self {
        Self { id, about: DocumentKeys::EVERYTHING }
    }

    /// How many bytes it takes in a bulletin, or a few less.
    pub(crate) fn size(&self) -> usize {
        12 + 8 * self.about.len()
    }
}

/// The first bytes of a document's id: whoever looks for another one that begins alike has 2⁶⁴ to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IdPrefix(pub [u8; 8]);

impl From<&DocumentId> for IdPrefix {
    fn from(id: &DocumentId) -> Self {
        let mut short = [0; 8];
        for (short, byte) in short.iter_mut().zip(id.as_bytes()) {
            *short = *byte;
        }
        Self(short)
    }
}

impl IdPrefix {
    /// The ids that begin so.
    pub(crate) fn range(&self) -> core::ops::RangeInclusive<DocumentId> {
        let filled = |byte| {
            let mut id = [byte; 32];
            id.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
            DocumentId::from_bytes(id)
        };
        filled(0)..=filled(u8::MAX)
    }
}

/// "Be my parent."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The tree.
    pub slot: Slot,
    /// The newest bulletin up to which the sender misses none: those that came after it are wanted.
    pub newest: Option<(PeerId, Timestamp)>,
    /// What it brings.
    pub brings: Brings,
}

/// What a child brings: itself, and those below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brings {
    /// How many peers.
    pub peers: u32,
    /// How many of them want everything.
    pub open: u32,
    /// What they want; none if that has not changed. Until it was said it is everything.
    pub keys: Option<KeySet>,
}
