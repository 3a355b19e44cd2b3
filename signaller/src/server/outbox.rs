//! What waits for one client: bounded in messages and bytes, and for all clients together.
//!
//! A queue behind a lock rather than a channel: the desk puts in all that it has for a client before
//! it wakes the writer, and the writer takes all at once. A channel would wake it for the first
//! message, and two thirds of the server's time would go into waking and into tiny writes.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use tokio::sync::Notify;

use crate::Parting;

/// Room for so many messages is kept when nothing waits.
const KEPT: usize = 16;

/// How much may wait for one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutboxLimits {
    pub(super) messages: usize,
    pub(super) bytes: usize,
    /// So many bytes may wait for it even when there is no room for more in all.
    pub(super) share: usize,
}

/// What waits for all clients together.
#[derive(Debug)]
pub(super) struct Room {
    most: AtomicUsize,
    waiting: AtomicUsize,
}

impl Room {
    /// Room for so many bytes, besides every client's share.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: AtomicUsize::new(most), waiting: AtomicUsize::new(0) })
    }

    /// Room for so many from now on.
    pub(super) fn renew(&self, most: usize) {
        self.most.store(most, Relaxed);
    }

    /// Bytes that wait for clients now.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }
}

/// The way to a client. Dropping it, as when the desk ends, closes the connection once what waits is written.
#[derive(Debug)]
pub(super) struct Outbox {
    shared: Arc<Shared>,
    limits: OutboxLimits,
}

/// Its other end.
#[derive(Debug)]
pub(super) struct Waiting {
    shared: Arc<Shared>,
}

/// Wakes the writer when it is dropped.
#[derive(Debug)]
pub(super) struct Wake(Arc<Shared>);

/// What is written together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) messages: Vec<Vec<u8>>,
    /// When that arrived from which the first of these follows.
    pub(super) since: Option<Instant>,
}

/// What a writer is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Write what it was given.
    Write,
    /// Say goodbye: that was all.
    Close(Parting),
    /// End at once.
    Cut,
}

#[derive(Debug)]
struct Shared {
    room: Arc<Room>,
    queue: Mutex<Queue>,
    /// For the writer, which alone waits.
    news: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    messages: Vec<Vec<u8>>,
    /// When that arrived from which the first of these follows.
    since: Option<Instant>,
    /// Bytes that were put in and are not written yet.
    unwritten: usize,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// The desk has closed its end.
    Closed(Parting),
    Cut,
    /// The writer has dropped its end.
    Gone,
}

pub(super) fn outbox(limits: OutboxLimits, room: Arc<Room>) -> (Outbox, Waiting) {
    let shared = Arc::new(Shared { room, queue: Mutex::default(), news: Notify::new() });
    (Outbox { shared: shared.clone(), limits }, Waiting { shared })
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many bytes, of those that wait, do so no more.
    fn written(&self, queue: &mut Queue, bytes: usize) {
        let bytes = bytes.min(queue.unwritten);
        queue.unwritten -= bytes;
        self.room.waiting.fetch_sub(bytes, Relaxed);
    }

    fn end(&self, state: State) {
        let mut queue = self.lock();
        if queue.state == State::Open {
            queue.state = state;
        }
        drop(queue);
        self.news.notify_one();
    }
}

impl Outbox {
    /// False if it is full, or its client is gone, or there is no room in all and it has its share. What
    /// was put in is written once `wakes` are dropped; it follows from what arrived then.
    pub(super) fn put(&self, bytes: Vec<u8>, since: Instant, wakes: &mut Vec<Wake>) -> bool {
        let (limits, room) = (self.limits, &self.shared.room);
        let mut queue = self.shared.lock();
        let unwritten = queue.unwritten.saturating_add(bytes.len());
        if queue.state != State::Open
            || queue.messages.len() >= limits.messages
            || unwritten > limits.bytes
            || (unwritten > limits.share
                && room.waiting().saturating_add(bytes.len()) > room.most.load(Relaxed))
        {
            return false;
        }
        queue.unwritten = unwritten;
        queue.since.get_or_insert(since);
        room.waiting.fetch_add(bytes.len(), Relaxed);
        queue.messages.push(bytes);
        // For those that follow it the writer is being woken already.
        if queue.messages.len() == 1 {
            wakes.push(Wake(self.shared.clone()));
        }
        true
    }

    /// Closes the connection once what waits is written, and says why.
    pub(super) fn close(self, why: Parting) {
        self.shared.end(State::Closed(why));
    }

    /// Ends the connection without writing what waits; how many messages that were. None if the
    /// client was gone already.
    pub(super) fn cut(self) -> Option<usize> {
        let mut queue = self.shared.lock();
        if queue.state == State::Open {
            queue.state = State::Cut;
        }
        // Counted before the writer hears of it, which throws them away.
        let waiting = (queue.state == State::Cut).then_some(queue.messages.len());
        drop(queue);
        self.shared.news.notify_one();
        waiting
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.shared.end(State::Closed(Parting::Stopping));
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        self.0.news.notify_one();
    }
}

impl Waiting {
    /// Waits until there is something to do. `batch`, which is empty, gets all that waits.
    pub(super) async fn next(&self, batch: &mut Batch) -> Next {
        loop {
            {
                let mut queue = self.shared.lock();
                if queue.state == State::Cut {
                    return Next::Cut;
                }
                if !queue.messages.is_empty() {
                    std::mem::swap(&mut queue.messages, &mut batch.messages);
                    batch.since = queue.since.take();
                    return Next::Write;
                }
                match queue.state {
                    State::Closed(why) => return Next::Close(why),
                    State::Cut | State::Gone => return Next::Cut,
                    State::Open => {}
                }
                // What a burst took is given back.
                queue.messages.shrink_to(KEPT);
                batch.messages.shrink_to(KEPT);
            }
            self.shared.news.notified().await;
        }
    }

    /// So many bytes are out.
    pub(super) fn written(&self, bytes: usize) {
        self.shared.written(&mut self.shared.lock(), bytes);
    }

    /// Waits until the connection is to end at once. It may miss that something was put in:
    /// [`Self::next`] looks for itself.
    pub(super) async fn cut(&self) {
        while self.shared.lock().state != State::Cut {
            self.shared.news.notified().await;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.end(State::Gone);
        // It is not written any more, however long the desk still holds the other end.
        let mut queue = self.shared.lock();
        queue.messages = Vec::new();
        let unwritten = queue.unwritten;
        self.shared.written(&mut queue, unwritten);
    }
}

#[cfg(test)]
mod tests;
