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

use taiinet_document::VerifiedDocument;
use taiinet_mesh::{Delivery as CoreDelivery, Event, Input, KeepId, PublishError};
use taiinet_session::{
    Action, Session,
    backlog::{Backlog, LOW_WATER},
    diagnosis::diagnose,
    publications::Outcome,
};
use taiinet_webrtc::{LinkInputs, Links};
use tokio::{
    sync::{Notify, broadcast, mpsc, watch},
    task::{block_in_place, spawn_blocking},
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    archive::{Keeper, Says},
    blacklist::{self, BlacklistFileError},
    clock::Clock,
    control::{Control, Finding, Flushed, Handles, Publish, Taken, Told},
    delivery::{Delivery, Inbox, SubscriptionEvent},
    error::Error,
    live::Feed,
    signaller_cache,
    tally::Tally,
    whereabouts::Whereabouts,
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
/// The archive, among the subscriptions that are behind: none has this number.
const ARCHIVE: u64 = u64::MAX;
/// How long leaving may take.
const LEAVING: Duration = Duration::from_secs(2);

/// The one task of a running peer.
pub(crate) struct Driver {
    pub(crate) session: Session<Handles>,
    pub(crate) links: Links,
    pub(crate) inputs: LinkInputs,
    pub(crate) blacklist: Option<PathBuf>,
    pub(crate) signaller_cache: Option<PathBuf>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) whereabouts: Whereabouts,
    pub(crate) controls: mpsc::UnboundedReceiver<Control>,
    pub(crate) publishes: mpsc::Receiver<Publish>,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) neighbours: watch::Sender<usize>,
    pub(crate) relief: Arc<Notify>,
    pub(crate) subscriptions: Arc<AtomicUsize>,
    pub(crate) private: Arc<AtomicUsize>,
    /// Whether the runtime has other threads: then it is told when this one will be busy, so that
    /// transport and application go on in these.
    pub(crate) multi_threaded: bool,
    pub(crate) tally: Arc<Tally>,
    pub(crate) inboxes: BTreeMap<u64, Inbox>,
    pub(crate) feeds: BTreeMap<u64, Feed>,
    pub(crate) backlog: Backlog<u64>,
    /// Subscriptions whose history waits until they are read.
    pub(crate) held: BTreeSet<u64>,
    /// Who waits for what archives are asked to keep.
    pub(crate) keeps: BTreeMap<KeepId, Told>,
    pub(crate) archive: Option<Keeper>,
    /// Links dialled and not yet reported down.
    pub(crate) open_links: usize,
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
            Some(publish) = self.publishes.recv(), if self.session.publications().has_room() => {
                self.take_publishes(publish)?;
            }
            said = says(&mut self.archive) => {
                let (peer, now) = (self.session.peer_mut(), self.clock.now());
                match said {
                    Says::Found(link, request, answer) => peer.answer(link, request, answer, now),
                    Says::Took(link, request, outcomes) => peer.took(link, request, outcomes, now),
                    Says::Since(since) => peer.keeps_since(since),
                    Says::Step(link, step) => peer.reconciled(link, step, now),
                }
            }
            () = self.relief.notified() => self.relieve(),
            () = sleep_until(self.whereabouts.look_at()) => self.look_around(),
            () = sleep_until(wake_at) => {}
        }
        ControlFlow::Continue(())
    }

    /// Looks whether this machine has moved. What hangs on an address that it had is over.
    fn look_around(&mut self) {
        let moved = self.whereabouts.look();
        if moved.wakes {
            // First: what ends now is no neighbour's fault.
            self.session.handle(Input::Wake, self.clock.now());
        }
        self.links.forsake(&moved.gone);
    }

    /// Brings core, transport and handles to rest: what is due is done, what is wanted is handed on.
    fn settle(&mut self) {
        if self.clock.catch_up() {
            self.session.handle(Input::Wake, self.clock.now());
        }
        self.session.handle_timeout(self.clock.now());
        self.drain();
    }

    fn wake_at(&self) -> Instant {
        let due = self.session.poll_timeout().map(|due| due.since(self.clock.now()));
        Instant::now() + due.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
    }

    /// Takes what handles asked for. It comes before all else: a subscription gets what arrives
    /// or is published from then on.
    fn take_controls(&mut self) -> ControlFlow<()> {
        while let Ok(control) = self.controls.try_recv() {
            self.control(control)?;
        }
        ControlFlow::Continue(())
    }

    fn take_inputs(&mut self, first: Input) -> ControlFlow<()> {
        if self.multi_threaded && message_bytes(&first) >= LONG_BYTES {
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
            self.open_links = self.open_links.saturating_sub(1);
        }
        self.session.handle(input, self.clock.now());
        bytes
    }

    fn control(&mut self, control: Control) -> ControlFlow<()> {
        match control {
            Control::Subscribe { id, wanted, history, inbox } => {
                match self.session.subscribe(id, wanted, history, self.clock.now()) {
                    Ok(()) => drop(self.inboxes.insert(id, inbox)),
                    // Unheard of, because the handles count; the subscription ends at once.
                    Err(error) => tracing::warn!("{error}"),
                }
            }
            Control::Unsubscribe { id, private } => {
                self.subscriptions.fetch_sub(1, Ordering::AcqRel);
                if private {
                    self.private.fetch_sub(1, Ordering::AcqRel);
                }
                if self.session.unsubscribe(id, self.clock.now()) {
                    self.inboxes.remove(&id);
                    self.relieve();
                }
            }
            Control::Live { id, query, options, feed } => {
                match self.session.live(id, query, options, self.clock.now()) {
                    Ok(()) => drop(self.feeds.insert(id, feed)),
                    // As above.
                    Err(error) => tracing::warn!("{error}"),
                }
            }
            Control::EndLive { id, private } => {
                self.subscriptions.fetch_sub(1, Ordering::AcqRel);
                if private {
                    self.private.fetch_sub(1, Ordering::AcqRel);
                }
                self.session.end_live(id, self.clock.now());
                self.feeds.remove(&id);
            }
            Control::More { id, limit } => {
                self.session.more_history(id, limit, self.clock.now());
            }
            Control::Find { query, options, found } => {
                let begun = self.session.find(query, options, found, self.clock.now());
                if let Err((error, found)) = begun {
                    let _ = found.send(Err(error));
                }
            }
            Control::Keep { documents, wait, told } => {
                match self.session.peer_mut().keep(documents, wait, self.clock.now()) {
                    Ok(keep) => drop(self.keeps.insert(keep, told)),
                    Err(error) => drop(told.send(Err(error))),
                }
            }
            Control::Expiry { ids, tell } => {
                let _ = tell.send(self.session.peer().expiry_of(&ids));
            }
            Control::Before { key, tell } => {
                let _ = tell.send(self.session.peer().before(&key));
            }
            Control::Recipients { unsealed, wait } => {
                let full = self.session.find_recipients(unsealed, wait, self.clock.now());
                if let Err(unsealed) = full {
                    let nobody = Err(PublishError::NoRecipient);
                    let _ = unsealed.waiter.send((unsealed.content, nobody));
                }
            }
            Control::ArchiveStatus(tell) => {
                if let Some(archive) = &self.archive {
                    archive.status(tell);
                }
            }
            Control::Status(tell) => {
                let _ = tell.send(self.session.peer().status(self.clock.now()));
            }
            Control::Blacklist { peer, life, done } => {
                let now = self.clock.now();
                let until = life.map(|life| now.after(life).timestamp());
                let listed = self
                    .session
                    .peer_mut()
                    .blacklist(peer, until, now)
                    .map(|()| self.keep_blacklist());
                let _ = done.send(listed);
            }
            Control::Unblock { peer, done } => {
                let was_blocked = self.session.peer_mut().unblock(&peer, self.clock.now());
                let _ = done.send(self.keep_blacklist().map(|()| was_blocked));
            }
            Control::Close => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    fn keep_blacklist(&self) -> Result<(), BlacklistFileError> {
        let Some(path) = &self.blacklist else { return Ok(()) };
        blacklist::write(path, &self.session.peer().blacklist_to_keep(self.clock.now()))
    }

    fn take_publishes(&mut self, first: Publish) -> ControlFlow<()> {
        self.take_controls()?;
        self.publish(first);
        for _ in 1..BATCH {
            if !self.session.publications().has_room() {
                break;
            }
            let Ok(publish) = self.publishes.try_recv() else { break };
            self.publish(publish);
        }
        ControlFlow::Continue(())
    }

    fn publish(&mut self, publish: Publish) {
        match publish {
            Publish::Document { document, until, taken } => {
                self.session.publish(document, until, taken, self.clock.now());
            }
            Publish::Flush(done) => self.session.flush(done),
        }
    }

    /// Hands on everything that the session wants done.
    fn drain(&mut self) {
        let now = self.clock.now();
        while let Some(action) = self.session.poll_action(now) {
            match action {
                Action::Dial { link, dial } => {
                    self.open_links += 1;
                    self.links.dial(link, dial);
                }
                Action::Negotiate { link, part } => self.links.negotiate(link, part),
                Action::Send { link, bytes } => self.links.send(link, bytes),
                Action::Close { link } => self.links.close(link),
                Action::Deliver { subscriptions, delivery, replaces, is_backlog } => {
                    let CoreDelivery { document, opened, hops, via, .. } = delivery;
                    let delivery = Delivery::new(document, opened, now.timestamp(), hops, via);
                    let delivery = delivery.shown(is_backlog, replaces);
                    for id in subscriptions {
                        self.give(id, delivery.clone());
                    }
                }
                Action::Remove { subscriptions, removed } => {
                    self.tell(&subscriptions, &SubscriptionEvent::Removed(removed));
                }
                Action::Conflict { subscriptions, winner, loser } => {
                    let version =
                        |document| Delivery::new(document, None, now.timestamp(), 0, None);
                    let (winner, loser) = (version(winner), version(loser));
                    self.tell(&subscriptions, &SubscriptionEvent::Conflict { winner, loser });
                }
                Action::Ready { subscription, ready } => {
                    self.tell(&[subscription], &SubscriptionEvent::Ready(ready));
                }
                Action::Live { subscriptions, change } => {
                    for feed in subscriptions.iter().filter_map(|id| self.feeds.get(id)) {
                        feed.push(change.clone(), now.timestamp());
                    }
                }
                Action::Found { find, document, opened } => {
                    let Some(caller) = self.session.find_waiter(find) else { continue };
                    let delivery = Delivery::new(document, opened, now.timestamp(), 0, None);
                    // A caller that does not wait any more needs nothing.
                    let _ = caller.send(Ok(Finding::Document(delivery)));
                }
                Action::FindDone { waiter, complete, cursor } => {
                    let _ = waiter.send(Ok(Finding::Done { complete, cursor }));
                }
                Action::Asked { link, question } => {
                    if let Some(archive) = &self.archive {
                        archive.answer(link, question);
                    }
                }
                Action::Reconcile { link, what } => {
                    if let Some(archive) = &self.archive {
                        archive.reconcile(link, what);
                    }
                }
                Action::Accepted(document) => self.keep(document),
                Action::Offered { link, request, documents } => {
                    if let Some(archive) = &self.archive {
                        archive.offer(link, request, documents);
                    }
                }
                Action::Took { keep, outcomes } => {
                    if let Some(told) = self.keeps.remove(&keep) {
                        let _ = told.send(Ok(outcomes));
                    }
                }
                Action::Recipients { unsealed, recipients } => {
                    let _ = unsealed.waiter.send((unsealed.content, recipients));
                }
                Action::Publication(outcome) => self.tell_publisher(outcome),
                Action::Event(event) => self.forward_peer_event(event),
            }
        }
    }

    /// Gives a document to the archive; while that is behind, neighbours are slowed down.
    fn keep(&mut self, document: Arc<VerifiedDocument>) {
        let Some(archive) = &self.archive else { return };
        archive.keep(document);
        if self.backlog.delivered(ARCHIVE, archive.waiting()) {
            self.session.handle(Input::Behind(true), self.clock.now());
        }
    }

    fn tell(&self, subscriptions: &[u64], event: &SubscriptionEvent) {
        for inbox in subscriptions.iter().filter_map(|id| self.inboxes.get(id)) {
            inbox.tell(event.clone());
        }
    }

    fn give(&mut self, id: u64, delivery: Delivery) {
        let Some(inbox) = self.inboxes.get(&id) else { return };
        let is_backlog = delivery.is_backlog();
        inbox.push(delivery);
        let unread = inbox.unread();
        if unread > LOW_WATER {
            // What was before waits until it is read.
            self.session.hold_history(id, true);
            self.held.insert(id);
        }
        // Neighbours are slowed down by what comes from them.
        if !is_backlog && self.backlog.delivered(id, unread) {
            self.session.handle(Input::Behind(true), self.clock.now());
        }
    }

    /// A subscription was read, or is gone.
    fn relieve(&mut self) {
        let waiting = self.archive.as_ref().map(Keeper::waiting);
        let unread = |id: &u64| match *id {
            ARCHIVE => waiting,
            id => Some(self.inboxes.get(&id)?.unread()),
        };
        if self.backlog.read(unread) {
            self.session.handle(Input::Behind(false), self.clock.now());
        }
        let (inboxes, session) = (&self.inboxes, &mut self.session);
        self.held.retain(|id| {
            let held = inboxes.get(id).is_some_and(|inbox| inbox.unread() > LOW_WATER);
            if !held {
                session.hold_history(*id, false);
            }
            held
        });
    }

    fn tell_publisher(&mut self, outcome: Outcome<Option<Taken>, Flushed>) {
        let lost = Err(Error::Lost { documents: 1 });
        let (waiter, result) = match outcome {
            Outcome::Taken(waiter, _) => (waiter, Ok(())),
            Outcome::Lost(waiter) => (waiter, lost),
            Outcome::Unconfirmed(waiter) => (waiter, Err(Error::Unconfirmed { documents: 1 })),
            Outcome::Refused(waiter, error) => {
                tracing::warn!("a document was not published: {error}");
                (waiter, lost)
            }
            Outcome::Flushed(done, failures) => {
                let _ = done.send(failures);
                return;
            }
        };
        match result {
            Ok(()) => self.tally.count_taken(),
            Err(Error::Unconfirmed { .. }) => self.tally.count_unconfirmed(),
            Err(_) => self.tally.count_lost(),
        }
        if let Some(waiter) = waiter {
            // A caller that does not wait any more is told by a flush.
            let _ = waiter.send(result);
        }
    }

    fn forward_peer_event(&mut self, event: Event) {
        match event {
            Event::SignallerLearned { .. } => {
                let addresses = self.session.peer().signaller_cache();
                if let Some(path) = &self.signaller_cache
                    && let Err(error) = signaller_cache::write(path, &addresses)
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
                let status = self.session.peer().status(self.clock.now());
                let neighbours = diagnose(&status).neighbours;
                self.neighbours.send_replace(neighbours);
            }
            _ => {}
        }
        tracing::debug!(?event);
        // There may be no listener.
        let _ = self.events.send(event);
    }

    /// Says goodbye and waits until the links are closed, but not for ever.
    async fn leave(mut self) {
        let deadline = Instant::now() + LEAVING;
        self.controls.close();
        self.publishes.close();
        self.inboxes.clear();
        self.feeds.clear();
        self.keeps.clear();
        drop(self.session.end_searches());
        self.session.leave(self.clock.now());
        self.drain();
        while self.open_links > 0 {
            let until = self.wake_at().min(deadline);
            match timeout_at(until, self.inputs.recv()).await {
                Ok(Some(input)) => drop(self.take_input(input)),
                Ok(None) => break,
                Err(_) if Instant::now() >= deadline => break,
                Err(_) => {}
            }
            self.session.handle_timeout(self.clock.now());
            self.drain();
        }
        self.links.shutdown().await;
        if let Some(mut archive) = self.archive.take() {
            // It waits for the disk.
            let _ = spawn_blocking(move || archive.end()).await;
        }
    }
}

/// What the archive says next.
async fn says(archive: &mut Option<Keeper>) -> Says {
    match archive {
        Some(archive) => archive.says().await,
        None => std::future::pending().await,
    }
}

const fn message_bytes(input: &Input) -> usize {
    match input {
        Input::Message { bytes, .. } => bytes.len(),
        _ => 0,
    }
}
