//! Searches of ours that are under way, and looking itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use taiinet_document::{DocumentId, Map, SignedDocument, Timestamp, VerifiedDocument};
use taiinet_query::{Attributes, Fuel, OutOfFuel, Query, SharedQuery};

use crate::{
    FindId, LinkId, Misbehaviour, Time, TooManyFinds,
    documents::{Kept, Recent},
    limits,
    links::Budgets,
    wire::Find,
};

/// Our searches.
#[derive(Debug, Default)]
pub(crate) struct Searches {
    last: u32,
    running: BTreeMap<FindId, Search>,
}

/// A search of ours.
#[derive(Debug)]
pub(crate) struct Search {
    query: SharedQuery,
    limit: usize,
    /// How many key exchanges it may still take to open what is sealed.
    openings: usize,
    /// The fuel that evaluating what was opened may still take, for all of it.
    opened_fuel: u64,
    found: BTreeSet<DocumentId>,
    /// What they hold of the heap, wherever they are.
    heap_bytes: usize,
    ends_at: Time,
    /// The neighbours that were asked and have not finished their answers.
    waiting: BTreeMap<LinkId, Allowance>,
    answered: usize,
    /// Whether there may be more than was found: a neighbour that was asked is gone, or could not be asked, or
    /// says so.
    left_out: bool,
}

/// What an answer may still bring.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    documents: usize,
    bytes: usize,
    /// The fuel that matching it may take: an honest neighbour has evaluated the same query on the same
    /// documents within as much.
    fuel: u64,
}

impl Searches {
    /// Begins a search.
    pub(crate) fn begin(
        &mut self,
        query: SharedQuery,
        limit: u16,
        now: Time,
    ) -> Result<FindId, TooManyFinds> {
        if self.running.len() >= limits::FINDS {
            return Err(TooManyFinds);
        }
        self.last = self.last.wrapping_add(1);
        let find = FindId(self.last);
        let search = Search {
            query,
            limit: limit.into(),
            openings: limits::FIND_OPENINGS,
            opened_fuel: limits::FIND_FUEL,
            found: BTreeSet::new(),
            heap_bytes: 0,
            ends_at: now.after(limits::FIND_TIMEOUT),
            waiting: BTreeMap::new(),
            answered: 0,
            left_out: false,
        };
        self.running.insert(find, search);
        Ok(find)
    }

    /// What we have ourselves for a search, the newest first.
    pub(crate) fn own(
        &mut self,
        find: FindId,
        store: &Recent,
        now: Time,
    ) -> Vec<Arc<VerifiedDocument>> {
        let Some(search) = self.running.get_mut(&find) else { return Vec::new() };
        let mut own = Vec::new();
        let Looked { complete, .. } =
            look(store, &search.query, Timestamp::default(), now, |_, document| {
                let room = own.len() < search.limit;
                if room {
                    own.push(Arc::new(document));
                }
                room
            });
        search.left_out |= !complete;
        own
    }

    /// The searches under way.
    pub(crate) fn running(&self) -> Vec<FindId> {
        self.running.keys().copied().collect()
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
        if !budgets.may_ask_to_find(search.limit, now) {
            search.left_out = true;
            return None;
        }
        let (bytes, fuel) = (limits::FOUND_BYTES, limits::FIND_FUEL);
        let allowance = Allowance { documents: search.limit, bytes, fuel };
        search.waiting.insert(link, allowance);
        Some(Find {
            request: find.0,
            query: search.query.to_string(),
            limit: u16::try_from(search.limit).unwrap_or(u16::MAX),
            since: Timestamp::default(),
        })
    }

    /// A neighbour brings a document in answer to this request. Gives the search that it is for, if
    /// that has not found it yet.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`] if there was no such request, or it brings more than it may.
    pub(crate) fn brings(
        &mut self,
        link: LinkId,
        request: u32,
        id: &DocumentId,
        bytes: usize,
    ) -> Result<Option<FindId>, Misbehaviour> {
        let find = FindId(request);
        let Some(search) = self.running.get_mut(&find) else {
            // It may be over; but one that never was is an invention.
            return if find.0 <= self.last { Ok(None) } else { Err(Misbehaviour::Unasked) };
        };
        let left = search.waiting.get_mut(&link).ok_or(Misbehaviour::Unasked)?;
        left.documents = left.documents.checked_sub(1).ok_or(Misbehaviour::Unasked)?;
        left.bytes = left.bytes.checked_sub(bytes).ok_or(Misbehaviour::Unasked)?;
        Ok((!search.found.contains(id)).then_some(find))
    }

    /// Whether a document that a neighbour brings matches, as far as there is fuel for its answer.
    pub(crate) fn matches(
        &mut self,
        find: FindId,
        link: LinkId,
        document: &VerifiedDocument,
    ) -> Result<bool, OutOfFuel> {
        let search = self.running.get_mut(&find).ok_or(OutOfFuel)?;
        let allowance = search.waiting.get_mut(&link).ok_or(OutOfFuel)?;
        let fuel = Fuel::new(allowance.fuel);
        let matches = search.query.matches_document_within(document, &fuel);
        allowance.fuel = fuel.left();
        matches
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
        let matches = search.query.matches_within(Attributes::of(document), says, &fuel);
        search.opened_fuel = fuel.left();
        matches == Ok(true)
    }

    /// Takes what opening a document with so many keys takes, if the search has so much left.
    pub(crate) fn may_open(&mut self, find: FindId, keys: usize) -> bool {
        let left = self.running.get_mut(&find).map(|search| &mut search.openings);
        left.is_some_and(|left| left.checked_sub(keys).map(|less| *left = less).is_some())
    }

    /// A search has found a document that holds so many bytes of the heap. True if that was news, and
    /// there is room for it.
    pub(crate) fn found(&mut self, find: FindId, id: DocumentId, heap_size: usize) -> bool {
        let Some(search) = self.running.get_mut(&find) else { return false };
        if search.found.len() >= search.limit || search.is_full() || !search.found.insert(id) {
            return false;
        }
        search.heap_bytes = search.heap_bytes.saturating_add(heap_size);
        true
    }

    /// A neighbour has said all it has to say to a request; `complete` if that was all that it has.
    pub(crate) fn answered(&mut self, link: LinkId, request: u32, complete: bool) {
        if let Some(search) = self.running.get_mut(&FindId(request))
            && search.waiting.remove(&link).is_some()
        {
            search.answered += 1;
            search.left_out |= !complete;
        }
    }

    /// A link is gone.
    pub(crate) fn link_down(&mut self, link: LinkId) {
        for search in self.running.values_mut() {
            search.left_out |= search.waiting.remove(&link).is_some();
        }
    }

    /// Ends a search; whether it was under way.
    pub(crate) fn end(&mut self, find: FindId) -> bool {
        self.running.remove(&find).is_some()
    }

    /// Takes out the searches that are over, with whether each is complete.
    pub(crate) fn over(&mut self, now: Time) -> Vec<(FindId, bool)> {
        let over: Vec<(FindId, bool)> = self
            .running
            .iter()
            .filter_map(|(find, search)| Some((*find, search.is_over(now)?)))
            .collect();
        for (find, _) in &over {
            self.running.remove(find);
        }
        over
    }

    /// When a search has lasted long enough.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.running.values().map(|search| search.ends_at).min()
    }
}

/// What we have for a neighbour that asks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The newest first.
    pub(crate) documents: Vec<SignedDocument>,
    /// Whether that is all.
    pub(crate) complete: bool,
    /// The fuel that it took to look.
    pub(crate) fuel: u64,
}

/// Answers a neighbour.
///
/// # Errors
/// [`Misbehaviour::FindFlood`]; [`Misbehaviour::InvalidQuery`], [`Misbehaviour::Oversize`].
pub(crate) fn answer(
    asked: &Find,
    budgets: &mut Budgets,
    store: &Recent,
    now: Time,
) -> Result<Answer, Misbehaviour> {
    if asked.query.len() > limits::FIND_QUERY_BYTES {
        return Err(Misbehaviour::Oversize);
    }
    budgets.find(now)?;
    let query =
        SharedQuery::parse_untrusted(&asked.query).map_err(|_| Misbehaviour::InvalidQuery)?;
    let (mut documents, mut bytes) = (Vec::new(), 0);
    let Looked { complete, fuel } = look(store, &query, asked.since, now, |kept, _| {
        bytes += kept.signed().size();
        let room = documents.len() < asked.limit.into() && bytes <= limits::FOUND_BYTES;
        if room {
            documents.push(kept.signed().clone());
        }
        room
    });
    Ok(Answer { documents, complete, fuel })
}

impl Search {
    /// Whether what it has found takes so much room that nothing more is taken.
    const fn is_full(&self) -> bool {
        self.heap_bytes >= limits::FIND_HEAP_BYTES
    }

    /// Whether it is complete, if it is over.
    fn is_over(&self, now: Time) -> Option<bool> {
        if self.found.len() >= self.limit {
            Some(true)
        } else if self.is_full() {
            Some(false)
        } else if self.waiting.is_empty() && self.answered > 0 {
            Some(!self.left_out)
        } else {
            (now >= self.ends_at).then_some(false)
        }
    }
}

/// How far a look went.
struct Looked {
    /// Whether everything was looked at, and taken if it matches.
    complete: bool,
    fuel: u64,
}

/// Gives the documents since then that match to `take`, the newest first, until that has no room, and as far
/// as the fuel goes: a stranger chose the query and strangers the documents. Each is decoded to be looked at.
fn look(
    store: &Recent,
    query: &Query,
    since: Timestamp,
    now: Time,
    mut take: impl FnMut(&Kept, VerifiedDocument) -> bool,
) -> Looked {
    let (mut left, mut complete) = (limits::FIND_FUEL, true);
    for (number, kept) in store.newest(since, now).enumerate() {
        if number == limits::FIND_DOCUMENTS {
            complete = false;
            break;
        }
        let Some(kept) = kept else {
            complete = false;
            continue;
        };
        if kept.is_expired(now) {
            continue;
        }
        // One that is too expensive does not hide the cheap ones behind it.
        let Some(enough) = left.checked_sub(decoding(kept)) else {
            complete = false;
            continue;
        };
        let Ok(document) = kept.decode() else { continue };
        let fuel = Fuel::new(enough);
        let matches = query.matches_document_within(&document, &fuel);
        left = fuel.left();
        match matches {
            Ok(true) if take(kept, document) => {}
            Ok(true) => {
                complete = false;
                break;
            }
            Ok(false) => {}
            Err(OutOfFuel) => complete = false,
        }
    }
    Looked { complete, fuel: limits::FIND_FUEL - left }
}

/// What it takes to decode a document.
fn decoding(kept: &Kept) -> u64 {
    let bytes = kept.signed().size() + kept.decoded_size() / limits::FIND_DECODED_SHARE;
    limits::DECODING_FUEL.saturating_mul(bytes as u64)
}

#[cfg(test)]
mod tests;
