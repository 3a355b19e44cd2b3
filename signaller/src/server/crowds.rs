//! Who has a place, by where they come from: when places run out, whoever has most gives way.
//!
//! The one to go is the one that has been quiet for longest, of the most crowded address. So whoever takes
//! many places pushes out its own, and not those of others.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

use crate::addresses::Ranges;

/// Counts up: the smaller of two came, or was heard of, first.
type Number = u64;

/// Who is counted together: a site of IPv6 or an address of IPv4. Each connection of a trusted proxy
/// stands for a client of its own, so it is counted alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Crowd {
    Of(IpNet),
    Alone(Number),
}

/// All places that are taken.
#[derive(Debug, Default)]
pub(super) struct Crowds {
    next: Number,
    places: BTreeMap<Number, Taken>,
    crowds: BTreeMap<Crowd, Members>,
    /// The most crowded is the last; among those that are equal the one that has waited longest.
    order: BTreeSet<(usize, Reverse<Number>, Crowd)>,
}

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
    /// Is cancelled when the place is needed for somebody else.
    pub(super) const fn needed(&self) -> &CancellationToken {
        &self.needed
    }
}

impl Crowds {
    /// Takes a place for a connection that comes from here; none: it stands for somebody of its own.
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

    /// Whoever has this place was heard of just now.
    pub(super) fn renew(&mut self, seat: &mut Seat) {
        if let Some(taken) = self.remove(seat.number) {
            seat.number = self.number();
            self.insert(seat.number, taken);
        }
    }

    /// Gives a place back, if it was not taken away.
    pub(super) fn leave(&mut self, seat: &Seat) {
        self.remove(seat.number);
    }

    /// How many places are taken.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether somebody else has more places than the crowd of this one.
    pub(super) fn has_larger_than_of(&self, seat: &Seat) -> bool {
        let crowd = self.places.get(&seat.number).and_then(|taken| self.crowds.get(&taken.crowd));
        let own = crowd.map_or(0, |members| members.numbers.len());
        self.order.last().is_some_and(|(most, ..)| *most > own)
    }

    /// Takes a place away from the most crowded, whose token is cancelled.
    pub(super) fn take_away(&mut self) {
        if let Some(taken) = self.most_dispensable().and_then(|number| self.remove(number)) {
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
        if let Some(rank) = members.rank() {
            self.order.remove(&(rank.0, rank.1, crowd));
        }
        change(members);
        match members.rank() {
            Some(rank) => {
                self.order.insert((rank.0, rank.1, crowd));
            }
            None => {
                self.crowds.remove(&crowd);
            }
        }
    }

    /// The quietest of the most crowded household of the most crowded site or address.
    fn most_dispensable(&self) -> Option<Number> {
        let (_, _, crowd) = self.order.last()?;
        let households = self.crowds.get(crowd)?.households.values();
        let household = households.max_by_key(|numbers| rank(numbers))?;
        household.first().copied()
    }
}

impl Members {
    fn rank(&self) -> Option<(usize, Reverse<Number>)> {
        rank(&self.numbers)
    }
}

fn rank(numbers: &BTreeSet<Number>) -> Option<(usize, Reverse<Number>)> {
    numbers.first().map(|first| (numbers.len(), Reverse(*first)))
}

#[cfg(test)]
impl Crowds {
    /// Whether nothing is left of anybody.
    pub(super) fn is_bare(&self) -> bool {
        self.places.is_empty() && self.crowds.is_empty() && self.order.is_empty()
    }
}
