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

use tokio::sync::{mpsc, oneshot};

use super::clock::Clock;
use crate::{ClientId, Desk, DeskInput, DeskOutput, DeskStatus, limits};

/// What connections say to the desk.
enum ToDesk {
    Connected { client: ClientId, address: IpAddr, outbox: mpsc::Sender<Vec<u8>> },
    Message { client: ClientId, bytes: Vec<u8> },
    Disconnected { client: ClientId },
    Status(oneshot::Sender<(DeskStatus, Duration)>),
    Drain,
}

/// The desk, for connections.
#[derive(Clone)]
pub(super) struct DeskHandle {
    inbox: mpsc::Sender<ToDesk>,
    next_client: Arc<AtomicU64>,
}

impl DeskHandle {
    /// Announces a connection. Gives its name, and what is to be sent to it; that ends when the
    /// connection is to be closed. None while the server stops.
    pub(super) async fn connect(
        &self,
        address: IpAddr,
    ) -> Option<(ClientId, mpsc::Receiver<Vec<u8>>)> {
        let client = ClientId::from(self.next_client.fetch_add(1, Ordering::Relaxed));
        let (outbox, messages) = mpsc::channel(limits::OUTBOX_MESSAGES);
        self.inbox.send(ToDesk::Connected { client, address, outbox }).await.ok()?;
        Some((client, messages))
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

    /// The desk's status and how long it has been open.
    pub(super) async fn status(&self) -> Option<(DeskStatus, Duration)> {
        let (tell, told) = oneshot::channel();
        self.inbox.send(ToDesk::Status(tell)).await.ok()?;
        told.await.ok()
    }
}

/// The desk, and the ways to its clients.
pub(super) struct DeskTask {
    desk: Desk,
    clock: Clock,
    inbox: mpsc::Receiver<ToDesk>,
    outboxes: BTreeMap<ClientId, mpsc::Sender<Vec<u8>>>,
}

impl DeskTask {
    pub(super) fn new(desk: Desk, clock: Clock) -> (Self, DeskHandle) {
        let (sender, inbox) = mpsc::channel(limits::INBOX_MESSAGES);
        let handle = DeskHandle { inbox: sender, next_client: Arc::default() };
        (Self { desk, clock, inbox, outboxes: BTreeMap::new() }, handle)
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
                    if outbox.try_send(bytes).is_err() {
                        tracing::debug!(?client, "dropped: it does not read");
                        self.outboxes.remove(&client);
                        self.desk.handle(DeskInput::Disconnected { client }, self.clock.now());
                    }
                }
                // The connection ends when it has sent what is in its outbox.
                DeskOutput::Close { client } => {
                    self.outboxes.remove(&client);
                }
            }
        }
    }
}
