//! What waits for one client: bounded in messages and bytes.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The way to a client. Dropping it closes the connection once what waits is written.
#[derive(Debug)]
pub(super) struct Outbox {
    messages: mpsc::Sender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    most: usize,
    cut: CancellationToken,
}

/// Its other end.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) messages: mpsc::Receiver<Vec<u8>>,
    /// Bytes that were given to the outbox and are not written yet.
    pub(super) bytes: Arc<AtomicUsize>,
    /// Whether the connection is to end at once.
    pub(super) cut: CancellationToken,
}

pub(super) fn outbox(messages: usize, bytes: usize) -> (Outbox, Waiting) {
    let (sender, receiver) = mpsc::channel(messages);
    let cut = CancellationToken::new();
    let waiting = Arc::<AtomicUsize>::default();
    let outbox =
        Outbox { messages: sender, waiting: waiting.clone(), most: bytes, cut: cut.clone() };
    (outbox, Waiting { messages: receiver, bytes: waiting, cut })
}

impl Outbox {
    /// False if it is full, or its client is gone.
    pub(super) fn send(&self, bytes: Vec<u8>) -> bool {
        let length = bytes.len();
        if self.waiting.fetch_add(length, Relaxed).saturating_add(length) > self.most {
            return false;
        }
        self.messages.try_send(bytes).is_ok()
    }

    /// Ends the connection without writing what waits; how many messages that were. None if the
    /// client was gone already.
    pub(super) fn cut(self) -> Option<usize> {
        self.cut.cancel();
        let waiting = self.messages.max_capacity() - self.messages.capacity();
        (!self.messages.is_closed()).then_some(waiting)
    }
}
