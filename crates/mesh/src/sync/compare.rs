//! Comparisons: what two neighbours have, piece by piece, so that what went astray is found.
//!
//! The work is bounded on both sides. A frame of ours covers at most
//! [`limits::PIECES`] × [`limits::PIECE_DOCUMENTS`] documents, the newest first; the next goes on where
//! it ended. For a neighbour's frame we look at [`limits::COMPARE_LOOKS`] documents at most, which is enough
//! for all pieces of an honest one: to see that one differs takes one document more than it counts. What
//! is over that to be announced comes first at its next comparison. The link pays for those that were looked
//! at. Documents that were replaced under their key are in no piece and cost no look, however many they are.
//!
//! Sums of hashes that are keyed by chance cannot be steered by writing documents: the chance that
//! two ends that differ have the same sum is one in 2¹²⁸.

use std::collections::BTreeMap;

use taiinet_document::{DocumentId, Mark, Timestamp};

use crate::{
    LinkId, Time,
    documents::Recent,
    limits,
    rng::Rng,
    wire::{Compare, Piece},
};

/// Which part of the documents is compared next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The newest: a round of comparisons with this neighbour begins.
    Newest,
    /// The next of the round with this neighbour.
    Next,
    /// The next of those that are compared now and then, with whomever.
    Any,
}

/// How far the comparisons with each neighbour have come.
#[derive(Debug)]
pub(crate) struct Comparisons {
    /// For the salts.
    rng: Rng,
    /// How far those that are made now and then have come, from the newest documents to the oldest.
    cursor: Option<Mark>,
    links: BTreeMap<LinkId, State>,
}

#[derive(Debug, Default)]
struct State {
    /// How far the round with it has come.
    cursor: Option<Mark>,
    /// Where to go on with what it is told of, if there was no room for all.
    compare_cursor: Option<Mark>,
}

/// What to announce after a comparison.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) ids: Vec<DocumentId>,
    /// How many documents were looked at for that.
    pub(super) looked_at: usize,
}

/// How many documents may still be looked at for one frame.
#[derive(Debug)]
struct Looks(usize);

impl Looks {
    /// Whether one more may be.
    fn take(&mut self) -> bool {
        self.0.checked_sub(1).map(|left| self.0 = left).is_some()
    }
}

impl Comparisons {
    pub(super) const fn new(rng: Rng) -> Self {
        Self { rng, cursor: None, links: BTreeMap::new() }
    }

    /// A link is gone.
    pub(super) fn link_down(&mut self, link: LinkId) {
        self.links.remove(&link);
    }

    /// What to tell a neighbour of what we have, from `since` until `until`, and whether there is more
    /// to tell; nothing if there is no time between them.
    pub(crate) fn ask(
        &mut self,
        link: LinkId,
        part: Part,
        recent: &Recent,
        (since, until): (Timestamp, Timestamp),
    ) -> Option<(Compare, bool)> {
        let (since, until) = (Mark::from(since), Mark::from(until));
        if since >= until {
            return None;
        }
        let salt = self.rng.nonce();
        let cursor = match part {
            Part::Any => &mut self.cursor,
            Part::Newest | Part::Next => &mut self.links.entry(link).or_default().cursor,
        };
        if part == Part::Newest {
            *cursor = None;
        }
        let end = cursor.filter(|cursor| since < *cursor && *cursor < until).unwrap_or(until);
        let (compare, complete) = pieces(recent, since, end, salt);
        *cursor = (!complete).then_some(compare.from);
        Some((compare, !complete))
    }

    /// What to announce to a neighbour that says what it has: what we can serve of the pieces in which
    /// it has something else, as far as we look, and `room` ids at most. What had no room comes first
    /// the next time.
    pub(crate) fn answer(
        &mut self,
        link: LinkId,
        recent: &Recent,
        theirs: &Compare,
        room: usize,
        now: Time,
    ) -> Answer {
        let State { compare_cursor, .. } = self.links.entry(link).or_default();
        let mut looks = Looks(limits::COMPARE_LOOKS);
        let live = now.before(limits::LIVE_WINDOW).after(limits::LIVE_MARGIN).timestamp().into();
        let mut differing = Vec::new();
        for (from, piece) in theirs.pieces().rev() {
            if piece.until <= live {
                break;
            }
            match is_same(recent, from, piece, &theirs.salt, &mut looks) {
                Some(true) => {}
                Some(false) => differing.push((from.max(live), piece.until)),
                None => break,
            }
        }
        differing.reverse();
        // First what the last announcement had no room for.
        let start = compare_cursor.take().unwrap_or(live);
        let later = differing.iter().map(|(from, until)| ((*from).max(start), *until));
        let earlier = differing.iter().map(|(from, until)| (*from, (*until).min(start)));
        let mut ids = Vec::new();
        for mark in later.chain(earlier).flat_map(|(a, b)| recent.between(a, b)) {
            if ids.len() >= room || !looks.take() {
                *compare_cursor = Some(mark);
                break;
            }
            if recent.get(&mark.id).is_some() {
                ids.push(mark.id);
            }
        }
        Answer { ids, looked_at: limits::COMPARE_LOOKS - looks.0 }
    }
}

/// The newest documents from `since` until `until`, as many as one comparison has, in pieces; and whether
/// these are all.
fn pieces(recent: &Recent, since: Mark, until: Mark, salt: [u8; 32]) -> (Compare, bool) {
    let mut pieces = Vec::new();
    let mut piece = Piece::empty(until);
    let (mut from, mut complete) = (since, true);
    // From the newest on; a piece begins with its last document.
    let mut begin = until;
    for mark in recent.between(since, until).rev() {
        if piece.count as usize == limits::PIECE_DOCUMENTS {
            pieces.push(piece);
            if pieces.len() == limits::PIECES {
                (from, complete) = (begin, false);
                break;
            }
            piece = Piece::empty(begin);
        }
        begin = mark;
        piece.add(&salt, mark.id.as_bytes());
    }
    if complete {
        pieces.push(piece);
    }
    pieces.reverse();
    (Compare { salt, from, pieces }, complete)
}

/// Whether we have the same of a piece as another; nothing if we do not look so far.
fn is_same(
    recent: &Recent,
    from: Mark,
    theirs: &Piece,
    salt: &[u8; 32],
    looks: &mut Looks,
) -> Option<bool> {
    let mut ours = Piece::empty(theirs.until);
    for mark in recent.between(from, theirs.until) {
        if !looks.take() {
            return None;
        }
        if ours.count == theirs.count {
            return Some(false);
        }
        ours.add(salt, mark.id.as_bytes());
    }
    Some(ours.has_same(theirs))
}

#[cfg(test)]
mod tests;
