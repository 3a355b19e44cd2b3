//! How much of the archive is one author's.

/// What an author's documents take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    /// On the disk, about.
    pub(crate) bytes: u64,
    /// Documents, deletions and traces.
    pub(crate) rows: u64,
}

impl Usage {
    pub(crate) const fn add(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.rows = self.rows.saturating_add(1);
    }

    pub(crate) const fn remove(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.rows = self.rows.saturating_sub(1);
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        [self.bytes.to_be_bytes(), self.rows.to_be_bytes()].concat()
    }

    pub(crate) fn decode(row: &[u8]) -> Option<Self> {
        let (bytes, rows) = row.split_first_chunk()?;
        let rows = rows.try_into().ok()?;
        Some(Self { bytes: u64::from_be_bytes(*bytes), rows: u64::from_be_bytes(rows) })
    }
}
