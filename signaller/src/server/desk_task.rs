//! The task that owns the desk.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use taiinet_mesh::{Dial, Input, LinkId, Time};
use taiinet_websocket::{LinkInputs, Links, WebSockets};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    clock::Clock,
    counters::Counters,
    outbox::{Outbox, Wake},
};
use crate::{
    ClientId, Desk, DeskConfig, DeskInput, DeskOutput, DeskStatus, DeskView, Histogram, Parting,
    limits,
};

/// What connections say to the desk.
#[derive(Debug)]
enum ToDesk {
    Connected { client: ClientId, address: IpAddr, outbox: Outbox },
    Messages { client: ClientId, messages: Vec<Vec<u8>>, since: Instant },
    Disconnected { client: ClientId },
    CrowdedOut { client: ClientId },
    Accept { address: IpAddr, outbox: Outbox, tell: oneshot::Sender<LinkId> },
    Pool(Input),
    View { with_names: bool, tell: oneshot::Sender<DeskView> },
    Renew(Box<DeskConfig>, Vec<u8>),
    Drain,
}

impl ToDesk {
    /// When it arrived, if it is told of.
    const fn since(&self) -> Option<Instant> {
        match self {
            Self::Messages { since, .. } => Some(*since),
            _ => None,
        }
    }
}

/// The desk, for connections.
#[derive(Debug, Clone)]
pub(super) struct DeskHandle {
    inbox: mpsc::Sender<ToDesk>,
    next_client: Arc<AtomicU64>,
    status: watch::Receiver<Arc<Picture>>,
}

/// How the desk was at a moment.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) status: DeskStatus,
    /// From the arrival of what a client said until the desk was done with it.
    pub(super) took: Histogram,
    pub(super) taken_at: Time,
}

impl DeskHandle {
    /// Announces a connection and the way to it. Gives its name; none while the server stops.
    pub(super) async fn connect(&self, address: IpAddr, outbox: Outbox) -> Option<ClientId> {
        let client = ClientId::from(self.next_client.fetch_add(1, Ordering::Relaxed));
        self.inbox.send(ToDesk::Connected { client, address, outbox }).await.ok()?;
        Some(client)
    }

    /// Hands over what a client said; waits while the desk is busy. False while the server stops.
    pub(super) async fn messages(&self, client: ClientId, messages: Vec<Vec<u8>>) -> bool {
        let since = Instant::now();
        self.inbox.send(ToDesk::Messages { client, messages, since }).await.is_ok()
    }

    /// Who is here; none while the server stops.
    pub(super) async fn view(&self, with_names: bool) -> Option<DeskView> {
        let (tell, told) = oneshot::channel();
        self.inbox.send(ToDesk::View { with_names, tell }).await.ok()?;
        told.await.ok()
    }

    /// Has it serve by this from now on, and trust these authorities of other signallers. Waits while the desk is
    /// busy, and so is no call for a task.
    pub(super) fn renew(&self, config: DeskConfig, roots: Vec<u8>) {
        let _ = self.inbox.blocking_send(ToDesk::Renew(Box::new(config), roots));
    }

    pub(super) async fn disconnect(&self, client: ClientId) {
        let _ = self.inbox.send(ToDesk::Disconnected { client }).await;
    }

    /// Says that a client's place is needed for another.
    pub(super) async fn crowded_out(&self, client: ClientId) {
        let _ = self.inbox.send(ToDesk::CrowdedOut { client }).await;
    }

    /// Announces a connection of another signaller. Gives its name; none if there is no room.
    pub(super) async fn accept(&self, address: IpAddr, outbox: Outbox) -> Option<LinkId> {
        let (tell, told) = oneshot::channel();
        self.inbox.send(ToDesk::Accept { address, outbox, tell }).await.ok()?;
        told.await.ok()
    }

    /// Says what happened on a connection with another signaller.
    pub(super) async fn pool(&self, input: Input) {
        let _ = self.inbox.send(ToDesk::Pool(input)).await;
    }

    pub(super) async fn drain(&self) {
        let _ = self.inbox.send(ToDesk::Drain).await;
    }

    /// How the desk was lately. It is not asked: it may be busy.
    pub(super) fn picture(&self) -> Arc<Picture> {
        self.status.borrow().clone()
    }
}

/// The desk, and the ways to its clients.
#[derive(Debug)]
pub(super) struct DeskTask {
    desk: Desk,
    clock: Clock,
    inbox: mpsc::Receiver<ToDesk>,
    outboxes: BTreeMap<ClientId, Outbox>,
    /// Connections that other signallers opened, and those that we did.
    members: BTreeMap<LinkId, Outbox>,
    links: Links,
    inputs: LinkInputs,
    counters: Arc<Counters>,
    took: Histogram,
    /// When that arrived which the desk is taking in.
    since: Instant,
    status: watch::Sender<Arc<Picture>>,
    /// Whether something has happened since the last picture.
    has_news: bool,
}

impl DeskTask {
    pub(super) fn new(
        desk: Desk,
        clock: Clock,
        counters: Arc<Counters>,
        extra_roots: &[u8],
    ) -> (Self, DeskHandle) {
        let (sender, inbox) = mpsc::channel(limits::INBOX);
        let taken_at = clock.now();
        let took = Histogram::default();
        let picture = Picture { status: desk.status(taken_at), took: took.clone(), taken_at };
        let (status, pictures) = watch::channel(Arc::new(picture));
        let handle = DeskHandle { inbox: sender, next_client: Arc::default(), status: pictures };
        let (links, inputs) = Links::new(WebSockets::new(extra_roots));
        let (outboxes, members) = (BTreeMap::new(), BTreeMap::new());
        let task = Self {
            desk,
            clock,
            inbox,
            outboxes,
            members,
            links,
            inputs,
            counters,
            took,
            since: Instant::now(),
            status,
            has_news: false,
        };
        (task, handle)
    }

    pub(super) async fn run(mut self) {
        let mut batch = Vec::with_capacity(limits::INBOX_BATCH);
        loop {
            let wait = self.desk.poll_timeout().map(|time| self.clock.until(time));
            let wait = wait.unwrap_or(limits::CHECK_EVERY).min(self.until_picture());
            tokio::select! {
                count = self.inbox.recv_many(&mut batch, limits::INBOX_BATCH) => {
                    if count == 0 {
                        return;
                    }
                }
                Some(input) = self.inputs.recv() => batch.push(ToDesk::Pool(input)),
                () = tokio::time::sleep(wait) => {
                    self.desk.handle_timeout(self.clock.now());
                }
            }
            self.has_news |= !batch.is_empty();
            self.since = batch.iter().filter_map(ToDesk::since).min().unwrap_or_else(Instant::now);
            for input in batch.drain(..) {
                // Each client that is told something by all these messages is woken once. What comes or goes
                // meanwhile finds everything said.
                if !matches!(input, ToDesk::Messages { .. }) {
                    self.flush();
                }
                if matches!(input, ToDesk::Drain) {
                    self.desk.handle(DeskInput::Drain, self.clock.now());
                    self.flush();
                    self.links.shutdown().await;
                    return;
                }
                self.take(input);
            }
            self.flush();
            if self.until_picture().is_zero() {
                self.take_picture();
            }
        }
    }

    /// How long until the next picture is due: soon if there is news, and in any case now and then.
    fn until_picture(&self) -> Duration {
        let every = if self.has_news { limits::STATUS_EVERY } else { limits::CHECK_EVERY };
        self.clock.until(self.status.borrow().taken_at.after(every))
    }

    fn take_picture(&mut self) {
        self.has_news = false;
        let taken_at = self.clock.now();
        let status = self.desk.status(taken_at);
        let took = self.took.clone();
        self.status.send_replace(Arc::new(Picture { status, took, taken_at }));
    }

    fn take(&mut self, input: ToDesk) {
        let now = self.clock.now();
        let input = match input {
            ToDesk::Connected { client, address, outbox } => {
                self.outboxes.insert(client, outbox);
                DeskInput::Connected { client, address }
            }
            ToDesk::Messages { client, messages, since } => {
                for bytes in messages {
                    self.desk.handle(DeskInput::Message { client, bytes }, now);
                }
                self.desk.handle_timeout(now);
                self.took.observe(since.elapsed());
                return;
            }
            ToDesk::Disconnected { client } => {
                self.outboxes.remove(&client);
                DeskInput::Disconnected { client }
            }
            ToDesk::CrowdedOut { client } => DeskInput::CrowdedOut { client },
            ToDesk::Accept { address, outbox, tell } => {
                if let Some(link) = self.desk.accept(address, now) {
                    self.members.insert(link, outbox);
                    let _ = tell.send(link);
                }
                return;
            }
            ToDesk::Pool(input) => {
                if let Input::LinkDown { link, .. } = &input {
                    self.members.remove(link);
                }
                DeskInput::Pool(input)
            }
            ToDesk::View { with_names, tell } => {
                // Whoever asked may have gone.
                let _ = tell.send(self.desk.view(with_names, now));
                return;
            }
            ToDesk::Renew(config, roots) => {
                self.links.carry_by(WebSockets::new(&roots));
                self.desk.forgive();
                self.desk.renew(*config, now);
                return;
            }
            ToDesk::Drain => DeskInput::Drain,
        };
        self.desk.handle(input, now);
        self.desk.handle_timeout(now);
    }

    fn flush(&mut self) {
        // Dropped at the end, when all that is said is in its outbox.
        let mut wakes = Vec::<Wake>::new();
        while let Some(output) = self.desk.poll_output() {
            match output {
                DeskOutput::Send { client, bytes } => {
                    let Some(outbox) = self.outboxes.get(&client) else { continue };
                    if !outbox.put(bytes, self.since, &mut wakes) {
                        self.drop_slow(client);
                    }
                }
                // The connection ends when it has sent what is in its outbox.
                DeskOutput::Close { client, why } => {
                    if let Some(outbox) = self.outboxes.remove(&client) {
                        outbox.close(why);
                    }
                }
                DeskOutput::Dial { link, url } => self.links.dial(link, Dial::Direct { url }),
                DeskOutput::SendTo { link, bytes } => match self.members.get(&link) {
                    Some(outbox) => {
                        if !outbox.put(bytes, self.since, &mut wakes) {
                            self.members.remove(&link).and_then(Outbox::cut);
                        }
                    }
                    None => self.links.send(link, bytes),
                },
                DeskOutput::CloseLink { link } => match self.members.remove(&link) {
                    Some(outbox) => outbox.close(Parting::Left),
                    None => self.links.close(link),
                },
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
