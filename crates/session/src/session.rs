//! A peer with all that wait for something of it.

mod live;
mod looking_back;
mod wanted;

use core::time::Duration;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use taiinet_document::{DocumentId, Map, Opened, VerifiedBytes, VerifiedDocument};
use taiinet_mesh::{
    Conflict, Delivery, Dial, Event, FindId, FindOptions, Input, KeepId, LinkId, Negotiation,
    Output, Peer, PublishError, PublishOptions, Question, Reconcile, SubscriptionId, Time,
    TooManyFinds, wire::Outcome as KeepOutcome,
};
use taiinet_query::{SharedQuery, sort::Place};

use crate::{
    ACQUAINTED, LiveChange, Removed, Waiters,
    histories::{Backlog, Histories, Ready},
    live::{Ended, Hit, Lives},
    publications::{Outcome, Publications, Until},
    shown::{Changes, Shown},
    unsealed::{Recipients, Unsealed, Waiting},
};

pub use wanted::{Indiscreet, SubscribeError, Wanted};

/// What a driver is to do, in this order.
pub enum Action<W: Waiters> {
    /// As [`Output::Dial`].
    Dial {
        /// Its name from now on.
        link: LinkId,
        /// What kind of link, and where it leads.
        dial: Dial,
    },
    /// As [`Output::Negotiate`].
    Negotiate {
        /// The link that is being made.
        link: LinkId,
        /// What the other end says.
        part: Negotiation,
    },
    /// As [`Output::Send`].
    Send {
        /// The link to send on.
        link: LinkId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// As [`Output::Close`].
    Close {
        /// The link to close.
        link: LinkId,
    },
    /// A document for the application; never for none of its subscriptions.
    Deliver {
        /// Those that it matches.
        subscriptions: Vec<W::Subscription>,
        /// The document, as the core delivered it.
        delivery: Delivery,
        /// The version that these were shown before, if it replaces one.
        replaces: Option<DocumentId>,
        /// Whether it was published before the subscription, and found.
        is_backlog: bool,
    },
    /// What was published before a subscription has come, or as much of it as was asked for.
    Ready {
        /// The subscription.
        subscription: W::Subscription,
        /// What is known of it.
        ready: Ready,
    },
    /// A document that these were shown is gone.
    Remove {
        /// Those that it matched; never none.
        subscriptions: Vec<W::Subscription>,
        /// The document, and why it is gone.
        removed: Removed,
    },
    /// Two versions of one document and one moment; the winner is delivered as well.
    Conflict {
        /// Those that one of them matches; never none.
        subscriptions: Vec<W::Subscription>,
        /// The version that counts.
        winner: Arc<VerifiedDocument>,
        /// The other.
        loser: Arc<VerifiedDocument>,
    },
    /// Something has changed in live result sets.
    Live {
        /// By the names under which they were begun; never none.
        subscriptions: Vec<W::Subscription>,
        /// What has changed.
        change: LiveChange,
    },
    /// A document that a search found; [`Session::find_waiter`] gives its waiter.
    Found {
        /// Its search.
        find: FindId,
        /// The document, verified.
        document: Arc<VerifiedDocument>,
        /// What it says, if it was sealed to us.
        opened: Option<Arc<Opened>>,
    },
    /// A search is over.
    FindDone {
        /// Its waiter.
        waiter: W::Find,
        /// Whether it found all that there is, as far as we and the neighbours can tell.
        complete: bool,
        /// From where another search can go on.
        cursor: Option<Place>,
    },
    /// As [`Output::Asked`].
    Asked {
        /// The link to the neighbour.
        link: LinkId,
        /// What it looks for.
        question: Question,
    },
    /// As [`Output::Reconcile`].
    Reconcile {
        /// The link to the neighbour.
        link: LinkId,
        /// What to do.
        what: Reconcile,
    },
    /// As [`Output::Accepted`].
    Accepted(Arc<VerifiedDocument>),
    /// As [`Output::Offered`].
    Offered {
        /// The link to the neighbour.
        link: LinkId,
        /// The number that the answer bears.
        request: u32,
        /// The documents, verified.
        documents: Vec<VerifiedBytes>,
    },
    /// As [`Output::Took`].
    Took {
        /// As [`Peer::keep`] named them.
        keep: KeepId,
        /// Of each document; none if no archive has answered in time.
        outcomes: Option<Vec<KeepOutcome>>,
    },
    /// The recipients of a content are known, or none turned up in time.
    Recipients {
        /// The content.
        unsealed: Unsealed<W::Recipients>,
        /// Its recipients, or why there are none.
        recipients: Recipients,
    },
    /// Something has become of a document of ours.
    Publication(Outcome<W::Publish, W::Flush>),
    /// An event, other than [`Event::Taken`], which the publications tell.
    Event(Event),
}

/// All that wait when the peer has left: nothing more comes.
pub struct CutOff<W: Waiters> {
    /// For a document to be published.
    pub publishes: Vec<W::Publish>,
    /// For a recipient to seal to.
    pub recipients: Vec<W::Recipients>,
    /// For what is searched for.
    pub finds: Vec<W::Find>,
}

/// A peer with all that wait for something of it. As with the peer itself, after each call the
/// [actions](Self::poll_action) are to be taken until there are none.
pub struct Session<W: Waiters> {
    peer: Peer,
    /// The core's names of the subscriptions, and the driver's.
    names: BTreeMap<W::Subscription, SubscriptionId>,
    subscriptions: BTreeMap<SubscriptionId, W::Subscription>,
    publications: Publications<W::Publish, W::Flush>,
    unsealed: Waiting<W::Recipients>,
    shown: Shown<W::Subscription>,
    /// What becomes of one output, in order.
    ready: VecDeque<Action<W>>,
    /// Not unsealed any more, and not yet given to the driver.
    decided: VecDeque<(Unsealed<W::Recipients>, Recipients)>,
    finds: BTreeMap<FindId, W::Find>,
    histories: Histories<W::Subscription>,
    lives: Lives<W::Subscription>,
    /// What searches for histories and live result sets have found and not given yet.
    found: BTreeMap<FindId, Vec<Hit>>,
    /// Since when there has been a neighbour, and whether there are enough.
    met: Option<(Time, bool)>,
}

impl<W: Waiters> Session<W> {
    /// A session of this peer.
    pub fn new(peer: Peer) -> Self {
        Self {
            peer,
            names: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            publications: Publications::default(),
            unsealed: Waiting::default(),
            shown: Shown::default(),
            ready: VecDeque::new(),
            decided: VecDeque::new(),
            finds: BTreeMap::new(),
            histories: Histories::default(),
            lives: Lives::default(),
            found: BTreeMap::new(),
            met: None,
        }
    }

    /// The peer of this session.
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The peer, for what has no waiter, like its blacklist.
    pub const fn peer_mut(&mut self) -> &mut Peer {
        &mut self.peer
    }

    /// Tells the core what happened.
    pub fn handle(&mut self, input: Input, now: Time) {
        self.peer.handle(input, now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.peer.poll_timeout().is_some_and(|due| due <= now) {
            self.peer.handle_timeout(now);
        }
        self.decided.extend(self.unsealed.decided::<W>(&mut self.peer, now));
        while let Some((removed, subscriptions)) = self.shown.expire(now) {
            self.ready.push_back(Action::Remove { subscriptions, removed });
        }
        self.publications.expire(now);
        self.lives.expire(now);
        self.tell_lives();
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    pub fn poll_timeout(&self) -> Option<Time> {
        let wants = self.histories.wants() || self.lives.wants();
        let acquainted = self.met.filter(|(_, enough)| !enough && wants);
        let acquainted = acquainted.map(|(met_at, _)| met_at.after(ACQUAINTED.1));
        let lives = self.lives.deadline(self.is_acquainted());
        let publications = self.publications.deadline();
        let own =
            [self.unsealed.deadline(), self.shown.deadline(), publications, acquainted, lives];
        own.into_iter().chain([self.peer.poll_timeout()]).flatten().min()
    }

    /// The next thing to do.
    pub fn poll_action(&mut self, now: Time) -> Option<Action<W>> {
        loop {
            if let Some(action) = self.ready.pop_front() {
                return Some(action);
            }
            if let Some(outcome) = self.publications.poll() {
                return Some(Action::Publication(outcome));
            }
            if let Some((unsealed, recipients)) = self.decided.pop_front() {
                return Some(Action::Recipients { unsealed, recipients });
            }
            match self.peer.poll_output(now) {
                Some(output) => {
                    if let Some(action) = self.action(output, now) {
                        return Some(action);
                    }
                }
                // What was taken has made room.
                None if self.offer(now) || self.look_back(now) => {}
                None => return None,
            }
        }
    }

    fn action(&mut self, output: Output, now: Time) -> Option<Action<W>> {
        Some(match output {
            Output::Dial { link, dial } => Action::Dial { link, dial },
            Output::Negotiate { link, part } => Action::Negotiate { link, part },
            Output::Send { link, bytes, .. } => Action::Send { link, bytes },
            Output::Close { link } => Action::Close { link },
            Output::Deliver(delivery) => {
                self.deliver(&delivery);
                return None;
            }
            Output::Conflict(Conflict { subscriptions, winner, loser }) => {
                let subscriptions = self.known(&subscriptions);
                if subscriptions.is_empty() {
                    return None;
                }
                Action::Conflict { subscriptions, winner, loser }
            }
            Output::Found { find, document, opened } => {
                if self.histories.subscription(find).is_some() || self.lives.is_looking(find) {
                    self.found.entry(find).or_default().push((document, opened));
                    return None;
                }
                Action::Found { find, document, opened }
            }
            Output::FindDone { find, complete, cursor, sources } => {
                if self.histories.subscription(find).is_some() {
                    self.show_history(find, (complete, cursor.is_some()), sources);
                    return None;
                }
                if self.lives.is_looking(find) {
                    self.show_live(find, Ended { complete, cursor, sources }, now);
                    return None;
                }
                self.peer.find_end(find);
                Action::FindDone { waiter: self.finds.remove(&find)?, complete, cursor }
            }
            Output::Asked { link, question } => Action::Asked { link, question },
            Output::Reconcile { link, what } => Action::Reconcile { link, what },
            Output::Accepted(document) => Action::Accepted(document),
            Output::Offered { link, request, documents } => {
                Action::Offered { link, request, documents }
            }
            Output::Took { keep, outcomes } => Action::Took { keep, outcomes },
            Output::Event(Event::Taken { id }) => {
                self.publications.taken(id);
                return None;
            }
            Output::Event(Event::Named { id }) => {
                self.publications.named(id);
                Action::Event(Event::Named { id })
            }
            Output::Event(Event::Lost { id }) => {
                self.publications.lost(id);
                Action::Event(Event::Lost { id })
            }
            Output::Event(event) => Action::Event(event),
            // Only among signallers.
            Output::Relayed { .. } | Output::Undeliverable { .. } => return None,
        })
    }

    fn known(&self, names: &[SubscriptionId]) -> Vec<W::Subscription> {
        names.iter().filter_map(|name| self.subscriptions.get(name).copied()).collect()
    }

    /// What a document means for those that it matches, and for those that show what it replaces.
    fn deliver(&mut self, delivery: &Delivery) {
        let matching = self.known(&delivery.subscriptions);
        for one in &matching {
            self.histories.comes(*one, &delivery.document);
        }
        self.show(delivery, &matching, false);
        let Delivery { document, opened, subscriptions, .. } = delivery;
        self.lives.comes(document, opened.as_ref(), subscriptions);
        self.tell_lives();
    }

    fn show(&mut self, delivery: &Delivery, matching: &[W::Subscription], is_backlog: bool) {
        let Changes { shows, removes } = self.shown.take(&delivery.document, matching);
        let removes = removes
            .into_iter()
            .map(|(removed, subscriptions)| Action::Remove { subscriptions, removed });
        self.ready.extend(removes);
        self.ready.extend(shows.into_iter().map(|(replaces, subscriptions)| Action::Deliver {
            subscriptions,
            delivery: delivery.clone(),
            replaces,
            is_backlog,
        }));
    }

    /// Subscribes; `name` is the driver's, and new. What was before is looked for once there is a neighbour to ask.
    ///
    /// # Errors
    /// [`SubscribeError`]; also for a backlog of what is wanted discreetly.
    pub fn subscribe(
        &mut self,
        name: W::Subscription,
        wanted: Wanted,
        backlog: Option<(SharedQuery, Backlog)>,
        now: Time,
    ) -> Result<(), SubscribeError> {
        let id = match wanted {
            Wanted::Open(query) => self.peer.subscribe(query)?,
            Wanted::Discreet(_) if backlog.is_some() => return Err(Indiscreet::Backlog.into()),
            Wanted::Discreet(query) => self.peer.subscribe_discreetly(query)?,
            Wanted::Private(query) => self.peer.subscribe_privately(query, now)?,
        };
        if let Some((query, backlog)) = backlog {
            self.histories.want(name, query, backlog, now);
        }
        self.names.insert(name, id);
        self.subscriptions.insert(id, name);
        Ok(())
    }

    /// Ends a subscription. Whether there was one of this name.
    pub fn unsubscribe(&mut self, name: W::Subscription, now: Time) -> bool {
        let Some(id) = self.names.remove(&name) else { return false };
        self.subscriptions.remove(&id);
        self.shown.end(name);
        if let Some(find) = self.histories.end(name) {
            self.peer.find_end(find);
            self.found.remove(&find);
        }
        self.peer.unsubscribe(id, now);
        true
    }

    /// Publishes a document that is signed by this peer. [`Action::Publication`] says what has become
    /// of it, once it has come so far; until there is room for it at the core, it [waits](Self::publications).
    pub fn publish(
        &mut self,
        document: Arc<VerifiedDocument>,
        until: Until,
        waiter: W::Publish,
        now: Time,
    ) {
        self.publications.give(document, until, waiter);
        self.offer(now);
    }

    fn offer(&mut self, now: Time) -> bool {
        let peer = &mut self.peer;
        self.publications.offer(|document| peer.publish_signed(document, now))
    }

    /// Waits until all that was published before has come as far as it was to, or has failed.
    pub fn flush(&mut self, waiter: W::Flush) {
        self.publications.flush(waiter);
    }

    /// The documents that have neither come as far as they are to, nor failed.
    pub const fn publications(&self) -> &Publications<W::Publish, W::Flush> {
        &self.publications
    }

    /// Waits for so long until a recipient of this content is known; [`Action::Recipients`] is the
    /// answer, at once if one is known, or nothing can be waited for.
    ///
    /// # Errors
    /// The content, if [too many](crate::unsealed::MAX_UNSEALED) wait already.
    #[expect(clippy::result_large_err, reason = "the content goes back to its caller")]
    pub fn find_recipients(
        &mut self,
        unsealed: Unsealed<W::Recipients>,
        wait: Duration,
        now: Time,
    ) -> Result<(), Unsealed<W::Recipients>> {
        match self.recipients(&unsealed.content, &unsealed.options, now) {
            Err(PublishError::NoRecipient) if !wait.is_zero() => {
                self.await_recipients(unsealed, wait, now)
            }
            recipients => {
                self.decided.push_back((unsealed, recipients));
                Ok(())
            }
        }
    }

    /// Likewise, where [`recipients`](Self::recipients) has just said that there are none.
    ///
    /// # Errors
    /// As [`find_recipients`](Self::find_recipients).
    #[expect(clippy::result_large_err, reason = "the content goes back to its caller")]
    pub fn await_recipients(
        &mut self,
        unsealed: Unsealed<W::Recipients>,
        wait: Duration,
        now: Time,
    ) -> Result<(), Unsealed<W::Recipients>> {
        if !self.unsealed.has_room() {
            return Err(unsealed);
        }
        self.unsealed.add(unsealed, now.after(wait), now);
        Ok(())
    }

    /// The recipients that a content can be sealed to now.
    ///
    /// # Errors
    /// [`PublishError`]
    pub fn recipients(&mut self, content: &Map, options: &PublishOptions, now: Time) -> Recipients {
        self.peer.recipients(content, options, now)
    }

    /// Looks for documents.
    ///
    /// # Errors
    /// [`TooManyFinds`], with the waiter.
    pub fn find(
        &mut self,
        query: SharedQuery,
        options: FindOptions,
        waiter: W::Find,
        now: Time,
    ) -> Result<FindId, (TooManyFinds, W::Find)> {
        match self.peer.find(query, options, now) {
            Ok(find) => {
                self.finds.insert(find, waiter);
                Ok(find)
            }
            Err(error) => Err((error, waiter)),
        }
    }

    /// The waiter of a search, if it is not over.
    pub fn find_waiter(&self, find: FindId) -> Option<&W::Find> {
        self.finds.get(&find)
    }

    /// As [`find_waiter`](Self::find_waiter), to be altered.
    pub fn find_waiter_mut(&mut self, find: FindId) -> Option<&mut W::Find> {
        self.finds.get_mut(&find)
    }

    /// A search has no waiter any more.
    pub fn end_find(&mut self, find: FindId) -> Option<W::Find> {
        self.peer.find_end(find);
        self.finds.remove(&find)
    }

    /// Says goodbye to all neighbours and signallers.
    pub fn leave(&mut self, now: Time) {
        self.peer.leave(now);
    }

    /// Ends all looking for documents and for recipients, and gives back what waits for it.
    pub fn end_searches(&mut self) -> CutOff<W> {
        CutOff {
            publishes: Vec::new(),
            recipients: self.unsealed.drain(),
            finds: core::mem::take(&mut self.finds).into_values().collect(),
        }
    }

    /// Gives back all that wait, in the end.
    pub fn cut_off(&mut self) -> CutOff<W> {
        CutOff { publishes: self.publications.drain(), ..self.end_searches() }
    }
}

#[cfg(test)]
mod tests;
