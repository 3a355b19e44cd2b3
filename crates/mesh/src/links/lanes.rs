//! What waits to be sent on one link: a lane for control frames and one for documents, both bounded.
//!
//! Three windows hold the sender back. The transport's: so many bytes handed over and not reported
//! as sent. The neighbour's: so many bytes of documents sent and not acknowledged, which makes a slow
//! reader slow down its senders whatever their transports buffer. And the lanes' own bounds: a full
//! data lane refuses a document (it is announced instead); a full control lane means that the
//! neighbour is not keeping up at all.

use std::{collections::VecDeque, sync::Arc};

use taiinet_document::{Differences, DocumentId, SignedDocument};
use taiinet_query::{DocumentKeys, sort::Place};

use crate::{
    Lane, Misbehaviour, limits,
    wire::{
        Differs, DocumentFrame, FindFrame, Found, Frame, Given, Keep, Push, Rest, Routed,
        SyncFrame, Way,
        codec::{self, MessageWriter},
    },
};

/// The most that a push adds to its document: group, variant, hops, length of the body.
const PUSH_OVERHEAD: usize = 10;
/// And a part of an answer.
const FOUND_OVERHEAD: usize = 16;

/// A document ready to be sent: encoded once, however many links it goes to.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    id: DocumentId,
    /// What it counts for in the neighbour's window.
    bytes: usize,
    frame: Arc<[u8]>,
}

impl Parcel {
    pub(crate) fn new(document: &SignedDocument, hops: u8) -> Self {
        let (id, bytes) = (document.id(), document.size());
        let frame = Frame::from(DocumentFrame::Push(Push { hops, document: document.clone() }));
        let frame = codec::encode_sized(&frame, bytes + PUSH_OVERHEAD).into();
        Self { id, bytes, frame }
    }

    /// One on its way to those that want it.
    pub(crate) fn routed(
        document: &SignedDocument,
        (hops, way): (u8, Way),
        also: Option<DocumentKeys>,
    ) -> Self {
        let (id, bytes) = (document.id(), document.size());
        let routed = Routed { way, hops, also: also.map(Box::new), document: document.clone() };
        let frame = Frame::from(DocumentFrame::Routed(routed));
        let frame = codec::encode_sized(&frame, bytes + PUSH_OVERHEAD).into();
        Self { id, bytes, frame }
    }

    pub(crate) const fn id(&self) -> DocumentId {
        self.id
    }
}

/// A part of an answer to a search.
#[derive(Debug)]
pub(crate) enum AnswerPart {
    Document(SignedDocument),
    /// The end of it: what there is beyond it, and up to where it reaches.
    End(Rest, Option<Place>),
    /// What differs between the neighbour's archive and ours.
    Differs(Box<Differences>),
    /// A document that the neighbour's archive wants.
    Given(SignedDocument),
    /// No more of these follows.
    AllGiven,
}

impl AnswerPart {
    /// What it counts for in its lane.
    fn bytes(&self) -> usize {
        FOUND_OVERHEAD
            + match self {
                Self::Document(document) | Self::Given(document) => document.size(),
                Self::Differs(differences) => differences.size(),
                Self::AllGiven => 0,
                Self::End(_, until) => until.as_ref().map_or(0, |place| place.as_bytes().len()),
            }
    }

    const fn is_end(&self) -> bool {
        matches!(self, Self::End(..) | Self::AllGiven)
    }

    /// As it is sent.
    fn frame(self, request: u32) -> Frame {
        let found = |documents, rest, until: Option<Place>| {
            let until = until.map_or_else(Vec::new, |place| place.as_bytes().to_vec());
            FindFrame::Found(Found { request, documents, rest, until }).into()
        };
        match self {
            Self::Document(document) => found(vec![document], Rest::Follows, None),
            Self::End(rest, until) => found(Vec::new(), rest, until),
            Self::Differs(differences) => {
                SyncFrame::Differs(Differs { request, differences: *differences }).into()
            }
            Self::Given(document) => {
                let documents = vec![document];
                SyncFrame::Given(Given { request, documents, last: false }).into()
            }
            Self::AllGiven => {
                SyncFrame::Given(Given { request, documents: Vec::new(), last: true }).into()
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct InFlight {
    id: DocumentId,
    bytes: usize,
}

/// What carries a link's messages, as far as it holds the sender back.
#[derive(Debug, Clone, Copy)]
struct Carrier {
    /// So many bytes may be handed over and not passed on.
    window: usize,
    /// What each message counts for besides.
    each: usize,
}

impl Default for Carrier {
    fn default() -> Self {
        Self { window: limits::TRANSPORT_WINDOW, each: 0 }
    }
}

/// The outgoing half of a link.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    control: VecDeque<Vec<u8>>,
    control_bytes: usize,
    data: VecDeque<Parcel>,
    data_bytes: usize,
    /// What was found for the neighbour, or an archive is to keep, and what each counts for.
    found: VecDeque<(Frame, usize)>,
    found_bytes: usize,
    /// The pieces of the frame that is being sent.
    pieces: VecDeque<Vec<u8>>,
    in_flight: VecDeque<InFlight>,
    in_flight_bytes: usize,
    /// Acknowledged bytes that do not yet make a whole document.
    acked: usize,
    in_transport: usize,
    carrier: Carrier,
    sent: u64,
}

impl Lanes {
    /// Queues a control frame; false if the lane is full.
    #[must_use]
    pub(crate) fn control(&mut self, frame: &Frame) -> bool {
        let bytes = codec::encode(frame);
        if self.control_bytes + bytes.len() > limits::CONTROL_LANE_BYTES {
            return false;
        }
        self.control_bytes += bytes.len();
        self.control.push_back(bytes);
        true
    }

    /// Queues a document; false if the lane is full.
    #[must_use]
    pub(crate) fn push(&mut self, parcel: Parcel) -> bool {
        if !self.has_room() {
            return false;
        }
        self.data_bytes += parcel.bytes;
        self.data.push_back(parcel);
        true
    }

    /// Queues a part of an answer to a search, or its end; false if the lane is full. It needs no window: the
    /// neighbour asked for it, and goes behind everything else.
    #[must_use]
    pub(crate) fn found(&mut self, request: u32, part: AnswerPart) -> bool {
        let bytes = part.bytes();
        // The end of an answer has room where its documents had none.
        let share = if part.is_end() { 2 } else { 1 };
        let room = limits::FOUND_LANE_BYTES * share;
        if self.found_bytes + bytes > room {
            return false;
        }
        self.found_bytes += bytes;
        self.found.push_back((part.frame(request), bytes));
        true
    }

    /// Queues documents for an archive to keep, behind what was found. There is always room for them: a link has
    /// few outstanding ([`limits::KEEPS_AWAITED`]).
    pub(crate) fn keep(&mut self, keep: Keep) {
        let bytes = keep.documents.iter().map(SignedDocument::size).sum();
        self.found_bytes += bytes;
        self.found.push_back((FindFrame::Keep(keep).into(), bytes));
    }

    /// How many bytes of documents an answer to a search may have.
    pub(crate) const fn room_for_found(&self) -> usize {
        limits::FOUND_LANE_BYTES.saturating_sub(self.found_bytes)
    }

    /// A signaller relays the messages.
    pub(crate) const fn on_circuit(&mut self) {
        self.carrier =
            Carrier { window: limits::CIRCUIT_WINDOW, each: limits::CIRCUIT_MESSAGE_BYTES };
    }

    /// The transport passed on so many bytes.
    pub(crate) const fn sent(&mut self, bytes: usize) {
        self.in_transport = self.in_transport.saturating_sub(bytes);
    }

    /// So many bytes more were given to the transport than [`Self::transmit`] gave.
    pub(crate) const fn carries(&mut self, bytes: usize) {
        self.in_transport += bytes;
    }

    /// A message that did not wait here was given to the transport.
    pub(crate) const fn carries_message(&mut self, bytes: usize) {
        self.in_transport += bytes + self.carrier.each;
    }

    /// The documents that the neighbour has not taken yet.
    pub(crate) fn untaken(&self) -> Vec<DocumentId> {
        let waiting = self.data.iter().map(Parcel::id);
        self.in_flight.iter().map(|sent| sent.id).chain(waiting).collect()
    }

    /// The neighbour took so many more bytes of documents: gives the documents that are now taken
    /// whole.
    ///
    /// # Errors
    /// [`Misbehaviour::FalseAck`]
    pub(crate) fn acknowledged(&mut self, bytes: u32) -> Result<Vec<DocumentId>, Misbehaviour> {
        let bytes = bytes as usize;
        if self.acked.saturating_add(bytes) > self.in_flight_bytes {
            return Err(Misbehaviour::FalseAck);
        }
        self.acked += bytes;
        let mut taken = Vec::new();
        while let Some(first) = self.in_flight.front().copied() {
            if first.bytes > self.acked {
                break;
            }
            self.in_flight.pop_front();
            self.in_flight_bytes -= first.bytes;
            self.acked -= first.bytes;
            taken.push(first.id);
        }
        Ok(taken)
    }

    /// Bytes that wait here.
    pub(crate) const fn queued(&self) -> usize {
        self.control_bytes + self.data_bytes + self.found_bytes
    }

    /// Whether the data lane takes another document.
    pub(crate) const fn has_room(&self) -> bool {
        self.data_bytes < limits::DATA_LANE_BYTES
    }

    /// Whether the control lane has room for announcements: they stay behind everything else.
    pub(crate) const fn has_control_room(&self) -> bool {
        self.control_bytes < limits::CONTROL_LANE_BYTES / 2
    }

    /// Documents sent so far.
    pub(crate) const fn documents_sent(&self) -> u64 {
        self.sent
    }

    /// The next message, if there is something to send and room for it.
    pub(crate) fn transmit(&mut self) -> Option<(Lane, Vec<u8>)> {
        if self.in_transport >= self.carrier.window {
            return None;
        }
        let mut message = MessageWriter::with_capacity(self.queued());
        let mut lane = None;
        for of in [Lane::Control, Lane::Documents, Lane::History] {
            self.fill(of, &mut message);
            lane = lane.or((!message.is_empty()).then_some(of));
        }
        let (lane, message) = (lane?, message.finish());
        self.carries_message(message.len());
        Some((lane, message))
    }

    /// The control frames that wait, for a link that is about to close; the windows do not count.
    pub(crate) fn last_words(&mut self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let in_pieces = self.control.iter().any(|frame| codec::needs_fragments(frame));
        loop {
            let mut message = MessageWriter::default();
            self.fill_control(&mut message);
            if in_pieces {
                self.fill_pieces(&mut message);
            }
            if message.is_empty() {
                return messages;
            }
            messages.push(message.finish());
        }
    }

    fn fill(&mut self, lane: Lane, message: &mut MessageWriter) {
        match lane {
            Lane::Control => self.fill_control(message),
            Lane::Documents => self.fill_data(message),
            Lane::History => self.fill_found(message),
            Lane::Media => {}
        }
    }

    fn fill_control(&mut self, message: &mut MessageWriter) {
        while let Some(frame) = self.control.front() {
            let in_pieces = codec::needs_fragments(frame);
            // Pieces of one frame follow one another: first what was begun.
            let room = if in_pieces { self.fill_pieces(message) } else { message.push(frame) };
            if !room {
                return;
            }
            let Some(frame) = self.control.pop_front() else { return };
            self.control_bytes -= frame.len();
            if in_pieces {
                self.pieces.extend(codec::fragment(&frame));
            }
        }
    }

    /// Goes on with a document that was begun; true if none is left.
    fn fill_pieces(&mut self, message: &mut MessageWriter) -> bool {
        while let Some(piece) = self.pieces.front() {
            if !message.push(piece) {
                return false;
            }
            self.pieces.pop_front();
        }
        true
    }

    /// Adds a frame, in pieces if it is large; false if there is no room for it.
    fn fill_frame(&mut self, message: &mut MessageWriter, frame: &[u8]) -> bool {
        if codec::needs_fragments(frame) {
            self.pieces.extend(codec::fragment(frame));
            true
        } else {
            message.push(frame)
        }
    }

    fn fill_found(&mut self, message: &mut MessageWriter) {
        while self.fill_pieces(message)
            && let Some((frame, bytes)) = self.found.front()
        {
            let bytes = *bytes;
            let frame = codec::encode_sized(frame, bytes);
            if !self.fill_frame(message, &frame) {
                return;
            }
            self.found_bytes -= bytes;
            self.found.pop_front();
        }
    }

    fn fill_data(&mut self, message: &mut MessageWriter) {
        while self.fill_pieces(message) {
            if self.in_flight_bytes >= limits::LINK_WINDOW {
                return;
            }
            let Some(Parcel { id, bytes, frame }) = self.data.front().cloned() else { return };
            if !self.fill_frame(message, &frame) {
                return;
            }
            self.in_flight.push_back(InFlight { id, bytes });
            self.in_flight_bytes += bytes;
            self.data_bytes -= bytes;
            self.sent += 1;
            self.data.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
