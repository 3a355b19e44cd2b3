//! By which indexes what is looked for can be found.

use taiinet_query::{Bounds, IndexKeys, KeyRange};

use super::page::Ask;
use crate::{
    archive::Archive,
    layout::{self, Spot},
    store::{Span, Store, StoreError, Table},
};

/// What leads to candidates. Nothing that is looked for is missed by any of them.
#[derive(Debug, Clone)]
pub(super) enum Access {
    /// All documents, by time.
    Time,
    /// Some documents, by their names.
    Spots(Vec<Spot>),
    /// Rows that begin so, each by time.
    Points { table: Table, prefixes: Vec<Vec<u8>> },
    /// Ranges of values of a field.
    Ranges { ranges: Vec<(Span, Values)> },
    /// The same in the order of the field.
    Sorted { field: usize, ranges: Vec<(Span, Values)> },
}

/// The values that count in a span; none: all.
#[derive(Debug, Clone)]
pub(super) struct Values(Option<KeyRange>);

impl Values {
    pub(super) fn contains(&self, value: &[u8]) -> bool {
        self.0.as_ref().is_none_or(|range| range.contains(value))
    }
}

pub(super) struct Plan {
    /// What gives candidates in the wanted order.
    pub(super) streams: Vec<Access>,
    /// What gives them in another one.
    pub(super) others: Vec<Access>,
}

pub(super) fn plan<S: Store>(archive: &Archive<S>, ask: &Ask) -> Result<Plan, StoreError> {
    let by_time = ask.sort.fields().is_empty();
    if let Some(ids) = ask.query.ids() {
        let mut spots = Vec::with_capacity(ids.len());
        for id in &ids {
            spots.extend(archive.spot(id)?);
        }
        return Ok(Plan { streams: Vec::new(), others: vec![Access::Spots(spots)] });
    }
    // Those that come by time, and those that do not.
    let (mut points, mut ranges) = (Vec::new(), Vec::new());
    if let Some(authors) = ask.query.authors() {
        let prefixes = authors.iter().map(|author| layout::author_prefix(author).to_vec());
        let mut prefixes: Vec<_> = prefixes.collect();
        prefixes.dedup();
        points.push(Access::Points { table: Table::Author, prefixes });
    }
    for (field, indexed) in archive.indexed.iter().enumerate() {
        let Some(bounds) = ask.query.bounds(&indexed.path) else { continue };
        match prefixes(field, &bounds) {
            Some(prefixes) => points.push(Access::Points { table: Table::Field, prefixes }),
            None => ranges.push(Access::Ranges { ranges: spans(field, &bounds) }),
        }
    }
    if by_time {
        let streams = if points.is_empty() { vec![Access::Time] } else { points };
        return Ok(Plan { streams, others: ranges });
    }
    points.append(&mut ranges);
    let streams: Vec<_> = sorted(archive, ask)?.into_iter().collect();
    if streams.is_empty() && points.is_empty() {
        points.push(Access::Time);
    }
    Ok(Plan { streams, others: points })
}

/// The index of the field that is sorted by, if there is one, and it has the time in the right direction.
fn sorted<S: Store>(archive: &Archive<S>, ask: &Ask) -> Result<Option<Access>, StoreError> {
    let [(path, order)] = ask.sort.fields() else { return Ok(None) };
    let field = archive.indexed.iter().position(|indexed| indexed.path == *path);
    let Some(field) = field.filter(|_| *order == ask.sort.time()) else { return Ok(None) };
    let all = || vec![(Span::prefix(&[field as u8]), Values(None))];
    let ranges = match ask.query.bounds(path) {
        Some(bounds) if !has_several(archive, field)? => spans(field, &bounds),
        _ => all(),
    };
    Ok(Some(Access::Sorted { field, ranges }))
}

/// Whether some document has several values of a field: it is sorted by one, and may match by another.
fn has_several<S: Store>(archive: &Archive<S>, field: usize) -> Result<bool, StoreError> {
    for key in [IndexKeys::SEVERAL, IndexKeys::OVERFLOW] {
        let span = Span::prefix(&layout::field_prefix(field, key));
        let mut walk = archive.tables.walk(Table::Field, span, crate::store::Direction::Forward);
        if walk.next()?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// If each range is one value.
fn prefixes(field: usize, bounds: &Bounds) -> Option<Vec<Vec<u8>>> {
    let prefix = |range: &KeyRange| {
        let is_point = range.end.strip_suffix(&[0]) == Some(&range.start)
            || range.contains(IndexKeys::OVERFLOW) && range.start == IndexKeys::OVERFLOW;
        is_point.then(|| layout::field_prefix(field, &range.start))
    };
    bounds.ranges().iter().map(prefix).collect()
}

/// Spans that hold all rows of the ranges, and perhaps others.
fn spans(field: usize, bounds: &Bounds) -> Vec<(Span, Values)> {
    let span = |range: &KeyRange| {
        // No value is the beginning of another; so what comes after a value in plain order comes after its rows,
        // but for what is written as the value and a zero: just behind it.
        let from = match value_before(&range.start) {
            Some(value) => Span::prefix(&layout::field_prefix(field, value)).to,
            None => None,
        };
        let from = from.unwrap_or_else(|| layout::field_prefix(field, &range.start));
        let to = match range.end.strip_suffix(&[0]) {
            Some(value) => Span::prefix(&layout::field_prefix(field, value)).to,
            None => Some(layout::field_prefix(field, &range.end)),
        };
        (Span { from, to }, Values(Some(range.clone())))
    };
    bounds.ranges().iter().map(span).collect()
}

/// The number that a range begins behind. (With other values, what they have in front is read and passed over.)
fn value_before(start: &[u8]) -> Option<&[u8]> {
    let is_number = start.first() == Some(&0x20) && matches!(start.len(), 10 | 12);
    start.strip_suffix(&[0]).filter(|_| is_number)
}
