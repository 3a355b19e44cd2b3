//! Reading rows one after another.

use super::Tables;
use crate::store::{Chunk, Direction, Row, Span, Store, StoreError, Table};

/// What is read first, and at most at once.
const FIRST_ROWS: usize = 16;
const MOST_ROWS: usize = 1024;
const MOST_BYTES: usize = 256 * 1024;

/// The rows of a span in order, read in chunks that grow.
pub(crate) struct Walk<'a, S> {
    tables: &'a Tables<S>,
    table: Table,
    direction: Direction,
    read: std::vec::IntoIter<Row>,
    rest: Option<Span>,
    rows: usize,
}

impl<'a, S: Store> Walk<'a, S> {
    pub(super) fn new(
        tables: &'a Tables<S>,
        table: Table,
        span: Span,
        direction: Direction,
    ) -> Self {
        let rest = (!span.is_empty()).then_some(span);
        Self { tables, table, direction, read: Vec::new().into_iter(), rest, rows: FIRST_ROWS }
    }

    /// The next row.
    pub(crate) fn next(&mut self) -> Result<Option<Row>, StoreError> {
        loop {
            if let Some(row) = self.read.next() {
                return Ok(Some(row));
            }
            let Some(rest) = self.rest.take() else { return Ok(None) };
            let chunk = Chunk { rows: self.rows, bytes: MOST_BYTES };
            let read = self.tables.range(self.table, &rest, self.direction, chunk)?;
            self.read = read.rows.into_iter();
            self.rest = read.rest.filter(|rest| !rest.is_empty());
            self.rows = (self.rows * 4).min(MOST_ROWS);
        }
    }
}
