//! What a peer of a page consists of, and what is to be told to the page.

use core::convert::Infallible;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use js_sys::Function;
use serde_json::json as to_json;
use taiinet_document::{
    Before, Content, Document, DocumentId, Key, Map, Network, Opened, Timestamp, VerifiedDocument,
};
use taiinet_identity::{Identity, Recipient};
use taiinet_mesh::{Delivery, PublishError, PublishOptions, Stamps, Time, limits};
use taiinet_query::sort::Place;
use taiinet_session::{
    Action, CutOff, LiveChange, Ready, Removed, Session, Until, Waiters,
    diagnosis::{Problem, diagnose},
    json,
    publications::Outcome,
    unsealed::{MAX_UNSEALED, Unsealed},
};
use wasm_bindgen::JsValue;

use crate::{
    clock::Clock,
    fault::{Code, Fault},
    link::{Links, Timer},
    promise::Settle,
    sealing,
};

/// Documents that wait for room at the core.
const WAITING: usize = 16 * 1024;

/// The core, and what belongs to it.
pub(crate) struct State {
    pub(crate) identity: Identity,
    pub(crate) network: Network,
    pub(crate) session: Session<Page>,
    pub(crate) links: Links,
    pub(crate) clock: Clock,
    pub(crate) timer: Option<(Time, Timer)>,
    /// Set while leaving: what waits for the end, and when it comes anyhow.
    pub(crate) leaving: Option<Leaving>,
}

/// The page, as the waiter of a session.
pub(crate) struct Page;

impl Waiters for Page {
    type Subscription = u32;
    type Publish = Settle;
    /// A page waits for each document.
    type Flush = Infallible;
    type Find = Find;
    type Recipients = (Settle, Until);
}

/// What a stamp is for.
#[derive(Clone, Copy)]
pub(crate) enum Stamped<'a> {
    /// A document, perhaps with a key.
    Document(Option<&'a Key>),
    /// A deletion, of what stands under a key, or by ids.
    Deletion(Option<&'a Key>),
}

/// A search that goes on.
pub(crate) struct Find {
    /// Gets each document.
    pub(crate) each: Function,
    pub(crate) done: Settle,
}

/// A peer that says goodbye.
pub(crate) struct Leaving {
    pub(crate) done: Vec<Settle>,
    pub(crate) _deadline: Timer,
    pub(crate) over: bool,
}

/// Something to tell the page.
pub(crate) enum Call {
    Deliver {
        subscriptions: Vec<u32>,
        delivery: Delivery,
        replaces: Option<DocumentId>,
        is_backlog: bool,
    },
    Remove {
        subscriptions: Vec<u32>,
        removed: Removed,
    },
    Conflict {
        subscriptions: Vec<u32>,
        winner: Arc<VerifiedDocument>,
        loser: Arc<VerifiedDocument>,
    },
    Live {
        subscriptions: Vec<u32>,
        change: LiveChange,
    },
    Ready {
        subscription: u32,
        ready: Ready,
    },
    Found {
        each: Function,
        document: Arc<VerifiedDocument>,
        opened: Option<Arc<Opened>>,
    },
    Event(String),
    Settle(Settle, Result<JsValue, Fault>),
}

impl State {
    pub(crate) fn check_open(&self) -> Result<(), Fault> {
        if self.leaving.is_some() { Err(Fault::closed()) } else { Ok(()) }
    }

    /// Whether one more document can wait for room at the core.
    pub(crate) fn check_room(&self) -> Result<(), Fault> {
        self.check_open()?;
        if self.session.publications().waiting() < WAITING {
            return Ok(());
        }
        let text = format!("{WAITING} documents wait already; await earlier ones first");
        Err(Fault::new(Code::Busy, text))
    }

    /// Brings core and browser to rest: what is due is done, what is wanted is handed on.
    pub(crate) fn settle(&mut self, calls: &mut VecDeque<Call>) {
        let now = self.clock.now();
        self.session.handle_timeout(now);
        loop {
            while let Some(action) = self.session.poll_action(now) {
                self.act(action, calls, now);
            }
            let news = self.links.news();
            if news.is_empty() {
                break;
            }
            for input in news {
                self.session.handle(input, now);
            }
        }
        self.finish_leaving(calls);
    }

    pub(crate) fn sign(
        &self,
        content: Content,
        options: PublishOptions,
        stamp: Option<(Timestamp, u32)>,
        now: Time,
    ) -> Result<Arc<VerifiedDocument>, Fault> {
        let (created_at, nonce) =
            stamp.map_or_else(|| self.stamp(Stamped::Document(options.key.as_ref()), now), Ok)?;
        let document = Document {
            network: self.network.clone(),
            created_at,
            nonce,
            expires_at: options.expires_at.map(|end| Stamps::end(end, created_at, now)),
            key: options.key,
            next_key: None,
            content,
        };
        Ok(Arc::new(VerifiedDocument::sign(&self.identity, document)?))
    }

    /// What makes a document another than all before it.
    pub(crate) fn stamp(&self, of: Stamped<'_>, now: Time) -> Result<(Timestamp, u32), Fault> {
        let peer = self.session.peer();
        let before = match of {
            Stamped::Document(key) => key.map(|key| peer.before(key)),
            // It comes after whatever of ours it deletes, however far ahead that was dated.
            Stamped::Deletion(key) => {
                Some(key.map_or_else(Before::default, |key| peer.before(key)))
            }
        };
        let created_at = peer.stamps().next(before, now).map_err(PublishError::from)?;
        Ok((created_at, nonce()))
    }

    pub(crate) fn seal(
        &self,
        content: Map,
        options: PublishOptions,
        recipients: BTreeSet<Recipient>,
        now: Time,
    ) -> Result<Arc<VerifiedDocument>, Fault> {
        let author = self.identity.peer_id();
        let content = sealing::seal(content, &options, recipients, author, &self.network)?;
        self.sign(content, options, None, now)
    }

    fn act(&mut self, action: Action<Page>, calls: &mut VecDeque<Call>, now: Time) {
        match action {
            Action::Dial { link, dial } => self.links.dial(link, dial),
            Action::Negotiate { link, part } => self.links.negotiate(link, part),
            Action::Send { link, bytes } => self.links.send(link, &bytes),
            Action::Close { link } => self.links.close(link),
            Action::Deliver { subscriptions, delivery, replaces, is_backlog } => {
                calls.push_back(Call::Deliver { subscriptions, delivery, replaces, is_backlog });
            }
            Action::Remove { subscriptions, removed } => {
                calls.push_back(Call::Remove { subscriptions, removed });
            }
            Action::Conflict { subscriptions, winner, loser } => {
                calls.push_back(Call::Conflict { subscriptions, winner, loser });
            }
            Action::Ready { subscription, ready } => {
                calls.push_back(Call::Ready { subscription, ready });
            }
            Action::Live { subscriptions, change } => {
                calls.push_back(Call::Live { subscriptions, change });
            }
            // Only for archives.
            Action::Asked { .. }
            | Action::Accepted(_)
            | Action::Reconcile { .. }
            | Action::Offered { .. } => {}
            // Pages ask no archive to keep anything.
            Action::Took { .. } => {}
            Action::Found { find, document, opened } => {
                if let Some(Find { each, .. }) = self.session.find_waiter(find) {
                    calls.push_back(Call::Found { each: each.clone(), document, opened });
                }
            }
            Action::FindDone { waiter: Find { done, .. }, complete, cursor } => {
                calls.push_back(Call::Settle(done, Ok(found_all(complete, cursor.as_ref()))));
            }
            Action::Recipients { unsealed, recipients } => {
                let Unsealed { content, options, waiter: (settle, until) } = unsealed;
                let sealed = recipients
                    .map_err(Fault::from)
                    .and_then(|recipients| self.seal(content, options, recipients, now));
                match sealed {
                    Ok(document) => self.session.publish(document, until, settle, now),
                    Err(fault) => calls.push_back(Call::Settle(settle, Err(fault))),
                }
            }
            Action::Publication(outcome) => {
                let (settle, result) = match outcome {
                    Outcome::Taken(settle, id) => (settle, Ok(id.to_string().into())),
                    Outcome::Lost(settle) => (settle, Err(self.lost(now))),
                    Outcome::Unconfirmed(settle) => (settle, Err(unconfirmed())),
                    Outcome::Refused(settle, error) => (settle, Err(error.into())),
                    Outcome::Flushed(never, _) => match never {},
                };
                calls.push_back(Call::Settle(settle, result));
            }
            Action::Event(event) => calls.extend(json::event(&event).map(Call::Event)),
        }
    }

    /// No neighbour took a document in time; where the clock is to blame, that is said.
    fn lost(&self, now: Time) -> Fault {
        let window = limits::LIVE_WINDOW.as_secs() / 60;
        let lost =
            format!("no neighbour took the document within {window} minutes; now none would");
        let status = self.session.peer().status(now);
        let diagnosis = diagnose(&status);
        let clock = matches!(diagnosis.problem, Some(Problem::ClockIsOff { .. }));
        let why = diagnosis.problem().filter(|_| clock);
        let why =
            why.zip(diagnosis.advice("")).map(|(problem, advice)| format!(": {problem}; {advice}"));
        Fault::new(Code::Lost, lost + &why.unwrap_or_default())
    }

    /// When the last link is closed, or the time is over, nothing more will be answered.
    fn finish_leaving(&mut self, calls: &mut VecDeque<Call>) {
        let Some(leaving) = &mut self.leaving else { return };
        if !leaving.over && !self.links.is_empty() {
            return;
        }
        let CutOff { publishes, recipients, finds } = self.session.cut_off();
        let finds = finds.into_iter().map(|find| find.done);
        let recipients = recipients.into_iter().map(|(settle, _)| settle);
        let cut_off = publishes.into_iter().chain(recipients).chain(finds);
        calls.extend(cut_off.map(|settle| Call::Settle(settle, Err(Fault::closed()))));
        let done = leaving.done.drain(..);
        calls.extend(done.map(|settle| Call::Settle(settle, Ok(JsValue::UNDEFINED))));
    }
}

/// A neighbour has a document, and that is all that is known.
fn unconfirmed() -> Fault {
    let window = limits::LIVE_WINDOW.as_secs() / 60;
    let text = format!(
        "a neighbour took the document, and the network has not confirmed it within {window} minutes; it may have \
         spread all the same: look for it, or publish it again"
    );
    Fault::new(Code::Unconfirmed, text)
}

/// How a search ended, as JSON.
pub(crate) fn found_all(complete: bool, cursor: Option<&Place>) -> JsValue {
    let cursor = cursor.map(ToString::to_string);
    to_json!({ "complete": complete, "cursor": cursor }).to_string().into()
}

pub(crate) fn no_room_to_wait() -> Fault {
    let text = format!("{MAX_UNSEALED} documents wait for a recipient already; await earlier ones");
    Fault::new(Code::Busy, text)
}

/// Makes two documents of equal content and time two documents.
fn nonce() -> u32 {
    (js_sys::Math::random() * f64::from(u32::MAX)) as u32
}
