//! What the time alone says of a candidate.

use taiinet_document::Timestamp;
use taiinet_query::sort::Direction as Order;

use super::page::Ask;
use crate::{
    layout::{self, Spot},
    store::{Direction, Span},
};

/// When what is looked for was created, and in which order of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// Where the page before has ended, if the order is that of time.
    after: Option<Spot>,
    pub(super) direction: Direction,
}

impl Window {
    pub(super) fn of(ask: &Ask) -> Self {
        let (since, until) = ask.query.times();
        let until = [until, ask.until].into_iter().flatten().min();
        let after = ask.after.as_ref().filter(|_| ask.sort.fields().is_empty());
        let after = after.map(|place| {
            let (time, id) = ask.sort.moment(place);
            Spot::new(time, &id)
        });
        let direction = match ask.sort.time() {
            Order::Ascending => Direction::Forward,
            Order::Descending => Direction::Backward,
        };
        Self { since: since.max(ask.since), until, after, direction }
    }

    pub(super) fn contains(&self, spot: Spot) -> bool {
        let time = spot.created_at();
        self.since.is_none_or(|since| since <= time)
            && self.until.is_none_or(|until| time <= until)
            && self.after.is_none_or(|after| match self.direction {
                Direction::Forward => spot > after,
                Direction::Backward => spot < after,
            })
    }

    /// The rows that begin so and go on with a spot that is in it.
    pub(super) fn within(&self, prefix: &[u8]) -> Span {
        let mut span = Span::prefix(prefix);
        if let Some(since) = self.since {
            span.from = [prefix, &layout::time(since)].concat();
        }
        if let Some(until) = self.until {
            let end = Timestamp::from_millis(until.as_millis().saturating_add(1));
            if end.as_millis() < layout::TIME_END {
                span.to = Some([prefix, &layout::time(end)].concat());
            }
        }
        match self.after {
            Some(after) => span.after(&[prefix, after.as_bytes()].concat(), self.direction),
            None => span,
        }
    }
}
