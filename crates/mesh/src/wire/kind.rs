//! What a frame is, read off its first two bytes: whether this version knows it, and what it costs.
//!
//! A frame begins with its group (six bits; the next bit marks it as critical, the highest is zero) and,
//! in every group but the fragments', with its number within the group (below 128). A later version adds
//! frames and groups at the end. A peer that does not know a frame skips it, at no other charge than its cost;
//! one that is marked as critical must be understood, so it ends the link, as
//! [`Incompatible`](crate::Incompatible).

/// Marks a frame that the receiver must understand.
const CRITICAL: u8 = 0x40;
/// The group of a frame.
const GROUP: u8 = 0x3f;

/// The name of a kind of frame on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameKind {
    /// The group: that of a room.
    pub group: u8,
    /// The frame within it; 0 in the group of fragments, which has but one.
    pub number: u8,
}

impl core::fmt::Display for FrameKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}", self.group, self.number)
    }
}

/// What it takes to deal with a frame, before it is looked into: a part that is the same for
/// each, and one by its length. The unit is about a microsecond on the machines of 2025. What a frame
/// makes us do beyond that depends on what is in it, and is spent where it is done (`Cx::spend`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    fixed: u64,
    for_each_kib: u64,
}

pub(super) const fn cost(fixed: u64, for_each_kib: u64) -> Cost {
    Cost { fixed, for_each_kib }
}

impl Cost {
    /// For a frame of so many bytes.
    pub(super) fn of(self, bytes: usize) -> u64 {
        let kib = (bytes as u64).div_ceil(1024);
        self.fixed.saturating_add(self.for_each_kib.saturating_mul(kib))
    }
}

/// A signature that is verified.
pub(crate) const VERIFICATION: u64 = 60;

/// The frames of each group that this version knows, by what they cost.
const GROUPS: [&[Cost]; 11] = [
    // A fragment is copied; what it becomes is charged as a whole.
    &[cost(1, 1)],
    // Hello, Proof (a signature verified, and one made), Neighbour (one verified), Refuse, Bye, Ping, Pong,
    // Ack, Doze.
    &[
        cost(5, 1),
        cost(80, 1),
        cost(VERIFICATION, 20),
        cost(5, 1),
        cost(1, 1),
        cost(5, 1),
        cost(1, 1),
        cost(1, 1),
        cost(20, 1),
    ],
    // Shuffle, ShuffleReply (read; each signature that is verified is spent besides), Surplus.
    &[cost(20, 10), cost(20, 10), cost(10, 1)],
    // Signal (verified, and opened or passed on), Unreachable.
    &[cost(150, 2), cost(20, 1)],
    // Push (its window and its author's quota bound it), Have, Graft, Feed, Gone, Routed (as Push).
    &[cost(1, 0), cost(5, 20), cost(10, 40), cost(20, 1), cost(5, 20), cost(1, 0)],
    // Compare (read, and its pieces found in the store; each document looked at for it is spent besides),
    // Inquire, Differs (read; what it takes to answer is spent besides), Want, Given (as Found).
    &[cost(20, 10), cost(20, 10), cost(10, 10), cost(20, 10), cost(5, 2)],
    // Find (its query compiled; what evaluating it takes is spent besides), Found (read; the rest
    // is what we asked for), Keep (read; each document is spent besides), Took.
    &[cost(100, 10), cost(5, 2), cost(20, 5), cost(5, 1)],
    // Relay, Undeliverable.
    &[cost(10, 2), cost(5, 1)],
    // Beacon, Bulletin (read; what is new is verified, which is spent besides), Join and Brings (the keys below us
    // are put together anew), Leave.
    &[cost(10, 1), cost(10, 10), cost(50, 100), cost(50, 100), cost(20, 1)],
    // Wants (read), Ask.
    &[cost(10, 20), cost(10, 1)],
    // Seek (read; verified, which is spent besides), Supply, Supplies, Refuse, Release.
    &[cost(20, 10), cost(20, 1), cost(20, 1), cost(20, 1), cost(20, 1)],
];
/// What is skipped.
pub(super) const UNKNOWN: Cost = cost(5, 1);

/// The kind of an encoded frame, and whether it is critical; none if it is no frame of any version.
pub(super) fn kind(bytes: &[u8]) -> Option<(FrameKind, bool)> {
    let (first, rest) = bytes.split_first()?;
    if first & !(GROUP | CRITICAL) != 0 {
        return None;
    }
    let group = first & GROUP;
    // The first group has one frame, which bears no number.
    let number = if group == 0 { 0 } else { *rest.first().filter(|number| **number < 0x80)? };
    Some((FrameKind { group, number }, first & CRITICAL != 0))
}

/// Whether an encoded frame is a piece of another, or would be if this version knew it.
pub(super) fn is_fragment(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| first & GROUP == 0)
}

fn known(kind: FrameKind) -> Option<Cost> {
    GROUPS.get(usize::from(kind.group))?.get(usize::from(kind.number)).copied()
}

/// Whether this version knows such frames.
pub(super) fn is_known(kind: FrameKind) -> bool {
    known(kind).is_some()
}

/// An encoded frame without the mark.
pub(super) fn unmarked(bytes: &[u8]) -> Vec<u8> {
    let mut plain = bytes.to_vec();
    if let Some(first) = plain.first_mut() {
        *first &= GROUP;
    }
    plain
}

/// What it costs to deal with an encoded frame, of whatever kind.
pub(crate) fn cost_of(bytes: &[u8]) -> u64 {
    kind(bytes).and_then(|(kind, _)| known(kind)).unwrap_or(UNKNOWN).of(bytes.len())
}

/// Marks an encoded frame as one that its receiver must understand.
pub fn critical(mut frame: Vec<u8>) -> Vec<u8> {
    if let Some(first) = frame.first_mut() {
        *first |= CRITICAL;
    }
    frame
}
