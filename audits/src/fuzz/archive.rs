//! An archive: hostile authors bring documents, hostile readers look for them, time passes.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use taiinet_archive::{
    Admission, Answering, Archive, Ask, Config, MemoryStore, Page, Pull, PullStep, Rest, Unwanted,
};
use taiinet_document::{
    Content, Deletion, Difference, Differences, Document, DocumentId, Held, Inquiry, Mark, Piece,
    ShortId, SignedDocument, Timestamp, VerifiedDocument, limits,
};
use taiinet_mesh::{Time, wire::codec};
use taiinet_query::{
    Query,
    sort::{Place, Sort},
};

use super::{
    bytes::Bytes,
    member::{Member, QUERIES, SORTS},
};
use crate::fixture::{NOW, identity, named, network};

/// What happens at most in one run, and how many pages one search has.
const STEPS: usize = 64;
const PAGES: usize = 8;
/// How many questions one archive asks another at most.
const QUESTIONS: usize = 64;
/// How many authors there are: few, so that they come upon what they wrote.
const AUTHORS: usize = 3;

struct Shelf {
    archive: Archive<MemoryStore>,
    config: Config,
    now: Time,
    member: Member,
    /// All that was ever brought, and what of it was kept at first.
    brought: BTreeMap<DocumentId, VerifiedDocument>,
    stored: Vec<VerifiedDocument>,
    found: usize,
    unwanted: Unwanted,
}

/// An answer about each piece that nobody has ever seen.
fn lies(inquiry: &Inquiry, bytes: &mut Bytes<'_>) -> Differences {
    let mut pieces = Vec::new();
    for (number, (from, piece)) in inquiry.pieces().enumerate() {
        let (begin, end) = (from.created_at.as_millis(), piece.until.created_at.as_millis());
        let held = match bytes.below(3) {
            0 => continue,
            1 => Held::Ids((0..bytes.u8() % 65).map(|n| ShortId::from_bytes([n; 16])).collect()),
            _ => {
                let middle: Mark = Timestamp::from_millis(begin / 2 + end / 2).into();
                let lie = |until| Piece { until, count: bytes.u8().into(), sum: 1 };
                Held::Pieces([middle, piece.until].map(lie).to_vec())
            }
        };
        pieces.push(Difference { piece: number as u16, held });
    }
    Differences { first: 0, pieces }
}

pub(super) fn run(data: &[u8]) {
    let mut shelf = play(data);
    let report = shelf.archive.check().expect("it can be read");
    assert!(report.is_clean(), "{report:?}");
    shelf.open_again();
    shelf.find(&mut Bytes::new(&[]));
}

fn play(data: &[u8]) -> Shelf {
    let mut bytes = Bytes::new(data);
    let mut shelf = Shelf::new(config(&mut bytes));
    for _ in 0..STEPS {
        if bytes.is_empty() {
            break;
        }
        shelf.step(&mut bytes);
    }
    shelf
}

fn config(bytes: &mut Bytes<'_>) -> Config {
    let kind = bytes.u8();
    let query = QUERIES.get(usize::from(kind) % 4).and_then(|query| query.parse().ok());
    let mut config = Config::new(network(), query.into_iter().collect());
    let indexed = ["likes", "type", "_key", "a.b.c"];
    config.indexed = indexed.iter().filter_map(|path| path.parse().ok()).collect();
    config.indexed.truncate(usize::from(kind >> 2) % 5);
    config.keep = (kind & 32 == 32).then_some(Duration::from_secs(60));
    config.max_backdate = (kind & 64 == 64).then_some(Duration::from_secs(20));
    if kind & 128 == 128 {
        config.quota = Some(4096 << bytes.below(4));
        config.share = bytes.bool().then_some(1024);
    }
    config.gathered_rows = bytes.below(64);
    config
}

impl Shelf {
    fn new(config: Config) -> Self {
        Self {
            archive: Archive::open(MemoryStore::new(), config.clone()).expect("it is empty"),
            config,
            now: NOW,
            member: Member::default(),
            brought: BTreeMap::new(),
            stored: Vec::new(),
            found: 0,
            unwanted: Unwanted::default(),
        }
    }

    fn now(&self) -> Timestamp {
        self.now.timestamp()
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.below(10) {
            8 => self.is_asked(bytes),
            9 => self.asks(bytes),
            0 => self.find(bytes),
            1 => {
                let millis = u64::from(bytes.u16()) << bytes.below(4);
                self.now = Time::from_millis(self.now.as_millis().saturating_add(millis));
            }
            2 => {
                let most = bytes.below(8);
                let gone = self.archive.expire(self.now(), most).expect("memory does not fail");
                assert!(gone <= most);
            }
            3 => self.archive.commit().expect("memory does not fail"),
            4 => self.open_again(),
            _ => self.admit(bytes),
        }
    }

    fn open_again(&mut self) {
        self.archive.commit().expect("memory does not fail");
        let empty = Archive::open(MemoryStore::new(), self.config.clone()).expect("it is empty");
        let store = core::mem::replace(&mut self.archive, empty).into_store();
        self.archive = Archive::open(store, self.config.clone()).expect("what it wrote itself");
    }

    fn admit(&mut self, bytes: &mut Bytes<'_>) {
        let again: Vec<DocumentId> = self.brought.keys().copied().collect();
        let document = match bytes.below(4) {
            0 => bytes.choose(&again).and_then(|id| self.brought.get(&id).cloned()),
            _ => self.document(bytes),
        };
        let Some(document) = document else { return };
        self.member.heard_of(document.id());
        let admission = self.archive.admit(&document, self.now()).expect("memory does not fail");
        if admission == Admission::Stored {
            assert!(self.replaced_by(&document).is_none(), "what is replaced does not come back");
            self.stored.push(document.clone());
        }
        self.brought.insert(document.id(), document);
    }

    /// Another archive asks what differs, whatever it is.
    fn is_asked(&self, bytes: &mut Bytes<'_>) {
        let inquiry = self.member.inquiry(bytes, self.now);
        if !inquiry.is_ascending() || inquiry.count() > limits::INQUIRY_PIECES {
            return;
        }
        let (rows, mut answering) = (1 + bytes.below(64), Answering::new(&inquiry));
        let mut compare = || self.archive.compare(&mut answering, rows);
        let differences = loop {
            if let Some(differences) = compare().expect("memory does not fail") {
                break differences;
            }
        };
        for difference in &differences.pieces {
            if let Held::Ids(ids) = &difference.held {
                let picked = self.archive.pick(ids, usize::MAX, self.now()).expect("it is there");
                assert!(picked.len() <= ids.len());
            }
        }
    }

    /// It asks another archive, which answers what is an answer and is not true.
    fn asks(&mut self, bytes: &mut Bytes<'_>) {
        let unwanted = core::mem::take(&mut self.unwanted);
        let since = Member::when(bytes, self.now);
        let mut pull = Pull::new([bytes.u8(); 32], since, unwanted);
        let mut questions = 0;
        loop {
            let rows = 1 + bytes.below(64);
            match self.archive.pull(&mut pull, rows, self.now()).expect("memory does not fail") {
                PullStep::Working => continue,
                PullStep::Waiting | PullStep::Done => break,
                PullStep::Want(ids) => {
                    assert!(!ids.is_empty() && ids.len() <= 256);
                    for document in self.brought.values().take(4) {
                        let admission = self.archive.admit(document, self.now());
                        pull.admitted(document, &admission.expect("memory does not fail"));
                    }
                    pull.given();
                }
                PullStep::Inquire(inquiry) => {
                    assert!(inquiry.is_ascending() && inquiry.count() <= limits::INQUIRY_PIECES);
                    let mut differences = lies(&inquiry, bytes);
                    if differences.check(&inquiry).is_err() {
                        differences = Differences::default();
                    }
                    pull.differs(differences);
                }
            }
            questions += 1;
            if questions > QUESTIONS {
                break;
            }
        }
        self.unwanted = pull.into_unwanted();
    }

    fn document(&mut self, bytes: &mut Bytes<'_>) -> Option<VerifiedDocument> {
        let content = self.member.content(bytes);
        let by_ids = matches!(content, Content::Deleted(Deletion::Documents(_)));
        let created_at = match bytes.below(8) {
            0 => Member::when(bytes, self.now),
            _ => Timestamp::from_millis(self.now.as_millis() - u64::from(bytes.u8()) * 16),
        };
        let life = u64::from(bytes.u16()) * 4;
        let document = Document {
            network: named(if bytes.below(16) == 0 { "elsewhere" } else { "vectors" }),
            created_at,
            nonce: bytes.u8().into(),
            expires_at: (bytes.below(4) == 0)
                .then(|| Timestamp::from_millis(created_at.as_millis().saturating_add(life))),
            key: (!by_ids && bytes.bool()).then(|| Member::document_key(bytes)),
            next_key: None,
            content,
        };
        let author = identity(2 + bytes.below(AUTHORS) as u8);
        VerifiedDocument::sign(&author, document).ok()
    }

    fn find(&mut self, bytes: &mut Bytes<'_>) {
        let query = bytes.choose(&QUERIES).and_then(|query| query.parse().ok());
        let sort = bytes.choose(&SORTS).and_then(|sort| sort.parse().ok());
        let sort: Sort = sort.unwrap_or_default();
        let (after, is_ours) = self.cursor(&sort, bytes);
        let mut ask = Ask {
            query: query.unwrap_or_else(Query::all),
            sort,
            since: (bytes.below(8) == 7).then(|| Member::when(bytes, self.now)),
            until: (bytes.below(8) == 7).then(|| Member::when(bytes, self.now)),
            after,
            limit: bytes.u8().into(),
            bytes: usize::from(bytes.u16()) << bytes.below(8),
        };
        let mut budget = u64::from(bytes.u16()) << bytes.below(16);
        let mut seen = BTreeSet::new();
        for _ in 0..PAGES {
            let page = self.archive.find(&ask, budget, self.now()).expect("memory does not fail");
            self.inspect(&ask, &page, &mut seen);
            match page.rest {
                Rest::Finished => break,
                // A cursor that no page ever had leads nowhere.
                Rest::More(_) if !is_ours => break,
                Rest::More(place) => {
                    assert!(ask.after.is_none_or(|after| place > after), "it goes on");
                    ask.after = Some(place);
                }
                Rest::TooCostly => budget = budget.saturating_mul(16).max(1000),
            }
            if bytes.bool() {
                self.admit(bytes);
            }
        }
    }

    /// None; a place of this order or another; or whatever. Says whether a page of this order may end there.
    fn cursor(&self, sort: &Sort, bytes: &mut Bytes<'_>) -> (Option<Place>, bool) {
        let place = match bytes.below(4) {
            0 => self.place(sort, bytes),
            1 => {
                let other = bytes.choose(&SORTS).and_then(|sort| sort.parse().ok());
                let place = other.and_then(|other: Sort| self.place(&other, bytes));
                let is_ours = place.is_none();
                return (place, is_ours);
            }
            _ => {
                return match Place::from_bytes(&Member::cursor(bytes)) {
                    Ok(place) => (Some(place), false),
                    Err(_) => (None, true),
                };
            }
        };
        (place, true)
    }

    fn place(&self, sort: &Sort, bytes: &mut Bytes<'_>) -> Option<Place> {
        let ids: Vec<DocumentId> = self.brought.keys().copied().collect();
        sort.place_of(self.brought.get(&bytes.choose(&ids)?)?)
    }

    /// A page has nothing that it must not have, in order, and each document once.
    fn inspect(&mut self, ask: &Ask, page: &Page, seen: &mut BTreeSet<DocumentId>) {
        assert!(page.documents.len() <= ask.limit.max(1));
        let bytes: usize = page.documents.iter().map(Vec::len).sum();
        assert!(bytes <= ask.bytes || page.documents.len() == 1 || page.documents.is_empty());
        let mut last = ask.after.clone();
        for signed in &page.documents {
            let signed: SignedDocument = codec::decode(signed).expect("a signed document");
            let known = self.brought.get(&signed.id()).expect("none is invented");
            assert_eq!(known.signed(), &signed, "none is altered");
            assert!(seen.insert(known.id()), "none comes twice");
            assert!(ask.query.matches_document(known));
            assert!(ask.since.is_none_or(|since| known.created_at >= since));
            assert!(ask.until.is_none_or(|until| known.created_at <= until));
            assert!(is_alive(known, self.now()), "it has expired");
            assert!(!matches!(known.content, Content::Deleted(_)));
            let by = self.replaced_by(known);
            assert!(by.is_none(), "{known:?} is replaced or deleted by {by:?}");
            let place = ask.sort.place_of(known);
            assert!(place > last, "in order");
            last = place;
        }
        self.found += page.documents.len();
        if let Rest::More(place) = &page.rest
            && !page.documents.is_empty()
        {
            assert!(last.is_none_or(|last| *place >= last), "it ends behind what is on it");
        }
    }

    /// What was stored, and hides this one for as long as it lasts.
    fn replaced_by(&self, document: &VerifiedDocument) -> Option<&VerifiedDocument> {
        let (id, author, mark) = (document.id(), document.author(), Mark::from(document));
        let name = |of: &VerifiedDocument| Some((of.owner(), of.key_name()?.to_owned()));
        let is_deletion = matches!(document.content, Content::Deleted(_));
        self.stored.iter().filter(|other| Mark::from(*other) > mark).find(|other| {
            let is_version = || {
                // Who has too much loses what is old, the owner's version as well as others.
                let is_owners = other.author() == other.owner() && self.config.share.is_none();
                name(document).is_some()
                    && name(document) == name(other)
                    && (other.author() == author || is_owners)
            };
            match &other.content {
                // What withdraws something is not withdrawn.
                Content::Deleted(Deletion::Documents(ids)) => {
                    let is_victim = other.author() == author && ids.iter().any(|one| *one == id);
                    is_victim && !is_deletion && is_alive(other, self.now())
                }
                Content::Deleted(Deletion::Key) => is_alive(other, self.now()) && is_version(),
                _ => is_version(),
            }
        })
    }
}

fn is_alive(document: &VerifiedDocument, now: Timestamp) -> bool {
    document.expires_at.is_none_or(|expires_at| expires_at > now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{Mutator, seeds};

    /// Mutations of the seeds find documents, replace and delete them, and run out of room.
    #[test]
    fn mutations_of_the_seeds_come_past_every_door() {
        let (seeds, mut mutator) = (seeds("archive"), Mutator::new(3));
        let mut seen = [false; 5];
        for _ in 0..4000 {
            let shelf = play(&mutator.next(&seeds, 1024));
            let stored = |is: fn(&Content) -> bool| shelf.stored.iter().any(|one| is(&one.content));
            let now = [
                shelf.found > 2,
                shelf.brought.values().any(|one| shelf.replaced_by(one).is_some()),
                stored(|content| matches!(content, Content::Deleted(Deletion::Key))),
                stored(|content| matches!(content, Content::Deleted(Deletion::Documents(_)))),
                shelf.archive.floor() > Timestamp::default(),
            ];
            seen.iter_mut().zip(now).for_each(|(seen, now)| *seen |= now);
            if seen == [true; 5] {
                return;
            }
        }
        panic!("not reached: {seen:?}");
    }
}
