//! What another archive has and this one lacks.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_document::{
    Difference, Differences, DocumentId, Held, Inquiry, Mark, Piece, ShortId, Stretch, Timestamp,
    VerifiedDocument,
};

use super::{Reading, Unwanted, cut};
use crate::{
    admission::Admission,
    archive::Archive,
    error::ArchiveError,
    layout::Spot,
    limits,
    store::{Store, StoreError},
};

/// The end of the order.
const END: Mark =
    Mark { created_at: Timestamp::from_millis(u64::MAX), id: DocumentId::from_bytes([0xff; 32]) };

/// Another archive is asked for what this one lacks.
///
/// ```text
/// archive.pull(..) ─┬▶ Inquire ──▶ the other ──▶ pull.differs(..) ─┐
///        ▲          ├▶ Want ─────▶ the other ──▶ admit, pull.admitted(..) … pull.given() ─┐
///        │          └▶ Done                                       │                       │
///        └────────────────────────────────────────────────────────┴───────────────────────┘
/// ```
#[derive(Debug)]
pub struct Pull {
    salt: [u8; 32],
    /// The other has nothing from before.
    since: Timestamp,
    unwanted: Unwanted,
    state: State,
    /// Where the next window ends; none after the last.
    next: Option<Mark>,
    /// What the other is to be asked about: pieces of ours, by where the first of them begins.
    todo: BTreeMap<Mark, Vec<Piece>>,
    lacking: Vec<ShortId>,
    /// How many more questions are asked, unless they help.
    patience: u32,
    /// How many came that are not wanted, and of which that is not remembered.
    forgotten: usize,
    pulled: Pulled,
    windows: u32,
    questions: u32,
}

#[derive(Debug)]
enum State {
    /// What comes next is to be seen.
    Ready,
    /// A window of ours is read: from where on, and up to where.
    Window {
        from: Mark,
        until: Mark,
        reading: Reading,
    },
    Asked(Inquiry),
    /// What of an answer is still to be looked at; the newest is the last.
    Weighing {
        parts: Vec<Part>,
        reading: Option<Reading>,
    },
    /// These were asked for and have not come; whether any has.
    Wanted {
        left: BTreeSet<ShortId>,
        any: bool,
    },
}

/// A piece that differs, and what the other has there.
#[derive(Debug)]
struct Part {
    from: Mark,
    until: Mark,
    held: Held,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullStep {
    /// Call again: there is more to be read.
    Working,
    /// It is the other's turn.
    Waiting,
    /// Ask the other this, and give its answer to [`Pull::differs`].
    Inquire(Inquiry),
    /// Get these from the other, admit them, and tell [`Pull::admitted`] of each and then [`Pull::given`].
    Want(Vec<ShortId>),
    /// That was all.
    Done,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pulled {
    /// How many documents and deletions were new.
    pub stored: u64,
    /// Whether much was asked, and nothing of it was of any use: it is not worth doing often.
    pub fruitless: bool,
}

impl Pull {
    /// Begins with one of whom it is known what of its documents is not wanted. `salt` is chosen at random; `since`:
    /// what the other says how far back it goes.
    pub fn new(salt: [u8; 32], since: Timestamp, unwanted: Unwanted) -> Self {
        Self {
            salt,
            since,
            unwanted,
            state: State::Ready,
            next: Some(END),
            todo: BTreeMap::new(),
            lacking: Vec::new(),
            patience: limits::PATIENCE,
            forgotten: 0,
            pulled: Pulled::default(),
            windows: 0,
            questions: 0,
        }
    }

    /// Takes the answer to the last inquiry, which [fits it](Differences::check); what was not asked is left alone.
    pub fn differs(&mut self, differences: Differences) {
        match core::mem::replace(&mut self.state, State::Ready) {
            State::Asked(inquiry) if differences.check(&inquiry).is_ok() => {
                self.take(&inquiry, differences);
            }
            state => self.state = state,
        }
    }

    fn take(&mut self, inquiry: &Inquiry, differences: Differences) {
        // Of the oldest nothing was said.
        let mut silent = usize::from(differences.first);
        for stretch in &inquiry.stretches {
            let count = silent.min(stretch.pieces.len());
            silent -= count;
            if let Some(pieces) = stretch.pieces.get(..count).filter(|pieces| !pieces.is_empty()) {
                self.todo.insert(stretch.from, pieces.to_vec());
            }
        }
        let asked: Vec<_> = inquiry.pieces().collect();
        let part = |Difference { piece, held }| {
            let (from, piece) = asked.get(usize::from(piece))?;
            Some(Part { from: *from, until: piece.until, held })
        };
        let parts = differences.pieces.into_iter().filter_map(part).collect();
        self.state = State::Weighing { parts, reading: None };
    }

    /// One of those that were wanted has come, and this became of it.
    pub fn admitted(&mut self, document: &VerifiedDocument, admission: &Admission) {
        if let State::Wanted { left, any } = &mut self.state {
            *any |= left.remove(&ShortId::from(&document.id()));
        }
        match admission {
            Admission::Stored => {
                self.pulled.stored += 1;
                self.patience = (self.patience + 1).min(limits::PATIENCE);
            }
            // It was said to be lacking.
            Admission::Known => self.patience = self.patience.saturating_sub(1),
            Admission::Superseded { .. } | Admission::Refused(_) => {
                self.forgotten += usize::from(self.unwanted.is_full());
                self.unwanted.insert(Spot::of(&document.into()));
            }
        }
    }

    /// No more of those that were wanted comes now. If some have come, the others may have had no room.
    pub fn given(&mut self) {
        match core::mem::replace(&mut self.state, State::Ready) {
            State::Wanted { left, any } if any => self.lacking.extend(left),
            State::Wanted { .. } => {}
            state => self.state = state,
        }
    }

    /// What came of it so far.
    pub const fn pulled(&self) -> Pulled {
        let many = self.questions > self.windows + limits::FRUITLESS_QUESTIONS;
        Pulled { fruitless: self.pulled.stored == 0 && many, ..self.pulled }
    }

    /// What is not wanted of the other; for the next time.
    pub fn into_unwanted(self) -> Unwanted {
        self.unwanted
    }

    /// What we have between two places, and what we do not want of it, ascending.
    fn with_unwanted(&self, mut spots: Vec<Spot>, from: &Mark, until: &Mark) -> Vec<Spot> {
        let (from, until) = (Spot::of(from), Spot::of(until));
        if from < until {
            spots.extend(self.unwanted.0.range(from..until));
        }
        spots.sort_unstable();
        spots.dedup();
        spots
    }

    /// Puts pieces of ours among those that the other is to be asked about.
    fn ask_about(&mut self, spots: &[Spot], from: Mark, until: Mark) {
        let pieces = spots.len().div_ceil(limits::PIECES).clamp(1, limits::PIECES);
        self.todo.insert(from, cut(&self.salt, spots, until, pieces));
        if self.todo.len() > limits::PULL_PARTS {
            // The next time.
            self.todo.pop_first();
        }
    }

    /// What of ours is to be asked next: as much as one inquiry has, the newest.
    fn inquiry(&mut self) -> Option<Inquiry> {
        let (mut stretches, mut count) = (Vec::new(), 0);
        while let Some(entry) = self.todo.last_entry()
            && count + entry.get().len() <= taiinet_document::limits::INQUIRY_PIECES
        {
            let (from, pieces) = entry.remove_entry();
            count += pieces.len();
            stretches.push(Stretch { from, pieces });
        }
        stretches.reverse();
        (!stretches.is_empty()).then_some(Inquiry { salt: self.salt, stretches })
    }

    /// What the other has of a piece that differs is compared with what we have of it.
    fn weigh(&mut self, part: Part, read: Reading) {
        let Part { from, until, held } = part;
        let Reading { spots, traces, .. } = read;
        match held {
            Held::Ids(ids) => {
                let theirs: BTreeSet<ShortId> = ids.into_iter().collect();
                let here = Spot::of(&from)..Spot::of(&until);
                if here.start < here.end {
                    let gone = |spot: &&Spot| !theirs.contains(&spot.short_id());
                    let gone: Vec<Spot> =
                        self.unwanted.0.range(here).filter(gone).copied().collect();
                    for spot in gone {
                        self.unwanted.0.remove(&spot);
                    }
                }
                for spot in traces.into_iter().filter(|spot| theirs.contains(&spot.short_id())) {
                    self.unwanted.insert(spot);
                }
                let ours = self.with_unwanted(spots, &from, &until);
                let ours: BTreeSet<ShortId> = ours.iter().map(Spot::short_id).collect();
                self.lacking.extend(theirs.difference(&ours));
            }
            Held::Pieces(pieces) => {
                let ours = self.with_unwanted(spots, &from, &until);
                let mut rest = ours.as_slice();
                let stretch = Stretch { from, pieces };
                for (from, theirs) in stretch.pieces() {
                    let end = Spot::of(&theirs.until);
                    let (here, later) = rest.split_at(rest.partition_point(|spot| *spot < end));
                    rest = later;
                    let same = cut(&self.salt, here, theirs.until, 1);
                    if !same.first().is_some_and(|ours| ours.has_same(theirs)) {
                        self.ask_about(here, from, theirs.until);
                    }
                }
            }
        }
    }

    /// One more question: whether it is still worth asking.
    fn may_ask(&mut self) -> bool {
        self.questions += 1;
        self.patience = self.patience.saturating_sub(1);
        self.patience > 0 && self.forgotten < limits::WANTED_IDS
    }
}

impl<S: Store> Archive<S> {
    /// Goes on with getting from another archive what is lacking here, by about so many rows.
    ///
    /// # Errors
    /// [`ArchiveError::Store`]
    pub fn pull(
        &self,
        pull: &mut Pull,
        rows: usize,
        now: Timestamp,
    ) -> Result<PullStep, ArchiveError> {
        Ok(self.pull_some(pull, rows, now)?)
    }

    fn pull_some(
        &self,
        pull: &mut Pull,
        mut rows: usize,
        now: Timestamp,
    ) -> Result<PullStep, StoreError> {
        loop {
            if rows == 0 {
                return Ok(PullStep::Working);
            }
            match core::mem::replace(&mut pull.state, State::Ready) {
                state @ (State::Asked(_) | State::Wanted { .. }) => {
                    pull.state = state;
                    return Ok(PullStep::Waiting);
                }
                State::Ready => {
                    if let Some(step) = self.next_step(pull, now) {
                        return Ok(step);
                    }
                }
                State::Window { from, until, mut reading } => {
                    self.read_on(&mut reading, limits::WINDOW_DOCUMENTS, &mut rows)?;
                    if rows == 0
                        && !reading.is_whole()
                        && reading.spots.len() < limits::WINDOW_DOCUMENTS
                    {
                        pull.state = State::Window { from, until, reading };
                        continue;
                    }
                    // The window begins with the last that was read, if there are more before it.
                    let oldest = reading.spots.last().filter(|_| !reading.is_whole());
                    let from = oldest.map_or(from, Spot::mark);
                    pull.next = oldest.map(|_| from);
                    let spots = pull.with_unwanted(reading.spots, &from, &until);
                    pull.ask_about(&spots, from, until);
                }
                State::Weighing { mut parts, reading } => {
                    let Some(part) = parts.last() else { continue };
                    let new = || Reading::new(&part.from, &part.until);
                    let mut reading = reading.unwrap_or_else(new);
                    self.read_on(&mut reading, usize::MAX, &mut rows)?;
                    // Also where nothing is there.
                    rows = rows.saturating_sub(1);
                    if !reading.is_whole() {
                        pull.state = State::Weighing { parts, reading: Some(reading) };
                        continue;
                    }
                    let part = parts.pop();
                    pull.state = State::Weighing { parts, reading: None };
                    if let Some(part) = part {
                        pull.weigh(part, reading);
                    }
                }
            }
        }
    }

    /// What is to be asked, or done; none if a window is to be read first.
    fn next_step(&self, pull: &mut Pull, now: Timestamp) -> Option<PullStep> {
        if !pull.lacking.is_empty() {
            if !pull.may_ask() {
                return Some(PullStep::Done);
            }
            let rest = pull.lacking.len().saturating_sub(limits::WANTED_IDS);
            let mut ids = pull.lacking.split_off(rest);
            ids.sort_unstable();
            ids.dedup();
            pull.state = State::Wanted { left: ids.iter().copied().collect(), any: false };
            return Some(PullStep::Want(ids));
        }
        if !pull.todo.is_empty() {
            let inquiry = if pull.may_ask() { pull.inquiry() } else { None };
            return Some(inquiry.map_or(PullStep::Done, |inquiry| {
                pull.state = State::Asked(inquiry.clone());
                PullStep::Inquire(inquiry)
            }));
        }
        let Some(until) = pull.next.take() else { return Some(PullStep::Done) };
        let from = Mark::from(self.takes_since(now).max(pull.since));
        if from >= until {
            return Some(PullStep::Done);
        }
        pull.windows += 1;
        pull.patience = pull.patience.saturating_add(limits::PATIENCE_PER_WINDOW);
        let reading = Reading::new(&from, &until);
        pull.state = State::Window { from, until, reading };
        None
    }

    /// From when on documents of everyone are taken.
    fn takes_since(&self, now: Timestamp) -> Timestamp {
        self.config.reaches_back(now).max(self.floor())
    }
}
