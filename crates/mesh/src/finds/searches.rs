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
    /// Whether a neighbour that was asked is gone.
    lost: bool,
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
            lost: false,
        };
        self.running.insert(find, search);
        Ok(find)
    }

    pub(crate) fn get(&self, find: FindId) -> Option<&Search> {
        self.running.get(&find)
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

    /// A neighbour has said all it has to say to a request.
    pub(crate) fn answered(&mut self, link: LinkId, request: u32) {
        if let Some(search) = self.running.get_mut(&FindId(request))
            && search.waiting.remove(&link).is_some()
        {
            search.answered += 1;
        }
    }

    /// A link is gone.
    pub(crate) fn link_down(&mut self, link: LinkId) {
        for search in self.running.values_mut() {
            search.lost |= search.waiting.remove(&link).is_some();
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

/// What we have for a neighbour that asks, the newest first, and the fuel that it took to look.
///
/// # Errors
/// [`Misbehaviour::FindFlood`]; [`Misbehaviour::InvalidQuery`], [`Misbehaviour::Oversize`].
pub(crate) fn answer(
    asked: &Find,
    budgets: &mut Budgets,
    store: &Recent,
    now: Time,
) -> Result<(Vec<SignedDocument>, u64), Misbehaviour> {
    if asked.query.len() > limits::FIND_QUERY_BYTES {
        return Err(Misbehaviour::Oversize);
    }
    budgets.find(now)?;
    let query =
        SharedQuery::parse_untrusted(&asked.query).map_err(|_| Misbehaviour::InvalidQuery)?;
    let (mut left, mut bytes) = (limits::FIND_FUEL, 0);
    let documents = look(store, &query, asked.since, &mut left, now)
        .take(asked.limit.into())
        .map(|(kept, _)| kept.signed())
        .take_while(|document| {
            bytes += document.size();
            bytes <= limits::FOUND_BYTES
        })
        .cloned()
        .collect();
    Ok((documents, limits::FIND_FUEL - left))
}

impl Search {
    /// What we have ourselves, the newest first.
    pub(crate) fn own(&self, recent: &Recent, now: Time) -> Vec<Arc<VerifiedDocument>> {
        let mut left = limits::FIND_FUEL;
        let found = look(recent, &self.query, Timestamp::default(), &mut left, now);
        found.map(|(_, document)| Arc::new(document)).take(self.limit).collect()
    }

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
            Some(!self.lost)
        } else {
            (now >= self.ends_at).then_some(false)
        }
    }
}

/// The documents since then that match, the newest first, as far as the fuel goes: a stranger chose the
/// query and strangers the documents. Each is decoded to be looked at.
fn look<'a>(
    recent: &'a Recent,
    query: &'a Query,
    since: Timestamp,
    left: &'a mut u64,
    now: Time,
) -> impl Iterator<Item = (&'a Kept, VerifiedDocument)> + use<'a> {
    let matching = move |kept: &'a Kept| {
        if kept.is_expired(now) {
            return None;
        }
        // One that is too expensive does not hide the cheap ones behind it.
        let fuel = Fuel::new(left.checked_sub(decoding(kept))?);
        let document = kept.decode().ok()?;
        let matches = query.matches_document_within(&document, &fuel);
        *left = fuel.left();
        (matches == Ok(true)).then_some((kept, document))
    };
    recent.newest(since).filter_map(matching)
}

/// What it takes to decode a document.
fn decoding(kept: &Kept) -> u64 {
    let bytes = kept.signed().size() + kept.decoded_size() / limits::FIND_DECODED_SHARE;
    limits::DECODING_FUEL.saturating_mul(bytes as u64)
}

#[cfg(test)]
mod tests;
