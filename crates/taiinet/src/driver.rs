//! Carries bytes and time between the core and the transport, and requests and deliveries between the
//! core and the handles. It decides nothing.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use taiinet_mesh::{Delivery as CoreDelivery, Event, Input, PublishError};
use taiinet_session::{
    ACQUAINTED, Action, Session, backlog::Backlog, diagnosis::diagnose, publications::Outcome,
};
use taiinet_webrtc::{LinkInputs, Links};
use tokio::{
    sync::{Notify, broadcast, mpsc, watch},
    task::block_in_place,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    blacklist::{self, BlacklistFileError},
    clock::Clock,
    control::{Control, Flushed, Handles, Publish, Seeker, Taken},
    delivery::{Delivery, Inbox},
    history::Histories,
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
    pub(crate) backlog: Backlog<u64>,
    pub(crate) histories: Histories,
    /// Since when there has been a neighbour.
    pub(crate) met_at: Option<Instant>,
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
        let wake_at = Instant::now() + due.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP);
        match self.met_at {
            Some(met_at) if self.histories.next().is_some() && !self.is_acquainted() => {
                wake_at.min(met_at + ACQUAINTED.1)
            }
            _ => wake_at,
        }
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
                match self.session.subscribe(id, wanted, self.clock.now()) {
                    Ok(()) => {
                        self.inboxes.insert(id, inbox);
                        if let Some(wish) = history {
                            self.histories.want(id, wish);
                        }
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
                if self.session.unsubscribe(id, self.clock.now()) {
                    self.inboxes.remove(&id);
                    self.histories.end(id);
                    self.relieve();
                }
            }
            Control::Find { query, limit, found } => {
                let seeker = Seeker::Caller(found);
                let begun = self.session.find(query, limit, seeker, self.clock.now());
                if let Err((error, Seeker::Caller(found))) = begun {
                    let _ = found.send(Err(error));
                }
            }
            Control::Recipients { unsealed, wait } => {
                let full = self.session.find_recipients(unsealed, wait, self.clock.now());
                if let Err(unsealed) = full {
                    let nobody = Err(PublishError::NoRecipient);
                    let _ = unsealed.waiter.send((unsealed.content, nobody));
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
            Publish::Document { document, taken } => {
                self.session.publish(document, taken, self.clock.now());
            }
            Publish::Flush(done) => self.session.flush(done),
        }
    }

    /// Hands on everything that the session wants done.
    fn drain(&mut self) {
        self.act();
        // A search begins when there is a neighbour to ask, or another search is over.
        while self.seek_history() {
            self.act();
        }
    }

    /// Begins to look for what a subscription wants of before it; whether it did.
    fn seek_history(&mut self) -> bool {
        if !self.is_acquainted() {
            return false;
        }
        let Some((subscription, query, limit)) = self.histories.next() else { return false };
        let seeker = Seeker::History { subscription, found: Vec::new() };
        let begun = self.session.find(query, limit, seeker, self.clock.now()).is_ok();
        if begun {
            self.histories.seek(subscription);
        }
        begun
    }

    fn is_acquainted(&self) -> bool {
        let (enough, patience) = ACQUAINTED;
        *self.neighbours.borrow() >= enough
            || self.met_at.is_some_and(|met_at| met_at.elapsed() >= patience)
    }

    fn act(&mut self) {
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
                Action::Deliver { subscriptions, delivery } => {
                    self.deliver(&subscriptions, delivery);
                }
                Action::Found { find, document, opened } => {
                    let Some(seeker) = self.session.find_waiter_mut(find) else { continue };
                    let received_at = now.timestamp();
                    let delivery = Delivery::new(document, opened, received_at, 0, None);
                    match seeker {
                        // A caller that does not wait any more needs nothing.
                        Seeker::Caller(caller) => drop(caller.send(Ok(delivery))),
                        Seeker::History { found, .. } => found.push(delivery.of_before()),
                    }
                }
                Action::FindDone { waiter: Seeker::Caller(caller), .. } => drop(caller),
                Action::FindDone { waiter: Seeker::History { subscription, found }, complete } => {
                    self.show_history(subscription, found, complete);
                }
                Action::Recipients { unsealed, recipients } => {
                    let _ = unsealed.waiter.send((unsealed.content, recipients));
                }
                Action::Publication(outcome) => self.tell_publisher(outcome),
                Action::Event(event) => self.forward_peer_event(event),
            }
        }
    }

    fn deliver(&mut self, subscriptions: &[u64], delivery: CoreDelivery) {
        let received_at = self.clock.now().timestamp();
        let CoreDelivery { document, opened, hops, via, .. } = delivery;
        let to_user = Delivery::new(document, opened, received_at, hops, via);
        for id in subscriptions {
            if self.histories.comes(*id, &to_user) {
                self.give(*id, to_user.clone());
            }
        }
    }

    fn give(&mut self, id: u64, delivery: Delivery) {
        let Some(inbox) = self.inboxes.get(&id) else { return };
        inbox.push(delivery);
        if self.backlog.delivered(id, inbox.unread()) {
            self.session.handle(Input::Behind(true), self.clock.now());
        }
    }

    fn show_history(&mut self, id: u64, found: Vec<Delivery>, complete: bool) {
        let Some((found, ready)) = self.histories.found(id, found, complete) else { return };
        for delivery in found {
            self.give(id, delivery);
        }
        if let Some(inbox) = self.inboxes.get(&id) {
            inbox.push_ready(ready);
        }
    }

    /// A subscription was read, or is gone.
    fn relieve(&mut self) {
        if self.backlog.read(|id| Some(self.inboxes.get(id)?.unread())) {
            self.session.handle(Input::Behind(false), self.clock.now());
        }
    }

    fn tell_publisher(&mut self, outcome: Outcome<Option<Taken>, Flushed>) {
        let (waiter, taken) = match outcome {
            Outcome::Taken(waiter, _) => (waiter, true),
            Outcome::Lost(waiter) => (waiter, false),
            Outcome::Refused(waiter, error) => {
                tracing::warn!("a document was not published: {error}");
                (waiter, false)
            }
            Outcome::Flushed(done, lost) => {
                let _ = done.send(lost);
                return;
            }
        };
        if taken {
            self.tally.count_taken();
        } else {
            self.tally.count_lost();
        }
        if let Some(waiter) = waiter {
            // A caller that does not wait any more is told by a flush.
            let _ = waiter.send(taken);
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
                self.met_at = (neighbours > 0).then(|| self.met_at.unwrap_or_else(Instant::now));
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
        self.histories = Histories::default();
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
    }
}

const fn message_bytes(input: &Input) -> usize {
    match input {
        Input::Message { bytes, .. } => bytes.len(),
        _ => 0,
    }
}
