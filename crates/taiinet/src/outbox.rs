//! Which of our documents no neighbour has taken yet, and who waits for that.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use taiinet_document::DocumentId;
use tokio::sync::oneshot;

/// Told when a document was taken: true; when it was lost: false.
pub(crate) type Taken = oneshot::Sender<bool>;
/// Told when all documents were taken or lost: how many were lost since the last flush.
pub(crate) type Flushed = oneshot::Sender<u64>;

/// What became of the documents that were published by this peer; see
/// [`TaiiNet::outcome`](crate::TaiiNet::outcome).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// So many were taken by a neighbour.
    pub taken: u64,
    /// So many became too old before any neighbour took them.
    pub lost: u64,
}

/// The counts behind [`Outcome`]: the outbox writes, handles read, also after the end.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    taken: AtomicU64,
    lost: AtomicU64,
}

impl Tally {
    pub(crate) fn read(&self) -> Outcome {
        Outcome {
            taken: self.taken.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
        }
    }
}

/// Documents given to the core and not yet taken, in the order in which they were given. The core
/// bounds how many there are.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    next: u64,
    /// When each was given, and who waits for it alone.
    waiting: HashMap<DocumentId, (u64, Option<Taken>)>,
    order: BTreeMap<u64, DocumentId>,
    /// Who waits for all that were given before a moment.
    flushes: Vec<(u64, Flushed)>,
    /// How many were lost since the last flush.
    lost: u64,
    tally: Arc<Tally>,
}

impl Outbox {
    /// An empty one that counts here.
    pub(crate) fn new(tally: Arc<Tally>) -> Self {
        Self { tally, ..Self::default() }
    }

    /// The core has accepted a document.
    pub(crate) fn accepted(&mut self, id: DocumentId, taken: Option<Taken>) {
        self.order.insert(self.next, id);
        self.waiting.insert(id, (self.next, taken));
        self.next += 1;
    }

    /// A neighbour has taken a document.
    pub(crate) fn taken(&mut self, id: &DocumentId) {
        self.remove(id, true);
    }

    /// A document became too old before any neighbour took it.
    pub(crate) fn lost(&mut self, id: &DocumentId) {
        // The core publishes some of its own, which nobody waits for.
        if self.waiting.contains_key(id) {
            self.count_lost();
            self.remove(id, false);
        }
    }

    /// The core did not accept a document: it became too old while it waited for room.
    pub(crate) fn refused(&mut self, waiter: Option<Taken>) {
        self.count_lost();
        if let Some(waiter) = waiter {
            let _ = waiter.send(false);
        }
    }

    fn count_lost(&mut self) {
        self.lost += 1;
        self.tally.lost.fetch_add(1, Ordering::Relaxed);
    }

    fn remove(&mut self, id: &DocumentId, taken: bool) {
        let Some((given, waiter)) = self.waiting.remove(id) else { return };
        self.order.remove(&given);
        if taken {
            self.tally.taken.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(waiter) = waiter {
            let _ = waiter.send(taken);
        }
        self.wake_flushes();
    }

    /// Tells `done` when all that were accepted so far are taken or lost.
    pub(crate) fn flush(&mut self, done: Flushed) {
        self.flushes.push((self.next, done));
        self.wake_flushes();
    }

    fn wake_flushes(&mut self) {
        let oldest = self.order.keys().next().copied().unwrap_or(self.next);
        for (_, done) in self.flushes.extract_if(.., |(before, _)| *before <= oldest) {
            let _ = done.send(std::mem::take(&mut self.lost));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> DocumentId {
        DocumentId::from_bytes([number; 32])
    }

    #[test]
    fn a_flush_waits_for_what_came_before_it_and_for_nothing_else() {
        let mut outbox = Outbox::default();
        let (taken, mut one_taken) = oneshot::channel();
        outbox.accepted(id(1), Some(taken));
        outbox.accepted(id(2), None);
        let (done, mut flushed) = oneshot::channel();
        outbox.flush(done);
        outbox.accepted(id(3), None);

        outbox.taken(&id(2));
        assert!(flushed.try_recv().is_err());
        assert!(one_taken.try_recv().is_err());
        outbox.taken(&id(1));
        assert_eq!(one_taken.try_recv(), Ok(true));
        assert_eq!(flushed.try_recv(), Ok(0));
    }

    #[test]
    fn the_lost_are_told_once() {
        let mut outbox = Outbox::default();
        let (taken, mut one_taken) = oneshot::channel();
        outbox.accepted(id(1), Some(taken));
        outbox.lost(&id(1));
        assert_eq!(one_taken.try_recv(), Ok(false));
        for lost in [1, 0] {
            let (done, mut flushed) = oneshot::channel();
            outbox.flush(done);
            assert_eq!(flushed.try_recv(), Ok(lost));
        }
    }

    #[test]
    fn what_the_core_refuses_is_lost_and_all_are_counted() {
        let tally = Arc::<Tally>::default();
        let mut outbox = Outbox::new(Arc::clone(&tally));
        for number in [1, 2, 3] {
            outbox.accepted(id(number), None);
        }
        let (taken, mut is_taken) = oneshot::channel();
        outbox.refused(Some(taken));
        outbox.refused(None);
        assert_eq!(is_taken.try_recv(), Ok(false));
        outbox.taken(&id(1));
        outbox.taken(&id(1));
        outbox.lost(&id(2));
        assert_eq!(tally.read(), Outcome { taken: 1, lost: 3 });
        let (done, mut flushed) = oneshot::channel();
        outbox.flush(done);
        outbox.taken(&id(3));
        assert_eq!(flushed.try_recv(), Ok(3));
        assert_eq!(tally.read(), Outcome { taken: 2, lost: 3 });
    }

    #[test]
    fn a_flush_of_nothing_is_done_at_once() {
        let mut outbox = Outbox::default();
        let (done, mut flushed) = oneshot::channel();
        outbox.flush(done);
        assert!(flushed.try_recv().is_ok());
    }
}
