//! The connections that have a place, by where they come from: when places run out, the address that has
//! most gives way.
//!
//! So an address that takes many places pushes out its own connections, and not those of others.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

use crate::addresses::Ranges;

/// Counts up: the smaller of two came first.
type Number = u64;

/// What is counted together: a site of IPv6 or an address of IPv4. Each connection of a trusted proxy
/// stands for a client of its own, so it is counted alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Crowd {
    Of(IpNet),
    Alone(Number),
}

/// Which of the most crowded gives way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GivesWay {
    /// The one that is the slowest, where each has a short thing to do.
    Oldest,
    /// The one that came last, so that nobody can push out those that were there before.
    Youngest,
}

/// All places that are taken.
#[derive(Debug)]
pub(super) struct Crowds {
    gives_way: GivesWay,
    next: Number,
    /// Places that were taken away and are not given back yet.
    leaving: usize,
    places: BTreeMap<Number, Taken>,
    crowds: BTreeMap<Crowd, Members>,
    /// The most crowded is the last.
    order: BTreeSet<(Rank, Crowd)>,
}

/// How many there are together, and among equals, how soon one of them gives way.
type Rank = (usize, Number);

#[derive(Debug)]
struct Taken {
    crowd: Crowd,
    /// Within its crowd: of IPv6 a household.
    household: Option<IpNet>,
    needed: CancellationToken,
}

#[derive(Debug, Default)]
struct Members {
    numbers: BTreeSet<Number>,
    households: BTreeMap<Option<IpNet>, BTreeSet<Number>>,
}

/// A place, which is to be given back ([`Crowds::leave`]).
#[derive(Debug)]
pub(super) struct Seat {
    number: Number,
    needed: CancellationToken,
}

impl Seat {
    /// Is cancelled when the place is needed for another.
    pub(super) const fn needed(&self) -> &CancellationToken {
        &self.needed
    }
}

impl GivesWay {
    /// Which of these gives way.
    fn of(self, numbers: &BTreeSet<Number>) -> Option<Number> {
        match self {
            Self::Oldest => numbers.first().copied(),
            Self::Youngest => numbers.last().copied(),
        }
    }

    fn rank(self, numbers: &BTreeSet<Number>) -> Option<Rank> {
        let number = self.of(numbers)?;
        let soon = match self {
            Self::Oldest => Number::MAX - number,
            Self::Youngest => number,
        };
        Some((numbers.len(), soon))
    }
}

impl Crowds {
    pub(super) const fn new(gives_way: GivesWay) -> Self {
        Self {
            gives_way,
            next: 0,
            leaving: 0,
            places: BTreeMap::new(),
            crowds: BTreeMap::new(),
            order: BTreeSet::new(),
        }
    }

    /// Takes a place for a connection that comes from here; none: it stands for a client of its own.
    pub(super) fn enter(&mut self, from: Option<Ranges>) -> Seat {
        let number = self.number();
        let (crowd, household) = match from {
            Some(ranges) => (Crowd::Of(ranges.widest()), Some(ranges.narrow())),
            None => (Crowd::Alone(number), None),
        };
        let needed = CancellationToken::new();
        self.insert(number, Taken { crowd, household, needed: needed.clone() });
        Seat { number, needed }
    }

    /// Gives a place back, also one that was taken away.
    pub(super) fn leave(&mut self, seat: &Seat) {
        if self.remove(seat.number).is_none() {
            self.leaving = self.leaving.saturating_sub(1);
        }
    }

    /// How many places are taken.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// How many places were taken away from connections that are still here.
    pub(super) const fn leaving(&self) -> usize {
        self.leaving
    }

    /// Takes a place away from the most crowded, whose token is cancelled.
    pub(super) fn take_away(&mut self) {
        let crowd = self.order.last().and_then(|(_, crowd)| self.crowds.get(crowd));
        if let Some(number) = crowd.and_then(|crowd| crowd.gives_way(self.gives_way)) {
            self.take_away_from(number);
        }
    }

    /// Whether some address has too many places for a newcomer from here to get none: more than `spared`, and
    /// more than the newcomer would have.
    pub(super) fn has_too_many_for(&self, newcomer: Ranges, spared: usize) -> bool {
        self.giver(newcomer, spared).is_some()
    }

    /// Takes a place away from the address that [has too many](Self::has_too_many_for), if one has.
    pub(super) fn take_away_for(&mut self, newcomer: Ranges, spared: usize) {
        if let Some(number) = self.giver(newcomer, spared) {
            self.take_away_from(number);
        }
    }

    fn giver(&self, newcomer: Ranges, spared: usize) -> Option<Number> {
        let own = self.crowds.get(&Crowd::Of(newcomer.widest()));
        let would_have = own.map_or(0, |own| own.numbers.len()) + 1;
        let (_, most) = self.order.last()?;
        let most = self.crowds.get(most)?;
        if most.numbers.len() > spared.max(would_have) {
            return most.gives_way(self.gives_way);
        }
        // Its own site has as much as any other: then its households are compared.
        let would_have = own?.households.get(&Some(newcomer.narrow())).map_or(0, BTreeSet::len) + 1;
        let most = own?.largest_household(self.gives_way)?;
        (most.len() > spared.max(would_have)).then(|| self.gives_way.of(most))?
    }

    fn take_away_from(&mut self, number: Number) {
        if let Some(taken) = self.remove(number) {
            self.leaving += 1;
            taken.needed.cancel();
        }
    }

    const fn number(&mut self) -> Number {
        self.next += 1;
        self.next
    }

    fn insert(&mut self, number: Number, taken: Taken) {
        self.change(taken.crowd, |members| {
            members.numbers.insert(number);
            members.households.entry(taken.household).or_default().insert(number);
        });
        self.places.insert(number, taken);
    }

    fn remove(&mut self, number: Number) -> Option<Taken> {
        let taken = self.places.remove(&number)?;
        self.change(taken.crowd, |members| {
            members.numbers.remove(&number);
            if let Some(household) = members.households.get_mut(&taken.household) {
                household.remove(&number);
                if household.is_empty() {
                    members.households.remove(&taken.household);
                }
            }
        });
        Some(taken)
    }

    /// Changes a crowd, and its place in the order with it.
    fn change(&mut self, crowd: Crowd, change: impl FnOnce(&mut Members)) {
        let members = self.crowds.entry(crowd).or_default();
        if let Some(rank) = self.gives_way.rank(&members.numbers) {
            self.order.remove(&(rank, crowd));
        }
        change(members);
        match self.gives_way.rank(&members.numbers) {
            Some(rank) => {
                self.order.insert((rank, crowd));
            }
            None => {
                self.crowds.remove(&crowd);
            }
        }
    }
}

impl Members {
    fn largest_household(&self, gives_way: GivesWay) -> Option<&BTreeSet<Number>> {
        self.households.values().max_by_key(|numbers| gives_way.rank(numbers))
    }

    /// Which connection gives way: one of the most crowded household.
    fn gives_way(&self, gives_way: GivesWay) -> Option<Number> {
        gives_way.of(self.largest_household(gives_way)?)
    }
}

#[cfg(test)]
impl Crowds {
    /// Whether nothing is left of any connection.
    pub(super) fn is_bare(&self) -> bool {
        self.leaving == 0
            && self.places.is_empty()
            && self.crowds.is_empty()
            && self.order.is_empty()
    }
}
