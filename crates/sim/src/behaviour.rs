//! What a hostile peer does: a real core whose outgoing messages pass a filter of the world.

use taiinet_identity::PeerId;
use taiinet_mesh::wire::{DocumentFrame, Frame, LinkFrame, Reading, codec, read};

use crate::frames;

/// How a peer differs from an honest one. Another attack is another variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// It silently drops the documents of others that it should push or serve; all else it does by the book,
    /// also announcing them.
    DropsDocuments,
}

/// What is left of a message.
#[derive(Debug, Default)]
pub(crate) struct Filtered {
    /// What goes out; nothing, if nothing is left.
    pub(crate) message: Option<Vec<u8>>,
    /// What the core is to hear from its neighbour, so that it does not notice.
    pub(crate) pretended: Vec<Frame>,
}

impl Behaviour {
    /// Passes what a peer of this name sends to another.
    pub(crate) fn filter(self, us: PeerId, message: Vec<u8>) -> Filtered {
        match self {
            Self::DropsDocuments => drop_documents(us, message),
        }
    }
}

fn drop_documents(us: PeerId, message: Vec<u8>) -> Filtered {
    if !frames::encoded(&message).any(frames::carries_document) {
        return Filtered { message: Some(message), pretended: Vec::new() };
    }
    let mut left = codec::MessageWriter::default();
    let mut pretended = Vec::new();
    for frame in frames::encoded(&message) {
        let document = match read(frame) {
            Ok(Reading::Frame(Frame::Documents(DocumentFrame::Push(push)))) => Some(push.document),
            Ok(Reading::Frame(Frame::Documents(DocumentFrame::Routed(routed)))) => {
                Some(routed.document)
            }
            _ => None,
        };
        if let Some(document) = document.filter(|document| document.author() != us) {
            // Unacknowledged, it would hold up all that comes after it.
            let size = u32::try_from(document.size()).unwrap_or(u32::MAX);
            pretended.push(Frame::Link(LinkFrame::Ack(size)));
        } else {
            left.push(frame);
        }
    }
    Filtered { message: (!left.is_empty()).then(|| left.finish()), pretended }
}
