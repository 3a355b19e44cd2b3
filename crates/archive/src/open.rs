//! Opening, and making all entries again.

use std::collections::BTreeMap;

use crate::{
    archive::{Archive, Health, damaged, decode},
    config::Config,
    entries::{self, Indexed, entries},
    error::ArchiveError,
    layout::{self, Spot},
    limits,
    meta::{self, Totals},
    record::Record,
    store::{Changes, Direction, Row, Span, Store, StoreError, Table},
    tables::Tables,
    usage::Usage,
};

/// How many documents are indexed between two commits.
const REBUILD_ROWS: usize = 20_000;

impl<S: Store> Archive<S> {
    /// Opens an archive on a store, which may be empty. If other fields are to be indexed than last time, or how long
    /// documents stay has changed, all documents are read once, which takes about half a minute for a million.
    ///
    /// # Errors
    /// [`ArchiveError`]
    pub fn open(store: S, config: Config) -> Result<Self, ArchiveError> {
        let mut archive = Self::begin(store, config)?;
        let network = archive.config.network.as_str().as_bytes();
        match archive.tables.get(Table::Meta, meta::FORMAT)? {
            None => {}
            Some(format) if format == meta::FORMAT_VERSION => {}
            Some(format) => return Err(StoreError::Format(format!("archive {format:?}")).into()),
        }
        match archive.tables.get(Table::Meta, meta::NETWORK)? {
            Some(other) if other != network => {
                let other = String::from_utf8_lossy(&other).into_owned();
                return Err(ArchiveError::Network(other));
            }
            _ => {}
        }
        let totals = archive.tables.get(Table::Meta, meta::TOTALS)?;
        if let Some(totals) = totals {
            archive.totals = Totals::decode(&totals).ok_or_else(|| damaged("the totals"))?;
        }
        if archive.tables.get(Table::Meta, meta::SHAPE)? != Some(archive.config.shape()) {
            archive.rebuild(|_| true)?;
        }
        archive.note_config()?;
        Ok(archive)
    }

    /// Before anything was looked at.
    pub(crate) fn begin(store: S, config: Config) -> Result<Self, ArchiveError> {
        if config.indexed.len() > limits::INDEXED {
            return Err(ArchiveError::TooManyIndexes { fields: config.indexed.len() });
        }
        let indexed = config.indexed.iter().map(|path| {
            Indexed::new(path.clone()).map_err(|error| ArchiveError::Index {
                field: path.as_str().to_owned(),
                reason: error.to_string(),
            })
        });
        let indexed = indexed.collect::<Result<Vec<_>, _>>()?;
        let tables = Tables::open(store)?;
        let totals = Totals::default();
        Ok(Self { tables, config, indexed, totals, health: Health::Well })
    }

    /// Makes the entries of all documents again, without those that are not to stay or cannot be read. If it is
    /// interrupted, the next opening begins anew.
    pub(crate) fn rebuild(
        &mut self,
        mut stays: impl FnMut(&Record) -> bool,
    ) -> Result<(), StoreError> {
        let mut meta = BTreeMap::new();
        meta.insert(meta::FORMAT.to_vec(), Some(meta::FORMAT_VERSION.to_vec()));
        let network = self.config.network.as_str().as_bytes().to_vec();
        meta.insert(meta::NETWORK.to_vec(), Some(network));
        meta.insert(meta::SHAPE.to_vec(), None);
        meta.insert(meta::CONFIG.to_vec(), Some(self.config.encode()));
        let floors =
            Totals { floor: self.totals.floor, floors: self.totals.floors, ..Totals::default() };
        meta.insert(meta::TOTALS.to_vec(), Some(floors.encode()));
        for (key, value) in self.author_floors()? {
            meta.insert(key, Some(value));
        }
        let clear = Table::ALL.into_iter().filter(|table| !matches!(table, Table::Document));
        let rows = BTreeMap::from([(Table::Meta, meta)]);
        self.tables.reset(&Changes { clear: clear.collect(), rows })?;
        self.totals = floors;

        let mut authors = BTreeMap::<_, Usage>::new();
        let mut after = Span::all();
        loop {
            let mut walk = self.tables.walk(Table::Document, after.clone(), Direction::Forward);
            let mut rows = Vec::new();
            while rows.len() < REBUILD_ROWS
                && let Some(row) = walk.next()?
            {
                rows.push(row);
            }
            let Some((last, _)) = rows.last() else { break };
            after = Span::all().after(last, Direction::Forward);
            for (key, row) in rows {
                let record = Spot::ending(&key).and_then(|spot| decode(&row, spot).ok());
                let Some(record) = record.filter(&mut stays) else {
                    self.tables.remove(Table::Document, key);
                    continue;
                };
                let entries = entries(&record, &self.config, &self.indexed);
                let footprint = entries::footprint(&row, &entries);
                self.totals.add(record.kind(), row.len(), footprint);
                authors.entry(record.author()).or_default().add(footprint);
                for entry in entries {
                    self.tables.put(entry.table, entry.key, entry.value);
                }
            }
            self.tables.write_through()?;
        }
        let share = self.config.share.unwrap_or(u64::MAX);
        for (author, usage) in authors {
            self.tables.put(Table::Usage, author.as_bytes().to_vec(), usage.encode());
            if usage.bytes > share {
                self.tables.put(Table::Heavy, layout::heavy_key(usage.bytes, &author), Vec::new());
            }
        }
        self.tables.put(Table::Meta, meta::SHAPE.to_vec(), self.config.shape());
        self.tables.put(Table::Meta, meta::TOTALS.to_vec(), self.totals.encode());
        self.tables.write_through()
    }

    /// The rows of floors that authors have of their own.
    fn author_floors(&self) -> Result<Vec<Row>, StoreError> {
        let mut floors = Vec::new();
        let mut walk = self.tables.walk(Table::Meta, Span::prefix(meta::FLOOR), Direction::Forward);
        while let Some(row) = walk.next()? {
            floors.push(row);
        }
        Ok(floors)
    }
}
