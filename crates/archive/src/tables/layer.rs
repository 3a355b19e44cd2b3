//! Changes over what lies below.

use crate::store::{Direction, RowChanges, Span, Table};

/// New values of rows in all tables.
#[derive(Debug, Default)]
pub(super) struct Layer {
    rows: [RowChanges; Table::ALL.len()],
    /// Of all keys and values.
    pub(super) bytes: usize,
}

/// Changed rows in the order of a direction.
pub(super) type Within<'a> = Box<dyn Iterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)> + 'a>;

impl Layer {
    pub(super) const fn of(&self, table: Table) -> &RowChanges {
        &self.rows[table as usize]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.iter().all(RowChanges::is_empty)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.iter().map(RowChanges::len).sum()
    }

    pub(super) fn put(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        let key_len = key.len();
        self.bytes += key_len + value.as_ref().map_or(0, Vec::len);
        if let Some(old) = self.rows[table as usize].insert(key, value) {
            self.bytes -= key_len + old.map_or(0, |old| old.len());
        }
    }

    /// Takes all rows of a table out.
    pub(super) fn take(&mut self, table: Table) -> RowChanges {
        let rows = core::mem::take(&mut self.rows[table as usize]);
        self.bytes -= size(&rows);
        rows
    }

    /// Takes the first rows out, by table and key, and puts them to those that were taken.
    pub(super) fn take_first(&mut self, mut most: usize, taken: &mut Vec<(Table, RowChanges)>) {
        for table in Table::ALL {
            let rows = &mut self.rows[table as usize];
            if rows.is_empty() || most == 0 {
                continue;
            }
            let rest = match rows.keys().nth(most).cloned() {
                Some(key) => rows.split_off(&key),
                None => RowChanges::new(),
            };
            let first = core::mem::replace(rows, rest);
            most -= first.len();
            self.bytes -= size(&first);
            taken.push((table, first));
        }
    }

    /// Takes over newer changes.
    pub(super) fn absorb(&mut self, mut newer: Self) {
        for table in Table::ALL {
            self.absorb_rows(table, newer.take(table));
        }
    }

    pub(super) fn absorb_rows(&mut self, table: Table, rows: RowChanges) {
        for (key, value) in rows {
            self.put(table, key, value);
        }
    }

    pub(super) fn within(&self, table: Table, span: &Span, direction: Direction) -> Within<'_> {
        if span.is_empty() {
            return Box::new(core::iter::empty());
        }
        let rows = self.of(table).range::<[u8], _>(span.bounds());
        match direction {
            Direction::Forward => Box::new(rows),
            Direction::Backward => Box::new(rows.rev()),
        }
    }
}

fn size(rows: &RowChanges) -> usize {
    rows.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum()
}
