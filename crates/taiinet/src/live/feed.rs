//! A live result set on its way to its reader: the set as it is, and the events that lead there from what was read.
//!
//! Events that wait are kept up to a bound. Beyond it they are forgotten, and when the reader goes on, others are
//! made that lead from what it has read to the set as it is by then: so much memory is enough, however slow it is.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use futures::task::AtomicWaker;
use taiinet_document::{DocumentId, Timestamp};
use taiinet_session::{LiveChange, Removal, backlog::HIGH_WATER};

use super::event::{LiveEvent, LiveSnapshot};
use crate::delivery::Delivery;

/// How many events wait to be read.
const EVENTS: usize = 1024;

/// The two ends of a live result set.
pub(crate) fn feed() -> (Feed, Reader) {
    let shared = Arc::new(Shared::default());
    (Feed(Arc::clone(&shared)), Reader { shared, told: 0 })
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    reader: AtomicWaker,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    now: LiveSnapshot,
    /// Counts what has happened.
    version: u64,
    waiting: VecDeque<LiveEvent>,
    /// What the documents among them hold of the heap, that were not held by the set when they were made.
    waiting_bytes: usize,
    /// How many may wait.
    most: usize,
    /// What the reader has by what it has read.
    read: Vec<DocumentId>,
    /// What was passed over.
    missed: Option<Missed>,
    is_closed: bool,
}

/// What has become of documents that the reader has.
#[derive(Debug)]
struct Missed {
    read: BTreeSet<DocumentId>,
    /// Of a version that is shown, the one that the reader has.
    replaces: BTreeMap<DocumentId, DocumentId>,
    removed: BTreeMap<DocumentId, Removal>,
}

impl Missed {
    fn note(&mut self, event: &LiveEvent) {
        match event {
            LiveEvent::Update { document, .. } => {
                let Some(old) = document.replaces() else { return };
                let first = self.replaces.remove(&old);
                let read = first.or_else(|| self.read.contains(&old).then_some(old));
                self.replaces.extend(read.map(|read| (document.id(), read)));
            }
            LiveEvent::Remove { id, reason, .. } => {
                let first = self.replaces.remove(id);
                let read = first.or_else(|| self.read.contains(id).then_some(*id));
                self.removed.extend(read.map(|read| (read, *reason)));
            }
            LiveEvent::Insert { .. } | LiveEvent::State(_) => {}
        }
    }
}

impl State {
    fn push(&mut self, event: LiveEvent) {
        self.version += 1;
        let documents = Arc::make_mut(&mut self.now.documents);
        match &event {
            LiveEvent::Insert { index, document } => documents.insert(*index, document.clone()),
            LiveEvent::Update { from, to, document } => {
                documents.remove(*from);
                documents.insert(*to, document.clone());
            }
            LiveEvent::Remove { index, .. } => drop(documents.remove(*index)),
            LiveEvent::State(state) => self.now.state = *state,
        }
        if let Some(missed) = &mut self.missed {
            missed.note(&event);
            return;
        }
        self.waiting_bytes += event.document().map_or(0, Delivery::cost);
        self.waiting.push_back(event);
        if self.waiting.len() > self.most.max(EVENTS) || self.waiting_bytes > HIGH_WATER {
            let read = self.read.iter().copied().collect();
            let mut missed = Missed { read, replaces: BTreeMap::new(), removed: BTreeMap::new() };
            self.waiting.drain(..).for_each(|event| missed.note(&event));
            self.missed = Some(missed);
        }
    }

    fn pop(&mut self) -> Option<LiveEvent> {
        if let Some(missed) = self.missed.take() {
            self.waiting = catch_up(&self.read, &self.now, &missed);
            self.most = self.waiting.len() + EVENTS;
            self.waiting_bytes = 0;
        }
        let event = self.waiting.pop_front()?;
        match &event {
            LiveEvent::Insert { index, document } => self.read.insert(*index, document.id()),
            LiveEvent::Update { from, to, document } => {
                self.read.remove(*from);
                self.read.insert(*to, document.id());
            }
            LiveEvent::Remove { index, .. } => drop(self.read.remove(*index)),
            LiveEvent::State(_) => {}
        }
        if self.waiting.is_empty() {
            self.waiting_bytes = 0;
        }
        Some(event)
    }
}

/// The events that lead from what was read to the set as it is. What is in both has the same order in both.
fn catch_up(read: &[DocumentId], now: &LiveSnapshot, missed: &Missed) -> VecDeque<LiveEvent> {
    let ranks: BTreeMap<_, _> =
        now.documents.iter().enumerate().map(|(rank, document)| (document.id(), rank)).collect();
    let is_replaced: BTreeSet<_> = missed.replaces.values().collect();
    let mut events = VecDeque::new();
    let mut list: Vec<(DocumentId, Option<usize>)> =
        read.iter().map(|id| (*id, ranks.get(id).copied())).collect();
    for index in (0..list.len()).rev() {
        let (id, rank) = list[index];
        if rank.is_none() && !is_replaced.contains(&id) {
            let reason = missed.removed.get(&id).copied().unwrap_or(Removal::Outranked);
            list.remove(index);
            events.push_back(LiveEvent::Remove { index, id, reason });
        }
    }
    for (new, old) in &missed.replaces {
        let from = list.iter().position(|(id, rank)| id == old && rank.is_none());
        let document = ranks.get(new).and_then(|rank| Some((*rank, now.documents.get(*rank)?)));
        let (Some(from), Some((rank, document))) = (from, document) else { continue };
        list.remove(from);
        let before = list.iter().rposition(|(_, other)| other.is_some_and(|other| other < rank));
        let to = before.map_or(0, |before| before + 1);
        list.insert(to, (*new, Some(rank)));
        let document = document.clone().shown(false, Some(*old));
        events.push_back(LiveEvent::Update { from, to, document });
    }
    for (index, document) in now.documents.iter().enumerate() {
        if list.get(index).is_some_and(|(id, _)| *id == document.id()) {
            continue;
        }
        list.insert(index, (document.id(), Some(index)));
        let document = document.clone().shown(false, None);
        events.push_back(LiveEvent::Insert { index, document });
    }
    events.push_back(LiveEvent::State(now.state));
    events
}

impl LiveEvent {
    const fn document(&self) -> Option<&Delivery> {
        match self {
            Self::Insert { document, .. } | Self::Update { document, .. } => Some(document),
            Self::Remove { .. } | Self::State(_) => None,
        }
    }

    fn of(change: LiveChange, now: Timestamp) -> Self {
        let delivery = |document, opened| Delivery::new(document, opened, now, 0, None);
        match change {
            LiveChange::Insert { index, document, opened } => {
                Self::Insert { index, document: delivery(document, opened) }
            }
            LiveChange::Update { from, to, document, opened, replaces } => {
                let document = delivery(document, opened).shown(false, Some(replaces));
                Self::Update { from, to, document }
            }
            LiveChange::Remove { index, id, reason } => Self::Remove { index, id, reason },
            LiveChange::State(state) => Self::State(state),
        }
    }
}

/// The driver's end; dropping it closes the set.
#[derive(Debug)]
pub(crate) struct Feed(Arc<Shared>);

impl Feed {
    pub(crate) fn push(&self, change: LiveChange, now: Timestamp) {
        self.0.state().push(LiveEvent::of(change, now));
        self.0.reader.wake();
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        self.0.reader.wake();
    }
}

/// The reader's end.
#[derive(Debug)]
pub(crate) struct Reader {
    shared: Arc<Shared>,
    /// The version that it was last told of as a whole.
    told: u64,
}

impl Reader {
    pub(crate) fn try_next(&mut self) -> Option<LiveEvent> {
        self.shared.state().pop()
    }

    pub(crate) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<LiveEvent>> {
        self.shared.reader.register(cx.waker());
        let mut state = self.shared.state();
        match state.pop() {
            None if !state.is_closed => Poll::Pending,
            event => Poll::Ready(event),
        }
    }

    pub(crate) fn poll_changed(&mut self, cx: &Context<'_>) -> Poll<Option<LiveSnapshot>> {
        self.shared.reader.register(cx.waker());
        let state = self.shared.state();
        if state.version != self.told {
            self.told = state.version;
            return Poll::Ready(Some(state.now.clone()));
        }
        if state.is_closed { Poll::Ready(None) } else { Poll::Pending }
    }

    pub(crate) fn snapshot(&self) -> LiveSnapshot {
        self.shared.state().now.clone()
    }
}

#[cfg(test)]
mod tests;
