//! Looking in the store of recent documents, for neighbours and for ourselves.

use std::collections::BTreeMap;

use taiinet_document::{Mark, SignedDocument};
use taiinet_query::{
    Fuel, OutOfFuel, SharedQuery,
    sort::{Place, Sort},
};

use crate::{
    Misbehaviour, Time,
    documents::{Kept, Recent},
    limits,
    links::{AnswerPart, Budgets},
    wire::{Find, Rest},
};

/// What is looked for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) query: SharedQuery,
    pub(crate) sort: Sort,
    pub(crate) after: Option<Place>,
    pub(crate) limit: usize,
    pub(crate) bytes: usize,
}

impl Wish {
    /// What a neighbour asks for, with so many bytes at most. That it asks is paid for before its query is compiled.
    ///
    /// # Errors
    /// [`Misbehaviour::FindFlood`], [`Misbehaviour::InvalidQuery`], [`Misbehaviour::Oversize`].
    pub(crate) fn asked(
        asked: &Find,
        budgets: &mut Budgets,
        room: usize,
        now: Time,
    ) -> Result<Self, Misbehaviour> {
        if asked.query.len() > limits::FIND_QUERY_BYTES
            || asked.sort.len() > taiinet_query::limits::SORT_BYTES
            || asked.after.len() > taiinet_query::limits::PLACE_BYTES
        {
            return Err(Misbehaviour::Oversize);
        }
        budgets.find(now)?;
        let wrong = |_| Misbehaviour::InvalidQuery;
        let after = Some(&asked.after[..]).filter(|bytes| !bytes.is_empty());
        Ok(Self {
            query: SharedQuery::parse_untrusted(&asked.query)
                .map_err(|_| Misbehaviour::InvalidQuery)?,
            sort: Sort::parse(&asked.sort).map_err(|_| Misbehaviour::InvalidQuery)?,
            after: after.map(Place::from_bytes).transpose().map_err(wrong)?,
            limit: asked.limit.into(),
            bytes: limits::FOUND_BYTES.min(room),
        })
    }
}

/// Documents in the order of a wish, the first that there are.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) documents: Vec<SignedDocument>,
    /// Up to where these are all that match; none if there are no more.
    pub(crate) until: Option<Place>,
    /// Whether something that may match was left out.
    pub(crate) left_out: bool,
    /// The fuel that it took to look.
    pub(crate) fuel: u64,
}

impl Page {
    /// How an answer says what there is beyond it.
    pub(crate) fn end(&self) -> AnswerPart {
        let left_out = self.left_out;
        let rest = match self.until {
            Some(_) => Rest::More { left_out },
            None => Rest::Finished { left_out },
        };
        AnswerPart::End(rest, self.until.clone())
    }
}

/// Looks for documents as far as the fuel goes: a stranger chose the query and strangers the documents. Each is
/// decoded to be looked at.
pub(crate) fn look(store: &Recent, wish: &Wish, now: Time) -> Page {
    // In this order it can be stopped when there are enough; in others all must be looked at.
    let by_time = wish.sort.is_newest();
    let before = wish.after.as_ref().filter(|_| by_time).map(|place| {
        let (created_at, id) = wish.sort.moment(place);
        Mark { created_at, id }
    });
    let mut looked = Looked { left: limits::FIND_FUEL, left_out: false };
    let mut hits = Hits::default();
    let mut last: Option<Mark> = None;
    for (number, (mark, kept)) in store.newest(before, now).enumerate() {
        if number == limits::FIND_DOCUMENTS {
            match last {
                Some(last) if by_time => hits.end = Some(wish.sort.at(last.created_at, last.id)),
                _ => looked.left_out = true,
            }
            break;
        }
        last = Some(mark);
        let Some(kept) = kept else {
            looked.left_out = true;
            continue;
        };
        if kept.is_expired(now) {
            continue;
        }
        let Some(place) = looked.place(wish, kept) else { continue };
        if wish.after.as_ref().is_some_and(|after| place <= *after) {
            continue;
        }
        let full = hits.insert(place, kept.signed(), wish);
        if full && by_time {
            break;
        }
    }
    let fuel = limits::FIND_FUEL - looked.left;
    let (documents, until, nothing) = hits.finish();
    Page { documents, until, left_out: looked.left_out || nothing, fuel }
}

struct Looked {
    left: u64,
    left_out: bool,
}

impl Looked {
    /// Where a document stands that matches.
    fn place(&mut self, wish: &Wish, kept: &Kept) -> Option<Place> {
        // One that is too expensive does not hide the cheap ones behind it.
        let Some(enough) = self.left.checked_sub(decoding(kept)) else {
            self.left_out = true;
            return None;
        };
        let document = kept.decode().ok()?;
        let fuel = Fuel::new(enough);
        let matches = wish.query.matches_document_within(&document, &fuel);
        self.left = fuel.left();
        match matches {
            Ok(true) => wish.sort.place_of(&document),
            Ok(false) => None,
            Err(OutOfFuel) => {
                self.left_out = true;
                None
            }
        }
    }
}

/// The first documents of an order, while all are looked at.
#[derive(Debug, Default)]
struct Hits {
    documents: BTreeMap<Place, SignedDocument>,
    bytes: usize,
    /// The first of those that had no room.
    beyond: Option<Place>,
    /// What comes behind this was not looked at.
    end: Option<Place>,
}

impl Hits {
    /// Takes a document that matches; true if there is no more room.
    fn insert(&mut self, place: Place, document: &SignedDocument, wish: &Wish) -> bool {
        self.bytes += document.size();
        self.documents.insert(place, document.clone());
        let mut full = false;
        while self.documents.len() > wish.limit || self.bytes > wish.bytes {
            full = true;
            let Some((last, document)) = self.documents.pop_last() else { break };
            self.bytes -= document.size();
            self.beyond = Some(self.beyond.take().map_or(last.clone(), |first| first.min(last)));
        }
        full
    }

    /// The documents, up to where they are all, and whether there are some of which none had room.
    fn finish(mut self) -> (Vec<SignedDocument>, Option<Place>, bool) {
        // One that came later may have gone before what had no room then.
        if let Some(beyond) = &self.beyond {
            drop(self.documents.split_off(beyond));
        }
        let nothing = self.beyond.is_some() && self.documents.is_empty();
        let until = match self.beyond {
            Some(_) => self.documents.last_key_value().map(|(place, _)| place.clone()),
            None => self.end,
        };
        (self.documents.into_values().collect(), until, nothing)
    }
}

/// What it takes to decode a document.
fn decoding(kept: &Kept) -> u64 {
    let bytes = kept.signed().size() + kept.decoded_size() / limits::FIND_DECODED_SHARE;
    limits::DECODING_FUEL.saturating_mul(bytes as u64)
}

#[cfg(test)]
mod tests;
