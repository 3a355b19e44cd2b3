//! Carries bytes and time between the core and the browser, requests and deliveries between the core
//! and the page. It decides nothing.

use core::{cell::Cell, time::Duration};
use std::{
    cell::RefCell,
    collections::VecDeque,
    rc::{Rc, Weak},
};

use js_sys::{Function, Promise};
use taiinet_document::{
    Content, Deletion, DocumentId, Key, Map, Opened, Timestamp, VerifiedDocument,
};
use taiinet_identity::{Identity, PeerId};
use taiinet_mesh::{
    Audience, FindOptions, Input, LinkFailure, LinkId, Peer, PublishError, PublishOptions, Time,
};
use taiinet_query::{Query, SharedQuery};
use taiinet_session::{
    Backlog, LiveChange, LiveOptions, Session, Until, Wanted, json, unsealed::Unsealed,
};
use wasm_bindgen::JsValue;

use crate::{
    clock::Clock,
    delivery::{self, JsChange, JsDelivery},
    fault::{Code, Fault},
    link::{Links, Reports, Timer},
    page::Handlers,
    promise::promise,
    state::{Call, Find, Leaving, Stamped, State, no_room_to_wait},
};

/// The longest sleep: after it the clock is looked at, because timers stand still while a device
/// sleeps.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
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

impl Driver {
    pub(crate) fn start(
        identity: Identity,
        config: taiinet_mesh::Config,
        last_stamp: Option<Timestamp>,
        seed: [u8; 32],
        handlers: Handlers,
    ) -> Rc<Self> {
        let clock = Clock::new();
        let network = config.network.clone();
        let peer = Peer::new(identity.clone(), config, seed, clock.now());
        if let Some(last) = last_stamp {
            peer.stamps().resume(last, clock.now());
        }
        let driver = Rc::new_cyclic(|this: &Weak<Self>| {
            let reports: Weak<dyn Reports> = this.clone();
            Self {
                this: this.clone(),
                handlers,
                state: RefCell::new(State {
                    identity,
                    network,
                    session: Session::new(peer),
                    links: Links::new(reports),
                    clock,
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
                state.session.handle(Input::Wake, now);
            }
            let now = state.clock.now();
            let result = act(&mut state, now);
            state.settle(&mut self.calls.borrow_mut());
            self.arm(&mut state);
            result
        };
        self.tell();
        result
    }

    /// Sees to it that we are called when something is due.
    fn arm(&self, state: &mut State) {
        let now = state.clock.now();
        let Some(due) = state.session.poll_timeout() else {
            state.timer = None;
            return;
        };
        let due = due.min(now.after(LONGEST_SLEEP));
        // One that rings too early does no harm.
        if state.timer.as_ref().is_some_and(|(at, _)| *at <= due) {
            return;
        }
        let this = self.this.clone();
        let timer = Timer::new(due.since(now), move || {
            if let Some(driver) = this.upgrade() {
                driver.with(|state, _| state.timer = None);
            }
        });
        state.timer = Some((due, timer));
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
                Call::Deliver { subscriptions, delivery, replaces, is_backlog } => {
                    let document = JsDelivery::delivered(&delivery, replaces, is_backlog);
                    self.deliver(subscriptions, document);
                }
                Call::Remove { subscriptions, removed } => {
                    drop(self.handlers.removed(subscriptions, &delivery::removed(&removed)));
                }
                Call::Conflict { subscriptions, winner, loser } => {
                    self.conflict(subscriptions, &winner, &loser);
                }
                Call::Live { subscriptions, change } => self.live_change(subscriptions, &change),
                Call::Ready { subscription, ready } => {
                    drop(self.handlers.ready(subscription, &delivery::ready(ready)));
                }
                Call::Found { each, document, opened } => {
                    found(&each, &document, opened.as_deref());
                }
                Call::Event(text) => self.event(&text),
                Call::Settle(settle, result) => settle.with(result),
            }
        }
        self.calling.set(false);
    }

    // What the page's functions throw is the page's own affair, here and above.

    fn deliver(&self, subscriptions: Vec<u32>, document: Option<JsDelivery>) {
        if let Some(JsDelivery { about, fields }) = document {
            drop(self.handlers.delivery(subscriptions, &about, &fields));
        }
    }

    /// Only of versions that everyone can read.
    fn conflict(
        &self,
        subscriptions: Vec<u32>,
        winner: &VerifiedDocument,
        loser: &VerifiedDocument,
    ) {
        let both = JsDelivery::found(winner, None).zip(JsDelivery::found(loser, None));
        if let Some((winner, loser)) = both {
            let (JsDelivery { about, fields }, other) = (winner, loser);
            let told =
                self.handlers.conflict(subscriptions, &about, &fields, &other.about, &other.fields);
            drop(told);
        }
    }

    fn live_change(&self, subscriptions: Vec<u32>, change: &LiveChange) {
        let JsChange { what, document } = JsChange::of(change);
        let JsDelivery { about, fields } = document.unwrap_or_default();
        drop(self.handlers.live(subscriptions, &what, &about, &fields));
    }

    pub(crate) fn event(&self, text: &str) {
        drop(self.handlers.event(text));
    }

    pub(crate) fn subscribe(
        &self,
        number: u32,
        wanted: Wanted,
        before: Option<(SharedQuery, Backlog)>,
    ) -> Result<(), Fault> {
        self.with(|state, now| {
            state.check_open()?;
            state.session.subscribe(number, wanted, before, now).map_err(Fault::options)
        })
    }

    pub(crate) fn live(
        &self,
        number: u32,
        query: Query,
        options: LiveOptions,
    ) -> Result<(), Fault> {
        self.with(|state, now| {
            state.check_open()?;
            let begun = state.session.live(number, query.try_into()?, options, now);
            begun.map_err(Fault::options)
        })
    }

    /// Ends a subscription, or a live result set.
    pub(crate) fn unsubscribe(&self, number: u32) {
        self.with(|state, now| {
            if !state.session.end_live(number, now) {
                state.session.unsubscribe(number, now);
            }
        });
    }

    /// So many older documents are wanted; whether there may be any.
    pub(crate) fn more(&self, number: u32, limit: u16) -> bool {
        self.with(|state, now| state.session.more_history(number, limit, now))
    }

    /// Whether a subscription's reader is behind: what was before it waits for that.
    pub(crate) fn hold(&self, number: u32, behind: bool) {
        self.with(|state, _| state.session.hold_history(number, behind));
    }

    /// Publishes; the promise is kept when the document has come as far as is waited for. One that is for some
    /// waits for a recipient. It gets no stamp: sealed again it is another document anyhow,
    /// since the same randomness must never meet other recipients.
    pub(crate) fn publish(
        &self,
        content: Map,
        options: PublishOptions,
        stamp: Option<(Timestamp, u32)>,
        (until, wait): (Until, Duration),
    ) -> Result<Promise, Fault> {
        self.with(|state, now| {
            state.check_room()?;
            let document = if options.audience == Audience::Everyone {
                state.sign(Content::Open(content), options, stamp, now)?
            } else {
                match state.session.recipients(&content, &options, now) {
                    Err(PublishError::NoRecipient) if !wait.is_zero() => {
                        let (promise, waiter) = promise();
                        let waiter = (waiter, until);
                        let unsealed = Unsealed { content, options, waiter };
                        let waits = state.session.await_recipients(unsealed, wait, now);
                        return waits.map(|()| promise).map_err(|_| no_room_to_wait());
                    }
                    recipients => state.seal(content, options, recipients?, now)?,
                }
            };
            let (promise, settle) = promise();
            state.session.publish(document, until, settle, now);
            Ok(promise)
        })
    }

    /// Publishes a deletion: of what stands under a key, or of these documents of ours.
    pub(crate) fn delete(
        &self,
        deletion: Deletion,
        key: Option<Key>,
        stamp: Option<(Timestamp, u32)>,
    ) -> Result<Promise, Fault> {
        self.with(|state, now| {
            state.check_room()?;
            let stamp =
                stamp.map_or_else(|| state.stamp(Stamped::Deletion(key.as_ref()), now), Ok)?;
            let victims: Vec<DocumentId> = deletion.documents().copied().collect();
            let expires_at = match deletion {
                Deletion::Key => None,
                Deletion::Documents(_) => state.session.peer().expiry_of(&victims),
            };
            // What is over needs no deletion, but one that was asked for is published.
            let expires_at = expires_at.filter(|end| *end > stamp.0);
            let options = PublishOptions { key, expires_at, ..PublishOptions::default() };
            let document = state.sign(Content::Deleted(deletion), options, Some(stamp), now)?;
            let (promise, settle) = promise();
            state.session.publish(document, Until::Neighbour, settle, now);
            Ok(promise)
        })
    }

    /// A stamp for a document.
    pub(crate) fn stamp(&self, of: Stamped<'_>) -> Result<(Timestamp, u32), Fault> {
        self.with(|state, now| state.stamp(of, now))
    }

    pub(crate) fn last_stamp(&self) -> Timestamp {
        self.state.borrow().session.peer().stamps().last()
    }

    /// Looks for documents; `each` gets them one by one before the promise is kept.
    pub(crate) fn find(
        &self,
        query: SharedQuery,
        options: FindOptions,
        each: Function,
    ) -> Result<Promise, Fault> {
        self.with(|state, now| {
            state.check_open()?;
            let (promise, done) = promise();
            let find = Find { each, done };
            let begun = state.session.find(query, options, find, now);
            begun.map_err(|(error, _)| Fault::new(Code::Busy, error))?;
            Ok(promise)
        })
    }

    pub(crate) fn handle(&self, input: Input) {
        self.with(|state, now| state.session.handle(input, now));
    }

    pub(crate) fn blacklist(&self, peer: PeerId, until: Option<Timestamp>) -> Result<(), Fault> {
        self.with(|state, now| {
            state.check_open()?;
            state.session.peer_mut().blacklist(peer, until, now).map_err(Fault::options)
        })
    }

    pub(crate) fn unblock(&self, peer: PeerId) -> bool {
        self.with(|state, now| state.session.peer_mut().unblock(&peer, now))
    }

    pub(crate) fn signaller_cache(&self) -> String {
        let cache = self.state.borrow().session.peer().signaller_cache();
        serde_json::to_string(&Vec::from_iter(json::addresses(&cache))).unwrap_or_default()
    }

    pub(crate) fn blacklist_to_keep(&self) -> String {
        let state = self.state.borrow();
        let list = state.session.peer().blacklist_to_keep(state.clock.now());
        serde_json::to_string(&list).unwrap_or_default()
    }

    pub(crate) fn status(&self) -> String {
        let state = self.state.borrow();
        let now = state.clock.now();
        let peer = state.session.peer();
        json::status(peer.id(), state.network.as_str(), &peer.status(now), now)
    }

    pub(crate) fn peer_id(&self) -> String {
        self.state.borrow().session.peer().id().to_string()
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
            state.session.leave(now);
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
                state.session.handle(input, now);
            }
        });
    }
}

/// Hands one found document to the page's function.
fn found(each: &Function, document: &VerifiedDocument, opened: Option<&Opened>) {
    if let Some(JsDelivery { about, fields }) = JsDelivery::found(document, opened) {
        drop(each.call2(&JsValue::UNDEFINED, &about.into(), &fields.into()));
    }
}
