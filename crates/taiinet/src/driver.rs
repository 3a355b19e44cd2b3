//! Carries bytes and time between the core and the transport, and requests and deliveries between the
//! core and the handles. It decides nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use taiinet_document::{Opened, VerifiedDocument};
use taiinet_mesh::{
    Delivery as CoreDelivery, Event, FindId, Input, LinkState, Output, Peer, PublishError,
    SubscriptionId,
};
use taiinet_transport::{LinkInputs, Links};
use tokio::{
    sync::{Notify, broadcast, mpsc, watch},
    task::block_in_place,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    Delivery,
    blacklist::{self, BlacklistFileError},
    clock::Clock,
    find::FoundSender,
    net::{Control, Publish, Wanted},
    outbox::{Outbox, Tally},
    remembered,
    subscription::Inbox,
};

/// How many inputs or documents are taken before the outputs are looked at again: so many small ones
/// are answered together.
const BATCH: usize = 32;
/// And how many bytes: a small part of a link's window, or the other end would run out of it while we
/// verify.
const BATCH_BYTES: usize = 32 * 1024;
/// The longest sleep: after it the clock is looked at, because timers stand still while a machine
/// sleeps.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// A message so long may hold many documents: verifying them takes about a millisecond.
const LONG_BYTES: usize = 4 * 1024;
/// How long leaving may take.
const LEAVING: Duration = Duration::from_secs(2);

/// The one task of a running peer.
pub(crate) struct Driver {
    pub(crate) peer: Peer,
    pub(crate) links: Links,
    pub(crate) inputs: LinkInputs,
    pub(crate) blacklist: Option<PathBuf>,
    pub(crate) remembered: Option<PathBuf>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) controls: mpsc::UnboundedReceiver<Control>,
    pub(crate) publishes: mpsc::Receiver<Publish>,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) neighbours: watch::Sender<usize>,
    pub(crate) relief: Arc<Notify>,
    pub(crate) subscriptions: Arc<AtomicUsize>,
    pub(crate) private: Arc<AtomicUsize>,
    /// Whether the runtime has other threads: then it is told when this one will be busy, so that
    /// transport and application go on beside it.
    pub(crate) beside: bool,
    pub(crate) state: State,
}

/// What the driver remembers.
#[derive(Default)]
pub(crate) struct State {
    /// The core's names of the subscriptions.
    names: BTreeMap<u64, SubscriptionId>,
    inboxes: BTreeMap<SubscriptionId, Inbox>,
    /// Whose deliveries pile up.
    behind: BTreeSet<SubscriptionId>,
    outbox: Outbox,
    /// Who waits for what is searched for.
    finds: BTreeMap<FindId, FoundSender>,
    /// A document that the core had no room for; until it has, no other is taken.
    refused: Option<Publish>,
    /// Links dialled and not yet reported down.
    open_links: usize,
}

impl State {
    /// What became of documents is counted in `tally`.
    pub(crate) fn new(tally: Arc<Tally>) -> Self {
        Self { outbox: Outbox::new(tally), ..Self::default() }
    }
}

impl Driver {
    pub(crate) async fn run(mut self) {
        while self.turn().await.is_continue() {}
        self.leave().await;
    }

    /// Waits for something to happen and handles it.
    async fn turn(&mut self) -> ControlFlow<()> {
        self.settle();
        let wake_at = self.wake_at();
        tokio::select! {
            control = self.controls.recv() => match control {
                Some(control) => self.control(control)?,
                None => return ControlFlow::Break(()),
            },
            input = self.inputs.recv() => match input {
                Some(input) => self.take_inputs(input)?,
                None => return ControlFlow::Break(()),
            },
            Some(publish) = self.publishes.recv(), if self.state.refused.is_none() => {
                self.take_publishes(publish)?;
            }
            () = self.relief.notified() => self.relieve(),
            () = sleep_until(wake_at) => {}
        }
        ControlFlow::Continue(())
    }

    /// Brings core, transport and handles to rest: what is due is done, what is wanted is handed on.
    fn settle(&mut self) {
        if self.clock.catch_up() {
            self.peer.handle(Input::Wake, self.clock.now());
        }
        let now = self.clock.now();
        if self.peer.poll_timeout().is_some_and(|due| due <= now) {
            self.peer.handle_timeout(now);
        }
        self.drain();
        if let Some(publish) = self.state.refused.take() {
            self.publish(publish);
            self.drain();
        }
    }

    fn wake_at(&self) -> Instant {
        let due = self.peer.poll_timeout().map(|due| due.since(self.clock.now()));
        Instant::now() + due.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
    }

    /// Takes what handles asked for. It comes before all else: who has subscribed gets what arrives
    /// or is published from then on.
    fn take_controls(&mut self) -> ControlFlow<()> {
        while let Ok(control) = self.controls.try_recv() {
            self.control(control)?;
        }
        ControlFlow::Continue(())
    }

    fn take_inputs(&mut self, first: Input) -> ControlFlow<()> {
        if self.beside && message_bytes(&first) >= LONG_BYTES {
            block_in_place(|| self.take_batch(first))
        } else {
            self.take_batch(first)
        }
    }

    fn take_batch(&mut self, first: Input) -> ControlFlow<()> {
        let flow = self.take_controls();
        let mut bytes = self.take_input(first);
        for _ in 1..BATCH {
            if bytes >= BATCH_BYTES {
                break;
            }
            let Some(input) = self.inputs.try_recv() else { break };
            bytes += self.take_input(input);
        }
        flow
    }

    /// Gives an input to the core, and says how many bytes it had to read.
    fn take_input(&mut self, input: Input) -> usize {
        let bytes = message_bytes(&input);
        if matches!(input, Input::LinkDown { .. }) {
            self.state.open_links = self.state.open_links.saturating_sub(1);
        }
        self.peer.handle(input, self.clock.now());
        bytes
    }

    fn control(&mut self, control: Control) -> ControlFlow<()> {
        match control {
            Control::Subscribe { id, wanted, inbox } => {
                let subscribed = match wanted {
                    Wanted::Open(query) => self.peer.subscribe(query),
                    Wanted::Private(query) => {
                        self.peer.subscribe_privately(query, self.clock.now())
                    }
                };
                match subscribed {
                    Ok(name) => {
                        self.state.names.insert(id, name);
                        self.state.inboxes.insert(name, inbox);
                    }
                    // Unheard of, because the handles count; the subscription ends at once.
                    Err(error) => tracing::warn!("{error}"),
                }
            }
            Control::Unsubscribe { id, private } => {
                self.subscriptions.fetch_sub(1, Ordering::AcqRel);
                if private {
                    self.private.fetch_sub(1, Ordering::AcqRel);
                }
                if let Some(name) = self.state.names.remove(&id) {
                    self.peer.unsubscribe(name, self.clock.now());
                    self.state.inboxes.remove(&name);
                    self.relieve();
                }
            }
            Control::Find { query, limit, found } => {
                match self.peer.find(query, limit, self.clock.now()) {
                    Ok(find) => drop(self.state.finds.insert(find, found)),
                    Err(error) => drop(found.send(Err(error))),
                }
            }
            Control::Recipients { content, to, tell } => {
                let _ = tell.send(self.peer.recipients(&content, &to, self.clock.now()));
            }
            Control::Status(tell) => {
                let _ = tell.send(self.peer.status(self.clock.now()));
            }
            Control::Blacklist { peer, life, done } => {
                let now = self.clock.now();
                let until = life.map(|life| now.after(life).timestamp());
                let listed = self.peer.blacklist(peer, until, now).map(|()| self.keep_blacklist());
                let _ = done.send(listed);
            }
            Control::Lift { peer, done } => {
                let lifted = self.peer.lift(&peer, self.clock.now());
                let _ = done.send(self.keep_blacklist().map(|()| lifted));
            }
            Control::Close => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    fn keep_blacklist(&self) -> Result<(), BlacklistFileError> {
        let Some(path) = &self.blacklist else { return Ok(()) };
        blacklist::write(path, &self.peer.blacklist_to_keep(self.clock.now()))
    }

    fn take_publishes(&mut self, first: Publish) -> ControlFlow<()> {
        self.take_controls()?;
        self.publish(first);
        for _ in 1..BATCH {
            if self.state.refused.is_some() {
                break;
            }
            let Ok(publish) = self.publishes.try_recv() else { break };
            self.publish(publish);
        }
        ControlFlow::Continue(())
    }

    fn publish(&mut self, publish: Publish) {
        let (document, taken) = match publish {
            Publish::Document { document, taken } => (document, taken),
            Publish::Flush(done) => return self.state.outbox.flush(done),
        };
        match self.peer.publish_signed(Arc::clone(&document), self.clock.now()) {
            Ok(id) => self.state.outbox.accepted(id, taken),
            Err(PublishError::Busy) => {
                self.state.refused = Some(Publish::Document { document, taken });
            }
            // It kept the limits when it was signed; since then it became too old, or expired.
            Err(error) => {
                tracing::warn!("{:?} was not published: {error}", document.id());
                self.state.outbox.refused(taken);
            }
        }
    }

    /// Hands on everything that the core wants done.
    fn drain(&mut self) {
        let now = self.clock.now();
        while let Some(output) = self.peer.poll_output(now) {
            match output {
                Output::Dial { link, dial } => {
                    self.state.open_links += 1;
                    self.links.dial(link, dial);
                }
                Output::Negotiate { link, part } => self.links.negotiate(link, part),
                Output::Send { link, bytes } => self.links.send(link, bytes),
                Output::Close { link } => self.links.close(link),
                Output::Deliver(delivery) => self.deliver(delivery),
                Output::Found { find, document, opened } => self.found(find, document, opened),
                Output::FindDone { find, .. } => drop(self.state.finds.remove(&find)),
                Output::Event(event) => self.event(event),
                // Only among signallers.
                Output::Relayed { .. } | Output::Astray { .. } => {}
            }
        }
    }

    fn deliver(&mut self, delivery: CoreDelivery) {
        let to_user = Delivery {
            document: delivery.document,
            opened: delivery.opened,
            received_at: self.clock.now().timestamp(),
            hops: delivery.hops,
            from: delivery.from,
        };
        for name in delivery.subscriptions {
            let Some(inbox) = self.state.inboxes.get(&name) else { continue };
            inbox.push(to_user.clone());
            if inbox.is_behind() && self.state.behind.insert(name) && self.state.behind.len() == 1 {
                self.peer.handle(Input::Behind(true), self.clock.now());
            }
        }
    }

    fn found(&self, find: FindId, document: Arc<VerifiedDocument>, opened: Option<Arc<Opened>>) {
        let Some(found) = self.state.finds.get(&find) else { return };
        let received_at = self.clock.now().timestamp();
        // Who does not wait any more needs nothing.
        let _ = found.send(Ok(Delivery { document, opened, received_at, hops: 0, from: None }));
    }

    /// A subscription was read, or is gone.
    fn relieve(&mut self) {
        let State { behind, inboxes, .. } = &mut self.state;
        if behind.is_empty() {
            return;
        }
        behind.retain(|name| inboxes.get(name).is_some_and(|inbox| !inbox.has_caught_up()));
        if behind.is_empty() {
            self.peer.handle(Input::Behind(false), self.clock.now());
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Taken { id } => return self.state.outbox.taken(&id),
            Event::Lost { id } => self.state.outbox.lost(&id),
            Event::SignallerLearned { .. } => {
                if let Some(path) = &self.remembered
                    && let Err(error) = remembered::write(path, &self.peer.learned_signallers())
                {
                    tracing::warn!("{}: {error}", path.display());
                }
            }
            Event::Blacklisted(_) => {
                if let Err(error) = self.keep_blacklist() {
                    tracing::warn!("{error}");
                }
            }
            Event::PeerConnected { .. } | Event::PeerDisconnected { .. } => {
                let status = self.peer.status(self.clock.now());
                let active = status.links.iter().filter(|link| link.state == LinkState::Active);
                self.neighbours.send_replace(active.count());
            }
            _ => {}
        }
        tracing::debug!(?event);
        // Nobody listening is fine.
        let _ = self.events.send(event);
    }

    /// Says goodbye and waits until the links are closed, but not for ever.
    async fn leave(mut self) {
        let deadline = Instant::now() + LEAVING;
        self.controls.close();
        self.publishes.close();
        self.state.inboxes.clear();
        self.state.finds.clear();
        self.peer.leave(self.clock.now());
        self.drain();
        while self.state.open_links > 0 {
            let until = self.wake_at().min(deadline);
            match timeout_at(until, self.inputs.recv()).await {
                Ok(Some(input)) => drop(self.take_input(input)),
                Ok(None) => break,
                Err(_) if Instant::now() >= deadline => break,
                Err(_) => {}
            }
            let now = self.clock.now();
            if self.peer.poll_timeout().is_some_and(|due| due <= now) {
                self.peer.handle_timeout(now);
            }
            self.drain();
        }
        self.links.shutdown().await;
    }
}

const fn message_bytes(input: &Input) -> usize {
    match input {
        Input::Message { bytes, .. } => bytes.len(),
        _ => 0,
    }
}
