//! Which rows of the other tables a document has. They follow from the document and the configuration alone, so that
//! they can be made again, and counted.

use taiinet_document::{Content, Sharing, Timestamp};
use taiinet_query::{
    Attributes, IndexKeys, Path, index_keys,
    sort::{Direction, Sort, SortError},
};

use crate::{
    config::Config,
    layout, limits,
    record::{Head, Kind, Record, Signed},
    store::Table,
};

/// A row of another table.
pub(crate) struct Entry {
    pub(crate) table: Table,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// A field that there is an index of.
#[derive(Debug, Clone)]
pub(crate) struct Indexed {
    pub(crate) path: Path,
    ascending: Sort,
    descending: Sort,
}

/// What of a place stands behind the values: time and id.
pub(crate) const PLACE_TAIL: usize = taiinet_query::limits::PLACE_BYTES_LEAST;

impl Indexed {
    pub(crate) fn new(path: Path) -> Result<Self, SortError> {
        let by = |direction| Sort::by(&[(path.as_str(), direction)]);
        let (ascending, descending) = (by(Direction::Ascending)?, by(Direction::Descending)?);
        Ok(Self { path, ascending, descending })
    }

    /// The keys that a document has in the index: those by which queries find it, and those that it is sorted by.
    fn keys(&self, document: &Signed) -> Vec<Vec<u8>> {
        let Some((attributes, fields)) = document.subject() else { return Vec::new() };
        let IndexKeys { mut keys, is_list, overflow } = index_keys(&self.path, attributes, fields);
        if is_list || overflow {
            for sort in [&self.ascending, &self.descending] {
                keys.push(sort_value(sort, attributes, fields));
            }
            keys.sort_unstable();
            keys.dedup();
        }
        keys
    }
}

/// What a document is sorted by, where that is one field.
fn sort_value(sort: &Sort, attributes: Attributes<'_>, fields: &taiinet_document::Map) -> Vec<u8> {
    let place = sort.place(attributes, fields);
    let bytes = place.as_bytes();
    let value = bytes.get(..bytes.len().saturating_sub(PLACE_TAIL)).unwrap_or_default();
    match sort.fields().first() {
        Some((_, Direction::Descending)) => value.iter().map(|byte| !byte).collect(),
        _ => value.to_vec(),
    }
}

/// All rows that a document or a trace has beside its own.
pub(crate) fn entries(record: &Record, config: &Config, indexed: &[Indexed]) -> Vec<Entry> {
    let (author, mark, spot) = (record.author(), record.mark(), record.spot());
    let mut entries = Vec::with_capacity(4 + indexed.len());
    let mut add = |table, key, value| entries.push(Entry { table, key, value });
    add(Table::Author, layout::author_key(&author, spot), Vec::new());
    if let Some(key) = record.key() {
        let head = Head { author, mark, sharing: key.sharing().clone() };
        let row = layout::head_key(&key.owner(author), key.name(), &author);
        add(Table::Head, row, head.encode());
    }
    if let Some(leaves) = leaves(record, config) {
        add(Table::Expiry, layout::expiry_key(leaves, spot), Vec::new());
    }
    if let Record::Document(document) = record {
        let time = layout::time(mark.created_at).to_vec();
        add(Table::Id, layout::id16(&mark.id).to_vec(), time);
        if let Content::Deleted(deletion) = &document.document.content {
            for id in deletion.documents() {
                add(Table::Grave, layout::grave_key(&author, id, spot), Vec::new());
            }
        }
        for (number, field) in indexed.iter().enumerate().take(limits::INDEXED) {
            for value in field.keys(document) {
                add(Table::Field, layout::field_key(number, &value, spot), Vec::new());
            }
        }
    }
    entries
}

/// When a record leaves, if it ever does.
///
/// What has no key, or one under which its author alone writes, is not needed any more once nothing as old can come.
/// Under a shared key it may still say who writes, or stand in front of an older version that is there.
pub(crate) fn leaves(record: &Record, config: &Config) -> Option<Timestamp> {
    let alone = record.key().is_none_or(|key| *key.sharing() == Sharing::Own);
    let past = || config.past(record.author(), record.mark().created_at);
    match (record, record.kind()) {
        (Record::Document(document), Kind::Live) => {
            let keep = config.kept_until(record.mark().created_at);
            [document.document.expires_at, keep].into_iter().flatten().min()
        }
        (Record::Document(document), _) => {
            let past = alone.then(past).flatten();
            [document.document.expires_at, past].into_iter().flatten().min()
        }
        (Record::Trace(_), _) => alone.then(past).flatten(),
    }
}

/// What of a record has to stay when it leaves: a trace, as long as older versions could come back.
pub(crate) fn remains(record: &Record, config: &Config, now: Timestamp) -> Option<Record> {
    let trace = record.trace()?;
    leaves(&trace, config).is_none_or(|leaves| leaves > now).then_some(trace)
}

/// About how many bytes a record takes on the disk: its row and its entries, each with what a B-tree adds to it, in
/// pages that are three quarters full.
pub(crate) fn footprint(row: &[u8], entries: &[Entry]) -> u64 {
    let size = |key: usize, value: usize| key + value + 8;
    let entries: usize = entries.iter().map(|entry| size(entry.key.len(), entry.value.len())).sum();
    ((size(layout::SPOT_LEN, row.len()) + entries) * 4 / 3) as u64
}
