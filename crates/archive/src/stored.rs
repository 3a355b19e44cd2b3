//! What an archive was opened with last, so that it can be looked after without being told.

use core::time::Duration;
use std::collections::BTreeMap;

use taiinet_identity::PeerId;

use crate::{
    archive::{Archive, damaged},
    config::Config,
    meta,
    store::{Changes, Store, StoreError, Table},
};

/// Indexed fields, quota, share, keep, max_backdate, importers.
type Fields =
    (Vec<String>, Option<u64>, Option<u64>, Option<Duration>, Option<Duration>, Vec<[u8; 32]>);

impl Config {
    /// The configuration that the archive on a store was opened with last, but for its queries, of which there are
    /// none then; none if the store is empty. Opening with it makes nothing anew.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn stored(store: &impl Store) -> Result<Option<Self>, StoreError> {
        let Some(network) = store.get(Table::Meta, meta::NETWORK)? else { return Ok(None) };
        let network = core::str::from_utf8(&network).ok().and_then(|name| name.parse().ok());
        let network = network.ok_or_else(|| damaged("the name of the network"))?;
        let mut config = Self::new(network, Vec::new());
        if let Some(row) = store.get(Table::Meta, meta::CONFIG)? {
            config.restore(&row).ok_or_else(|| damaged("the configuration"))?;
        }
        Ok(Some(config))
    }

    fn restore(&mut self, row: &[u8]) -> Option<()> {
        let (indexed, quota, share, keep, max_backdate, importers): Fields =
            postcard::from_bytes(row).ok()?;
        self.indexed = indexed.iter().map(|path| path.parse().ok()).collect::<Option<_>>()?;
        (self.quota, self.share, self.keep, self.max_backdate) = (quota, share, keep, max_backdate);
        self.importers = importers.into_iter().map(PeerId::from_bytes).collect();
        Some(())
    }

    /// What [`stored`](Self::stored) reads.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let indexed = self.indexed.iter().map(|path| path.as_str().to_owned()).collect();
        let importers = self.importers.iter().map(|peer| *peer.as_bytes()).collect();
        let fields: Fields =
            (indexed, self.quota, self.share, self.keep, self.max_backdate, importers);
        // Only a sequence of unknown length could not be written.
        postcard::to_allocvec(&fields).unwrap_or_default()
    }
}

impl<S: Store> Archive<S> {
    /// Notes the configuration, if it is another one than last time.
    pub(crate) fn note_config(&mut self) -> Result<(), StoreError> {
        let row = self.config.encode();
        let store = self.tables.store_mut();
        if store.get(Table::Meta, meta::CONFIG)?.as_ref() == Some(&row) {
            return Ok(());
        }
        let row = BTreeMap::from([(meta::CONFIG.to_vec(), Some(row))]);
        let changes = Changes { rows: BTreeMap::from([(Table::Meta, row)]), ..Changes::default() };
        match store.commit(&changes) {
            // What is there can be read all the same.
            Err(StoreError::Full) => Ok(()),
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn an_archive_opens_again_with_what_it_was_opened_with() {
        let store = MemoryStore::new();
        assert!(Config::stored(&store).expect("reads").is_none());
        let mut config = Config::new("tests".parse().expect("a name"), Vec::new());
        config.indexed = ["likes", "user.name"].map(|path| path.parse().expect("a path")).to_vec();
        config.quota = Some(1 << 40);
        config.share = Some(1);
        config.keep = Some(Duration::from_millis(90_000_000_001));
        config.max_backdate = Some(Duration::MAX);
        config.importers = [PeerId::from_bytes([7; 32])].into();
        let mut store = Archive::open(store, config.clone()).expect("opens").into_store();
        for change in [Some(5), None] {
            let stored = Config::stored(&store).expect("reads").expect("there is one");
            assert_eq!(format!("{stored:?}"), format!("{config:?}"));
            // What needs no new indexes is noted as well.
            config.quota = change;
            store = Archive::open(store, config.clone()).expect("opens").into_store();
        }
        assert_eq!(Config::stored(&store).expect("reads").and_then(|config| config.quota), None);
    }
}
