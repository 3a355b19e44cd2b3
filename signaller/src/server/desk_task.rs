//! The task that owns the desk.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use super::{clock::Clock, counters::Counters, lists::Lists, outbox::Outbox};
use crate::{ClientId, Desk, DeskInput, DeskOutput, DeskStatus, limits};

/// What connections say to the desk.
#[derive(Debug)]
enum ToDesk {
    Connected { client: ClientId, address: IpAddr, outbox: Outbox },
    Message { client: ClientId, bytes: Vec<u8> },
    Disconnected { client: ClientId },
    Status(oneshot::Sender<(DeskStatus, Duration)>),
    Drain,
}

/// The desk, for connections.
#[derive(Debug, Clone)]
pub(super) struct DeskHandle {
    inbox: mpsc::Sender<ToDesk>,
    next_client: Arc<AtomicU64>,
}

impl DeskHandle {
    /// Announces a connection and the way to it. Gives its name; none while the server stops.
    pub(super) async fn connect(&self, address: IpAddr, outbox: Outbox) -> Option<ClientId> {
        let client = ClientId::from(self.next_client.fetch_add(1, Ordering::Relaxed));
        self.inbox.send(ToDesk::Connected { client, address, outbox }).await.ok()?;
        Some(client)
    }

    /// Hands over a message; waits while the desk is busy. False while the server stops.
    pub(super) async fn message(&self, client: ClientId, bytes: Vec<u8>) -> bool {
        self.inbox.send(ToDesk::Message { client, bytes }).await.is_ok()
    }

    pub(super) async fn disconnect(&self, client: ClientId) {
        let _ = self.inbox.send(ToDesk::Disconnected { client }).await;
    }

    pub(super) async fn drain(&self) {
        let _ = self.inbox.send(ToDesk::Drain).await;
    }

    /// The desk's status and how long it has been open; none if it does not say so in time.
    pub(super) async fn status(&self) -> Option<(DeskStatus, Duration)> {
        let status = async {
            let (tell, told) = oneshot::channel();
            self.inbox.send(ToDesk::Status(tell)).await.ok()?;
            told.await.ok()
        };
        timeout(limits::STATUS_TIMEOUT, status).await.ok().flatten()
    }
}

/// The desk, and the ways to its clients.
#[derive(Debug)]
pub(super) struct DeskTask {
    desk: Desk,
    clock: Clock,
    inbox: mpsc::Receiver<ToDesk>,
    outboxes: BTreeMap<ClientId, Outbox>,
    lists: watch::Receiver<Arc<Lists>>,
    counters: Arc<Counters>,
}

impl DeskTask {
    pub(super) fn new(
        desk: Desk,
        clock: Clock,
        lists: watch::Receiver<Arc<Lists>>,
        counters: Arc<Counters>,
    ) -> (Self, DeskHandle) {
        let (sender, inbox) = mpsc::channel(limits::INBOX_MESSAGES);
        let handle = DeskHandle { inbox: sender, next_client: Arc::default() };
        (Self { desk, clock, inbox, outboxes: BTreeMap::new(), lists, counters }, handle)
    }

    pub(super) async fn run(mut self) {
        loop {
            let wait = self.desk.poll_timeout().map(|time| self.clock.until(time));
            let message = tokio::select! {
                message = self.inbox.recv() => message,
                () = tokio::time::sleep(wait.unwrap_or(limits::CHECK_EVERY)) => {
                    self.desk.handle_timeout(self.clock.now());
                    self.flush();
                    continue;
                }
                Ok(()) = self.lists.changed() => {
                    self.desk.recheck();
                    self.flush();
                    continue;
                }
            };
            match message {
                None => return,
                Some(ToDesk::Drain) => {
                    self.desk.handle(DeskInput::Drain, self.clock.now());
                    self.flush();
                    return;
                }
                Some(message) => self.take(message),
            }
            self.flush();
        }
    }

    fn take(&mut self, message: ToDesk) {
        let now = self.clock.now();
        let input = match message {
            ToDesk::Connected { client, address, outbox } => {
                self.outboxes.insert(client, outbox);
                DeskInput::Connected { client, address }
            }
            ToDesk::Message { client, bytes } => DeskInput::Message { client, bytes },
            ToDesk::Disconnected { client } => {
                self.outboxes.remove(&client);
                DeskInput::Disconnected { client }
            }
            ToDesk::Status(tell) => {
                let _ = tell.send((self.desk.status(), self.clock.uptime()));
                return;
            }
            ToDesk::Drain => DeskInput::Drain,
        };
        self.desk.handle(input, now);
        self.desk.handle_timeout(now);
    }

    fn flush(&mut self) {
        while let Some(output) = self.desk.poll_output() {
            match output {
                DeskOutput::Send { client, bytes } => {
                    let Some(outbox) = self.outboxes.get(&client) else { continue };
                    if !outbox.send(bytes) {
                        self.drop_slow(client);
                    }
                }
                // The connection ends when it has sent what is in its outbox.
                DeskOutput::Close { client } => {
                    self.outboxes.remove(&client);
                }
            }
        }
    }

    /// Ends the connection of a client that does not read; what waits for it is lost.
    fn drop_slow(&mut self, client: ClientId) {
        if let Some(waiting) = self.outboxes.remove(&client).and_then(Outbox::cut) {
            tracing::info!(?client, waiting, "dropped: it does not read");
            self.counters.slow_readers.add(1);
            self.counters.messages_dropped.add(waiting + 1);
        }
        self.desk.handle(DeskInput::Disconnected { client }, self.clock.now());
    }
}
