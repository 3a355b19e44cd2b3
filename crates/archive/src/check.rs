//! Whether everything is as it was written, and making it so again.

use std::collections::BTreeMap;

use taiinet_document::SignedDocument;

use crate::{
    archive::{Archive, Health, decode},
    config::Config,
    entries::{self, entries},
    error::ArchiveError,
    layout::{self, Spot},
    limits,
    meta::Totals,
    record::Record,
    store::{Direction, Span, Store, StoreError, Table},
    usage::Usage,
};

/// What [`Archive::check`] has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// How many rows of documents are as they were written.
    pub sound: u64,
    /// What is not, [`limits::FAULTS`] of them at most.
    pub faults: Vec<String>,
    /// How many faults there are in all.
    pub count: u64,
}

impl Report {
    /// Whether everything is as it was written.
    pub const fn is_clean(&self) -> bool {
        self.count == 0
    }

    fn add(&mut self, fault: String) {
        self.count += 1;
        if self.faults.len() < limits::FAULTS {
            self.faults.push(fault);
        }
    }
}

impl<S: Store> Archive<S> {
    /// Reads all of it: whether the store is as it was written, each document's signature holds, and the indexes say
    /// what the documents do. What was not committed is looked at as well.
    ///
    /// # Errors
    /// [`ArchiveError::Store`], if it cannot be read at all.
    pub fn check(&mut self) -> Result<Report, ArchiveError> {
        self.check_with(|_| {})
    }

    /// [`check`](Self::check), and says after each document how many were read.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_with(&mut self, read: impl FnMut(u64)) -> Result<Report, ArchiveError> {
        let mut report = Report::default();
        match self.tables.store_mut().verify() {
            Ok(()) => {}
            Err(StoreError::Damaged(fault)) => report.add(fault),
            Err(error) => return Err(error.into()),
        }
        match self.check_rows(&mut report, read) {
            Ok(()) => {}
            Err(StoreError::Damaged(fault)) => report.add(fault),
            Err(error) => return Err(error.into()),
        }
        Ok(report)
    }

    fn check_rows(&self, report: &mut Report, mut read: impl FnMut(u64)) -> Result<(), StoreError> {
        let mut totals =
            Totals { floor: self.totals.floor, floors: self.totals.floors, ..Totals::default() };
        let mut authors = BTreeMap::<_, Usage>::new();
        let mut expected = BTreeMap::<Table, u64>::new();
        let mut walk = self.tables.walk(Table::Document, Span::all(), Direction::Forward);
        while let Some((key, row)) = walk.next()? {
            read(report.sound + report.count + 1);
            let record = Spot::ending(&key).and_then(|spot| decode(&row, spot).ok());
            let Some(record) = record.filter(is_sound) else {
                report.add(format!("the document at {} is damaged", hex(&key)));
                continue;
            };
            report.sound += 1;
            let entries = entries(&record, &self.config, &self.indexed);
            let footprint = entries::footprint(&row, &entries);
            totals.add(record.kind(), row.len(), footprint);
            authors.entry(record.author()).or_default().add(footprint);
            for entry in entries {
                *expected.entry(entry.table).or_default() += 1;
                if self.tables.get(entry.table, &entry.key)?.as_ref() != Some(&entry.value) {
                    let (table, mark) = (entry.table.name(), record.mark().id);
                    report.add(format!("the document {mark} is not in the table {table}"));
                }
            }
        }
        let share = self.config.share.unwrap_or(u64::MAX);
        for (author, usage) in &authors {
            *expected.entry(Table::Usage).or_default() += 1;
            if self.usage(author)? != *usage {
                report.add(format!("the author {author} has {usage:?}, not what is written"));
            }
            if usage.bytes > share {
                *expected.entry(Table::Heavy).or_default() += 1;
                let key = layout::heavy_key(usage.bytes, author);
                if self.tables.get(Table::Heavy, &key)?.is_none() {
                    report.add(format!("the author {author} is not among those over their share"));
                }
            }
        }
        for table in Table::ALL {
            if matches!(table, Table::Document | Table::Journal | Table::Meta) {
                continue;
            }
            let (mut count, expected) = (0, expected.get(&table).copied().unwrap_or(0));
            let mut walk = self.tables.walk(table, Span::all(), Direction::Forward);
            while walk.next()?.is_some() {
                count += 1;
            }
            if count != expected {
                report.add(format!("the table {} has {count} rows, not {expected}", table.name()));
            }
        }
        if totals != self.totals {
            report.add(format!("there are {totals:?}, not {:?}", self.totals));
        }
        Ok(())
    }

    /// Keeps every document that can be read and whose signature holds, and makes everything else from these again.
    /// Returns how many rows it had to give up.
    ///
    /// # Errors
    /// [`ArchiveError`], where the store cannot be read or written any more.
    pub fn repair(store: S, config: Config) -> Result<(Self, u64), ArchiveError> {
        let mut archive = Self::begin(store, config)?;
        let mut lost = 0;
        let network = archive.config.network.clone();
        archive.rebuild(|record| {
            let is_ours = match record {
                Record::Document(document) => document.document.network == network,
                Record::Trace(_) => true,
            };
            let stays = is_ours && is_sound(record);
            lost += u64::from(!stays);
            stays
        })?;
        archive.health = Health::Well;
        Ok((archive, lost))
    }
}

/// Whether the signature holds; a trace has none.
fn is_sound(record: &Record) -> bool {
    match record {
        Record::Document(document) => verifies(&document.signed),
        Record::Trace(_) => true,
    }
}

fn verifies(signed: &SignedDocument) -> bool {
    let key = signed.author().public_key();
    key.is_ok_and(|key| signed.clone().verify(&key).is_ok())
}

fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}
