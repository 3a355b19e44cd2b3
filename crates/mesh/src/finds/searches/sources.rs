//! Who is asked for one search, and how far what each has given reaches.

use std::collections::BTreeMap;

use taiinet_query::sort::Place;

use crate::{LinkId, Misbehaviour, Time, limits};

/// Up to where all that a source has was given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Up to this place; none: nothing was given.
    UpTo(Option<Place>),
    /// It has no more.
    All,
}

impl Reach {
    fn new(until: Option<Place>) -> Self {
        until.map_or(Self::All, |place| Self::UpTo(Some(place)))
    }

    /// Whether there is more to ask for before this place.
    fn is_before(&self, needed: Option<&Place>) -> bool {
        match (self, needed) {
            (Self::All, _) => false,
            (Self::UpTo(_), None) | (Self::UpTo(None), _) => true,
            (Self::UpTo(Some(place)), Some(needed)) => place < needed,
        }
    }
}

/// A neighbour.
#[derive(Debug)]
struct Source {
    reach: Reach,
    asked: Option<Asked>,
    has_answered: bool,
}

/// What an answer may still bring.
#[derive(Debug)]
struct Asked {
    request: u32,
    at: Time,
    documents: usize,
    bytes: usize,
    /// The fuel that matching it may take: an honest neighbour has evaluated the same query on the same
    /// documents within as much.
    fuel: u64,
    /// Where its last document stands.
    last: Option<Place>,
}

/// What was found and had to go again for want of room: from where, and the place before that.
#[derive(Debug)]
struct Ceiling {
    from: Place,
    before: Option<Place>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Sources {
    own: Reach,
    links: BTreeMap<LinkId, Source>,
    ceiling: Option<Ceiling>,
    left_out: bool,
    answered: usize,
}

impl Sources {
    /// None but our own store, from this place on.
    pub(super) const fn new(after: Option<Place>) -> Self {
        Self {
            own: Reach::UpTo(after),
            links: BTreeMap::new(),
            ceiling: None,
            left_out: false,
            answered: 0,
        }
    }

    /// Whether something was left out, or somebody.
    pub(super) const fn left_out(&self) -> bool {
        self.left_out
    }

    /// How many neighbours have answered.
    pub(super) const fn answered_by(&self) -> usize {
        self.answered
    }

    /// Up to where all have given what they have.
    pub(super) fn reach(&self) -> Reach {
        let links = self.links.values().map(|source| &source.reach);
        links.chain([&self.own]).min().cloned().unwrap_or(Reach::All)
    }

    /// A neighbour, if it is none of them yet; what comes up to this place is not wanted any more.
    pub(super) fn add(&mut self, link: LinkId, after: Option<Place>) {
        let source = || Source { reach: Reach::UpTo(after), asked: None, has_answered: false };
        self.links.entry(link).or_insert_with(source);
    }

    /// From where on our own store is to be looked at, if as many as are wanted reach up to `needed`.
    pub(super) fn next_own(&self, needed: Option<&Place>) -> Option<Option<Place>> {
        match &self.own {
            Reach::UpTo(place) if self.own.is_before(needed) => Some(place.clone()),
            _ => None,
        }
    }

    /// Our own store has given what it has up to there.
    pub(super) fn own(&mut self, until: Option<Place>, left_out: bool) {
        self.own = self.lowered(until);
        self.left_out |= left_out;
    }

    /// The neighbours that are to be asked for more.
    pub(super) fn turns(&self, needed: Option<&Place>) -> Vec<LinkId> {
        let turn = |source: &Source| source.asked.is_none() && source.reach.is_before(needed);
        self.links.iter().filter(|(_, source)| turn(source)).map(|(link, _)| *link).collect()
    }

    /// A neighbour is asked for so many; gives from where on.
    pub(super) fn ask(
        &mut self,
        link: LinkId,
        request: u32,
        documents: usize,
        now: Time,
    ) -> Option<Option<Place>> {
        let source = self.links.get_mut(&link)?;
        let Reach::UpTo(after) = source.reach.clone() else { return None };
        let (bytes, fuel) = (limits::FOUND_BYTES, limits::FIND_FUEL);
        source.asked =
            Some(Asked { request, at: now, documents, bytes, fuel, last: after.clone() });
        Some(after)
    }

    /// What a neighbour has been asked and not answered in full.
    pub(super) fn request(&self, link: LinkId) -> Option<u32> {
        self.links.get(&link)?.asked.as_ref().map(|asked| asked.request)
    }

    /// A neighbour brings a document of so many bytes.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`] for more than was asked for.
    pub(super) fn brings(&mut self, link: LinkId, bytes: usize) -> Result<(), Misbehaviour> {
        let asked = self.asked(link).ok_or(Misbehaviour::Unasked)?;
        asked.documents = asked.documents.checked_sub(1).ok_or(Misbehaviour::Unasked)?;
        asked.bytes = asked.bytes.checked_sub(bytes).ok_or(Misbehaviour::Unasked)?;
        Ok(())
    }

    fn asked(&mut self, link: LinkId) -> Option<&mut Asked> {
        self.links.get_mut(&link)?.asked.as_mut()
    }

    /// The fuel that is left for a neighbour's answer.
    pub(super) fn fuel(&mut self, link: LinkId) -> Option<&mut u64> {
        self.asked(link).map(|asked| &mut asked.fuel)
    }

    /// A document that a neighbour brings stands there.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`] if that is before the one before. A copy is of no use, and no more than that.
    pub(super) fn stands(&mut self, link: LinkId, place: Place) -> Result<(), Misbehaviour> {
        let Some(asked) = self.asked(link) else { return Ok(()) };
        if asked.last.as_ref().is_some_and(|last| place < *last) {
            return Err(Misbehaviour::Unasked);
        }
        asked.last = Some(place);
        Ok(())
    }

    /// A neighbour has given what it has up to there.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`] if that is no further than before, or than what it sent. It is not asked again.
    pub(super) fn answered(
        &mut self,
        link: LinkId,
        until: Option<Place>,
        left_out: bool,
    ) -> Result<(), Misbehaviour> {
        let Some(source) = self.links.get_mut(&link) else { return Ok(()) };
        let Some(asked) = source.asked.take() else { return Ok(()) };
        self.answered += usize::from(!core::mem::replace(&mut source.has_answered, true));
        self.left_out |= left_out;
        let before = match &source.reach {
            Reach::UpTo(place) => place.as_ref(),
            Reach::All => None,
        };
        // An answer without documents goes on, too, or it would be asked for ever.
        let further = until.as_ref().is_none_or(|until| {
            before.is_none_or(|before| until > before)
                && asked.last.as_ref().is_none_or(|last| until >= last)
        });
        if !further {
            self.lose(link);
            return Err(Misbehaviour::Unasked);
        }
        let reach = self.lowered(until);
        if let Some(source) = self.links.get_mut(&link) {
            source.reach = reach;
        }
        Ok(())
    }

    /// What had to go again does not count as given.
    fn lowered(&self, until: Option<Place>) -> Reach {
        let reach = Reach::new(until);
        match &self.ceiling {
            Some(ceiling) if !reach.is_before(Some(&ceiling.from)) => {
                Reach::UpTo(ceiling.before.clone())
            }
            _ => reach,
        }
    }

    /// What was found from this place on has gone again, for want of room; `before` is the last that has not.
    pub(super) fn retreat(&mut self, from: &Place, before: Option<Place>) {
        let links = self.links.values_mut().map(|source| &mut source.reach);
        for reach in links.chain([&mut self.own]).filter(|reach| !reach.is_before(Some(from))) {
            *reach = Reach::UpTo(before.clone());
        }
        self.ceiling = Some(Ceiling { from: from.clone(), before });
    }

    /// There is room again.
    pub(super) fn rise(&mut self) {
        self.ceiling = None;
    }

    /// A neighbour is gone, or cannot be asked.
    pub(super) fn lose(&mut self, link: LinkId) {
        if let Some(source) = self.links.remove(&link) {
            self.left_out |= source.reach != Reach::All;
        }
    }

    /// Stops waiting for those that have not answered. Gives those that have missed the search ([`limits::FIND_LATE`]).
    pub(super) fn give_up(&mut self, now: Time) -> Vec<LinkId> {
        let mut missed = Vec::new();
        let (time, bytes) = limits::FIND_LATE;
        self.links.retain(|link, source| {
            let Some(asked) = &source.asked else { return true };
            if asked.at.after(time) <= now && limits::FOUND_BYTES - asked.bytes < bytes {
                missed.push(*link);
            }
            self.left_out = true;
            false
        });
        missed
    }

    /// Some neighbours are not asked, and may have something.
    pub(super) const fn leave_out(&mut self) {
        self.left_out = true;
    }

    /// The neighbours that have answered all that they were asked.
    pub(super) fn prompt(&self) -> impl Iterator<Item = LinkId> {
        let prompt = |source: &Source| source.asked.is_none() && source.has_answered;
        self.links.iter().filter(move |(_, source)| prompt(source)).map(|(link, _)| *link)
    }
}
