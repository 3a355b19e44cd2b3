//! What a hostile peer does: a real core whose outgoing messages pass a filter of the world.

use std::collections::BTreeMap;

use taiinet_document::{DocumentId, SignedDocument};
use taiinet_identity::{Identity, PeerId, Signed};
use taiinet_mesh::{
    limits,
    wire::{
        Brings, Bulletin, DocumentFrame, Entry, Frame, FrameKind, IdPrefix, LinkFrame, Presence,
        Reading, RouteFrame, TreeFrame, ViewFrame, codec, read,
    },
};
use taiinet_query::{DocumentKeys, KeySet};

use crate::{forge, frames, rng::Rng};

/// How a peer differs from an honest one; it may do several of these at once, and all else by the book. Another attack
/// is another variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// It silently drops the documents of others that it should push or serve, also those that it announces.
    DropsDocuments,
    /// It drops all that is of use to others: documents, announcements, comparisons, answers to searches, questions and
    /// bulletins. Its links live, and it tells of peers.
    DropsEverything,
    /// It drops the documents of this author.
    Censors(PeerId),
    /// Before each document that it passes on, it sends it so many times under a signature that does not hold.
    FloodsInvalid(usize),
    /// With what it sends it announces so many documents that there are not.
    Promises(usize),
    /// It says that it and many below it want everything.
    ClaimsAll,
    /// It says that nobody below it wants anything.
    ClaimsNothing,
    /// It tells of accomplices alone.
    TellsOfAccomplices,
    /// As a root it names nothing of a third of the authors, and it drops what they write.
    HidesAuthors,
    /// As a root it names so many documents that there are not.
    InventsNames(usize),
}

/// How many peers a peer claims to bring that claims too much.
const CLAIMED: u32 = 10_000;

/// What hostile peers know of one another, and of what they handle.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    /// Presences of hostile peers, as they told them.
    presences: BTreeMap<PeerId, Signed<Presence>>,
    /// Who wrote what.
    pub(crate) authors: BTreeMap<IdPrefix, PeerId>,
}

/// What a hostile peer acts with.
pub(crate) struct Hand<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) ring: &'a mut Ring,
    pub(crate) rng: &'a mut Rng,
}

/// What becomes of a message.
#[derive(Debug, Default)]
pub(crate) struct Filtered {
    /// What goes out, in order.
    pub(crate) messages: Vec<Vec<u8>>,
    /// What the core is to hear from its neighbour, so that it does not notice.
    pub(crate) pretended: Vec<Frame>,
}

/// Passes a message that a peer sends to another.
pub(crate) fn filter(behaviours: &[Behaviour], hand: &mut Hand<'_>, message: Vec<u8>) -> Filtered {
    let concerns = |frame: &[u8]| {
        let kind = frames::kind(frame);
        behaviours.iter().any(|behaviour| behaviour.concerns(kind))
    };
    let mut filtered = Filtered::default();
    if !frames::encoded(&message).any(concerns) {
        filtered.messages.push(message);
        return filtered;
    }
    let mut left = codec::MessageWriter::default();
    for encoded in frames::encoded(&message) {
        let turned = match read(encoded) {
            Ok(Reading::Frame(frame)) if concerns(encoded) => {
                let mut frame = Some(frame);
                for behaviour in behaviours {
                    frame = frame.and_then(|frame| behaviour.turns(hand, frame, &mut filtered));
                }
                frame.map(|frame| codec::encode(&frame))
            }
            _ => Some(encoded.to_vec()),
        };
        // A lie may take more room than the truth.
        if let Some(frame) = turned
            && !left.push(&frame)
        {
            filtered.messages.push(core::mem::take(&mut left).finish());
            left.push(&frame);
        }
    }
    if !left.is_empty() {
        filtered.messages.push(left.finish());
    }
    filtered
}

impl Behaviour {
    /// Whether it may do anything with a frame of this kind: all else need not be read.
    const fn concerns(self, kind: FrameKind) -> bool {
        const LINK: u8 = 1;
        const VIEW: u8 = 2;
        const DOCUMENTS: u8 = 4;
        const TREE: u8 = 8;
        match self {
            Self::DropsDocuments | Self::Censors(_) | Self::FloodsInvalid(_) => {
                frames::is_document(kind)
            }
            Self::DropsEverything | Self::Promises(_) => kind.group >= DOCUMENTS,
            Self::ClaimsAll | Self::ClaimsNothing | Self::InventsNames(_) => kind.group >= TREE,
            Self::TellsOfAccomplices => matches!(kind.group, LINK | VIEW),
            Self::HidesAuthors => frames::is_document(kind) || kind.group == TREE,
        }
    }

    /// What is left of a frame.
    fn turns(self, hand: &mut Hand<'_>, frame: Frame, filtered: &mut Filtered) -> Option<Frame> {
        let us = hand.identity.peer_id();
        match (self, frame) {
            (_, frame) if document_in(&frame).is_some_and(|document| self.drops(us, document)) => {
                // Unacknowledged, it would hold up all that comes after it.
                let size = document_in(&frame).map_or(0, SignedDocument::size);
                let ack = LinkFrame::Ack(u32::try_from(size).unwrap_or(u32::MAX));
                filtered.pretended.push(ack.into());
                None
            }
            (Self::DropsEverything, frame) => (!is_of_use(&frame)).then_some(frame),
            (Self::FloodsInvalid(count), frame) => {
                if let Some(invalid) = document_in(&frame).map(forge::with_bad_signature) {
                    let push = taiinet_mesh::wire::Push { hops: 1, document: invalid };
                    let message = codec::message(&[Frame::from(DocumentFrame::Push(push))]);
                    filtered.messages.extend(core::iter::repeat_n(message, count));
                }
                Some(frame)
            }
            (Self::Promises(count), frame) => {
                let ids = (0..count).map(|_| DocumentId::from_bytes(hand.rng.bytes()));
                let have = DocumentFrame::Have(ids.collect());
                filtered.messages.push(codec::message(&[Frame::from(have)]));
                Some(frame)
            }
            (Self::ClaimsAll, frame) => Some(claiming(frame, &|brings| {
                (brings.peers, brings.open) = (CLAIMED, CLAIMED);
                brings.keys = Some(KeySet::EVERYTHING);
            })),
            (Self::ClaimsNothing, frame) => Some(claiming(frame, &|brings| {
                brings.open = 0;
                brings.keys = Some(KeySet::of([], limits::KEYS_BYTES));
            })),
            (Self::TellsOfAccomplices, frame) => Some(hand.ring.telling(us, frame, hand.rng)),
            (Self::HidesAuthors, frame) => Some(hand.naming(frame, |hand, named| {
                let authors = &hand.ring.authors;
                let hidden = |entry: &Entry| authors.get(&entry.id).is_some_and(is_hidden);
                named.retain(|entry| !hidden(entry));
            })),
            (Self::InventsNames(count), frame) => Some(hand.naming(frame, |hand, named| {
                let name = |rng: &mut Rng| IdPrefix(rng.number().to_be_bytes());
                let about = DocumentKeys::EVERYTHING;
                named
                    .extend((0..count).map(|_| Entry { id: name(hand.rng), about: about.clone() }));
            })),
            (_, frame) => Some(frame),
        }
    }

    /// Whether a document that it is to pass on goes no further.
    fn drops(self, us: PeerId, document: &SignedDocument) -> bool {
        let author = document.author();
        author != us
            && match self {
                Self::DropsDocuments | Self::DropsEverything => true,
                Self::Censors(censored) => author == censored,
                Self::HidesAuthors => is_hidden(&author),
                _ => false,
            }
    }
}

/// Whether an author is of the third that a root hides.
fn is_hidden(author: &PeerId) -> bool {
    author.as_bytes()[7].is_multiple_of(3)
}

const fn document_in(frame: &Frame) -> Option<&SignedDocument> {
    match frame {
        Frame::Documents(DocumentFrame::Push(push)) => Some(&push.document),
        Frame::Documents(DocumentFrame::Routed(routed)) => Some(&routed.document),
        _ => None,
    }
}

/// Whether a neighbour gets anything by a frame.
const fn is_of_use(frame: &Frame) -> bool {
    matches!(
        frame,
        Frame::Documents(DocumentFrame::Have(_) | DocumentFrame::Gone(_))
            | Frame::Sync(_)
            | Frame::Find(_)
            | Frame::Tree(TreeFrame::Bulletin(_))
            | Frame::Route(RouteFrame::Ask(_))
    )
}

/// The frame with a lie about who wants what, if it says that.
fn claiming(mut frame: Frame, lie: &dyn Fn(&mut Brings)) -> Frame {
    match &mut frame {
        Frame::Tree(TreeFrame::Join(join)) => lie(&mut join.brings),
        Frame::Tree(TreeFrame::Brings(_, brings)) => lie(brings),
        Frame::Route(RouteFrame::Wants(keys)) => {
            let mut brings = Brings { peers: 1, open: 0, keys: None };
            lie(&mut brings);
            *keys = brings.keys.unwrap_or(KeySet::EVERYTHING);
        }
        _ => {}
    }
    frame
}

impl Ring {
    /// The frame with accomplices in place of all that it tells of.
    fn telling(&mut self, us: PeerId, mut frame: Frame, rng: &mut Rng) -> Frame {
        let told = match &mut frame {
            Frame::View(ViewFrame::Shuffle(told) | ViewFrame::ShuffleReply(told)) => told,
            Frame::Link(LinkFrame::Refuse(refusal)) => &mut refusal.instead,
            _ => return frame,
        };
        if let Some(own) = told.iter().find(|presence| presence.signer() == us) {
            self.presences.insert(us, own.clone());
        }
        let mut all: Vec<&Signed<Presence>> = self.presences.values().collect();
        let count = all.len().min(limits::PRESENCES_PER_FRAME);
        told.clear();
        for _ in 0..count {
            let chosen = usize::try_from(rng.below(all.len() as u64)).unwrap_or(0);
            told.push(all.swap_remove(chosen).clone());
        }
        frame
    }
}

impl Hand<'_> {
    /// The frame with other names, under our signature, if it is a bulletin of our own.
    fn naming(&mut self, frame: Frame, change: impl FnOnce(&mut Self, &mut Vec<Entry>)) -> Frame {
        let Frame::Tree(TreeFrame::Bulletin(mut passed)) = frame else { return frame };
        let ours = passed.bulletin.signer() == self.identity.peer_id();
        if ours && let Ok(mut body) = Bulletin::peek(&passed.bulletin) {
            change(self, &mut body.named);
            passed.bulletin = Signed::new(self.identity, &body);
        }
        TreeFrame::Bulletin(passed).into()
    }
}

#[cfg(test)]
mod tests;
