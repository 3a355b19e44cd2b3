//! Messages between peers, taken apart into encoded frames.

use taiinet_mesh::wire::{FrameKind, codec::MessageReader};

/// The groups of [`taiinet_mesh::wire::Frame`] that carry documents to neighbours: fragments, which only what is
/// large needs, and pushes.
const FRAGMENT: u8 = 0;
const DOCUMENTS: u8 = 4;
const PUSH: u8 = 0;
const ROUTED: u8 = 5;

/// The encoded frames of a message; none, if it is sealed.
pub(crate) fn encoded(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    MessageReader::new(message).ok().into_iter().flatten().map_while(Result::ok)
}

/// What an encoded frame is.
pub(crate) fn kind(frame: &[u8]) -> FrameKind {
    match frame {
        [FRAGMENT, ..] | [] => FrameKind { group: FRAGMENT, number: 0 },
        [group, rest @ ..] => {
            FrameKind { group: *group, number: rest.first().copied().unwrap_or(0) }
        }
    }
}

/// Whether it is a document on its way, or a piece of one.
pub(crate) const fn is_document(kind: FrameKind) -> bool {
    matches!((kind.group, kind.number), (FRAGMENT, _) | (DOCUMENTS, PUSH | ROUTED))
}

#[cfg(test)]
mod tests {
    use taiinet_mesh::wire::{DocumentFrame, Fragment, Frame, Push, codec};

    use super::*;

    /// How many bytes of a message are documents on their way.
    fn document_bytes(message: &[u8]) -> usize {
        encoded(message).filter(|frame| is_document(kind(frame))).map(<[u8]>::len).sum()
    }
    use crate::{forge, rng::Rng};

    fn push(by: &taiinet_identity::Identity) -> Frame {
        let network = "tests".parse().expect("a name");
        let document = forge::document(by, &network, 1, "{}");
        Frame::Documents(DocumentFrame::Push(Push { hops: 1, document }))
    }

    #[test]
    fn documents_are_told_from_all_else_by_their_first_bytes() {
        let author = taiinet_identity::Identity::generate(Rng::new(1).crypto());
        let other = Frame::Documents(DocumentFrame::Have(Vec::new()));
        let fragment = Frame::Fragment(Fragment { last: true, bytes: vec![1] });
        let message = codec::message(&[other, push(&author), fragment]);
        let found: Vec<bool> = encoded(&message).map(|frame| is_document(kind(frame))).collect();
        assert_eq!(found, [false, true, true]);
        assert!(document_bytes(&message) > 100);
    }
}
