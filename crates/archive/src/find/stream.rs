//! Candidates, one after another.

use taiinet_query::sort::{Direction as Order, Place, Sort};

use super::{
    page::Ask,
    plan::{Access, Values},
    window::Window,
    work::Work,
};
use crate::{
    archive::{Archive, damaged},
    entries::PLACE_TAIL,
    layout::{self, Spot},
    store::{Direction, Store, StoreError, Table},
    tables::Walk,
};

/// What may be a document that was looked for.
pub(super) struct Candidate {
    pub(super) spot: Spot,
    /// The document, if it was read.
    pub(super) row: Option<Vec<u8>>,
    /// The value under which it was found, if it is to be found where it is sorted.
    pub(super) value: Option<Vec<u8>>,
}

impl Candidate {
    /// A place behind the document, wherever it stands, and before the next.
    pub(super) fn cursor(&self, sort: &Sort) -> Place {
        let mut place = Vec::new();
        if let (Some(value), Some((_, order))) = (&self.value, sort.fields().first()) {
            place.extend(value.iter().map(|byte| direct(*byte, *order)));
        }
        let spot = self.spot.as_bytes();
        let time = [0, 0].iter().chain(spot);
        place.extend(time.map(|byte| direct(*byte, sort.time())));
        place.extend([0xff; PLACE_TAIL - 2 - layout::SPOT_LEN]);
        Place::from_bytes(&place).unwrap_or_else(|_| sort_end())
    }
}

/// Nothing comes after it.
fn sort_end() -> Place {
    match Place::from_bytes(&[0xff; PLACE_TAIL]) {
        Ok(place) => place,
        Err(error) => unreachable!("{error}"),
    }
}

fn direct(byte: u8, order: Order) -> u8 {
    match order {
        Order::Ascending => byte,
        Order::Descending => !byte,
    }
}

/// Candidates by one index.
pub(super) enum Stream<'a, S> {
    /// All documents by time.
    Time(Walk<'a, S>),
    /// Some, by their names.
    Spots(std::vec::IntoIter<Spot>),
    /// Several walks by time, as one.
    Merge { direction: Direction, walks: Vec<(Walk<'a, S>, Option<Spot>)> },
    /// Ranges of values one after another; whether each is to be found where it is sorted.
    Ranges {
        walks: std::vec::IntoIter<(Walk<'a, S>, Values)>,
        current: Option<(Walk<'a, S>, Values)>,
        sorted: bool,
    },
}

impl<'a, S: Store> Stream<'a, S> {
    pub(super) fn open(
        archive: &'a Archive<S>,
        access: &Access,
        ask: &Ask,
        window: Window,
    ) -> Result<Self, StoreError> {
        let direction = window.direction;
        let within = |prefix: &[u8]| window.within(prefix);
        Ok(match access {
            Access::Time => {
                Self::Time(archive.tables.walk(Table::Document, within(&[]), direction))
            }
            Access::Spots(spots) => Self::Spots(spots.clone().into_iter()),
            Access::Points { table, prefixes } => {
                let mut walks = Vec::with_capacity(prefixes.len());
                for prefix in prefixes {
                    let mut walk = archive.tables.walk(*table, within(prefix), direction);
                    let next = next_spot(&mut walk)?;
                    walks.push((walk, next));
                }
                Self::Merge { direction, walks }
            }
            Access::Ranges { ranges } => {
                let walks = ranges.iter().map(|(span, values)| {
                    let walk = archive.tables.walk(Table::Field, span.clone(), Direction::Forward);
                    (walk, values.clone())
                });
                let walks = walks.collect::<Vec<_>>().into_iter();
                Self::Ranges { walks, current: None, sorted: false }
            }
            Access::Sorted { field, ranges } => {
                let after = ask.after.as_ref().map(|place| {
                    let (time, id) = ask.sort.moment(place);
                    let end = place.as_bytes().len().saturating_sub(PLACE_TAIL);
                    let value = place.as_bytes().get(..end).unwrap_or_default();
                    let value: Vec<u8> =
                        value.iter().map(|byte| direct(*byte, ask.sort.time())).collect();
                    layout::field_key(*field, &value, Spot::new(time, &id))
                });
                let mut walks: Vec<_> = (ranges.iter())
                    .map(|(span, values)| match &after {
                        Some(after) => (span.after(after, direction), values),
                        None => (span.clone(), values),
                    })
                    .map(|(span, values)| {
                        (archive.tables.walk(Table::Field, span, direction), values.clone())
                    })
                    .collect();
                if direction == Direction::Backward {
                    walks.reverse();
                }
                Self::Ranges { walks: walks.into_iter(), current: None, sorted: true }
            }
        })
    }

    pub(super) fn next(&mut self) -> Result<Option<Candidate>, StoreError> {
        let bare = |spot| Candidate { spot, row: None, value: None };
        match self {
            Self::Time(walk) => {
                let Some((key, row)) = walk.next()? else { return Ok(None) };
                let spot = Spot::ending(&key).ok_or_else(|| damaged("a document"))?;
                Ok(Some(Candidate { spot, row: Some(row), value: None }))
            }
            Self::Spots(spots) => Ok(spots.next().map(bare)),
            Self::Merge { direction, walks } => {
                let spots = walks.iter().filter_map(|(_, spot)| *spot);
                let first = match direction {
                    Direction::Forward => spots.min(),
                    Direction::Backward => spots.max(),
                };
                let Some(first) = first else { return Ok(None) };
                for (walk, spot) in walks {
                    if *spot == Some(first) {
                        *spot = next_spot(walk)?;
                    }
                }
                Ok(Some(bare(first)))
            }
            Self::Ranges { walks, current, sorted } => loop {
                let Some((walk, values)) = current else {
                    *current = walks.next();
                    if current.is_none() {
                        return Ok(None);
                    }
                    continue;
                };
                let Some((key, _)) = walk.next()? else {
                    *current = None;
                    continue;
                };
                let spot = Spot::ending(&key).ok_or_else(|| damaged("an index"))?;
                let value = layout::field_value(&key).ok_or_else(|| damaged("an index"))?;
                if values.contains(value) {
                    let value = sorted.then(|| value.to_vec());
                    return Ok(Some(Candidate { spot, row: None, value }));
                }
            },
        }
    }
}

/// How far so many rows of an index reach in time; none: to the end.
pub(super) fn reach<S: Store>(
    stream: &mut Stream<'_, S>,
    rows: usize,
    work: &mut Work,
) -> Result<Option<u64>, StoreError> {
    let (mut first, mut last) = (None, None);
    for _ in 0..rows {
        if work.is_spent() {
            break;
        }
        work.row();
        let Some(candidate) = stream.next()? else { return Ok(None) };
        let time = candidate.spot.created_at().as_millis();
        first = first.or(Some(time));
        last = Some(time);
    }
    Ok(first.zip(last).map(|(first, last)| first.abs_diff(last)))
}

fn next_spot<S: Store>(walk: &mut Walk<'_, S>) -> Result<Option<Spot>, StoreError> {
    let Some((key, _)) = walk.next()? else { return Ok(None) };
    Spot::ending(&key).map(Some).ok_or_else(|| damaged("an index"))
}
