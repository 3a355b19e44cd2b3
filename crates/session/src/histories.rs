//! What was published before a subscription, and then what comes: nothing is missed between the two, and nothing
//! comes twice.
//!
//! The subscription is live before anything is looked for. What is found is shown as if it came, but for what
//! came meanwhile; what comes later and was found is known. Each document is in at least one of the two: what a
//! neighbour or an archive has not got when it answers is on its way to us, since we are subscribed.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_document::{DocumentId, Timestamp, VerifiedDocument};
use taiinet_mesh::{FindId, FindOptions, Time, limits};
use taiinet_query::{Query, SharedQuery, sort::Sort};

/// How many documents are asked for at once where all are wanted.
const PAGE: u16 = 750;
/// How many documents are remembered that came while a history was looked for.
const REMEMBERED: usize = 64 * 1024;

/// What a subscription wants of the time before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// The newest, so many, and more when they are asked for; of those that come at once the oldest first.
    Last(u16),
    /// All since then, the oldest first, as fast as they are read.
    Since(Timestamp),
}

/// What has come of the time before a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ready {
    /// Whether that was all that there is, as far as those that were asked know, and they have left out nothing.
    pub complete: bool,
    /// Whether there may be older ones, to be [asked for](crate::Session::more_history).
    pub more: bool,
    /// How many peers have answered.
    pub sources: usize,
}

/// What subscriptions want.
#[derive(Debug)]
pub(crate) struct Histories<S> {
    all: BTreeMap<S, History>,
    finds: BTreeMap<FindId, S>,
}

#[derive(Debug)]
struct History {
    query: SharedQuery,
    backlog: Backlog,
    state: State,
    /// What is later than that is not looked for: it comes.
    until: Timestamp,
    /// What came live and may be found as well.
    came: BTreeSet<DocumentId>,
    /// Whether its reader is behind.
    is_held: bool,
    sources: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is to be looked for as soon as there is somebody to ask.
    Wanted,
    Sought(FindId),
    /// There may be more.
    Rests(FindId),
    Over,
}

/// What is to be looked for.
#[derive(Debug)]
pub(crate) enum Step<S> {
    Begin { subscription: S, query: SharedQuery, options: FindOptions },
    GoOn { find: FindId, limit: u16 },
}

/// What a search has given a subscription.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Given<S> {
    pub(crate) subscription: S,
    /// Whether what was found is to be shown in the opposite order.
    pub(crate) is_reversed: bool,
    /// What is to be said after that.
    pub(crate) ready: Option<Ready>,
}

impl<S> Default for Histories<S> {
    fn default() -> Self {
        Self { all: BTreeMap::new(), finds: BTreeMap::new() }
    }
}

impl<S: Copy + Ord> Histories<S> {
    pub(crate) fn want(
        &mut self,
        subscription: S,
        query: SharedQuery,
        backlog: Backlog,
        now: Time,
    ) {
        let history = History {
            query,
            backlog,
            state: State::Wanted,
            until: now.after(limits::CLOCK_SKEW).timestamp(),
            came: BTreeSet::new(),
            is_held: false,
            sources: 0,
        };
        self.all.insert(subscription, history);
    }

    /// Older ones are wanted of one that has had its newest: gives its search, which goes on.
    pub(crate) fn want_more(&mut self, subscription: S) -> Option<FindId> {
        let history = self.all.get_mut(&subscription)?;
        let (Backlog::Last(_), State::Rests(find)) = (history.backlog, history.state) else {
            return None;
        };
        history.state = State::Sought(find);
        Some(find)
    }

    /// Its reader is behind, or has caught up.
    pub(crate) fn hold(&mut self, subscription: S, is_held: bool) {
        if let Some(history) = self.all.get_mut(&subscription) {
            history.is_held = is_held;
        }
    }

    /// Whether something is to be looked for that has not begun.
    pub(crate) fn wants(&self) -> bool {
        self.all.values().any(|history| history.state == State::Wanted)
    }

    /// A subscription has ended; gives its search.
    pub(crate) fn end(&mut self, subscription: S) -> Option<FindId> {
        match self.all.remove(&subscription)?.state {
            State::Sought(find) | State::Rests(find) => {
                self.finds.remove(&find);
                Some(find)
            }
            State::Wanted | State::Over => None,
        }
    }

    /// The next thing to look for.
    pub(crate) fn next(&self, is_acquainted: bool) -> Option<Step<S>> {
        self.all.iter().find_map(|(subscription, history)| match history.state {
            State::Wanted if is_acquainted => Some(history.begin(*subscription)),
            State::Rests(find) if !history.is_held => {
                let Backlog::Since(_) = history.backlog else { return None };
                Some(Step::GoOn { find, limit: PAGE })
            }
            _ => None,
        })
    }

    /// It is looked for from now on.
    pub(crate) fn sought(&mut self, subscription: S, find: FindId) {
        if let Some(history) = self.all.get_mut(&subscription) {
            history.state = State::Sought(find);
            self.finds.insert(find, subscription);
        }
    }

    /// A search that rests goes on.
    pub(crate) fn go_on(&mut self, find: FindId) {
        let history = self.finds.get(&find).and_then(|subscription| self.all.get_mut(subscription));
        if let Some(history) = history {
            history.state = State::Sought(find);
        }
    }

    /// A document has come live to a subscription.
    pub(crate) fn comes(&mut self, subscription: S, document: &VerifiedDocument) {
        if let Some(history) = self.all.get_mut(&subscription)
            && history.state != State::Over
            && document.created_at <= history.until
            && history.came.len() < REMEMBERED
        {
            history.came.insert(document.id());
        }
    }

    /// The subscription for which a search is.
    pub(crate) fn subscription(&self, find: FindId) -> Option<S> {
        self.finds.get(&find).copied()
    }

    /// Whether a document that was found has come live.
    pub(crate) fn has_come(&self, subscription: S, id: &DocumentId) -> bool {
        self.all.get(&subscription).is_some_and(|history| history.came.contains(id))
    }

    /// A search has given what was asked for.
    pub(crate) fn done(
        &mut self,
        find: FindId,
        (complete, more): (bool, bool),
        sources: usize,
    ) -> Option<Given<S>> {
        let subscription = *self.finds.get(&find)?;
        let history = self.all.get_mut(&subscription)?;
        history.sources = history.sources.max(sources);
        let sources = history.sources;
        let is_reversed = matches!(history.backlog, Backlog::Last(_));
        history.state = if more { State::Rests(find) } else { State::Over };
        let ready = Ready { complete, more, sources };
        let ready = (is_reversed || !more).then_some(ready);
        if !more {
            self.finds.remove(&find);
            history.came = BTreeSet::new();
        }
        Some(Given { subscription, is_reversed, ready })
    }
}

impl History {
    fn begin<S>(&self, subscription: S) -> Step<S> {
        let (sort, limit, query) = match self.backlog {
            Backlog::Last(limit) => (Sort::newest(), limit, self.query.clone()),
            Backlog::Since(since) => (Sort::oldest(), PAGE, within(&self.query, since, self.until)),
        };
        let options = FindOptions { sort, after: None, limit, wait: limits::FIND_TIMEOUT };
        Step::Begin { subscription, query, options }
    }
}

/// What matches a query and was published at that time. Where a query is so long that there is no room to say so,
/// the query: what is found besides is shown only once.
fn within(query: &SharedQuery, since: Timestamp, until: Timestamp) -> SharedQuery {
    let time = format!(
        r#"{{"_created_at": {{"$gte": {}, "$lte": {}}}}}"#,
        since.as_millis(),
        until.as_millis()
    );
    let both = format!(r#"{{"$and": [{query}, {time}]}}"#);
    both.parse::<Query>().ok().and_then(|query| query.try_into().ok()).unwrap_or(query.clone())
}
