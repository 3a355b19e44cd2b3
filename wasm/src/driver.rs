//! Carries bytes and time between the core and the browser, requests and deliveries between the core
//! and the page. It decides nothing.

use core::{cell::Cell, time::Duration};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::{Rc, Weak},
    sync::Arc,
};

use js_sys::{Function, Promise};
use taiinet_document::{
    Content, Document, DocumentId, Map, Network, Opened, Timestamp, VerifiedDocument,
};
use taiinet_identity::{Identity, PeerId, Recipient};
use taiinet_mesh::{
    Audience, Delivery, Event, FindId, Input, LinkFailure, LinkId, Output, Peer, PublishError,
    PublishOptions, SubscriptionId, Time, limits,
};
use taiinet_query::Query;
use wasm_bindgen::JsValue;

use crate::{
    bindings::Handlers,
    clock::Clock,
    fault::{Code, Fault},
    link::{Links, Reports, Timer},
    private,
    promise::{Settle, promise},
    told::{self, Told},
};

/// The longest sleep: after it the clock is looked at, because timers stand still while a device
/// sleeps.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// Documents that wait for room at the core.
const WAITING: usize = 16 * 1024;
/// How long leaving may take.
const LEAVING: Duration = Duration::from_secs(2);

/// A running peer of a page.
pub(crate) struct Driver {
    this: Weak<Self>,
    handlers: Handlers,
    state: RefCell<State>,
    /// What the page is to be told, once nothing of ours is borrowed: it may call back.
    calls: RefCell<VecDeque<Call>>,
    calling: Cell<bool>,
}

struct State {
    identity: Identity,
    network: Network,
    peer: Peer,
    links: Links,
    clock: Clock,
    /// The subscriptions by the numbers that the page knows.
    names: BTreeMap<u32, SubscriptionId>,
    numbers: BTreeMap<SubscriptionId, u32>,
    next_number: u32,
    /// Who waits for a neighbour to take a document.
    untaken: BTreeMap<DocumentId, Vec<Settle>>,
    /// What nobody is known for yet.
    unsealed: private::Waiting,
    /// What the core had no room for, in order.
    waiting: VecDeque<(Arc<VerifiedDocument>, Settle)>,
    finds: BTreeMap<FindId, Find>,
    timer: Option<(Time, Timer)>,
    /// Set while leaving: who waits for the end, and when it comes anyhow.
    leaving: Option<Leaving>,
}

/// A search that goes on.
struct Find {
    /// Gets each document.
    each: Function,
    done: Settle,
    /// Ends it when the page does not want to wait longer.
    _deadline: Timer,
}

struct Leaving {
    done: Vec<Settle>,
    _deadline: Timer,
    over: bool,
}

/// Something to tell the page.
enum Call {
    Deliver { subscriptions: Vec<u32>, delivery: Delivery },
    Found { each: Function, document: Arc<VerifiedDocument>, opened: Option<Arc<Opened>> },
    Event(String),
    Settle(Settle, Result<JsValue, Fault>),
}

impl Driver {
    pub(crate) fn start(
        identity: Identity,
        config: taiinet_mesh::Config,
        seed: [u8; 32],
        handlers: Handlers,
    ) -> Rc<Self> {
        let clock = Clock::new();
        let network = config.network.clone();
        let peer = Peer::new(identity.clone(), config, seed, clock.now());
        let driver = Rc::new_cyclic(|this: &Weak<Self>| {
            let reports: Weak<dyn Reports> = this.clone();
            Self {
                this: this.clone(),
                handlers,
                state: RefCell::new(State {
                    identity,
                    network,
                    peer,
                    links: Links::new(reports),
                    clock,
                    names: BTreeMap::new(),
                    numbers: BTreeMap::new(),
                    next_number: 0,
                    untaken: BTreeMap::new(),
                    unsealed: private::Waiting::default(),
                    waiting: VecDeque::new(),
                    finds: BTreeMap::new(),
                    timer: None,
                    leaving: None,
                }),
                calls: RefCell::default(),
                calling: Cell::new(false),
            }
        });
        driver.with(|_, _| ());
        driver
    }

    /// Does something with the core, then whatever the core wants done, then tells the page.
    fn with<T>(&self, act: impl FnOnce(&mut State, Time) -> T) -> T {
        let result = {
            let mut state = self.state.borrow_mut();
            if state.clock.catch_up() {
                let now = state.clock.now();
                state.peer.handle(Input::Wake, now);
            }
            let now = state.clock.now();
            let result = act(&mut state, now);
            state.settle(&mut self.calls.borrow_mut());
            state.arm(&self.this);
            result
        };
        self.tell();
        result
    }

    /// Tells the page what there is to tell. It may call us meanwhile; then what comes of it is
    /// told by the loop that runs already.
    fn tell(&self) {
        if self.calling.replace(true) {
            return;
        }
        loop {
            let Some(call) = self.calls.borrow_mut().pop_front() else { break };
            match call {
                Call::Deliver { subscriptions, delivery } => self.deliver(subscriptions, &delivery),
                Call::Found { each, document, opened } => {
                    found(&each, &document, opened.as_deref());
                }
                Call::Event(text) => self.event(&text),
                Call::Settle(settle, result) => settle.with(result),
            }
        }
        self.calling.set(false);
    }

    fn deliver(&self, subscriptions: Vec<u32>, delivery: &Delivery) {
        let from = delivery.from.map(|peer| peer.to_string());
        let opened = delivery.opened.as_deref();
        let told = Told::new(&delivery.document, opened, delivery.hops, from);
        let Some(told) = told else { return };
        // What the page's function throws is the page's own affair, here and below.
        drop(self.handlers.delivery(
            subscriptions,
            &told.id,
            &told.author,
            told.created_at,
            told.hops,
            told.from,
            told.key,
            &told.json,
            told.exact,
            told.privacy,
        ));
    }

    pub(crate) fn event(&self, text: &str) {
        drop(self.handlers.event(text));
    }

    pub(crate) fn subscribe(&self, query: Query, private: bool) -> Result<u32, Fault> {
        self.with(|state, now| {
            state.check_open()?;
            let name = if private {
                state.peer.subscribe_privately(query.try_into()?, now)
            } else {
                state.peer.subscribe(query)
            };
            let name = name.map_err(Fault::options)?;
            state.next_number = state.next_number.wrapping_add(1);
            let number = state.next_number;
            state.names.insert(number, name);
            state.numbers.insert(name, number);
            Ok(number)
        })
    }

    pub(crate) fn unsubscribe(&self, number: u32) {
        self.with(|state, now| {
            if let Some(name) = state.names.remove(&number) {
                state.numbers.remove(&name);
                state.peer.unsubscribe(name, now);
            }
        });
    }

    /// Publishes; the promise is kept when a neighbour has taken the document. One that is for some
    /// waits for somebody to seal it to. It gets no stamp: sealed anew it is another document anyhow,
    /// since the same randomness must never meet other recipients.
    pub(crate) fn publish(
        &self,
        content: Map,
        options: PublishOptions,
        stamp: Option<(Timestamp, u32)>,
        wait: Duration,
    ) -> Result<Promise, Fault> {
        self.with(|state, now| {
            state.check_open()?;
            if state.waiting.len() >= WAITING {
                return Err(Fault::new(
                    Code::Busy,
                    format!("{WAITING} documents wait already; await earlier ones first"),
                ));
            }
            let document = if options.audience == Audience::Everyone {
                state.sign(Content::Open(content), options, stamp, now)?
            } else {
                match state.peer.recipients(&content, &options, now) {
                    Err(PublishError::NoRecipient) if !wait.is_zero() => {
                        state.unsealed.check_room()?;
                        let (promise, settle) = promise();
                        state.unsealed.add(content, options, settle, wait, now);
                        return Ok(promise);
                    }
                    recipients => state.seal(content, options, recipients?, now)?,
                }
            };
            let (promise, settle) = promise();
            state.waiting.push_back((document, settle));
            Ok(promise)
        })
    }

    /// Looks for recent documents; `each` gets them one by one before the promise is kept.
    pub(crate) fn find(
        &self,
        query: Query,
        limit: u16,
        timeout: Duration,
        each: Function,
    ) -> Result<Promise, Fault> {
        self.with(|state, now| {
            state.check_open()?;
            let find = state
                .peer
                .find(query.try_into()?, limit, now)
                .map_err(|error| Fault::new(Code::Busy, error))?;
            let this = self.this.clone();
            let deadline = Timer::new(timeout, move || {
                if let Some(driver) = this.upgrade() {
                    driver.end_find(find);
                }
            });
            let (promise, done) = promise();
            state.finds.insert(find, Find { each, done, _deadline: deadline });
            Ok(promise)
        })
    }

    fn end_find(&self, find: FindId) {
        let ended = self.state.borrow_mut().finds.remove(&find);
        if let Some(Find { done, .. }) = ended {
            done.with(Ok(JsValue::UNDEFINED));
        }
    }

    pub(crate) fn handle(&self, input: Input) {
        self.with(|state, now| state.peer.handle(input, now));
    }

    pub(crate) fn blacklist(&self, peer: PeerId, until: Option<Timestamp>) -> Result<(), Fault> {
        self.with(|state, now| {
            state.check_open()?;
            state.peer.blacklist(peer, until, now).map_err(Fault::options)
        })
    }

    pub(crate) fn lift(&self, peer: PeerId) -> bool {
        self.with(|state, now| state.peer.lift(&peer, now))
    }

    pub(crate) fn learned_signallers(&self) -> String {
        let learned = self.state.borrow().peer.learned_signallers();
        let named = learned
            .into_iter()
            .filter_map(|address| Some(format!("{}#{}", address.url, address.pinned?)));
        serde_json::to_string(&named.collect::<Vec<_>>()).unwrap_or_default()
    }

    pub(crate) fn blacklist_to_keep(&self) -> String {
        let state = self.state.borrow();
        let list = state.peer.blacklist_to_keep(state.clock.now());
        serde_json::to_string(&list).unwrap_or_default()
    }

    pub(crate) fn status(&self) -> String {
        let state = self.state.borrow();
        let now = state.clock.now();
        let status = state.peer.status(now);
        told::status(state.peer.id(), state.network.as_str(), &status, now)
    }

    pub(crate) fn peer_id(&self) -> String {
        self.state.borrow().peer.id().to_string()
    }

    /// Says goodbye; the promise is kept when the links are closed, but not for ever.
    pub(crate) fn close(&self) -> Promise {
        let (promise, settle) = promise();
        self.with(|state, now| {
            if let Some(leaving) = &mut state.leaving {
                leaving.done.push(settle);
                return;
            }
            let this = self.this.clone();
            let deadline = Timer::new(LEAVING, move || {
                if let Some(driver) = this.upgrade() {
                    driver.with(|state, _| {
                        if let Some(leaving) = &mut state.leaving {
                            leaving.over = true;
                        }
                    });
                }
            });
            state.leaving = Some(Leaving { done: vec![settle], _deadline: deadline, over: false });
            state.peer.leave(now);
        });
        promise
    }
}

impl Reports for Driver {
    fn input(&self, input: Input) {
        self.handle(input);
    }

    fn ended(&self, link: LinkId, cause: LinkFailure) {
        self.with(|state, now| {
            if let Some(input) = state.links.ended(link, cause) {
                state.peer.handle(input, now);
            }
        });
    }
}

impl State {
    fn check_open(&self) -> Result<(), Fault> {
        if self.leaving.is_some() { Err(Fault::closed()) } else { Ok(()) }
    }

    /// Brings core and browser to rest: what is due is done, what is wanted is handed on.
    fn settle(&mut self, calls: &mut VecDeque<Call>) {
        let now = self.clock.now();
        if self.peer.poll_timeout().is_some_and(|due| due <= now) {
            self.peer.handle_timeout(now);
        }
        self.seal_waiting(calls, now);
        loop {
            self.publish_waiting(calls, now);
            while let Some(output) = self.peer.poll_output(now) {
                self.output(output, calls);
            }
            let news = self.links.news();
            if news.is_empty() {
                break;
            }
            for input in news {
                self.peer.handle(input, now);
            }
        }
        self.finish_leaving(calls);
    }

    fn sign(
        &self,
        content: Content,
        options: PublishOptions,
        stamp: Option<(Timestamp, u32)>,
        now: Time,
    ) -> Result<Arc<VerifiedDocument>, Fault> {
        let (created_at, nonce) = stamp.unwrap_or_else(|| (now.timestamp(), nonce()));
        let document = Document {
            network: self.network.clone(),
            created_at,
            nonce,
            expires_at: options.expires_at,
            key: options.key,
            content,
        };
        Ok(Arc::new(VerifiedDocument::sign(&self.identity, document)?))
    }

    fn seal(
        &self,
        content: Map,
        options: PublishOptions,
        recipients: BTreeSet<Recipient>,
        now: Time,
    ) -> Result<Arc<VerifiedDocument>, Fault> {
        let author = self.identity.peer_id();
        let content = private::seal(content, &options, recipients, author, &self.network)?;
        self.sign(content, options, None, now)
    }

    fn seal_waiting(&mut self, calls: &mut VecDeque<Call>, now: Time) {
        for (one, recipients) in self.unsealed.decided(&mut self.peer, now) {
            let sealed = recipients
                .map_err(Fault::from)
                .and_then(|recipients| self.seal(one.content, one.options, recipients, now));
            match sealed {
                Ok(document) => self.waiting.push_back((document, one.settle)),
                Err(fault) => calls.push_back(Call::Settle(one.settle, Err(fault))),
            }
        }
    }

    fn publish_waiting(&mut self, calls: &mut VecDeque<Call>, now: Time) {
        while let Some((document, settle)) = self.waiting.pop_front() {
            match self.peer.publish_signed(Arc::clone(&document), now) {
                Ok(id) => self.untaken.entry(id).or_default().push(settle),
                Err(PublishError::Busy) => {
                    self.waiting.push_front((document, settle));
                    break;
                }
                Err(error) => calls.push_back(Call::Settle(settle, Err(error.into()))),
            }
        }
    }

    fn output(&mut self, output: Output, calls: &mut VecDeque<Call>) {
        match output {
            Output::Dial { link, dial } => self.links.dial(link, dial),
            Output::Negotiate { link, part } => self.links.negotiate(link, part),
            Output::Send { link, bytes } => self.links.send(link, &bytes),
            Output::Close { link } => self.links.close(link),
            Output::Deliver(delivery) => {
                let numbers = delivery.subscriptions.iter();
                let subscriptions: Vec<u32> =
                    numbers.filter_map(|name| self.numbers.get(name).copied()).collect();
                if !subscriptions.is_empty() {
                    calls.push_back(Call::Deliver { subscriptions, delivery });
                }
            }
            Output::Found { find, document, opened } => {
                if let Some(Find { each, .. }) = self.finds.get(&find) {
                    calls.push_back(Call::Found { each: each.clone(), document, opened });
                }
            }
            // Only among signallers.
            Output::Relayed { .. } | Output::Astray { .. } => {}
            Output::FindDone { find, .. } => {
                if let Some(Find { done, .. }) = self.finds.remove(&find) {
                    calls.push_back(Call::Settle(done, Ok(JsValue::UNDEFINED)));
                }
            }
            Output::Event(Event::Taken { id }) => {
                let value = JsValue::from(id.to_string());
                for settle in self.untaken.remove(&id).into_iter().flatten() {
                    calls.push_back(Call::Settle(settle, Ok(value.clone())));
                }
            }
            Output::Event(Event::Lost { id }) => {
                for settle in self.untaken.remove(&id).into_iter().flatten() {
                    calls.push_back(Call::Settle(settle, Err(lost())));
                }
            }
            Output::Event(event) => calls.extend(told::event(&event).map(Call::Event)),
        }
    }

    /// When the last link is closed, or the time is over, nothing more will be answered.
    fn finish_leaving(&mut self, calls: &mut VecDeque<Call>) {
        let Some(leaving) = &mut self.leaving else { return };
        if !leaving.over && !self.links.is_empty() {
            return;
        }
        let untaken = core::mem::take(&mut self.untaken).into_values().flatten();
        let waiting = self.waiting.drain(..).map(|(_, settle)| settle);
        let finds = core::mem::take(&mut self.finds).into_values().map(|find| find.done);
        let cut_off = untaken.chain(self.unsealed.drain()).chain(waiting).chain(finds);
        calls.extend(cut_off.map(|settle| Call::Settle(settle, Err(Fault::closed()))));
        let done = leaving.done.drain(..);
        calls.extend(done.map(|settle| Call::Settle(settle, Ok(JsValue::UNDEFINED))));
    }

    /// Sees to it that we are called when something is due.
    fn arm(&mut self, this: &Weak<Driver>) {
        let now = self.clock.now();
        let due = [self.peer.poll_timeout(), self.unsealed.deadline()].into_iter().flatten().min();
        let Some(due) = due else {
            self.timer = None;
            return;
        };
        let due = due.min(now.after(LONGEST_SLEEP));
        // One that rings too early does no harm.
        if self.timer.as_ref().is_some_and(|(at, _)| *at <= due) {
            return;
        }
        let this = this.clone();
        let timer = Timer::new(due.since(now), move || {
            if let Some(driver) = this.upgrade() {
                driver.with(|state, _| state.timer = None);
            }
        });
        self.timer = Some((due, timer));
    }
}

/// Hands one found document to the page's function.
fn found(each: &Function, document: &VerifiedDocument, opened: Option<&Opened>) {
    if let Some(told) = Told::new(document, opened, 0, None) {
        drop(each.apply(&JsValue::UNDEFINED, &told.into_arguments()));
    }
}

fn lost() -> Fault {
    let window = limits::LIVE_WINDOW.as_secs() / 60;
    Fault::new(
        Code::Lost,
        format!("no neighbour took the document within {window} minutes; now none would"),
    )
}

/// Makes two documents of equal content and time two documents.
fn nonce() -> u32 {
    (js_sys::Math::random() * f64::from(u32::MAX)) as u32
}
