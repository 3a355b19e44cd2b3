//! Live result sets: the documents that match a query, in an order, the first so many of them; each keeps itself
//! true.
//!
//! A set subscribes first and looks for what was before then: what is found and what comes go the same way. Beyond
//! its limit it knows some more, which take the places of those that are removed; when these are used up it looks
//! for more, from the last place that it knows. What comes behind that place is not kept, for it will be found.
//!
//! | module | holds |
//! |---|---|
//! | [`change`] | what happens to a set |
//! | [`past`] | versions and deletions, of all sets together |
//! | [`set`] | one set: what matches, in order, and what is shown of it |
//! | [`seek`] | what one set looks for |

mod change;
mod past;
mod seek;
mod set;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use taiinet_document::{Content, Opened, VerifiedDocument};
use taiinet_mesh::{FindId, FindOptions, SubscriptionId, Time, limits};
use taiinet_query::SharedQuery;

pub use change::{LIVE_LIMIT, LIVE_SETS, LiveChange, LiveError, LiveOptions, LiveState, Phase};
use past::{Past, name_of};
use seek::Seek;
use set::{Horizon, Set};

use crate::Removal;

/// A document, and what it says if it was sealed to us.
pub(crate) type Hit = (Arc<VerifiedDocument>, Option<Arc<Opened>>);

/// What a search has ended with.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) complete: bool,
    pub(crate) cursor: Option<taiinet_query::sort::Place>,
    pub(crate) sources: usize,
}

/// All live result sets.
#[derive(Debug)]
pub(crate) struct Lives<S> {
    past: Past,
    sets: BTreeMap<SubscriptionId, Live<S>>,
    names: BTreeMap<S, SubscriptionId>,
    /// Sets by what is wanted, so that equal ones are one.
    wishes: BTreeMap<Wish, SubscriptionId>,
    finds: BTreeMap<FindId, SubscriptionId>,
    /// What the users are to be told.
    told: Vec<(Vec<S>, LiveChange)>,
}

type Wish = (String, String, u16, bool);

fn wish(query: &SharedQuery, options: &LiveOptions) -> Wish {
    (query.to_string(), options.sort.to_string(), options.limit, options.private)
}

#[derive(Debug)]
struct Live<S> {
    query: SharedQuery,
    wish: Wish,
    users: BTreeSet<S>,
    set: Set,
    seek: Seek,
    /// Whether the last search was.
    complete: bool,
    /// As its users know it.
    state: LiveState,
}

impl<S> Default for Lives<S> {
    fn default() -> Self {
        Self {
            past: Past::default(),
            sets: BTreeMap::new(),
            names: BTreeMap::new(),
            wishes: BTreeMap::new(),
            finds: BTreeMap::new(),
            told: Vec::new(),
        }
    }
}

impl<S: Copy + Ord> Lives<S> {
    // ---- Users ----

    /// Whether there can be another set.
    pub(crate) fn has_room(&self) -> bool {
        self.sets.len() < LIVE_SETS
    }

    /// One more user of a set that there is; it is told what it has. Whether there is one.
    pub(crate) fn join(&mut self, name: S, query: &SharedQuery, options: &LiveOptions) -> bool {
        let Some(&id) = self.wishes.get(&wish(query, options)) else { return false };
        let Some(live) = self.sets.get_mut(&id) else { return false };
        let told = live.set.inserts().into_iter().chain([LiveChange::State(live.state)]);
        self.told.extend(told.map(|change| (vec![name], change)));
        live.users.insert(name);
        self.names.insert(name, id);
        true
    }

    /// A set, of what this subscription brings.
    pub(crate) fn begin(
        &mut self,
        name: S,
        id: SubscriptionId,
        query: SharedQuery,
        options: LiveOptions,
    ) {
        let wish = wish(&query, &options);
        self.wishes.insert(wish.clone(), id);
        self.names.insert(name, id);
        let state = LiveState::default();
        self.told.push((vec![name], LiveChange::State(state)));
        let set = Set::new(options.sort, options.limit);
        let (users, seek) = (BTreeSet::from([name]), Seek::new());
        self.sets.insert(id, Live { query, wish, users, set, seek, complete: false, state });
    }

    /// A user has left. Gives the subscription and the search that are to end, if it was the last.
    pub(crate) fn leave(&mut self, name: S) -> Option<Option<(SubscriptionId, Option<FindId>)>> {
        let id = self.names.remove(&name)?;
        let live = self.sets.get_mut(&id)?;
        live.users.remove(&name);
        if !live.users.is_empty() {
            return Some(None);
        }
        let find = live.seek.find();
        self.wishes.remove(&live.wish);
        self.sets.remove(&id);
        if let Some(find) = find {
            self.finds.remove(&find);
        }
        if self.sets.is_empty() {
            self.past = Past::default();
        }
        Some(Some((id, find)))
    }

    /// Takes what the users are to be told.
    pub(crate) fn told(&mut self) -> Vec<(Vec<S>, LiveChange)> {
        core::mem::take(&mut self.told)
    }

    // ---- What happens ----

    /// A document has come that matches these subscriptions, or none and may end what was shown.
    pub(crate) fn comes(
        &mut self,
        document: &Arc<VerifiedDocument>,
        opened: Option<&Arc<Opened>>,
        matching: &[SubscriptionId],
    ) {
        if self.sets.is_empty() {
            return;
        }
        self.take(document, opened, matching);
        self.settle();
    }

    fn take(
        &mut self,
        document: &Arc<VerifiedDocument>,
        opened: Option<&Arc<Opened>>,
        matching: &[SubscriptionId],
    ) {
        if let Content::Deleted(deletion) = document.content() {
            for id in deletion.documents() {
                self.past.delete(*id, document.author());
                self.sets.values_mut().for_each(|live| live.set.delete(id, document));
            }
        }
        self.note(document);
        for id in matching {
            if let Some(live) = self.sets.get_mut(id) {
                live.set.take(document, opened, &self.past);
            }
        }
    }

    /// What a document does to the other versions.
    fn note(&mut self, document: &VerifiedDocument) {
        let Some(name) = name_of(document) else { return };
        if !self.past.knows(&name) {
            // Perhaps it was forgotten.
            let held = self.sets.values().flat_map(|live| live.set.under(&name));
            for held in held {
                self.past.note(&name, held);
            }
        }
        if !self.past.note(&name, document) {
            return;
        }
        let reason = match document.content() {
            Content::Deleted(_) => Removal::Deleted,
            _ => Removal::Replaced,
        };
        for live in self.sets.values_mut() {
            live.set.review(&name, document, reason, &self.past);
        }
    }

    /// What has expired by now is gone.
    pub(crate) fn expire(&mut self, now: Time) {
        self.sets.values_mut().for_each(|live| live.set.expire(now.timestamp()));
        self.settle();
    }

    /// When the next document expires, or the next search is due, if there is somebody to ask.
    pub(crate) fn deadline(&self, is_acquainted: bool) -> Option<Time> {
        let deadline = |live: &Live<S>| {
            let search = live.seek.deadline().filter(|_| is_acquainted);
            search.into_iter().chain(live.set.deadline().map(Time::from)).min()
        };
        self.sets.values().filter_map(deadline).min()
    }

    // ---- Searches ----

    /// Whether something is to be looked for.
    pub(crate) fn wants(&self) -> bool {
        self.sets.values().any(|live| live.seek.wants())
    }

    /// Whether there is a neighbour.
    pub(crate) fn meet(&mut self, is_alone: bool) {
        for live in self.sets.values_mut() {
            if live.seek.meet(is_alone) {
                live.set.open();
            }
        }
        self.settle();
    }

    /// The next search that is to begin.
    pub(crate) fn next(&mut self, now: Time) -> Option<(SubscriptionId, SharedQuery, FindOptions)> {
        self.sets.iter_mut().find_map(|(id, live)| {
            let set = &mut live.set;
            if live.seek.look(set.is_short().then(|| set.last()), now) {
                set.open();
            }
            let (after, limit) = live.seek.begin(now, |after| set.room(after))?;
            let options =
                FindOptions { sort: set.sort().clone(), after, limit, wait: limits::FIND_TIMEOUT };
            Some((*id, live.query.clone(), options))
        })
    }

    /// It has begun, or has to wait for others.
    pub(crate) fn sought(&mut self, id: SubscriptionId, find: Option<FindId>, now: Time) {
        let Some(live) = self.sets.get_mut(&id) else { return };
        live.seek.sought(find, now);
        self.finds.extend(find.map(|find| (find, id)));
    }

    /// Whether a search is a set's.
    pub(crate) fn is_looking(&self, find: FindId) -> bool {
        self.finds.contains_key(&find)
    }

    /// A search has given these.
    pub(crate) fn done(&mut self, find: FindId, found: Vec<Hit>, ended: Ended, now: Time) {
        let Some(id) = self.finds.remove(&find) else { return };
        let is_over = |document: &VerifiedDocument| {
            document.expires_at.is_some_and(|end| end <= now.timestamp())
        };
        let is_empty = found.is_empty();
        for (document, opened) in found.iter().filter(|(document, _)| !is_over(document)) {
            self.take(document, opened.as_ref(), &[id]);
        }
        if let Some(live) = self.sets.get_mut(&id) {
            let Ended { complete, cursor, sources } = ended;
            if sources == 0 {
                live.seek.fails(now);
            } else {
                let reach = cursor.clone().map_or(Horizon::All, |place| Horizon::UpTo(Some(place)));
                if live.set.reaches(reach) {
                    let is_all = cursor.is_none();
                    live.complete = is_all && complete;
                    if live.seek.ends(!is_all || complete, now) {
                        live.set.open();
                    }
                } else {
                    live.seek.goes_on(cursor, is_empty, now);
                }
            }
        }
        self.settle();
    }

    /// Tells the users of each set what has changed.
    fn settle(&mut self) {
        for live in self.sets.values_mut() {
            let users = || live.users.iter().copied().collect::<Vec<_>>();
            if live.set.is_changed() {
                let changes = live.set.settle();
                self.told.extend(changes.into_iter().map(|change| (users(), change)));
            }
            let phase = live.seek.phase();
            let more = live.set.has_more(phase == Phase::Loading);
            let state = LiveState { phase, more, complete: live.complete };
            if live.state != state {
                live.state = state;
                self.told.push((users(), LiveChange::State(state)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
