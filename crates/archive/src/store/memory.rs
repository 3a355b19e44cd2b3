//! A store that lasts as long as the process, for tests and for browsers.

use std::collections::BTreeMap;

use super::{Changes, Chunk, Direction, Row, Rows, Span, Store, StoreError, Table};

/// Tables in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    tables: BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryStore {
    /// With no rows.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Store for MemoryStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.tables.get(&table).and_then(|rows| rows.get(key)).cloned())
    }

    fn range(
        &self,
        table: Table,
        span: &Span,
        direction: Direction,
        chunk: Chunk,
    ) -> Result<Rows, StoreError> {
        let Some(table) = self.tables.get(&table).filter(|_| !span.is_empty()) else {
            return Ok(Rows { rows: Vec::new(), rest: None });
        };
        let rows = table.range::<[u8], _>(span.bounds());
        let rows: &mut dyn Iterator<Item = (&Vec<u8>, &Vec<u8>)> = match direction {
            Direction::Forward => &mut rows.into_iter(),
            Direction::Backward => &mut rows.rev(),
        };
        let rows = rows.map(|(key, value)| Ok::<Row, StoreError>((key.clone(), value.clone())));
        super::take(rows, span, direction, chunk)
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        for table in &changes.clear {
            self.tables.remove(table);
        }
        for (table, rows) in &changes.rows {
            let table = self.tables.entry(*table).or_default();
            for (key, value) in rows {
                match value {
                    Some(value) => table.insert(key.clone(), value.clone()),
                    None => table.remove(key),
                };
            }
        }
        Ok(())
    }

    fn compact(&mut self) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn size(&self) -> Result<u64, StoreError> {
        let bytes = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.len() + value.len()) as u64;
        Ok(self.tables.values().flatten().map(bytes).sum())
    }

    fn verify(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
