//! Searches of ours that are under way.
//!
//! Each source, that is each neighbour that is asked and our own store, gives what it has in the order that is
//! wanted, a page at a time, and says how far that reaches. What all of them have given up to the same place is
//! the result up to there: so it comes in one order, each document once, and whoever stops there can go on from
//! there. A neighbour that is lost, says nothing or cannot be asked is done without, and the result is not called
//! complete.

mod sources;

use core::{mem, time::Duration};
use std::{collections::BTreeMap, sync::Arc};

use taiinet_document::{Map, Mark, Opened, VerifiedDocument, Versions};
use taiinet_identity::PeerId;
use taiinet_query::{Attributes, Fuel, OutOfFuel, sort::Place};

use crate::{FindId, LinkId, Misbehaviour, Time, TooManyFinds, limits, links::Budgets, wire::Find};
use sources::{Reach, Sources};

use super::answers::Wish;

/// Our searches.
#[derive(Debug, Default)]
pub(crate) struct Searches {
    last: u32,
    last_request: u32,
    running: BTreeMap<FindId, Search>,
    /// Neighbours that a search has waited for, and whether in vain.
    waited: Vec<(LinkId, bool)>,
}

/// A search of ours.
#[derive(Debug)]
struct Search {
    wish: Wish,
    /// How many key exchanges it may still take to open what is sealed.
    openings: usize,
    /// The fuel that evaluating what was opened may still take, for all of it.
    opened_fuel: u64,
    /// What was found and not given yet.
    hits: BTreeMap<Place, Hit>,
    /// What they hold of the heap.
    heap_bytes: usize,
    /// The versions that were found.
    versions: BTreeMap<(PeerId, String), Versions>,
    ends_at: Time,
    /// Whether a page was given, and no other is wanted yet.
    rests: bool,
    sources: Sources,
}

/// A document that a search has found.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) document: Arc<VerifiedDocument>,
    /// What it says, if it was sealed to us.
    pub(crate) opened: Option<Arc<Opened>>,
}

impl Hit {
    fn heap_size(&self) -> usize {
        self.document.heap_size() + self.opened.as_ref().map_or(0, |opened| opened.heap_size())
    }
}

/// What a search gives the application.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) find: FindId,
    pub(crate) hits: Vec<Hit>,
    /// Whether that is all.
    pub(crate) complete: bool,
    /// From where to go on, if there may be more.
    pub(crate) cursor: Option<Place>,
    /// How many neighbours have answered.
    pub(crate) sources: usize,
}

impl Searches {
    /// Begins a search.
    pub(crate) fn begin(
        &mut self,
        wish: Wish,
        wait: Duration,
        now: Time,
    ) -> Result<FindId, TooManyFinds> {
        let active = self.running.values().filter(|search| !search.rests).count();
        if active >= limits::FINDS || self.running.len() >= limits::FINDS_AT_REST {
            return Err(TooManyFinds);
        }
        self.last = self.last.wrapping_add(1);
        let find = FindId(self.last);
        let search = Search {
            sources: Sources::new(wish.after.clone()),
            wish,
            openings: limits::FIND_OPENINGS,
            opened_fuel: limits::FIND_FUEL,
            hits: BTreeMap::new(),
            heap_bytes: 0,
            versions: BTreeMap::new(),
            ends_at: now.after(wait.min(limits::FIND_TIMEOUT)),
            rests: false,
        };
        self.running.insert(find, search);
        Ok(find)
    }

    /// So many more are wanted of a search that rests. Whether there is one of this name.
    pub(crate) fn go_on(&mut self, find: FindId, limit: usize, now: Time) -> bool {
        let Some(search) = self.running.get_mut(&find) else { return false };
        search.wish.limit = limit;
        search.ends_at = now.after(limits::FIND_TIMEOUT);
        search.rests = false;
        search.openings = limits::FIND_OPENINGS;
        search.opened_fuel = limits::FIND_FUEL;
        true
    }

    /// Those of which something is wanted.
    pub(crate) fn active(&self) -> Vec<FindId> {
        let active = self.running.iter().filter(|(_, search)| !search.rests);
        active.map(|(find, _)| *find).collect()
    }

    /// All searches.
    pub(crate) fn running(&self) -> Vec<FindId> {
        self.running.keys().copied().collect()
    }

    /// A neighbour is there to be asked.
    pub(crate) fn source(&mut self, find: FindId, link: LinkId) {
        if let Some(search) = self.running.get_mut(&find) {
            search.sources.add(link, search.wish.after.clone());
        }
    }

    /// What is to be looked for in our own store, if its turn has come.
    pub(crate) fn ask_own(&self, find: FindId) -> Option<Wish> {
        let search = self.running.get(&find)?;
        let needed = search.needed();
        let after = search.sources.next_own(needed.as_ref())?;
        Some(Wish { after, ..search.wish.clone() })
    }

    /// Which neighbours are to be asked for more.
    pub(crate) fn turns(&self) -> Vec<(FindId, LinkId)> {
        let turns = |(find, search): (&FindId, &Search)| {
            let links = search.sources.turns(search.needed().as_ref());
            links.into_iter().map(|link| (*find, link)).collect::<Vec<_>>()
        };
        self.running.iter().filter(|(_, search)| !search.rests).flat_map(turns).collect()
    }

    /// What to ask a neighbour for a search; none if it was asked too much already.
    pub(crate) fn ask(
        &mut self,
        find: FindId,
        link: LinkId,
        budgets: &mut Budgets,
        now: Time,
    ) -> Option<Find> {
        let search = self.running.get_mut(&find)?;
        if !budgets.may_ask_to_find(search.wish.limit, now) {
            search.sources.lose(link);
            return None;
        }
        self.last_request = self.last_request.wrapping_add(1);
        let request = self.last_request;
        let after = search.sources.ask(link, request, search.wish.limit, now)?;
        let sort = &search.wish.sort;
        Some(Find {
            request,
            query: search.wish.query.to_string(),
            sort: if sort.is_newest() { String::new() } else { sort.to_string() },
            after: after.map_or_else(Vec::new, |place| place.as_bytes().to_vec()),
            limit: u16::try_from(search.wish.limit).unwrap_or(u16::MAX),
        })
    }

    /// A neighbour brings a document of so many bytes in answer to this request. Gives the search that it is for,
    /// if it goes on.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`] if there was no such request, or it brings more than it may.
    pub(crate) fn brings(
        &mut self,
        link: LinkId,
        request: u32,
        bytes: usize,
    ) -> Result<Option<FindId>, Misbehaviour> {
        let Some(find) = self.asked(link, request) else {
            // It may be over; but one that never was is an invention.
            return if request <= self.last_request {
                Ok(None)
            } else {
                Err(Misbehaviour::Unasked)
            };
        };
        if let Some(search) = self.running.get_mut(&find) {
            search.sources.brings(link, bytes)?;
        }
        Ok(Some(find))
    }

    /// Neighbours that searches have waited for since this was asked before, and whether in vain.
    pub(crate) fn waited(&mut self) -> Vec<(LinkId, bool)> {
        mem::take(&mut self.waited)
    }

    /// Some that may have something for a search are not asked.
    pub(crate) fn leave_out(&mut self, find: FindId) {
        if let Some(search) = self.running.get_mut(&find) {
            search.sources.leave_out();
        }
    }

    fn asked(&self, link: LinkId, request: u32) -> Option<FindId> {
        let asked = |search: &Search| search.sources.request(link) == Some(request);
        self.running.iter().find_map(|(find, search)| asked(search).then_some(*find))
    }

    /// Whether a document that a neighbour brings matches, as far as there is fuel for its answer, and stands where
    /// it should.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`] if it does not.
    pub(crate) fn check(
        &mut self,
        find: FindId,
        link: LinkId,
        document: &VerifiedDocument,
    ) -> Result<Result<(), OutOfFuel>, Misbehaviour> {
        let Some(search) = self.running.get_mut(&find) else { return Ok(Err(OutOfFuel)) };
        let Some(fuel) = search.sources.fuel(link) else { return Ok(Err(OutOfFuel)) };
        let left = Fuel::new(*fuel);
        let matches = search.wish.query.matches_document_within(document, &left);
        *fuel = left.left();
        if matches == Ok(false) {
            return Err(Misbehaviour::Unasked);
        }
        let place = search.wish.sort.place_of(document).ok_or(Misbehaviour::Unasked)?;
        search.sources.stands(link, place)?;
        Ok(matches.map(|_| ()))
    }

    /// Whether what a sealed document says to us matches, as far as there is fuel for the search.
    pub(crate) fn matches_opened(
        &mut self,
        find: FindId,
        document: &VerifiedDocument,
        says: &Map,
    ) -> bool {
        let Some(search) = self.running.get_mut(&find) else { return false };
        let fuel = Fuel::new(search.opened_fuel);
        let matches = search.wish.query.matches_within(Attributes::of(document), says, &fuel);
        search.opened_fuel = fuel.left();
        matches == Ok(true)
    }

    /// Takes what opening a document with so many keys takes, if the search has so much left.
    pub(crate) fn may_open(&mut self, find: FindId, keys: usize) -> bool {
        let left = self.running.get_mut(&find).map(|search| &mut search.openings);
        left.is_some_and(|left| left.checked_sub(keys).map(|less| *left = less).is_some())
    }

    /// A search has found a document.
    pub(crate) fn found(&mut self, find: FindId, hit: Hit) {
        let Some(search) = self.running.get_mut(&find) else { return };
        let Some(place) = search.wish.sort.place_of(&hit.document) else { return };
        // It was given before.
        if search.wish.after.as_ref().is_some_and(|after| place <= *after) {
            return;
        }
        search.note_version(&hit.document);
        let bytes = hit.heap_size();
        if search.hits.insert(place, hit).is_none() {
            search.heap_bytes = search.heap_bytes.saturating_add(bytes);
        }
        search.make_room();
    }

    /// A neighbour has said all it has to say to a request: up to where that is all that it has, if there is more.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`] if that is not behind what it was asked for and what it sent.
    pub(crate) fn answered(
        &mut self,
        link: LinkId,
        request: u32,
        until: Option<Place>,
        left_out: bool,
    ) -> Result<(), Misbehaviour> {
        let Some(find) = self.asked(link, request) else { return Ok(()) };
        let Some(search) = self.running.get_mut(&find) else { return Ok(()) };
        search.sources.answered(link, until, left_out)
    }

    /// What our own store has.
    pub(crate) fn own(&mut self, find: FindId, until: Option<Place>, left_out: bool) {
        if let Some(search) = self.running.get_mut(&find) {
            search.sources.own(until, left_out);
        }
    }

    /// A link is gone.
    pub(crate) fn link_down(&mut self, link: LinkId) {
        for search in self.running.values_mut() {
            search.sources.lose(link);
        }
    }

    /// Ends a search; whether there was one.
    pub(crate) fn end(&mut self, find: FindId) -> bool {
        self.running.remove(&find).is_some()
    }

    /// Takes out what can be given now.
    pub(crate) fn give(&mut self, now: Time) -> Vec<Given> {
        self.give_of(now, |_| true)
    }

    /// The same of those that have lasted long enough: others wait for one more source.
    pub(crate) fn give_late(&mut self, now: Time) -> Vec<Given> {
        self.give_of(now, |search| now >= search.ends_at)
    }

    fn give_of(&mut self, now: Time, which: impl Fn(&Search) -> bool) -> Vec<Given> {
        let mut given = Vec::new();
        let active = self.running.iter_mut().filter(|(_, search)| !search.rests && which(search));
        for (find, search) in active {
            if now >= search.ends_at {
                let missed = search.sources.give_up(now);
                // What came while we slept has not been read yet.
                let in_time = now < search.ends_at.after(limits::OVERSLEPT);
                self.waited.extend(missed.into_iter().filter(|_| in_time).map(|link| (link, true)));
            }
            if let Some(page) = search.give(*find, now) {
                self.waited.extend(search.sources.prompt().map(|link| (link, false)));
                given.push(page);
            }
        }
        for given in given.iter().filter(|given| given.cursor.is_none()) {
            self.running.remove(&given.find);
        }
        given
    }

    /// When a search has lasted long enough.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let active = self.running.values().filter(|search| !search.rests);
        active
            .map(|search| {
                let now = search.sources.next_own(search.needed().as_ref()).is_some();
                // The rest of our own store has its turn when others have had theirs.
                if now { Time::default() } else { search.ends_at }
            })
            .min()
    }
}

impl Search {
    /// How far it must reach for as many as are wanted, if so many were found.
    fn needed(&self) -> Option<Place> {
        let last = self.wish.limit.checked_sub(1)?;
        self.hits.keys().nth(last).cloned()
    }

    /// What comes last is asked for again when its time has come.
    fn make_room(&mut self) {
        while self.heap_bytes > limits::FIND_HEAP_BYTES && self.hits.len() > 1 {
            let Some((place, hit)) = self.hits.pop_last() else { return };
            self.heap_bytes = self.heap_bytes.saturating_sub(hit.heap_size());
            let last = self.hits.last_key_value().map(|(place, _)| place.clone());
            self.sources.retreat(&place, last);
        }
    }

    fn note_version(&mut self, document: &VerifiedDocument) {
        let Some(key) = &document.key else { return };
        if self.versions.len() >= limits::FIND_VERSIONS {
            self.versions.clear();
        }
        let versions = self.versions.entry((document.owner(), key.name().to_owned()));
        versions.or_default().insert(document.author(), Mark::from(document), key);
    }

    fn is_replaced(&self, document: &VerifiedDocument) -> bool {
        let Some(key) = &document.key else { return false };
        let versions = self.versions.get(&(document.owner(), key.name().to_owned()));
        versions.is_some_and(|versions| {
            versions.replaced_by(document.author(), Mark::from(document), key).is_some()
        })
    }

    /// A page, once all sources have come so far, or there is no more time.
    fn give(&mut self, find: FindId, now: Time) -> Option<Given> {
        let late = now >= self.ends_at;
        let reach = self.sources.reach();
        let ready = match &reach {
            Reach::All => self.hits.len(),
            Reach::UpTo(None) => 0,
            Reach::UpTo(Some(place)) => self.hits.range(..=place).count(),
        };
        let enough = ready >= self.wish.limit;
        let ended = matches!(reach, Reach::All) && self.sources.answered_by() > 0;
        if !enough && !ended && !late {
            return None;
        }
        let mut hits = Vec::new();
        let mut last = None;
        for _ in 0..ready.min(self.wish.limit) {
            let Some((place, hit)) = self.hits.pop_first() else { break };
            self.heap_bytes = self.heap_bytes.saturating_sub(hit.heap_size());
            last = Some(place);
            if !self.is_replaced(&hit.document) {
                hits.push(hit);
            }
        }
        let all = ended && self.hits.is_empty();
        let complete = all && !self.sources.left_out();
        // Where nothing more is ready it goes on from where all have come to, also if nothing matches up to there.
        let end = match reach {
            Reach::UpTo(place) if ready <= self.wish.limit => place.max(last),
            _ => last,
        };
        let is_further = end > self.wish.after;
        let cursor = end.clone().filter(|_| !all && is_further);
        if is_further {
            self.wish.after = end;
        }
        self.rests = true;
        self.sources.rise();
        let sources = self.sources.answered_by();
        Some(Given { find, hits, complete, cursor, sources })
    }
}

#[cfg(test)]
mod tests;
